//! Where protocols may answer otherwise than the server: for whom, in which condition, and which clients.
//!
//! Warnings say what a person should mend; this list says what no document can. Whatever is not in it is the same
//! everywhere.

use super::attribute::AttributeClass;
use super::subject::TARGETING_KEY;
use super::warning::WarningReason;
use crate::json::{write_list, write_text};
use flagstaff_core::Hash;
use std::sync::Arc;

/// A program that evaluates for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Client {
    /// flagd, and what evaluates as it does in Go.
    Go,
    /// npm `@openfeature/flagd-core`.
    JavaScript,
    /// PyPI `openfeature-flagd-core`.
    Python,
    /// The crate `flagd-evaluation-engine`.
    Rust,
    /// Flagsmith's SDKs that evaluate locally.
    Flagsmith,
}

impl Client {
    /// As diagnostics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Go => "flagd-go",
            Self::JavaScript => "flagd-javascript",
            Self::Python => "flagd-python",
            Self::Rust => "flagd-rust",
            Self::Flagsmith => "flagsmith-local",
        }
    }
}

/// All that read a flagd document.
pub(super) const OF_FLAGD: &[Client] =
    &[Client::Go, Client::JavaScript, Client::Python, Client::Rust];

/// Why somebody may be answered otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DifferenceReason {
    /// A value of this class compares otherwise in flagd's language.
    AttributeType,
    /// The client hashes otherwise.
    BucketingDiffers,
    /// What a warning with this reason tells of.
    Warned(WarningReason),
}

impl DifferenceReason {
    /// As diagnostics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AttributeType => "attribute_type",
            Self::BucketingDiffers => "bucketing_differs",
            Self::Warned(reason) => reason.as_str(),
        }
    }
}

/// Attributes of one class, and the clients to which they make a difference.
pub type Seen = (AttributeClass, Vec<Client>);

/// One place where protocols may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Why.
    pub reason: DifferenceReason,
    /// The features whose answers may differ.
    pub features: Vec<Arc<str>>,
    /// The condition that differs; `None` where the feature itself does.
    pub condition: Option<ConditionPlace>,
    /// The name of the attribute that it depends on; `targetingKey` for the identifier.
    pub attribute: Arc<str>,
    /// What the attribute holds where answers may differ, and in which clients.
    pub attributes: Vec<Seen>,
}

/// Where a condition stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionPlace {
    /// The segment's name.
    pub segment: Arc<str>,
    /// A JSON pointer into the segment's `rules`.
    pub pointer: String,
    /// What it asks.
    pub operator: Arc<str>,
}

/// A difference in a condition, before it is known which features it concerns.
#[derive(Debug)]
pub(super) struct ConditionDifference {
    pub(super) reason: DifferenceReason,
    pub(super) pointer: String,
    pub(super) operator: Arc<str>,
    pub(super) attribute: Arc<str>,
    pub(super) attributes: Vec<Seen>,
}

impl ConditionDifference {
    pub(super) fn of(self, segment: &Arc<str>, features: &[Arc<str>]) -> Difference {
        Difference {
            reason: self.reason,
            features: features.to_vec(),
            condition: Some(ConditionPlace {
                segment: Arc::clone(segment),
                pointer: self.pointer,
                operator: self.operator,
            }),
            attribute: self.attribute,
            attributes: self.attributes,
        }
    }
}

impl Difference {
    /// Of features themselves, for everybody and in every client of flagd.
    pub(super) fn of_features(reason: WarningReason, features: Vec<Arc<str>>) -> Self {
        Self {
            reason: DifferenceReason::Warned(reason),
            features,
            condition: None,
            attribute: TARGETING_KEY.into(),
            attributes: vec![(AttributeClass::Anything, OF_FLAGD.to_vec())],
        }
    }

    /// Of a feature that is split by weight.
    pub(super) fn of_split(feature: &Arc<str>, hash: Hash) -> Self {
        Self {
            reason: DifferenceReason::BucketingDiffers,
            features: vec![Arc::clone(feature)],
            condition: None,
            attribute: TARGETING_KEY.into(),
            attributes: placed_otherwise(hash, feature.is_ascii()),
        }
    }
}

/// For whom clients place people otherwise than the server with this hash. `is_ascii` of whatever is hashed besides the
/// attribute.
pub(super) fn placed_otherwise(hash: Hash, is_ascii: bool) -> Vec<Seen> {
    use Client::{Flagsmith, Go, JavaScript, Python, Rust};
    let mut others = match hash {
        Hash::Flagsmith => vec![Go, JavaScript, Python, Rust],
        Hash::FlagdV2 => vec![Python, Rust, Flagsmith],
        Hash::FlagdV3 => vec![Go, JavaScript, Flagsmith],
        Hash::Flipt | Hash::Fnv1a32 => vec![Go, JavaScript, Python, Rust, Flagsmith],
    };
    let mut seen = Vec::new();
    if hash == Hash::FlagdV2 {
        // JavaScript's hash mixes units of UTF-16.
        if is_ascii {
            seen.push((AttributeClass::BeyondAscii, vec![JavaScript]));
        } else {
            others.push(JavaScript);
        }
    }
    seen.insert(0, (AttributeClass::Anything, others));
    seen
}

pub(super) fn write_difference(out: &mut Vec<u8>, difference: &Difference) {
    out.extend_from_slice(b"{\"reason\":");
    write_text(out, difference.reason.as_str());
    out.extend_from_slice(b",\"features\":");
    write_list(out, &difference.features, |out, feature| {
        write_text(out, feature);
    });
    if let Some(place) = &difference.condition {
        out.extend_from_slice(b",\"segment\":");
        write_text(out, &place.segment);
        out.extend_from_slice(b",\"condition\":");
        write_text(out, &place.pointer);
        out.extend_from_slice(b",\"operator\":");
        write_text(out, &place.operator);
    }
    out.extend_from_slice(b",\"attribute\":");
    write_text(out, &difference.attribute);
    out.extend_from_slice(b",\"attributes\":");
    write_list(out, &difference.attributes, |out, (class, clients)| {
        out.extend_from_slice(b"{\"is\":");
        write_text(out, class.as_str());
        out.extend_from_slice(b",\"clients\":");
        write_list(out, clients, |out, client| {
            write_text(out, client.as_str());
        });
        out.push(b'}');
    });
    out.push(b'}');
}
