//! Versions of features: drafts, publishing now or at a time, and what goes before.

use crate::change::{Subject, Told};
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult, VersioningProblem};
use crate::feature_states::StatePatch;
use crate::segment_overrides::SegmentOverrideRequest;
use crate::text_rules::{VALUE_LIMIT, check_optional};
use crate::version_edits::{StateEdit, carry_out};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentId, EnvironmentPermission, Feature, FeatureId, FeatureVersion, SegmentId, Timestamp,
};
use flagstaff_store::{NewFeatureVersion, Page, PageRequest, VersionFilter, Write};
use uuid::Uuid;

/// Where a version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionPlace {
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The feature.
    pub feature_id: FeatureId,
}

/// A version that is to be made: it takes over what is live at its time, and changes that.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VersionPlan {
    /// Free text.
    pub description: Option<String>,
    /// When it is to become true; `None`, or what has passed: as soon as it is published.
    pub live_from: Option<Timestamp>,
    /// Overrides it adds.
    pub created: Vec<SegmentOverrideRequest>,
    /// States it changes.
    pub updated: Vec<VersionUpdate>,
    /// Segments whose overrides it takes away.
    pub deleted: Vec<SegmentId>,
    /// Published at once, instead of a draft.
    pub is_published: bool,
}

/// A state that a version changes.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionUpdate {
    /// The override for this segment; `None` is the environment's default.
    pub segment_id: Option<SegmentId>,
    /// A new priority of the override.
    pub priority: Option<i64>,
    /// What changes.
    pub patch: StatePatch,
}

/// A version as of now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionView {
    /// The version.
    pub version: FeatureVersion,
    /// True once its time has come, also when a later version has replaced it.
    pub is_live: bool,
}

/// A version under way, still without anybody who sees it.
pub(crate) struct Draft<'a> {
    pub(crate) version: FeatureVersion,
    pub(crate) edit: StateEdit<'a>,
}

impl Service {
    /// Versions of a feature in an environment.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a feature or an environment that does not exist for the caller.
    pub async fn feature_versions(
        &self,
        caller: &Caller,
        place: VersionPlace,
        filter: VersionFilter,
        page: PageRequest,
    ) -> ServiceResult<Page<VersionView>> {
        let (place, feature) = self
            .version_place(caller, place, EnvironmentPermission::ViewEnvironment)
            .await?;
        let now = self.now_in(&place);
        let found = self
            .store()
            .feature_versions(place.environment.id, feature.id, filter, now, page)
            .await?;
        let items = found.items.into_iter();
        Ok(Page {
            items: items.map(|version| view(version, now)).collect(),
            total: found.total,
        })
    }

    /// A version wherever it is, and the stable id of the one that goes before it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for a version that does not exist for the caller.
    pub async fn feature_version(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> ServiceResult<(VersionView, Option<Uuid>)> {
        let missing = || ServiceError::NotFound {
            noun: Noun::FeatureVersion,
        };
        let version = self.store().feature_version(uuid).await?;
        let version = version.ok_or_else(missing)?;
        let environment = self.store().environment(version.environment_id).await?;
        let place = self
            .place_for(
                caller,
                environment.ok_or_else(missing)?,
                EnvironmentPermission::ViewEnvironment,
            )
            .await
            .map_err(|error| match error {
                ServiceError::NotFound { .. } => missing(),
                other => other,
            })?;
        let now = self.now_in(&place);
        let previous = self.store().previous_feature_version(&version, now).await?;
        Ok((view(version, now), previous.map(|previous| previous.uuid)))
    }

    /// Makes a version of a feature: a draft, or one that is published at once.
    ///
    /// # Errors
    /// As [`Service::feature_versions`]; [`VersioningProblem::NoVersions`] where the environment is changed directly;
    /// overrides that are there already or missing; invalid values or weights.
    pub async fn create_feature_version(
        &self,
        caller: &Caller,
        place: VersionPlace,
        plan: VersionPlan,
    ) -> ServiceResult<VersionView> {
        check_optional("description", plan.description.as_deref(), VALUE_LIMIT)?;
        let (place, feature) = self
            .version_place(caller, place, EnvironmentPermission::UpdateFeatureState)
            .await?;
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = self.place_now(&place).await?;
        if !place.environment.use_v2_feature_versioning {
            return Err(ServiceError::Versioning(VersioningProblem::NoVersions));
        }
        let mut draft = self
            .begin_version(caller, write, (&place, &feature), &plan)
            .await?;
        let is_published = plan.is_published;
        carry_out(&mut draft.edit, plan).await?;
        if is_published {
            let place = (&place, &feature);
            return self.publish_draft(caller, place, draft, Vec::new()).await;
        }
        let told = told(
            Told::created,
            &draft.version,
            "Draft version created",
            &feature,
        );
        self.finish(
            draft.edit.write,
            Some(caller),
            place.subject().unseen(),
            told,
        )
        .await?;
        Ok(view(draft.version, self.now_in(&place)))
    }

    /// Publishes a version: it becomes true at `live_from`, at the time it was made for, or else now. A time that has
    /// passed is now. What is published already can be published again, and with another time as long as its own has
    /// not come.
    ///
    /// # Errors
    /// As [`Service::feature_versions`]; [`ServiceError::NotFound`] for an unknown version;
    /// [`VersioningProblem::PutOff`] when a live version is to become true later.
    pub async fn publish_feature_version(
        &self,
        caller: &Caller,
        place: VersionPlace,
        uuid: Uuid,
        live_from: Option<Timestamp>,
    ) -> ServiceResult<VersionView> {
        let (place, feature) = self
            .version_place(caller, place, EnvironmentPermission::UpdateFeatureState)
            .await?;
        // In turn from here: what is read now is what the change is made to.
        let write = self.store().write().await?;
        let place = self.place_now(&place).await?;
        let mut version = self.version_in(&place, &feature, uuid).await?;
        let now = self.now_in(&place);
        if version.is_live(now) {
            if live_from.is_some_and(|live_from| live_from > now) {
                return Err(ServiceError::Versioning(VersioningProblem::PutOff));
            }
        } else {
            version.live_from = live_from.or(version.live_from);
            self.settle_time(&mut version, now).await?;
        }
        let guard = self.rollout_guard(place.environment.id, feature.id).await?;
        guard.check_version(&self.store().feature_version_states(version.id).await?)?;
        self.write_published(caller, (&place, &feature), version, (write, Vec::new()))
            .await
    }

    /// Deletes a draft, or a published version whose time has not come.
    ///
    /// # Errors
    /// As [`Service::publish_feature_version`], with [`VersioningProblem::Live`] once its time has come.
    pub async fn delete_feature_version(
        &self,
        caller: &Caller,
        place: VersionPlace,
        uuid: Uuid,
    ) -> ServiceResult<()> {
        let (place, feature) = self
            .version_place(caller, place, EnvironmentPermission::UpdateFeatureState)
            .await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let version = self.version_in(&place, &feature, uuid).await?;
        let now = self.now_in(&self.place_now(&place).await?);
        if version.is_live(now) {
            return Err(ServiceError::Versioning(VersioningProblem::Live));
        }
        write.delete_feature_version(version.id, now).await?;
        let told = told(Told::deleted, &version, "Version deleted", &feature);
        let subject = subject_of(&place, &version);
        self.finish(write, Some(caller), subject, told).await
    }

    /// Begins a version with what is live at its time.
    pub(crate) async fn begin_version<'a>(
        &'a self,
        caller: &Caller,
        mut write: Write,
        (place, feature): (&'a EnvironmentPlace, &'a Feature),
        plan: &VersionPlan,
    ) -> ServiceResult<Draft<'a>> {
        let now = self.now_in(place);
        let environment_id = place.environment.id;
        let time = plan.live_from.map_or(now, |live_from| live_from.max(now));
        let before = self
            .store()
            .live_feature_version(environment_id, feature.id, time)
            .await?;
        let states = match before {
            Some(before) => self.store().feature_version_states(before.id).await?,
            None => Vec::new(),
        };
        let new = NewFeatureVersion {
            uuid: Uuid::new_v4(),
            environment_id,
            feature_id: feature.id,
            description: plan.description.clone(),
            created_by: caller.member().map(|member| member.id),
            live_from: plan.live_from,
            is_published: false,
        };
        let version = write.insert_feature_version(&new, now).await?;
        let states = write.copy_states(&states, &version, now).await?;
        let known = version.clone();
        let edit = StateEdit::of_version(self, write, (place, feature), known, states).await?;
        Ok(Draft { version, edit })
    }

    /// Publishes a version that was made in the same turn.
    pub(crate) async fn publish_draft(
        &self,
        caller: &Caller,
        (place, feature): (&EnvironmentPlace, &Feature),
        draft: Draft<'_>,
        more: Vec<Told>,
    ) -> ServiceResult<VersionView> {
        let mut version = draft.version;
        self.settle_time(&mut version, self.now_in(place)).await?;
        let write = draft.edit.write;
        self.write_published(caller, (place, feature), version, (write, more))
            .await
    }

    /// Gives a version that is to be published now a time right behind that of the live one, however clocks of nodes
    /// differ; a time to come stays.
    async fn settle_time(&self, version: &mut FeatureVersion, now: Timestamp) -> ServiceResult<()> {
        if version.live_from.is_some_and(|live_from| live_from > now) {
            return Ok(());
        }
        let live = self
            .store()
            .live_feature_version(version.environment_id, version.feature_id, now)
            .await?;
        let last = live.and_then(|live| live.live_from);
        version.live_from = Some(last.map_or(now, |last| now.after(last)));
        Ok(())
    }

    async fn write_published(
        &self,
        caller: &Caller,
        (place, feature): (&EnvironmentPlace, &Feature),
        mut version: FeatureVersion,
        (mut write, mut more): (Write, Vec<Told>),
    ) -> ServiceResult<VersionView> {
        let now = self.now_in(place);
        version.published_at = Some(now);
        version.published_by = caller.member().map(|member| member.id);
        version.updated_at = now.after(version.updated_at);
        write.update_feature_version(&version).await?;
        let summary = "New version published";
        more.push(told(Told::updated, &version, summary, feature));
        self.finish_all(write, Some(caller), place.subject(), more)
            .await?;
        let now = self.now_in(&self.place_now(place).await?);
        Ok(view(version, now))
    }

    /// The environment and the feature that hold versions.
    pub(crate) async fn version_place(
        &self,
        caller: &Caller,
        place: VersionPlace,
        permission: EnvironmentPermission,
    ) -> ServiceResult<(EnvironmentPlace, Feature)> {
        let environment = self.store().environment(place.environment_id).await?;
        let environment = environment.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        let found = self.place_for(caller, environment, permission).await?;
        let feature = self.feature_in(&found.project, place.feature_id).await?;
        Ok((found, feature))
    }

    /// A version of a feature in an environment.
    pub(crate) async fn version_in(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        uuid: Uuid,
    ) -> ServiceResult<FeatureVersion> {
        let version = self.store().feature_version(uuid).await?;
        let version = version.filter(|version| {
            version.environment_id == place.environment.id && version.feature_id == feature.id
        });
        version.ok_or(ServiceError::NotFound {
            noun: Noun::FeatureVersion,
        })
    }
}

fn view(version: FeatureVersion, now: Timestamp) -> VersionView {
    VersionView {
        is_live: version.is_live(now),
        version,
    }
}

/// What of a version is told in the audit log.
pub(crate) fn told(
    done: fn(Noun, i64, Uuid) -> Told,
    version: &FeatureVersion,
    summary: &str,
    feature: &Feature,
) -> Told {
    let said = format!("{summary} for feature: {}", feature.name);
    let told = done(Noun::FeatureVersion, version.id.get(), version.uuid);
    told.saying(said).of_feature(feature.id)
}

/// Drafts are seen by nobody; a version that is published has its place in the schedule.
fn subject_of(place: &EnvironmentPlace, version: &FeatureVersion) -> Subject {
    if version.is_published() {
        place.subject()
    } else {
        place.subject().unseen()
    }
}
