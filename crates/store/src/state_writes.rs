//! Changing and deleting feature states.

use crate::backend::{change_row, on_transaction};
use crate::error::Noun;
use crate::feature_states::kind_text;
use crate::{StoreResult, Write};
use flagstaff_core::{
    Environment, EnvironmentId, FeatureId, FeatureState, FeatureStateId, OptionId, StateValue,
    Timestamp,
};
use uuid::Uuid;

impl Write {
    /// Writes whether a state is on, its value, and when it changed.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`], and when the database does not answer.
    pub async fn update_feature_state(&mut self, state: &FeatureState) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE feature_states
            SET enabled = $2, value_type = $3, string_value = $4, integer_value = $5, boolean_value = $6,
                updated_at = $7
            WHERE id = $1 AND deleted_at IS NULL";
        change_row!(
            self,
            Noun::FeatureState,
            SQL,
            state.id.get(),
            state.enabled,
            kind_text(state.value.kind),
            &state.value.text,
            state.value.integer,
            state.value.boolean,
            state.updated_at.micros()
        )
    }

    /// Sets the weight of an option in a state. The row keeps its id, so that the order of buckets stays; an option
    /// without a row gets one behind the others.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_weight(
        &mut self,
        state: FeatureStateId,
        option: OptionId,
        percentage_allocation: f64,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO variant_weights (uuid, feature_state_id, option_id, percentage_allocation)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (feature_state_id, option_id)
            DO UPDATE SET percentage_allocation = excluded.percentage_allocation";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(Uuid::new_v4().to_string())
                .bind(state.get())
                .bind(option.get())
                .bind(percentage_allocation)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// Deletes a state.
    ///
    /// # Errors
    /// [`crate::StoreError::NotFound`], and when the database does not answer.
    pub async fn delete_feature_state(
        &mut self,
        id: FeatureStateId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str =
            "UPDATE feature_states SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL";
        let done = self.mark_deleted(SQL, id.get(), at).await?;
        crate::error::changed(done, Noun::FeatureState)
    }

    /// Notes that something in an environment becomes true at a time.
    pub(crate) async fn expect_change(
        &mut self,
        environment: EnvironmentId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE environments SET next_change_at = $2
            WHERE id = $1 AND (next_change_at IS NULL OR next_change_at > $2)";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(environment.get())
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    /// How each feature of a project starts in a new environment.
    pub(crate) async fn feature_starts(
        &mut self,
        environment: &Environment,
    ) -> StoreResult<Vec<(FeatureId, bool, StateValue)>> {
        const SQL: &str = "
            SELECT f.id, f.default_enabled, f.initial_value, p.prevent_flag_defaults
            FROM features f JOIN projects p ON p.id = f.project_id
            WHERE f.project_id = $1 AND f.deleted_at IS NULL
            ORDER BY f.id";
        let rows: Vec<(i64, bool, Option<String>, bool)> =
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query_as(SQL)
                    .bind(environment.project_id.get())
                    .fetch_all(connection)
                    .await
            })?;
        let start = |(id, enabled, value, prevents): (i64, bool, Option<String>, bool)| {
            let id = FeatureId::new(id);
            if prevents {
                return (id, false, StateValue::default());
            }
            (id, enabled, StateValue::typed_by_content(value.as_deref()))
        };
        Ok(rows.into_iter().map(start).collect())
    }
}
