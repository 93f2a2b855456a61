//! Features.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::projects::whole_name_pattern;
use crate::state_values::check_value;
use crate::text_rules::{VALUE_LIMIT, check_optional, check_text};
use crate::weights::check_percentages;
use crate::{Caller, Service};
use flagstaff_core::{
    Environment, Feature, FeatureId, FeatureKind, FeatureName, FeatureState, InvalidName, Member,
    MultivariateOption, Project, ProjectId, StateValue,
};
use flagstaff_store::{NewFeature, NewOption};
use uuid::Uuid;

/// Features a project may hold.
pub const FEATURE_LIMIT: i64 = 10_000;
/// Options a feature may have.
const OPTION_LIMIT: usize = 200;

/// An option to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct OptionRequest {
    /// Its name, up to 255 characters; `control` is reserved.
    pub key: Option<String>,
    /// Its value.
    pub value: StateValue,
    /// Percent, 0 to 100.
    pub default_percentage_allocation: f64,
}

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
    /// With options it is multivariate.
    pub options: Vec<OptionRequest>,
    /// Multivariate even without options.
    pub kind: FeatureKind,
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
}

/// A feature with what is shown beside it.
#[derive(Debug, Clone)]
pub struct FeatureView {
    /// The feature.
    pub feature: Feature,
    /// Its options, in order of their ids.
    pub options: Vec<MultivariateOption>,
    /// Who looks after it.
    pub owners: Vec<Member>,
    /// Segment overrides, in the environment asked for or in all.
    pub segment_overrides: i64,
    /// Identity overrides in the environment asked for.
    pub identity_overrides: Option<i64>,
    /// Its default in the environment asked for.
    pub state: Option<FeatureState>,
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
        self.feature_view(feature, None).await
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
        let project = self.visible_project(caller, project).await?;
        let feature = self.insert_feature(Some(caller), &project, request).await?;
        self.feature_view(feature, None).await
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
        check_options(&request.options)?;
        if self.store().count_features(project.id).await? >= FEATURE_LIMIT {
            let problem = Problem::OutOfRange {
                min: 0,
                max: FEATURE_LIMIT,
            };
            return Err(ServiceError::invalid("features", problem));
        }
        let (enabled, value) = if project.prevent_flag_defaults {
            (false, StateValue::default())
        } else {
            let value = StateValue::typed_by_content(request.initial_value.as_deref());
            (request.default_enabled, value)
        };
        let options = request.options.iter().map(|option| NewOption {
            id: None,
            uuid: Uuid::new_v4(),
            key: option.key.clone(),
            value: option.value.clone(),
            default_percentage_allocation: option.default_percentage_allocation,
        });
        let options: Vec<_> = options.collect();
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
            options,
            owners: caller
                .and_then(Caller::member)
                .map(|member| member.id)
                .into_iter()
                .collect(),
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
        let project = self.visible_project(caller, project).await?;
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
        write.update_feature(&feature).await?;
        let subject = Subject::project(project.organisation_id, project.id);
        let told = Told::updated(Noun::Feature, id.get(), feature.uuid)
            .saying(format!("Flag / Remote Config updated: {}", feature.name));
        self.finish(write, Some(caller), subject, told).await?;
        self.feature_view(feature, None).await
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
        let project = self.visible_project(caller, project).await?;
        let feature = self.feature_in(&project, id).await?;
        let mut write = self.store().write().await?;
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

    pub(crate) async fn feature_view(
        &self,
        feature: Feature,
        environment: Option<&Environment>,
    ) -> ServiceResult<FeatureView> {
        let options = self.store().options(feature.id).await?;
        let owners = self.store().feature_owners(feature.id).await?;
        let environment_id = environment.map(|environment| environment.id);
        let overrides = self
            .store()
            .count_overrides(feature.id, environment_id)
            .await?;
        let state = match environment_id {
            Some(id) => {
                self.store()
                    .default_state(id, feature.id, self.clock().now())
                    .await?
            }
            None => None,
        };
        Ok(FeatureView {
            feature,
            options,
            owners,
            segment_overrides: overrides.segments,
            identity_overrides: environment_id.map(|_| overrides.identities),
            state,
        })
    }
}

fn checked_name(project: &Project, text: &str) -> ServiceResult<FeatureName> {
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

fn check_options(options: &[OptionRequest]) -> ServiceResult<()> {
    if options.len() > OPTION_LIMIT {
        let max = i64::try_from(OPTION_LIMIT).unwrap_or(i64::MAX);
        let problem = Problem::OutOfRange { min: 0, max };
        return Err(ServiceError::invalid("multivariate_options", problem));
    }
    let mut keys = std::collections::HashSet::new();
    for option in options {
        check_value(&option.value)?;
        let Some(key) = &option.key else {
            continue;
        };
        check_text("key", key, 255)?;
        if key == "control" {
            return Err(ServiceError::invalid("key", Problem::ReservedVariantKey));
        }
        if !keys.insert(key) {
            return Err(ServiceError::invalid("key", Problem::DuplicateVariantKey));
        }
    }
    let percentages = options
        .iter()
        .map(|option| option.default_percentage_allocation);
    check_percentages("multivariate_options", percentages)
}
