//! What the form of a segment holds, from a stored segment or from what was sent.

use crate::fields::{FieldProblems, Fields};
use crate::rules::check::check;
use crate::rules::draft::{RuleDraft, plain, to_rules};
use crate::rules::fields::{TooManyParts, parse};
use flagstaff_core::{FeatureId, Hash, Rule, Segment, SegmentId};
use flagstaff_service::{SegmentPatch, SegmentRequest, TrialRequest};

/// The form of a segment.
pub(super) struct SegmentForm {
    pub(super) name: String,
    pub(super) description: String,
    /// The word of a hash; empty for the environment's.
    pub(super) hash: String,
    /// The one feature it may override.
    pub(super) feature: Option<i64>,
    pub(super) rules: Vec<RuleDraft>,
    /// What it is tried on.
    pub(super) context: String,
    /// The stored segment as the form knew it.
    pub(super) version: String,
}

impl SegmentForm {
    /// The form of a new segment.
    pub(super) fn new(feature: Option<i64>) -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            hash: String::new(),
            feature,
            rules: vec![RuleDraft::first()],
            context: String::new(),
            version: String::new(),
        }
    }

    /// The form of a stored segment.
    pub(super) fn of(segment: &Segment) -> Self {
        Self {
            name: segment.name.clone(),
            description: plain(segment.description.as_deref().unwrap_or_default()),
            hash: segment.hash.map_or("", Hash::name).to_owned(),
            feature: segment.feature_id.map(FeatureId::get),
            rules: segment.rules.iter().map(RuleDraft::of).collect(),
            context: String::new(),
            version: segment.updated_at.micros().to_string(),
        }
    }

    /// The form that was sent.
    pub(super) fn sent(fields: &Fields) -> Result<Self, TooManyParts> {
        Ok(Self {
            name: fields.text("name").to_owned(),
            description: plain(fields.text("description")),
            hash: fields.text("hash").to_owned(),
            feature: fields.parsed("feature"),
            rules: parse(fields)?,
            context: plain(fields.text("context")),
            version: fields.text("version").to_owned(),
        })
    }

    /// What is wrong with it.
    pub(super) fn problems(&self, stored: &[Rule]) -> FieldProblems {
        let mut problems = FieldProblems::default();
        if self.name.trim().is_empty() {
            problems.add("name", "Give the segment a name.");
        }
        check(&self.rules, stored, &mut problems);
        problems
    }

    fn hash(&self) -> Option<Hash> {
        Hash::parse(&self.hash)
    }

    fn description(&self) -> Option<String> {
        Some(self.description.clone()).filter(|text| !text.is_empty())
    }

    /// A segment to be made.
    pub(super) fn request(&self) -> SegmentRequest {
        SegmentRequest {
            name: self.name.trim().to_owned(),
            description: self.description(),
            feature_id: self.feature.map(FeatureId::new),
            hash: self.hash(),
            rules: to_rules(&self.rules, &[]),
        }
    }

    /// What is to be changed of a stored one: nothing that is as it was.
    pub(super) fn patch(&self, stored: &Segment) -> SegmentPatch {
        let before = Self::of(stored);
        let rules = to_rules(&self.rules, &stored.rules);
        let name = self.name.trim();
        SegmentPatch {
            name: (name != stored.name).then(|| name.to_owned()),
            description: (self.description != before.description).then(|| self.description()),
            hash: (self.hash() != stored.hash).then(|| self.hash()),
            rules: (rules != stored.rules).then_some(rules),
        }
    }

    /// The segment as it would be, to be tried.
    pub(super) fn trial(&self, stored: Option<&Segment>) -> TrialRequest {
        let rules = stored.map_or(&[][..], |segment| &segment.rules);
        TrialRequest {
            id: stored.map(|segment: &Segment| -> SegmentId { segment.id }),
            name: self.name.clone(),
            hash: self.hash(),
            rules: to_rules(&self.rules, rules),
        }
    }
}
