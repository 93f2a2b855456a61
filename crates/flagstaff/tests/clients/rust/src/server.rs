//! What every journey needs: where the server is, keys, and how it is changed while a journey runs.

use flagsmith::flagsmith::models::{Flags, SDKTrait};
use flagsmith::{Flagsmith, FlagsmithOptions};
use flagsmith_flag_engine::types::{FlagsmithValue, FlagsmithValueType};
use serde_json::{Map, Value, json};

pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

pub fn client_key() -> String {
    variable("CLIENT_KEY")
}

pub fn server_key() -> String {
    variable("SERVER_KEY")
}

pub fn api() -> String {
    format!("{}/api/v1/", variable("SERVER_URL"))
}

pub fn options() -> FlagsmithOptions {
    FlagsmithOptions {
        api_url: api(),
        ..FlagsmithOptions::default()
    }
}

pub fn remote(key: &str) -> Flagsmith {
    Flagsmith::new(key.to_owned(), options())
}

pub fn local(key: &str) -> Flagsmith {
    let options = FlagsmithOptions {
        enable_local_evaluation: true,
        environment_refresh_interval_mills: 3_600_000,
        ..options()
    };
    Flagsmith::new(key.to_owned(), options)
}

/// Status and JSON of one request without the SDK.
fn call(method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> (u16, Value) {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let mut request = ureq::http::Request::builder()
        .method(method)
        .uri(api() + path)
        .header("Content-Type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = body.map_or_else(String::new, |body| body.to_string());
    let mut answer = agent.run(request.body(body).unwrap()).unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    (answer.status().as_u16(), json)
}

/// The SDK's routes without the SDK.
pub fn sdk(path: &str, key: &str) -> (u16, Value) {
    call("GET", path, &[("X-Environment-Key", key)], None)
}

pub fn admin(method: &str, path: &str, body: Option<Value>) -> Value {
    let member = json!({"email": variable("ADMIN_EMAIL"), "password": variable("ADMIN_PASSWORD")});
    let (status, login) = call("POST", "auth/login/", &[], Some(member));
    assert_eq!(status, 200, "{login}");
    let token = format!("Token {}", login["key"].as_str().unwrap());
    let (status, answer) = call(method, path, &[("Authorization", &token)], body);
    assert!(status < 300, "{method} {path}: {status} {answer}");
    answer
}

/// Sets what a feature says to everybody for whom nothing else is said.
pub fn change_value(feature: &str, value: &str) {
    let states = format!("environments/{}/featurestates/", client_key());
    let found = admin("GET", &format!("{states}?feature_name={feature}"), None);
    let found = found["results"].as_array().unwrap();
    assert_eq!(found.len(), 1);
    let path = format!("{states}{}/", found[0]["id"]);
    admin("PATCH", &path, Some(json!({"feature_state_value": value})));
}

/// The SDK's form of a JSON value.
pub fn value(json: &Value) -> FlagsmithValue {
    serde_json::from_value(json.clone()).unwrap()
}

pub fn traits(traits: Value) -> Option<Vec<SDKTrait>> {
    let traits = traits.as_object().unwrap().iter();
    Some(
        traits
            .map(|(name, json)| SDKTrait::new(name.clone(), value(json)))
            .collect(),
    )
}

/// A flag's value as JSON.
pub fn json_of(value: &FlagsmithValue) -> Value {
    match value.value_type {
        FlagsmithValueType::None => Value::Null,
        FlagsmithValueType::String => json!(value.value),
        FlagsmithValueType::Bool | FlagsmithValueType::Integer | FlagsmithValueType::Float => {
            serde_json::from_str(&value.value).unwrap()
        }
    }
}

/// Flags in a form that can be compared.
pub fn shown(flags: &Flags) -> Value {
    let flags = flags.all_flags().into_iter().map(|flag| {
        let state = json!({"enabled": flag.enabled, "value": json_of(&flag.value)});
        (flag.feature_name, state)
    });
    Value::Object(flags.collect::<Map<_, _>>())
}

/// The value of one flag.
pub fn value_of(flags: &Flags, feature: &str) -> Value {
    json_of(&flags.get_flag(feature).unwrap().value)
}

pub fn is_on(flags: &Flags, feature: &str) -> bool {
    flags.is_feature_enabled(feature).unwrap()
}
