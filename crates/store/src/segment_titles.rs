//! What is shown of segments where only their names matter.

use crate::backend::on_backend;
use crate::text::{CHUNK, placeholders};
use crate::{Store, StoreResult};
use flagstaff_core::{FeatureId, SegmentId};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;

/// A segment's name, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentTitle {
    /// Shown name.
    pub name: String,
    /// The one feature it may override.
    pub feature_id: Option<FeatureId>,
}

impl Store {
    /// The titles of segments; those that are not there are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn segment_titles(
        &self,
        ids: &[SegmentId],
    ) -> StoreResult<HashMap<SegmentId, SegmentTitle>> {
        let mut titles = HashMap::new();
        for ids in ids.chunks(CHUNK) {
            let sql = format!(
                "SELECT id, name, feature_id FROM segments
                WHERE id IN ({}) AND deleted_at IS NULL",
                placeholders(1, ids.len())
            );
            let rows: Vec<(i64, String, Option<i64>)> = on_backend!(self, |pool| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for id in ids {
                    query = query.bind(id.get());
                }
                query.fetch_all(pool).await
            })?;
            let title = |(id, name, feature_id): (i64, String, Option<i64>)| {
                let feature_id = feature_id.map(FeatureId::new);
                (SegmentId::new(id), SegmentTitle { name, feature_id })
            };
            titles.extend(rows.into_iter().map(title));
        }
        Ok(titles)
    }
}
