//! What members may be granted, level by level, in the words of the Flagsmith API.

/// Makes the permissions of one level: a variant, its word, what it allows, and whether it can be limited to tags.
macro_rules! permissions {
    ($(#[$doc:meta])* $level:ident { $($variant:ident, $key:literal, $description:literal, $supports_tag:literal;)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $level {
            $(#[doc = $description] $variant,)*
        }

        impl $level {
            /// Every permission of the level, in the order of its catalogue.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it.
            #[must_use]
            pub const fn key(self) -> &'static str {
                match self { $(Self::$variant => $key,)* }
            }

            /// What it allows, in a sentence.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $description,)* }
            }

            /// True where a role may hold it for the features of some tags alone.
            #[must_use]
            pub const fn supports_tag(self) -> bool {
                match self { $(Self::$variant => $supports_tag,)* }
            }

            /// The permission of this word.
            #[must_use]
            pub fn parse(key: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|permission| permission.key() == key)
            }
        }
    };
}

permissions! {
    /// What may be granted in an organisation.
    OrganisationPermission {
        CreateProject, "CREATE_PROJECT", "Ability to create projects in the given organisation.", false;
        ManageUserGroups, "MANAGE_USER_GROUPS", "Ability to manage the user groups of the given organisation.", false;
    }
}

permissions! {
    /// What may be granted in a project.
    ProjectPermission {
        ViewProject, "VIEW_PROJECT", "View permission for the given project.", false;
        CreateEnvironment, "CREATE_ENVIRONMENT", "Ability to create an environment in the given project.", false;
        DeleteFeature, "DELETE_FEATURE", "Ability to delete features in the given project.", true;
        CreateFeature, "CREATE_FEATURE", "Ability to create features in the given project.", false;
        ManageSegments, "MANAGE_SEGMENTS", "Ability to manage segments in the given project.", false;
        ManageChangeRequests, "MANAGE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ability to create, delete, and publish change requests associated with a project.", false;
        ApproveChangeRequests, "APPROVE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ability to approve project level change requests.", false;
        CreateChangeRequests, "CREATE_PROJECT_LEVEL_CHANGE_REQUESTS", "Ability to create project level change requests.", false;
        ManageTags, "MANAGE_TAGS", "Allows the user to manage tags in the given project.", false;
        ViewAuditLog, "VIEW_AUDIT_LOG", "Allows the user to view the audit logs for this project.", false;
    }
}

permissions! {
    /// What may be granted in an environment.
    EnvironmentPermission {
        ViewEnvironment, "VIEW_ENVIRONMENT", "View permission for the given environment.", false;
        UpdateFeatureState, "UPDATE_FEATURE_STATE", "Ability to change the state of features in the given environment.", true;
        ManageIdentities, "MANAGE_IDENTITIES", "Ability to manage identities in the given environment.", false;
        ViewIdentities, "VIEW_IDENTITIES", "Ability to view identities in the given environment.", false;
        CreateChangeRequest, "CREATE_CHANGE_REQUEST", "Ability to create change requests in the given environment.", true;
        ApproveChangeRequest, "APPROVE_CHANGE_REQUEST", "Ability to approve change requests in the given environment.", true;
        ManageSegmentOverrides, "MANAGE_SEGMENT_OVERRIDES", "Ability to manage segment overrides in the given environment.", true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_is_found_by_its_word() {
        for permission in ProjectPermission::ALL {
            assert_eq!(
                ProjectPermission::parse(permission.key()),
                Some(*permission)
            );
        }
        for permission in EnvironmentPermission::ALL {
            assert_eq!(
                EnvironmentPermission::parse(permission.key()),
                Some(*permission)
            );
        }
        assert_eq!(OrganisationPermission::parse("create_project"), None);
    }
}
