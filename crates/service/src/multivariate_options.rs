//! Options of multivariate features.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_states::ValueChange;
use crate::state_values::check_value_of;
use crate::text_rules::check_text;
use crate::weights::check_percentages;
use crate::{Caller, Service};
use flagstaff_core::{
    Feature, FeatureId, FeatureKind, MultivariateOption, OptionId, Project, ProjectId,
    ProjectPermission, StateValue, ValueType,
};
use flagstaff_store::{NewOption, Write};
use std::collections::HashSet;
use uuid::Uuid;

/// Options a feature may have.
const OPTION_LIMIT: usize = 200;
/// Characters of a key.
const KEY_LIMIT: usize = 255;
/// Where a percentage that is too high stands.
const PERCENTAGE: &str = "default_percentage_allocation";

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

impl From<OptionRequest> for NewOption {
    fn from(request: OptionRequest) -> Self {
        Self {
            id: None,
            uuid: Uuid::new_v4(),
            key: request.key,
            value: request.value,
            default_percentage_allocation: request.default_percentage_allocation,
        }
    }
}

/// What of an option a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OptionPatch {
    /// Its name; `Some(None)` takes it away.
    pub key: Option<Option<String>>,
    /// Its value.
    pub value: Option<ValueChange>,
    /// Percent, 0 to 100; weights that states have already stay.
    pub default_percentage_allocation: Option<f64>,
}

impl Service {
    /// The options of a feature, in order of their ids.
    ///
    /// # Errors
    /// As [`Service::feature`].
    pub async fn options(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
    ) -> ServiceResult<Vec<MultivariateOption>> {
        let project = self.visible_project(caller, project).await?;
        let feature = self.feature_in(&project, feature).await?;
        Ok(self.store().options(feature.id).await?)
    }

    /// One option of a feature.
    ///
    /// # Errors
    /// As [`Service::feature`], and [`ServiceError::NotFound`] when the feature has no such option.
    pub async fn option(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        id: OptionId,
    ) -> ServiceResult<MultivariateOption> {
        let options = self.options(caller, project, feature).await?;
        option_among(options, id)
    }

    /// One option, by its stable id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is none, or it is somebody else's.
    pub async fn option_by_uuid(
        &self,
        caller: &Caller,
        uuid: Uuid,
    ) -> ServiceResult<MultivariateOption> {
        let noun = Noun::MultivariateOption;
        let missing = || ServiceError::NotFound { noun };
        let option = self.store().option_by_uuid(uuid).await?;
        let option = option.ok_or_else(missing)?;
        let feature = self.store().feature(option.feature_id).await?;
        let feature = feature.ok_or_else(missing)?;
        match self.visible_project(caller, feature.project_id).await {
            Ok(_) => Ok(option),
            Err(ServiceError::NotFound { .. }) => Err(missing()),
            Err(other) => Err(other),
        }
    }

    /// Makes an option. Every default of the feature gets its weight, and the feature is multivariate from now on.
    ///
    /// # Errors
    /// As [`Service::feature`], invalid fields, and a key that is taken.
    pub async fn create_option(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        request: OptionRequest,
    ) -> ServiceResult<MultivariateOption> {
        let project = self.project_of_options(caller, project).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let feature = self.feature_in(&project, feature).await?;
        self.require_no_rollout_of(feature.id).await?;
        let others = self.store().options(feature.id).await?;
        check_one(&request.key)?;
        check_value_of(feature.name.as_str(), feature.value_type, &request.value)?;
        check_beside(&others, request.default_percentage_allocation)?;
        let new = NewOption::from(request);
        let now = self.clock().now();
        let id = write.insert_option(feature.id, &new, now).await;
        let id = id.map_err(|error| taken_key(error.into()))?;
        let weight = new.default_percentage_allocation;
        write
            .weigh_option_in_defaults(feature.id, id, weight)
            .await?;
        let option = MultivariateOption {
            id,
            uuid: new.uuid,
            feature_id: feature.id,
            key: new.key,
            value: new.value,
            default_percentage_allocation: weight,
        };
        self.finish_options(
            write,
            caller,
            &project,
            feature,
            1 + others.len(),
            "added to",
        )
        .await?;
        Ok(option)
    }

    /// Changes an option.
    ///
    /// # Errors
    /// As [`Service::option`], invalid fields, and a key that is taken.
    pub async fn update_option(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        id: OptionId,
        patch: OptionPatch,
    ) -> ServiceResult<MultivariateOption> {
        let project = self.project_of_options(caller, project).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let feature = self.feature_in(&project, feature).await?;
        let mut others = self.store().options(feature.id).await?;
        let count = others.len();
        let mut option = option_among(others.clone(), id)?;
        others.retain(|other| other.id != id);
        option.key = patch.key.unwrap_or(option.key);
        if let Some(change) = patch.value {
            change.apply(&mut option.value);
        }
        option.default_percentage_allocation = patch
            .default_percentage_allocation
            .unwrap_or(option.default_percentage_allocation);
        check_one(&option.key)?;
        check_value_of(feature.name.as_str(), feature.value_type, &option.value)?;
        check_beside(&others, option.default_percentage_allocation)?;
        let updated = write.update_option(&option).await;
        updated.map_err(|error| taken_key(error.into()))?;
        self.finish_options(write, caller, &project, feature, count, "updated in")
            .await?;
        Ok(option)
    }

    /// Deletes an option with its weights everywhere. Without options the feature is a standard one again.
    ///
    /// # Errors
    /// As [`Service::option`].
    pub async fn delete_option(
        &self,
        caller: &Caller,
        project: ProjectId,
        feature: FeatureId,
        id: OptionId,
    ) -> ServiceResult<()> {
        let project = self.project_of_options(caller, project).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let feature = self.feature_in(&project, feature).await?;
        let options = self.store().options(feature.id).await?;
        self.require_no_rollout_of(feature.id).await?;
        let left = options.len().saturating_sub(1);
        option_among(options, id)?;
        write.delete_option(id, self.clock().now()).await?;
        self.finish_options(write, caller, &project, feature, left, "removed from")
            .await
    }

    async fn project_of_options(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> ServiceResult<Project> {
        self.project_for(caller, project, ProjectPermission::CreateFeature)
            .await
    }

    /// Ends a change of a feature's options, of which there are now so many.
    async fn finish_options(
        &self,
        mut write: Write,
        caller: &Caller,
        project: &Project,
        mut feature: Feature,
        count: usize,
        verb: &str,
    ) -> ServiceResult<()> {
        feature.kind = match count {
            0 => FeatureKind::Standard,
            _ => FeatureKind::Multivariate,
        };
        write.update_feature(&feature).await?;
        // Overrides of identities may have a weight for the option too.
        let subject = Subject::project(project.organisation_id, project.id).with_all_identities();
        let told = Told::updated(Noun::Feature, feature.id.get(), feature.uuid).saying(format!(
            "Multivariate option {verb} feature '{}'.",
            feature.name
        ));
        self.finish(write, Some(caller), subject, told).await
    }
}

fn option_among(
    options: Vec<MultivariateOption>,
    id: OptionId,
) -> ServiceResult<MultivariateOption> {
    let mut options = options.into_iter();
    let option = options.find(|option| option.id == id);
    option.ok_or(ServiceError::NotFound {
        noun: Noun::MultivariateOption,
    })
}

/// A key that another option has is wrong in the field where it was given.
fn taken_key(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Conflict {
            noun: Noun::MultivariateOption,
        } => ServiceError::invalid("key", Problem::DuplicateVariantKey),
        other => other,
    }
}

/// Checks the key of an option.
fn check_one(key: &Option<String>) -> ServiceResult<()> {
    let Some(key) = key else {
        return Ok(());
    };
    check_text("key", key, KEY_LIMIT)?;
    if key == "control" {
        return Err(ServiceError::invalid("key", Problem::ReservedVariantKey));
    }
    Ok(())
}

/// Checks that a feature has room for one option more.
fn check_beside(others: &[MultivariateOption], percentage: f64) -> ServiceResult<()> {
    if others.len() >= OPTION_LIMIT {
        return Err(too_many());
    }
    let percentages = others
        .iter()
        .map(|option| option.default_percentage_allocation);
    check_percentages(PERCENTAGE, percentages.chain([percentage]))
}

/// Checks the options of a feature to be made.
pub(crate) fn check_options(
    options: &[OptionRequest],
    feature: &str,
    value_type: ValueType,
) -> ServiceResult<()> {
    if options.len() > OPTION_LIMIT {
        return Err(too_many());
    }
    let mut keys = HashSet::new();
    for option in options {
        check_one(&option.key)?;
        check_value_of(feature, value_type, &option.value)?;
        if option.key.as_ref().is_some_and(|key| !keys.insert(key)) {
            return Err(ServiceError::invalid("key", Problem::DuplicateVariantKey));
        }
    }
    let percentages = options
        .iter()
        .map(|option| option.default_percentage_allocation);
    check_percentages("multivariate_options", percentages)
}

fn too_many() -> ServiceError {
    let max = i64::try_from(OPTION_LIMIT).unwrap_or(i64::MAX);
    ServiceError::invalid("multivariate_options", Problem::OutOfRange { min: 0, max })
}
