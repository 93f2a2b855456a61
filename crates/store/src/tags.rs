//! Tags of features.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::{Page, PageRequest, Store, StoreError, StoreResult, Write};
use flagstaff_core::{FeatureId, ProjectId, Tag, TagId, Timestamp};
use uuid::Uuid;

/// A tag to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTag {
    /// Stable id.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// What people read; need not be unique.
    pub label: String,
    /// As style sheets write it.
    pub colour: String,
    /// Free text.
    pub description: Option<String>,
    /// Features that carry it are meant to stay.
    pub is_permanent: bool,
}

#[derive(sqlx::FromRow)]
struct TagRow {
    id: i64,
    uuid: String,
    project_id: i64,
    label: String,
    colour: String,
    description: Option<String>,
    is_permanent: bool,
}

impl TryFrom<TagRow> for Tag {
    type Error = StoreError;

    fn try_from(row: TagRow) -> StoreResult<Self> {
        Ok(Self {
            id: TagId::new(row.id),
            uuid: crate::error::uuid(Noun::Tag, row.id, &row.uuid)?,
            project_id: ProjectId::new(row.project_id),
            label: row.label,
            colour: row.colour,
            description: row.description,
            is_permanent: row.is_permanent,
        })
    }
}

impl Store {
    /// A tag by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tag(&self, id: TagId) -> StoreResult<Option<Tag>> {
        const SQL: &str = "
            SELECT id, uuid, project_id, label, colour, description, is_permanent
            FROM tags WHERE id = $1 AND deleted_at IS NULL";
        let row: Option<TagRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Tag::try_from).transpose()
    }

    /// A tag by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tag_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<Tag>> {
        const SQL: &str = "
            SELECT id, uuid, project_id, label, colour, description, is_permanent
            FROM tags WHERE uuid = $1 AND deleted_at IS NULL";
        let row: Option<TagRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        row.map(Tag::try_from).transpose()
    }

    /// Tags of a project, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tags(&self, project: ProjectId, page: PageRequest) -> StoreResult<Page<Tag>> {
        const SQL: &str = "
            SELECT id, uuid, project_id, label, colour, description, is_permanent
            FROM tags WHERE project_id = $1 AND deleted_at IS NULL
            ORDER BY id LIMIT $2 OFFSET $3";
        let rows: Vec<TagRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(project.get())
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(pool)
                .await
        })?;
        let items: StoreResult<_> = rows.into_iter().map(Tag::try_from).collect();
        Ok(Page {
            items: items?,
            total: self.count_tags(project).await?,
        })
    }

    /// How many tags a project has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_tags(&self, project: ProjectId) -> StoreResult<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM tags WHERE project_id = $1 AND deleted_at IS NULL";
        Ok(on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(project.get())
                .fetch_one(pool)
                .await
        })?)
    }
}

impl Write {
    /// Makes a tag.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_tag(&mut self, new: &NewTag, at: Timestamp) -> StoreResult<Tag> {
        const SQL: &str = "
            INSERT INTO tags (uuid, project_id, label, colour, description, is_permanent, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            RETURNING id, uuid, project_id, label, colour, description, is_permanent";
        let row: TagRow = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(&new.label)
                .bind(&new.colour)
                .bind(&new.description)
                .bind(new.is_permanent)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        Tag::try_from(row)
    }

    /// Writes every field of a tag that can change.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_tag(&mut self, tag: &Tag) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE tags SET label = $2, colour = $3, description = $4, is_permanent = $5
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::Tag,
            SQL,
            tag.id.get(),
            &tag.label,
            &tag.colour,
            &tag.description,
            tag.is_permanent
        )
    }

    /// Deletes a tag and takes it from every feature.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_tag(&mut self, id: TagId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "UPDATE tags SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const CARRIED: &str = "DELETE FROM feature_tags WHERE tag_id = $1";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(CARRIED)
                .bind(id.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        crate::error::changed(done, Noun::Tag)
    }

    /// Sets which tags a feature carries; those not named are taken away.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_feature_tags(
        &mut self,
        feature: FeatureId,
        tags: &[TagId],
    ) -> StoreResult<()> {
        const CLEAR: &str = "DELETE FROM feature_tags WHERE feature_id = $1";
        const SQL: &str = "
            INSERT INTO feature_tags (feature_id, tag_id) VALUES ($1, $2)
            ON CONFLICT (feature_id, tag_id) DO NOTHING";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(CLEAR)
                .bind(feature.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        for tag in tags {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(SQL)
                    .bind(feature.get())
                    .bind(tag.get())
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(())
    }
}
