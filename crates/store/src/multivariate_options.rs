//! Options of multivariate features.

use crate::backend::{on_backend, on_transaction};
use crate::error::Noun;
use crate::feature_states::kind_of;
use crate::{Store, StoreError, StoreResult, Write};
use flagstaff_core::{FeatureId, MultivariateOption, OptionId, StateValue, Timestamp};
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
}
