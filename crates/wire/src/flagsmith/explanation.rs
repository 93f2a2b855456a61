//! Explanations: how flags came to their values, as `flagstaff evaluate --explain` and the native route write it.

use super::context::EvaluationContext;
use crate::json::{value_to_json, write_json};
use flagstaff_core::explain::{
    CandidateTrace, ConditionTrace, FlagTrace, RuleTrace, SegmentTrace, SplitTrace, Trace,
    VariantRange,
};
use flagstaff_core::{Origin, ReasonWords, RuleKind, Ruleset, Shortfall};
use serde_json::{Map, Value as Json, json};

impl EvaluationContext {
    /// Writes the result as [`EvaluationContext::write_result`] does, with one more member: `explanation`, which is
    /// what [`explanation`] makes.
    pub fn write_explained_result(&self, words: ReasonWords, out: &mut Vec<u8>) {
        self.write_result(words, out);
        let trace = self.rules().explain(&self.context(), words);
        let warnings = self.warnings().iter().map(ToString::to_string);
        // The brace that ended the result comes after the explanation.
        out.pop();
        out.extend_from_slice(b",\"explanation\":");
        write_json(out, &explanation(self.rules(), &trace, warnings.collect()));
        out.push(b'}');
    }
}

/// How flags came to their values, as JSON.
///
/// `{"flags": {name: {enabled, value, reason, origin, variant?, split?, overrides}}, "segments": [{name, hash, key,
/// matches, rules, lacks}], "warnings": […]}`, where `rules` repeat the segment's own with what was seen and what held,
/// and `lacks` names what kept the context out.
#[must_use]
pub fn explanation(rules: &Ruleset, trace: &Trace, warnings: Vec<String>) -> Json {
    let mut flags = Map::new();
    for trace in &trace.flags {
        flags.insert(trace.feature.to_string(), flag(rules, trace));
    }
    let segments: Vec<Json> = trace.segments.iter().map(segment).collect();
    json!({ "flags": flags, "segments": segments, "warnings": warnings })
}

fn flag(rules: &Ruleset, flag: &FlagTrace) -> Json {
    let origin = match flag.origin {
        Origin::Environment => json!({ "kind": "environment" }),
        Origin::Segment { segment, .. } => {
            json!({ "kind": "segment", "segment": rules.segments()[segment].name() })
        }
        Origin::Identity => json!({ "kind": "identity" }),
    };
    let mut json = json!({
        "enabled": flag.enabled,
        "value": value_to_json(&flag.value),
        "reason": flag.reason,
        "origin": origin,
    });
    if let Some(variant) = &flag.variant {
        json["variant"] = json!(&**variant);
    }
    if let Some(trace) = &flag.split {
        json["split"] = split(trace);
    }
    json["overrides"] = flag.candidates.iter().map(candidate).collect();
    json
}

fn split(split: &SplitTrace) -> Json {
    let range = |range: &VariantRange| json!({ "key": range.key.as_deref(), "from": range.start, "to": range.end });
    let ranges: Vec<Json> = split.ranges.iter().map(range).collect();
    json!({
        "hash": split.hash.name(),
        "hashed": [&*split.seed, &*split.key],
        "bucket": split.bucket,
        "total": split.total,
        "variants": ranges,
    })
}

fn candidate(candidate: &CandidateTrace) -> Json {
    // Negative infinity, the priority of an identity's own override, is no number in JSON.
    let priority = candidate.priority.filter(|priority| priority.is_finite());
    json!({
        "segment": &*candidate.name,
        "priority": priority,
        "matches": candidate.matches,
        "wins": candidate.wins,
        "enabled": candidate.enabled,
        "value": value_to_json(&candidate.value),
    })
}

fn segment(segment: &SegmentTrace) -> Json {
    let rules: Vec<Json> = segment.rules.iter().map(rule).collect();
    json!({
        "name": &*segment.name,
        "hash": segment.hash.name(),
        "key": &*segment.key,
        "matches": segment.matches,
        "rules": rules,
        "lacks": segment.shortfalls().iter().map(shortfall).collect::<Vec<_>>(),
    })
}

fn shortfall(found: &Shortfall<'_>) -> Json {
    let conditions: Vec<Json> = found
        .conditions
        .iter()
        .map(|each| condition(each))
        .collect();
    json!({
        "rule": found.rule,
        "type": kind(found.kind),
        "conditions": conditions,
        "rules": found.rules,
    })
}

fn kind(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::All => "ALL",
        RuleKind::Any => "ANY",
        RuleKind::None => "NONE",
    }
}

fn rule(trace: &RuleTrace) -> Json {
    let conditions: Vec<Json> = trace.conditions.iter().map(condition).collect();
    let rules: Vec<Json> = trace.rules.iter().map(rule).collect();
    json!({ "type": kind(trace.kind), "holds": trace.holds, "conditions": conditions, "rules": rules })
}

fn condition(trace: &ConditionTrace) -> Json {
    let mut json = json!({
        "property": trace.property,
        "operator": trace.operator,
        "value": trace.value,
        "seen": value_to_json(&trace.seen),
        "holds": trace.holds,
    });
    if let Some(bucket) = trace.bucket {
        json["bucket"] = json!(bucket);
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_explained_result_is_the_result_and_how_it_came_about() {
        let context = EvaluationContext::read(&json!({
            "environment": {"key": "e", "name": "E"},
            "identity": {"identifier": "a", "traits": {"plan": "pro"}},
            "features": {"f": {"key": "1", "name": "f", "enabled": true, "value": "x",
                "variants": [{"value": "y", "weight": 100, "priority": 1, "key": "all"}]}},
            "segments": {"s": {"key": "s", "name": "pro",
                "rules": [{"type": "ALL", "conditions": [{"operator": "EQUAL", "property": "plan", "value": "free"}]}],
                "overrides": [{"key": "2", "name": "f", "enabled": true, "value": "z", "priority": 1}]}},
        }))
        .unwrap();
        let (mut plain, mut explained) = (Vec::new(), Vec::new());

        context.write_result(ReasonWords::Engine10, &mut plain);
        context.write_explained_result(ReasonWords::Engine10, &mut explained);

        let plain: Json = serde_json::from_slice(&plain).unwrap();
        let mut explained: Json = serde_json::from_slice(&explained).unwrap();
        let explanation = explained
            .as_object_mut()
            .unwrap()
            .remove("explanation")
            .unwrap();
        assert_eq!(explained, plain);
        let flag = &explanation["flags"]["f"];
        assert_eq!(flag["origin"], json!({ "kind": "environment" }));
        assert_eq!(flag["split"]["hash"], "flagsmith");
        assert_eq!(flag["split"]["hashed"], json!(["1", "e_a"]));
        assert_eq!(
            flag["split"]["variants"],
            json!([{ "key": "all", "from": 0.0, "to": 100.0 }])
        );
        assert_eq!(
            flag["overrides"],
            json!([{ "segment": "pro", "priority": 1.0, "matches": false, "wins": false,
                "enabled": true, "value": "z" }])
        );
        assert_eq!(
            (&flag["enabled"], &flag["value"]),
            (&json!(true), &json!("y"))
        );
        let condition = json!({ "property": "plan", "operator": "EQUAL", "value": "free", "seen": "pro", "holds": false });
        let segment = &explanation["segments"][0];
        assert_eq!(segment["rules"][0]["conditions"][0], condition);
        assert_eq!(
            segment["lacks"],
            json!([{ "rule": [0], "type": "ALL", "conditions": [condition], "rules": [] }])
        );
    }
}
