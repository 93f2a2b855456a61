//! Everything a snapshot is built from, as of one moment.

use crate::backend::{Transaction, on_transaction};
use crate::environments::{self, EnvironmentRow};
use crate::feature_states::select_live;
use crate::features::FeatureRow;
use crate::flagd_integrations::{self, FlagdIntegrationRow};
use crate::multivariate_options::OptionRow;
use crate::organisations::{self, OrganisationRow};
use crate::projects::{self, ProjectRow};
use crate::segments::SegmentRow;
use crate::state_rows::StateRow;
use crate::text::{CHUNK, index_key, placeholders};
use crate::{Store, StoreResult};
use flagstaff_core::{
    Environment, EnvironmentId, Feature, FeatureState, FlagdIntegration, IdentityId,
    MultivariateOption, Organisation, Project, ProjectId, Segment, SnapshotIdentity, SnapshotRows,
    StateOwner, Timestamp,
};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

impl Store {
    /// What the snapshot of an environment is built from: `None` when there is no such environment. Overrides of
    /// identities are read for `only` these, or for all.
    ///
    /// # Errors
    /// When the database does not answer, or a row cannot be read.
    pub async fn snapshot(
        &self,
        id: EnvironmentId,
        only: Option<&[Arc<str>]>,
        now: Timestamp,
    ) -> StoreResult<Option<(SnapshotRows, Vec<SnapshotIdentity>)>> {
        let mut reading = self.begin_reading().await?;
        let Some((organisation, project, environment)) = reading.place(id).await? else {
            return Ok(None);
        };
        // A change that another node made is true here, however far this node's clock is behind.
        let now = now.max(environment.updated_at);
        let states = reading.live_states(id, now).await?;
        let features = reading.features(project.id).await?;
        // Whoever reads states of a feature that is gone would serve it.
        let known: HashSet<_> = features.iter().map(|feature| feature.id).collect();
        let mut identities = reading.identity_overrides(id, only, now).await?;
        for identity in &mut identities {
            identity
                .states
                .retain(|state| known.contains(&state.feature_id));
        }
        identities.retain(|identity| !identity.states.is_empty());
        let rows = SnapshotRows {
            flagd: reading.flagd_integration(project.id).await?,
            segments: reading.snapshot_segments(project.id, &states).await?,
            options: reading.options(project.id).await?,
            states: states
                .into_iter()
                .filter(|state| known.contains(&state.feature_id))
                .collect(),
            organisation,
            project,
            environment,
            features,
        };
        Ok(Some((rows, identities)))
    }
}

impl Transaction {
    async fn place(
        &mut self,
        id: EnvironmentId,
    ) -> StoreResult<Option<(Organisation, Project, Environment)>> {
        let environment: Option<EnvironmentRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(environments::ONE)
                .bind(id.get())
                .fetch_optional(connection)
                .await
        })?;
        let Some(environment) = environment else {
            return Ok(None);
        };
        let environment = Environment::try_from(environment)?;
        let project: Option<ProjectRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(projects::ONE)
                .bind(environment.project_id.get())
                .fetch_optional(connection)
                .await
        })?;
        let Some(project) = project else {
            return Ok(None);
        };
        let project = Project::try_from(project)?;
        let organisation: Option<OrganisationRow> = on_transaction!(self, |connection| {
            sqlx::query_as(organisations::ONE)
                .bind(project.organisation_id.get())
                .fetch_optional(connection)
                .await
        })?;
        let Some(organisation) = organisation else {
            return Ok(None);
        };
        Ok(Some((organisation.try_into()?, project, environment)))
    }

    async fn flagd_integration(
        &mut self,
        project: ProjectId,
    ) -> StoreResult<Option<FlagdIntegration>> {
        let row: Option<FlagdIntegrationRow> = on_transaction!(self, |connection| {
            sqlx::query_as(flagd_integrations::OF_PROJECT)
                .bind(project.get())
                .fetch_optional(connection)
                .await
        })?;
        row.map(FlagdIntegration::try_from).transpose()
    }

    async fn features(&mut self, project: ProjectId) -> StoreResult<Vec<Feature>> {
        const SQL: &str = "
            SELECT id, uuid, project_id, name, kind, default_enabled, initial_value, description,
                is_archived, is_server_key_only, hash, value_type, expected_removal, created_at
            FROM features WHERE project_id = $1 AND deleted_at IS NULL ORDER BY id";
        let rows: Vec<FeatureRow> = on_transaction!(self, |connection| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .fetch_all(connection)
                .await
        })?;
        rows.into_iter().map(Feature::try_from).collect()
    }

    async fn options(&mut self, project: ProjectId) -> StoreResult<Vec<MultivariateOption>> {
        const SQL: &str = "
            SELECT o.id, o.uuid, o.feature_id, o.key, o.value_type, o.string_value, o.integer_value,
                o.boolean_value, o.default_percentage_allocation
            FROM multivariate_options o JOIN features f ON f.id = o.feature_id
            WHERE f.project_id = $1 AND f.deleted_at IS NULL AND o.deleted_at IS NULL
            ORDER BY o.id";
        let rows: Vec<OptionRow> = on_transaction!(self, |connection| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .fetch_all(connection)
                .await
        })?;
        rows.into_iter().map(MultivariateOption::try_from).collect()
    }

    /// Segments of the project; those of one feature only where they override it here.
    async fn snapshot_segments(
        &mut self,
        project: ProjectId,
        states: &[FeatureState],
    ) -> StoreResult<Vec<Segment>> {
        const SQL: &str = "
            SELECT id, uuid, project_id, feature_id, name, description, hash_key, hash, created_at,
                updated_at
            FROM segments WHERE project_id = $1 AND deleted_at IS NULL ORDER BY id";
        let rows: Vec<SegmentRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .fetch_all(connection)
                .await
        })?;
        let overriding: HashSet<_> = states
            .iter()
            .filter_map(|state| match &state.owner {
                StateOwner::Segment(link) => Some(link.segment_id),
                StateOwner::Environment | StateOwner::Identity { .. } => None,
            })
            .collect();
        let mut segments = self.with_rules(rows).await?;
        segments.retain(|segment| segment.feature_id.is_none() || overriding.contains(&segment.id));
        Ok(segments)
    }

    async fn live_states(
        &mut self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> StoreResult<Vec<FeatureState>> {
        const SQL: &str = select_live!("s.identity_id IS NULL");
        let rows: Vec<StateRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .fetch_all(connection)
                .await
        })?;
        self.with_weights(rows).await
    }

    /// Row ids of the known ones among some identities.
    async fn identity_ids(
        &mut self,
        environment: EnvironmentId,
        only: &[Arc<str>],
    ) -> StoreResult<Vec<i64>> {
        let mut ids = Vec::with_capacity(only.len());
        for only in only.chunks(CHUNK) {
            let sql = format!(
                "SELECT id FROM identities
                WHERE environment_id = $1 AND deleted_at IS NULL AND identifier_key IN ({})",
                placeholders(2, only.len())
            );
            let found: Vec<i64> = on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(environment.get());
                for identifier in only {
                    query = query.bind(index_key(identifier).into_owned());
                }
                query.fetch_all(connection).await
            })?;
            ids.extend(found);
        }
        Ok(ids)
    }

    /// Overrides of identities, by identity: of all, or of these.
    async fn identity_overrides(
        &mut self,
        environment: EnvironmentId,
        only: Option<&[Arc<str>]>,
        now: Timestamp,
    ) -> StoreResult<Vec<SnapshotIdentity>> {
        const ALL: &str = select_live!("s.identity_id IS NOT NULL", "1 = 0");
        const SOME: &str = select_live!("s.identity_id IN ({ids})", "1 = 0");
        let ids = match only {
            Some(only) => self.identity_ids(environment, only).await?,
            None => Vec::new(),
        };
        let mut questions: Vec<(String, &[i64])> = ids
            .chunks(CHUNK)
            .map(|ids| (SOME.replace("{ids}", &placeholders(3, ids.len())), ids))
            .collect();
        if only.is_none() {
            questions.push((ALL.to_owned(), &[]));
        }
        let mut identities: BTreeMap<IdentityId, SnapshotIdentity> = BTreeMap::new();
        for (sql, ids) in questions {
            let rows: Vec<StateRow> = on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql))
                    .bind(environment.get())
                    .bind(now.micros());
                for id in ids {
                    query = query.bind(*id);
                }
                query.fetch_all(connection).await
            })?;
            let owners: Vec<_> = rows.iter().map(StateRow::identity).collect();
            let states = self.with_weights(rows).await?;
            for (identity, state) in owners.into_iter().zip(states) {
                let Some(identity) = identity else { continue };
                let entry = identities.entry(identity.id);
                let overriding =
                    entry.or_insert_with(|| SnapshotIdentity::new(identity, Vec::new()));
                overriding.states.push(state);
            }
        }
        Ok(identities.into_values().collect())
    }
}
