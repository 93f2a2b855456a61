//! `POST rollouts/apply/`: a percentage at once, as the plugin for Rollops writes it.

use super::body::read_variant;
use crate::auth::Member;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::flagsmith::fields::{Fields, Need, Text};
use crate::flagsmith::view::View;
use crate::routes::Routes;
use flagstaff_service::{Applied, ApplyMode, ApplyRequest, Caller, FeatureReference};
use serde_json::{Value as Json, json};

const KEY: Text = Text::up_to(100);
const NAME: Text = Text::up_to(2000);
const MODES: [(&str, Word); 5] = [
    ("value", Word::Value),
    ("value-int", Word::ValueInteger),
    ("multivariate", Word::Weight),
    ("segment-split", Word::Rollout),
    ("enabled-only", Word::EnabledOnly),
];
/// Who is told of in the audit log, and drives the rollout.
pub(super) const DRIVER: &str = "rollops";

/// A mode as a body names it.
#[derive(Clone, Copy)]
enum Word {
    Value,
    ValueInteger,
    Weight,
    Rollout,
    EnabledOnly,
}

/// Adds the route.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.view(
        "/api/v1/rollouts/apply/",
        View::new("Apply").post(Member, apply),
    )
}

async fn apply(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (environment, request) = Fields::read(&body, read)?;
    let shown = (request.percentage, request.is_disabled);
    let service = call.service();
    let applied = service.apply_percentage(&call.subject, &environment, request);
    Ok(Answer::of(&shape(&applied.await?, shown)))
}

fn read(fields: &mut Fields<'_>) -> (String, ApplyRequest) {
    let environment = fields.text("environment", Need::Required, KEY);
    let feature = fields.text("flag", Need::Required, NAME).or_default();
    let percentage = fields.integer("percentage", Need::Required, 0, 100);
    let is_disabled = fields.boolean("disabled", Need::Optional).or_default();
    let variant = read_variant(fields);
    let mode = fields.choice("mode", Need::Optional, &MODES).value();
    let mode = match (mode.unwrap_or(Word::Value), variant) {
        (Word::Value, _) => ApplyMode::Value,
        (Word::ValueInteger, _) => ApplyMode::ValueInteger,
        (Word::EnabledOnly, _) => ApplyMode::EnabledOnly,
        (Word::Rollout, variant) => ApplyMode::Rollout(variant),
        (Word::Weight, Some(variant)) => ApplyMode::Weight(variant),
        (Word::Weight, None) => {
            fields.fail("variant", "This mode needs a variant.");
            ApplyMode::EnabledOnly
        }
    };
    let request = ApplyRequest {
        feature: FeatureReference::Name(feature),
        percentage: u8::try_from(percentage.or_default()).unwrap_or(u8::MAX),
        is_disabled,
        mode,
        driver: DRIVER.to_owned(),
    };
    (environment.or_default(), request)
}

/// What came of it.
pub(super) fn shape(applied: &Applied, (percentage, is_disabled): (u8, bool)) -> Json {
    json!({
        "percentage": percentage,
        "disabled": is_disabled,
        "changed": applied.is_changed,
        "rollout": applied.rollout.as_ref().map(super::shape::rollout),
    })
}
