//! Making feature states.

use crate::backend::on_transaction;
use crate::error::Noun;
use crate::feature_states::{NewFeatureState, NewStateOwner, NewWeight, kind_text, select_states};
use crate::feature_version_writes::NewFeatureVersion;
use crate::state_rows::StateRow;
use crate::{StoreError, StoreResult, Write};
use flagstaff_core::{
    Environment, EnvironmentId, Feature, FeatureId, FeatureState, FeatureStateId, FeatureVersionId,
    OptionId, StateValue, Timestamp,
};
use uuid::Uuid;

impl Write {
    /// Makes a state with its weights.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its owner has a state of this feature and version already.
    pub async fn insert_feature_state(
        &mut self,
        new: &NewFeatureState,
        at: Timestamp,
    ) -> StoreResult<FeatureState> {
        let state = self.insert_state(new, None, at).await?;
        if new.live_from > at {
            self.expect_change(new.environment_id, new.live_from)
                .await?;
        }
        Ok(state)
    }

    /// Makes a state of a feature version with its weights. It becomes true when the version does.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when its owner has a state in this version already.
    pub async fn insert_version_state(
        &mut self,
        new: &NewFeatureState,
        version: FeatureVersionId,
        at: Timestamp,
    ) -> StoreResult<FeatureState> {
        self.insert_state(new, Some(version), at).await
    }

    async fn insert_state(
        &mut self,
        new: &NewFeatureState,
        version: Option<FeatureVersionId>,
        at: Timestamp,
    ) -> StoreResult<FeatureState> {
        const SQL: &str = select_states!("WHERE s.id = $1");
        let id = self.insert_state_row(new, version, at).await?;
        self.insert_weights(FeatureStateId::new(id), &new.weights)
            .await?;
        let rows: Vec<StateRow> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL).bind(id).fetch_all(connection).await
        })?;
        let state = self.transaction.with_weights(rows).await?.pop();
        state.ok_or(StoreError::NotFound {
            noun: Noun::FeatureState,
        })
    }

    async fn insert_state_row(
        &mut self,
        new: &NewFeatureState,
        feature_version: Option<FeatureVersionId>,
        at: Timestamp,
    ) -> StoreResult<i64> {
        const SQL: &str = "
            INSERT INTO feature_states (uuid, feature_id, environment_id, feature_segment_id, identity_id,
                enabled, value_type, string_value, integer_value, boolean_value, hash_seed, version,
                live_from, feature_version_id, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
            RETURNING id";
        const OWN_SEED: &str =
            "UPDATE feature_states SET hash_seed = CAST(id AS TEXT) WHERE id = $1";
        // The version says when.
        let live_from = feature_version.is_none().then_some(new.live_from);
        let (segment, identity) = match new.owner {
            NewStateOwner::Environment => (None, None),
            NewStateOwner::Segment(link) => (Some(link.get()), None),
            NewStateOwner::Identity(identity) => (None, Some(identity.get())),
        };
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.feature_id.get())
                .bind(new.environment_id.get())
                .bind(segment)
                .bind(identity)
                .bind(new.enabled)
                .bind(kind_text(new.value.kind))
                .bind(&new.value.text)
                .bind(new.value.integer)
                .bind(new.value.boolean)
                .bind(new.hash_seed.as_deref().unwrap_or_default())
                .bind(new.version)
                .bind(live_from.map(Timestamp::micros))
                .bind(feature_version.map(FeatureVersionId::get))
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::FeatureState))?;
        if new.hash_seed.is_none() {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(OWN_SEED)
                    .bind(id)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(id)
    }

    async fn insert_weights(
        &mut self,
        state: FeatureStateId,
        weights: &[NewWeight],
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO variant_weights (uuid, feature_state_id, option_id, percentage_allocation)
            VALUES ($1, $2, $3, $4)";
        for weight in weights {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(SQL)
                    .bind(weight.uuid.unwrap_or_else(Uuid::new_v4).to_string())
                    .bind(state.get())
                    .bind(weight.option_id.get())
                    .bind(weight.percentage_allocation)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(())
    }

    /// Makes the defaults of a new feature, in every environment of its project.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn start_feature(
        &mut self,
        feature: &Feature,
        enabled: bool,
        value: &StateValue,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            SELECT id, use_v2_feature_versioning FROM environments
            WHERE project_id = $1 AND deleted_at IS NULL ORDER BY id";
        let environments: Vec<(i64, bool)> =
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query_as(SQL)
                    .bind(feature.project_id.get())
                    .fetch_all(connection)
                    .await
            })?;
        for (environment, by_versions) in environments {
            let environment = EnvironmentId::new(environment);
            let state = self
                .new_default(environment, feature.id, enabled, value, at)
                .await?;
            self.insert_first_state(&state, by_versions, at).await?;
        }
        Ok(())
    }

    /// Makes the defaults of all features of the project in a new environment: as each feature starts.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn start_environment(
        &mut self,
        environment: &Environment,
        at: Timestamp,
    ) -> StoreResult<()> {
        for (feature, enabled, value) in self.feature_starts(environment).await? {
            let state = self
                .new_default(environment.id, feature, enabled, &value, at)
                .await?;
            self.insert_first_state(&state, environment.use_v2_feature_versioning, at)
                .await?;
        }
        Ok(())
    }

    /// Makes the first state of a feature in an environment, in a first version of it where it changes by versions.
    async fn insert_first_state(
        &mut self,
        state: &NewFeatureState,
        by_versions: bool,
        at: Timestamp,
    ) -> StoreResult<()> {
        if !by_versions {
            return self.insert_feature_state(state, at).await.map(drop);
        }
        let new = NewFeatureVersion {
            uuid: Uuid::new_v4(),
            environment_id: state.environment_id,
            feature_id: state.feature_id,
            description: None,
            created_by: None,
            live_from: Some(at),
            is_published: true,
        };
        let version = self.insert_feature_version(&new, at).await?;
        self.insert_version_state(state, version.id, at).await?;
        Ok(())
    }

    async fn new_default(
        &mut self,
        environment_id: EnvironmentId,
        feature_id: FeatureId,
        enabled: bool,
        value: &StateValue,
        at: Timestamp,
    ) -> StoreResult<NewFeatureState> {
        const SQL: &str = "
            SELECT id, default_percentage_allocation FROM multivariate_options
            WHERE feature_id = $1 AND deleted_at IS NULL ORDER BY id";
        let options: Vec<(i64, f64)> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_as(SQL)
                .bind(feature_id.get())
                .fetch_all(connection)
                .await
        })?;
        let weights = options
            .into_iter()
            .map(|(id, weight)| (OptionId::new(id), weight));
        Ok(NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id,
            environment_id,
            owner: NewStateOwner::Environment,
            enabled,
            value: value.clone(),
            hash_seed: None,
            weights: weights.map(NewWeight::from).collect(),
            version: 1,
            live_from: at,
        })
    }
}
