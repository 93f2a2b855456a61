//! Features.

use crate::backend::{on_backend, on_transaction};
use crate::error::Noun;
use crate::members::MemberRow;
use crate::multivariate_options::NewOption;
use crate::page::{Page, PageRequest};
use crate::text::{can_be_part, contains_pattern, folded_key};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, Feature, FeatureId, FeatureKind, FeatureName, Member, MemberId, ProjectId,
    Timestamp, fold,
};
use uuid::Uuid;

/// A feature to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFeature {
    /// Row id to be used if it is free.
    pub id: Option<FeatureId>,
    /// Stable id.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Unique within the project without regard to case.
    pub name: FeatureName,
    /// Whether it has variants.
    pub kind: FeatureKind,
    /// Whether it starts enabled.
    pub default_enabled: bool,
    /// The value it starts with, as text.
    pub initial_value: Option<String>,
    /// Free text.
    pub description: Option<String>,
    /// Hidden by dashboards.
    pub is_archived: bool,
    /// Not for client-side keys.
    pub is_server_key_only: bool,
    /// Its options, in the order of their buckets.
    pub options: Vec<NewOption>,
    /// Who looks after it.
    pub owners: Vec<MemberId>,
}

/// The order of a list of features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FeatureSort {
    /// As they were made.
    #[default]
    Created,
    /// Newest first.
    CreatedDescending,
    /// By name, without regard to case.
    Name,
    /// By name, from the end.
    NameDescending,
}

/// Which features are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FeatureFilter {
    /// Part of a name, without regard to case.
    pub search: Option<String>,
    /// Only archived ones, or only others.
    pub is_archived: Option<bool>,
    /// Order.
    pub sort: FeatureSort,
}

/// How many overrides a feature has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overrides {
    /// For segments.
    pub segments: i64,
    /// For identities.
    pub identities: i64,
}

#[derive(sqlx::FromRow)]
pub(crate) struct FeatureRow {
    id: i64,
    uuid: String,
    project_id: i64,
    name: String,
    kind: String,
    default_enabled: bool,
    initial_value: Option<String>,
    description: Option<String>,
    is_archived: bool,
    is_server_key_only: bool,
    created_at: i64,
}

impl TryFrom<FeatureRow> for Feature {
    type Error = StoreError;

    fn try_from(row: FeatureRow) -> StoreResult<Self> {
        let corrupt = |problem: String| StoreError::Corrupt {
            noun: Noun::Feature,
            id: row.id,
            problem,
        };
        Ok(Self {
            id: FeatureId::new(row.id),
            uuid: crate::error::uuid(Noun::Feature, row.id, &row.uuid)?,
            project_id: ProjectId::new(row.project_id),
            name: FeatureName::parse(&row.name).map_err(|error| corrupt(error.to_string()))?,
            kind: match row.kind.as_str() {
                "standard" => FeatureKind::Standard,
                "multivariate" => FeatureKind::Multivariate,
                other => return Err(corrupt(format!("`{other}` is no kind of feature"))),
            },
            default_enabled: row.default_enabled,
            initial_value: row.initial_value,
            description: row.description,
            is_archived: row.is_archived,
            is_server_key_only: row.is_server_key_only,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, uuid, project_id, name, kind, default_enabled, initial_value, description,
                is_archived, is_server_key_only, created_at
            FROM features ",
            $rest
        )
    };
}

macro_rules! sorted {
    ($order:literal) => {
        concat!(
            r"SELECT id, uuid, project_id, name, kind, default_enabled, initial_value, description,
                is_archived, is_server_key_only, created_at
            FROM features
            WHERE project_id = $1 AND deleted_at IS NULL
                AND name_folded LIKE $2 ESCAPE '\' AND ($3 IS NULL OR is_archived = $3)
            ORDER BY ",
            $order,
            " LIMIT $4 OFFSET $5"
        )
    };
}

impl Store {
    /// A feature by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature(&self, id: FeatureId) -> StoreResult<Option<Feature>> {
        const SQL: &str = select!("WHERE id = $1 AND deleted_at IS NULL");
        let row: Option<FeatureRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Feature::try_from).transpose()
    }

    /// Features of a project.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn features(
        &self,
        project: ProjectId,
        filter: &FeatureFilter,
        page: PageRequest,
    ) -> StoreResult<Page<Feature>> {
        const COUNT: &str = r"
            SELECT COUNT(*) FROM features
            WHERE project_id = $1 AND deleted_at IS NULL
                AND name_folded LIKE $2 ESCAPE '\' AND ($3 IS NULL OR is_archived = $3)";
        let sql = match filter.sort {
            FeatureSort::Created => sorted!("id"),
            FeatureSort::CreatedDescending => sorted!("id DESC"),
            FeatureSort::Name => sorted!("name_folded, id"),
            FeatureSort::NameDescending => sorted!("name_folded DESC, id"),
        };
        if filter
            .search
            .as_deref()
            .is_some_and(|text| !can_be_part(text))
        {
            return Ok(Page::default());
        }
        let search = contains_pattern(&fold(filter.search.as_deref().unwrap_or_default()));
        let total: i64 = on_backend!(self, |pool| {
            sqlx::query_scalar(COUNT)
                .bind(project.get())
                .bind(&search)
                .bind(filter.is_archived)
                .fetch_one(pool)
                .await
        })?;
        let rows: Vec<FeatureRow> = on_backend!(self, |pool| {
            sqlx::query_as(sql)
                .bind(project.get())
                .bind(&search)
                .bind(filter.is_archived)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(pool)
                .await
        })?;
        let items: StoreResult<_> = rows.into_iter().map(Feature::try_from).collect();
        Ok(Page {
            items: items?,
            total,
        })
    }

    /// How many features a project has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_features(&self, project: ProjectId) -> StoreResult<i64> {
        const SQL: &str =
            "SELECT COUNT(*) FROM features WHERE project_id = $1 AND deleted_at IS NULL";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .fetch_one(pool)
                .await
        })?)
    }

    /// How many overrides a feature has, in one environment or in all.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_overrides(
        &self,
        feature: FeatureId,
        environment: Option<EnvironmentId>,
    ) -> StoreResult<Overrides> {
        const SQL: &str = "
            SELECT COUNT(feature_segment_id), COUNT(identity_id) FROM feature_states
            WHERE feature_id = $1 AND deleted_at IS NULL AND ($2 IS NULL OR environment_id = $2)";
        let (segments, identities): (i64, i64) = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(feature.get())
                .bind(environment.map(EnvironmentId::get))
                .fetch_one(pool)
                .await
        })?;
        Ok(Overrides {
            segments,
            identities,
        })
    }

    /// Who looks after a feature, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_owners(&self, feature: FeatureId) -> StoreResult<Vec<Member>> {
        const SQL: &str = "
            SELECT m.id, m.uuid, m.email, m.first_name, m.last_name, m.is_superuser, m.is_active,
                m.sign_up_type, m.created_at, m.last_login
            FROM members m JOIN feature_owners o ON o.member_id = m.id
            WHERE o.feature_id = $1 AND m.deleted_at IS NULL
            ORDER BY m.id";
        let rows: Vec<MemberRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(feature.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(Member::try_from).collect()
    }
}

impl Write {
    /// Makes a feature with its options; [`Write::start_feature`] makes its states.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken name or option key.
    pub async fn insert_feature(
        &mut self,
        new: &NewFeature,
        at: Timestamp,
    ) -> StoreResult<Feature> {
        const SQL: &str = "
            INSERT INTO features (uuid, project_id, name, name_folded, kind, default_enabled,
                initial_value, description, is_archived, is_server_key_only, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            RETURNING id";
        const ONE: &str = select!("WHERE id = $1");
        let kind = match new.kind {
            FeatureKind::Standard => "standard",
            FeatureKind::Multivariate => "multivariate",
        };
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(new.name.as_str())
                .bind(folded_key(new.name.as_str()))
                .bind(kind)
                .bind(new.default_enabled)
                .bind(&new.initial_value)
                .bind(&new.description)
                .bind(new.is_archived)
                .bind(new.is_server_key_only)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Feature))?;
        let id = self
            .keep_id("features", id, new.id.map(FeatureId::get))
            .await?;
        for owner in &new.owners {
            self.insert_feature_owner(FeatureId::new(id), *owner)
                .await?;
        }
        for option in &new.options {
            self.insert_option(FeatureId::new(id), option, at).await?;
        }
        let row: FeatureRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(ONE).bind(id).fetch_one(connection).await
        })?;
        Feature::try_from(row)
    }

    /// Makes somebody look after a feature.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_feature_owner(
        &mut self,
        feature: FeatureId,
        member: MemberId,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO feature_owners (feature_id, member_id) VALUES ($1, $2)
            ON CONFLICT (feature_id, member_id) DO NOTHING";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(feature.get())
                .bind(member.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Writes every field of a feature that can change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_feature(&mut self, feature: &Feature) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE features SET description = $2, is_archived = $3, is_server_key_only = $4
            WHERE id = $1 AND deleted_at IS NULL";
        let done = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(feature.id.get())
                .bind(&feature.description)
                .bind(feature.is_archived)
                .bind(feature.is_server_key_only)
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })?;
        crate::error::changed(done, Noun::Feature)
    }

    /// Deletes a feature with its states, overrides and own segments.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_feature(&mut self, id: FeatureId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE features SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const STATES: &str = "
            UPDATE feature_states SET deleted_at = $2 WHERE feature_id = $1 AND deleted_at IS NULL";
        const LINKS: &str = "
            UPDATE feature_segments SET deleted_at = $2 WHERE feature_id = $1 AND deleted_at IS NULL";
        const SEGMENTS: &str =
            "UPDATE segments SET deleted_at = $2 WHERE feature_id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        self.mark_deleted(STATES, id.get(), at).await?;
        self.mark_deleted(LINKS, id.get(), at).await?;
        self.mark_deleted(SEGMENTS, id.get(), at).await?;
        crate::error::changed(done, Noun::Feature)
    }
}
