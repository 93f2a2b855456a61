//! What a member was granted, place by place.

use crate::{EnvironmentId, GrantId, MemberId, OrganisationId, ProjectId};

/// Where a grant holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GrantPlace {
    /// In an organisation as a whole.
    Organisation(OrganisationId),
    /// In one project.
    Project(OrganisationId, ProjectId),
    /// In one environment.
    Environment(OrganisationId, ProjectId, EnvironmentId),
}

impl GrantPlace {
    /// The organisation it is in.
    #[must_use]
    pub const fn organisation(self) -> OrganisationId {
        match self {
            Self::Organisation(id) | Self::Project(id, _) | Self::Environment(id, _, _) => id,
        }
    }

    /// The project it is, or is in.
    #[must_use]
    pub const fn project(self) -> Option<ProjectId> {
        match self {
            Self::Organisation(_) => None,
            Self::Project(_, id) | Self::Environment(_, id, _) => Some(id),
        }
    }

    /// The environment it is.
    #[must_use]
    pub const fn environment(self) -> Option<EnvironmentId> {
        match self {
            Self::Organisation(_) | Self::Project(_, _) => None,
            Self::Environment(_, _, id) => Some(id),
        }
    }
}

/// What a member was granted in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Row id.
    pub id: GrantId,
    /// Who.
    pub member_id: MemberId,
    /// Where.
    pub place: GrantPlace,
    /// May do everything there and below.
    pub is_admin: bool,
    /// Words of the place's permissions.
    pub permissions: Vec<String>,
}

impl Grant {
    /// True where the grant itself allows what this word of a permission means, or everything.
    #[must_use]
    pub fn allows(&self, permission: &str) -> bool {
        self.is_admin || self.permissions.iter().any(|held| held == permission)
    }
}
