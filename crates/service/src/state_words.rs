//! What the audit log says of feature states, in the words that the recorded server uses.

use crate::Service;
use crate::audit_details;
use crate::change::Told;
use crate::error::{Noun, ServiceResult};
use crate::weights::WeightChange;
use flagstaff_core::{Feature, FeatureState, SegmentId, StateOwner};

impl Service {
    /// Says that a state was made.
    pub(crate) async fn told_of_new_state(
        &self,
        feature: &Feature,
        state: &FeatureState,
    ) -> ServiceResult<Told> {
        let name = &feature.name;
        let summary = match &state.owner {
            StateOwner::Environment => format!("New Flag / Remote Config created: {name}"),
            StateOwner::Segment(_) => self.words_for_value(feature, state).await?,
            StateOwner::Identity { .. } => self.words_for_switch(feature, state).await?,
        };
        let told = Told::created(Noun::FeatureState, state.id.get(), state.uuid).saying(summary);
        let details = audit_details::of_states(None, Some(state));
        Ok(about(told, state).with_details(details))
    }

    /// Says what of a state was changed: each of its switch, its value and its weights has an entry of its own.
    pub(crate) async fn told_of_changed_state(
        &self,
        feature: &Feature,
        before: &FeatureState,
        after: &FeatureState,
        weights: &[WeightChange],
    ) -> ServiceResult<Vec<Told>> {
        let is_reweighted = weights.iter().any(|weight| {
            let is_known = before
                .weights
                .iter()
                .any(|known| known.option_id == weight.option_id);
            !is_known
                || differs(
                    before.weight_of(weight.option_id),
                    weight.percentage_allocation,
                )
        });
        let mut summaries = Vec::new();
        if before.value != after.value {
            summaries.push(self.words_for_value(feature, after).await?);
        }
        if is_reweighted {
            summaries.push(format!(
                "Multivariate value changed for feature '{}'.",
                feature.name
            ));
        }
        // A change that changes nothing is told as one too: its time is another.
        if before.enabled != after.enabled || summaries.is_empty() {
            summaries.push(self.words_for_switch(feature, after).await?);
        }
        let details = audit_details::of_states(Some(before), Some(after));
        let told = |summary| {
            let told = Told::updated(Noun::FeatureState, after.id.get(), after.uuid);
            about(told.saying(summary), after).with_details(details.clone())
        };
        Ok(summaries.into_iter().map(told).collect())
    }

    /// Says that a state was deleted. The override of a segment is told of as a change of its feature.
    pub(crate) async fn told_of_deleted_state(
        &self,
        feature: &Feature,
        state: &FeatureState,
    ) -> ServiceResult<Told> {
        let name = &feature.name;
        let summary = match &state.owner {
            StateOwner::Environment => format!("Flag / Remote Config Deleted: {name}"),
            StateOwner::Segment(link) => {
                return self
                    .told_of_deleted_override(feature, link.segment_id)
                    .await;
            }
            StateOwner::Identity { identifier, .. } => format!(
                "Flag state / Remote config value deleted for feature '{name}' and identity '{identifier}'"
            ),
        };
        let told = Told::deleted(Noun::FeatureState, state.id.get(), state.uuid).saying(summary);
        let details = audit_details::of_states(Some(state), None);
        Ok(about(told, state).with_details(details))
    }

    /// Says that the override of a feature for a segment was deleted.
    pub(crate) async fn told_of_deleted_override(
        &self,
        feature: &Feature,
        segment: SegmentId,
    ) -> ServiceResult<Told> {
        let told = Told::deleted(Noun::Feature, feature.id.get(), feature.uuid).of_segment(segment);
        let (name, segment) = (&feature.name, self.segment_name(segment).await?);
        Ok(told.saying(format!(
            "Flag state / Remote config value deleted for feature '{name}' and segment '{segment}'"
        )))
    }

    async fn words_for_switch(
        &self,
        feature: &Feature,
        state: &FeatureState,
    ) -> ServiceResult<String> {
        let name = &feature.name;
        Ok(match &state.owner {
            StateOwner::Environment => format!("Flag state updated for feature: {name}"),
            StateOwner::Segment(link) => {
                let segment = self.segment_name(link.segment_id).await?;
                format!(
                    "Flag state / Remote config value updated for feature '{name}' and segment '{segment}'"
                )
            }
            StateOwner::Identity { identifier, .. } => format!(
                "Flag state / Remote config value updated for feature '{name}' and identity '{identifier}'"
            ),
        })
    }

    async fn words_for_value(
        &self,
        feature: &Feature,
        state: &FeatureState,
    ) -> ServiceResult<String> {
        let name = &feature.name;
        Ok(match &state.owner {
            StateOwner::Environment => format!("Remote config value updated for feature: {name}"),
            StateOwner::Segment(link) => {
                let segment = self.segment_name(link.segment_id).await?;
                format!(
                    "Remote config updated for segment override on feature '{name}' and segment '{segment}'."
                )
            }
            StateOwner::Identity { identifier, .. } => format!(
                "Remote config value updated for identity override on feature '{name}' and identity '{identifier}'."
            ),
        })
    }

    async fn segment_name(&self, id: SegmentId) -> ServiceResult<String> {
        let mut titles = self.store().segment_titles(&[id]).await?;
        let title = titles.remove(&id);
        Ok(title.map_or_else(String::new, |title| title.name))
    }
}

/// Whose state an entry tells of.
fn about(told: Told, state: &FeatureState) -> Told {
    let told = told.of_feature(state.feature_id);
    match &state.owner {
        StateOwner::Environment => told,
        StateOwner::Segment(link) => told.of_segment(link.segment_id),
        StateOwner::Identity { id, .. } => told.of_identity(*id),
    }
}

/// True for percentages that are not the same, as they are stored.
fn differs(before: f64, after: f64) -> bool {
    before.to_bits() != after.to_bits()
}
