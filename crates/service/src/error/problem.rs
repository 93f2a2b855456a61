//! What can be wrong with a field.

use super::{GuardFault, PasswordProblem, RolloutFault};
use flagstaff_core::{FeatureId, WrongType};

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Problem {
    /// It has to be given.
    #[error("is missing")]
    Required,
    /// It is empty.
    #[error("is empty")]
    Blank,
    /// It is longer than allowed.
    #[error("has more than {limit} characters")]
    TooLong {
        /// The most characters allowed.
        limit: usize,
    },
    /// It holds a NUL character.
    #[error("contains a NUL character")]
    Nul,
    /// It is outside its range.
    #[error("is not between {min} and {max}")]
    OutOfRange {
        /// The least allowed.
        min: i64,
        /// The most allowed.
        max: i64,
    },
    /// It names something that does not exist.
    #[error("{0} does not exist")]
    UnknownId(i64),
    /// It does not match the project's pattern.
    #[error("does not match `{0}`")]
    NotMatching(String),
    /// It is no value for a feature of this type.
    #[error("`{value}` of feature `{feature}` {wrong}: its values are of type {}", .wrong.0.name())]
    WrongType {
        /// The feature's name.
        feature: String,
        /// The value, up to 100 characters of it.
        value: String,
        /// What it is not.
        wrong: WrongType,
    },
    /// It is no pattern.
    #[error("is not a regular expression")]
    NotAPattern,
    /// It is no e-mail address.
    #[error("is not an e-mail address")]
    InvalidEmail,
    /// It is not the password of who asks.
    #[error("is wrong")]
    WrongPassword,
    /// The two do not match.
    #[error("differs from the password it repeats")]
    PasswordsDiffer,
    /// Whoever has this address belongs to the organisation.
    #[error("belongs to a member of the organisation")]
    MemberAlready,
    /// This address was invited, and the invitation was not used yet.
    #[error("is invited already")]
    InvitedAlready,
    /// An organisation needs somebody who can manage it.
    #[error("would leave the organisation without an admin")]
    LastAdmin,
    /// There are as many as there may be.
    #[error("exceed the limit of {limit}")]
    TooMany {
        /// The most allowed.
        limit: usize,
    },
    /// No permission of this level has this word.
    #[error("`{0}` is not a permission here")]
    UnknownPermission(String),
    /// Superusers sign up first, or not at all.
    #[error("cannot be true after the first member")]
    NotFirstMember,
    /// Somebody signs in with it already.
    #[error("belongs to somebody already")]
    EmailTaken,
    /// The password is too easy.
    #[error("is too weak")]
    WeakPassword(Vec<PasswordProblem>),
    /// Percentages add up to more than 100.
    #[error("percentages add up to more than 100")]
    PercentagesExceed,
    /// `control` names the value everybody else gets.
    #[error("`control` is a reserved variant key")]
    ReservedVariantKey,
    /// Another option of the feature has this key.
    #[error("is the key of another option")]
    DuplicateVariantKey,
    /// The option belongs to another feature.
    #[error("option {0} belongs to another feature")]
    ForeignOption(i64),
    /// A feature of a file cannot be as the file has it.
    #[error("holds a feature `{feature}` whose {field} {problem}")]
    InFile {
        /// Its name.
        feature: String,
        /// The field as the native API names it.
        field: &'static str,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// The project wants each feature looked after by somebody.
    #[error("names nobody, and the project wants an owner for each feature")]
    OwnerNeeded,
    /// A server-side key begins with `ser.`.
    #[error("does not begin with `ser.`, or is longer than 100 visible ASCII characters")]
    NotAServerKey,
    /// What is no admin needs roles, which there are none of.
    #[error("cannot be false: there are no roles to give")]
    NoRoles,
    /// A segment needs a rule.
    #[error("has no rules")]
    NoRules,
    /// Rules may hold rules, which may hold no more.
    #[error("rules are nested more than {limit} deep")]
    RulesTooDeep {
        /// The deepest allowed.
        limit: usize,
    },
    /// A segment has a limit of conditions.
    #[error("has {count} conditions, the limit is {limit}")]
    ConditionsExceed {
        /// How many were given.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// A segment has a limit of rules, those within rules included.
    #[error("has {count} rules, the limit is {limit}")]
    RulesExceed {
        /// How many were given.
        count: usize,
        /// The most allowed.
        limit: usize,
    },
    /// No operator has this name.
    #[error("`{0}` is not an operator")]
    UnknownOperator(String),
    /// The segment belongs to one feature.
    #[error("the segment belongs to feature {0}")]
    SegmentOfAnotherFeature(FeatureId),
    /// It stays what it was made with.
    #[error("cannot be changed")]
    Fixed,
    /// An environment has a limit of segment overrides of a feature.
    #[error("the environment has as many segment overrides as it may")]
    OverridesExceed,
    /// Ids of rows that are not there, or named twice.
    #[error("some ids are unknown")]
    SomeIdsUnknown,
    /// Only links of one feature in one environment stand in one order.
    #[error("the links belong to several features or environments")]
    SeveralFeatures,
    /// The feature belongs to another project.
    #[error("feature {0} belongs to another project")]
    FeatureOfAnotherProject(FeatureId),
    /// A state belongs to a segment or to an identity, not to both.
    #[error("an override is for a segment or for an identity")]
    TwoOwners,
    /// The identity is in another environment.
    #[error("the identity is in another environment")]
    IdentityElsewhere,
    /// The link of the segment is in another environment, or of another feature.
    #[error("the link is in another environment")]
    LinkElsewhere,
    /// Only multivariate features have variants.
    #[error("the feature is not multivariate")]
    NotMultivariate,
    /// The feature has no such option.
    #[error("names an unknown variant")]
    UnknownVariant,
    /// All options of a feature are weighted together.
    #[error("does not name every variant")]
    VariantsIncomplete,
    /// Weights add up to more than 100.
    #[error("weights add up to more than 100")]
    WeightsExceed,
    /// Which of two overrides with one priority counts would be anybody's guess.
    #[error("two overrides have priority {0}")]
    DuplicatePriority(i64),
    /// No identity has this identifier.
    #[error("no identity has this identifier")]
    UnknownIdentifier,
    /// The environment ignores traits that come with a client key.
    #[error("traits cannot be set with a client key")]
    ClientTraitsNotAllowed,
    /// The organisation stores no traits.
    #[error("the organisation stores no traits")]
    TraitsNotStored,
    /// An identity may have a limit of traits.
    #[error("an identity has at most {limit} traits")]
    TraitsExceed {
        /// The most allowed.
        limit: usize,
    },
    /// No guard can be like that, and no report to one.
    #[error("{0}")]
    Guard(GuardFault),
    /// No rollout can be like that.
    #[error("{0}")]
    Rollout(RolloutFault),
    /// Only integers can be incremented.
    #[error("is not an integer")]
    TraitNotInteger,
}
