//! Switching an environment to versions of features and back.

use crate::backend::on_transaction;
use crate::feature_states::{live_versions, select_states};
use crate::feature_version_writes::NewFeatureVersion;
use crate::state_rows::StateRow;
use crate::text::{CHUNK, placeholders};
use crate::{StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureState, FeatureVersion, FeatureVersionId,
    StateOwner, Timestamp,
};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;
use uuid::Uuid;

impl Write {
    /// Lets features of an environment change by published versions only. Each feature gets a version with the states
    /// that are live, and one for every time at which others were to become true. Overrides of identities stay as they
    /// are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn enable_versions(
        &mut self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> StoreResult<()> {
        for (feature, states) in self.own_states(environment).await? {
            let live = live_at(&states, now);
            let version = self
                .published_version(environment, feature, now, now)
                .await?;
            self.move_into(&live, version.id).await?;
            let mut times: Vec<Timestamp> =
                states.iter().filter_map(|state| state.live_from).collect();
            times.retain(|time| *time > now);
            times.sort_unstable();
            times.dedup();
            for time in times {
                let planned = self
                    .published_version(environment, feature, time, now)
                    .await?;
                let states: Vec<_> = live_at(&states, time).into_iter().cloned().collect();
                self.copy_states(&states, &planned, now).await?;
            }
        }
        self.delete_own_states(environment, now).await?;
        self.switch(environment, true).await
    }

    /// Lets states of an environment be changed directly again: those of the live versions stay, from now on as the
    /// only ones; drafts, earlier and planned versions go.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn disable_versions(
        &mut self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> StoreResult<()> {
        const STATES: &str = concat!(
            "UPDATE feature_states SET feature_version_id = NULL, version = 1, live_from = $2
            WHERE deleted_at IS NULL AND feature_version_id IN (",
            live_versions!("1 = 1"),
            ")"
        );
        const LINKS: &str = concat!(
            "UPDATE feature_segments SET feature_version_id = NULL
            WHERE deleted_at IS NULL AND feature_version_id IN (",
            live_versions!("1 = 1"),
            ")"
        );
        const OTHER_STATES: &str = "
            UPDATE feature_states SET deleted_at = $2
            WHERE environment_id = $1 AND feature_version_id IS NOT NULL AND deleted_at IS NULL";
        const OTHER_LINKS: &str = "
            UPDATE feature_segments SET deleted_at = $2
            WHERE environment_id = $1 AND feature_version_id IS NOT NULL AND deleted_at IS NULL";
        const VERSIONS: &str = "
            UPDATE feature_versions SET deleted_at = $2 WHERE environment_id = $1 AND deleted_at IS NULL";
        for sql in [STATES, LINKS, OTHER_STATES, OTHER_LINKS, VERSIONS] {
            self.mark_deleted(sql, environment.get(), now).await?;
        }
        self.switch(environment, false).await
    }

    /// Defaults and segment overrides that stand for themselves, by feature, in order of their ids.
    async fn own_states(
        &mut self,
        environment: EnvironmentId,
    ) -> StoreResult<BTreeMap<FeatureId, Vec<FeatureState>>> {
        const SQL: &str = select_states!(
            "JOIN features f ON f.id = s.feature_id
            WHERE s.environment_id = $1 AND s.feature_version_id IS NULL AND s.identity_id IS NULL
                AND s.version IS NOT NULL AND s.deleted_at IS NULL AND l.deleted_at IS NULL
                AND f.deleted_at IS NULL
            ORDER BY s.id"
        );
        let rows: Vec<StateRow> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .fetch_all(connection)
                .await
        })?;
        let mut states: BTreeMap<FeatureId, Vec<FeatureState>> = BTreeMap::new();
        for state in self.transaction.with_weights(rows).await? {
            states.entry(state.feature_id).or_default().push(state);
        }
        Ok(states)
    }

    async fn published_version(
        &mut self,
        environment_id: EnvironmentId,
        feature_id: FeatureId,
        live_from: Timestamp,
        at: Timestamp,
    ) -> StoreResult<FeatureVersion> {
        let new = NewFeatureVersion {
            uuid: Uuid::new_v4(),
            environment_id,
            feature_id,
            description: None,
            created_by: None,
            live_from: Some(live_from),
            is_published: true,
        };
        self.insert_feature_version(&new, at).await
    }

    async fn move_into(
        &mut self,
        states: &[&FeatureState],
        version: FeatureVersionId,
    ) -> StoreResult<()> {
        let ids: Vec<i64> = states.iter().map(|state| state.id.get()).collect();
        let links = states.iter().filter_map(|state| match &state.owner {
            StateOwner::Segment(link) => Some(link.id.get()),
            StateOwner::Environment | StateOwner::Identity { .. } => None,
        });
        let links: Vec<i64> = links.collect();
        self.assign("feature_states", &ids, version).await?;
        self.assign("feature_segments", &links, version).await
    }

    async fn assign(
        &mut self,
        table: &'static str,
        ids: &[i64],
        version: FeatureVersionId,
    ) -> StoreResult<()> {
        for ids in ids.chunks(CHUNK) {
            let sql = format!(
                "UPDATE {table} SET feature_version_id = $1 WHERE id IN ({})",
                placeholders(2, ids.len())
            );
            on_transaction!(&mut self.transaction, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql)).bind(version.get());
                for id in ids {
                    query = query.bind(*id);
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    /// Deletes what of an environment went into no version: superseded states, and planned ones that were copied.
    async fn delete_own_states(
        &mut self,
        environment: EnvironmentId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const STATES: &str = "
            UPDATE feature_states SET deleted_at = $2
            WHERE environment_id = $1 AND feature_version_id IS NULL AND identity_id IS NULL
                AND deleted_at IS NULL";
        const LINKS: &str = "
            UPDATE feature_segments SET deleted_at = $2
            WHERE environment_id = $1 AND feature_version_id IS NULL AND deleted_at IS NULL";
        self.mark_deleted(STATES, environment.get(), at).await?;
        self.mark_deleted(LINKS, environment.get(), at).await?;
        Ok(())
    }

    async fn switch(&mut self, environment: EnvironmentId, by_versions: bool) -> StoreResult<()> {
        const SQL: &str = "UPDATE environments SET use_v2_feature_versioning = $2 WHERE id = $1";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(environment.get())
                .bind(by_versions)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

/// The newest state of each owner at a time, in order of their ids.
fn live_at(states: &[FeatureState], time: Timestamp) -> Vec<&FeatureState> {
    let mut newest: BTreeMap<Option<FeatureSegmentId>, &FeatureState> = BTreeMap::new();
    let age = |state: &FeatureState| (state.live_from, state.version, state.id);
    for state in states {
        if state.live_from.is_none_or(|live_from| live_from > time) {
            continue;
        }
        let owner = match &state.owner {
            StateOwner::Segment(link) => Some(link.id),
            StateOwner::Environment | StateOwner::Identity { .. } => None,
        };
        let known = newest.entry(owner).or_insert(state);
        if age(state) > age(known) {
            *known = state;
        }
    }
    let mut live: Vec<_> = newest.into_values().collect();
    live.sort_unstable_by_key(|state| state.id);
    live
}
