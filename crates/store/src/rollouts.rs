//! Rollouts of features, their plans and their timelines.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::error::{Noun, word};
use crate::page::{Page, PageRequest};
use crate::text::placeholders;
use crate::{Store, StoreError, StoreResult};
use flagstaff_core::{
    EnvironmentId, FeatureId, OptionId, Percentage, ProjectId, Rollout, RolloutEvent,
    RolloutEventId, RolloutEventKind, RolloutId, RolloutState, RolloutStep, SegmentId, Timestamp,
};
use sqlx::AssertSqlSafe;

/// Which rollouts are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RolloutFilter {
    /// Those of these environments.
    pub environments: Vec<EnvironmentId>,
    /// Those of one feature.
    pub feature: Option<FeatureId>,
    /// Those in this state.
    pub state: Option<RolloutState>,
    /// Only live ones.
    pub live_only: bool,
}

#[derive(sqlx::FromRow)]
pub(crate) struct RolloutRow {
    id: i64,
    uuid: String,
    project_id: i64,
    environment_id: i64,
    feature_id: i64,
    option_id: Option<i64>,
    segment_id: Option<i64>,
    managed_segment_id: Option<i64>,
    description: Option<String>,
    driver: Option<String>,
    state: String,
    step: Option<i64>,
    percentage: i64,
    reached_at: Option<i64>,
    is_approved: bool,
    due_at: Option<i64>,
    remaining_micros: Option<i64>,
    reason: Option<String>,
    state_before: Option<String>,
    changes: i64,
    created_by: String,
    created_at: i64,
    updated_at: i64,
    ended_at: Option<i64>,
}

impl RolloutRow {
    fn rollout(self, steps: Vec<RolloutStep>) -> StoreResult<Rollout> {
        let noun = Noun::Rollout;
        Ok(Rollout {
            id: RolloutId::new(self.id),
            uuid: crate::error::uuid(noun, self.id, &self.uuid)?,
            project_id: ProjectId::new(self.project_id),
            environment_id: EnvironmentId::new(self.environment_id),
            feature_id: FeatureId::new(self.feature_id),
            option_id: self.option_id.map(OptionId::new),
            segment_id: self.segment_id.map(SegmentId::new),
            managed_segment_id: self.managed_segment_id.map(SegmentId::new),
            description: self.description,
            driver: self.driver,
            state: word(noun, self.id, RolloutState::parse, &self.state)?,
            steps,
            step: position(self.id, self.step)?,
            percentage: percentage(self.id, self.percentage)?,
            reached_at: self.reached_at.map(Timestamp::from_micros),
            is_approved: self.is_approved,
            due_at: self.due_at.map(Timestamp::from_micros),
            remaining_micros: self.remaining_micros,
            reason: self.reason,
            state_before: self.state_before,
            changes: self.changes,
            created_by: self.created_by,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
            ended_at: self.ended_at.map(Timestamp::from_micros),
        })
    }
}

#[derive(sqlx::FromRow)]
struct StepRow {
    percentage: i64,
    starts_at: Option<i64>,
    hold_seconds: i64,
    needs_approval: bool,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: i64,
    kind: String,
    at: i64,
    step: Option<i64>,
    percentage: i64,
    actor: String,
    is_system: bool,
    reason: Option<String>,
}

fn percentage(id: i64, hundredths: i64) -> StoreResult<Percentage> {
    let percentage = u16::try_from(hundredths).ok();
    let percentage = percentage.and_then(Percentage::from_hundredths);
    percentage.ok_or_else(|| StoreError::Corrupt {
        noun: Noun::Rollout,
        id,
        problem: format!("{hundredths} is no percentage"),
    })
}

fn position(id: i64, step: Option<i64>) -> StoreResult<Option<usize>> {
    let position = step.map(usize::try_from).transpose();
    position.map_err(|_| StoreError::Corrupt {
        noun: Noun::Rollout,
        id,
        problem: "the step is below 0".to_owned(),
    })
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.uuid, r.project_id, r.environment_id, r.feature_id, r.option_id, r.segment_id,
                r.managed_segment_id, r.description, r.driver, r.state, r.step, r.percentage, r.reached_at,
                r.is_approved, r.due_at, r.remaining_micros, r.reason, r.state_before, r.changes,
                r.created_by, r.created_at, r.updated_at, r.ended_at
            FROM rollouts r ",
            $rest
        )
    };
}

impl Store {
    /// A rollout by its id.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollout(&self, id: RolloutId) -> StoreResult<Option<Rollout>> {
        const SQL: &str = select!("WHERE r.id = $1");
        let mut reading = self.begin_reading().await?;
        let row: Option<RolloutRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(id.get())
                .fetch_optional(connection)
                .await
        })?;
        let mut rollouts = reading.rollouts(row.into_iter().collect()).await?;
        Ok(rollouts.pop())
    }

    /// The live rollout of a feature in an environment.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_rollout(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
    ) -> StoreResult<Option<Rollout>> {
        const SQL: &str =
            select!("WHERE r.environment_id = $1 AND r.feature_id = $2 AND r.ended_at IS NULL");
        let mut reading = self.begin_reading().await?;
        let row: Option<RolloutRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(feature.get())
                .fetch_optional(connection)
                .await
        })?;
        let mut rollouts = reading.rollouts(row.into_iter().collect()).await?;
        Ok(rollouts.pop())
    }

    /// Live rollouts that manage a segment or are inside of it, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_rollouts_with_segment(
        &self,
        segment: SegmentId,
    ) -> StoreResult<Vec<Rollout>> {
        const SQL: &str = select!(
            "JOIN features f ON f.id = r.feature_id JOIN environments e ON e.id = r.environment_id
            WHERE (r.managed_segment_id = $1 OR r.segment_id = $1) AND r.ended_at IS NULL
                AND f.deleted_at IS NULL AND e.deleted_at IS NULL
            ORDER BY r.id"
        );
        self.rollouts_by(SQL, segment.get()).await
    }

    /// Live rollouts of a feature in environments that are there, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_rollouts_of(&self, feature: FeatureId) -> StoreResult<Vec<Rollout>> {
        const SQL: &str = select!(
            "JOIN environments e ON e.id = r.environment_id
            WHERE r.feature_id = $1 AND r.ended_at IS NULL AND e.deleted_at IS NULL ORDER BY r.id"
        );
        self.rollouts_by(SQL, feature.get()).await
    }

    /// Live rollouts of features that are there, in an environment, in order of their ids.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_rollouts_in(&self, environment: EnvironmentId) -> StoreResult<Vec<Rollout>> {
        const SQL: &str = select!(
            "JOIN features f ON f.id = r.feature_id
            WHERE r.environment_id = $1 AND r.ended_at IS NULL AND f.deleted_at IS NULL ORDER BY r.id"
        );
        self.rollouts_by(SQL, environment.get()).await
    }

    async fn rollouts_by(&self, sql: &'static str, id: i64) -> StoreResult<Vec<Rollout>> {
        let mut reading = self.begin_reading().await?;
        let rows: Vec<RolloutRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(sql).bind(id).fetch_all(connection).await
        })?;
        reading.rollouts(rows).await
    }

    /// Rollouts, the newest first. Those of features and environments that were deleted are left out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollouts(
        &self,
        filter: &RolloutFilter,
        page: PageRequest,
    ) -> StoreResult<Page<Rollout>> {
        let environments = &filter.environments;
        if environments.is_empty() {
            return Ok(Page::default());
        }
        let condition = format!(
            "JOIN features f ON f.id = r.feature_id JOIN environments e ON e.id = r.environment_id
            WHERE f.deleted_at IS NULL AND e.deleted_at IS NULL
                AND (CAST($1 AS BIGINT) IS NULL OR r.feature_id = $1)
                AND (CAST($2 AS TEXT) IS NULL OR r.state = $2)
                AND (NOT $3 OR r.ended_at IS NULL) AND r.environment_id IN ({})",
            placeholders(6, environments.len())
        );
        // The page is bound in both, so that they have the same parameters.
        let count = format!("SELECT COUNT(*) FROM rollouts r {condition} AND $4 >= 0 AND $5 >= 0");
        let sql = format!(
            "{}{condition} ORDER BY r.id DESC LIMIT $4 OFFSET $5",
            select!("")
        );
        let mut reading = self.begin_reading().await?;
        let total: i64 = on_transaction!(&mut reading, |connection| {
            let mut query = sqlx::query_scalar(AssertSqlSafe(count))
                .bind(filter.feature.map(FeatureId::get))
                .bind(filter.state.map(RolloutState::as_str))
                .bind(filter.live_only)
                .bind(page.limit())
                .bind(page.offset());
            for environment in environments {
                query = query.bind(environment.get());
            }
            query.fetch_one(connection).await
        })?;
        let rows: Vec<RolloutRow> = on_transaction!(&mut reading, |connection| {
            let mut query = sqlx::query_as(AssertSqlSafe(sql))
                .bind(filter.feature.map(FeatureId::get))
                .bind(filter.state.map(RolloutState::as_str))
                .bind(filter.live_only)
                .bind(page.limit())
                .bind(page.offset());
            for environment in environments {
                query = query.bind(environment.get());
            }
            query.fetch_all(connection).await
        })?;
        Ok(Page {
            items: reading.rollouts(rows).await?,
            total,
        })
    }

    /// When the next rollout goes on by itself, anywhere. What was deleted with its feature or environment does not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_rollout_due(&self) -> StoreResult<Option<Timestamp>> {
        const SQL: &str = "
            SELECT MIN(r.due_at) FROM rollouts r
            JOIN features f ON f.id = r.feature_id JOIN environments e ON e.id = r.environment_id
            WHERE r.due_at IS NOT NULL AND f.deleted_at IS NULL AND e.deleted_at IS NULL";
        let next: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        })?;
        Ok(next.map(Timestamp::from_micros))
    }

    /// Rollouts that are to go on by now, those that wait longest first; up to 100.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_rollouts(&self, now: Timestamp) -> StoreResult<Vec<RolloutId>> {
        const SQL: &str = "
            SELECT r.id FROM rollouts r
            JOIN features f ON f.id = r.feature_id JOIN environments e ON e.id = r.environment_id
            WHERE r.due_at <= $1 AND f.deleted_at IS NULL AND e.deleted_at IS NULL
            ORDER BY r.due_at, r.id LIMIT 100";
        let ids: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL)
                .bind(now.micros())
                .fetch_all(pool)
                .await
        })?;
        Ok(ids.into_iter().map(RolloutId::new).collect())
    }

    /// The timeline of a rollout, the first entry first: its last 1,000.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn rollout_events(&self, id: RolloutId) -> StoreResult<Vec<RolloutEvent>> {
        const SQL: &str = "
            SELECT id, kind, at, step, percentage, actor, is_system, reason
            FROM rollout_events WHERE rollout_id = $1 ORDER BY id DESC LIMIT 1000";
        let rows: Vec<EventRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(id.get()).fetch_all(pool).await
        })?;
        let rollout = id.get();
        let event = |row: EventRow| {
            Ok(RolloutEvent {
                id: RolloutEventId::new(row.id),
                kind: word(Noun::Rollout, rollout, RolloutEventKind::parse, &row.kind)?,
                at: Timestamp::from_micros(row.at),
                step: position(rollout, row.step)?,
                percentage: percentage(rollout, row.percentage)?,
                actor: row.actor,
                is_system: row.is_system,
                reason: row.reason,
            })
        };
        rows.into_iter().rev().map(event).collect()
    }
}

impl Transaction {
    /// Rollouts with their plans.
    pub(crate) async fn rollouts(&mut self, rows: Vec<RolloutRow>) -> StoreResult<Vec<Rollout>> {
        const SQL: &str = "
            SELECT percentage, starts_at, hold_seconds, needs_approval
            FROM rollout_steps WHERE rollout_id = $1 ORDER BY position";
        let mut rollouts = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            let steps: Vec<StepRow> = on_transaction!(&mut *self, |connection| {
                sqlx::query_as(SQL).bind(id).fetch_all(connection).await
            })?;
            let step = |step: StepRow| {
                Ok(RolloutStep {
                    percentage: percentage(id, step.percentage)?,
                    starts_at: step.starts_at.map(Timestamp::from_micros),
                    hold_seconds: step.hold_seconds,
                    needs_approval: step.needs_approval,
                })
            };
            let steps: StoreResult<Vec<_>> = steps.into_iter().map(step).collect();
            rollouts.push(row.rollout(steps?)?);
        }
        Ok(rollouts)
    }
}
