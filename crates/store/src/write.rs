//! The one way to change what a person, a schedule or a rollout changes.

use crate::audit::AuditEntry;
use crate::backend::{Transaction, on_transaction};
use crate::change_notices::{ChangeNotice, TouchedIdentities};
use crate::environments::Revision;
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, OrganisationId, ProjectId, Timestamp};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A transaction that changes rows. Its only way out is [`Write::commit`]; dropped, it leaves nothing.
#[derive(Debug)]
pub struct Write {
    pub(crate) transaction: Transaction,
    /// Given back when the change has ended.
    _turn: OwnedSemaphorePermit,
}

/// Whose snapshots show a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched {
    /// Single environments.
    pub environments: Vec<EnvironmentId>,
    /// Projects with all their environments.
    pub projects: Vec<ProjectId>,
    /// Organisations with all their projects.
    pub organisations: Vec<OrganisationId>,
    /// Whose overrides there may be others now.
    pub identities: TouchedIdentities,
    /// Whether keys of these environments were made, changed or withdrawn.
    pub keys_changed: bool,
}

impl Touched {
    /// What other nodes are told; nothing when no snapshot shows the change.
    fn notice(self, environments: &[Revision]) -> Option<ChangeNotice> {
        if self.environments.is_empty() && self.projects.is_empty() && self.organisations.is_empty()
        {
            return None;
        }
        // What was named but is not among what got a revision was deleted.
        let is_there = |id: &EnvironmentId| environments.iter().any(|each| each.id == *id);
        let are_all_there = !environments.is_empty() && self.environments.iter().all(is_there);
        Some(ChangeNotice {
            environments: are_all_there.then(|| environments.to_vec()),
            identities: self.identities,
            keys_changed: self.keys_changed,
        })
    }
}

/// Something to be delivered after the change, such as a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxEvent {
    /// What kind of event.
    pub kind: String,
    /// Whose.
    pub organisation_id: Option<OrganisationId>,
    /// Where.
    pub environment_id: Option<EnvironmentId>,
    /// What is told, as JSON.
    pub payload: String,
}

/// What a commit has to say.
#[derive(Debug, Clone)]
pub struct Change {
    /// At least one entry.
    pub audit: Vec<AuditEntry>,
    /// Whose snapshots show it.
    pub touched: Touched,
    /// When it is made.
    pub at: Timestamp,
    /// What is to be delivered.
    pub outbox: Vec<OutboxEvent>,
}

/// What a commit made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committed {
    /// The environments that were touched, with their new revisions.
    pub environments: Vec<Revision>,
}

impl Store {
    /// Begins a change. Changes wait for one another here, on all nodes.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn write(&self) -> StoreResult<Write> {
        let turn = Arc::clone(&self.changes).acquire_owned().await;
        Ok(Write {
            // Nobody closes the queue.
            _turn: turn.map_err(|_| sqlx::Error::PoolClosed)?,
            transaction: self.begin_change().await?,
        })
    }
}

impl Write {
    /// Ends the change: audit entries, new revisions and outbox rows go in with it, or nothing does.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn commit(mut self, change: Change) -> StoreResult<Committed> {
        debug_assert!(!change.audit.is_empty(), "a change without an audit entry");
        let mut environments = Vec::new();
        for organisation in &change.touched.organisations {
            for project in self.project_ids(*organisation).await? {
                environments.extend(self.transaction.touch_project(project, change.at).await?);
            }
        }
        for project in &change.touched.projects {
            environments.extend(self.transaction.touch_project(*project, change.at).await?);
        }
        for environment in &change.touched.environments {
            environments.extend(
                self.transaction
                    .touch_environment(*environment, change.at)
                    .await?,
            );
        }
        // A project and one of its environments may both be named.
        environments.sort_unstable_by_key(|revision| (revision.id, revision.revision));
        environments.dedup_by(|later, earlier| {
            if later.id == earlier.id {
                *earlier = *later;
            }
            later.id == earlier.id
        });
        for environment in &environments {
            self.transaction
                .follow_schedule(environment.id, change.at)
                .await?;
        }
        for entry in &change.audit {
            self.transaction.append_audit(entry, change.at).await?;
        }
        for event in &change.outbox {
            self.insert_outbox(event, change.at).await?;
        }
        if let Some(notice) = change.touched.notice(&environments) {
            self.transaction.send_notice(&notice).await?;
        }
        self.transaction.commit().await?;
        Ok(Committed { environments })
    }

    async fn project_ids(&mut self, organisation: OrganisationId) -> StoreResult<Vec<ProjectId>> {
        const SQL: &str = "
            SELECT id FROM projects WHERE organisation_id = $1 AND deleted_at IS NULL ORDER BY id";
        let ids: Vec<i64> = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(SQL)
                .bind(organisation.get())
                .fetch_all(connection)
                .await
        })?;
        Ok(ids.into_iter().map(ProjectId::new).collect())
    }

    async fn insert_outbox(&mut self, event: &OutboxEvent, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "
            INSERT INTO outbox (kind, organisation_id, environment_id, payload, created_at, due_at)
            VALUES ($1, $2, $3, $4, $5, $5)";
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(SQL)
                .bind(&event.kind)
                .bind(event.organisation_id.map(OrganisationId::get))
                .bind(event.environment_id.map(EnvironmentId::get))
                .bind(&event.payload)
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

impl Transaction {
    /// Counts a change of a whole project: one row, whatever the number of its environments.
    async fn touch_project(&mut self, id: ProjectId, at: Timestamp) -> StoreResult<Vec<Revision>> {
        const COUNT: &str = "UPDATE projects SET revision = revision + 1 WHERE id = $1";
        // Every environment of the project has to look newer than before.
        const LATEST: &str = "
            SELECT COALESCE(MAX(CASE WHEN e.updated_at > p.updated_at THEN e.updated_at ELSE p.updated_at END),
                CAST(0 AS BIGINT))
            FROM projects p LEFT JOIN environments e ON e.project_id = p.id AND e.deleted_at IS NULL
            WHERE p.id = $1";
        const TIME: &str = "UPDATE projects SET updated_at = $2 WHERE id = $1";
        const READ: &str = "
            SELECT e.id, e.revision + p.revision AS revision
            FROM environments e JOIN projects p ON p.id = e.project_id
            WHERE p.id = $1 AND e.deleted_at IS NULL
            ORDER BY e.id";
        self.touch([COUNT, LATEST, TIME], id.get(), at).await?;
        let rows: Vec<(i64, i64)> = on_transaction!(self, |connection| {
            sqlx::query_as(READ)
                .bind(id.get())
                .fetch_all(connection)
                .await
        })?;
        Ok(rows.into_iter().map(Revision::from).collect())
    }

    /// Counts a change of one environment.
    pub(crate) async fn touch_environment(
        &mut self,
        id: EnvironmentId,
        at: Timestamp,
    ) -> StoreResult<Option<Revision>> {
        const COUNT: &str = "UPDATE environments SET revision = revision + 1 WHERE id = $1";
        const LATEST: &str = "
            SELECT COALESCE(MAX(CASE WHEN e.updated_at > p.updated_at THEN e.updated_at ELSE p.updated_at END),
                CAST(0 AS BIGINT))
            FROM environments e JOIN projects p ON p.id = e.project_id
            WHERE e.id = $1";
        const TIME: &str = "UPDATE environments SET updated_at = $2 WHERE id = $1";
        const READ: &str = "
            SELECT e.id, e.revision + p.revision AS revision
            FROM environments e JOIN projects p ON p.id = e.project_id
            WHERE e.id = $1 AND e.deleted_at IS NULL";
        self.touch([COUNT, LATEST, TIME], id.get(), at).await?;
        let row: Option<(i64, i64)> = on_transaction!(self, |connection| {
            sqlx::query_as(READ)
                .bind(id.get())
                .fetch_optional(connection)
                .await
        })?;
        Ok(row.map(Revision::from))
    }

    /// Counts first, which makes others wait for the row, then sets a time later than the latest.
    async fn touch(
        &mut self,
        [count, latest, time]: [&'static str; 3],
        id: i64,
        at: Timestamp,
    ) -> StoreResult<()> {
        on_transaction!(&mut *self, |connection| {
            sqlx::query(count)
                .bind(id)
                .execute(connection)
                .await
                .map(drop)
        })?;
        let latest: i64 = on_transaction!(&mut *self, |connection| {
            sqlx::query_scalar(latest)
                .bind(id)
                .fetch_one(connection)
                .await
        })?;
        let next = at.after(Timestamp::from_micros(latest));
        on_transaction!(self, |connection| {
            sqlx::query(time)
                .bind(id)
                .bind(next.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}
