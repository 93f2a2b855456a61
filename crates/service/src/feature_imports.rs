//! Imports of features: checked at once, made in the background in one transaction.

use crate::change::{Subject, Told};
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::feature_exports::{NEEDED, check_file_count, is_ours};
use crate::features::{FEATURE_LIMIT, checked_name};
use crate::multivariate_options::{OptionRequest, check_options};
use crate::state_values::check_value_of;
use crate::text_rules::{VALUE_LIMIT, check_optional};
use crate::weights::check_percentages;
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentId, Feature, FeatureImport, FeatureKind, FileStatus, ImportStrategy, Project,
    ProjectId, ProjectPermission, StateValue, Timestamp,
};
use flagstaff_store::{
    NewFeature, NewFeatureImport, NewOption, NewWeight, Page, PageRequest, WaitingImport, Write,
};
use flagstaff_wire::flagsmith::feature_file::{
    FeatureInFile, VariantInFile, parse_feature_file, write_feature_file,
};
use tracing::warn;
use uuid::Uuid;

impl Service {
    /// Asks for the features of a file to be brought into the project of an environment, which gets their values.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an environment the caller may not see, [`ServiceError::Forbidden`] where they may
    /// not make features (and, to replace them, delete them) or change values, and [`Problem::InFile`].
    pub async fn create_feature_import(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        strategy: ImportStrategy,
        features: &[FeatureInFile],
    ) -> ServiceResult<FeatureImport> {
        let place = self.environment_by_id(caller, environment, NEEDED).await?;
        let project = &place.project;
        let may = |permission| caller.may_in_project(project, permission);
        let replaces = strategy == ImportStrategy::Overwrite;
        if !may(ProjectPermission::CreateFeature)
            || replaces && !may(ProjectPermission::DeleteFeature)
        {
            return Err(ServiceError::Forbidden);
        }
        check_features(project, features)?;
        let one = PageRequest { page: 1, size: 1 };
        let kept = self.store().feature_imports(&[environment], one).await?;
        check_file_count(kept.total)?;
        let new = NewFeatureImport {
            environment_id: environment,
            strategy,
            document: write_feature_file(features),
        };
        let mut write = self.store().write().await?;
        let import = write
            .insert_feature_import(&new, self.clock().now())
            .await?;
        let told = Told::created(Noun::FeatureImport, import.id.get(), None).saying(format!(
            "Feature import requested: {} features into {}",
            features.len(),
            place.environment.name
        ));
        self.finish(write, Some(caller), place.subject().not_shown(), told)
            .await?;
        self.feature_files_waiting().notify_one();
        Ok(import)
    }

    /// Imports into the environments of a project in which the caller may change values, the newest first.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn feature_imports(
        &self,
        caller: &Caller,
        project: ProjectId,
        page: PageRequest,
    ) -> ServiceResult<Page<FeatureImport>> {
        let environments = self.environments_with_files(caller, project).await?;
        Ok(self.store().feature_imports(&environments, page).await?)
    }

    /// Makes an import that waits. Of several nodes that try, one ends it.
    pub(crate) async fn make_feature_import(&self, waiting: &WaitingImport) -> ServiceResult<()> {
        let import = &waiting.import;
        match self.import_features(waiting).await {
            Ok(()) => Ok(()),
            Err(error @ ServiceError::Unavailable(_)) => Err(error),
            Err(problem) => {
                warn!(import.id = import.id.get(), %problem, "features cannot be imported");
                self.give_up_import(import, &problem).await
            }
        }
    }

    async fn import_features(&self, waiting: &WaitingImport) -> ServiceResult<()> {
        let import = &waiting.import;
        let features = parse_feature_file(waiting.document.as_bytes())
            .map_err(|error| ServiceError::Internal(error.into()))?;
        let mut write = self.store().write().await?;
        let ended = write.finish_feature_import(import.id, FileStatus::Success);
        if !is_ours(ended.await)? {
            return Ok(());
        }
        // In turn from here: what is read now is what the change is made to.
        let place = self.place_of_file(import.environment_id).await?;
        let place = place.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        let mut run = Run {
            service: self,
            place: &place,
            write,
            now: self.clock().now(),
            told: Vec::new(),
            count: self.store().count_features(place.project.id).await?,
            left: 0,
        };
        for feature in &features {
            run.bring_in(feature, import.strategy).await?;
        }
        let Run {
            write,
            mut told,
            left,
            ..
        } = run;
        let summary = Told::updated(Noun::FeatureImport, import.id.get(), None).saying(format!(
            "Feature import finished: {} features into {}, {left} left as they were",
            features.len() - left,
            place.environment.name
        ));
        told.push(summary);
        let project = &place.project;
        let subject = Subject::project(project.organisation_id, project.id).with_all_identities();
        self.finish_all(write, None, subject, told).await
    }

    async fn give_up_import(
        &self,
        import: &FeatureImport,
        problem: &ServiceError,
    ) -> ServiceResult<()> {
        let place = self.place_of_file(import.environment_id).await?;
        let mut write = self.store().write().await?;
        let ended = write.finish_feature_import(import.id, FileStatus::Failed);
        if !is_ours(ended.await)? {
            return Ok(());
        }
        let told = Told::updated(Noun::FeatureImport, import.id.get(), None)
            .saying(format!("Feature import failed: {problem}"));
        let subject = place.map_or_else(Subject::installation, |place| place.subject());
        self.finish(write, None, subject.not_shown(), told).await
    }
}

/// An import under way.
struct Run<'a> {
    service: &'a Service,
    place: &'a EnvironmentPlace,
    write: Write,
    now: Timestamp,
    told: Vec<Told>,
    /// Features of the project.
    count: i64,
    /// Features that were left as they were.
    left: usize,
}

impl Run<'_> {
    async fn bring_in(
        &mut self,
        feature: &FeatureInFile,
        strategy: ImportStrategy,
    ) -> ServiceResult<()> {
        let project = self.place.project.id;
        let present = self.write.feature_named(project, &feature.name).await?;
        match (present, strategy) {
            (Some(_), ImportStrategy::Skip) => {
                self.left += 1;
                return Ok(());
            }
            (Some(id), ImportStrategy::Overwrite) => {
                self.service.require_no_rollout_of(id).await?;
                self.write.delete_feature(id, self.now).await?;
                let told = Told::deleted(Noun::Feature, id.get(), None)
                    .saying(format!("Flag / Remote Config Deleted: {}", feature.name));
                self.told.push(told);
            }
            (None, _) => self.count += 1,
        }
        if self.count > FEATURE_LIMIT {
            return Err(too_many());
        }
        self.make(feature).await
    }

    async fn make(&mut self, feature: &FeatureInFile) -> ServiceResult<()> {
        let now = self.now;
        let made = self
            .write
            .insert_feature(&self.definition(feature), now)
            .await?;
        let mut weights = Vec::with_capacity(feature.variants.len());
        for variant in &feature.variants {
            let option = NewOption::from(option_of(variant));
            let id = self.write.insert_option(made.id, &option, now).await?;
            weights.push(NewWeight::from((id, variant.percentage_allocation)));
        }
        let (enabled, value) = self.start(&made);
        self.write
            .start_feature(&made, enabled, &value, now)
            .await?;
        let environment = self.place.environment.id;
        self.write
            .set_first_state(
                &made,
                environment,
                feature.enabled,
                &feature.value,
                &weights,
            )
            .await?;
        let told = Told::created(Noun::Feature, made.id.get(), made.uuid)
            .saying(format!("New Flag / Remote Config created: {}", made.name));
        self.told.push(told);
        Ok(())
    }

    fn definition(&self, feature: &FeatureInFile) -> NewFeature {
        NewFeature {
            id: None,
            uuid: Uuid::new_v4(),
            project_id: self.place.project.id,
            name: feature.name.clone(),
            kind: if feature.variants.is_empty() {
                FeatureKind::Standard
            } else {
                FeatureKind::Multivariate
            },
            default_enabled: feature.default_enabled,
            initial_value: feature.initial_value.clone(),
            description: None,
            is_archived: false,
            is_server_key_only: feature.is_server_key_only,
            hash: feature.hash,
            value_type: feature.value_type,
            expected_removal: None,
            options: Vec::new(),
            owners: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// What environments besides the one of the import get.
    fn start(&self, feature: &Feature) -> (bool, StateValue) {
        if self.place.project.prevent_flag_defaults {
            return (false, StateValue::default());
        }
        let value = StateValue::typed_by_content(feature.initial_value.as_deref());
        (feature.default_enabled, value)
    }
}

fn option_of(variant: &VariantInFile) -> OptionRequest {
    OptionRequest {
        key: variant.key.clone(),
        value: variant.value.clone(),
        default_percentage_allocation: variant.default_percentage_allocation,
    }
}

/// Checks every feature of a file as if somebody made it.
fn check_features(project: &Project, features: &[FeatureInFile]) -> ServiceResult<()> {
    if i64::try_from(features.len()).unwrap_or(i64::MAX) > FEATURE_LIMIT {
        return Err(too_many());
    }
    for feature in features {
        check_feature(project, feature).map_err(|error| match error {
            ServiceError::Invalid { field, problem } => {
                let problem = Problem::InFile {
                    feature: feature.name.to_string(),
                    field,
                    problem: Box::new(problem),
                };
                ServiceError::invalid("file", problem)
            }
            other => other,
        })?;
    }
    Ok(())
}

fn check_feature(project: &Project, feature: &FeatureInFile) -> ServiceResult<()> {
    checked_name(project, feature.name.as_str())?;
    let initial_value = feature.initial_value.as_deref();
    check_optional("initial_value", initial_value, VALUE_LIMIT)?;
    let (name, value_type) = (feature.name.as_str(), feature.value_type);
    check_value_of(name, value_type, &feature.value)?;
    let options: Vec<_> = feature.variants.iter().map(option_of).collect();
    check_options(&options, name, value_type)?;
    let weights = feature.variants.iter();
    let weights = weights.map(|variant| variant.percentage_allocation);
    check_percentages("multivariate", weights)
}

fn too_many() -> ServiceError {
    let problem = Problem::OutOfRange {
        min: 0,
        max: FEATURE_LIMIT,
    };
    ServiceError::invalid("features", problem)
}
