//! What a client says, and what it is expected to say.

use crate::variable;
use open_feature::{
    Client, EvaluationContext, EvaluationContextFieldValue, EvaluationDetails, EvaluationError,
    EvaluationReason, OpenFeature, StructValue, Value as Field, provider::FeatureProvider,
};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// A client with a provider.
pub async fn open_client(name: &str, provider: impl FeatureProvider) -> Client {
    let mut api = OpenFeature::singleton_mut().await;
    api.set_named_provider(name, provider).await;
    api.create_named_client(name)
}

/// What a struct flag says, as it is.
struct Whole(StructValue);

impl TryFrom<StructValue> for Whole {
    type Error = String;

    fn try_from(value: StructValue) -> Result<Self, String> {
        Ok(Self(value))
    }
}

pub fn context(case: &Value) -> EvaluationContext {
    let mut context = EvaluationContext::default();
    if let Some(key) = case["key"].as_str() {
        context = context.with_targeting_key(key);
    }
    for (name, value) in case["attributes"].as_object().into_iter().flatten() {
        let field = match value {
            Value::Bool(value) => EvaluationContextFieldValue::Bool(*value),
            Value::Number(value) => EvaluationContextFieldValue::Int(value.as_i64().unwrap()),
            other => EvaluationContextFieldValue::String(other.as_str().unwrap().to_owned()),
        };
        context.add_custom_field(name, field);
    }
    context
}

/// Asks as a case says.
pub async fn evaluate(client: &Client, case: &Value) -> Value {
    let flag = case["flag"].as_str().unwrap();
    let context = context(case);
    let who = Some(&context);
    let fallback = &case["default"];
    match case["type"].as_str().unwrap() {
        "boolean" => shown(
            client.get_bool_details(flag, who, None).await,
            fallback,
            Value::from,
        ),
        "string" => shown(
            client.get_string_details(flag, who, None).await,
            fallback,
            Value::from,
        ),
        "integer" => shown(
            client.get_int_details(flag, who, None).await,
            fallback,
            Value::from,
        ),
        "float" => shown(
            client.get_float_details(flag, who, None).await,
            fallback,
            Value::from,
        ),
        _ => {
            let details = client.get_struct_details::<Whole>(flag, who, None).await;
            shown(details, fallback, |whole| object(&whole.0))
        }
    }
}

fn object(value: &StructValue) -> Value {
    let fields = value.fields.iter();
    Value::Object(
        fields
            .map(|(name, value)| (name.clone(), field(value)))
            .collect(),
    )
}

fn field(value: &Field) -> Value {
    match value {
        Field::Bool(value) => json!(value),
        Field::Int(value) => json!(value),
        // Numbers that have no fraction are equal to integers.
        Field::Float(value) if value.fract() == 0.0 => json!(*value as i64),
        Field::Float(value) => json!(value),
        Field::String(value) => json!(value),
        Field::Array(values) => values.iter().map(field).collect(),
        Field::Struct(value) => object(value),
    }
}

/// In the words of `cases.json`. This SDK has no value for a failure, so that the caller's own comes from here.
fn shown<T>(
    result: Result<EvaluationDetails<T>, EvaluationError>,
    fallback: &Value,
    value: impl Fn(T) -> Value,
) -> Value {
    match result {
        Ok(details) => json!({
            "value": value(details.value),
            "variant": details.variant.filter(|variant| !variant.is_empty()),
            "reason": details.reason.map(word),
        }),
        Err(error) => json!({
            "value": fallback,
            "variant": null,
            "reason": "ERROR",
            "error": error_word(&error),
        }),
    }
}

fn word(reason: EvaluationReason) -> String {
    match reason {
        EvaluationReason::Other(word) => word,
        other => snake(&format!("{other:?}")),
    }
}

/// `FlagNotFound` as `FLAG_NOT_FOUND`; what a general error says besides is left out.
fn error_word(error: &EvaluationError) -> String {
    let name = format!("{:?}", error.code);
    snake(name.split('(').next().unwrap())
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(letter.to_ascii_uppercase());
    }
    text
}

/// What this client is expected to say: the common answer, or its own where that is known and has a reason.
fn expected(case: &Value, name: &str) -> Value {
    let fields = |from: &Value| -> Map<String, Value> {
        let from = from.as_object().unwrap().iter();
        let known =
            |field: &&String| ["value", "variant", "reason", "error"].contains(&field.as_str());
        from.filter(|(field, _)| known(field))
            .map(|(field, value)| (field.clone(), value.clone()))
            .collect()
    };
    let mut answer = fields(case);
    for (whose, other) in case["differs"].as_object().into_iter().flatten() {
        if name == whose || name.ends_with(&format!("-{whose}")) {
            answer = fields(other);
        }
    }
    // This provider says so of every value, whatever the server says.
    if name == "rust-ofrep" && answer["reason"] != "ERROR" {
        answer.insert("reason".to_owned(), json!("STATIC"));
    }
    Value::Object(answer)
}

/// Every case at once, so that one look shows all that is wrong.
pub async fn check_cases(client: &Client, name: &str) {
    let text = std::fs::read_to_string(variable("CASES")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let (actual, expected) = (evaluate(client, case).await, expected(case, name));
        if actual != expected {
            wrong.push(format!(
                "{}:\n  actual:   {actual}\n  expected: {expected}",
                case["name"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Who gets what of a text.
pub async fn placed(client: &Client, flag: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    for number in 0..200 {
        let person = format!("person-{number}");
        let text = text(client, flag, &person).await;
        found.insert(person, text);
    }
    found
}

/// The text of a flag; `none` where it has none.
pub async fn text(client: &Client, flag: &str, person: &str) -> String {
    let who = EvaluationContext::default().with_targeting_key(person);
    let value = client.get_string_value(flag, Some(&who), None).await;
    value.unwrap_or_else(|_| "none".to_owned())
}

/// Three standard deviations around 60 blue, 40 green and 100 red of 200.
pub fn check_shares(found: &HashMap<String, String>) {
    let count = |colour: &str| found.values().filter(|each| *each == colour).count();
    assert!((40..=80).contains(&count("blue")), "{found:?}");
    assert!((22..=58).contains(&count("green")), "{found:?}");
    assert!((78..=122).contains(&count("red")), "{found:?}");
}
