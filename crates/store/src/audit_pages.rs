//! The audit log in pages that are counted, as Flagsmith's API lists it.

use crate::audit::{StoredAuditEntry, audit_columns};
use crate::audit_conditions::{Conditions, Value, bind_values};
use crate::backend::on_backend;
use crate::error::Noun;
use crate::page::{Page, PageRequest};
use crate::text::can_be_part;
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, OrganisationId, ProjectId};
use sqlx::AssertSqlSafe;

/// Which entries of several chains are listed in pages that are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditListing {
    /// The chains that are shown whole.
    pub organisations: Vec<OrganisationId>,
    /// Projects whose entries are shown beside.
    pub projects: Vec<ProjectId>,
    /// Only those of a project.
    pub project: Option<ProjectId>,
    /// Only those of these environments, where any is named.
    pub environments: Vec<EnvironmentId>,
    /// Only what the product did itself, or only the rest.
    pub is_system: Option<bool>,
    /// Only what was done to one of these, where any is named.
    pub nouns: Vec<Noun>,
    /// Part of the summary or of the actor's name, without regard to case.
    pub search: Option<String>,
}

impl Store {
    /// Entries of several chains in pages that are counted, newest first. Counting reads all that are as asked for.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_page(
        &self,
        listing: &AuditListing,
        page: PageRequest,
    ) -> StoreResult<Page<StoredAuditEntry>> {
        let Some(conditions) = listing.conditions() else {
            return Ok(Page::default());
        };
        let count = format!(
            "SELECT COUNT(*) FROM audit_entries WHERE {}",
            conditions.sql
        );
        let total: i64 = on_backend!(self, |pool| {
            bind_values!(sqlx::query_scalar(AssertSqlSafe(count)), &conditions.values)
                .fetch_one(pool)
                .await
        })?;
        // Within one chain an index has the order already.
        let chains = (listing.organisations.len(), listing.projects.len());
        let order = if matches!(chains, (1, 0) | (0, 1)) {
            "sequence DESC"
        } else {
            "id DESC"
        };
        let sql = format!(
            concat!(
                "SELECT ",
                audit_columns!(),
                " FROM audit_entries WHERE {} ORDER BY {} LIMIT {} OFFSET {}"
            ),
            conditions.sql,
            order,
            page.limit(),
            page.offset()
        );
        let items = on_backend!(self, |pool| {
            bind_values!(sqlx::query_as(AssertSqlSafe(sql)), &conditions.values)
                .fetch_all(pool)
                .await
        })?;
        Ok(Page { items, total })
    }

    /// An entry by its row.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_entry(&self, id: i64) -> StoreResult<Option<StoredAuditEntry>> {
        const SQL: &str = concat!(
            "SELECT ",
            audit_columns!(),
            " FROM audit_entries WHERE id = $1"
        );
        Ok(on_backend!(self, |pool| {
            sqlx::query_as(SQL).bind(id).fetch_optional(pool).await
        })?)
    }
}

impl AuditListing {
    /// `None` when no entry can be as asked for.
    fn conditions(&self) -> Option<Conditions> {
        if self
            .search
            .as_deref()
            .is_some_and(|text| !can_be_part(text))
        {
            return None;
        }
        let mut shown = Vec::new();
        if !self.organisations.is_empty() {
            let ids = self.organisations.iter().map(|id| id.get());
            shown.push(Conditions::among("organisation_id", ids));
        }
        if !self.projects.is_empty() {
            let ids = self.projects.iter().map(|id| id.get());
            shown.push(Conditions::among("project_id", ids));
        }
        if shown.is_empty() {
            return None;
        }
        let mut conditions = Conditions::default();
        conditions.and(&format!("({})", shown.join(" OR ")));
        if let Some(project) = self.project {
            conditions.and_number("project_id =", project.get());
        }
        if !self.environments.is_empty() {
            let ids = self.environments.iter().map(|id| id.get());
            conditions.and(&Conditions::among("environment_id", ids));
        }
        match self.is_system {
            Some(true) => _ = conditions.and("actor_kind = 'system'"),
            Some(false) => _ = conditions.and("actor_kind <> 'system'"),
            None => {}
        }
        if !self.nouns.is_empty() {
            let mut places = Vec::with_capacity(self.nouns.len());
            for noun in &self.nouns {
                conditions
                    .values
                    .push(Value::Text(noun.as_str().to_owned()));
                places.push(format!("${}", conditions.values.len()));
            }
            conditions.and(&format!("noun IN ({})", places.join(", ")));
        }
        if let Some(search) = &self.search {
            conditions.and_words(search);
        }
        Some(conditions)
    }
}
