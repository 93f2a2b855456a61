//! What stands around every page of a member: where they are, where they can go, and what the last form had to say.

use crate::Dashboard;
use crate::answer::{encoded, page};
use crate::cookies::Cookie;
use crate::navigation::{self, Link, LinkGroup, Section};
use crate::notices::Notice;
use crate::visitor::{SignedIn, Theme, Wanted};
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::Response;
use flagstaff_core::{
    Environment, EnvironmentPermission, GrantPlace, Organisation, OrganisationId, Project,
    ProjectId, ProjectPermission, Role, Timestamp,
};
use flagstaff_service::{Caller, Noun, OwnFlags, Service, ServiceError, ServiceResult};
use std::sync::Arc;

/// Where a page is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// In no organisation: the start page, the member's own account, what is said about the server.
    Server,
    /// In an organisation.
    Organisation(OrganisationId),
    /// In a project.
    Project(ProjectId),
    /// In an environment, by its client key.
    Environment(&'a str),
}

/// What stands around a page.
pub(crate) struct Shell {
    /// Who looks.
    pub(crate) caller: Arc<Caller>,
    /// Their name for themselves.
    pub(crate) email: String,
    /// What their forms carry.
    pub(crate) form_token: String,
    /// True where the script puts the page into one that is there.
    pub(crate) is_fragment: bool,
    /// Light or dark, when they chose.
    pub(crate) theme: Option<Theme>,
    /// What the last form had to say.
    pub(crate) notice: Option<Notice>,
    /// The page's own address.
    pub(crate) path: String,
    /// What part of the dashboard the page belongs to.
    pub(crate) section: Section,
    /// When the page is made.
    pub(crate) now: Timestamp,
    /// Where the page is.
    pub(crate) organisation: Option<Organisation>,
    /// Where the page is; for a page of an organisation, the project that its links lead to.
    pub(crate) project: Option<Project>,
    /// Where the page is; for a page of a project, the environment that its links lead to.
    pub(crate) environment: Option<Environment>,
    /// The other projects of the organisation, and this one.
    pub(crate) projects: Vec<Link>,
    /// The other environments of the project, and this one, on the same page.
    pub(crate) environments: Vec<Link>,
    /// Links at the side.
    pub(crate) navigation: Vec<LinkGroup>,
    /// True where there is a page for the member's own account.
    pub(crate) has_account: bool,
    /// What the dashboard shows.
    pub(crate) flags: Arc<OwnFlags>,
    is_live: bool,
    is_secure: bool,
}

impl Shell {
    /// Answers with a page within this shell.
    pub(crate) fn page(&self, status: StatusCode, template: &impl Template) -> Response {
        let mut response = page(status, template);
        if self.notice.is_some()
            && let Some(gone) = Cookie::Notice.set("", Some(0), self.is_secure)
        {
            response.headers_mut().append(header::SET_COOKIE, gone);
        }
        response
    }

    /// The project of a page that is in one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] on pages that are in none.
    pub(crate) fn project(&self) -> ServiceResult<&Project> {
        let noun = Noun::Project;
        self.project.as_ref().ok_or(ServiceError::NotFound { noun })
    }

    /// The environment of a page that is in one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] on pages that are in none.
    pub(crate) fn environment(&self) -> ServiceResult<&Environment> {
        let noun = Noun::Environment;
        let environment = self.environment.as_ref();
        environment.ok_or(ServiceError::NotFound { noun })
    }

    /// True where the member may do this in the project of the page.
    pub(crate) fn may_in_project(&self, permission: ProjectPermission) -> bool {
        let project = self.project.as_ref();
        project.is_some_and(|project| self.caller.may_in_project(project, permission))
    }

    /// True where the member may do this in the environment of the page.
    pub(crate) fn may_in_environment(&self, permission: EnvironmentPermission) -> bool {
        match (&self.project, &self.environment) {
            (Some(project), Some(environment)) => {
                self.caller
                    .may_in_environment(project, environment.id, permission)
            }
            (_, _) => false,
        }
    }

    /// True for admins of the project of the page.
    pub(crate) fn administers_project(&self) -> bool {
        let project = self.project.as_ref();
        project.is_some_and(|project| {
            let place = GrantPlace::Project(project.organisation_id, project.id);
            self.caller.administers(place)
        })
    }

    /// True for admins of the environment of the page.
    pub(crate) fn administers_environment(&self) -> bool {
        match (&self.project, &self.environment) {
            (Some(project), Some(environment)) => {
                let (organisation, project) = (project.organisation_id, project.id);
                let place = GrantPlace::Environment(organisation, project, environment.id);
                self.caller.administers(place)
            }
            (_, _) => false,
        }
    }

    /// True for admins of the organisation of the page.
    pub(crate) fn administers_organisation(&self) -> bool {
        let organisation = self.organisation.as_ref();
        organisation.is_some_and(|found| self.caller.role_in(found.id) == Some(Role::Admin))
    }

    /// True for superusers.
    pub(crate) fn is_superuser(&self) -> bool {
        let member = self.caller.member();
        member.is_some_and(|member| member.is_superuser)
    }

    /// The first letter of the member's name.
    pub(crate) fn initial(&self) -> String {
        let first = self.email.chars().next();
        first.map_or_else(String::new, |first| first.to_uppercase().to_string())
    }

    /// Where the page hears of what others change.
    pub(crate) fn live_path(&self) -> Option<String> {
        let environment = self.environment.as_ref().filter(|_| self.is_live)?;
        Some(format!(
            "/environments/{}/live",
            encoded(&environment.api_key)
        ))
    }

    /// Where the member is, in words: for the title and the head of the page.
    pub(crate) fn whereabouts(&self) -> String {
        let project = self.project.as_ref().map(|project| project.name.as_str());
        let environment = self.environment.as_ref();
        let names = [project, environment.map(|found| found.name.as_str())];
        let names: Vec<&str> = names.into_iter().flatten().collect();
        names.join(" · ")
    }
}

/// The place of a page, as far as it is known.
#[derive(Default)]
struct Found {
    organisation: Option<Organisation>,
    project: Option<Project>,
    environment: Option<Environment>,
    others: Vec<Environment>,
}

impl Dashboard {
    /// What stands around a page at this place, in this part of the dashboard.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] where there is no such place or the member may not know of it, and failures of
    /// the database.
    pub(crate) async fn shell(
        &self,
        signed_in: &SignedIn,
        place: Place<'_>,
        section: Section,
    ) -> ServiceResult<Shell> {
        let caller = &signed_in.caller;
        let asked = &signed_in.request;
        let flags = self.service.own_flags().await;
        // A part that the dashboard's own flags hide cannot be had by its address either.
        if !section.is_shown(&flags) {
            let noun = Noun::Environment;
            return Err(ServiceError::NotFound { noun });
        }
        let found = find(&self.service, caller, place, asked.environment.as_deref()).await?;
        let projects = match &found.organisation {
            Some(organisation) => self.service.projects(caller, Some(organisation.id)).await?,
            None => self.service.projects(caller, None).await?,
        };
        let is_quiet = asked.wanted == Wanted::Live;
        let mut shell = Shell {
            email: caller.name().to_owned(),
            form_token: signed_in.form_token(),
            is_fragment: asked.wanted != Wanted::Page,
            theme: asked.theme,
            notice: asked.notice.clone().filter(|_| !is_quiet),
            path: asked.path.clone(),
            now: self.service.clock().now(),
            section,
            projects: navigation::projects(&projects, found.project.as_ref()),
            environments: navigation::environments(section, asked, &found.others, place),
            navigation: Vec::new(),
            organisation: found.organisation,
            project: found.project,
            environment: found.environment,
            has_account: self.has_page("/account"),
            flags,
            is_live: matches!(place, Place::Environment(_)),
            is_secure: self.is_secure(),
            caller: Arc::clone(caller),
        };
        shell.navigation = navigation::groups(self, &shell);
        Ok(shell)
    }
}

async fn find(
    service: &Service,
    caller: &Caller,
    place: Place<'_>,
    wanted: Option<&str>,
) -> ServiceResult<Found> {
    match place {
        Place::Server => around(service, caller, wanted).await,
        Place::Organisation(id) => {
            let organisation = service.organisation(caller, id).await?.organisation;
            let mut found = around(service, caller, wanted).await?;
            if found.organisation.as_ref() != Some(&organisation) {
                found = Found::default();
            }
            found.organisation = Some(organisation);
            Ok(found)
        }
        Place::Project(id) => {
            let project = service.project(caller, id).await?.project;
            let others = service.environments_of(caller, id).await?;
            let mut candidates = others.iter();
            let environment = candidates
                .find(|each| Some(&*each.api_key) == wanted)
                .or_else(|| others.first())
                .cloned();
            with_organisation(service, caller, project, environment, others).await
        }
        Place::Environment(client_key) => {
            let environment = service.environment(caller, client_key).await?;
            let project = service.project(caller, environment.project_id).await?;
            let others = service.environments_of(caller, project.project.id).await?;
            with_organisation(service, caller, project.project, Some(environment), others).await
        }
    }
}

/// Where the member was before, when the page itself belongs to no project.
async fn around(service: &Service, caller: &Caller, wanted: Option<&str>) -> ServiceResult<Found> {
    let Some(client_key) = wanted else {
        return Ok(Found::default());
    };
    let place = Place::Environment(client_key);
    match Box::pin(find(service, caller, place, None)).await {
        Err(ServiceError::NotFound { .. } | ServiceError::Forbidden) => Ok(Found::default()),
        other => other,
    }
}

async fn with_organisation(
    service: &Service,
    caller: &Caller,
    project: Project,
    environment: Option<Environment>,
    others: Vec<Environment>,
) -> ServiceResult<Found> {
    let organisation = service
        .organisation(caller, project.organisation_id)
        .await?
        .organisation;
    Ok(Found {
        organisation: Some(organisation),
        project: Some(project),
        environment,
        others,
    })
}
