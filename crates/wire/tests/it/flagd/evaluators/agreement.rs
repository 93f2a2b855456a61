//! Whole environments: a client that has the hash of its features answers as the server does.

use super::generate::{Generator, contexts};
use super::process::{Runtime, say};
use crate::flagd::environments::options;
use flagstaff_core::typed_value::TypedValue;
use flagstaff_core::{
    Attributes, Context, FlagdEvaluators, FlagdForm, IdentityContext, Resolution, Snapshot,
};
use flagstaff_wire::flagd::document;
use flagstaff_wire::json::json_to_trait;
use serde_json::{Value as Json, json};

const SEED: u64 = 7;
const ENVIRONMENTS: usize = 150;

/// Calls a function with what the server resolves for a context.
fn resolved(snapshot: &Snapshot, context: &Json, mut see: impl FnMut(&Resolution<'_>)) {
    let mut attributes = Attributes::new();
    for (name, value) in context.as_object().unwrap() {
        if name != "targetingKey" {
            attributes.insert(name.as_str(), json_to_trait(value));
        }
    }
    let context = Context {
        identity: Some(IdentityContext {
            identifier: context["targetingKey"].as_str().unwrap_or_default(),
            key: None,
            attributes: &attributes,
            overrides: None,
        }),
    };
    let mut resolver = snapshot.resolver(&context);
    for feature in 0..snapshot.features.len() {
        see(&resolver.resolve(feature));
    }
}

fn value(resolution: &Resolution<'_>) -> Json {
    match &resolution.value {
        None => Json::Null,
        Some(TypedValue::Boolean(boolean)) => json!(boolean),
        Some(TypedValue::Integer(integer)) => json!(integer),
        Some(TypedValue::Number(number)) => json!(number),
        Some(TypedValue::String(text)) => json!(text),
        Some(TypedValue::Json(text)) => serde_json::from_str(text).unwrap(),
    }
}

/// True for equal values, however their numbers are spelt.
fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (a, b) => a == b,
    }
}

/// True where a flag's answer may depend on a hash.
fn may_hash(document: &Json, flag: &str) -> bool {
    let hashes = |json: &Json| json.to_string().contains("fractional");
    let targeting = &document["flags"][flag]["targeting"];
    hashes(targeting)
        || (targeting.to_string().contains("$ref") && hashes(&document["$evaluators"]))
}

fn compare(runtime: Runtime, form: FlagdForm) {
    let Some(mut evaluator) = runtime.start() else {
        return;
    };
    let mut generator = Generator::new(SEED).agreeable(runtime.hash());
    let (mut compared, mut left_out) = (0, 0);
    let (mut split, mut targeted, mut absent) = (0, 0, 0);
    for number in 0..ENVIRONMENTS {
        let evaluators = if number % 2 == 0 {
            FlagdEvaluators::Shared
        } else {
            FlagdEvaluators::Inline
        };
        let snapshot = generator.snapshot();
        let document = document(&snapshot, &options(form, evaluators));
        let json: Json = serde_json::from_slice(&document.bytes).unwrap();
        let contexts = contexts(generator.random());
        let answers = evaluator.evaluate(&document.bytes, &contexts);
        for (context, answer) in contexts.iter().zip(&answers) {
            resolved(&snapshot, context, |resolution| {
                let Some(flag) = answer.get(resolution.key) else {
                    // Hidden, and so off for everybody.
                    assert_eq!(resolution.variant, None);
                    return;
                };
                if runtime == Runtime::JavaScript
                    && !(resolution.key.is_ascii() && context.to_string().is_ascii())
                    && may_hash(&json, resolution.key)
                {
                    // Its hash mixes the 16 bits of characters where Go's mixes the bytes of UTF-8.
                    left_out += 1;
                    return;
                }
                let text = String::from_utf8_lossy(&document.bytes);
                let place = || format!("{} for {context} in {text}", resolution.key);
                let variant = resolution.variant.as_ref().map(|variant| variant.name());
                assert_eq!(flag.get("error"), None, "{}", place());
                assert_eq!(flag["variant"].as_str(), variant, "{}", place());
                assert!(same(&flag["value"], &value(resolution)), "{}", place());
                compared += 1;
                split += usize::from(resolution.reason.name() == "SPLIT");
                targeted += usize::from(resolution.reason.name() == "TARGETING_MATCH");
                absent += usize::from(variant.is_none());
            });
        }
    }
    say(&format!(
        "{form:?} in {runtime:?}: {compared} answers agree, {split} splits, {targeted} overrides, {absent} without value; {left_out} left out"
    ));
    assert!(
        split > 100 && targeted > 100 && absent > 100,
        "too little to agree on"
    );
}

#[test]
fn environments_agree_in_javascript() {
    compare(Runtime::JavaScript, FlagdForm::Typed);
    compare(Runtime::JavaScript, FlagdForm::Lean);
}

#[test]
fn environments_agree_in_python() {
    compare(Runtime::Python, FlagdForm::Typed);
    compare(Runtime::Python, FlagdForm::Lean);
}

#[test]
fn environments_agree_in_rust() {
    compare(Runtime::Rust, FlagdForm::Typed);
    compare(Runtime::Rust, FlagdForm::Lean);
}

#[test]
fn environments_agree_in_flagd_itself() {
    compare(Runtime::Go, FlagdForm::Typed);
    compare(Runtime::Go, FlagdForm::Lean);
}
