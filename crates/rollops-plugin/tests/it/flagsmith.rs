//! Flagsmith as far as these tests need it: one flag `checkout` in one environment, changed directly or by versions. Its
//! shapes are those of the recorded original.

use crate::fake::{Asked, Fake, Reply};
use serde_json::{Value as Json, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// What the server holds.
#[derive(Debug, Clone)]
pub struct World {
    pub versioned: bool,
    pub approvals: Json,
    pub project: u64,
    pub enabled: bool,
    pub value: Json,
    pub weights: Vec<(u64, f64)>,
    /// What the next writes are answered with; before that, they are done where the first half says so.
    pub troubles: VecDeque<(bool, Reply)>,
    /// Writes are answered with success and forgotten.
    pub forgets: bool,
}

pub type Shared = Arc<Mutex<World>>;

pub fn world() -> World {
    World {
        versioned: false,
        approvals: Json::Null,
        project: 7,
        enabled: true,
        value: json!("hello"),
        weights: vec![(1, 30.0), (2, 20.0)],
        troubles: VecDeque::new(),
        forgets: false,
    }
}

/// A server that holds it.
pub fn serve(world: World) -> (Fake, Shared) {
    let shared = Arc::new(Mutex::new(world));
    let held = Arc::clone(&shared);
    let fake = Fake::start(move |asked| answer(&mut held.lock().unwrap(), asked));
    (fake, shared)
}

pub fn answer(world: &mut World, asked: &Asked) -> Reply {
    let path = asked.path.strip_prefix("/api/v1/").unwrap_or_default();
    match (asked.method.as_str(), path) {
        ("GET", "environments/ENVKEY7890/") => Reply::Json(
            200,
            json!({
                "id": 3, "name": "Production", "project": world.project,
                "use_v2_feature_versioning": world.versioned,
                "minimum_change_request_approvals": world.approvals,
            }),
        ),
        ("GET", "projects/7/") => Reply::Json(200, json!({"id": 7, "name": "Shop"})),
        ("GET", "projects/7/features/?search=checkout") => {
            let other = json!({"id": 10, "name": "checkout-old"});
            let next = "http://internal.example/api/v1/projects/7/features/?page=2&search=checkout";
            Reply::Json(200, json!({"count": 2, "next": next, "results": [other]}))
        }
        ("GET", "projects/7/features/?search=checkout&page=2") => {
            let options = [
                json!({"id": 1, "key": "blue"}),
                json!({"id": 2, "key": null, "string_value": "green"}),
            ];
            let found = json!({"id": 11, "name": "checkout", "multivariate_options": options});
            Reply::Json(200, json!({"count": 2, "next": null, "results": [found]}))
        }
        ("GET", path) if path.starts_with("projects/7/features/?search=") => {
            let found = json!({"id": 11, "name": "checkout"});
            Reply::Json(200, json!({"count": 1, "next": null, "results": [found]}))
        }
        ("GET", "environments/ENVKEY7890/featurestates/?feature=11") => Reply::Json(
            200,
            json!({"count": 1, "next": null, "results": [row(world)]}),
        ),
        ("GET", _) => Reply::Json(404, json!({"detail": "No match."})),
        _ => write(world, asked, path),
    }
}

fn write(world: &mut World, asked: &Asked, path: &str) -> Reply {
    let trouble = world.troubles.pop_front();
    if let Some((false, reply)) = trouble {
        return reply;
    }
    let body = &asked.body;
    let by_version = path == "environments/3/features/11/versions/";
    let (status, state) = match (asked.method.as_str(), path) {
        ("POST", _) if by_version && world.versioned && body["publish_immediately"] == true => {
            (201, &body["feature_states_to_update"][0])
        }
        ("PATCH", "environments/ENVKEY7890/featurestates/5/")
        | ("PUT", "features/featurestates/5/")
            if !world.versioned =>
        {
            (200, body)
        }
        _ => {
            return Reply::Json(
                400,
                json!({"detail": "This environment uses v2 feature versioning."}),
            );
        }
    };
    if !world.forgets {
        world.enabled = state["enabled"].as_bool().unwrap();
        match &state["feature_state_value"] {
            Json::Null => {}
            Json::Object(typed) => {
                let member = match typed["type"].as_str().unwrap() {
                    "int" => "integer_value",
                    "bool" => "boolean_value",
                    _ => "string_value",
                };
                world.value = typed[member].clone();
            }
            bare => world.value = bare.clone(),
        }
        // Recorded: weights in a PATCH are dropped in silence.
        let weights = state["multivariate_feature_state_values"].as_array();
        for weight in weights
            .filter(|_| asked.method != "PATCH")
            .into_iter()
            .flatten()
        {
            let option = weight["multivariate_feature_option"].as_u64().unwrap();
            let held = world
                .weights
                .iter_mut()
                .find(|(each, _)| *each == option)
                .unwrap();
            held.1 = weight["percentage_allocation"].as_f64().unwrap();
        }
    }
    match trouble {
        Some((_, reply)) => reply,
        None => Reply::Json(status, json!({"feature": 11, "enabled": world.enabled})),
    }
}

fn row(world: &World) -> Json {
    let weights = world.weights.iter().map(|(option, weight)| {
        json!({"id": option + 100, "multivariate_feature_option": option, "percentage_allocation": weight})
    });
    json!({
        "id": 5, "feature": 11, "environment": 3, "feature_segment": null, "identity": null,
        "enabled": world.enabled, "feature_state_value": world.value,
        "multivariate_feature_state_values": weights.collect::<Json>(),
    })
}
