//! Changes that become true at a time.

use crate::audit::{Action, Actor, AuditEntry, AuditSubjects};
use crate::backend::{Transaction, on_backend, on_transaction};
use crate::change_notices::{ChangeNotice, TouchedIdentities};
use crate::environments::Revision;
use crate::error::Noun;
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, OrganisationId, ProjectId, Timestamp};

/// An environment in which a scheduled change became true through this node.
pub type Flipped = Revision;

/// When the next state or feature version of environment `$1` becomes true, of those that nobody sees at `$2` yet:
/// what is as old as the environment's last change is served already, however far a clock is behind.
macro_rules! next_change {
    () => {
        "(SELECT MIN(due.live_from) FROM (
            SELECT s.live_from FROM feature_states s
            WHERE s.environment_id = $1 AND s.version IS NOT NULL AND s.feature_version_id IS NULL
                AND s.deleted_at IS NULL AND s.live_from > $2
            UNION ALL
            SELECT v.live_from FROM feature_versions v
            WHERE v.environment_id = $1 AND v.published_at IS NOT NULL AND v.deleted_at IS NULL
                AND v.live_from > $2) due
        WHERE due.live_from > environments.updated_at)"
    };
}

impl Store {
    /// When the next scheduled change is due, anywhere.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_change(&self) -> StoreResult<Option<Timestamp>> {
        const SQL: &str = "
            SELECT MIN(next_change_at) FROM environments
            WHERE next_change_at IS NOT NULL AND deleted_at IS NULL";
        let next: Option<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        })?;
        Ok(next.map(Timestamp::from_micros))
    }

    /// Makes due changes visible: a new revision and an audit entry of the system for each environment. Of several
    /// nodes that try, the database lets one through; only its environments are answered.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn apply_due_changes(&self, now: Timestamp) -> StoreResult<Vec<Flipped>> {
        const DUE: &str = "
            SELECT id FROM environments
            WHERE next_change_at <= $1 AND deleted_at IS NULL ORDER BY id";
        let due: Vec<i64> = on_backend!(self, |pool| {
            sqlx::query_scalar(DUE)
                .bind(now.micros())
                .fetch_all(pool)
                .await
        })?;
        let mut flipped = Vec::new();
        for id in due {
            flipped.extend(self.apply_due_change(EnvironmentId::new(id), now).await?);
        }
        Ok(flipped)
    }

    async fn apply_due_change(
        &self,
        id: EnvironmentId,
        now: Timestamp,
    ) -> StoreResult<Option<Flipped>> {
        // A second node waits for its turn; then it finds nothing due any more.
        const CLAIM: &str = concat!(
            "UPDATE environments SET next_change_at = ",
            next_change!(),
            " WHERE id = $1 AND next_change_at <= $2 AND deleted_at IS NULL"
        );
        let mut transaction = self.begin_change().await?;
        let claimed = on_transaction!(&mut transaction, |connection| {
            sqlx::query(CLAIM)
                .bind(id.get())
                .bind(now.micros())
                .execute(connection)
                .await
                .map(|done| done.rows_affected())
        })?;
        if claimed == 0 {
            return Ok(None);
        }
        let flipped = transaction.touch_environment(id, now).await?;
        let entry = transaction.scheduled_entry(id).await?;
        transaction.append_audit(&entry, now).await?;
        let notice = ChangeNotice {
            environments: flipped.map(|flipped| vec![flipped]),
            identities: TouchedIdentities::All,
            keys_changed: false,
        };
        transaction.send_notice(&notice).await?;
        transaction.commit().await?;
        Ok(flipped)
    }
}

impl Transaction {
    /// Sets when the next scheduled state becomes true, after some were made or deleted. A time that has come
    /// already stays: whoever finds it writes the entry that tells of it.
    pub(crate) async fn follow_schedule(
        &mut self,
        id: EnvironmentId,
        at: Timestamp,
    ) -> StoreResult<()> {
        const SQL: &str = concat!(
            "UPDATE environments SET next_change_at = ",
            next_change!(),
            " WHERE id = $1 AND (next_change_at IS NULL OR (next_change_at > $2 AND next_change_at > updated_at))"
        );
        on_transaction!(self, |connection| {
            sqlx::query(SQL)
                .bind(id.get())
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    async fn scheduled_entry(&mut self, id: EnvironmentId) -> StoreResult<AuditEntry> {
        const SQL: &str = "
            SELECT p.organisation_id, p.id, e.name
            FROM environments e JOIN projects p ON p.id = e.project_id WHERE e.id = $1";
        let (organisation, project, name): (i64, i64, String) =
            on_transaction!(self, |connection| {
                sqlx::query_as(SQL)
                    .bind(id.get())
                    .fetch_one(connection)
                    .await
            })?;
        Ok(AuditEntry {
            organisation_id: Some(OrganisationId::new(organisation)),
            project_id: Some(ProjectId::new(project)),
            environment_id: Some(id),
            actor: Actor::System {
                name: "schedule".to_owned(),
            },
            action: Action::Update,
            noun: Noun::Environment,
            object_id: Some(id.get()),
            object_uuid: None,
            summary: format!("Scheduled change became live in environment: {name}"),
            details: None,
            subjects: AuditSubjects::default(),
        })
    }
}
