//! `analytics/`: how often SDKs evaluated which flag.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use axum::http::StatusCode;
use flagstaff_core::{FeatureName, Identifier};
use flagstaff_service::{EvaluationCount, OpenEnvironment};
use flagstaff_wire::flagsmith::analytics;
use serde_json::json;

/// `POST /api/v1/analytics/flags/`
pub(super) async fn counts(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let counts = analytics::counts(&body)
        .map_err(|_| Failure::of_no_field("Expected a JSON object."))?
        .into_iter()
        .map(|count| EvaluationCount {
            feature: count.feature,
            enabled: count.enabled,
            variant: None,
            count: count.count,
        })
        .collect::<Vec<_>>();
    count(&call, &counts);
    Ok(Answer::empty(StatusCode::OK))
}

/// `POST /api/v2/analytics/flags/`
pub(super) async fn evaluations(mut call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let limit = call.config().json_values;
    let counts = Fields::read(&body, |fields| {
        let list = fields.list("evaluations", Need::Required, limit, read_evaluation);
        list.or_default()
    })?;
    count(&call, &counts);
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn read_evaluation(fields: &mut Fields<'_>) -> EvaluationCount {
    let feature = fields.text(
        "feature_name",
        Need::Required,
        Text::up_to(FeatureName::LIMIT),
    );
    let identifier = Text::up_to(Identifier::LIMIT).or_blank();
    // Counts are kept per feature; for whom is checked and dropped.
    let _ = fields.text("identity_identifier", Need::OptionalOrNull, identifier);
    let enabled = fields.boolean("enabled_when_evaluated", Need::Required);
    let count = fields.integer("count", Need::Required, 0, i64::MAX);
    EvaluationCount {
        feature: feature.or_default(),
        enabled: enabled.value(),
        variant: None,
        count: count.or_default(),
    }
}

fn count(call: &Call<OpenEnvironment>, counts: &[EvaluationCount]) {
    let labels = call.sdk_labels();
    call.service()
        .count_evaluations(&call.subject, counts, &labels);
}

/// `POST /api/v1/analytics/telemetry/`: checked and echoed; nothing of it is kept.
pub(super) async fn telemetry(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let echo = Fields::read(&body, |fields| {
        let mut number = |name| {
            let number = fields.integer(name, Need::Required, 0, i64::MAX);
            number.or_default()
        };
        let mut echo = json!({
            "organisations": number("organisations"),
            "projects": number("projects"),
            "environments": number("environments"),
            "features": number("features"),
            "segments": number("segments"),
            "users": number("users"),
        });
        let debug_enabled = fields.boolean("debug_enabled", Need::Required);
        let env = fields.text("env", Need::Required, Text::up_to(255));
        echo["debug_enabled"] = debug_enabled.or_default().into();
        echo["env"] = env.or_default().into();
        echo
    })?;
    Ok(Answer::of(&echo).with_status(StatusCode::CREATED))
}
