//! The links that say for which segments a feature is overridden in an environment, and in which order they count.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::override_order::{close_gap, priority_after, reordered, write_order};
use crate::segment_overrides::OVERRIDE_LIMIT;
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentId, EnvironmentPermission, FeatureId, FeatureSegment, FeatureSegmentId,
    ProjectPermission, SegmentId,
};
use flagstaff_store::{NewFeatureSegment, SegmentTitle};
use std::collections::HashSet;
use uuid::Uuid;

/// A link with what is shown of its segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSegmentView {
    /// The link.
    pub link: FeatureSegment,
    /// The segment's name.
    pub segment_name: String,
    /// True where the segment belongs to one feature.
    pub is_feature_specific: bool,
}

/// A link to be made, or what one is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureSegmentRequest {
    /// The feature.
    pub feature_id: FeatureId,
    /// For whom it is overridden.
    pub segment_id: SegmentId,
}

/// What of a link a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeatureSegmentPatch {
    /// Must be the one it has.
    pub feature_id: Option<FeatureId>,
    /// For whom the feature is overridden.
    pub segment_id: Option<SegmentId>,
    /// Must be the one it is in.
    pub environment_id: Option<EnvironmentId>,
}

impl Service {
    /// The live links of a feature in an environment, strongest first; none where the caller may not look.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_segments(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        feature: FeatureId,
    ) -> ServiceResult<Vec<FeatureSegmentView>> {
        let viewing = EnvironmentPermission::ViewEnvironment;
        let place = match self.environment_by_id(caller, environment, viewing).await {
            Err(ServiceError::NotFound { .. }) => return Ok(Vec::new()),
            other => other?,
        };
        let links = self
            .store()
            .feature_segments(place.environment.id, feature, self.now_in(&place))
            .await?;
        self.link_views(links).await
    }

    /// One link.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] unless the caller may see its project, [`ServiceError::Forbidden`] unless they may
    /// manage segment overrides.
    pub async fn feature_segment(
        &self,
        caller: &Caller,
        id: FeatureSegmentId,
    ) -> ServiceResult<FeatureSegmentView> {
        let (_, link) = self.managed_link(caller, id).await?;
        self.link_view(link).await
    }

    /// One link by its stable id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] unless the caller may see its project.
    pub async fn feature_segment_by_uuid(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> ServiceResult<FeatureSegmentView> {
        let noun = Noun::FeatureSegment;
        let link = self.store().feature_segment_by_uuid(uuid).await?;
        let link = link.ok_or(ServiceError::NotFound { noun })?;
        let environment = self.store().environment(link.environment_id).await?;
        let environment = environment.ok_or(ServiceError::NotFound { noun })?;
        self.project_for(
            caller,
            environment.project_id,
            ProjectPermission::ViewProject,
        )
        .await
        .map_err(|error| error.about(noun))?;
        self.link_view(link).await
    }

    /// Links a feature to a segment, behind its other links: the first of two steps to an override.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller may manage segment overrides in an environment that is there; a
    /// feature or segment that is unknown, or a segment of another feature.
    pub async fn create_feature_segment(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        request: FeatureSegmentRequest,
    ) -> ServiceResult<FeatureSegment> {
        let place = self.place_for_overrides(caller, environment).await?;
        let feature = self.feature_in(&place.project, request.feature_id).await;
        let feature = feature.map_err(|error| unknown(error, "feature", request.feature_id))?;
        self.check_segment(&place, &feature, request.segment_id)
            .await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        self.require_direct_changes(&place).await?;
        let guard = self.rollout_guard(environment, feature.id).await?;
        guard.check_override(request.segment_id)?;
        let mut links = self
            .store()
            .feature_segments(environment, feature.id, self.now_in(&place))
            .await?;
        links.retain(|link| !guard.manages(link.segment_id));
        if links.len() >= OVERRIDE_LIMIT {
            let problem = Problem::OverridesExceed;
            return Err(ServiceError::invalid("environment", problem));
        }
        let new = NewFeatureSegment {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            segment_id: request.segment_id,
            environment_id: environment,
            priority: Some(priority_after(&links)),
        };
        let link = write
            .insert_feature_segment(&new, self.clock().now())
            .await?;
        let view = self.link_view(link.clone()).await?;
        let told = Told::created(Noun::FeatureSegment, link.id.get(), link.uuid)
            .of_feature(link.feature_id)
            .of_segment(link.segment_id);
        let told = told.saying(format!(
            "Segment override prepared for feature '{}' and segment '{}'",
            feature.name, view.segment_name
        ));
        self.finish(write, Some(caller), place.subject(), told)
            .await?;
        Ok(link)
    }

    /// Changes for whom an override is.
    ///
    /// # Errors
    /// As [`Service::feature_segment`]; another feature or environment than it has; a segment that is unknown or
    /// belongs to another feature.
    pub async fn update_feature_segment(
        &self,
        caller: &Caller,
        id: FeatureSegmentId,
        patch: FeatureSegmentPatch,
    ) -> ServiceResult<FeatureSegment> {
        self.managed_link(caller, id).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, mut link) = self.managed_link(caller, id).await?;
        self.require_direct_changes(&place).await?;
        if patch.feature_id.is_some_and(|id| id != link.feature_id) {
            return Err(ServiceError::invalid("feature", Problem::Fixed));
        }
        let environment = place.environment.id;
        if patch.environment_id.is_some_and(|id| id != environment) {
            return Err(ServiceError::invalid("environment", Problem::Fixed));
        }
        let feature = self.feature_in(&place.project, link.feature_id).await?;
        let guard = self.rollout_guard(environment, feature.id).await?;
        guard.check_override(link.segment_id)?;
        if let Some(segment) = patch.segment_id {
            self.check_segment(&place, &feature, segment).await?;
            guard.check_override(segment)?;
            link.segment_id = segment;
        }
        write.update_feature_segment(&link).await?;
        let view = self.link_view(link.clone()).await?;
        let told = Told::updated(Noun::FeatureSegment, link.id.get(), link.uuid)
            .of_feature(link.feature_id)
            .of_segment(link.segment_id);
        let told = told.saying(format!(
            "Segment override of feature '{}' is for segment '{}' now",
            feature.name, view.segment_name
        ));
        self.finish(write, Some(caller), place.subject(), told)
            .await?;
        Ok(link)
    }

    /// Takes a segment override away: the link and its state. Weaker ones move up.
    ///
    /// # Errors
    /// As [`Service::feature_segment`].
    pub async fn delete_feature_segment(
        &self,
        caller: &Caller,
        id: FeatureSegmentId,
    ) -> ServiceResult<()> {
        self.managed_link(caller, id).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, link) = self.managed_link(caller, id).await?;
        self.require_direct_changes(&place).await?;
        let feature = self.feature_in(&place.project, link.feature_id).await?;
        let guard = self.rollout_guard(place.environment.id, feature.id).await?;
        guard.check_override(link.segment_id)?;
        write
            .delete_feature_segment(link.id, self.clock().now())
            .await?;
        let before = self.links_beside(&place, &link).await?;
        let mut after = before.clone();
        close_gap(&mut after, &link);
        write_order(&mut write, &before, &after).await?;
        let told = self
            .told_of_deleted_override(&feature, link.segment_id)
            .await?;
        self.finish(write, Some(caller), place.subject(), told)
            .await
    }

    /// Reorders the links of one feature in one environment; those that are not named give way. Answers the named
    /// ones, in the order they had.
    ///
    /// # Errors
    /// Ids that are unknown, or of several features or environments; [`ServiceError::Forbidden`] unless the caller may
    /// manage segment overrides.
    pub async fn update_priorities(
        &self,
        caller: &Caller,
        priorities: &[(FeatureSegmentId, i64)],
    ) -> ServiceResult<Vec<FeatureSegmentView>> {
        if priorities.is_empty() {
            return Ok(Vec::new());
        }
        self.links_to_reorder(caller, priorities).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, before) = self.links_to_reorder(caller, priorities).await?;
        self.require_direct_changes(&place).await?;
        let after = reordered(&before, priorities);
        if after != before
            && let Some(link) = after.first()
        {
            let guard = self.rollout_guard(place.environment.id, link.feature_id);
            guard.await?.check_order(&before, &after)?;
            write_order(&mut write, &before, &after).await?;
            let feature = self.feature_in(&place.project, link.feature_id).await?;
            let told =
                Told::updated(Noun::Feature, feature.id.get(), feature.uuid).saying(format!(
                    "Segment overrides re-ordered for feature '{}'.",
                    feature.name
                ));
            self.finish(write, Some(caller), place.subject(), told)
                .await?;
        }
        let named: HashSet<FeatureSegmentId> = priorities.iter().map(|(id, _)| *id).collect();
        let is_named = |link: &FeatureSegment| named.contains(&link.id);
        self.link_views(after.into_iter().filter(is_named).collect())
            .await
    }

    /// All links of the feature and the environment that the named ones belong to.
    async fn links_to_reorder(
        &self,
        caller: &Caller,
        priorities: &[(FeatureSegmentId, i64)],
    ) -> ServiceResult<(EnvironmentPlace, Vec<FeatureSegment>)> {
        let missing = || ServiceError::invalid("id", Problem::SomeIdsUnknown);
        let mut found: Option<(EnvironmentPlace, Vec<FeatureSegment>)> = None;
        let (mut known, mut seen) = (HashSet::new(), HashSet::new());
        for (id, _) in priorities {
            if !seen.insert(*id) {
                return Err(missing());
            }
            if known.contains(id) {
                continue;
            }
            let (place, link) = match self.managed_link(caller, *id).await {
                Err(ServiceError::NotFound { .. }) => return Err(missing()),
                other => other?,
            };
            if found.is_some() {
                return Err(ServiceError::invalid("id", Problem::SeveralFeatures));
            }
            let links = self.links_beside(&place, &link).await?;
            known.extend(links.iter().map(|link| link.id));
            found = Some((place, links));
        }
        found.ok_or_else(missing)
    }

    /// A link whose environment's overrides the caller manages.
    async fn managed_link(
        &self,
        caller: &Caller,
        id: FeatureSegmentId,
    ) -> ServiceResult<(EnvironmentPlace, FeatureSegment)> {
        let noun = Noun::FeatureSegment;
        let link = self.store().feature_segment(id).await?;
        let link = link.ok_or(ServiceError::NotFound { noun })?;
        let managing = EnvironmentPermission::ManageSegmentOverrides;
        let place = self
            .environment_by_id(caller, link.environment_id, managing)
            .await
            .map_err(|error| error.about(noun))?;
        Ok((place, link))
    }

    /// An environment in which the caller manages segment overrides; forbidden too where it is not there.
    async fn place_for_overrides(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
    ) -> ServiceResult<EnvironmentPlace> {
        let managing = EnvironmentPermission::ManageSegmentOverrides;
        let place = self.environment_by_id(caller, environment, managing).await;
        place.map_err(ServiceError::hidden)
    }

    /// The links that stand in one order with this one, itself among them.
    async fn links_beside(
        &self,
        place: &EnvironmentPlace,
        link: &FeatureSegment,
    ) -> ServiceResult<Vec<FeatureSegment>> {
        let mut links = self
            .store()
            .feature_segments(link.environment_id, link.feature_id, self.now_in(place))
            .await?;
        // The override of a rollout stands behind all others; one that is asked for is there all the same.
        let guard = self
            .rollout_guard(link.environment_id, link.feature_id)
            .await?;
        links.retain(|each| !guard.manages(each.segment_id) || each.id == link.id);
        Ok(links)
    }

    async fn link_view(&self, link: FeatureSegment) -> ServiceResult<FeatureSegmentView> {
        let mut views = self.link_views(vec![link]).await?;
        views.pop().ok_or(ServiceError::NotFound {
            noun: Noun::FeatureSegment,
        })
    }

    async fn link_views(
        &self,
        links: Vec<FeatureSegment>,
    ) -> ServiceResult<Vec<FeatureSegmentView>> {
        let segments: Vec<SegmentId> = links.iter().map(|link| link.segment_id).collect();
        let titles = self.store().segment_titles(&segments).await?;
        let view = |link: FeatureSegment| {
            let SegmentTitle { name, feature_id } = titles.get(&link.segment_id)?;
            Some(FeatureSegmentView {
                segment_name: name.clone(),
                is_feature_specific: feature_id.is_some(),
                link,
            })
        };
        Ok(links.into_iter().filter_map(view).collect())
    }
}

/// A row that a field names and that is not there is a problem of the field.
fn unknown(error: ServiceError, field: &'static str, id: FeatureId) -> ServiceError {
    match error {
        ServiceError::NotFound { .. } => ServiceError::invalid(field, Problem::UnknownId(id.get())),
        other => other,
    }
}
