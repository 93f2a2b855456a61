//! Row ids. Each noun has its own type, so that a feature's id cannot be passed for a segment's.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a row id. Ids given by the database are positive and below 2³¹.
            #[must_use]
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// The plain number, as stored and as shown in documents.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// Id of an organisation.
    OrganisationId,
    /// Id of a project.
    ProjectId,
    /// Id of an environment.
    EnvironmentId,
    /// Id of a feature.
    FeatureId,
    /// Id of a feature state: an environment's default or an override.
    FeatureStateId,
    /// Id of a version of a feature in an environment.
    FeatureVersionId,
    /// Id of the link that gives a segment override its priority.
    FeatureSegmentId,
    /// Id of a multivariate option of a feature.
    OptionId,
    /// Id of an option's weight in one feature state.
    VariantWeightId,
    /// Id of a segment.
    SegmentId,
    /// Id of a rule of a segment.
    RuleId,
    /// Id of a condition of a rule.
    ConditionId,
    /// Id of a stored identity.
    IdentityId,
    /// Id of a stored trait.
    TraitId,
    /// Id of a member: a person who signs in here.
    MemberId,
    /// Id of a server-side environment key.
    ServerKeyId,
    /// Id of an invitation of one person.
    InviteId,
    /// Id of a link that invites whoever has it.
    InviteLinkId,
    /// Id of what a member was granted in one place.
    GrantId,
    /// Id of an API key of an organisation.
    ApiKeyId,
    /// Id of a tag of features.
    TagId,
    /// Id of an export of features.
    FeatureExportId,
    /// Id of an import of features.
    FeatureImportId,
    /// Id of a project's integration with flagd.
    FlagdIntegrationId,
    /// Id of a rollout of a feature in an environment.
    RolloutId,
    /// Id of an entry of a rollout's timeline.
    RolloutEventId,
    /// Id of a guard of a rollout.
    GuardId,
}
