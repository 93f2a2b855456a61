//! Whole states of a feature, written in one request: the default, or overrides for segments.

use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_states::StatePatch;
use crate::live_changes::OverrideChange;
use crate::served_features::require_no_change_request;
use crate::served_overrides::request;
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentPermission, Feature, FeatureId, FeatureName, SegmentId};

/// A feature, as a body names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureReference {
    /// By its row id.
    Id(FeatureId),
    /// By its exact name.
    Name(String),
}

impl Service {
    /// Writes whole states of a feature: the default, or overrides, which are made where there are none. An override
    /// that is given a priority moves there, and the others give way.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless there is such an environment and the caller may change its states;
    /// [`ServiceError::NotFound`] for a feature that is not there; [`ServiceError::ChangeRequestNeeded`]; unknown
    /// segments; invalid values or weights.
    pub async fn update_flag(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: &FeatureReference,
        default: Option<StatePatch>,
        overrides: Vec<OverrideChange>,
    ) -> ServiceResult<()> {
        let (place, feature) = self.flag_place(caller, api_key, feature).await?;
        for change in &overrides {
            self.check_segment(&place, &feature, change.segment_id)
                .await?;
        }
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = self.place_now(&place).await?;
        require_no_change_request(&place)?;
        let mut live = self
            .begin_live_edit(caller, write, (&place, &feature))
            .await?;
        let edit = live.states();
        if let Some(patch) = default {
            edit.change(edit.default_state()?, patch).await?;
        }
        for change in overrides {
            let (segment, priority) = (change.segment_id, change.priority);
            match edit.override_for(segment) {
                Some((state, _)) => edit.change(state, change.patch).await?,
                None => edit.insert_override(request(change)).await?,
            };
            if let Some((_, link)) = edit.override_for(segment) {
                edit.prioritise(&link, priority).await?;
            }
        }
        self.finish_live_edit(caller, (&place, &feature), live)
            .await
    }

    /// Takes the override for a segment away.
    ///
    /// # Errors
    /// As [`Service::update_flag`], and [`ServiceError::NotFound`] for an override that is not there.
    pub async fn delete_flag_override(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: &FeatureReference,
        segment: SegmentId,
    ) -> ServiceResult<()> {
        let (place, feature) = self.flag_place(caller, api_key, feature).await?;
        let titles = self.segment_in(&place.project, segment).await;
        titles.map_err(|error| match error {
            ServiceError::NotFound { .. } => {
                ServiceError::invalid("segment", Problem::UnknownId(segment.get()))
            }
            other => other,
        })?;
        self.remove_override(caller, &place, &feature, segment)
            .await
    }

    async fn flag_place(
        &self,
        caller: &Caller,
        api_key: &str,
        feature: &FeatureReference,
    ) -> ServiceResult<(EnvironmentPlace, Feature)> {
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, api_key, changing).await;
        let place = place.map_err(ServiceError::hidden)?;
        require_no_change_request(&place)?;
        let feature = match feature {
            FeatureReference::Id(id) => self.feature_in(&place.project, *id).await?,
            FeatureReference::Name(name) => {
                let found = match FeatureName::parse(name) {
                    Ok(name) => {
                        self.store()
                            .feature_by_name(place.project.id, &name)
                            .await?
                    }
                    Err(_) => None,
                };
                found.ok_or(ServiceError::NotFound {
                    noun: Noun::Feature,
                })?
            }
        };
        Ok((place, feature))
    }
}
