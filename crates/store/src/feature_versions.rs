//! Versions of features: which there are, and what belongs to them.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::error::Noun;
use crate::feature_states::select_states;
use crate::page::{Page, PageRequest};
use crate::state_rows::StateRow;
use crate::{Store, StoreError, StoreResult};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureState, FeatureVersion, FeatureVersionId, MemberId, Timestamp,
};
use uuid::Uuid;

/// Which versions of a feature are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VersionFilter {
    /// Only those whose time has come, or only the others.
    pub is_live: Option<bool>,
}

#[derive(sqlx::FromRow)]
pub(crate) struct VersionRow {
    id: i64,
    uuid: String,
    environment_id: i64,
    feature_id: i64,
    description: Option<String>,
    created_by: Option<i64>,
    published_by: Option<i64>,
    published_at: Option<i64>,
    live_from: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<VersionRow> for FeatureVersion {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> StoreResult<Self> {
        Ok(Self {
            id: FeatureVersionId::new(row.id),
            uuid: crate::error::uuid(Noun::FeatureVersion, row.id, &row.uuid)?,
            environment_id: EnvironmentId::new(row.environment_id),
            feature_id: FeatureId::new(row.feature_id),
            description: row.description,
            created_by: row.created_by.map(MemberId::new),
            published_by: row.published_by.map(MemberId::new),
            published_at: row.published_at.map(Timestamp::from_micros),
            live_from: row.live_from.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

/// A version, to be followed by a condition.
macro_rules! select_versions {
    ($rest:literal) => {
        concat!(
            "SELECT id, uuid, environment_id, feature_id, description, created_by, published_by,
                published_at, live_from, created_at, updated_at
            FROM feature_versions WHERE deleted_at IS NULL AND ",
            $rest
        )
    };
}

/// The published version of feature `$2` in environment `$1` whose time came last, as of `$3`.
const LIVE: &str = select_versions!(
    "environment_id = $1 AND feature_id = $2 AND published_at IS NOT NULL AND live_from <= $3
    ORDER BY live_from DESC, id DESC LIMIT 1"
);

/// The states that belong to version `$1`.
const STATES: &str = select_states!(
    "WHERE s.feature_version_id = $1 AND s.deleted_at IS NULL AND l.deleted_at IS NULL ORDER BY s.id"
);

impl Transaction {
    /// The states that belong to a version, in order of their ids.
    pub(crate) async fn version_states(
        &mut self,
        version: FeatureVersionId,
    ) -> StoreResult<Vec<FeatureState>> {
        let rows: Vec<StateRow> = on_transaction!(&mut *self, |connection| {
            sqlx::query_as(STATES)
                .bind(version.get())
                .fetch_all(connection)
                .await
        })?;
        self.with_weights(rows).await
    }
}

impl Store {
    /// The published versions of an environment whose time has not come, the next one first; at most 1,000.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn scheduled_versions(
        &self,
        environment: EnvironmentId,
        now: Timestamp,
    ) -> StoreResult<Vec<FeatureVersion>> {
        const SQL: &str = select_versions!(
            "environment_id = $1 AND published_at IS NOT NULL AND live_from > $2
            ORDER BY live_from, id LIMIT 1000"
        );
        let rows: Vec<VersionRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(FeatureVersion::try_from).collect()
    }

    /// A version by its stable id, wherever it is.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_version(&self, uuid: Uuid) -> StoreResult<Option<FeatureVersion>> {
        const SQL: &str = select_versions!("uuid = $1");
        let row: Option<VersionRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        row.map(FeatureVersion::try_from).transpose()
    }

    /// The version of a feature that is live in an environment: of the published ones the one whose time came last.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_feature_version(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        now: Timestamp,
    ) -> StoreResult<Option<FeatureVersion>> {
        let row: Option<VersionRow> = on_backend!(self, |pool| {
            sqlx::query_as(LIVE)
                .bind(environment.get())
                .bind(feature.get())
                .bind(now.micros())
                .fetch_optional(pool)
                .await
        })?;
        row.map(FeatureVersion::try_from).transpose()
    }

    /// The published version that goes before another one: the last whose time lies before that one's, or before now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn previous_feature_version(
        &self,
        version: &FeatureVersion,
        now: Timestamp,
    ) -> StoreResult<Option<FeatureVersion>> {
        const SQL: &str = select_versions!(
            "environment_id = $1 AND feature_id = $2 AND published_at IS NOT NULL AND live_from < $3
                AND id <> $4
            ORDER BY live_from DESC, id DESC LIMIT 1"
        );
        let before = version.live_from.unwrap_or(now);
        let row: Option<VersionRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(version.environment_id.get())
                .bind(version.feature_id.get())
                .bind(before.micros())
                .bind(version.id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(FeatureVersion::try_from).transpose()
    }

    /// Versions of a feature in an environment: drafts without a plan, then the others by their time, latest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_versions(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
        filter: VersionFilter,
        now: Timestamp,
        page: PageRequest,
    ) -> StoreResult<Page<FeatureVersion>> {
        macro_rules! filtered {
            ($begin:literal, $end:literal) => {
                concat!(
                    $begin,
                    select_versions!(
                        "environment_id = $1 AND feature_id = $2
                        AND ($4 IS NULL
                            OR ($4 AND published_at IS NOT NULL AND live_from <= $3)
                            OR (NOT $4 AND (published_at IS NULL OR live_from > $3)))"
                    ),
                    $end
                )
            };
        }
        const COUNT: &str = filtered!("SELECT COUNT(*) FROM (", ") counted");
        const SQL: &str = filtered!(
            "",
            " ORDER BY live_from DESC NULLS FIRST, id DESC LIMIT $5 OFFSET $6"
        );
        let total: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(COUNT)
                .bind(environment.get())
                .bind(feature.get())
                .bind(now.micros())
                .bind(filter.is_live)
                .fetch_one(pool)
                .await
        })?;
        let rows: Vec<VersionRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(feature.get())
                .bind(now.micros())
                .bind(filter.is_live)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(pool)
                .await
        })?;
        let items: StoreResult<_> = rows.into_iter().map(FeatureVersion::try_from).collect();
        Ok(Page {
            items: items?,
            total,
        })
    }

    /// The states that belong to a version, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_version_states(
        &self,
        version: FeatureVersionId,
    ) -> StoreResult<Vec<FeatureState>> {
        self.begin_reading().await?.version_states(version).await
    }
}
