//! Segments: named audiences.

use crate::{ConditionId, FeatureId, Hash, ProjectId, RuleId, SegmentId, Timestamp};
use std::sync::Arc;
use uuid::Uuid;

/// How a rule joins its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleKind {
    /// Every part holds.
    All,
    /// At least one part holds.
    Any,
    /// No part holds.
    None,
}

/// A group of conditions and further groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Row id; `None` before it is stored and in documents from elsewhere.
    pub id: Option<RuleId>,
    /// How its parts are joined.
    pub kind: RuleKind,
    /// Groups inside this one.
    pub rules: Vec<Rule>,
    /// Comparisons of this group.
    pub conditions: Vec<Condition>,
}

/// The operators a condition can name; any other is never true.
pub const OPERATORS: [&str; 14] = [
    "EQUAL",
    "NOT_EQUAL",
    "GREATER_THAN",
    "GREATER_THAN_INCLUSIVE",
    "LESS_THAN",
    "LESS_THAN_INCLUSIVE",
    "CONTAINS",
    "NOT_CONTAINS",
    "REGEX",
    "PERCENTAGE_SPLIT",
    "MODULO",
    "IS_SET",
    "IS_NOT_SET",
    "IN",
];

/// A comparison: property, operator, value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Row id; `None` before it is stored and in documents from elsewhere.
    pub id: Option<ConditionId>,
    /// The operator's name as the Flagsmith API writes it, such as `GREATER_THAN`.
    pub operator: String,
    /// Trait name or `$.` path; `None` means the identity's key (old percentage splits).
    pub property: Option<String>,
    /// What is compared with. Only `IN` knows a list; it is stored as its JSON text.
    pub value: Option<String>,
    /// Free text.
    pub description: Option<String>,
}

/// A segment of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Row id.
    pub id: SegmentId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// The one feature it may override, when it belongs to a feature.
    pub feature_id: Option<FeatureId>,
    /// Shown name; the reason of a matching override carries it.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// What percentage splits are hashed by, and the segment's id in documents when it is decimal digits.
    pub hash_key: Arc<str>,
    /// What places identities in its percentages; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// All of them must hold; without any, nobody matches.
    pub rules: Vec<Rule>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}
