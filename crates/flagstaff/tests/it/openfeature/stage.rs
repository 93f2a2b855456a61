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
        for (name, value_type) in [("price", "number"), ("limits", "json")] {
            let mut features = features["results"].as_array().unwrap().iter();
            let feature = features.find(|each| each["name"] == name).unwrap();
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

/// The environment of the SDKs' scripts, with what only OpenFeature can tell apart.
fn environment() -> Value {
    let text = std::fs::read_to_string(clients::folder().join("environment.json")).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let states = document["feature_states"].as_array_mut().unwrap();
    let limits = r#"{"title": "small", "seats": 3, "trial": true}"#;
    states.push(state(200, "price", true, json!("2.5")));
    states.push(state(201, "limits", true, json!(limits)));
    states.push(state(202, "retired", false, Value::Null));
    states.push(state(203, "op-by-region", false, json!("no")));
    let mut on = state(203, "op-by-region", true, json!("yes"));
    on["django_id"] = json!(1203);
    on["featurestate_uuid"] = json!("00000000-0000-4000-8000-000000001203");
    on["feature_segment"] = json!({ "priority": 0 });
    let segments = document["project"]["segments"].as_array_mut().unwrap();
    segments.push(json!({
        "id": 60,
        "name": "europe",
        "rules": [{ "type": "ALL", "rules": [], "conditions": [
            { "operator": "EQUAL", "value": "eu", "property_": "region" },
        ] }],
        "feature_states": [on],
    }));
    document
}

fn state(feature: u32, name: &str, enabled: bool, value: Value) -> Value {
    json!({
        "feature": { "id": feature, "name": name, "type": "STANDARD" },
        "enabled": enabled,
        "django_id": feature,
        "featurestate_uuid": format!("00000000-0000-4000-8000-{feature:012}"),
        "feature_state_value": value,
        "feature_segment": null,
        "multivariate_feature_state_values": [],
    })
}
