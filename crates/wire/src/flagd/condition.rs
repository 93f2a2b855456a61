//! One condition in flagd's JsonLogic.

use super::comparison::{Comparison, compared, version_compared};
use super::logic::{Logic, and, number};
use super::membership::listed;
use super::pattern::pattern_to_logic;
use super::subject::{ByType, Subject, TARGETING_KEY};
use super::warning::{Warning, WarningReason};
use flagstaff_core::FlagdForm;
use flagstaff_core::property::{Path, Property};
use flagstaff_core::text::parse_float;
use flagstaff_core::{
    Condition, Context, Modulo, PatternBudget, Rule, RuleKind, Ruleset, SegmentRules, Snapshot,
    VersionEnding, list_items, version_ending,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// The ending that makes a version of a condition's value.
const VERSION_ENDING: &str = ":semver";

/// Parts that percentages are counted in: three decimals of a percent.
const PARTS: u32 = 100_000;

/// What conditions of a segment are translated with.
pub(super) struct Setting<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) form: FlagdForm,
    /// What the segment's percentages are hashed by.
    pub(super) hash_key: &'s str,
}

/// What came of a condition besides itself.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) warnings: Vec<Warning>,
    /// Somebody is in and somebody out of it by hash.
    pub(super) splits: bool,
}

/// Says one condition in flagd's JsonLogic; `None` and a warning where flagd cannot.
///
/// On `None` the caller leaves out the whole segment: any constant put in its place would let somebody in under one
/// kind of rule or another.
pub(super) fn condition_to_logic(
    condition: &Condition,
    setting: &Setting<'_>,
    findings: &mut Findings,
) -> Option<Logic> {
    let found = findings.warnings.len();
    let place = place(condition, setting, findings);
    let wanted = read(condition, findings);
    let left_out = findings.warnings[found..]
        .iter()
        .any(|warning| warning.reason != WarningReason::DottedTrait);
    let (place, wanted) = (place?, wanted?);
    if left_out {
        return None;
    }
    match place {
        Place::Known => Some(known(condition, setting)),
        Place::Seen(subject) => said(&subject, wanted, condition, setting, findings),
    }
}

/// Where a condition finds its value.
enum Place {
    Seen(Subject),
    /// In the environment itself: it is the same for every caller.
    Known,
}

fn place(condition: &Condition, setting: &Setting<'_>, findings: &mut Findings) -> Option<Place> {
    let name = condition.property.as_deref().unwrap_or_default();
    let hash_key = || {
        let environment = &setting.snapshot.environment;
        // Clients do not know row ids.
        environment
            .use_identity_composite_key_for_hashing
            .then(|| Place::Seen(Subject::HashKey(format!("{}_", environment.api_key))))
    };
    let place = match Property::parse(name) {
        // The bucket text of a percentage is the identifier, whatever the server hashes by.
        Property::HashKey => Some(Place::Seen(Subject::Identifier)),
        Property::Attribute(_) if condition.operator == "PERCENTAGE_SPLIT" && name.is_empty() => {
            Some(Place::Seen(Subject::Identifier))
        }
        Property::Attribute(_) if condition.property.is_some() => {
            return attribute(name, condition, findings);
        }
        Property::Attribute(_) => None,
        Property::Path { path, .. } => match path {
            Path::Identifier => Some(Place::Seen(Subject::Identifier)),
            Path::IdentityKey => hash_key(),
            Path::Attribute(name) => return attribute(&name, condition, findings),
            Path::EnvironmentKey | Path::EnvironmentName | Path::Feature(..) => Some(Place::Known),
            Path::Flag(..) | Path::Other => None,
        },
    };
    if place.is_none() {
        findings.warn(WarningReason::PropertyUnsupported, condition);
    }
    place
}

/// An attribute by its name, where flagd's clients can find it by that name.
fn attribute(name: &str, condition: &Condition, findings: &mut Findings) -> Option<Place> {
    let is_reserved = matches!(name, "" | TARGETING_KEY | "$flagd")
        || name.starts_with("$flagd.")
        // What every object has in JavaScript.
        || matches!(name, "__proto__" | "constructor" | "prototype");
    if is_reserved {
        findings.warn(WarningReason::ReservedTrait, condition);
        return None;
    }
    // JavaScript's client takes it for an escape.
    if name.contains('\\') {
        findings.warn(WarningReason::PropertyUnsupported, condition);
        return None;
    }
    if name.contains('.') {
        findings.warn(WarningReason::DottedTrait, condition);
    }
    Some(Place::Seen(Subject::Attribute(name.to_owned())))
}

/// What a condition asks for, its value read.
enum Wanted<'c> {
    Set,
    NotSet,
    Compared(Comparison, &'c str),
    VersionCompared(Comparison, &'c str),
    Contains(&'c str),
    NotContains(&'c str),
    In(Vec<String>),
    Modulo(Modulo),
    Percentage(f64),
    Pattern(&'c str),
}

fn read<'c>(condition: &'c Condition, findings: &mut Findings) -> Option<Wanted<'c>> {
    match condition.operator.as_str() {
        "IS_SET" => return Some(Wanted::Set),
        "IS_NOT_SET" => return Some(Wanted::NotSet),
        _ => {}
    }
    let compares = |comparison| {
        let value = condition.value.as_deref()?;
        match version_ending(value) {
            VersionEnding::Absent => Some(Wanted::Compared(comparison, value)),
            VersionEnding::Version(version) => Some(Wanted::VersionCompared(comparison, version)),
            VersionEnding::Invalid => None,
        }
    };
    let plain = || {
        let value = condition.value.as_deref()?;
        // Only comparisons know versions.
        (!value.ends_with(VERSION_ENDING)).then_some(value)
    };
    let wanted = match condition.operator.as_str() {
        "EQUAL" => compares(Comparison::Equal),
        "NOT_EQUAL" => compares(Comparison::NotEqual),
        "GREATER_THAN" => compares(Comparison::Ordered(">")),
        "GREATER_THAN_INCLUSIVE" => compares(Comparison::Ordered(">=")),
        "LESS_THAN" => compares(Comparison::Ordered("<")),
        "LESS_THAN_INCLUSIVE" => compares(Comparison::Ordered("<=")),
        "CONTAINS" => plain().map(Wanted::Contains),
        "NOT_CONTAINS" => plain().map(Wanted::NotContains),
        "IN" => plain().and_then(list_items).map(Wanted::In),
        "MODULO" => plain()
            .and_then(Modulo::parse)
            .filter(|modulo| modulo.divisor.is_finite() && modulo.remainder.is_finite())
            .map(Wanted::Modulo),
        "PERCENTAGE_SPLIT" => plain()
            .and_then(parse_float)
            .filter(|percentage| !percentage.is_nan())
            .map(Wanted::Percentage),
        "REGEX" => condition.value.as_deref().map(Wanted::Pattern),
        _ => {
            findings.warn(WarningReason::UnknownOperator, condition);
            return None;
        }
    };
    if wanted.is_none() {
        findings.warn(WarningReason::MalformedValue, condition);
    }
    wanted
}

fn said(
    subject: &Subject,
    wanted: Wanted<'_>,
    condition: &Condition,
    setting: &Setting<'_>,
    findings: &mut Findings,
) -> Option<Logic> {
    let form = setting.form;
    let json = match wanted {
        Wanted::Set => subject.is_set(),
        Wanted::NotSet => return Some(Logic::When(subject.is_not_set())),
        Wanted::Compared(comparison, value) => compared(subject, comparison, value, form),
        Wanted::VersionCompared(..) if matches!(subject, Subject::HashKey(_)) => {
            // What identities are hashed by is no version: there is an underscore in it.
            return Some(Logic::Never);
        }
        Wanted::VersionCompared(comparison, version) => {
            version_compared(subject, comparison, version, form)
        }
        Wanted::Contains(part) => and(vec![
            subject.is_word(form),
            json!({"in": [part, subject.value()]}),
        ]),
        Wanted::NotContains(part) => and(vec![
            subject.is_word(form),
            json!({"!": [{"in": [part, subject.value()]}]}),
        ]),
        Wanted::In(items) => match listed(subject, items) {
            Logic::When(json) => json,
            logic @ (Logic::Always | Logic::Never) => return Some(logic),
        },
        Wanted::Modulo(_) if matches!(subject, Subject::HashKey(_)) => return Some(Logic::Never),
        Wanted::Modulo(modulo) => rest(subject, modulo, form),
        Wanted::Percentage(percentage) => {
            return Some(split(subject, percentage, setting.hash_key, findings));
        }
        Wanted::Pattern(pattern) => {
            let logic = pattern_to_logic(subject, pattern);
            if logic.is_none() {
                findings.warn(WarningReason::RegexUnsupported, condition);
            }
            return logic;
        }
    };
    // Behind the fixed start of a hash key there may be no identifier.
    Some(Logic::When(match subject {
        Subject::HashKey(_) => and(vec![subject.is_set(), json]),
        Subject::Attribute(_) | Subject::Identifier => json,
    }))
}

/// The rest with the sign of the divisor: clients differ in what `%` makes of negative numbers.
fn rest(subject: &Subject, modulo: Modulo, form: FlagdForm) -> Json {
    let divisor = number(modulo.divisor);
    let rest = json!({"==": [
        {"%": [{"+": [{"%": [subject.value(), divisor]}, divisor]}, divisor]},
        number(modulo.remainder),
    ]});
    subject.by_type(ByType {
        booleans: (modulo.leaves(1.0), modulo.leaves(0.0)),
        text: match form {
            FlagdForm::Typed => json!(false),
            FlagdForm::Lean => and(vec![subject.is_number_in_text(), rest.clone()]),
        },
        number: rest,
    })
}

/// A part of all callers, picked by hash.
fn split(subject: &Subject, percentage: f64, hash_key: &str, findings: &mut Findings) -> Logic {
    if percentage <= 0.0 {
        return Logic::Never;
    }
    if percentage >= 100.0 {
        return Logic::When(subject.is_set());
    }
    findings.splits = true;
    // Between 0 and the number of parts.
    let inside = (percentage * f64::from(PARTS) / 100.0).round() as u32;
    let outside = PARTS.saturating_sub(inside);
    let bucket = subject.salted(format!("{hash_key}:"));
    let mut parts = vec![subject.is_set()];
    if !subject.is_always_text() {
        parts.push(subject.is_no_list());
    }
    parts.push(json!({"==": [{"fractional": [bucket, ["in", inside], ["out", outside]]}, "in"]}));
    Logic::When(and(parts))
}

/// Whether a condition on the environment itself holds: the server's own engine says so.
fn known(condition: &Condition, setting: &Setting<'_>) -> Logic {
    let rules = [Rule {
        id: None,
        kind: RuleKind::All,
        rules: Vec::new(),
        conditions: vec![condition.clone()],
    }];
    let (segment, _) = SegmentRules::compile(
        setting.hash_key.into(),
        "".into(),
        &rules,
        Vec::new(),
        &mut PatternBudget::new(),
    );
    let snapshot = &setting.snapshot.rules;
    let ruleset = Ruleset::new(
        snapshot.environment_key().into(),
        snapshot.environment_name().into(),
        snapshot.features().to_vec(),
        vec![Arc::new(segment)],
    );
    if ruleset.evaluator(&Context::default()).segment_matches(0) {
        Logic::Always
    } else {
        Logic::Never
    }
}

impl Findings {
    fn warn(&mut self, reason: WarningReason, condition: &Condition) {
        let property = condition.property.as_deref().unwrap_or_default();
        let detail = format!("operator={}, property={property}", condition.operator);
        self.warnings.push(Warning::new(reason, detail));
    }
}
