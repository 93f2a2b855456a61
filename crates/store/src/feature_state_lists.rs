//! Lists of the live feature states of an environment.

use crate::backend::on_transaction;
use crate::feature_states::select_live;
use crate::page::{Page, PageRequest};
use crate::state_rows::StateRow;
use crate::text::{can_be_part, folded_key};
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, FeatureId, FeatureSegmentId, FeatureState, Timestamp};

/// Whose states are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StateOwners {
    /// The environment's defaults.
    #[default]
    Environment,
    /// Overrides of identities.
    Identities,
    /// Defaults and every override.
    All,
}

/// Which states of an environment are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StateFilter {
    /// Of one feature.
    pub feature: Option<FeatureId>,
    /// Of the feature with this name, without regard to case.
    pub feature_name: Option<String>,
    /// Whose.
    pub owners: StateOwners,
    /// Of the override behind one link.
    pub feature_segment: Option<FeatureSegmentId>,
}

impl Store {
    /// Live states of an environment, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_states(
        &self,
        environment: EnvironmentId,
        filter: &StateFilter,
        now: Timestamp,
        page: PageRequest,
    ) -> StoreResult<Page<FeatureState>> {
        if filter
            .feature_name
            .as_deref()
            .is_some_and(|text| !can_be_part(text))
        {
            return Ok(Page::default());
        }
        macro_rules! filtered {
            ($begin:literal, $end:literal) => {
                concat!(
                    $begin,
                    select_live!(
                        "($3 OR s.feature_segment_id IS NULL)
                        AND ($3 OR (s.identity_id IS NOT NULL AND $4)
                            OR (s.identity_id IS NULL AND NOT $4))
                        AND ($5 IS NULL OR s.feature_id = $5)
                        AND ($6 IS NULL OR s.feature_segment_id = $6)
                        AND s.feature_id IN (
                            SELECT f.id FROM features f
                            WHERE f.deleted_at IS NULL AND ($7 IS NULL OR f.name_folded = $7))"
                    ),
                    $end
                )
            };
        }
        const COUNT: &str = filtered!("SELECT COUNT(*) FROM (", ") counted");
        const SQL: &str = filtered!("", " LIMIT $8 OFFSET $9");
        let feature_name = filter.feature_name.as_deref().map(folded_key);
        let mut reading = self.begin_reading().await?;
        let total: i64 = on_transaction!(&mut reading, |connection| {
            sqlx::query_scalar(COUNT)
                .bind(environment.get())
                .bind(now.micros())
                .bind(filter.owners == StateOwners::All)
                .bind(filter.owners == StateOwners::Identities)
                .bind(filter.feature.map(FeatureId::get))
                .bind(filter.feature_segment.map(FeatureSegmentId::get))
                .bind(&feature_name)
                .fetch_one(connection)
                .await
        })?;
        let rows: Vec<StateRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(now.micros())
                .bind(filter.owners == StateOwners::All)
                .bind(filter.owners == StateOwners::Identities)
                .bind(filter.feature.map(FeatureId::get))
                .bind(filter.feature_segment.map(FeatureSegmentId::get))
                .bind(&feature_name)
                .bind(page.limit())
                .bind(page.offset())
                .fetch_all(connection)
                .await
        })?;
        Ok(Page {
            items: reading.with_weights(rows).await?,
            total,
        })
    }
}
