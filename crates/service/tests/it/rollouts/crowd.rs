//! Many identities, and who of them has a feature.

use crate::fixture::Fixture;
use flagstaff_core::{
    Attributes, Context, FeatureId, IdentityContext, Percentage, RolloutStep, Value,
};
use flagstaff_service::{FeatureReference, RolloutRequest, RolloutView, ServiceResult};

/// A feature, and what of it people get by a rollout.
pub(super) struct Raised<'a> {
    pub(super) feature: &'a str,
    /// The value of the option; `None`: that it is on.
    pub(super) value: Option<&'a str>,
}

/// Who of so many identities has it by now, by their numbers.
pub(super) async fn holders(fixture: &Fixture, raised: &Raised<'_>, count: usize) -> Vec<bool> {
    let attributes = Attributes::new();
    holders_with(fixture, raised, count, &attributes).await
}

/// The same, all of them with these attributes.
pub(super) async fn holders_with(
    fixture: &Fixture,
    raised: &Raised<'_>,
    count: usize,
    attributes: &Attributes,
) -> Vec<bool> {
    let open = fixture.open().await;
    let rules = &open.published.snapshot.rules;
    let feature = rules.feature_index(raised.feature).unwrap();
    let has = |number: usize| {
        let identifier = format!("user-{number}");
        let identity = IdentityContext {
            identifier: &identifier,
            key: None,
            attributes,
            overrides: None,
        };
        let context = Context {
            identity: Some(identity),
        };
        let flag = rules.evaluator(&context).flag(feature);
        let value = raised.value.map(Value::text);
        flag.enabled && value.is_none_or(|value| *flag.value == value)
    };
    (0..count).map(has).collect()
}

/// How many of them have it, in percent.
pub(super) fn share(holders: &[bool]) -> f64 {
    let count = holders.iter().filter(|has| **has).count();
    count as f64 * 100.0 / holders.len() as f64
}

/// A step that is held for a minute.
pub(super) fn step(percent: f64) -> RolloutStep {
    RolloutStep {
        percentage: Percentage::from_percent(percent).unwrap(),
        hold_seconds: 60,
        ..RolloutStep::default()
    }
}

pub(super) fn plan(feature: FeatureId, percents: &[f64]) -> RolloutRequest {
    RolloutRequest {
        feature: FeatureReference::Id(feature),
        variant: None,
        segment_id: None,
        description: None,
        steps: percents.iter().map(|percent| step(*percent)).collect(),
    }
}

pub(super) async fn create(
    fixture: &Fixture,
    request: RolloutRequest,
) -> ServiceResult<RolloutView> {
    let key = &fixture.environment.api_key;
    let service = &fixture.service;
    service.create_rollout(&fixture.caller, key, request).await
}
