//! Segments as bodies say and answers show them.

use super::super::field_errors::FieldErrors;
use super::super::fields::{Fields, Need, Sent, Text};
use super::super::words;
use super::{times, words_of_ours};
use flagstaff_core::{
    Condition, ConditionId, FeatureId, Hash, OPERATORS, Rule, RuleId, RuleKind, Segment,
};
use flagstaff_service::{SegmentPatch, SegmentRequest};
use flagstaff_wire::python;
use serde_json::{Value as Json, json};

/// What a name of a segment may be.
pub(super) const NAME: Text = Text::up_to(2000);
const DESCRIPTION: Text = Text::up_to(20_000).or_blank();
const PROPERTY: Text = Text::up_to(1000);
const CONDITION_VALUE: Text = Text::up_to(1000).or_blank();
/// Rules or conditions in one list; the product's limits are lower.
const LIST_LIMIT: usize = 10_000;
const KINDS: [(&str, RuleKind); 3] = [
    ("ALL", RuleKind::All),
    ("ANY", RuleKind::Any),
    ("NONE", RuleKind::None),
];

/// Reads a segment to be made.
pub(super) fn read_request(fields: &mut Fields<'_>) -> SegmentRequest {
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    let feature = fields.row_id("feature", Need::OptionalOrNull).value();
    SegmentRequest {
        name: fields.text("name", Need::Required, NAME).or_default(),
        description: description.value(),
        feature_id: feature.map(FeatureId::new),
        hash: words_of_ours::read_hash(fields, Need::OptionalOrNull).value(),
        rules: read_rules(fields, Need::Required).unwrap_or_default(),
    }
}

/// Reads what of a segment is to change; `need` is that of its name and its rules.
pub(super) fn read_patch(fields: &mut Fields<'_>, need: Need) -> SegmentPatch {
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    SegmentPatch {
        name: fields.text("name", need, NAME).value(),
        description: description.change(),
        hash: words_of_ours::read_hash(fields, Need::OptionalOrNull).change(),
        rules: read_rules(fields, need),
    }
}

fn read_rules(fields: &mut Fields<'_>, need: Need) -> Option<Vec<Rule>> {
    let rules = fields.list("rules", need, LIST_LIMIT, read_rule).value()?;
    let rules: Vec<Rule> = rules.into_iter().flatten().collect();
    if rules.is_empty() {
        let error = FieldErrors::of_no_field(words::EMPTY_LIST);
        fields.fail_with("rules", error);
    }
    Some(rules)
}

/// Reads a group; `None` for one that is to go.
fn read_rule(fields: &mut Fields<'_>) -> Option<Rule> {
    let id = read_id(fields).map(RuleId::new);
    let kind = fields.choice("type", Need::Required, &KINDS).value();
    let rules = fields.list("rules", Need::Optional, LIST_LIMIT, read_rule);
    let conditions = fields.list("conditions", Need::Optional, LIST_LIMIT, read_condition);
    let goes = fields.boolean("delete", Need::Optional).or_default();
    let rule = Rule {
        id,
        kind: kind?,
        rules: rules.or_default().into_iter().flatten().collect(),
        conditions: conditions.or_default().into_iter().flatten().collect(),
    };
    (!goes).then_some(rule)
}

/// Reads a comparison; `None` for one that is to go.
fn read_condition(fields: &mut Fields<'_>) -> Option<Condition> {
    let operators = OPERATORS.map(|operator| (operator, operator));
    let description = fields.text("description", Need::OptionalOrNull, DESCRIPTION);
    let operator = fields.choice("operator", Need::Required, &operators);
    let property = fields.text("property", Need::OptionalOrNull, PROPERTY);
    let goes = fields.boolean("delete", Need::Optional).or_default();
    let condition = Condition {
        id: read_id(fields).map(ConditionId::new),
        operator: operator.or_default().to_owned(),
        property: property.value(),
        value: read_condition_value(fields),
        description: description.value(),
    };
    (!goes).then_some(condition)
}

/// Whatever is sent becomes text as Python prints it, as recorded: even nothing, which is `None`.
fn read_condition_value(fields: &mut Fields<'_>) -> Option<String> {
    let json = fields.json("value").unwrap_or(&Json::Null);
    let text = json!({ "value": python::text(json) });
    let read = Fields::read_nested(&text, |inner| {
        inner.text("value", Need::Required, CONDITION_VALUE).value()
    });
    match read {
        Ok(text) => text,
        Err(FieldErrors::Fields(errors)) => {
            for (_, errors) in errors {
                fields.fail_with("value", errors);
            }
            None
        }
        Err(_) => None,
    }
}

/// The row that a group or comparison was kept in so far.
fn read_id(fields: &mut Fields<'_>) -> Option<i64> {
    match fields.integer("id", Need::OptionalOrNull, i64::MIN, i64::MAX) {
        Sent::Given(id) => Some(id),
        Sent::Absent | Sent::Null => None,
    }
}

/// A segment as an answer shows it.
pub(super) fn shape(segment: &Segment) -> Json {
    let id = segment.id.get();
    json!({
        "id": id,
        "uuid": segment.uuid.to_string(),
        "created_at": times::shown(segment.created_at),
        "updated_at": times::shown(segment.updated_at),
        "name": segment.name,
        "description": segment.description,
        "project": segment.project_id.get(),
        "feature": segment.feature_id.map(FeatureId::get),
        "version_of": id,
        "rules": segment.rules.iter().map(rule).collect::<Json>(),
        "metadata": [],
        "membership_counts": [],
        "managed_by": "",
        "hash": segment.hash.map(Hash::name),
    })
}

fn rule(rule: &Rule) -> Json {
    json!({
        "id": rule.id.map(RuleId::get),
        "type": kind_text(rule.kind),
        "rules": rule.rules.iter().map(inner_rule).collect::<Json>(),
        "conditions": rule.conditions.iter().map(condition).collect::<Json>(),
    })
}

/// Groups within groups show no further groups, unless an import brought some.
fn inner_rule(inner: &Rule) -> Json {
    if !inner.rules.is_empty() {
        return rule(inner);
    }
    json!({
        "id": inner.id.map(RuleId::get),
        "type": kind_text(inner.kind),
        "conditions": inner.conditions.iter().map(condition).collect::<Json>(),
    })
}

const fn kind_text(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::All => "ALL",
        RuleKind::Any => "ANY",
        RuleKind::None => "NONE",
    }
}

fn condition(condition: &Condition) -> Json {
    json!({
        "id": condition.id.map(ConditionId::get),
        "operator": condition.operator,
        "property": condition.property,
        "value": condition.value,
        "description": condition.description,
    })
}
