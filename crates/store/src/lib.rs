//! SQLite and Postgres: migrations, and one function for each question.
//!
//! **Invariants.** Nothing here knows HTTP, protocols or permissions. Every SQL text is written once for both
//! databases, unless a comment says why not. [`Store`] reads; [`Store::write`] gives a [`Write`], whose only way
//! out is [`Write::commit`], with audit entries and new revisions in the same transaction; such changes come one at
//! a time, on all nodes. The unaudited writes (traits, counts, tokens, sessions, links, leases, outbox claims, values
//! of the installation, exports and imports whose time is over, wishes for mail, what guards saw and are told) are a closed list of
//! named functions of [`Store`].

mod account_links;
mod api_keys;
mod audit;
mod audit_chain;
mod audit_conditions;
mod audit_lists;
mod audit_pages;
mod backend;
mod backup;
mod change_notices;
mod clean_up;
mod environment_copies;
mod environment_keys;
mod environments;
mod error;
mod external_accounts;
mod feature_exports;
mod feature_files;
mod feature_imports;
mod feature_lists;
mod feature_marks;
mod feature_owners;
mod feature_parts;
mod feature_segments;
mod feature_state_lists;
mod feature_states;
mod feature_version_writes;
mod feature_versions;
mod features;
mod flagd_integrations;
mod grants;
mod guard_rows;
mod guards;
mod identities;
mod identity_groups;
mod identity_search;
mod identity_traits;
mod instance;
mod invites;
mod leases;
mod lifecycle;
mod members;
mod memberships;
mod migrate;
mod multivariate_options;
mod new_states;
mod organisations;
mod outbox;
mod own_flags;
mod page;
mod projects;
mod rollout_hooks;
mod rollout_signals;
mod rollout_writes;
mod rollouts;
mod row_ids;
mod schedule;
mod segment_rules;
mod segment_titles;
mod segments;
mod server_keys;
mod sign_in;
mod snapshots;
mod state_rows;
mod state_writes;
mod tags;
mod text;
mod trait_writes;
mod traits;
mod usage;
mod usage_lists;
mod variant_counts;
mod versioning_switch;
mod write;

pub use account_links::{AccountLink, LinkPurpose, NewAccountLink};
pub use api_keys::NewApiKey;
pub use audit::{Action, Actor, AuditEntry, AuditSubjects, StoredAuditEntry};
pub use audit_chain::AuditVerdict;
pub use audit_lists::{ActorFilter, AuditFilter, AuditPart};
pub use audit_pages::AuditListing;
pub use backup::{BackupError, BackupResult, BackupSummary, TableSummary};
pub use change_notices::{ChangeListener, ChangeNotice, TouchedIdentities};
pub use environment_keys::{KeyCursor, KeyRow};
pub use environments::{NewEnvironment, Revision};
pub use error::{Noun, StoreError, StoreResult};
pub use feature_exports::{NewFeatureExport, WaitingExport};
pub use feature_imports::{NewFeatureImport, WaitingImport};
pub use feature_lists::{FeatureFilter, FeatureSort, TagFilter};
pub use feature_segments::NewFeatureSegment;
pub use feature_state_lists::{StateFilter, StateOwners};
pub use feature_states::{NewFeatureState, NewStateOwner, NewWeight};
pub use feature_version_writes::NewFeatureVersion;
pub use feature_versions::VersionFilter;
pub use features::{NewFeature, Overrides};
pub use flagd_integrations::NewFlagdIntegration;
pub use grants::NewGrant;
pub use guards::NewGuard;
pub use identities::{IdentitySearch, NewIdentity};
pub use invites::{NewInvite, NewInviteLink};
pub use lifecycle::UnusedFilter;
pub use members::NewMember;
pub use migrate::MigrationState;
pub use multivariate_options::NewOption;
pub use organisations::NewOrganisation;
pub use outbox::ClaimedEvent;
pub use own_flags::{OWN_ENVIRONMENT, OWN_ORGANISATION, OWN_PROJECT, OwnFlag};
pub use page::{Page, PageRequest};
pub use projects::NewProject;
pub use rollout_hooks::RolloutHook;
pub use rollout_signals::{Recorded, ReportKey};
pub use rollout_writes::{NewRollout, NewRolloutEvent};
pub use rollouts::RolloutFilter;
pub use schedule::Flipped;
pub use segment_titles::SegmentTitle;
pub use segments::{NewSegment, SegmentFilter};
pub use server_keys::NewServerKey;
pub use tags::NewTag;
pub use traits::{StoredIdentity, TRAIT_LIMIT, TraitChange, TraitOutcome, TraitWrite};
pub use usage::{EvaluationCountRow, RequestCountRow, RequestKind, UsageLabels, UsageRows};
pub use usage_lists::{EvaluationSum, RequestSum, UsageStep};
pub use variant_counts::VariantCountRow;
pub use write::{Change, Committed, OutboxEvent, Touched, Write};

use backend::Backend;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// The database. Cheap to clone; all clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    backend: Backend,
    /// One change at a time begins on this node: others wait here, without holding a connection that the first
    /// may need for reading.
    changes: Arc<Semaphore>,
}

impl Store {
    /// Opens `sqlite:<path>` (made when it is not there) or `postgres://…`.
    ///
    /// # Errors
    /// When the database cannot be reached or opened.
    pub async fn connect(url: &str) -> StoreResult<Self> {
        Ok(Self {
            backend: Backend::connect(url).await?,
            changes: Arc::new(Semaphore::new(1)),
        })
    }

    /// True where other nodes may write too.
    #[must_use]
    pub const fn is_shared(&self) -> bool {
        matches!(self.backend, Backend::Postgres(_))
    }

    /// Path of the database file; `None` for a server.
    #[must_use]
    pub fn path(&self) -> Option<&std::path::Path> {
        match &self.backend {
            Backend::Sqlite { path, .. } => Some(path),
            Backend::Postgres(_) => None,
        }
    }

    /// Asks the database for something trivial.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ping(&self) -> StoreResult<()> {
        const SQL: &str = "SELECT CAST(1 AS BIGINT)";
        let _one: i64 = backend::on_backend!(self, |pool| {
            sqlx::query_scalar(SQL).fetch_one(pool).await
        })?;
        Ok(())
    }

    /// Closes every connection, after those at work have ended.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite {
                readers, writer, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) const fn backend(&self) -> &Backend {
        &self.backend
    }
}
