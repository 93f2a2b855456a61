//! The environment document: everything that an SDK needs to evaluate flags by itself.

use super::document_state::{StateOutput, digits_as_number, write_state};
use crate::json::{write_boolean, write_integer, write_list, write_optional_text, write_text};
use crate::time::{UtcMark, iso};
use flagstaff_core::{
    Attributes, Condition, Context, Differing, FeatureId, FeatureState, Hash, IdentityContext,
    Rule, RuleKind, Snapshot, SnapshotFeature, SnapshotIdentity, SnapshotSegment, Value,
};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

pub use super::document_read::parse_environment_document;

/// What an SDK that evaluates a document by itself will not answer as the server does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentWarning {
    /// Its percentage splits are hashed otherwise than by Flagsmith's hash, or by a text that the document cannot carry as
    /// the segment's id.
    SegmentHash {
        /// Name of the segment.
        segment: String,
    },
    /// Its variants are hashed otherwise than by Flagsmith's hash, or by a text that the document cannot carry as a seed.
    StateHash {
        /// Name of the feature.
        feature: Arc<str>,
    },
    /// SDKs hash every identity by its composite key; this environment hashes by row id.
    IdentityHash,
}

impl fmt::Display for DocumentWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SegmentHash { segment } => write!(
                f,
                "segment `{segment}`: percentage splits place identities differently in SDKs that evaluate locally"
            ),
            Self::StateHash { feature } => write!(
                f,
                "feature `{feature}`: variants place identities differently in SDKs that evaluate locally"
            ),
            Self::IdentityHash => f.write_str(
                "identities are hashed by their row id, which SDKs that evaluate locally do not know",
            ),
        }
    }
}

/// Renders the environment document of a snapshot; two renderings of equal snapshots have the same bytes.
#[must_use]
pub fn environment_document(snapshot: &Snapshot) -> (Vec<u8>, Vec<DocumentWarning>) {
    let mut document = Document {
        snapshot,
        out: Vec::with_capacity(64 * 1024),
        warnings: Vec::new(),
    };
    document.write();
    (document.out, document.warnings)
}

struct Document<'a> {
    snapshot: &'a Snapshot,
    out: Vec<u8>,
    warnings: Vec<DocumentWarning>,
}

impl<'a> Document<'a> {
    fn write(&mut self) {
        let environment = Arc::clone(&self.snapshot.environment);
        self.raw("{\"id\":");
        write_integer(&mut self.out, environment.id.get());
        self.raw(",\"api_key\":");
        write_text(&mut self.out, &environment.api_key);
        self.raw(",\"project\":");
        self.write_project();
        self.raw(",\"feature_states\":");
        self.write_defaults();
        self.raw(",\"identity_overrides\":");
        self.write_identities();
        self.raw(",\"name\":");
        write_text(&mut self.out, &environment.name);
        self.member(",\"allow_client_traits\":", environment.allow_client_traits);
        self.raw(",\"updated_at\":");
        write_text(
            &mut self.out,
            &iso(self.snapshot.updated_at, UtcMark::Offset),
        );
        self.member(",\"hide_sensitive_data\":", environment.hide_sensitive_data);
        self.raw(",\"hide_disabled_flags\":");
        match environment.hide_disabled_flags {
            Some(hides) => write_boolean(&mut self.out, hides),
            None => self.raw("null"),
        }
        self.member(
            ",\"use_identity_composite_key_for_hashing\":",
            environment.use_identity_composite_key_for_hashing,
        );
        self.member(
            ",\"use_identity_overrides_in_local_eval\":",
            environment.use_identity_overrides_in_local_eval,
        );
        self.raw("}");
        let splits = || {
            self.snapshot
                .features
                .iter()
                .any(|part| !part.options.is_empty())
        };
        if !environment.use_identity_composite_key_for_hashing && splits() {
            self.warnings.push(DocumentWarning::IdentityHash);
        }
        self.warn_of_other_hashes();
    }

    /// SDKs know no hash but Flagsmith's.
    fn warn_of_other_hashes(&mut self) {
        let differing = self.snapshot.placed_differently_by(Hash::Flagsmith);
        for Differing { name, .. } in differing.features {
            self.warn(DocumentWarning::StateHash { feature: name });
        }
        for Differing { name, .. } in differing.segments {
            let segment = name.to_string();
            self.warn(DocumentWarning::SegmentHash { segment });
        }
    }

    fn write_project(&mut self) {
        let snapshot = self.snapshot;
        let (project, organisation) = (&snapshot.project, &snapshot.organisation);
        self.raw("{\"id\":");
        write_integer(&mut self.out, project.id.get());
        self.raw(",\"name\":");
        write_text(&mut self.out, &project.name);
        self.raw(",\"organisation\":{\"id\":");
        write_integer(&mut self.out, organisation.id.get());
        self.raw(",\"name\":");
        write_text(&mut self.out, &organisation.name);
        // A switch of the hosted service, which no SDK reads.
        self.member(",\"feature_analytics\":", false);
        self.member(",\"stop_serving_flags\":", organisation.stop_serving_flags);
        self.member(",\"persist_trait_data\":", organisation.persist_trait_data);
        self.member("},\"hide_disabled_flags\":", project.hide_disabled_flags);
        self.raw(",\"segments\":");
        self.write_segments();
        self.member(
            ",\"enable_realtime_updates\":",
            project.enable_realtime_updates,
        );
        self.raw(",\"server_key_only_feature_ids\":");
        let server_only = snapshot
            .features
            .iter()
            .filter(|part| part.feature.is_server_key_only);
        write_list(&mut self.out, server_only, |out, part| {
            write_integer(out, part.feature.id.get());
        });
        self.raw("}");
    }

    fn write_segments(&mut self) {
        let snapshot = self.snapshot;
        self.raw("[");
        // A segment that belongs to one feature is of use only where it overrides it.
        let shown = snapshot
            .segments
            .iter()
            .filter(|part| part.segment.feature_id.is_none() || !part.overrides.is_empty());
        for (position, part) in shown.enumerate() {
            if position > 0 {
                self.raw(",");
            }
            self.write_segment(part);
        }
        self.raw("]");
    }

    fn write_segment(&mut self, part: &SnapshotSegment) {
        let segment = &part.segment;
        self.raw("{\"id\":");
        match digits_as_number(&segment.hash_key) {
            Some(number) => write_integer(&mut self.out, number),
            None => {
                let number = self.free_segment_number(segment.id.get());
                write_integer(&mut self.out, number);
                if segment.rules.iter().any(splits_by_percentage) {
                    self.warnings.push(DocumentWarning::SegmentHash {
                        segment: segment.name.clone(),
                    });
                }
            }
        }
        self.raw(",\"name\":");
        write_text(&mut self.out, &segment.name);
        self.raw(",\"rules\":");
        write_list(&mut self.out, &segment.rules, write_rule);
        self.raw(",\"feature_states\":");
        self.write_states(part.overrides.iter().map(|state| (state, None)));
        self.raw("}");
    }

    /// An id that no other segment of the document has: SDKs keep segments by their ids.
    fn free_segment_number(&self, row_id: i64) -> i64 {
        let is_taken = |number: i64| {
            let mut parts = self.snapshot.segments.iter();
            parts.any(|part| digits_as_number(&part.segment.hash_key) == Some(number))
        };
        if !is_taken(row_id) {
            return row_id;
        }
        // Row ids grow from 1, so the other end of the 32 bits is free.
        let mut number = i64::from(i32::MAX) - row_id;
        while is_taken(number) {
            number -= 1;
        }
        number
    }

    fn write_defaults(&mut self) {
        let snapshot = self.snapshot;
        self.write_states(snapshot.features.iter().map(|part| (&part.state, None)));
    }

    /// Writes states of known features, each with another value than its own where one is given.
    fn write_states<'s>(
        &mut self,
        states: impl Iterator<Item = (&'s FeatureState, Option<&'s Value>)>,
    ) {
        self.raw("[");
        let mut is_first = true;
        for (state, value) in states {
            let Some(part) = self.feature(state.feature_id) else {
                continue;
            };
            if !is_first {
                self.raw(",");
            }
            is_first = false;
            let output = StateOutput { part, state, value };
            if !write_state(&mut self.out, &output) {
                self.warn(DocumentWarning::StateHash {
                    feature: part.feature.name.shared(),
                });
            }
        }
        self.raw("]");
    }

    fn feature(&self, id: FeatureId) -> Option<&'a SnapshotFeature> {
        let index = self.snapshot.feature_index_by_id(id)?;
        self.snapshot.features.get(index).map(|part| &**part)
    }

    fn write_identities(&mut self) {
        let snapshot = self.snapshot;
        self.raw("[");
        if snapshot.environment.use_identity_overrides_in_local_eval {
            for (position, part) in snapshot.identities.in_order().into_iter().enumerate() {
                if position > 0 {
                    self.raw(",");
                }
                self.write_identity(part);
            }
        }
        self.raw("]");
    }

    fn write_identity(&mut self, part: &'a SnapshotIdentity) {
        let identity = &part.identity;
        let environment = &self.snapshot.environment;
        let composite_key = format!("{}_{}", environment.api_key, identity.identifier);
        self.raw("{\"identifier\":");
        write_text(&mut self.out, &identity.identifier);
        self.raw(",\"environment_api_key\":");
        write_text(&mut self.out, &environment.api_key);
        self.raw(",\"created_date\":");
        write_text(&mut self.out, &iso(identity.created_at, UtcMark::Offset));
        self.raw(",\"identity_features\":");
        self.write_identity_states(part, &composite_key);
        // Flagsmith makes up a new one for every document; ours must not differ between builds.
        let uuid = Uuid::new_v5(&environment.uuid, identity.identifier.as_bytes());
        self.raw(",\"identity_traits\":[],\"identity_uuid\":");
        write_text(&mut self.out, &uuid.to_string());
        self.raw(",\"django_id\":");
        write_integer(&mut self.out, identity.id.get());
        self.raw(",\"dashboard_alias\":null,\"composite_key\":");
        write_text(&mut self.out, &composite_key);
        self.raw("}");
    }

    /// SDKs never split an identity override, the server does; so each is written with the value of the
    /// variant that the server would pick, and both answer the same.
    fn write_identity_states(&mut self, part: &'a SnapshotIdentity, composite_key: &str) {
        let snapshot = self.snapshot;
        let row_key = part.identity.id.to_string();
        let hashes_composite = snapshot.environment.use_identity_composite_key_for_hashing;
        let attributes = Attributes::new();
        let context = Context {
            identity: Some(IdentityContext {
                identifier: &part.identity.identifier,
                key: Some(if hashes_composite {
                    composite_key
                } else {
                    &row_key
                }),
                attributes: &attributes,
                overrides: Some(&part.flags),
            }),
        };
        let mut evaluator = snapshot.rules.evaluator(&context);
        let states = part.states.iter().map(|state| {
            let feature = snapshot.feature_index_by_id(state.feature_id);
            let picked = feature
                .filter(|_| !state.weights.is_empty())
                .map(|feature| evaluator.flag(feature).value.clone());
            (state, picked)
        });
        let picked: Vec<_> = states.collect();
        self.write_states(picked.iter().map(|(state, value)| (*state, value.as_ref())));
    }

    fn warn(&mut self, warning: DocumentWarning) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn member(&mut self, name: &str, value: bool) {
        self.raw(name);
        write_boolean(&mut self.out, value);
    }
}

fn write_rule(out: &mut Vec<u8>, rule: &Rule) {
    out.extend_from_slice(b"{\"type\":");
    write_text(out, rule_type(rule.kind));
    out.extend_from_slice(b",\"rules\":");
    write_list(out, &rule.rules, write_rule);
    out.extend_from_slice(b",\"conditions\":");
    write_list(out, &rule.conditions, write_condition);
    out.push(b'}');
}

fn write_condition(out: &mut Vec<u8>, condition: &Condition) {
    out.extend_from_slice(b"{\"operator\":");
    write_text(out, &condition.operator);
    out.extend_from_slice(b",\"value\":");
    write_optional_text(out, condition.value.as_deref());
    out.extend_from_slice(b",\"property_\":");
    write_optional_text(out, condition.property.as_deref());
    out.push(b'}');
}

/// The word of the API for how a rule joins its parts.
#[must_use]
pub const fn rule_type(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::All => "ALL",
        RuleKind::Any => "ANY",
        RuleKind::None => "NONE",
    }
}

fn splits_by_percentage(rule: &Rule) -> bool {
    rule.rules.iter().any(splits_by_percentage)
        || rule
            .conditions
            .iter()
            .any(|condition| condition.operator == "PERCENTAGE_SPLIT")
}
