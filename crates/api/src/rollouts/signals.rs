//! `rollouts/{rollout_id}/signals/` and `…/health/`: what rollouts are told, by members, API keys and server-side keys.

use crate::auth::{Explainer, ServerKeyOrCaller};
use crate::flagsmith::admin::times;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::flagsmith::fields::{Fields, Need, Sent, Text};
use crate::flagsmith::view::View;
use crate::routes::Routes;
use flagstaff_core::RolloutId;
use flagstaff_core::guard::{Arms, Counts, HealthReport};
use flagstaff_service::{
    COUNT_LIMIT, HealthRequest, Reporter, SignalCounts, SignalOutcome, SignalRequest,
};
use serde_json::{Value as Json, json};

/// Entries of a report.
const ENTRY_LIMIT: usize = 50;
const VARIANT: Text = Text::up_to(255);
const KEY: Text = Text::up_to(200);
const SOURCE: Text = Text::up_to(100);
const REASON: Text = Text::up_to(1_000).or_blank();
const STATUSES: [(&str, bool); 4] = [
    ("healthy", true),
    ("unhealthy", false),
    // As Flagsmith's events of feature health say it.
    ("HEALTHY", true),
    ("UNHEALTHY", false),
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let auth = ServerKeyOrCaller;
    routes
        .view(
            "/api/v1/rollouts/{rollout_id}/signals/",
            View::new("Rollout Signals")
                .get(auth, list)
                .post(auth, count),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/health/",
            View::new("Rollout Health").post(auth, report),
        )
}

/// `GET /api/v1/rollouts/{rollout_id}/signals/`
async fn list(call: Call<Explainer>) -> Result<Answer, Failure> {
    let rollout = rollout(&call)?;
    let signals = call.service().signals(reporter(&call.subject), rollout);
    let (arms, reports) = signals.await?;
    let reports: Vec<Json> = reports.iter().map(shape_report).collect();
    Ok(Answer::of(
        &json!({ "signals": shape_arms(arms), "health": reports }),
    ))
}

/// `POST /api/v1/rollouts/{rollout_id}/signals/`
async fn count(mut call: Call<Explainer>) -> Result<Answer, Failure> {
    let rollout = rollout(&call)?;
    let body = call.body().await?;
    let request = read_signals(&call, &body)?;
    let reporter = reporter(&call.subject);
    let counted = call.service().record_signals(reporter, rollout, &request);
    Ok(Answer::of(&shape_outcome(&counted.await?)))
}

/// `POST /api/v1/rollouts/{rollout_id}/health/`
async fn report(mut call: Call<Explainer>) -> Result<Answer, Failure> {
    let rollout = rollout(&call)?;
    let body = call.body().await?;
    let request = Fields::read(&body, read_health)?;
    let reporter = reporter(&call.subject);
    let written = call.service().record_health(reporter, rollout, request);
    Ok(Answer::of(&shape_report(&written.await?)))
}

fn rollout(call: &Call<Explainer>) -> Result<RolloutId, Failure> {
    call.path_id("rollout_id").map(RolloutId::new)
}

fn reporter(subject: &Explainer) -> Reporter<'_> {
    match subject {
        Explainer::Environment(open) => Reporter::Environment(open),
        Explainer::Caller(caller) => Reporter::Caller(caller),
    }
}

/// Reads a report: a list of entries, or one entry by itself. The header `Idempotency-Key` counts as the field does.
pub(super) fn read_signals<S>(call: &Call<S>, body: &Json) -> Result<SignalRequest, Failure> {
    let header = call.headers().get("idempotency-key");
    let header = header.and_then(|value| value.to_str().ok());
    Fields::read(body, |fields| {
        let key = fields.text("idempotency_key", Need::OptionalOrNull, KEY);
        let signals = match fields.any("signals", Need::Optional) {
            Sent::Absent => vec![read_entry(fields)],
            Sent::Null | Sent::Given(_) => fields
                .list("signals", Need::Required, ENTRY_LIMIT, read_entry)
                .or_default(),
        };
        SignalRequest {
            signals,
            idempotency_key: key.value().or_else(|| header.map(str::to_owned)),
        }
    })
}

fn read_entry(fields: &mut Fields<'_>) -> SignalCounts {
    let most = i64::try_from(COUNT_LIMIT).unwrap_or(i64::MAX);
    SignalCounts {
        variant: fields.text("variant", Need::Required, VARIANT).or_default(),
        counts: Counts {
            successes: fields
                .integer("successes", Need::Optional, 0, most)
                .or_default()
                .unsigned_abs(),
            failures: fields
                .integer("failures", Need::Optional, 0, most)
                .or_default()
                .unsigned_abs(),
        },
    }
}

/// Reads a report of health. A reason may be a text or any JSON, as others send it.
pub(super) fn read_health(fields: &mut Fields<'_>) -> HealthRequest {
    let source = fields.text("source", Need::Optional, SOURCE).value();
    let status = fields.choice("status", Need::Required, &STATUSES).value();
    let reason = match fields.any("reason", Need::OptionalOrNull) {
        Sent::Given(Json::String(_)) => fields.text("reason", Need::Optional, REASON).value(),
        Sent::Given(other) => Some(other.to_string().chars().take(1_000).collect()),
        Sent::Null | Sent::Absent => None,
    };
    HealthRequest {
        source: source.unwrap_or_else(|| "default".to_owned()),
        is_healthy: status.unwrap_or_default(),
        reason: reason.filter(|reason| !reason.is_empty()),
    }
}

pub(super) fn shape_outcome(outcome: &SignalOutcome) -> Json {
    json!({ "counted": outcome.is_counted, "signals": shape_arms(outcome.arms) })
}

fn shape_arms(arms: Arms) -> Json {
    let entry = |variant, counts: Counts| {
        json!({
            "variant": variant,
            "successes": counts.successes,
            "failures": counts.failures,
        })
    };
    json!([
        entry("treated", arms.treated),
        entry("control", arms.control)
    ])
}

pub(super) fn shape_report(report: &HealthReport) -> Json {
    json!({
        "source": report.source,
        "status": if report.is_healthy { "healthy" } else { "unhealthy" },
        "reason": report.reason,
        "at": times::shown(report.at),
    })
}
