//! The audit log as people read it: by question, in counted pages, whole as a file, and checked.

use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use bytes::Bytes;
use flagstaff_core::{
    Environment, EnvironmentId, Member, MemberId, OrganisationId, Project, ProjectId,
    ProjectPermission, Timestamp,
};
use flagstaff_store::{
    AuditFilter, AuditListing, AuditPart, AuditVerdict, Page, PageRequest, StoredAuditEntry,
};
use flagstaff_wire::audit::{AuditLine, CSV_HEADER};
use futures::{Stream, stream};
use std::collections::HashMap;

/// Entries that are read at a time for a file.
const EXPORT_PART: u32 = 500;

/// Whose log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditPlace {
    /// That of the installation: accounts, organisations that were made.
    Installation,
    /// That of an organisation, with all its projects.
    Organisation(OrganisationId),
    /// What an organisation's log tells of a project.
    Project(ProjectId),
}

/// Whose logs are listed together; everything a caller may read where neither is named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AuditPlaces {
    /// That of an organisation.
    pub organisation: Option<OrganisationId>,
    /// That of a project.
    pub project: Option<ProjectId>,
}

/// How a file of entries is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFormat {
    /// Comma-separated values.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// An entry with what it names, as far as that is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The entry.
    pub entry: StoredAuditEntry,
    /// The member who did it.
    pub author: Option<Member>,
    /// Where.
    pub project: Option<Project>,
    /// Where in the project.
    pub environment: Option<Environment>,
}

/// A chain and what of it a caller asks for.
#[derive(Debug, Clone)]
struct Question {
    organisation: Option<OrganisationId>,
    filter: AuditFilter,
}

impl Service {
    /// Entries that are as asked for, newest first, before a place in the chain; at most `limit`. A part may be empty
    /// although there are older ones: it says where to go on.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for the installation's log unless the caller is a superuser, for an
    /// organisation's unless its admin, and for a project's without the permission to view it;
    /// [`ServiceError::NotFound`] for a project the caller may not see.
    pub async fn audit_part(
        &self,
        caller: &Caller,
        place: AuditPlace,
        filter: AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> ServiceResult<(Vec<AuditRecord>, Option<i64>)> {
        let question = self.audit_question(caller, place, filter).await?;
        let AuditPart { entries, older } = self
            .store()
            .audit_part(question.organisation, &question.filter, before, limit)
            .await?;
        Ok((self.audit_records(entries).await?, older))
    }

    /// The entries that a caller may read in counted pages, newest first.
    ///
    /// # Errors
    /// As [`Service::audit_part`] for a place that is named.
    pub async fn audit_page(
        &self,
        caller: &Caller,
        places: AuditPlaces,
        mut listing: AuditListing,
        page: PageRequest,
    ) -> ServiceResult<Page<AuditRecord>> {
        match places {
            AuditPlaces {
                project: Some(project),
                ..
            } => {
                let permission = ProjectPermission::ViewAuditLog;
                let project = self.project_for(caller, project, permission).await?;
                listing.projects = vec![project.id];
            }
            AuditPlaces {
                organisation: Some(organisation),
                ..
            } => {
                caller.require_admin(organisation)?;
                listing.organisations = vec![organisation];
            }
            AuditPlaces { .. } => self.everything_readable(caller, &mut listing).await?,
        }
        let found = self.store().audit_page(&listing, page).await?;
        Ok(Page {
            items: self.audit_records(found.items).await?,
            total: found.total,
        })
    }

    /// One entry, by its row.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] for an entry the caller may not read, and where there is none.
    pub async fn audit_entry(&self, caller: &Caller, id: i64) -> ServiceResult<AuditRecord> {
        let missing = || ServiceError::NotFound {
            noun: Noun::AuditEntry,
        };
        let entry = self.store().audit_entry(id).await?.ok_or_else(missing)?;
        let mut listing = AuditListing::default();
        self.everything_readable(caller, &mut listing).await?;
        let organisation = entry.organisation_id.map(OrganisationId::new);
        let project = entry.project_id.map(ProjectId::new);
        let is_readable = organisation.is_some_and(|id| listing.organisations.contains(&id))
            || project.is_some_and(|id| listing.projects.contains(&id));
        if !is_readable {
            return Err(missing());
        }
        let records = self.audit_records(vec![entry]).await?;
        records.into_iter().next().ok_or_else(missing)
    }

    /// Follows an organisation's log from its first entry to its last.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is admin of the organisation.
    pub async fn verify_audit(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
    ) -> ServiceResult<AuditVerdict> {
        caller.require_admin(organisation)?;
        Ok(self.store().verify_audit(Some(organisation)).await?)
    }

    /// All entries that are as asked for as a file, newest first, written as it is read: some hundred entries are in
    /// memory at a time.
    ///
    /// # Errors
    /// As [`Service::audit_part`]; a failure of the database later on ends the file with an error.
    pub async fn export_audit(
        &self,
        caller: &Caller,
        place: AuditPlace,
        filter: AuditFilter,
        format: AuditFormat,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<Bytes>> + Send + 'static + use<>> {
        let question = self.audit_question(caller, place, filter).await?;
        let store = self.store().clone();
        let start = match format {
            AuditFormat::Csv => CSV_HEADER,
            AuditFormat::JsonLines => "",
        };
        // The place before which to go on; none when all was written.
        let beginning = (Some(None), start.to_owned());
        Ok(stream::try_unfold(beginning, move |(next, start)| {
            let (store, question) = (store.clone(), question.clone());
            async move {
                let Some(before) = next else {
                    return Ok(None);
                };
                let AuditPart { entries, older } = store
                    .audit_part(question.organisation, &question.filter, before, EXPORT_PART)
                    .await?;
                let mut text = start;
                for entry in &entries {
                    let line = line_of(entry);
                    text.push_str(&match format {
                        AuditFormat::Csv => line.to_csv(),
                        AuditFormat::JsonLines => line.to_json_line(),
                    });
                }
                Ok(Some((Bytes::from(text), (older.map(Some), String::new()))))
            }
        }))
    }

    /// Whether a caller may read a place, and what of its chain that is.
    async fn audit_question(
        &self,
        caller: &Caller,
        place: AuditPlace,
        mut filter: AuditFilter,
    ) -> ServiceResult<Question> {
        let organisation = match place {
            AuditPlace::Installation => {
                let member = caller.require_person()?;
                if !member.is_superuser {
                    return Err(ServiceError::Forbidden);
                }
                None
            }
            AuditPlace::Organisation(id) => {
                caller.require_admin(id)?;
                Some(id)
            }
            AuditPlace::Project(id) => {
                let permission = ProjectPermission::ViewAuditLog;
                let project = self.project_for(caller, id, permission).await?;
                filter.project = Some(project.id);
                Some(project.organisation_id)
            }
        };
        Ok(Question {
            organisation,
            filter,
        })
    }

    /// Organisations the caller is admin of, and elsewhere projects whose log they may view.
    async fn everything_readable(
        &self,
        caller: &Caller,
        listing: &mut AuditListing,
    ) -> ServiceResult<()> {
        for organisation in self.organisations_of(caller).await? {
            if caller.require_admin(organisation.id).is_ok() {
                listing.organisations.push(organisation.id);
                continue;
            }
            let projects = self.store().projects(organisation.id).await?;
            let viewing = ProjectPermission::ViewAuditLog;
            let readable = projects
                .iter()
                .filter(|project| caller.may_in_project(project, viewing));
            listing.projects.extend(readable.map(|project| project.id));
        }
        Ok(())
    }

    /// Looks up what entries name, each thing once.
    async fn audit_records(
        &self,
        entries: Vec<StoredAuditEntry>,
    ) -> ServiceResult<Vec<AuditRecord>> {
        let mut members: HashMap<i64, Option<Member>> = HashMap::new();
        let mut projects: HashMap<i64, Option<Project>> = HashMap::new();
        let mut environments: HashMap<i64, Option<Environment>> = HashMap::new();
        let mut records = Vec::with_capacity(entries.len());
        let store = self.store();
        for entry in entries {
            let is_member = entry.actor_kind == "member";
            let author = entry.actor_id.filter(|_| is_member);
            if let Some(id) = author
                && !members.contains_key(&id)
            {
                members.insert(id, store.member(MemberId::new(id)).await?);
            }
            if let Some(id) = entry.project_id
                && !projects.contains_key(&id)
            {
                projects.insert(id, store.project(ProjectId::new(id)).await?);
            }
            if let Some(id) = entry.environment_id
                && !environments.contains_key(&id)
            {
                environments.insert(id, store.environment(EnvironmentId::new(id)).await?);
            }
            records.push(AuditRecord {
                author: author.and_then(|id| members.get(&id).cloned().flatten()),
                project: entry
                    .project_id
                    .and_then(|id| projects.get(&id).cloned().flatten()),
                environment: entry
                    .environment_id
                    .and_then(|id| environments.get(&id).cloned().flatten()),
                entry,
            });
        }
        Ok(records)
    }
}

fn line_of(entry: &StoredAuditEntry) -> AuditLine<'_> {
    AuditLine {
        sequence: entry.sequence,
        at: Timestamp::from_micros(entry.at),
        actor_kind: &entry.actor_kind,
        actor: &entry.actor_name,
        action: &entry.action,
        noun: &entry.noun,
        object_id: entry.object_id,
        summary: &entry.summary,
        organisation: entry.organisation_id,
        project: entry.project_id,
        environment: entry.environment_id,
        details: entry.details.as_deref(),
        previous_hash: &entry.previous_hash,
        hash: &entry.hash,
    }
}
