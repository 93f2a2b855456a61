//! Bringing in an environment of a Flagsmith: one document, one transaction.
//!
//! Client key, hashing seeds and segment keys are kept, so that nobody changes variant. Row ids are kept where
//! they are free, because some programs store them; nothing here depends on them.

mod server_key;

use crate::Service;
use crate::change::{Subject, Told};
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::text_rules::{NAME_LIMIT, check_name, free_slug};
use flagstaff_core::{
    Environment, EnvironmentId, EnvironmentKey, FeatureId, IdentityId, OptionId, Organisation,
    OrganisationId, Project, ProjectId, ServerKey, Timestamp, ValueType,
};
use flagstaff_store::{
    NewEnvironment, NewFeature, NewFeatureSegment, NewFeatureState, NewIdentity, NewOption,
    NewOrganisation, NewProject, NewSegment, NewStateOwner, NewWeight, TraitChange, TraitWrite,
    Write,
};
use flagstaff_wire::flagsmith::import::{
    ImportedEnvironment, ImportedFeature, ImportedIdentity, ImportedOverride, ImportedSegment,
    ImportedState,
};
use std::sync::Arc;
use uuid::Uuid;

/// Where an imported environment goes.
#[derive(Debug, Clone, Default)]
pub struct ImportRequest {
    /// Name of the organisation, found or made; by default the document's.
    pub organisation: Option<String>,
    /// Name of the new project; by default the document's.
    pub project: Option<String>,
    /// Name of the new environment; by default the document's.
    pub environment: Option<String>,
    /// The server-side key; by default a new one.
    pub server_key: Option<EnvironmentKey>,
}

/// What an import made.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Found or made.
    pub organisation: Organisation,
    /// Made.
    pub project: Project,
    /// Made.
    pub environment: Environment,
    /// Made.
    pub server_key: ServerKey,
}

impl Service {
    /// Makes a project with one environment out of an environment document.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when the client key or the server-side key is in use, or the organisation has a
    /// project of that name; invalid names.
    pub async fn import_environment(
        &self,
        document: ImportedEnvironment,
        request: ImportRequest,
    ) -> ServiceResult<Imported> {
        let write = self.store().write().await?;
        self.import_into(write, document, request).await
    }

    /// The same within a change that is under way; ends it.
    pub(crate) async fn import_into(
        &self,
        write: Write,
        document: ImportedEnvironment,
        request: ImportRequest,
    ) -> ServiceResult<Imported> {
        let now = self.clock().now();
        if self
            .store()
            .environment_by_key(&document.api_key)
            .await?
            .is_some()
        {
            let noun = Noun::ClientKey;
            return Err(ServiceError::Conflict { noun });
        }
        let mut import = Import { write, now };
        let organisation = self
            .import_organisation(&mut import, &document, &request)
            .await?;
        let project = self
            .import_project(&mut import, organisation.id, &document, &request)
            .await?;
        let environment = import.environment(&project, &document, &request).await?;
        let features = import
            .features(project.id, environment.id, &document.features)
            .await?;
        for segment in &document.segments {
            import
                .segment(project.id, environment.id, segment, &features)
                .await?;
        }
        for identity in &document.identities {
            import.identity(environment.id, identity, &features).await?;
        }
        let server_key = import
            .server_key(environment.id, request.server_key)
            .await?;
        let subject = Subject::environment(organisation.id, project.id, environment.id);
        let told = Told::created(Noun::Environment, environment.id.get(), environment.uuid)
            .saying(format!("Environment imported: {}", environment.name));
        self.finish(import.write, None, subject.with_keys(), told)
            .await?;
        self.import_traits(environment.id, document.identities)
            .await?;
        Ok(Imported {
            organisation,
            project,
            environment,
            server_key,
        })
    }

    async fn import_organisation(
        &self,
        import: &mut Import,
        document: &ImportedEnvironment,
        request: &ImportRequest,
    ) -> ServiceResult<Organisation> {
        let from_document = document.project.organisation_name.as_deref();
        let name = request.organisation.as_deref().or(from_document);
        let name = name.unwrap_or("Imported");
        let known = self.store().all_organisations().await?;
        if let Some(found) = known.into_iter().find(|found| found.name == name) {
            return Ok(found);
        }
        check_name("organisation", name, NAME_LIMIT)?;
        let new = NewOrganisation {
            uuid: Uuid::new_v4(),
            name: name.to_owned(),
            webhook_notification_email: None,
        };
        let mut organisation = import.write.insert_organisation(&new, import.now).await?;
        organisation.persist_trait_data = document.project.persist_trait_data;
        organisation.stop_serving_flags = document.project.stop_serving_flags;
        import.write.update_organisation(&organisation).await?;
        Ok(organisation)
    }

    async fn import_project(
        &self,
        import: &mut Import,
        organisation_id: OrganisationId,
        document: &ImportedEnvironment,
        request: &ImportRequest,
    ) -> ServiceResult<Project> {
        let name = request.project.as_deref().unwrap_or(&document.project.name);
        check_name("project", name, NAME_LIMIT)?;
        let others = self.store().projects(organisation_id).await?;
        if request.project.is_some() && others.iter().any(|other| other.name == name) {
            let noun = Noun::Project;
            return Err(ServiceError::Conflict { noun });
        }
        let new = NewProject {
            id: document.project.row_id.map(ProjectId::new),
            uuid: Uuid::new_v4(),
            organisation_id,
            name: name.to_owned(),
            slug: free_slug(name, |slug| others.iter().any(|other| other.slug == slug)),
        };
        let mut project = import.write.insert_project(&new, import.now).await?;
        project.hide_disabled_flags = document.project.hide_disabled_flags;
        project.enable_realtime_updates = document.project.enable_realtime_updates;
        import.write.update_project(&project).await?;
        Ok(project)
    }

    /// Traits are not part of the audited change: SDKs write them with every request.
    async fn import_traits(
        &self,
        environment_id: EnvironmentId,
        identities: Vec<ImportedIdentity>,
    ) -> ServiceResult<()> {
        let with_traits = identities
            .into_iter()
            .filter(|identity| !identity.traits.is_empty());
        let changes = with_traits.map(|identity| TraitChange {
            environment_id,
            identifier: identity.identifier,
            traits: identity
                .traits
                .into_iter()
                .map(|(key, value)| (key, TraitWrite::Set(value)))
                .collect(),
        });
        let changes: Vec<_> = changes.collect();
        for changes in changes.chunks(500) {
            self.store()
                .record_traits(changes, self.clock().now())
                .await?;
        }
        Ok(())
    }
}

/// A feature that was made, with its options in the order of the document.
struct MadeFeature {
    id: FeatureId,
    options: Vec<OptionId>,
}

/// An import under way.
struct Import {
    write: Write,
    now: Timestamp,
}

impl Import {
    async fn environment(
        &mut self,
        project: &Project,
        document: &ImportedEnvironment,
        request: &ImportRequest,
    ) -> ServiceResult<Environment> {
        let name = request.environment.as_deref().unwrap_or(&document.name);
        check_name("environment", name, NAME_LIMIT)?;
        let new = NewEnvironment {
            id: document.row_id.map(EnvironmentId::new),
            uuid: Uuid::new_v4(),
            project_id: project.id,
            name: name.to_owned(),
            slug: crate::text_rules::slug(name),
            api_key: Arc::clone(&document.api_key),
        };
        let mut environment = self.write.insert_environment(&new, self.now).await?;
        environment.allow_client_traits = document.allow_client_traits;
        environment.hide_sensitive_data = document.hide_sensitive_data;
        environment.hide_disabled_flags = document.hide_disabled_flags;
        environment.use_identity_composite_key_for_hashing =
            document.use_identity_composite_key_for_hashing;
        environment.use_identity_overrides_in_local_eval =
            document.use_identity_overrides_in_local_eval;
        self.write.update_environment(&environment).await?;
        Ok(environment)
    }

    async fn features(
        &mut self,
        project_id: ProjectId,
        environment: EnvironmentId,
        features: &[ImportedFeature],
    ) -> ServiceResult<Vec<MadeFeature>> {
        let mut made = Vec::with_capacity(features.len());
        for feature in features {
            let options = feature.options.iter().map(|option| NewOption {
                id: option.row_id.map(OptionId::new),
                uuid: Uuid::new_v4(),
                key: option.key.clone(),
                value: option.value.clone(),
                default_percentage_allocation: option.percentage_allocation,
            });
            let new = NewFeature {
                id: feature.row_id.map(FeatureId::new),
                uuid: Uuid::new_v4(),
                project_id,
                name: feature.name.clone(),
                kind: feature.kind,
                default_enabled: false,
                initial_value: None,
                description: None,
                is_archived: false,
                is_server_key_only: feature.is_server_key_only,
                hash: None,
                value_type: ValueType::Auto,
                expected_removal: None,
                options: Vec::new(),
                owners: Vec::new(),
                tags: Vec::new(),
            };
            let id = self.write.insert_feature(&new, self.now).await?.id;
            let mut ids = Vec::new();
            for option in options {
                ids.push(self.write.insert_option(id, &option, self.now).await?);
            }
            let feature_made = MadeFeature { id, options: ids };
            let owner = NewStateOwner::Environment;
            self.state(environment, &feature_made, owner, &feature.state)
                .await?;
            made.push(feature_made);
        }
        Ok(made)
    }

    async fn state(
        &mut self,
        environment_id: EnvironmentId,
        feature: &MadeFeature,
        owner: NewStateOwner,
        state: &ImportedState,
    ) -> ServiceResult<()> {
        let weights = state.weights.iter().filter_map(|weight| {
            let option = feature.options.get(weight.option)?;
            Some(NewWeight::from((*option, weight.percentage_allocation)))
        });
        let new = NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            environment_id,
            owner,
            enabled: state.enabled,
            value: state.value.clone(),
            hash_seed: state.hash_seed.clone(),
            weights: weights.collect(),
            version: 1,
            live_from: self.now,
        };
        self.write.insert_feature_state(&new, self.now).await?;
        Ok(())
    }

    async fn segment(
        &mut self,
        project_id: ProjectId,
        environment_id: EnvironmentId,
        segment: &ImportedSegment,
        features: &[MadeFeature],
    ) -> ServiceResult<()> {
        let new = NewSegment {
            uuid: Uuid::new_v4(),
            project_id,
            feature_id: None,
            name: segment.name.clone(),
            description: None,
            hash_key: Some(Arc::clone(&segment.hash_key)),
            hash: None,
            rules: segment.rules.clone(),
        };
        let segment_id = self.write.insert_segment(&new, self.now).await?.id;
        for ImportedOverride {
            feature,
            priority,
            state,
        } in &segment.overrides
        {
            let Some(feature) = features.get(*feature) else {
                continue;
            };
            let link = NewFeatureSegment {
                uuid: Uuid::new_v4(),
                feature_id: feature.id,
                segment_id,
                environment_id,
                priority: *priority,
            };
            let link = self.write.insert_feature_segment(&link, self.now).await?;
            let owner = NewStateOwner::Segment(link.id);
            self.state(environment_id, feature, owner, state).await?;
        }
        Ok(())
    }

    async fn identity(
        &mut self,
        environment_id: EnvironmentId,
        identity: &ImportedIdentity,
        features: &[MadeFeature],
    ) -> ServiceResult<()> {
        let new = NewIdentity {
            id: identity.row_id.map(IdentityId::new),
            environment_id,
            identifier: identity.identifier.clone(),
            created_at: identity.created_at.unwrap_or(self.now),
        };
        let id = self.write.insert_identity(&new).await?.id;
        for found in &identity.overrides {
            if let Some(feature) = features.get(found.feature) {
                let owner = NewStateOwner::Identity(id);
                self.state(environment_id, feature, owner, &found.state)
                    .await?;
            }
        }
        Ok(())
    }
}
