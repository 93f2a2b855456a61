//! Segments with their rules and conditions.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::{Noun, optional_word};
use crate::page::{Page, PageRequest};
use crate::segment_rules::rules_of;
use crate::text::{can_be_part, contains_pattern};
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{FeatureId, Hash, ProjectId, Rule, Segment, SegmentId, Timestamp, fold};
use std::sync::Arc;
use uuid::Uuid;

/// A segment to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSegment {
    /// Stable id.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The one feature it may override.
    pub feature_id: Option<FeatureId>,
    /// Shown name; need not be unique.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// What percentages are hashed by, unique in the project; its own row id when `None`.
    pub hash_key: Option<Arc<str>>,
    /// What places identities in its percentages; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// All of them must hold.
    pub rules: Vec<Rule>,
}

/// Which segments are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SegmentFilter {
    /// Part of a name, without regard to case.
    pub search: Option<String>,
    /// False: leave out those that belong to one feature.
    pub include_feature_specific: bool,
}

#[derive(sqlx::FromRow)]
pub(crate) struct SegmentRow {
    pub(crate) id: i64,
    uuid: String,
    project_id: i64,
    feature_id: Option<i64>,
    name: String,
    description: Option<String>,
    hash_key: String,
    hash: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl SegmentRow {
    pub(crate) fn segment(self, rules: Vec<Rule>) -> StoreResult<Segment> {
        Ok(Segment {
            id: SegmentId::new(self.id),
            uuid: crate::error::uuid(Noun::Segment, self.id, &self.uuid)?,
            project_id: ProjectId::new(self.project_id),
            feature_id: self.feature_id.map(FeatureId::new),
            name: self.name,
            description: self.description,
            hash_key: self.hash_key.into(),
            hash: optional_word(Noun::Segment, self.id, Hash::parse, self.hash.as_deref())?,
            rules,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            r"SELECT id, uuid, project_id, feature_id, name, description, hash_key, hash, created_at,
                updated_at
            FROM segments ",
            $rest
        )
    };
}

impl Store {
    /// A segment by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segment(&self, id: SegmentId) -> StoreResult<Option<Segment>> {
        const SQL: &str = select!("WHERE id = $1 AND deleted_at IS NULL");
        let mut reading = self.begin_reading().await?;
        let row: Option<SegmentRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(connection)
                .await
        })?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut rules = reading.segment_rules(&[row.id]).await?;
        let own = rules_of(&mut rules, row.id);
        row.segment(own).map(Some)
    }

    /// A segment by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segment_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Segment>> {
        const SQL: &str = select!("WHERE uuid = $1 AND deleted_at IS NULL");
        let mut reading = self.begin_reading().await?;
        let row: Option<SegmentRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(connection)
                .await
        })?;
        let mut segments = reading.with_rules(row.into_iter().collect()).await?;
        Ok(segments.pop())
    }

    /// Segments of a project, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segments(
        &self,
        project: ProjectId,
        filter: &SegmentFilter,
        page: PageRequest,
    ) -> StoreResult<Page<Segment>> {
        const COUNT: &str = r"
            SELECT COUNT(*) FROM segments
            WHERE project_id = $1 AND deleted_at IS NULL AND name_folded LIKE $2 ESCAPE '\'
                AND (feature_id IS NULL OR $3)";
        const SQL: &str = select!(
            r"WHERE project_id = $1 AND deleted_at IS NULL AND name_folded LIKE $2 ESCAPE '\'
                AND (feature_id IS NULL OR $3)
            ORDER BY id LIMIT $4 OFFSET $5"
        );
        if filter
            .search
            .as_deref()
            .is_some_and(|text| !can_be_part(text))
        {
            return Ok(Page::default());
        }
        let search = contains_pattern(&fold(filter.search.as_deref().unwrap_or_default()));
        let mut reading = self.begin_reading().await?;
        let total: i64 = on_transaction!(&mut reading, |connection| {
            sqlx::query_scalar(COUNT)
                .bind(project.get())
                .bind(&search)
                .bind(filter.include_feature_specific)
                .fetch_one(connection)
                .await
        })?;
        let rows: Vec<SegmentRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .bind(&search)
                .bind(filter.include_feature_specific)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(connection)
                .await
        })?;
        Ok(Page {
            items: reading.with_rules(rows).await?,
            total,
        })
    }

    /// How many segments a project has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_segments(&self, project: ProjectId) -> StoreResult<i64> {
        const SQL: &str =
            "SELECT COUNT(*) FROM segments WHERE project_id = $1 AND deleted_at IS NULL";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .fetch_one(pool)
                .await
        })?)
    }
}

impl Write {
    /// Makes a segment.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken hash key.
    pub async fn insert_segment(
        &mut self,
        new: &NewSegment,
        at: Timestamp,
    ) -> StoreResult<Segment> {
        const SQL: &str = "
            INSERT INTO segments (uuid, project_id, feature_id, name, name_folded, description, hash_key,
                created_at, updated_at, hash)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)
            RETURNING id";
        const KEY: &str = "UPDATE segments SET hash_key = $2 WHERE id = $1";
        const ONE: &str = select!("WHERE id = $1");
        // A key of its own until the row id is known.
        let first_key = match &new.hash_key {
            Some(key) => key.to_string(),
            None => new.uuid.to_string(),
        };
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(new.feature_id.map(FeatureId::get))
                .bind(&new.name)
                .bind(fold(&new.name))
                .bind(&new.description)
                .bind(first_key)
                .bind(at.micros())
                .bind(new.hash.map(Hash::name))
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Segment))?;
        if new.hash_key.is_none() {
            let key = self.free_hash_key(new.project_id, id).await?;
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(KEY)
                    .bind(id)
                    .bind(key)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        let rules = self.insert_rules(SegmentId::new(id), &new.rules).await?;
        let row: SegmentRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(ONE).bind(id).fetch_one(connection).await
        })?;
        row.segment(rules)
    }

    /// The row id as a hash key, or the first free number above all keys when an imported segment has it.
    async fn free_hash_key(&mut self, project: ProjectId, id: i64) -> StoreResult<String> {
        const SQL: &str = "SELECT hash_key FROM segments WHERE project_id = $1";
        let keys: Vec<String> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .fetch_all(connection)
                .await
        })?;
        let own = id.to_string();
        if !keys.contains(&own) {
            return Ok(own);
        }
        let highest = keys.iter().filter_map(|key| key.parse::<i64>().ok()).max();
        Ok((highest.unwrap_or(id).max(id) + 1).to_string())
    }

    /// Writes name, description, hash and time of a segment.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_segment(&mut self, segment: &Segment) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE segments SET name = $2, name_folded = $3, description = $4, updated_at = $5,
                hash = $6
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Segment,
            SQL,
            segment.id.get(),
            &segment.name,
            fold(&segment.name),
            &segment.description,
            segment.updated_at.micros(),
            segment.hash.map(Hash::name)
        )
    }

    /// Deletes a segment with its overrides.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_segment(&mut self, id: SegmentId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE segments SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const STATES: &str = "
            UPDATE feature_states SET deleted_at = $2
            WHERE deleted_at IS NULL
                AND feature_segment_id IN (SELECT id FROM feature_segments WHERE segment_id = $1)";
        const LINKS: &str = "
            UPDATE feature_segments SET deleted_at = $2 WHERE segment_id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        self.mark_deleted(STATES, id.get(), at).await?;
        self.mark_deleted(LINKS, id.get(), at).await?;
        crate::error::changed(done, Noun::Segment)
    }
}

impl crate::backend::Transaction {
    /// Segments with their rules.
    pub(crate) async fn with_rules(&mut self, rows: Vec<SegmentRow>) -> StoreResult<Vec<Segment>> {
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut rules = self.segment_rules(&ids).await?;
        let mut segments = Vec::with_capacity(rows.len());
        for row in rows {
            let own = rules_of(&mut rules, row.id);
            segments.push(row.segment(own)?);
        }
        Ok(segments)
    }
}
