//! What a flagd document cannot say, or says otherwise than the server answers.

use crate::json::{write_list, write_text};
use flagstaff_core::FeatureName;
use std::fmt;
use std::sync::Arc;

/// The kind of a warning, as programs read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WarningReason {
    /// A pattern that no operator of flagd can stand in for; the segment is left out.
    RegexUnsupported,
    /// An operator that nobody knows; the segment is left out.
    UnknownOperator,
    /// A condition's value that its operator cannot read; the segment is left out.
    MalformedValue,
    /// A path into something that flagd's clients do not know; the segment is left out.
    PropertyUnsupported,
    /// An attribute with a dot in its name: flagd's clients look inside objects for it.
    DottedTrait,
    /// An attribute whose name flagd keeps for itself, or none; the segment is left out.
    ReservedTrait,
    /// Rules nested deeper than flagd's clients read; the segment is left out.
    RulesTooDeep,
    /// A shared segment that clients would not read rightly under `$evaluators`; it stands in each flag instead.
    EvaluatorInlinedUnsafe,
    /// Clients place people by another hash than the server.
    BucketingDiffers,
    /// More identities than a flag names; the others get what everybody gets.
    IdentityOverrideLimitExceeded,
    /// An override that is off and has the value of control: it does nothing in flagd.
    DisabledOverrideNoOp,
    /// An override that is on where the feature is off.
    OverrideEnablesDisabledFlag,
    /// An override that is off where the feature is on.
    OverrideDisablesFlag,
    /// Values of several types in one flag.
    TypeMismatch,
}

impl WarningReason {
    /// As documents and metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RegexUnsupported => "regex_unsupported",
            Self::UnknownOperator => "unknown_operator",
            Self::MalformedValue => "malformed_value",
            Self::PropertyUnsupported => "property_unsupported",
            Self::DottedTrait => "dotted_trait",
            Self::ReservedTrait => "reserved_trait",
            Self::RulesTooDeep => "rules_too_deep",
            Self::EvaluatorInlinedUnsafe => "evaluator_inlined_unsafe",
            Self::BucketingDiffers => "bucketing_differs",
            Self::IdentityOverrideLimitExceeded => "identity_override_limit_exceeded",
            Self::DisabledOverrideNoOp => "disabled_override_no_op",
            Self::OverrideEnablesDisabledFlag => "override_enables_disabled_flag",
            Self::OverrideDisablesFlag => "override_disables_flag",
            Self::TypeMismatch => "type_mismatch",
        }
    }

    /// True where a flag that it concerns is answered otherwise by clients than by the server.
    pub(super) const fn is_approximate(self) -> bool {
        match self {
            Self::RegexUnsupported
            | Self::UnknownOperator
            | Self::MalformedValue
            | Self::PropertyUnsupported
            | Self::DottedTrait
            | Self::ReservedTrait
            | Self::RulesTooDeep
            | Self::BucketingDiffers
            | Self::IdentityOverrideLimitExceeded
            | Self::TypeMismatch => true,
            Self::EvaluatorInlinedUnsafe
            | Self::DisabledOverrideNoOp
            | Self::OverrideEnablesDisabledFlag
            | Self::OverrideDisablesFlag => false,
        }
    }
}

impl fmt::Display for WarningReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that a document cannot say, or says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its kind.
    pub reason: WarningReason,
    /// Where it is, as `name=value` pairs.
    pub detail: String,
}

impl Warning {
    pub(super) fn new(reason: WarningReason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// The warnings of one feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureWarnings {
    /// The feature's name.
    pub feature: Arc<str>,
    /// At least one.
    pub warnings: Vec<Warning>,
}

/// All warnings of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Warnings {
    /// Those of segments, which concern every feature that uses them.
    pub environment: Vec<Warning>,
    /// Those of single features, in the order of the document.
    pub features: Vec<FeatureWarnings>,
}

impl Warnings {
    /// How many there are.
    #[must_use]
    pub fn total(&self) -> usize {
        let of_features = self.features.iter().map(|part| part.warnings.len());
        self.environment.len() + of_features.sum::<usize>()
    }

    /// True where there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.environment.is_empty() && self.features.is_empty()
    }

    /// All of them, those of segments first.
    pub fn iter(&self) -> impl Iterator<Item = &Warning> {
        let of_features = self.features.iter().flat_map(|part| &part.warnings);
        self.environment.iter().chain(of_features)
    }

    pub(super) fn push_feature(&mut self, feature: &FeatureName, warnings: Vec<Warning>) {
        if !warnings.is_empty() {
            self.features.push(FeatureWarnings {
                feature: feature.shared(),
                warnings,
            });
        }
    }

    /// The list for a document's metadata: a JSON array of `{"reason","detail"}`.
    pub(super) fn write_list(&self, out: &mut Vec<u8>) {
        write_list(out, self.iter(), write_warning);
    }
}

pub(super) fn write_warning(out: &mut Vec<u8>, warning: &Warning) {
    out.extend_from_slice(b"{\"reason\":");
    write_text(out, warning.reason.as_str());
    out.extend_from_slice(b",\"detail\":");
    write_text(out, &warning.detail);
    out.push(b'}');
}
