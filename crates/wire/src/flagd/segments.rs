//! The segments of an environment as flagd's clients test them.

use super::condition::{Findings, Setting};
use super::difference::Difference;
use super::logic::{Logic, depth};
use super::options::DocumentOptions;
use super::rules::rules_to_logic;
use super::warning::{Warning, WarningReason};
use flagstaff_core::slug::slug;
use flagstaff_core::{CompileWarning, FlagdEvaluators, Hash, Snapshot};
use std::collections::HashSet;
use std::sync::Arc;

/// Conditions nested deeper are left out: the Rust client reads 128 levels of JSON, and others stand around these.
const DEPTH_LIMIT: usize = 100;

/// A segment as a flag tests it.
#[derive(Debug)]
pub(super) enum Audience {
    /// Nobody, or nobody that flagd can tell: its overrides are left out.
    Nobody {
        /// False where the server knows of somebody.
        is_exact: bool,
    },
    /// Whoever this expression holds for.
    Some {
        /// Compact JSON.
        logic: String,
        /// False where a client may answer otherwise than the server.
        is_exact: bool,
    },
}

impl Audience {
    pub(super) const fn is_exact(&self) -> bool {
        match self {
            Self::Nobody { is_exact } | Self::Some { is_exact, .. } => *is_exact,
        }
    }
}

/// Translates every segment that overrides something, in the order of the snapshot; the others are nobody.
pub(super) fn audiences(
    snapshot: &Snapshot,
    options: &DocumentOptions,
    warnings: &mut Vec<Warning>,
    differences: &mut Vec<Difference>,
) -> Vec<Audience> {
    (0..snapshot.segments.len())
        .map(|segment| {
            if snapshot.segments[segment].overrides.is_empty() {
                Audience::Nobody { is_exact: true }
            } else {
                audience(snapshot, segment, options, warnings, differences)
            }
        })
        .collect()
}

fn audience(
    snapshot: &Snapshot,
    segment: usize,
    options: &DocumentOptions,
    warnings: &mut Vec<Warning>,
    differences: &mut Vec<Difference>,
) -> Audience {
    let part = &snapshot.segments[segment].segment;
    let compiled = &snapshot.warnings[segment];
    let is_too_deep = |warning: &CompileWarning| matches!(warning, CompileWarning::TooDeep { .. });
    if compiled.iter().any(is_too_deep) {
        // The server lets nobody in either.
        warnings.push(too_deep(&part.name));
        return Audience::Nobody { is_exact: true };
    }

    let setting = Setting {
        snapshot,
        form: options.form,
        hash_key: &part.hash_key,
        hash: part.hash.unwrap_or(snapshot.environment.hash),
    };
    let mut findings = Findings::default();
    let logic = rules_to_logic(&part.rules, &setting, &mut findings);
    let is_exact = findings.warnings.is_empty();
    warnings.append(&mut findings.warnings);
    let features = overridden(snapshot, segment);
    let name: Arc<str> = part.name.as_str().into();
    let of_segment = findings.differences.into_iter();
    differences.extend(of_segment.map(|difference| difference.of(&name, &features)));
    let json = match logic {
        None => return Audience::Nobody { is_exact: false },
        Some(Logic::Never) => return Audience::Nobody { is_exact },
        Some(logic) => logic.to_json(),
    };
    if depth(&json) > DEPTH_LIMIT {
        warnings.push(too_deep(&part.name));
        let reason = WarningReason::RulesTooDeep;
        differences.push(Difference::of_features(reason, features));
        return Audience::Nobody { is_exact: false };
    }
    let hash = setting.hash;
    let differs = findings.splits && !is_of_flagd(hash);
    if differs {
        let detail = format!("segment={}, hash={}", part.name, hash.name());
        warnings.push(Warning::new(WarningReason::BucketingDiffers, detail));
    }
    Audience::Some {
        logic: json.to_string(),
        is_exact: is_exact && !differs,
    }
}

/// The names of the features that a segment overrides, each once.
fn overridden(snapshot: &Snapshot, segment: usize) -> Vec<Arc<str>> {
    let mut features: Vec<Arc<str>> = Vec::new();
    for over in snapshot.rules.segments()[segment].overrides() {
        if !features.contains(&over.feature) {
            features.push(Arc::clone(&over.feature));
        }
    }
    features
}

fn too_deep(segment: &str) -> Warning {
    Warning::new(WarningReason::RulesTooDeep, format!("segment={segment}"))
}

/// True for the hashes that some of flagd's own evaluators have.
pub(super) const fn is_of_flagd(hash: Hash) -> bool {
    match hash {
        Hash::FlagdV2 | Hash::FlagdV3 => true,
        Hash::Flagsmith | Hash::Flipt | Hash::Fnv1a32 => false,
    }
}

/// Where each segment stands in the document.
#[derive(Debug)]
pub(super) enum Placement {
    /// In every flag that uses it.
    Inline,
    /// Under `$evaluators`, by this name.
    Shared(String),
}

/// Places each segment; `uses` says how many features of the document each one decides about.
pub(super) fn placements(
    snapshot: &Snapshot,
    audiences: &[Audience],
    uses: &[usize],
    options: &DocumentOptions,
    warnings: &mut Vec<Warning>,
) -> Vec<Placement> {
    let mut taken = HashSet::new();
    let mut placements = Vec::with_capacity(audiences.len());
    for (segment, audience) in audiences.iter().enumerate() {
        let part = &snapshot.segments[segment].segment;
        let Audience::Some { logic, .. } = audience else {
            placements.push(Placement::Inline);
            continue;
        };
        if options.evaluators == FlagdEvaluators::Inline || uses[segment] < 2 {
            placements.push(Placement::Inline);
            continue;
        }
        if !is_safe(logic) {
            let detail = format!("segment={}", part.name);
            warnings.push(Warning::new(WarningReason::EvaluatorInlinedUnsafe, detail));
            placements.push(Placement::Inline);
            continue;
        }
        let fallback = format!("segment-{}", part.id.get());
        placements.push(Placement::Shared(free(
            &slug(&part.name, &fallback),
            &mut taken,
        )));
    }
    placements
}

/// True for what every client puts in place of a reference as it is.
///
/// Python's replaces by a pattern, which trips over backslashes and escapes what is not ASCII; JavaScript's gives `$`
/// a meaning.
fn is_safe(logic: &str) -> bool {
    logic.is_ascii() && !logic.contains(['\\', '$'])
}

/// The name itself, or with the first number from 2 on that makes it free.
fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while !taken.insert(free.clone()) {
        free = format!("{name}-{number}");
        number += 1;
    }
    free
}
