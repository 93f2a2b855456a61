//! flagd's Rust evaluator behind JSON lines: see ../../README.md.
//!
//! The crate evaluates rules only; what its provider does around them (`open-feature-flagd`, resolver `in_process`)
//! is done here in the same order.

use flagd_evaluation_engine::{FeatureFlag, FlagParser, Operator};
use open_feature::{
    EvaluationContext, EvaluationContextFieldValue, StructValue, Value as FieldValue,
};
use serde_json::{Map, Value, json};
use std::io::{BufRead, Write};
use std::sync::Arc;

fn main() {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let answer = answers(&request);
        writeln!(out, "{answer}").expect("an open pipe");
        out.flush().expect("an open pipe");
    }
}

fn answers(request: &Value) -> Value {
    let document = request["document"].as_str().expect("a document as text");
    let parsed = match FlagParser::parse_string(document) {
        Ok(parsed) => parsed,
        Err(error) => return json!({"refused": error.to_string()}),
    };
    let operator = Operator::new();
    let contexts = request["contexts"].as_array().expect("contexts");
    let found = contexts.iter().map(|context| {
        let context = evaluation_context(context.as_object().expect("a context"));
        parsed
            .flags
            .iter()
            .map(|(name, flag)| (name.clone(), answer(&operator, name, flag, &context)))
            .collect::<Map<_, _>>()
    });
    json!({"answers": found.collect::<Vec<_>>()})
}

fn answer(
    operator: &Operator,
    name: &str,
    flag: &FeatureFlag,
    context: &EvaluationContext,
) -> Value {
    if flag.state == "DISABLED" {
        return json!({"value": null, "variant": null, "reason": "DISABLED"});
    }
    let targeting = flag.get_targeting();
    let (variant, reason) = if targeting == "{}" {
        (flag.default_variant.clone(), "STATIC")
    } else {
        match operator.apply(name, &targeting, context) {
            Ok(Some(variant)) => (variant, "TARGETING_MATCH"),
            Ok(None) => (flag.default_variant.clone(), "DEFAULT"),
            Err(_) => {
                return json!({"value": null, "variant": null, "reason": "ERROR", "error": "PARSE_ERROR"});
            }
        }
    };
    match flag.variants.get(&variant) {
        Some(value) => json!({"value": value, "variant": variant, "reason": reason}),
        // The provider raises an error here, and the caller's default counts: what an empty default variant asks for.
        None if variant.is_empty() => json!({"value": null, "variant": null, "reason": "DEFAULT"}),
        None => json!({"value": null, "variant": null, "reason": "ERROR", "error": "GENERAL"}),
    }
}

fn evaluation_context(attributes: &Map<String, Value>) -> EvaluationContext {
    let mut context = EvaluationContext::default();
    for (name, value) in attributes {
        if name == "targetingKey" {
            context.targeting_key = value.as_str().map(str::to_owned);
            continue;
        }
        if let Some(value) = field(value) {
            context.custom_fields.insert(name.clone(), value);
        }
    }
    context
}

fn field(value: &Value) -> Option<EvaluationContextFieldValue> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(boolean) => EvaluationContextFieldValue::Bool(*boolean),
        Value::String(text) => EvaluationContextFieldValue::String(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => EvaluationContextFieldValue::Int(integer),
            None => EvaluationContextFieldValue::Float(number.as_f64()?),
        },
        Value::Object(members) => {
            let mut fields = StructValue::default();
            for (name, member) in members {
                fields.fields.insert(name.clone(), inner(member)?);
            }
            EvaluationContextFieldValue::Struct(Arc::new(fields))
        }
        Value::Array(_) => return None,
    })
}

fn inner(value: &Value) -> Option<FieldValue> {
    Some(match value {
        Value::Bool(boolean) => FieldValue::Bool(*boolean),
        Value::String(text) => FieldValue::String(text.clone()),
        Value::Number(number) => match number.as_i64() {
            Some(integer) => FieldValue::Int(integer),
            None => FieldValue::Float(number.as_f64()?),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}
