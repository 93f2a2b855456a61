//! Making and changing rollouts.

use crate::backend::on_transaction;
use crate::error::Noun;
use crate::{StoreError, StoreResult, Write};
use flagstaff_core::{
    EnvironmentId, FeatureId, OptionId, ProjectId, Rollout, RolloutEventKind, RolloutId,
    RolloutState, RolloutStep, SegmentId, Timestamp,
};
use uuid::Uuid;

/// A rollout to be made: scheduled, with nobody in it.
#[derive(Debug, Clone, PartialEq)]
pub struct NewRollout {
    /// Stable id.
    pub uuid: Uuid,
    /// The project.
    pub project_id: ProjectId,
    /// The environment.
    pub environment_id: EnvironmentId,
    /// The feature.
    pub feature_id: FeatureId,
    /// What is raised; `None`: the feature is switched on.
    pub option_id: Option<OptionId>,
    /// Whom a part of it is given to; `None`: everybody.
    pub segment_id: Option<SegmentId>,
    /// Free text.
    pub description: Option<String>,
    /// The program outside that says each percentage.
    pub driver: Option<String>,
    /// The plan; empty where there is a driver.
    pub steps: Vec<RolloutStep>,
    /// When the first step is due; `None` where there is none.
    pub due_at: Option<Timestamp>,
    /// Who makes it, as people know them.
    pub created_by: String,
}

/// An entry of a timeline to be written; what it says of the rollout is taken from that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRolloutEvent {
    /// What happened.
    pub kind: RolloutEventKind,
    /// Who did it, as people know them.
    pub actor: String,
    /// True where a part of the product did it by itself.
    pub is_system: bool,
    /// Why.
    pub reason: Option<String>,
}

impl Write {
    /// Makes a rollout.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where the feature has a live one in the environment.
    pub async fn insert_rollout(&mut self, new: NewRollout, at: Timestamp) -> StoreResult<Rollout> {
        const SQL: &str = "
            INSERT INTO rollouts (uuid, project_id, environment_id, feature_id, option_id, segment_id,
                description, driver, state, percentage, is_approved, due_at, changes, created_by,
                created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, FALSE, $10, 0, $11, $12, $12)
            RETURNING id";
        let state = RolloutState::Scheduled;
        let id: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(new.uuid.to_string())
                .bind(new.project_id.get())
                .bind(new.environment_id.get())
                .bind(new.feature_id.get())
                .bind(new.option_id.map(OptionId::get))
                .bind(new.segment_id.map(SegmentId::get))
                .bind(&new.description)
                .bind(&new.driver)
                .bind(state.as_str())
                .bind(new.due_at.map(Timestamp::micros))
                .bind(&new.created_by)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })
        .map_err(StoreError::conflict(Noun::Rollout))?;
        self.insert_rollout_steps(RolloutId::new(id), &new.steps)
            .await?;
        Ok(Rollout {
            id: RolloutId::new(id),
            uuid: new.uuid,
            project_id: new.project_id,
            environment_id: new.environment_id,
            feature_id: new.feature_id,
            option_id: new.option_id,
            segment_id: new.segment_id,
            managed_segment_id: None,
            description: new.description,
            driver: new.driver,
            state,
            steps: new.steps,
            step: None,
            percentage: flagstaff_core::Percentage::NONE,
            reached_at: None,
            is_approved: false,
            due_at: new.due_at,
            remaining_micros: None,
            reason: None,
            state_before: None,
            changes: 0,
            created_by: new.created_by,
            created_at: at,
            updated_at: at,
            ended_at: None,
        })
    }

    /// Writes what of a rollout can change but its plan, and counts the change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where it is no longer what was read, [`StoreError::NotFound`] where it is gone.
    pub async fn update_rollout(&mut self, rollout: &mut Rollout) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE rollouts
            SET managed_segment_id = $3, description = $4, state = $5, step = $6, percentage = $7,
                reached_at = $8, is_approved = $9, due_at = $10, remaining_micros = $11, reason = $12,
                state_before = $13, updated_at = $14, ended_at = $15, changes = changes + 1
            WHERE id = $1 AND changes = $2";
        let step = rollout
            .step
            .map(|step| i64::try_from(step).unwrap_or(i64::MAX));
        let changed = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(rollout.id.get())
                .bind(rollout.changes)
                .bind(rollout.managed_segment_id.map(SegmentId::get))
                .bind(&rollout.description)
                .bind(rollout.state.as_str())
                .bind(step)
                .bind(i64::from(rollout.percentage.hundredths()))
                .bind(rollout.reached_at.map(Timestamp::micros))
                .bind(rollout.is_approved)
                .bind(rollout.due_at.map(Timestamp::micros))
                .bind(rollout.remaining_micros)
                .bind(&rollout.reason)
                .bind(&rollout.state_before)
                .bind(rollout.updated_at.micros())
                .bind(rollout.ended_at.map(Timestamp::micros))
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })
        .map_err(StoreError::conflict(Noun::Rollout))?;
        if changed == 0 {
            return Err(StoreError::Conflict {
                noun: Noun::Rollout,
            });
        }
        rollout.changes += 1;
        Ok(())
    }

    /// Writes another plan.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn replace_rollout_steps(
        &mut self,
        id: RolloutId,
        steps: &[RolloutStep],
    ) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM rollout_steps WHERE rollout_id = $1";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(id.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        self.insert_rollout_steps(id, steps).await
    }

    async fn insert_rollout_steps(
        &mut self,
        id: RolloutId,
        steps: &[RolloutStep],
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO rollout_steps (rollout_id, position, percentage, starts_at, hold_seconds,
                needs_approval)
            VALUES ($1, $2, $3, $4, $5, $6)";
        for (position, step) in (0_i64..).zip(steps) {
            on_transaction!(&mut self.transaction, |connection| {
                sqlx::query(SQL)
                    .bind(id.get())
                    .bind(position)
                    .bind(i64::from(step.percentage.hundredths()))
                    .bind(step.starts_at.map(Timestamp::micros))
                    .bind(step.hold_seconds)
                    .bind(step.needs_approval)
                    .execute(connection)
                    .await
                    .map(drop)
            })?;
        }
        Ok(())
    }

    /// Adds an entry to the timeline of a rollout as it is now.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn insert_rollout_event(
        &mut self,
        rollout: &Rollout,
        event: &NewRolloutEvent,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO rollout_events (rollout_id, kind, at, step, percentage, actor, is_system, reason)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let step = rollout
            .step
            .map(|step| i64::try_from(step).unwrap_or(i64::MAX));
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(rollout.id.get())
                .bind(event.kind.as_str())
                .bind(at.micros())
                .bind(step)
                .bind(i64::from(rollout.percentage.hundredths()))
                .bind(&event.actor)
                .bind(event.is_system)
                .bind(&event.reason)
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
