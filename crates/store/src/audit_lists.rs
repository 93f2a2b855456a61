//! Questions to the audit log: entries by what they tell of, newest first.
//!
//! A question reads the narrowest part of the log that an index gives, from the newest entry back, and looks at so many entries at
//! most: what is rare in a log of millions is found in several steps, none of which takes long.

use crate::audit::{Action, StoredAuditEntry, audit_columns};
use crate::audit_conditions::{Conditions, bind_values};
use crate::backend::on_backend;
use crate::error::Noun;
use crate::text::can_be_part;
use crate::{Store, StoreResult};
use flagstaff_core::{
    ApiKeyId, EnvironmentId, FeatureId, IdentityId, MemberId, OrganisationId, ProjectId, SegmentId,
    Timestamp,
};
use sqlx::AssertSqlSafe;

/// Entries that one question looks at.
const WINDOW: i64 = 20_000;
/// How far clocks of several nodes may have put times and places in a chain out of order.
const DISORDER: i64 = 1_000;

/// Whose doings are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorFilter {
    /// Those of a person.
    Member(MemberId),
    /// Those of a program.
    ApiKey(ApiKeyId),
    /// Those of the product itself and its command line.
    System,
}

/// Which entries of a chain are asked for; all of them where nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Those of a project.
    pub project: Option<ProjectId>,
    /// Those of an environment.
    pub environment: Option<EnvironmentId>,
    /// Those that tell of a feature, its states and versions included.
    pub feature: Option<FeatureId>,
    /// Those that tell of a segment, its overrides included.
    pub segment: Option<SegmentId>,
    /// Those that tell of an identity, its overrides and traits included.
    pub identity: Option<IdentityId>,
    /// By whom.
    pub actor: Option<ActorFilter>,
    /// To what.
    pub noun: Option<Noun>,
    /// What was done.
    pub action: Option<Action>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Part of the summary or of the actor's name, without regard to case.
    pub search: Option<String>,
}

/// Some entries, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditPart {
    /// The entries.
    pub entries: Vec<StoredAuditEntry>,
    /// The place in the chain before which the next part begins; `None` where there is nothing older.
    pub older: Option<i64>,
}

/// The index that a question reads along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Along {
    Feature(FeatureId),
    Segment(SegmentId),
    Identity(IdentityId),
    Actor(ActorFilter),
    Environment(EnvironmentId),
    Project(ProjectId),
    Chain,
}

impl AuditFilter {
    /// True when no entry can be as asked for.
    fn is_impossible(&self) -> bool {
        self.search
            .as_deref()
            .is_some_and(|text| !can_be_part(text))
    }

    /// The narrowest index first.
    fn along(&self) -> Along {
        if let Some(id) = self.feature {
            Along::Feature(id)
        } else if let Some(id) = self.segment {
            Along::Segment(id)
        } else if let Some(id) = self.identity {
            Along::Identity(id)
        } else if let Some(actor) = self.actor {
            Along::Actor(actor)
        } else if let Some(id) = self.environment {
            Along::Environment(id)
        } else if let Some(id) = self.project {
            Along::Project(id)
        } else {
            Along::Chain
        }
    }

    /// What is left to be compared entry by entry. A plus before a column keeps the database from taking its index.
    fn rest(&self, along: Along, conditions: &mut Conditions) {
        let mut compared = |column: &str, id: Option<i64>, is_read_along: bool| {
            if let (Some(id), false) = (id, is_read_along) {
                conditions.and_number(&format!("+{column} ="), id);
            }
        };
        let segment = self.segment.map(SegmentId::get);
        let identity = self.identity.map(IdentityId::get);
        let environment = self.environment.map(EnvironmentId::get);
        let project = self.project.map(ProjectId::get);
        compared("segment_id", segment, matches!(along, Along::Segment(_)));
        compared("identity_id", identity, matches!(along, Along::Identity(_)));
        compared(
            "environment_id",
            environment,
            matches!(along, Along::Environment(_)),
        );
        compared("project_id", project, matches!(along, Along::Project(_)));
        if let (Some(actor), false) = (self.actor, matches!(along, Along::Actor(_))) {
            and_actor(conditions, actor, "+");
        }
        if let Some(noun) = self.noun {
            conditions.and_text("noun =", noun.as_str().to_owned());
        }
        if let Some(action) = self.action {
            conditions.and_text("action =", action.as_str().to_owned());
        }
        if let Some(since) = self.since {
            conditions.and_number("+at >=", since.micros());
        }
        if let Some(until) = self.until {
            conditions.and_number("+at <", until.micros());
        }
        if let Some(search) = &self.search {
            conditions.and_words(search);
        }
    }
}

fn and_actor(conditions: &mut Conditions, actor: ActorFilter, plus: &str) {
    let (kind, id) = match actor {
        ActorFilter::Member(id) => ("actor_kind = 'member'", Some(id.get())),
        ActorFilter::ApiKey(id) => ("actor_kind = 'api key'", Some(id.get())),
        ActorFilter::System => ("actor_kind = 'system'", None),
    };
    conditions.and(kind);
    match id {
        Some(id) => conditions.and_number(&format!("{plus}actor_id ="), id),
        None => conditions.and("actor_id IS NULL"),
    };
}

/// The part of a chain that an index gives.
fn part(organisation: Option<OrganisationId>, along: Along) -> Conditions {
    let mut conditions = indexed_part(organisation, along);
    if !matches!(along, Along::Actor(_) | Along::Chain) {
        // Whoever asks for another chain's feature gets nothing.
        match organisation {
            Some(id) => conditions.and_number("+organisation_id =", id.get()),
            None => conditions.and("+organisation_id IS NULL"),
        };
    }
    conditions
}

/// What an index alone says of it.
fn indexed_part(organisation: Option<OrganisationId>, along: Along) -> Conditions {
    let mut conditions = Conditions::default();
    let (column, id) = match along {
        Along::Feature(id) => ("feature_id =", id.get()),
        Along::Segment(id) => ("segment_id =", id.get()),
        Along::Identity(id) => ("identity_id =", id.get()),
        Along::Environment(id) => ("environment_id =", id.get()),
        Along::Project(id) => ("project_id =", id.get()),
        Along::Actor(_) | Along::Chain => {
            match organisation {
                Some(id) => conditions.and_number("organisation_id =", id.get()),
                None => conditions.and("organisation_id IS NULL"),
            };
            if let Along::Actor(actor) = along {
                and_actor(&mut conditions, actor, "");
            }
            return conditions;
        }
    };
    conditions.and_number(column, id);
    conditions
}

impl Store {
    /// Entries of a chain that are as asked for and stand before a place in it, newest first; at most `limit`. Looks at 20,000
    /// entries at most, so a part may be empty although older ones exist: [`AuditPart::older`] says where to go on.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn audit_part(
        &self,
        organisation: Option<OrganisationId>,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<AuditPart> {
        if filter.is_impossible() {
            return Ok(AuditPart::default());
        }
        let along = filter.along();
        let before = match (before, filter.until) {
            (Some(before), _) => before,
            (None, Some(until)) => self.audit_place_at(organisation, until).await?,
            (None, None) => i64::MAX,
        };
        let floor = self.audit_floor(organisation, along, before).await?;
        let mut conditions = part(organisation, along);
        conditions.and_number("sequence <", before);
        conditions.and_number("sequence >=", floor.unwrap_or(0));
        filter.rest(along, &mut conditions);
        let limit = limit.max(1) as usize;
        let sql = format!(
            concat!(
                "SELECT ",
                audit_columns!(),
                " FROM audit_entries WHERE {} ORDER BY sequence DESC LIMIT {}"
            ),
            conditions.sql,
            limit + 1
        );
        let mut entries: Vec<StoredAuditEntry> = on_backend!(self, |pool| {
            bind_values!(sqlx::query_as(AssertSqlSafe(sql)), &conditions.values)
                .fetch_all(pool)
                .await
        })?;
        let has_more = entries.len() > limit;
        entries.truncate(limit);
        let last = entries.last();
        let older = if has_more {
            last.map(|entry| entry.sequence)
        } else {
            floor
        };
        // What is older than the beginning of the time asked for is not to be looked at.
        let is_before = |place: i64| async move {
            let Some(since) = filter.since else {
                return StoreResult::Ok(false);
            };
            Ok(self.audit_first_since(organisation, since).await? > place)
        };
        let older = match older {
            Some(place) if is_before(place).await? => None,
            other => other,
        };
        Ok(AuditPart { entries, older })
    }

    /// The place in a chain behind everything that was done before a time.
    async fn audit_place_at(
        &self,
        organisation: Option<OrganisationId>,
        until: Timestamp,
    ) -> StoreResult<i64> {
        let mut conditions = part(organisation, Along::Chain);
        conditions.and_number("at <", until.micros());
        let place = self.audit_place(conditions, "at DESC").await?;
        Ok(place.map_or(0, |place| place + DISORDER))
    }

    /// A place in a chain before everything that was done since a time.
    async fn audit_first_since(
        &self,
        organisation: Option<OrganisationId>,
        since: Timestamp,
    ) -> StoreResult<i64> {
        let mut conditions = part(organisation, Along::Chain);
        conditions.and_number("at >=", since.micros());
        let place = self.audit_place(conditions, "at").await?;
        Ok(place.map_or(i64::MAX, |place| place - DISORDER))
    }

    /// Where the entries end that one question may look at; `None` where they are all that is left.
    async fn audit_floor(
        &self,
        organisation: Option<OrganisationId>,
        along: Along,
        before: i64,
    ) -> StoreResult<Option<i64>> {
        let mut conditions = indexed_part(organisation, along);
        conditions.and_number("sequence <", before);
        let order = format!("sequence DESC LIMIT 1 OFFSET {WINDOW}");
        let next = self.audit_place(conditions, &order).await?;
        Ok(next.map(|place| place + 1))
    }

    async fn audit_place(&self, conditions: Conditions, order: &str) -> StoreResult<Option<i64>> {
        let limit = if order.contains("LIMIT") {
            ""
        } else {
            " LIMIT 1"
        };
        let sql = format!(
            "SELECT sequence FROM audit_entries WHERE {} ORDER BY {order}{limit}",
            conditions.sql
        );
        Ok(on_backend!(self, |pool| {
            bind_values!(sqlx::query_scalar(AssertSqlSafe(sql)), &conditions.values)
                .fetch_optional(pool)
                .await
        })?)
    }
}
