//! Why an identity gets what it gets of a flag: every step, with what each comparison saw.

use super::{find, override_path, path};
use crate::answer::{PageResult, Refused, encoded};
use crate::context_text;
use crate::pages::segments;
use crate::rules::edit::rule_number;
use crate::rules::tree::{RuleTree, TreeCondition, glance, number_text, value_text};
use crate::shell::Shell;
use crate::visitor::SignedIn;
use crate::{Dashboard, fields::FieldProblems};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::explain::{CandidateTrace, FlagTrace, SegmentTrace, SplitTrace};
use flagstaff_core::{
    EnvironmentPermission, FeatureId, Identity, Origin, RuleKind, Shortfall, Snapshot,
};
use flagstaff_service::{Explanation, Noun, SentContext, ServiceError, Wanted};
use serde::Deserialize;

/// What is laid over the stored traits.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    with: String,
}

#[derive(Template)]
#[template(path = "identities/why.html")]
struct WhyPage<'a> {
    shell: &'a Shell,
    identity: &'a Identity,
    identity_path: String,
    path: String,
    override_path: String,
    may_override: bool,
    flag: &'a FlagTrace,
    value: String,
    /// The override for this identity alone: on or off, and its value.
    own: Option<(bool, String)>,
    steps: Vec<Step>,
    default: (bool, String),
    split: Option<Split>,
    attributes: Vec<(String, String)>,
    hash_key: Option<&'a str>,
    warnings: Vec<String>,
    with: &'a str,
    problems: &'a FieldProblems,
    api_path: String,
}

/// A segment that could have made the flag another.
struct Step {
    name: String,
    path: String,
    priority: String,
    gives: (bool, String),
    matches: bool,
    wins: bool,
    lacks: Vec<Lack>,
    tree: RuleTree,
}

/// What kept the identity out of a segment.
struct Lack {
    words: String,
    conditions: Vec<TreeCondition>,
}

/// Where the identity falls among the variants.
struct Split {
    hash: &'static str,
    seed: String,
    key: String,
    bucket: String,
    total: String,
    /// Per mille of the width.
    marker: f64,
    ranges: Vec<Range>,
}

struct Range {
    name: String,
    from: String,
    to: String,
    start: f64,
    width: f64,
    is_hit: bool,
}

impl WhyPage<'_> {
    fn is_from_identity(&self) -> bool {
        self.flag.origin == Origin::Identity
    }

    fn is_from_environment(&self) -> bool {
        self.flag.origin == Origin::Environment
    }
}

/// `GET …/identities/{identity_id}/why/{feature_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id, feature)): Path<(String, i64, i64)>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let mut problems = FieldProblems::default();
    let sent = sent(&identity, &asked.with, &mut problems);
    let explained = explain(&dashboard, &signed_in, &client_key, sent, feature).await?;
    let snapshot = explained.open.snapshot();
    let flag = explained.trace.flags.first().ok_or_else(missing)?;
    let feature = FeatureId::new(feature);
    let index = snapshot.feature_index_by_id(feature).ok_or_else(missing)?;
    let default = &snapshot.rules.features()[index].state;
    let overrides = explained.recognised.overrides();
    let own = overrides.and_then(|own| own.flags.iter().find(|(name, _)| *name == flag.feature));
    let attributes = explained.recognised.attributes().iter();
    let identity_path = path(&client_key, identity.id);
    let template = WhyPage {
        shell: &shell,
        path: format!("{identity_path}/why/{}", feature.get()),
        override_path: override_path(&client_key, identity.id, feature),
        may_override: shell.may_in_environment(EnvironmentPermission::UpdateFeatureState),
        value: value_text(&flag.value).unwrap_or_default(),
        own: own.map(|(_, state)| (state.enabled, glance(&state.value))),
        steps: steps(&explained, flag, &client_key),
        default: (default.enabled, glance(&default.value)),
        split: flag.split.as_ref().map(split),
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), value_text(value).unwrap_or_default()))
            .collect(),
        hash_key: explained.recognised.hash_key(),
        warnings: explained.warnings(),
        with: &asked.with,
        problems: &problems,
        api_path: format!(
            "/api/v1/explain/flags/{}/?targetingKey={}",
            encoded(&flag.feature),
            encoded(&identity.identifier)
        ),
        identity_path,
        identity: &identity,
        flag,
    };
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(shell.page(status, &template))
}

/// The identity with what is typed laid over its traits.
fn sent(identity: &Identity, with: &str, problems: &mut FieldProblems) -> SentContext {
    let mut sent = match context_text::read(with) {
        Ok(sent) => sent,
        Err(sentence) => {
            problems.add("with", sentence);
            SentContext::default()
        }
    };
    sent.targeting_key = Some(std::sync::Arc::clone(&identity.identifier));
    sent
}

async fn explain(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    sent: SentContext,
    feature: i64,
) -> Result<Explanation, Refused> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let open = service.open_to_explain(caller, client_key, &sent).await?;
    let snapshot = std::sync::Arc::clone(open.snapshot());
    let index = snapshot.feature_index_by_id(FeatureId::new(feature));
    let part = index.and_then(|index| snapshot.features.get(index));
    let name = part.ok_or_else(missing)?.feature.name.as_str();
    Ok(service.explain(open, sent, Wanted::Flag(name)).await?)
}

fn missing() -> Refused {
    let noun = Noun::Feature;
    ServiceError::NotFound { noun }.into()
}

/// The segments that could override, strongest first.
fn steps(explained: &Explanation, flag: &FlagTrace, client_key: &str) -> Vec<Step> {
    let snapshot = explained.open.snapshot();
    let step = |candidate: &CandidateTrace| {
        let mut traces = explained.trace.segments.iter();
        let trace = traces.find(|trace| trace.segment == candidate.segment)?;
        Some(step(snapshot, candidate, trace, client_key))
    };
    flag.candidates.iter().filter_map(step).collect()
}

fn step(
    snapshot: &Snapshot,
    candidate: &CandidateTrace,
    trace: &SegmentTrace,
    client_key: &str,
) -> Step {
    let segment = snapshot.segments.get(candidate.segment);
    Step {
        name: candidate.name.to_string(),
        path: segment.map_or_else(String::new, |part| {
            segments::path(client_key, part.segment.id)
        }),
        priority: candidate.priority.map_or_else(String::new, number_text),
        gives: (candidate.enabled, glance(&candidate.value)),
        matches: candidate.matches,
        wins: candidate.wins,
        lacks: lacks(trace),
        tree: RuleTree::traced(&trace.rules),
    }
}

fn lacks(trace: &SegmentTrace) -> Vec<Lack> {
    if trace.matches {
        return Vec::new();
    }
    let mut lacks: Vec<Lack> = trace.shortfalls().iter().map(lack).collect();
    if lacks.is_empty() {
        let words = if trace.rules.is_empty() {
            "The segment has no rules, so nobody is in it."
        } else {
            "The segment reads a flag that depends on itself."
        };
        lacks.push(Lack {
            words: words.to_owned(),
            conditions: Vec::new(),
        });
    }
    lacks
}

fn lack(found: &Shortfall<'_>) -> Lack {
    let rule = rule_number(&found.rule);
    let count = found.conditions.len() + found.rules.len();
    let mut words = match (found.kind, count) {
        (RuleKind::All, 1) => format!("Rule {rule} needs this:"),
        (RuleKind::All, _) => format!("Rule {rule} needs each of these:"),
        (RuleKind::Any, 1) => format!("Rule {rule} needs this:"),
        (RuleKind::Any, _) => format!("Rule {rule} needs one of these:"),
        (RuleKind::None, _) => format!("Rule {rule} must not see this:"),
    };
    for inner in &found.rules {
        let place: Vec<usize> = found.rule.iter().copied().chain([*inner]).collect();
        words.push_str(&format!(" rule {}", rule_number(&place)));
    }
    let conditions = found.conditions.iter();
    Lack {
        words,
        conditions: conditions
            .map(|condition| TreeCondition::traced(condition))
            .collect(),
    }
}

fn split(trace: &SplitTrace) -> Split {
    let per_mille = |number: f64| (number / trace.total * 1000.0).clamp(0.0, 1000.0);
    let mut ranges: Vec<Range> = trace
        .ranges
        .iter()
        .map(|range| Range {
            name: range.key.as_deref().unwrap_or("variant").to_owned(),
            from: number_text(range.start),
            to: number_text(range.end),
            start: per_mille(range.start),
            width: per_mille(range.end) - per_mille(range.start),
            is_hit: (range.start..range.end).contains(&trace.bucket),
        })
        .collect();
    let end = trace.ranges.last().map_or(0.0, |range| range.end);
    if end < trace.total {
        ranges.push(Range {
            name: "control".to_owned(),
            from: number_text(end),
            to: number_text(trace.total),
            start: per_mille(end),
            width: 1000.0 - per_mille(end),
            is_hit: trace.bucket >= end,
        });
    }
    Split {
        hash: trace.hash.name(),
        seed: trace.seed.to_string(),
        key: trace.key.to_string(),
        bucket: number_text(trace.bucket),
        total: number_text(trace.total),
        marker: per_mille(trace.bucket),
        ranges,
    }
}
