//! What features serve in an environment, their defaults and segment overrides, read and changed as a whole: directly, or
//! by a version that is published at once.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Part, Problem, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, ValueChange};
use crate::live_changes::OverrideChange;
use crate::served_overrides::write_overrides;
use crate::weights::check_variants;
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentPermission, Feature, FeatureId, FeatureKind, FeatureSegment, FeatureState,
    SegmentId, StateOwner,
};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

/// What a feature serves in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedFeature {
    /// To everybody else.
    pub default: FeatureState,
    /// To each segment that has an override, strongest first.
    pub overrides: Vec<(FeatureSegment, FeatureState)>,
}

impl ServedFeature {
    /// Another text whenever anything of it was changed, though it be to what it was before.
    #[must_use]
    pub fn stamp(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |number: i64| hash.update(number.to_le_bytes());
        let states = self.overrides.iter().map(|(_, state)| state);
        for state in std::iter::once(&self.default).chain(states) {
            add(state.id.get());
            add(state.updated_at.micros());
        }
        for (link, _) in &self.overrides {
            add(link.segment_id.get());
            add(link.priority.unwrap_or(-1));
        }
        let digest = hash.finalize();
        let bytes = digest.iter().take(8);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What of a served feature is to be written; `None` leaves a part as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServedChanges {
    /// The environment's default.
    pub default: Option<StatePatch>,
    /// Overrides, at most one for each segment.
    pub overrides: Option<Vec<OverrideChange>>,
    /// The [`ServedFeature::stamp`] of what the caller saw: when it is another by now, nothing is written.
    pub seen: Option<String>,
}

/// What becomes of that which a change leaves out of the parts it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteMode {
    /// It stays.
    Update,
    /// A default is switched off and emptied, an override is as the default, and overrides that are not named go.
    Replace,
}

impl Service {
    /// What a feature serves in an environment.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] unless the caller may view the environment or change something in it, and for a feature
    /// that is not there.
    pub async fn served_feature(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: FeatureId,
    ) -> ServiceResult<ServedFeature> {
        for permission in [
            EnvironmentPermission::ViewEnvironment,
            EnvironmentPermission::UpdateFeatureState,
            EnvironmentPermission::ManageSegmentOverrides,
        ] {
            if let Some(place) = self.place_if(caller, api_key, permission).await? {
                let feature = self.feature_in(&place.project, feature).await?;
                return self.read_served(&place, &feature).await;
            }
        }
        Err(ServiceError::NotFound {
            noun: Noun::Environment,
        })
    }

    /// Writes the named parts of what a feature serves, all or nothing.
    ///
    /// # Errors
    /// As [`Service::served_feature`]; [`ServiceError::Forbidden`] for a part that the caller may not change;
    /// [`ServiceError::ChangeRequestNeeded`]; [`ServiceError::Outdated`]; [`ServiceError::InvalidPart`]; two overrides with one
    /// priority.
    pub async fn change_served_feature(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: FeatureId,
        changes: ServedChanges,
        mode: WriteMode,
    ) -> ServiceResult<ServedFeature> {
        let needs = (changes.default.is_some(), changes.overrides.is_some());
        let place = self.place_to_change(caller, api_key, needs).await?;
        let feature = self.feature_in(&place.project, feature).await?;
        require_no_change_request(&place)?;
        if writes_nothing(&changes, mode) {
            return self.read_served(&place, &feature).await;
        }
        self.check_changes(&place, &feature, &changes, mode).await?;
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = self.place_now(&place).await?;
        require_no_change_request(&place)?;
        if let Some(seen) = &changes.seen
            && *seen != self.read_served(&place, &feature).await?.stamp()
        {
            let noun = Noun::Feature;
            return Err(ServiceError::Outdated { noun });
        }
        let mut live = self
            .begin_live_edit(caller, write, (&place, &feature))
            .await?;
        let edit = live.states();
        if let Some(patch) = changes.default {
            let patch = match mode {
                WriteMode::Update => patch,
                WriteMode::Replace => reset(patch),
            };
            edit.change(edit.default_state()?, patch).await?;
        }
        if let Some(overrides) = changes.overrides {
            write_overrides(edit, overrides, mode).await?;
        }
        self.finish_live_edit(caller, (&place, &feature), live)
            .await?;
        self.read_served(&place, &feature).await
    }

    /// Takes the override for a segment away.
    ///
    /// # Errors
    /// As [`Service::change_served_feature`], and [`ServiceError::NotFound`] for an override that is not there.
    pub async fn delete_served_override(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: FeatureId,
        segment: SegmentId,
    ) -> ServiceResult<ServedFeature> {
        let place = self.place_to_change(caller, api_key, (false, true)).await?;
        let feature = self.feature_in(&place.project, feature).await?;
        self.remove_override(caller, &place, &feature, segment)
            .await?;
        self.read_served(&place, &feature).await
    }

    pub(crate) async fn remove_override(
        &self,
        caller: &Caller,
        place: &EnvironmentPlace,
        feature: &Feature,
        segment: SegmentId,
    ) -> ServiceResult<()> {
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = self.place_now(place).await?;
        require_no_change_request(&place)?;
        let mut live = self
            .begin_live_edit(caller, write, (&place, feature))
            .await?;
        if !live.states().delete_override(segment).await? {
            return Err(ServiceError::NotFound {
                noun: Noun::FeatureSegment,
            });
        }
        self.finish_live_edit(caller, (&place, feature), live).await
    }

    async fn read_served(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
    ) -> ServiceResult<ServedFeature> {
        let place = self.place_now(place).await?;
        let (environment, now) = (place.environment.id, self.now_in(&place));
        let default = self
            .store()
            .default_state(environment, feature.id, now)
            .await?;
        let states = self
            .store()
            .segment_states(environment, feature.id, now)
            .await?;
        let linked = |state: FeatureState| match &state.owner {
            StateOwner::Segment(link) => Some((link.clone(), state)),
            StateOwner::Environment | StateOwner::Identity { .. } => None,
        };
        let mut overrides: Vec<_> = states.into_iter().filter_map(linked).collect();
        overrides
            .sort_by_key(|(link, _)| (link.priority.is_none(), link.priority, link.segment_id));
        // Of two overrides for one segment the stronger one is what is served.
        let mut seen = HashSet::new();
        overrides.retain(|(link, _)| seen.insert(link.segment_id));
        Ok(ServedFeature {
            default: default.ok_or(ServiceError::NotFound {
                noun: Noun::FeatureState,
            })?,
            overrides,
        })
    }

    /// An environment by its key where the caller may do something in it.
    async fn place_if(
        &self,
        caller: &Caller,
        api_key: &str,
        permission: EnvironmentPermission,
    ) -> ServiceResult<Option<EnvironmentPlace>> {
        match self.environment_for(caller, api_key, permission).await {
            Ok(place) => Ok(Some(place)),
            Err(ServiceError::NotFound { .. } | ServiceError::Forbidden) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// An environment in which the caller may change what they are about to: its default, its overrides.
    async fn place_to_change(
        &self,
        caller: &Caller,
        api_key: &str,
        (needs_default, needs_overrides): (bool, bool),
    ) -> ServiceResult<EnvironmentPlace> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let managing = EnvironmentPermission::ManageSegmentOverrides;
        let default = self.place_if(caller, api_key, changing).await?;
        let overrides = self.place_if(caller, api_key, managing).await?;
        let is_denied =
            (needs_default && default.is_none()) || (needs_overrides && overrides.is_none());
        let place = default.or(overrides).ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        if is_denied {
            return Err(ServiceError::Forbidden);
        }
        Ok(place)
    }

    async fn check_changes(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        changes: &ServedChanges,
        mode: WriteMode,
    ) -> ServiceResult<()> {
        let options = self.store().options(feature.id).await?;
        if let Some(patch) = &changes.default {
            let is_lacking = mode == WriteMode::Replace
                && feature.kind == FeatureKind::Multivariate
                && patch.weights.is_none();
            let checked = match &patch.weights {
                _ if is_lacking => Err(Problem::VariantsIncomplete),
                Some(weights) => check_variants(feature, &options, weights),
                None => Ok(()),
            };
            checked.map_err(|problem| invalid(Part::Default, "variants", problem))?;
        }
        let overrides = changes.overrides.iter().flatten().enumerate();
        for (position, change) in overrides {
            let part = Part::Override(position);
            match self.check_segment(place, feature, change.segment_id).await {
                Err(ServiceError::Invalid {
                    field: "segment",
                    problem,
                }) => return Err(invalid(part, "segment", problem)),
                other => other?,
            }
            if let Some(weights) = &change.patch.weights {
                check_variants(feature, &options, weights)
                    .map_err(|problem| invalid(part, "variants", problem))?;
            }
        }
        Ok(())
    }
}

fn invalid(part: Part, field: &'static str, problem: Problem) -> ServiceError {
    ServiceError::InvalidPart {
        part,
        field,
        problem,
    }
}

/// No route writes around an approval.
pub(crate) fn require_no_change_request(place: &EnvironmentPlace) -> ServiceResult<()> {
    match place.environment.minimum_change_request_approvals {
        Some(_) => Err(ServiceError::ChangeRequestNeeded),
        None => Ok(()),
    }
}

fn writes_nothing(changes: &ServedChanges, mode: WriteMode) -> bool {
    let names_nothing = |overrides: &Option<Vec<OverrideChange>>| match mode {
        WriteMode::Replace => overrides.is_none(),
        WriteMode::Update => overrides.as_ref().is_none_or(Vec::is_empty),
    };
    changes.default.is_none() && names_nothing(&changes.overrides)
}

/// A default that is written anew: off and empty where nothing is said.
fn reset(patch: StatePatch) -> StatePatch {
    let empty = ValueChange::Columns {
        kind: None,
        text: Some(None),
        integer: Some(None),
        boolean: Some(None),
    };
    StatePatch {
        enabled: Some(patch.enabled.unwrap_or_default()),
        value: Some(patch.value.unwrap_or(empty)),
        weights: patch.weights,
    }
}
