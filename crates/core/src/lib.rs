//! The nouns of the platform and flag evaluation.
//!
//! **Invariants.** Evaluation is a pure function of a [`Snapshot`] and a [`Context`]: no I/O, no clock, no
//! randomness, so it cannot fail; a broken flag yields a reason, never an `Err`. Core types do not
//! serialise: a protocol's JSON is a struct in `wire`. Patterns, versions and rule trees are parsed when a
//! snapshot is built, once per change, never while a flag is evaluated.

pub mod api_key;
pub mod bucket;
pub mod compile;
pub mod context;
mod dependency;
pub mod environment;
pub mod evaluate;
pub mod explain;
pub mod feature;
pub mod feature_file;
pub mod feature_version;
pub mod flagd_integration;
pub mod grant;
pub mod guard;
pub mod hash;
pub mod identity;
pub mod ids;
pub mod invite;
pub mod json_text;
pub mod member;
pub mod name;
mod operand;
mod operator;
pub mod organisation;
pub mod permission;
pub mod placement;
pub mod project;
pub mod property;
mod questions;
pub mod reason;
pub mod resolution;
pub mod rollout;
pub mod ruleset;
mod seen;
pub mod segment;
pub mod segment_membership;
pub mod shortfall;
pub mod slug;
pub mod snapshot;
mod split_defaults;
pub mod tag;
#[cfg(test)]
mod testing;
pub mod text;
pub mod timestamp;
pub mod trial;
pub mod typed_value;
pub mod value;
pub mod value_type;
pub mod variant;
pub mod variant_names;

pub use api_key::ApiKey;
pub use compile::CompileWarning;
pub use context::{Attributes, Context, IdentityContext};
pub use environment::{DisabledAs, Environment, EnvironmentKey, ServerKey};
pub use evaluate::{Evaluator, Flag, FlagVariant, Origin};
pub use feature::{Feature, FeatureKind, FeatureSegment, FeatureState, StateOwner};
pub use feature_file::{FeatureExport, FeatureImport, FileStatus, ImportStrategy};
pub use feature_version::FeatureVersion;
pub use flagd_integration::{FlagdEvaluators, FlagdForm, FlagdIntegration};
pub use grant::{Grant, GrantPlace};
pub use hash::Hash;
pub use identity::{Identity, IdentityTrait};
pub use ids::*;
pub use invite::{Invite, InviteLink};
pub use member::{Member, Membership, Role};
pub use name::{FeatureName, Identifier, InvalidName, fold};
pub use operator::{
    ConditionProblem, Modulo, PatternBudget, VersionEnding, list_items, version_ending,
};
pub use organisation::Organisation;
pub use permission::{EnvironmentPermission, OrganisationPermission, ProjectPermission};
pub use placement::{Differences, Differing};
pub use project::Project;
pub use reason::{Reason, ReasonWords};
pub use resolution::{Resolution, ResolutionReason, ResolvedVariant, Resolver};
pub use rollout::{
    InvalidMove, InvalidPercentage, InvalidPlan, Percentage, Rollout, RolloutAction, RolloutEvent,
    RolloutEventKind, RolloutMove, RolloutState, RolloutStep,
};
pub use ruleset::{
    FeatureRules, FlagState, Ruleset, SegmentOverride, SegmentRules, StateIds, Variant,
};
pub use segment::{Condition, OPERATORS, Rule, RuleKind, Segment};
pub use segment_membership::IN_SEGMENT;
pub use shortfall::Shortfall;
pub use snapshot::{
    FlagChange, FlagChanges, IdentityOverrides, Snapshot, SnapshotFeature, SnapshotIdentity,
    SnapshotRows, SnapshotSegment,
};
pub use tag::Tag;
pub use timestamp::Timestamp;
pub use trial::{Trial, TrialSegment};
pub use typed_value::{TypedValue, WrongType};
pub use value::{StateValue, Value, ValueKind};
pub use value_type::ValueType;
pub use variant::{MultivariateOption, VariantWeight};
pub use variant_names::{NamedOption, NamedOverride, Variants};
