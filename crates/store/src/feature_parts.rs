//! What features are shown with: variants, owners, tags, overrides, times. One question for each kind of thing, for a
//! whole page of features.

use crate::backend::on_backend;
use crate::features::{FeatureRow, select};
use crate::members::MemberRow;
use crate::multivariate_options::OptionRow;
use crate::text::{CHUNK, placeholders};
use crate::{Overrides, Store, StoreResult};
use flagstaff_core::{
    EnvironmentId, Feature, FeatureId, Member, MemberId, MultivariateOption, TagId, Timestamp,
};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, FromRow};
use std::collections::HashMap;

#[derive(FromRow)]
struct OwnerRow {
    feature_id: i64,
    #[sqlx(flatten)]
    member: MemberRow,
}

impl Store {
    /// Features by their ids, in order of these.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn features_by_id(&self, ids: &[FeatureId]) -> StoreResult<Vec<Feature>> {
        let rows: Vec<FeatureRow> = self
            .of_features(ids, &[], |list| {
                let features = select!("WHERE deleted_at IS NULL AND id IN");
                format!("{features} ({list}) ORDER BY id")
            })
            .await?;
        rows.into_iter().map(Feature::try_from).collect()
    }

    /// The options of features, in order of features and of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn options_of_features(
        &self,
        features: &[FeatureId],
    ) -> StoreResult<Vec<MultivariateOption>> {
        let rows: Vec<OptionRow> = self
            .of_features(features, &[], |list| {
                format!(
                    "SELECT id, uuid, feature_id, key, value_type, string_value, integer_value, boolean_value,
                        default_percentage_allocation
                    FROM multivariate_options
                    WHERE deleted_at IS NULL AND feature_id IN ({list}) ORDER BY feature_id, id"
                )
            })
            .await?;
        rows.into_iter().map(MultivariateOption::try_from).collect()
    }

    /// The tags of features, in order of features and tags.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn tags_of_features(
        &self,
        features: &[FeatureId],
    ) -> StoreResult<Vec<(FeatureId, TagId)>> {
        let pairs: Vec<(i64, i64)> = self
            .of_features(features, &[], |list| {
                format!(
                    "SELECT f.feature_id, t.id FROM feature_tags f JOIN tags t ON t.id = f.tag_id
                    WHERE t.deleted_at IS NULL AND f.feature_id IN ({list}) ORDER BY 1, 2"
                )
            })
            .await?;
        let pair = |(feature, tag)| (FeatureId::new(feature), TagId::new(tag));
        Ok(pairs.into_iter().map(pair).collect())
    }

    /// The ids of who looks after features, in order of features and members.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn owners_of_features(
        &self,
        features: &[FeatureId],
    ) -> StoreResult<Vec<(FeatureId, MemberId)>> {
        let pairs: Vec<(i64, i64)> = self
            .of_features(features, &[], |list| {
                format!(
                    "SELECT o.feature_id, m.id FROM feature_owners o JOIN members m ON m.id = o.member_id
                    WHERE m.deleted_at IS NULL AND o.feature_id IN ({list}) ORDER BY 1, 2"
                )
            })
            .await?;
        let pair = |(feature, member)| (FeatureId::new(feature), MemberId::new(member));
        Ok(pairs.into_iter().map(pair).collect())
    }

    /// Who looks after features, in order of features and members.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn feature_owners(
        &self,
        features: &[FeatureId],
    ) -> StoreResult<Vec<(FeatureId, Member)>> {
        let rows: Vec<OwnerRow> = self
            .of_features(features, &[], |list| {
                format!(
                    "SELECT o.feature_id, m.id, m.uuid, m.email, m.first_name, m.last_name, m.is_superuser,
                        m.is_active, m.sign_up_type, m.created_at, m.last_login
                    FROM members m JOIN feature_owners o ON o.member_id = m.id
                    WHERE m.deleted_at IS NULL AND o.feature_id IN ({list}) ORDER BY 1, 2"
                )
            })
            .await?;
        let owner = |row: OwnerRow| {
            let member = Member::try_from(row.member)?;
            Ok((FeatureId::new(row.feature_id), member))
        };
        rows.into_iter().map(owner).collect()
    }

    /// How many live overrides features have, in one environment or in all; those without any are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_overrides(
        &self,
        features: &[FeatureId],
        environment: Option<EnvironmentId>,
        now: Timestamp,
    ) -> StoreResult<HashMap<FeatureId, Overrides>> {
        let parameters = [environment.map(EnvironmentId::get), Some(now.micros())];
        // Of a feature that changes by versions, only the live one counts in each environment.
        let rows: Vec<(i64, i64, i64)> = self
            .of_features(features, &parameters, |list| {
                format!(
                    "SELECT s.feature_id, COUNT(DISTINCT s.feature_segment_id), COUNT(DISTINCT s.identity_id)
                    FROM feature_states s
                    WHERE s.feature_id IN ({list}) AND s.deleted_at IS NULL
                        AND (s.feature_segment_id IS NOT NULL OR s.identity_id IS NOT NULL)
                        AND ($1 IS NULL OR s.environment_id = $1)
                        AND (s.feature_version_id IS NULL OR s.feature_version_id = (
                            SELECT v.id FROM feature_versions v
                            WHERE v.environment_id = s.environment_id AND v.feature_id = s.feature_id
                                AND v.published_at IS NOT NULL AND v.deleted_at IS NULL AND v.live_from <= $2
                            ORDER BY v.live_from DESC, v.id DESC LIMIT 1))
                    GROUP BY s.feature_id"
                )
            })
            .await?;
        let counted = |(feature, segments, identities)| {
            let overrides = Overrides {
                segments,
                identities,
            };
            (FeatureId::new(feature), overrides)
        };
        Ok(rows.into_iter().map(counted).collect())
    }

    /// When what is live of features became true, in each environment where they change by versions; in order of
    /// features and environments.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn last_version_times(
        &self,
        features: &[FeatureId],
        now: Timestamp,
    ) -> StoreResult<Vec<(FeatureId, EnvironmentId, Timestamp)>> {
        let rows: Vec<(i64, i64, i64)> = self
            .of_features(features, &[Some(now.micros())], |list| {
                format!(
                    "SELECT v.feature_id, v.environment_id, MAX(v.live_from)
                    FROM feature_versions v JOIN environments e ON e.id = v.environment_id
                    WHERE v.feature_id IN ({list}) AND v.published_at IS NOT NULL AND v.deleted_at IS NULL
                        AND v.live_from <= $1 AND e.deleted_at IS NULL
                    GROUP BY v.feature_id, v.environment_id ORDER BY 1, 2"
                )
            })
            .await?;
        let time = |(feature, environment, at)| {
            (
                FeatureId::new(feature),
                EnvironmentId::new(environment),
                Timestamp::from_micros(at),
            )
        };
        Ok(rows.into_iter().map(time).collect())
    }

    /// Asks a question about features, with a list of placeholders for their ids after those of other parameters; in
    /// parts where there are more ids than one statement takes.
    async fn of_features<R>(
        &self,
        features: &[FeatureId],
        parameters: &[Option<i64>],
        question: impl Fn(&str) -> String,
    ) -> StoreResult<Vec<R>>
    where
        R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let mut rows = Vec::new();
        for features in features.chunks(CHUNK) {
            let sql = question(&placeholders(parameters.len() + 1, features.len()));
            let found: Vec<R> = on_backend!(self, |pool| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for parameter in parameters {
                    query = query.bind(*parameter);
                }
                for feature in features {
                    query = query.bind(feature.get());
                }
                query.fetch_all(pool).await
            })?;
            rows.extend(found);
        }
        Ok(rows)
    }
}
