//! A percentage that a program outside applies to a feature: either the feature itself says it, or a rollout serves it.

use super::{DriveRequest, RolloutView, VariantReference};
use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, RolloutFault, RolloutProblem, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, ValueChange};
use crate::flag_writes::FeatureReference;
use crate::served_features::require_no_change_request;
use crate::text_rules::check_name;
use crate::weights::WeightChange;
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, FeatureState, MultivariateOption, OptionId, Percentage,
};

/// Parts of a percent that weights are rounded to.
const PARTS: f64 = 10_000.0;
/// Weights that differ by less are the same.
const TOLERANCE: f64 = 1e-6;
/// Characters of a program's name.
const DRIVER_LIMIT: usize = 100;

/// What a percentage means.
#[derive(Debug, Clone, PartialEq)]
pub enum ApplyMode {
    /// The feature's value is the percentage, as text.
    Value,
    /// The same as a number.
    ValueInteger,
    /// The feature is on above zero.
    EnabledOnly,
    /// The weight of this option; the others share what is left as they did.
    Weight(VariantReference),
    /// A rollout gives the feature, or this option of it, to so many people.
    Rollout(Option<VariantReference>),
}

/// A percentage to be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplyRequest {
    /// The feature.
    pub feature: FeatureReference,
    /// 0 to 100.
    pub percentage: u8,
    /// True for a rollback: the feature is off, or what a rollout gave is taken back.
    pub is_disabled: bool,
    /// What the percentage means.
    pub mode: ApplyMode,
    /// The program's name, 1 to 100 characters: who did it, in the audit log.
    pub driver: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// False where everything was so already.
    pub is_changed: bool,
    /// The rollout that serves it, where one does.
    pub rollout: Option<RolloutView>,
}

impl Service {
    /// Applies a percentage to a feature in an environment, in one change.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] and [`ServiceError::Forbidden`] as for every change of a feature state;
    /// [`ServiceError::ChangeRequestNeeded`]; [`RolloutProblem`] where a rollout of somebody else is under way; a percentage above
    /// 100; an option that the feature has not.
    pub async fn apply_percentage(
        &self,
        caller: &Caller,
        client_key: &str,
        request: ApplyRequest,
    ) -> ServiceResult<Applied> {
        let percentage = percentage(&request)?;
        check_name("driver", &request.driver, DRIVER_LIMIT)?;
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, client_key, changing).await?;
        require_no_change_request(&place)?;
        let driver = Caller::of_driver(&request.driver, caller);
        if let ApplyMode::Rollout(variant) = request.mode {
            let drive = DriveRequest {
                feature: request.feature,
                variant,
                segment_id: None,
                percentage,
                rolls_back: request.is_disabled,
                driver: request.driver,
            };
            return self.apply_as_rollout(&driver, client_key, drive).await;
        }
        let is_changed = self.apply_to_default(&driver, &place, &request).await?;
        Ok(Applied {
            is_changed,
            rollout: None,
        })
    }

    /// Writes a percentage into the default of a feature; false where that says it already.
    async fn apply_to_default(
        &self,
        driver: &Caller,
        place: &EnvironmentPlace,
        request: &ApplyRequest,
    ) -> ServiceResult<bool> {
        let feature = self.named_feature(place, &request.feature).await?;
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = self.place_now(place).await?;
        require_no_change_request(&place)?;
        self.require_no_rollout(&place, &feature).await?;
        let mut live = self
            .begin_live_edit(driver, write, (&place, &feature))
            .await?;
        let edit = live.states();
        let state = edit.default_state()?;
        let options = self.store().options(feature.id).await?;
        let patch = patch(request, &state, &options)?;
        if !changes(&patch, &state) {
            return Ok(false);
        }
        edit.change(state, patch).await?;
        let told = told(request, &feature);
        self.finish_live_edit_telling(driver, (&place, &feature), live, vec![told])
            .await?;
        Ok(true)
    }

    /// What the feature itself says is not touched while a rollout begins from it.
    async fn require_no_rollout(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
    ) -> ServiceResult<()> {
        let live = self
            .store()
            .live_rollout(place.environment.id, feature.id)
            .await?;
        match live {
            Some(rollout) => Err(ServiceError::Rollout(RolloutProblem::AnotherLive(
                rollout.id,
            ))),
            None => Ok(()),
        }
    }

    async fn apply_as_rollout(
        &self,
        driver: &Caller,
        client_key: &str,
        request: DriveRequest,
    ) -> ServiceResult<Applied> {
        let started = self.clock().now();
        let driven = self
            .drive_rollout(driver, client_key, request.clone())
            .await;
        let rollout = match driven {
            // The last canary was promoted, and this is the first step of the next one: it begins from what was before.
            Err(error) if is_on_already(&error) && !request.rolls_back => {
                let back = DriveRequest {
                    rolls_back: true,
                    ..request.clone()
                };
                let back = self.drive_rollout(driver, client_key, back).await?;
                if back.is_none() {
                    return Err(error);
                }
                self.drive_rollout(driver, client_key, request).await?
            }
            other => other?,
        };
        let is_changed = |view: &RolloutView| view.rollout.updated_at >= started;
        Ok(Applied {
            is_changed: rollout.as_ref().is_some_and(is_changed),
            rollout,
        })
    }
}

fn percentage(request: &ApplyRequest) -> ServiceResult<Percentage> {
    let hundredths = u16::from(request.percentage) * 100;
    Percentage::from_hundredths(hundredths).ok_or_else(|| {
        let problem = Problem::OutOfRange { min: 0, max: 100 };
        ServiceError::invalid("percentage", problem)
    })
}

fn is_on_already(error: &ServiceError) -> bool {
    matches!(
        error,
        ServiceError::Invalid {
            problem: Problem::Rollout(RolloutFault::OnAlready),
            ..
        }
    )
}

/// What of the default state has to change.
fn patch(
    request: &ApplyRequest,
    state: &FeatureState,
    options: &[MultivariateOption],
) -> ServiceResult<StatePatch> {
    let (percentage, is_on) = (request.percentage, !request.is_disabled);
    let text = || ValueChange::Text(Some(percentage.to_string()));
    let (is_on, value, weights) = match &request.mode {
        ApplyMode::Value => (is_on, Some(text()), None),
        ApplyMode::ValueInteger => {
            let integer = ValueChange::Integer(i64::from(percentage));
            (is_on, Some(integer), None)
        }
        ApplyMode::EnabledOnly | ApplyMode::Rollout(_) => (is_on && percentage > 0, None, None),
        ApplyMode::Weight(variant) => {
            let fault = Problem::Rollout(RolloutFault::UnknownVariant);
            let option = super::views::named_option(options, variant)
                .ok_or_else(|| ServiceError::invalid("variant", fault))?;
            let share = if is_on { f64::from(percentage) } else { 0.0 };
            (is_on, None, Some(weights(state, options, option.id, share)))
        }
    };
    Ok(StatePatch {
        enabled: Some(is_on),
        value,
        weights,
    })
}

fn weights(
    state: &FeatureState,
    options: &[MultivariateOption],
    raised: OptionId,
    share: f64,
) -> Vec<WeightChange> {
    let present = |option: OptionId| {
        let mut weights = state.weights.iter();
        let found = weights.find(|weight| weight.option_id == option);
        found.map_or(0.0, |weight| weight.percentage_allocation)
    };
    let before = present(raised);
    let scaled = |weight: f64| {
        // Nothing moves: rounding must not either.
        if (share - before).abs() < TOLERANCE {
            return weight;
        }
        if before >= 100.0 {
            return 0.0;
        }
        let exact = weight * (100.0 - share) / (100.0 - before);
        (exact * PARTS + TOLERANCE).floor() / PARTS
    };
    let change = |option: &MultivariateOption| WeightChange {
        option_id: option.id,
        percentage_allocation: if option.id == raised {
            share
        } else {
            scaled(present(option.id))
        },
    };
    options.iter().map(change).collect()
}

/// Whether a patch would leave anything else than there is.
fn changes(patch: &StatePatch, state: &FeatureState) -> bool {
    let mut value = state.value.clone();
    if let Some(change) = patch.value.clone() {
        change.apply(&mut value);
    }
    let mut weights = patch.weights.iter().flatten();
    let is_same_weight = |change: &WeightChange| {
        state.weights.iter().any(|weight| {
            weight.option_id == change.option_id
                && (weight.percentage_allocation - change.percentage_allocation).abs() < TOLERANCE
        })
    };
    patch
        .enabled
        .is_some_and(|enabled| enabled != state.enabled)
        || value != state.value
        || !weights.all(is_same_weight)
}

fn told(request: &ApplyRequest, feature: &Feature) -> Told {
    let (name, percentage, driver) = (&feature.name, request.percentage, &request.driver);
    let summary = if request.is_disabled {
        format!("Feature '{name}' taken back by {driver}: off, {percentage} %")
    } else {
        format!("Feature '{name}' rolled out by {driver} to {percentage} %")
    };
    Told::updated(Noun::Feature, feature.id.get(), feature.uuid).saying(summary)
}
