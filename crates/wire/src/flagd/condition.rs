//! One condition in flagd's JsonLogic.

use super::attribute::AttributeClass;
use super::comparison::{compared, version_compared};
use super::difference::{ConditionDifference, DifferenceReason, OF_FLAGD, Seen};
use super::differing::differing;
use super::logic::{Logic, and, number};
use super::membership::listed;
use super::pattern::pattern_to_logic;
use super::subject::{ByType, Subject, TARGETING_KEY};
use super::wanted::{Wanted, read};
use super::warning::{Warning, WarningReason};
use flagstaff_core::FlagdForm;
use flagstaff_core::property::{Path, Property};
use flagstaff_core::{
    Condition, Context, Hash, Modulo, PatternBudget, Rule, RuleKind, Ruleset, SegmentRules,
    Snapshot,
};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Parts that percentages are counted in: three decimals of a percent.
const PARTS: u32 = 100_000;

/// What conditions of a segment are translated with.
pub(super) struct Setting<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) form: FlagdForm,
    /// What the segment's percentages are hashed by.
    pub(super) hash_key: &'s str,
    pub(super) hash: Hash,
}

/// What came of a condition besides itself.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) warnings: Vec<Warning>,
    /// Where conditions hold for other callers than on the server.
    pub(super) differences: Vec<ConditionDifference>,
    /// Where the condition stands that is looked at: a JSON pointer into the segment's rules.
    place: String,
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
        Place::Seen(subject) => {
            let classes = differing(&subject, &wanted, setting.form, setting.hash);
            let logic = said(&subject, wanted, condition, setting, findings)?;
            if matches!(logic, Logic::When(_)) && !classes.is_empty() {
                findings.differ(condition, &subject, classes);
            }
            Some(logic)
        }
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
    /// Looks at a part of a rule, by its place.
    pub(super) fn within<T>(
        &mut self,
        list: &str,
        index: usize,
        look: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let length = self.place.len();
        self.place.push_str(&format!("{list}/{index}"));
        let seen = look(self);
        self.place.truncate(length);
        seen
    }

    pub(super) fn warn(&mut self, reason: WarningReason, condition: &Condition) {
        let property = condition.property.as_deref().unwrap_or_default();
        let detail = format!("operator={}, property={property}", condition.operator);
        self.warnings.push(Warning::new(reason, detail));
        let everybody = vec![(AttributeClass::Anything, OF_FLAGD.to_vec())];
        self.push(
            DifferenceReason::Warned(reason),
            condition,
            property,
            everybody,
        );
    }

    /// Notes the attributes that a condition sees otherwise than the server. Those of one reason stand together.
    fn differ(&mut self, condition: &Condition, subject: &Subject, classes: Vec<Seen>) {
        let name = subject.attribute();
        let is_split = condition.operator == "PERCENTAGE_SPLIT";
        let (placed, others): (Vec<_>, Vec<_>) = classes
            .into_iter()
            .partition(|(class, _)| is_split && class.is_of_placement());
        if !others.is_empty() {
            self.push(DifferenceReason::AttributeType, condition, name, others);
        }
        if !placed.is_empty() {
            self.push(DifferenceReason::BucketingDiffers, condition, name, placed);
        }
    }

    fn push(
        &mut self,
        reason: DifferenceReason,
        condition: &Condition,
        attribute: &str,
        attributes: Vec<Seen>,
    ) {
        self.differences.push(ConditionDifference {
            reason,
            pointer: self.place.clone(),
            operator: condition.operator.as_str().into(),
            attribute: attribute.into(),
            attributes,
        });
    }
}
