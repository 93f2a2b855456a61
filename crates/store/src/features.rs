//! Features.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::{Noun, optional_word, word};
use crate::multivariate_options::NewOption;
use crate::text::folded_key;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    Feature, FeatureId, FeatureKind, FeatureName, Hash, MemberId, ProjectId, TagId, Timestamp,
    ValueType,
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
    /// What places identities among its variants; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// What kind of values it has.
    pub value_type: ValueType,
    /// The first microsecond (UTC) of the day by which it is expected to be gone from the code.
    pub expected_removal: Option<Timestamp>,
    /// Its options, in the order of their buckets.
    pub options: Vec<NewOption>,
    /// Who looks after it.
    pub owners: Vec<MemberId>,
    /// What it is sorted by.
    pub tags: Vec<TagId>,
}

/// How many overrides a feature has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overrides {
    /// For segments.
    pub segments: i64,
    /// For identities.
    pub identities: i64,
}

/// The word a kind of feature is stored as.
pub(crate) const fn kind_text(kind: FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Standard => "standard",
        FeatureKind::Multivariate => "multivariate",
    }
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
    hash: Option<String>,
    value_type: String,
    expected_removal: Option<i64>,
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
        let (id, noun) = (row.id, Noun::Feature);
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
            hash: optional_word(noun, id, Hash::parse, row.hash.as_deref())?,
            value_type: word(noun, id, ValueType::parse, &row.value_type)?,
            expected_removal: row.expected_removal.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, uuid, project_id, name, kind, default_enabled, initial_value, description,
                is_archived, is_server_key_only, hash, value_type, expected_removal, created_at
            FROM features ",
            $rest
        )
    };
}

pub(crate) use select;

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

    /// A feature of a project by its exact name.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_by_name(
        &self,
        project: ProjectId,
        name: &FeatureName,
    ) -> StoreResult<Option<Feature>> {
        const SQL: &str =
            select!("WHERE project_id = $1 AND name_folded = $2 AND deleted_at IS NULL");
        let row: Option<FeatureRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .bind(folded_key(name.as_str()))
                .fetch_optional(pool)
                .await
        })?;
        let feature = row.map(Feature::try_from).transpose()?;
        Ok(feature.filter(|feature| feature.name == *name))
    }

    /// A feature by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Feature>> {
        const SQL: &str = select!("WHERE uuid = $1 AND deleted_at IS NULL");
        let row: Option<FeatureRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Feature::try_from).transpose()
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
                initial_value, description, is_archived, is_server_key_only, hash, value_type,
                expected_removal, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            RETURNING id";
        const ONE: &str = select!("WHERE id = $1");
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(new.name.as_str())
                .bind(folded_key(new.name.as_str()))
                .bind(kind_text(new.kind))
                .bind(new.default_enabled)
                .bind(&new.initial_value)
                .bind(&new.description)
                .bind(new.is_archived)
                .bind(new.is_server_key_only)
                .bind(new.hash.map(Hash::name))
                .bind(new.value_type.name())
                .bind(new.expected_removal.map(Timestamp::micros))
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
        self.set_feature_tags(FeatureId::new(id), &new.tags).await?;
        for option in &new.options {
            self.insert_option(FeatureId::new(id), option, at).await?;
        }
        let row: FeatureRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(ONE).bind(id).fetch_one(connection).await
        })?;
        Feature::try_from(row)
    }

    /// Writes every field of a feature that can change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_feature(&mut self, feature: &Feature) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE features SET description = $2, is_archived = $3, is_server_key_only = $4, kind = $5,
                hash = $6, value_type = $7, expected_removal = $8
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Feature,
            SQL,
            feature.id.get(),
            &feature.description,
            feature.is_archived,
            feature.is_server_key_only,
            kind_text(feature.kind),
            feature.hash.map(Hash::name),
            feature.value_type.name(),
            feature.expected_removal.map(Timestamp::micros)
        )
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
        const VERSIONS: &str = "
            UPDATE feature_versions SET deleted_at = $2 WHERE feature_id = $1 AND deleted_at IS NULL";
        const SEGMENTS: &str =
            "UPDATE segments SET deleted_at = $2 WHERE feature_id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        self.mark_deleted(STATES, id.get(), at).await?;
        self.mark_deleted(LINKS, id.get(), at).await?;
        self.mark_deleted(VERSIONS, id.get(), at).await?;
        self.mark_deleted(SEGMENTS, id.get(), at).await?;
        crate::error::changed(done, Noun::Feature)
    }
}
