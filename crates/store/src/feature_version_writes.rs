//! Making, publishing and deleting versions of features.

use crate::backend::{change_row, on_transaction};
use crate::error::Noun;
use crate::feature_segments::NewFeatureSegment;
use crate::feature_states::{NewFeatureState, NewStateOwner, NewWeight};
use crate::{StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureState, FeatureVersion, FeatureVersionId, MemberId, StateOwner,
    Timestamp,
};
use std::sync::Arc;
use uuid::Uuid;

/// A version to be made, still without states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFeatureVersion {
    /// Stable id.
    pub uuid: Uuid,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The feature.
    pub feature_id: FeatureId,
    /// Free text.
    pub description: Option<String>,
    /// Who makes it.
    pub created_by: Option<MemberId>,
    /// When it is to become true; a published one has to have a time.
    pub live_from: Option<Timestamp>,
    /// Published from the start.
    pub is_published: bool,
}

impl Write {
    /// Makes a version without states.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_feature_version(
        &mut self,
        new: &NewFeatureVersion,
        at: Timestamp,
    ) -> StoreResult<FeatureVersion> {
        const SQL: &str = "
            INSERT INTO feature_versions (uuid, environment_id, feature_id, description, created_by,
                published_at, live_from, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            RETURNING id";
        let published_at = new.is_published.then_some(at);
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.environment_id.get())
                .bind(new.feature_id.get())
                .bind(&new.description)
                .bind(new.created_by.map(MemberId::get))
                .bind(published_at.map(Timestamp::micros))
                .bind(new.live_from.map(Timestamp::micros))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::FeatureVersion))?;
        Ok(FeatureVersion {
            id: FeatureVersionId::new(id),
            uuid: new.uuid,
            environment_id: new.environment_id,
            feature_id: new.feature_id,
            description: new.description.clone(),
            created_by: new.created_by,
            published_by: None,
            published_at,
            live_from: new.live_from,
            created_at: at,
            updated_at: at,
        })
    }

    /// Copies states into a version; what variants are hashed by goes along. Answers the copies, in the same order.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn copy_states(
        &mut self,
        states: &[FeatureState],
        version: &FeatureVersion,
        at: Timestamp,
    ) -> StoreResult<Vec<FeatureState>> {
        let mut copies = Vec::with_capacity(states.len());
        for state in states {
            let owner = match &state.owner {
                StateOwner::Environment => NewStateOwner::Environment,
                StateOwner::Segment(link) => {
                    let new = NewFeatureSegment {
                        uuid: Uuid::new_v4(),
                        feature_id: version.feature_id,
                        segment_id: link.segment_id,
                        environment_id: version.environment_id,
                        priority: link.priority,
                    };
                    let link = self.insert_version_link(&new, version.id, at).await?;
                    NewStateOwner::Segment(link.id)
                }
                // Overrides of identities stand for themselves.
                StateOwner::Identity { .. } => continue,
            };
            let weights = state.weights.iter();
            let new = NewFeatureState {
                uuid: Uuid::new_v4(),
                feature_id: version.feature_id,
                environment_id: version.environment_id,
                owner,
                enabled: state.enabled,
                value: state.value.clone(),
                hash_seed: Some(Arc::clone(&state.hash_seed)),
                weights: weights
                    .map(|weight| NewWeight::from((weight.option_id, weight.percentage_allocation)))
                    .collect(),
                version: 1,
                live_from: at,
            };
            copies.push(self.insert_version_state(&new, version.id, at).await?);
        }
        Ok(copies)
    }

    /// Writes who published a version when, from when it is live, and when it changed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn update_feature_version(&mut self, version: &FeatureVersion) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE feature_versions
            SET published_by = $2, published_at = $3, live_from = $4, updated_at = $5
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::FeatureVersion,
            SQL,
            version.id.get(),
            version.published_by.map(MemberId::get),
            version.published_at.map(Timestamp::micros),
            version.live_from.map(Timestamp::micros),
            version.updated_at.micros()
        )
    }

    /// Deletes a version with what belongs to it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_feature_version(
        &mut self,
        id: FeatureVersionId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE feature_versions SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const STATES: &str = "
            UPDATE feature_states SET deleted_at = $2
            WHERE feature_version_id = $1 AND deleted_at IS NULL";
        const LINKS: &str = "
            UPDATE feature_segments SET deleted_at = $2
            WHERE feature_version_id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        self.mark_deleted(STATES, id.get(), at).await?;
        self.mark_deleted(LINKS, id.get(), at).await?;
        crate::error::changed(done, Noun::FeatureVersion)
    }
}
