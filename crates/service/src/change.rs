//! How a change ends: audit entry, revision, commit, publishing.

use crate::error::{Noun, ServiceResult};
use crate::{Caller, Service, letters};
use flagstaff_core::{
    EnvironmentId, FeatureId, GrantPlace, IdentityId, OrganisationId, ProjectId, SegmentId,
};
use flagstaff_store::{
    Action, Actor, AuditEntry, AuditSubjects, Change, OutboxEvent, Touched, TouchedIdentities,
    Write,
};
use std::sync::Arc;
use tracing::error;
use uuid::Uuid;

/// Where a change was made: what gets a new revision, and whose audit log tells of it.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    organisation: Option<OrganisationId>,
    project: Option<ProjectId>,
    environment: Option<EnvironmentId>,
    identities: TouchedIdentities,
    keys_changed: bool,
    is_shown: bool,
}

impl Subject {
    /// The installation: no snapshot shows it.
    pub(crate) fn installation() -> Self {
        Self {
            organisation: None,
            project: None,
            environment: None,
            identities: TouchedIdentities::None,
            keys_changed: false,
            is_shown: false,
        }
    }

    /// Who belongs to an organisation: told in its log, but no snapshot shows it.
    pub(crate) fn members_of(organisation: OrganisationId) -> Self {
        Self {
            organisation: Some(organisation),
            ..Self::installation()
        }
    }

    /// What members may do in a place: told in its log, but no snapshot shows it.
    pub(crate) fn grants_at(place: GrantPlace) -> Self {
        Self {
            project: place.project(),
            environment: place.environment(),
            ..Self::members_of(place.organisation())
        }
    }

    /// The organisation as a whole: every environment of it shows its settings.
    pub(crate) fn organisation(id: OrganisationId) -> Self {
        Self {
            organisation: Some(id),
            is_shown: true,
            ..Self::installation()
        }
    }

    /// A project, in all its environments.
    pub(crate) fn project(organisation: OrganisationId, id: ProjectId) -> Self {
        Self {
            project: Some(id),
            ..Self::organisation(organisation)
        }
    }

    /// One environment.
    pub(crate) fn environment(
        organisation: OrganisationId,
        project: ProjectId,
        id: EnvironmentId,
    ) -> Self {
        Self {
            environment: Some(id),
            ..Self::project(organisation, project)
        }
    }

    /// Told in the log, but no snapshot shows it.
    pub(crate) fn unshown(mut self) -> Self {
        self.is_shown = false;
        self
    }

    /// Overrides of these identities are among what changed.
    pub(crate) fn with_identities(mut self, identifiers: Vec<Arc<str>>) -> Self {
        self.identities = TouchedIdentities::These(identifiers);
        self
    }

    /// The overrides of one identity are among what changed.
    pub(crate) fn with_identity(self, identifier: Arc<str>) -> Self {
        self.with_identities(vec![identifier])
    }

    /// Overrides of any identity may have changed.
    pub(crate) fn with_all_identities(mut self) -> Self {
        self.identities = TouchedIdentities::All;
        self
    }

    /// No snapshot shows what changed.
    pub(crate) fn not_shown(mut self) -> Self {
        self.is_shown = false;
        self
    }

    /// Environment keys are among what changed.
    pub(crate) fn with_keys(mut self) -> Self {
        self.keys_changed = true;
        self
    }

    /// No snapshot shows the change: it is a draft.
    pub(crate) fn unseen(mut self) -> Self {
        self.is_shown = false;
        self
    }

    fn touched(&self) -> Touched {
        let mut touched = Touched {
            identities: self.identities.clone(),
            keys_changed: self.keys_changed,
            ..Touched::default()
        };
        if !self.is_shown {
            return touched;
        }
        match (self.environment, self.project, self.organisation) {
            (Some(environment), _, _) => touched.environments.push(environment),
            (None, Some(project), _) => touched.projects.push(project),
            (None, None, Some(organisation)) => touched.organisations.push(organisation),
            (None, None, None) => {}
        }
        touched
    }
}

/// What was done, in the words of the audit log.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    action: Action,
    noun: Noun,
    object_id: i64,
    object_uuid: Option<Uuid>,
    summary: String,
    subjects: AuditSubjects,
    details: Option<String>,
}

impl Told {
    fn new(action: Action, noun: Noun, object_id: i64, object_uuid: Option<Uuid>) -> Self {
        Self {
            action,
            noun,
            object_id,
            object_uuid,
            summary: String::new(),
            subjects: subjects_of(noun, object_id),
            details: None,
        }
    }

    pub(crate) fn created(noun: Noun, id: i64, uuid: impl Into<Option<Uuid>>) -> Self {
        Self::new(Action::Create, noun, id, uuid.into())
    }

    pub(crate) fn updated(noun: Noun, id: i64, uuid: impl Into<Option<Uuid>>) -> Self {
        Self::new(Action::Update, noun, id, uuid.into())
    }

    pub(crate) fn deleted(noun: Noun, id: i64, uuid: impl Into<Option<Uuid>>) -> Self {
        Self::new(Action::Delete, noun, id, uuid.into())
    }

    pub(crate) fn saying(mut self, summary: String) -> Self {
        self.summary = summary;
        self
    }

    /// It tells of this feature too.
    pub(crate) fn of_feature(mut self, id: FeatureId) -> Self {
        self.subjects.feature_id = Some(id);
        self
    }

    /// It tells of this segment too.
    pub(crate) fn of_segment(mut self, id: SegmentId) -> Self {
        self.subjects.segment_id = Some(id);
        self
    }

    /// It tells of this identity too.
    pub(crate) fn of_identity(mut self, id: IdentityId) -> Self {
        self.subjects.identity_id = Some(id);
        self
    }

    /// What was before and after, as [`crate::audit_details`] writes it.
    pub(crate) fn with_details(mut self, details: Option<String>) -> Self {
        self.details = details;
        self
    }
}

/// What a thing tells of by being what it is.
fn subjects_of(noun: Noun, object_id: i64) -> AuditSubjects {
    let mut subjects = AuditSubjects::default();
    match noun {
        Noun::Feature => subjects.feature_id = Some(FeatureId::new(object_id)),
        Noun::Segment => subjects.segment_id = Some(SegmentId::new(object_id)),
        Noun::Identity => subjects.identity_id = Some(IdentityId::new(object_id)),
        _ => {}
    }
    subjects
}

impl Service {
    /// Commits a write with its audit entry and publishes it on this node before it returns.
    pub(crate) async fn finish(
        &self,
        write: Write,
        caller: Option<&Caller>,
        subject: Subject,
        told: Told,
    ) -> ServiceResult<()> {
        self.finish_all(write, caller, subject, vec![told]).await
    }

    /// The same for a change of several things, each with an entry of its own.
    pub(crate) async fn finish_all(
        &self,
        write: Write,
        caller: Option<&Caller>,
        subject: Subject,
        told: Vec<Told>,
    ) -> ServiceResult<()> {
        self.finish_with(write, caller, subject, told, Vec::new())
            .await
    }

    /// The same, with what is to be delivered afterwards.
    pub(crate) async fn finish_with(
        &self,
        write: Write,
        caller: Option<&Caller>,
        subject: Subject,
        told: Vec<Told>,
        outbox: Vec<OutboxEvent>,
    ) -> ServiceResult<()> {
        let has_letters = outbox.iter().any(|event| event.kind == letters::KIND);
        let actor = match caller {
            Some(caller) => caller.actor(),
            None => Actor::System {
                name: "flagstaff".to_owned(),
            },
        };
        let entry = |told: Told| AuditEntry {
            organisation_id: subject.organisation,
            project_id: subject.project,
            environment_id: subject.environment,
            actor: actor.clone(),
            action: told.action,
            noun: told.noun,
            object_id: Some(told.object_id),
            object_uuid: told.object_uuid,
            summary: told.summary,
            details: told.details,
            subjects: told.subjects,
        };
        let change = Change {
            audit: told.into_iter().map(entry).collect(),
            touched: subject.touched(),
            at: self.clock().now(),
            outbox,
        };
        let committed = write.commit(change).await?;
        self.schedule_changed().notify_one();
        if has_letters {
            self.mail_waiting().notify_one();
        }
        for environment in committed.environments {
            let touched = subject.identities.clone();
            // The change is durable: failing to show it now must not tell the caller it was not made. The
            // next comparison of revisions brings it in.
            if let Err(error) = self
                .publish(
                    environment.id,
                    environment.revision,
                    touched,
                    subject.keys_changed,
                )
                .await
            {
                error!(environment.id = environment.id.get(), %error, "change is stored but not published yet");
            }
        }
        Ok(())
    }

    async fn publish(
        &self,
        environment: EnvironmentId,
        revision: i64,
        touched: TouchedIdentities,
        keys_changed: bool,
    ) -> ServiceResult<()> {
        if keys_changed {
            self.keys().reload(self, environment).await?;
        }
        self.refresh(environment, revision, touched).await
    }
}
