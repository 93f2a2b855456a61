//! Feature states: defaults of environments and overrides.

use crate::backend::{Transaction, on_transaction};
use crate::error::Noun;
use crate::state_rows::{StateRow, WeightRow, assemble};
use crate::text::{CHUNK, placeholders};
use crate::{Store, StoreError, StoreResult};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureSegmentId, FeatureState, FeatureStateId, IdentityId, OptionId,
    SegmentId, StateValue, Timestamp, ValueKind,
};
use sqlx::AssertSqlSafe;
use std::sync::Arc;
use uuid::Uuid;

/// Whose state is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewStateOwner {
    /// The environment's default.
    Environment,
    /// An override for the segment of this link.
    Segment(FeatureSegmentId),
    /// An override for this identity.
    Identity(IdentityId),
}

/// The weight of an option in a state to be made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewWeight {
    /// Stable id; a new one when `None`.
    pub uuid: Option<Uuid>,
    /// The option.
    pub option_id: OptionId,
    /// Percent, 0 to 100.
    pub percentage_allocation: f64,
}

impl From<(OptionId, f64)> for NewWeight {
    fn from((option_id, percentage_allocation): (OptionId, f64)) -> Self {
        Self {
            uuid: None,
            option_id,
            percentage_allocation,
        }
    }
}

/// A state to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFeatureState {
    /// Stable id.
    pub uuid: Uuid,
    /// The feature.
    pub feature_id: FeatureId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// Whose.
    pub owner: NewStateOwner,
    /// On or off.
    pub enabled: bool,
    /// Its value.
    pub value: StateValue,
    /// What variants are hashed by; its own row id when `None`.
    pub hash_seed: Option<Arc<str>>,
    /// In the order of the buckets: rows are made in this order.
    pub weights: Vec<NewWeight>,
    /// From 1; a later version takes over at its `live_from`.
    pub version: i64,
    /// When it becomes true.
    pub live_from: Timestamp,
}

/// The word a kind of value is stored as.
pub(crate) const fn kind_text(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Text => "unicode",
        ValueKind::Integer => "int",
        ValueKind::Boolean => "bool",
    }
}

/// The kind of value that is stored as a word.
pub(crate) fn kind_of(noun: Noun, id: i64, text: &str) -> StoreResult<ValueKind> {
    match text {
        "unicode" => Ok(ValueKind::Text),
        "int" => Ok(ValueKind::Integer),
        "bool" => Ok(ValueKind::Boolean),
        other => Err(StoreError::Corrupt {
            noun,
            id,
            problem: format!("`{other}` is no type of value"),
        }),
    }
}

/// What is read of a state, of its owner and of the feature version it belongs to.
macro_rules! state_columns {
    () => {
        "s.id, s.uuid, s.feature_id, s.environment_id, s.identity_id, i.identifier,
            i.created_at AS identity_created_at,
            s.feature_segment_id, l.uuid AS link_uuid, l.segment_id, l.priority,
            COALESCE(s.enabled, FALSE) AS enabled, s.value_type, s.string_value, s.integer_value,
            s.boolean_value, s.hash_seed, s.version, s.live_from, v.uuid AS version_uuid,
            s.created_at, s.updated_at"
    };
}

/// Where those columns come from, beside the state itself.
macro_rules! state_joins {
    () => {
        "LEFT JOIN feature_segments l ON l.id = s.feature_segment_id
        LEFT JOIN identities i ON i.id = s.identity_id
        LEFT JOIN feature_versions v ON v.id = s.feature_version_id "
    };
}

/// A state with what its owner needs, to be followed by joins' conditions.
macro_rules! select_states {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            $crate::feature_states::state_columns!(),
            " FROM feature_states s ",
            $crate::feature_states::state_joins!(),
            $rest
        )
    };
}

/// Ids of the feature versions that are live at `$2` in environment `$1`, of the features `f` that a condition picks:
/// of each feature the published one whose time came last. Each is one step into an index, however many there were.
macro_rules! live_versions {
    ($features:literal) => {
        concat!(
            "SELECT (
                SELECT v.id FROM feature_versions v
                WHERE v.environment_id = e.id AND v.feature_id = f.id AND v.published_at IS NOT NULL
                    AND v.deleted_at IS NULL AND v.live_from <= $2
                ORDER BY v.live_from DESC, v.id DESC LIMIT 1) AS id
            FROM environments e JOIN features f ON f.project_id = e.project_id
            WHERE e.id = $1 AND e.use_v2_feature_versioning AND f.deleted_at IS NULL AND ",
            $features
        )
    };
}

/// States of environment `$1` that are live at `$2` and that a condition on `s` picks: of what stands for itself the
/// newest of each owner, and what belongs to the live version of its feature. A second condition, on `f`, says which
/// features those may be.
///
/// Numbering the versions reads each state once; asking for each whether there is a later one would read every
/// override of a feature for every other.
macro_rules! select_live {
    ($condition:literal) => {
        $crate::feature_states::select_live!($condition, "1 = 1")
    };
    ($condition:literal, $features:literal) => {
        concat!(
            "WITH numbered AS (
                SELECT s.*, ROW_NUMBER() OVER (
                    PARTITION BY s.feature_id, s.feature_segment_id, s.identity_id
                    ORDER BY s.live_from DESC, s.version DESC, s.id DESC) AS age
                FROM feature_states s
                WHERE s.environment_id = $1 AND s.feature_version_id IS NULL AND s.live_from <= $2
                    AND s.version IS NOT NULL AND s.deleted_at IS NULL AND ",
            $condition,
            " UNION ALL
                SELECT s.*, 1 AS age
                FROM feature_states s
                WHERE s.feature_version_id IN (",
            $crate::feature_states::live_versions!($features),
            ") AND s.deleted_at IS NULL AND ",
            $condition,
            ") SELECT ",
            $crate::feature_states::state_columns!(),
            " FROM numbered s ",
            $crate::feature_states::state_joins!(),
            "WHERE s.age = 1 AND l.deleted_at IS NULL AND i.deleted_at IS NULL
            ORDER BY s.id"
        )
    };
}
pub(crate) use {live_versions, select_live, select_states, state_columns, state_joins};

impl Transaction {
    /// The weights of states, each state's in order of their ids.
    pub(crate) async fn weights(&mut self, states: &[i64]) -> StoreResult<Vec<WeightRow>> {
        let mut weights = Vec::new();
        for states in states.chunks(CHUNK) {
            let sql = format!(
                "SELECT id, uuid, feature_state_id, option_id, percentage_allocation
                FROM variant_weights WHERE feature_state_id IN ({}) ORDER BY id",
                placeholders(1, states.len())
            );
            let rows: Vec<WeightRow> = on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for state in states {
                    query = query.bind(*state);
                }
                query.fetch_all(connection).await
            })?;
            weights.extend(rows);
        }
        Ok(weights)
    }

    /// States with their weights.
    pub(crate) async fn with_weights(
        &mut self,
        rows: Vec<StateRow>,
    ) -> StoreResult<Vec<FeatureState>> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let weights = self.weights(&ids).await?;
        assemble(rows, weights)
    }
}

impl Store {
    /// A state by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_state(&self, id: FeatureStateId) -> StoreResult<Option<FeatureState>> {
        const SQL: &str = select_states!("WHERE s.id = $1 AND s.deleted_at IS NULL");
        let mut reading = self.begin_reading().await?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_all(connection)
                .await
        })?;
        Ok(reading.with_weights(rows).await?.pop())
    }

    /// A state by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_state_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<FeatureState>> {
        const SQL: &str = select_states!("WHERE s.uuid = $1 AND s.deleted_at IS NULL");
        let mut reading = self.begin_reading().await?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_all(connection)
                .await
        })?;
        Ok(reading.with_weights(rows).await?.pop())
    }

    /// The live default of a feature in an environment.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn default_state(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        now: Timestamp,
    ) -> StoreResult<Option<FeatureState>> {
        const SQL: &str = select_live!(
            "s.feature_segment_id IS NULL AND s.identity_id IS NULL AND s.feature_id = $3",
            "f.id = $3"
        );
        let mut reading = self.begin_reading().await?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .bind(feature.get())
                .fetch_all(connection)
                .await
        })?;
        Ok(reading.with_weights(rows).await?.pop())
    }

    /// The live segment overrides of a feature in an environment, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segment_states(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        now: Timestamp,
    ) -> StoreResult<Vec<FeatureState>> {
        const SQL: &str = select_live!(
            "s.feature_segment_id IS NOT NULL AND s.feature_id = $3",
            "f.id = $3"
        );
        let mut reading = self.begin_reading().await?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .bind(feature.get())
                .fetch_all(connection)
                .await
        })?;
        reading.with_weights(rows).await
    }

    /// The live overrides for a segment in an environment, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn states_of_segment(
        &self,
        environment: EnvironmentId,
        segment: SegmentId,
        now: Timestamp,
    ) -> StoreResult<Vec<FeatureState>> {
        const SQL: &str = select_live!(
            "s.feature_segment_id IN (SELECT id FROM feature_segments WHERE segment_id = $3)"
        );
        let mut reading = self.begin_reading().await?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .bind(segment.get())
                .fetch_all(connection)
                .await
        })?;
        reading.with_weights(rows).await
    }

    /// The live overrides of an identity, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identity_states(
        &self,
        environment: EnvironmentId,
        identity: IdentityId,
        now: Timestamp,
    ) -> StoreResult<Vec<FeatureState>> {
        const SQL: &str = select_live!("s.identity_id = $3", "1 = 0");
        let mut reading = self.begin_reading().await?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .bind(identity.get())
                .fetch_all(connection)
                .await
        })?;
        reading.with_weights(rows).await
    }
}
