//! Links that every page has: the parts of the dashboard, the projects, the environments.

use crate::Dashboard;
use crate::answer::encoded;
use crate::shell::{Place, Shell};
use crate::visitor::Asked;
use flagstaff_core::{Environment, EnvironmentPermission, Project, ProjectPermission};
use flagstaff_service::OwnFlags;

/// A part of the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// The start page.
    Start,
    /// Features and their states.
    Features,
    /// Audiences.
    Segments,
    /// End users.
    Identities,
    /// What is given to more and more people.
    Rollouts,
    /// What changes by itself.
    Scheduled,
    /// Flags that nobody needs any more.
    Lifecycle,
    /// How often flags are asked for.
    Usage,
    /// Who did what.
    Audit,
    /// The environment and its keys.
    EnvironmentSettings,
    /// How the project is served to flagd.
    Flagd,
    /// The project.
    ProjectSettings,
    /// Members, API keys and the organisation itself.
    Organisation,
    /// The member themselves.
    Account,
    /// The server.
    About,
}

/// A link.
pub(crate) struct Link {
    /// Where to.
    pub(crate) path: String,
    /// What it says.
    pub(crate) label: String,
    /// True where one is there already.
    pub(crate) is_here: bool,
    /// Keys that lead there.
    pub(crate) shortcut: &'static str,
}

/// Links that belong together.
pub(crate) struct LinkGroup {
    /// What they have in common.
    pub(crate) label: &'static str,
    /// The links.
    pub(crate) links: Vec<Link>,
}

impl Section {
    const ALL: [(&'static str, &'static [Self]); 3] = [
        (
            "Flags",
            &[
                Self::Features,
                Self::Segments,
                Self::Identities,
                Self::Rollouts,
                Self::Scheduled,
                Self::Lifecycle,
            ],
        ),
        ("Watch", &[Self::Usage, Self::Audit]),
        (
            "Set up",
            &[
                Self::EnvironmentSettings,
                Self::ProjectSettings,
                Self::Flagd,
                Self::Organisation,
                Self::About,
            ],
        ),
    ];

    /// What people call it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Features => "Features",
            Self::Segments => "Segments",
            Self::Identities => "Identities",
            Self::Rollouts => "Rollouts",
            Self::Scheduled => "Scheduled",
            Self::Lifecycle => "Lifecycle",
            Self::Usage => "Usage",
            Self::Audit => "Audit log",
            Self::EnvironmentSettings => "Environment settings",
            Self::Flagd => "flagd",
            Self::ProjectSettings => "Project settings",
            Self::Organisation => "Organisation",
            Self::Account => "Account",
            Self::About => "About",
        }
    }

    /// Keys that lead there.
    const fn shortcut(self) -> &'static str {
        match self {
            Self::Features => "g f",
            Self::Segments => "g s",
            Self::Identities => "g i",
            Self::Rollouts => "g r",
            Self::Scheduled => "g c",
            Self::Lifecycle => "g l",
            Self::Usage => "g u",
            Self::Audit => "g a",
            Self::EnvironmentSettings => "g e",
            Self::ProjectSettings => "g p",
            Self::Organisation => "g o",
            Self::Start | Self::Flagd | Self::Account | Self::About => "",
        }
    }

    /// Its first page, as it was registered.
    const fn template(self) -> &'static str {
        match self {
            Self::Start => "/",
            Self::Features => "/environments/{client_key}/features",
            Self::Segments => "/environments/{client_key}/segments",
            Self::Identities => "/environments/{client_key}/identities",
            Self::Rollouts => "/environments/{client_key}/rollouts",
            Self::Scheduled => "/environments/{client_key}/scheduled",
            Self::Lifecycle => "/environments/{client_key}/lifecycle",
            Self::Usage => "/environments/{client_key}/usage",
            Self::Audit => "/projects/{project_id}/audit",
            Self::EnvironmentSettings => "/environments/{client_key}/settings",
            Self::Flagd => "/projects/{project_id}/flagd",
            Self::ProjectSettings => "/projects/{project_id}/settings",
            Self::Organisation => "/organisations/{organisation_id}",
            Self::Account => "/account",
            Self::About => "/about",
        }
    }

    /// Its first page, from where somebody is; `None` where that is in nothing it belongs to, or there is no such page.
    fn path(self, dashboard: &Dashboard, shell: &Shell) -> Option<String> {
        if !dashboard.has_page(self.template()) || !self.is_open(shell) {
            return None;
        }
        let key = shell.environment.as_ref().map(|found| &*found.api_key);
        let mut path = self.template().to_owned();
        let has_environment = path.contains("{client_key}");
        if has_environment {
            path = path.replace("{client_key}", &encoded(key?));
        }
        if path.contains("{project_id}") {
            let id = shell.project.as_ref()?.id.get();
            path = path.replace("{project_id}", &id.to_string());
        }
        if path.contains("{organisation_id}") {
            let id = shell.organisation.as_ref()?.id.get();
            path = path.replace("{organisation_id}", &id.to_string());
        }
        match key {
            // So that the way back leads to the same environment.
            Some(key) if !has_environment => Some(format!("{path}?environment={}", encoded(key))),
            Some(_) | None => Some(path),
        }
    }

    /// True where the dashboard's own flags show it.
    pub(crate) fn is_shown(self, flags: &OwnFlags) -> bool {
        match self {
            Self::Usage => flags.usage_chart,
            Self::Flagd => flags.integration_data,
            Self::Start
            | Self::Features
            | Self::Segments
            | Self::Identities
            | Self::Rollouts
            | Self::Scheduled
            | Self::Lifecycle
            | Self::Audit
            | Self::EnvironmentSettings
            | Self::ProjectSettings
            | Self::Organisation
            | Self::Account
            | Self::About => true,
        }
    }

    /// True where the member may see what is there.
    fn is_open(self, shell: &Shell) -> bool {
        if !self.is_shown(&shell.flags) {
            return false;
        }
        match self {
            Self::Identities => shell.may_in_environment(EnvironmentPermission::ViewIdentities),
            Self::Audit => shell.may_in_project(ProjectPermission::ViewAuditLog),
            Self::ProjectSettings => shell.project.is_some(),
            Self::Start
            | Self::Features
            | Self::Segments
            | Self::Rollouts
            | Self::Scheduled
            | Self::Lifecycle
            | Self::Usage
            | Self::EnvironmentSettings
            | Self::Flagd
            | Self::Organisation
            | Self::Account
            | Self::About => true,
        }
    }
}

/// The links at the side.
pub(crate) fn groups(dashboard: &Dashboard, shell: &Shell) -> Vec<LinkGroup> {
    let link = |section: &Section| {
        Some(Link {
            path: section.path(dashboard, shell)?,
            label: section.label().to_owned(),
            is_here: *section == shell.section,
            shortcut: section.shortcut(),
        })
    };
    let groups = Section::ALL.iter().map(|(label, sections)| LinkGroup {
        label,
        links: sections.iter().filter_map(link).collect(),
    });
    groups.filter(|group| !group.links.is_empty()).collect()
}

/// Links to projects.
pub(crate) fn projects(projects: &[Project], here: Option<&Project>) -> Vec<Link> {
    let link = |project: &Project| Link {
        path: format!("/projects/{}", project.id.get()),
        label: project.name.clone(),
        is_here: here.is_some_and(|here| here.id == project.id),
        shortcut: "",
    };
    projects.iter().map(link).collect()
}

/// Links to the same page in other environments.
pub(crate) fn environments(
    section: Section,
    asked: &Asked,
    environments: &[Environment],
    place: Place<'_>,
) -> Vec<Link> {
    let here = match place {
        Place::Environment(client_key) => Some(client_key),
        Place::Server | Place::Organisation(_) | Place::Project(_) => asked.environment.as_deref(),
    };
    let path = asked.path.split('?').next().unwrap_or("/");
    let link = |environment: &Environment| Link {
        path: match place {
            Place::Environment(_) => {
                let key = encoded(&environment.api_key);
                format!("/environments/{key}/{}", kept(section, path))
            }
            Place::Server | Place::Organisation(_) | Place::Project(_) => {
                format!("{path}?environment={}", encoded(&environment.api_key))
            }
        },
        label: environment.name.clone(),
        is_here: here == Some(&*environment.api_key),
        shortcut: "",
    };
    environments.iter().map(link).collect()
}

/// What of the path holds in other environments too: features and segments are the project's, identities are not.
fn kept(section: Section, path: &str) -> &str {
    let mut parts = path.trim_start_matches('/').splitn(3, '/');
    let rest = parts.nth(2).unwrap_or("features");
    let list = rest.split('/').next().unwrap_or(rest);
    match section {
        Section::Features | Section::Segments => rest,
        Section::Start
        | Section::Identities
        | Section::Rollouts
        | Section::Scheduled
        | Section::Lifecycle
        | Section::Usage
        | Section::Audit
        | Section::EnvironmentSettings
        | Section::Flagd
        | Section::ProjectSettings
        | Section::Organisation
        | Section::Account
        | Section::About => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_environment_keeps_the_page_as_far_as_it_has_it() {
        let features = kept(Section::Features, "/environments/abc/features/12/versions");
        let identities = kept(Section::Identities, "/environments/abc/identities/7");

        assert_eq!(features, "features/12/versions");
        assert_eq!(identities, "identities");
    }
}
