//! Features.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_views::FeatureView;
use crate::multivariate_options::{OptionRequest, check_options};
use crate::projects::whole_name_pattern;
use crate::state_values::check_value_of;
use crate::text_rules::{VALUE_LIMIT, check_optional};
use crate::{Caller, Service};
use flagstaff_core::{
    Environment, Feature, FeatureId, FeatureKind, FeatureName, Hash, InvalidName, MemberId,
    Project, ProjectId, ProjectPermission, StateValue, TagId, Timestamp, ValueType,
};
use flagstaff_store::{NewFeature, NewOption};
use uuid::Uuid;

/// Features a project may hold.
pub const FEATURE_LIMIT: i64 = 10_000;

/// A feature to be made.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FeatureRequest {
    /// 1 to 2,000 characters, unique in the project without regard to case.
    pub name: String,
    /// Whether it starts enabled.
    pub default_enabled: bool,
    /// What it starts with; typed by its content.
    pub initial_value: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Archived from the start.
    pub is_archived: bool,
    /// Never shown to a client-side key.
    pub is_server_key_only: bool,
    /// What places identities among its variants; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// What kind of values it has.
    pub value_type: ValueType,
    /// The day by which it is expected to be gone from the code: any time of it, UTC.
    pub expected_removal: Option<Timestamp>,
    /// With options it is multivariate.
    pub options: Vec<OptionRequest>,
    /// Multivariate even without options.
    pub kind: FeatureKind,
    /// What it is sorted by.
    pub tags: Vec<TagId>,
    /// Who looks after it; whoever makes it, when `None`.
    pub owners: Option<Vec<MemberId>>,
}

/// What of a feature a person may change; name, type and initial value are fixed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeaturePatch {
    /// Free text; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Whether dashboards hide it.
    pub is_archived: Option<bool>,
    /// Whether client-side keys see it.
    pub is_server_key_only: Option<bool>,
    /// What places identities among its variants; `Some(None)`: as the environment has it.
    pub hash: Option<Option<Hash>>,
    /// What kind of values it has: all that it has now must be of this kind.
    pub value_type: Option<ValueType>,
    /// The day by which it is expected to be gone from the code: any time of it, UTC; `Some(None)` takes it away.
    pub expected_removal: Option<Option<Timestamp>>,
    /// What it is sorted by; those not named are taken away.
    pub tags: Option<Vec<TagId>>,
}

impl Service {
    /// One feature.
    ///
    /// # Errors
    /// As [`Service::project`], and [`ServiceError::NotFound`] when the project has no such feature.
    pub async fn feature(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: FeatureId,
    ) -> ServiceResult<FeatureView> {
        let project = self.visible_project(caller, project).await?;
        let feature = self.feature_in(&project, id).await?;
        self.feature_view(feature).await
    }

    /// One feature, by its stable id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is none, or it is somebody else's.
    pub async fn feature_by_uuid(&self, caller: &Caller, uuid: Uuid) -> ServiceResult<FeatureView> {
        let noun = Noun::Feature;
        let missing = || ServiceError::NotFound { noun };
        let feature = self.store().feature_by_uuid(uuid).await?;
        let feature = feature.ok_or_else(missing)?;
        let project = self.visible_project(caller, feature.project_id).await;
        match project {
            Ok(_) => self.feature_view(feature).await,
            // The project is no news to who asks for a feature: it is this that is not there.
            Err(ServiceError::NotFound { .. }) => Err(missing()),
            Err(other) => Err(other),
        }
    }

    /// Makes a feature, with a default state in every environment of the project.
    ///
    /// # Errors
    /// As [`Service::project`], invalid fields, and [`ServiceError::Conflict`] for a taken name.
    pub async fn create_feature(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: FeatureRequest,
    ) -> ServiceResult<FeatureView> {
        let project = self
            .project_for(caller, project, ProjectPermission::CreateFeature)
            .await?;
        let feature = self.insert_feature(Some(caller), &project, request).await?;
        self.feature_view(feature).await
    }

    pub(crate) async fn insert_feature(
        &self,
        caller: Option<&Caller>,
        project: &Project,
        request: FeatureRequest,
    ) -> ServiceResult<Feature> {
        let name = checked_name(project, &request.name)?;
        check_optional(
            "initial_value",
            request.initial_value.as_deref(),
            VALUE_LIMIT,
        )?;
        check_optional("description", request.description.as_deref(), VALUE_LIMIT)?;
        check_options(&request.options, name.as_str(), request.value_type)?;
        if self.store().count_features(project.id).await? >= FEATURE_LIMIT {
            let problem = Problem::OutOfRange {
                min: 0,
                max: FEATURE_LIMIT,
            };
            return Err(ServiceError::invalid("features", problem));
        }
        self.check_tags("tags", project, &request.tags).await?;
        let owners = self.first_owners(caller, project, request.owners).await?;
        let (enabled, value) = if project.prevent_flag_defaults {
            (false, StateValue::default())
        } else {
            let value = StateValue::typed_by_content(request.initial_value.as_deref());
            check_value_of(name.as_str(), request.value_type, &value)?;
            (request.default_enabled, value)
        };
        let options: Vec<_> = request.options.into_iter().map(NewOption::from).collect();
        let is_multivariate = !options.is_empty() || request.kind == FeatureKind::Multivariate;
        let new_feature = NewFeature {
            id: None,
            uuid: Uuid::new_v4(),
            project_id: project.id,
            name,
            kind: if is_multivariate {
                FeatureKind::Multivariate
            } else {
                FeatureKind::Standard
            },
            default_enabled: request.default_enabled,
            initial_value: request.initial_value,
            description: request.description,
            is_archived: request.is_archived,
            is_server_key_only: request.is_server_key_only,
            hash: request.hash,
            value_type: request.value_type,
            expected_removal: request.expected_removal.map(Timestamp::start_of_day),
            options,
            owners,
            tags: request.tags,
        };
        let mut write = self.store().write().await?;
        let now = self.clock().now();
        let feature = write.insert_feature(&new_feature, now).await?;
        write.start_feature(&feature, enabled, &value, now).await?;
        let subject = Subject::project(project.organisation_id, project.id);
        let told = Told::created(Noun::Feature, feature.id.get(), feature.uuid).saying(format!(
            "New Flag / Remote Config created: {}",
            feature.name
        ));
        self.finish(write, caller, subject, told).await?;
        Ok(feature)
    }

    /// Changes a feature.
    ///
    /// # Errors
    /// As [`Service::feature`], and invalid fields.
    pub async fn update_feature(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: FeatureId,
        patch: FeaturePatch,
    ) -> ServiceResult<FeatureView> {
        let project = self
            .project_for(caller, project, ProjectPermission::CreateFeature)
            .await?;
        if let Some(value_type) = patch.value_type {
            let feature = self.feature_in(&project, id).await?;
            self.check_values_of(&feature, value_type).await?;
        }
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut feature = self.feature_in(&project, id).await?;
        if let Some(description) = patch.description {
            check_optional("description", description.as_deref(), VALUE_LIMIT)?;
            feature.description = description;
        }
        feature.is_archived = patch.is_archived.unwrap_or(feature.is_archived);
        feature.is_server_key_only = patch
            .is_server_key_only
            .unwrap_or(feature.is_server_key_only);
        feature.hash = patch.hash.unwrap_or(feature.hash);
        feature.value_type = patch.value_type.unwrap_or(feature.value_type);
        if let Some(day) = patch.expected_removal {
            feature.expected_removal = day.map(Timestamp::start_of_day);
        }
        write.update_feature(&feature).await?;
        if let Some(tags) = &patch.tags {
            self.check_tags("tags", &project, tags).await?;
            write.set_feature_tags(id, tags).await?;
        }
        let subject = Subject::project(project.organisation_id, project.id);
        let told = Told::updated(Noun::Feature, id.get(), feature.uuid)
            .saying(format!("Flag / Remote Config updated: {}", feature.name));
        self.finish(write, Some(caller), subject, told).await?;
        self.feature_view(feature).await
    }

    /// Checks that everything a feature serves now can be served with another type of values.
    async fn check_values_of(&self, feature: &Feature, value_type: ValueType) -> ServiceResult<()> {
        if value_type == feature.value_type {
            return Ok(());
        }
        let name = feature.name.as_str();
        for option in self.store().options(feature.id).await? {
            check_value_of(name, value_type, &option.value)?;
        }
        for environment in self.store().environments(feature.project_id).await? {
            let published = self.published(environment.id).await?;
            let snapshot = &published.snapshot;
            let defaults = snapshot.features.iter().map(|part| &part.state);
            let of_segments = snapshot.segments.iter().flat_map(|part| &part.overrides);
            let of_identities = snapshot.identities.iter().flat_map(|part| &part.states);
            for state in defaults.chain(of_segments).chain(of_identities) {
                if state.feature_id == feature.id {
                    check_value_of(name, value_type, &state.value)?;
                }
            }
        }
        Ok(())
    }

    /// Deletes a feature with its states and overrides.
    ///
    /// # Errors
    /// As [`Service::feature`].
    pub async fn delete_feature(
        &self,
        caller: &Caller,
        project: ProjectId,
        id: FeatureId,
    ) -> ServiceResult<()> {
        let project = self
            .project_for(caller, project, ProjectPermission::DeleteFeature)
            .await?;
        let feature = self.feature_in(&project, id).await?;
        let mut write = self.store().write().await?;
        self.require_no_rollout_of(id).await?;
        write.delete_feature(id, self.clock().now()).await?;
        let subject = Subject::project(project.organisation_id, project.id).with_all_identities();
        let told = Told::deleted(Noun::Feature, id.get(), feature.uuid)
            .saying(format!("Flag / Remote Config Deleted: {}", feature.name));
        self.finish(write, Some(caller), subject, told).await
    }

    pub(crate) async fn feature_in(
        &self,
        project: &Project,
        id: FeatureId,
    ) -> ServiceResult<Feature> {
        let feature = self.store().feature(id).await?;
        let feature = feature.filter(|feature| feature.project_id == project.id);
        feature.ok_or(ServiceError::NotFound {
            noun: Noun::Feature,
        })
    }

    pub(crate) async fn environment_in(
        &self,
        project: &Project,
        id: flagstaff_core::EnvironmentId,
    ) -> ServiceResult<Environment> {
        let environment = self.store().environment(id).await?;
        let environment = environment.filter(|found| found.project_id == project.id);
        environment.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })
    }
}

pub(crate) fn checked_name(project: &Project, text: &str) -> ServiceResult<FeatureName> {
    let refused = |problem| Err(ServiceError::invalid("name", problem));
    if text.trim().is_empty() {
        return refused(Problem::Blank);
    }
    if let Some(pattern) = &project.feature_name_regex {
        let matches = whole_name_pattern(pattern).is_none_or(|pattern| pattern.is_match(text));
        if !matches {
            return refused(Problem::NotMatching(pattern.clone()));
        }
    }
    match FeatureName::parse(text) {
        Ok(name) => Ok(name),
        Err(InvalidName::Empty) => refused(Problem::Blank),
        Err(InvalidName::TooLong { limit }) => refused(Problem::TooLong { limit }),
        Err(InvalidName::Nul) => refused(Problem::Nul),
    }
}
