//! Exports of features: asked for, made in the background, kept for some days.

use crate::change::{Subject, Told};
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{
    EnvironmentId, EnvironmentPermission, Feature, FeatureExport, FeatureExportId, FeatureId,
    FeatureState, MultivariateOption, ProjectId, SnapshotRows, StateOwner, TagId, VariantWeight,
};
use flagstaff_store::{
    FeatureFilter, NewFeatureExport, Page, PageRequest, StoreError, StoreResult, TagFilter,
    WaitingExport,
};
use flagstaff_wire::flagsmith::feature_file::{FeatureInFile, VariantInFile, write_feature_file};
use flagstaff_wire::time::{UtcMark, iso};
use std::collections::{HashMap, HashSet};
use tracing::warn;

/// Exports and imports, each, that are kept of one environment.
pub(crate) const FILE_LIMIT: i64 = 1000;
/// Who may change values may also take them away or bring them in as a whole.
pub(crate) const NEEDED: EnvironmentPermission = EnvironmentPermission::UpdateFeatureState;

impl Service {
    /// Asks for a file of an environment's features: of all that are not archived, or of those with some tags.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an environment the caller may not see, [`ServiceError::Forbidden`] for one they
    /// may not change values in, and [`Problem::UnknownId`] for a tag of another project.
    pub async fn create_feature_export(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        tags: Vec<TagId>,
    ) -> ServiceResult<FeatureExport> {
        let place = self.environment_by_id(caller, environment, NEEDED).await?;
        self.check_tags("tag_ids", &place.project, &tags).await?;
        let one = PageRequest { page: 1, size: 1 };
        let kept = self.store().feature_exports(&[environment], one).await?;
        check_file_count(kept.total)?;
        let now = self.clock().now();
        // `2026-11-21T00:14:53…` begins with the day and the minute.
        let time = iso(now, UtcMark::Zulu).replace('T', " ");
        let minute = time.get(..16).unwrap_or(&time);
        let new = NewFeatureExport {
            environment_id: environment,
            name: format!("{} | {minute} UTC", place.environment.name),
            tags,
        };
        let mut write = self.store().write().await?;
        let export = write.insert_feature_export(&new, now).await?;
        let told = Told::created(Noun::FeatureExport, export.id.get(), None)
            .saying(format!("Feature export requested: {}", export.name));
        self.finish(write, Some(caller), place.subject().not_shown(), told)
            .await?;
        self.feature_files_waiting().notify_one();
        Ok(export)
    }

    /// Exports of the environments of a project in which the caller may change values, the newest first.
    ///
    /// # Errors
    /// As [`Service::project`].
    pub async fn feature_exports(
        &self,
        caller: &Caller,
        project: ProjectId,
        page: PageRequest,
    ) -> ServiceResult<Page<FeatureExport>> {
        let environments = self.environments_with_files(caller, project).await?;
        Ok(self.store().feature_exports(&environments, page).await?)
    }

    /// The file of an export, as JSON.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] unless it is made, and the caller may see its environment;
    /// [`ServiceError::Forbidden`] where they may not change values.
    pub async fn feature_export_document(
        &self,
        caller: &Caller,
        id: FeatureExportId,
    ) -> ServiceResult<String> {
        let noun = Noun::FeatureExport;
        let missing = || ServiceError::NotFound { noun };
        let export = self.store().feature_export(id).await?;
        let environment = export.ok_or_else(missing)?.environment_id;
        match self.environment_by_id(caller, environment, NEEDED).await {
            Ok(_) => {}
            Err(ServiceError::NotFound { .. }) => return Err(missing()),
            Err(other) => return Err(other),
        }
        let document = self.store().feature_export_document(id).await?;
        document.ok_or_else(missing)
    }

    /// The environments of a project whose exports and imports the caller may see.
    pub(crate) async fn environments_with_files(
        &self,
        caller: &Caller,
        project: ProjectId,
    ) -> ServiceResult<Vec<EnvironmentId>> {
        let project = self.visible_project(caller, project).await?;
        let environments = self.store().environments(project.id).await?;
        let ids = environments.iter().map(|environment| environment.id);
        Ok(ids
            .filter(|id| caller.may_in_environment(&project, *id, NEEDED))
            .collect())
    }

    /// Makes an export that waits. Of several nodes that try, one ends it.
    pub(crate) async fn make_feature_export(&self, waiting: &WaitingExport) -> ServiceResult<()> {
        let export = &waiting.export;
        let document = match self.export_document(waiting).await {
            Ok(document) => Some(document),
            Err(error @ ServiceError::Unavailable(_)) => return Err(error),
            Err(problem) => {
                warn!(export.id = export.id.get(), %problem, "features cannot be exported");
                None
            }
        };
        let place = self.place_of_file(export.environment_id).await?;
        let mut write = self.store().write().await?;
        let ended = write.finish_feature_export(export.id, document.as_deref());
        if !is_ours(ended.await)? {
            return Ok(());
        }
        let outcome = match document {
            Some(_) => "finished",
            None => "failed",
        };
        let told = Told::updated(Noun::FeatureExport, export.id.get(), None)
            .saying(format!("Feature export {outcome}: {}", export.name));
        let subject = place.map_or_else(Subject::installation, |place| place.subject());
        self.finish(write, None, subject.not_shown(), told).await
    }

    async fn export_document(&self, waiting: &WaitingExport) -> ServiceResult<String> {
        let (id, now) = (waiting.export.environment_id, self.clock().now());
        let rows = self.store().snapshot(id, Some(&[]), now).await?;
        let (rows, _) = rows.ok_or(ServiceError::NotFound {
            noun: Noun::Environment,
        })?;
        let chosen = match waiting.tags.as_slice() {
            [] => None,
            tags => Some(self.tagged_features(rows.project.id, tags).await?),
        };
        let is_chosen = |feature: &Feature| {
            let has_tag = chosen.as_ref();
            !feature.is_archived && has_tag.is_none_or(|chosen| chosen.contains(&feature.id))
        };
        Ok(write_feature_file(&features_in_file(&rows, is_chosen)))
    }

    async fn tagged_features(
        &self,
        project: ProjectId,
        tags: &[TagId],
    ) -> ServiceResult<HashSet<FeatureId>> {
        let filter = FeatureFilter {
            tags: Some(TagFilter::Any(tags.to_vec())),
            ..FeatureFilter::default()
        };
        let mut found = HashSet::new();
        for number in 1.. {
            let page = PageRequest {
                page: number,
                size: PageRequest::LIMIT,
            };
            let part = self.store().features(project, &filter, page).await?;
            found.extend(part.items.iter().map(|feature| feature.id));
            if part.items.len() < PageRequest::LIMIT as usize {
                break;
            }
        }
        Ok(found)
    }

    /// The place of an export or import; `None` when it was deleted meanwhile.
    pub(crate) async fn place_of_file(
        &self,
        environment: EnvironmentId,
    ) -> ServiceResult<Option<EnvironmentPlace>> {
        let Some(environment) = self.store().environment(environment).await? else {
            return Ok(None);
        };
        let project = self.store().project(environment.project_id).await?;
        Ok(project.map(|project| EnvironmentPlace {
            project,
            environment,
        }))
    }
}

/// Whether it was for us to end an export or import: another node may have been faster.
pub(crate) fn is_ours(ended: StoreResult<()>) -> ServiceResult<bool> {
    match ended {
        Ok(()) => Ok(true),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(other) => Err(other.into()),
    }
}

/// Refuses one file more where too many are kept.
pub(crate) fn check_file_count(kept: i64) -> ServiceResult<()> {
    if kept < FILE_LIMIT {
        return Ok(());
    }
    let problem = Problem::OutOfRange {
        min: 0,
        max: FILE_LIMIT,
    };
    Err(ServiceError::invalid("environment_id", problem))
}

/// Features with the live defaults of one environment, in order of their ids.
fn features_in_file(
    rows: &SnapshotRows,
    is_chosen: impl Fn(&Feature) -> bool,
) -> Vec<FeatureInFile> {
    let defaults: HashMap<FeatureId, &FeatureState> = rows
        .states
        .iter()
        .filter(|state| state.owner == StateOwner::Environment)
        .map(|state| (state.feature_id, state))
        .collect();
    let options: HashMap<_, &MultivariateOption> = rows
        .options
        .iter()
        .map(|option| (option.id, option))
        .collect();
    let variant = |weight: &VariantWeight| {
        let option = options.get(&weight.option_id)?;
        Some(VariantInFile {
            key: option.key.clone(),
            value: option.value.clone(),
            percentage_allocation: weight.percentage_allocation,
            default_percentage_allocation: option.default_percentage_allocation,
        })
    };
    let chosen = rows.features.iter().filter(|feature| is_chosen(feature));
    let in_file = |feature: &Feature| {
        let state = defaults.get(&feature.id)?;
        Some(FeatureInFile {
            name: feature.name.clone(),
            default_enabled: feature.default_enabled,
            is_server_key_only: feature.is_server_key_only,
            hash: feature.hash,
            value_type: feature.value_type,
            initial_value: feature.initial_value.clone(),
            enabled: state.enabled,
            value: state.value.clone(),
            variants: state.weights.iter().filter_map(variant).collect(),
        })
    };
    chosen.filter_map(in_file).collect()
}
