//! Options of multivariate features.

use crate::backend::{change_row, on_backend, on_transaction};
use crate::error::Noun;
use crate::feature_states::kind_of;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{
    FeatureId, FeatureStateId, MultivariateOption, OptionId, StateValue, Timestamp,
};
use uuid::Uuid;

/// An option to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOption {
    /// Row id to be used if it is free.
    pub id: Option<OptionId>,
    /// Stable id.
    pub uuid: Uuid,
    /// Its name, unique within the feature.
    pub key: Option<String>,
    /// Its value.
    pub value: StateValue,
    /// Percent a new environment starts with.
    pub default_percentage_allocation: f64,
}

#[derive(sqlx::FromRow)]
pub(crate) struct OptionRow {
    id: i64,
    uuid: String,
    feature_id: i64,
    key: Option<String>,
    value_type: String,
    string_value: Option<String>,
    integer_value: Option<i64>,
    boolean_value: Option<bool>,
    default_percentage_allocation: f64,
}

impl TryFrom<OptionRow> for MultivariateOption {
    type Error = StoreError;

    fn try_from(row: OptionRow) -> StoreResult<Self> {
        let noun = Noun::MultivariateOption;
        Ok(Self {
            id: OptionId::new(row.id),
            uuid: crate::error::uuid(noun, row.id, &row.uuid)?,
            feature_id: FeatureId::new(row.feature_id),
            key: row.key,
            value: StateValue {
                kind: kind_of(noun, row.id, &row.value_type)?,
                text: row.string_value,
                integer: row.integer_value,
                boolean: row.boolean_value,
            },
            default_percentage_allocation: row.default_percentage_allocation,
        })
    }
}

const OF_FEATURE: &str = "
    SELECT id, uuid, feature_id, key, value_type, string_value, integer_value, boolean_value,
        default_percentage_allocation
    FROM multivariate_options
    WHERE feature_id = $1 AND deleted_at IS NULL
    ORDER BY id";

impl Store {
    /// The options of a feature, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn options(&self, feature: FeatureId) -> StoreResult<Vec<MultivariateOption>> {
        let rows: Vec<OptionRow> = on_backend!(self, |pool| {
            sqlx::query_as(OF_FEATURE)
                .bind(feature.get())
                .fetch_all(pool)
                .await
        })?;
        rows.into_iter().map(MultivariateOption::try_from).collect()
    }

    /// An option by its stable id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn option_by_uuid(&self, uuid: Uuid) -> StoreResult<Option<MultivariateOption>> {
        const SQL: &str = "
            SELECT id, uuid, feature_id, key, value_type, string_value, integer_value, boolean_value,
                default_percentage_allocation
            FROM multivariate_options
            WHERE uuid = $1 AND deleted_at IS NULL";
        let row: Option<OptionRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(uuid.to_string())
                .fetch_optional(pool)
                .await
        })?;
        row.map(MultivariateOption::try_from).transpose()
    }
}

impl Write {
    /// Makes an option of a feature.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a taken key.
    pub async fn insert_option(
        &mut self,
        feature: FeatureId,
        new: &NewOption,
        at: Timestamp,
    ) -> StoreResult<OptionId> {
        const SQL: &str = "
            INSERT INTO multivariate_options (uuid, feature_id, key, value_type, string_value,
                integer_value, boolean_value, default_percentage_allocation, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            RETURNING id";
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(feature.get())
                .bind(&new.key)
                .bind(crate::feature_states::kind_text(new.value.kind))
                .bind(&new.value.text)
                .bind(new.value.integer)
                .bind(new.value.boolean)
                .bind(new.default_percentage_allocation)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::MultivariateOption))?;
        let wanted = new.id.map(OptionId::get);
        let id = self.keep_id("multivariate_options", id, wanted).await?;
        Ok(OptionId::new(id))
    }

    /// Writes every field of an option that can change. Weights that states give it stay.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::Conflict`] for a taken key.
    pub async fn update_option(&mut self, option: &MultivariateOption) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE multivariate_options
            SET key = $2, value_type = $3, string_value = $4, integer_value = $5, boolean_value = $6,
                default_percentage_allocation = $7
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::MultivariateOption,
            SQL,
            option.id.get(),
            &option.key,
            crate::feature_states::kind_text(option.value.kind),
            &option.value.text,
            option.value.integer,
            option.value.boolean,
            option.default_percentage_allocation
        )
    }

    /// Deletes an option with every weight that a state gives it, overrides and older versions included.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_option(&mut self, id: OptionId, at: Timestamp) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE multivariate_options SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        const WEIGHTS: &str = "DELETE FROM variant_weights WHERE option_id = $1";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(WEIGHTS)
                .bind(id.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        crate::error::changed(done, Noun::MultivariateOption)
    }

    /// Gives an option its weight in every default of its feature, drafts and older versions included: as much of it
    /// as the other options leave of 100 percent. Overrides do not have it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn weigh_option_in_defaults(
        &mut self,
        feature: FeatureId,
        option: OptionId,
        percentage_allocation: f64,
    ) -> StoreResult<()> {
        const SQL: &str = "
            SELECT s.id, CAST(COALESCE(SUM(w.percentage_allocation), 0) AS DOUBLE PRECISION)
            FROM feature_states s LEFT JOIN variant_weights w ON w.feature_state_id = s.id
            WHERE s.feature_id = $1 AND s.feature_segment_id IS NULL AND s.identity_id IS NULL
                AND s.deleted_at IS NULL
            GROUP BY s.id ORDER BY s.id";
        let states: Vec<(i64, f64)> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(feature.get())
                .fetch_all(connection)
                .await
        })?;
        for (state, given) in states {
            let weight = percentage_allocation.min(100.0 - given).max(0.0);
            self.set_weight(FeatureStateId::new(state), option, weight)
                .await?;
        }
        Ok(())
    }
}
