//! The environment that every script knows, a server for it, and a member who changes it.

use crate::clients::{self, CLIENT_KEY, EMAIL, PASSWORD, SERVER_KEY};
use crate::database::Database;
use crate::http::{block_on, client};
use crate::server::Server;
use reqwest::Method;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;

/// What the server adds to the context of programs that evaluate for themselves.
const SYNC_CONTEXT: &str = r#"{"region": "eu"}"#;

/// A server that can be stopped and started again at its address.
pub struct Stage<'a> {
    database: &'a Database,
    server: Option<Server>,
    url: String,
    token: String,
}

impl<'a> Stage<'a> {
    /// Makes the environment; `hash` is what it places people with.
    pub fn prepare(database: &'a Database, hash: &str) -> Self {
        let document = database.folder().join("openfeature.json");
        std::fs::write(&document, environment().to_string()).unwrap();
        clients::bootstrap(database);
        clients::import(database, &document, SERVER_KEY);
        let server = start(database, "127.0.0.1:0");
        let url = server.url.clone();
        let login = json!({ "email": EMAIL, "password": PASSWORD });
        let answer = crate::http::post(&format!("{url}/api/v1/auth/login/"), &login);
        let stage = Self {
            database,
            server: Some(server),
            url,
            token: answer["key"].as_str().unwrap().to_owned(),
        };
        stage.set_up(hash);
        stage
    }

    /// What an imported document does not say.
    fn set_up(&self, hash: &str) {
        self.switch_flagd(true);
        let project = self.project();
        let features = self.admin(
            Method::GET,
            &format!("projects/{project}/features/?page_size=100"),
            &Value::Null,
        );
        let flags = flags();
        let typed = flags["features"].as_array().unwrap().iter();
        for flag in typed.filter(|flag| !flag["type"].is_null()) {
            let (name, value_type) = (&flag["name"], &flag["type"]);
            let mut features = features["results"].as_array().unwrap().iter();
            let feature = features.find(|each| each["name"] == *name).unwrap();
            let path = format!("projects/{project}/features/{}/", feature["id"]);
            self.admin(Method::PATCH, &path, &json!({ "value_type": value_type }));
        }
        let path = format!("environments/{CLIENT_KEY}/");
        self.admin(Method::PATCH, &path, &json!({ "hash": hash }));
        let carol = json!({
            "identifier": "carol",
            "traits": [{ "trait_key": "plan", "trait_value": "pro" }],
        });
        let identities = format!("{}/api/v1/identities/", self.url);
        let request = client()
            .post(identities)
            .header("X-Environment-Key", CLIENT_KEY);
        send(request.json(&carol));
    }

    /// Whether flagd is served.
    pub fn switch_flagd(&self, enabled: bool) {
        let path = format!("projects/{}/integrations/flagd/", self.project());
        self.admin(Method::PATCH, &path, &json!({ "enabled": enabled }));
    }

    fn project(&self) -> i64 {
        let projects = self.admin(Method::GET, "projects/", &Value::Null);
        let mut projects = projects.as_array().unwrap().iter();
        let project = projects.find(|each| each["name"] == "Real clients");
        project.unwrap()["id"].as_i64().unwrap()
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the server itself answers to OFREP.
    pub fn ask(&self, flag: &str, context: &Value) -> Value {
        let url = format!("{}/ofrep/v1/evaluate/flags/{flag}", self.url);
        let request = client().post(url).bearer_auth(SERVER_KEY);
        send(request.json(&json!({ "context": context })))
    }

    /// Sets what a feature says to everybody for whom nothing else is said.
    pub fn change(&self, feature: &str, value: &Value) {
        let states = format!("environments/{CLIENT_KEY}/featurestates/");
        let path = format!("{states}?feature_name={feature}");
        let found = self.admin(Method::GET, &path, &Value::Null);
        assert_eq!(found["results"].as_array().unwrap().len(), 1, "{found}");
        let path = format!("{states}{}/", found["results"][0]["id"]);
        self.admin(
            Method::PATCH,
            &path,
            &json!({ "feature_state_value": value }),
        );
    }

    fn admin(&self, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("{}/api/v1/{path}", self.url);
        let token = format!("Token {}", self.token);
        let request = client().request(method, url);
        let request = request.header("Authorization", token);
        send(if body.is_null() {
            request
        } else {
            request.json(body)
        })
    }

    pub fn stop_server(&mut self) {
        self.server.take().unwrap().stop();
    }

    /// Starts it where it was.
    pub fn start_server(&mut self) {
        let address = self.url.strip_prefix("http://").unwrap();
        self.server = Some(start(self.database, address));
    }

    pub fn stop(mut self) {
        self.stop_server();
    }

    /// Says what every script needs to know.
    pub fn tell<'b>(&self, command: &'b mut Command) -> &'b mut Command {
        clients::tell(command, &self.url)
    }

    /// A place for a file.
    pub fn file(&self, name: &str) -> PathBuf {
        self.database.folder().join(name)
    }

    pub fn log(&self) -> String {
        self.server.as_ref().map(Server::log).unwrap_or_default()
    }
}

fn start(database: &Database, address: &str) -> Server {
    let variables = [
        ("FLAGSTAFF_SERVER__LISTEN", address),
        ("FLAGSTAFF_FLAGD__SYNC_CONTEXT", SYNC_CONTEXT),
    ];
    Server::start_with(database, &variables)
}

/// Insists on a good answer and gives its JSON.
fn send(request: reqwest::RequestBuilder) -> Value {
    block_on(async {
        let answer = request.send().await.unwrap();
        let (url, status) = (answer.url().clone(), answer.status());
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    })
}

/// What only OpenFeature can tell apart: features and segments beside those of the SDKs' scripts.
fn flags() -> Value {
    let path = clients::folder().join("openfeature/flags.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The environment of the SDKs' scripts, and what stands in `flags.json`.
fn environment() -> Value {
    let text = std::fs::read_to_string(clients::folder().join("environment.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let flags = flags();
    let features = flags["features"].as_array().unwrap();
    let states = features.iter().enumerate().map(|(number, feature)| {
        let mut state = state(number, FEATURES + number, &feature["value"], features);
        state["enabled"] = feature["enabled"].clone();
        state["multivariate_feature_state_values"] = options(number, &feature["options"]);
        state
    });
    let known = document["feature_states"].as_array_mut().unwrap();
    known.extend(states);
    let mut rows = OVERRIDES;
    let mut segments = Vec::new();
    for (number, segment) in flags["segments"].as_array().unwrap().iter().enumerate() {
        let overrides = segment["overrides"].as_object().unwrap().iter();
        let overrides = overrides.map(|(name, value)| {
            let mut names = features.iter().map(|feature| &feature["name"]);
            let feature = names.position(|each| each == name).unwrap();
            rows += 1;
            let mut state = state(feature, rows, value, features);
            state["feature_segment"] = json!({ "priority": number });
            state
        });
        let overrides: Vec<_> = overrides.collect();
        segments.push(json!({
            "id": SEGMENTS + number,
            "name": segment["name"],
            "rules": [{ "type": "ALL", "rules": [], "conditions": conditions(&segment["all"]) }],
            "feature_states": overrides,
        }));
    }
    let known = document["project"]["segments"].as_array_mut().unwrap();
    known.extend(segments);
    document
}

/// Numbers that nothing in the environment of the SDKs' scripts has.
const FEATURES: usize = 200;
const OVERRIDES: usize = 1200;
const SEGMENTS: usize = 60;
const OPTIONS: usize = 2000;

fn state(feature: usize, row: usize, value: &Value, features: &[Value]) -> Value {
    let (id, feature) = (FEATURES + feature, &features[feature]);
    let kind = if feature["options"].is_null() {
        "STANDARD"
    } else {
        "MULTIVARIATE"
    };
    json!({
        "feature": { "id": id, "name": feature["name"], "type": kind },
        "enabled": true,
        "django_id": row,
        "featurestate_uuid": format!("00000000-0000-4000-8000-{row:012}"),
        "feature_state_value": value,
        "feature_segment": null,
        "multivariate_feature_state_values": [],
    })
}

/// Options of one feature, each a key, a value and a weight.
fn options(feature: usize, options: &Value) -> Value {
    let options = options.as_array().into_iter().flatten().enumerate();
    let options = options.map(|(number, option)| {
        let row = OPTIONS + 10 * feature + number;
        json!({
            "multivariate_feature_option": { "id": row, "key": option[0], "value": option[1] },
            "percentage_allocation": option[2],
            "id": row,
            "mv_fs_value_uuid": format!("00000000-0000-4000-8000-{row:012}"),
        })
    });
    options.collect()
}

/// Conditions, each a property, an operator and a value.
fn conditions(conditions: &Value) -> Value {
    let conditions = conditions.as_array().unwrap().iter();
    let conditions = conditions.map(|condition| {
        json!({ "property_": condition[0], "operator": condition[1], "value": condition[2] })
    });
    conditions.collect()
}
