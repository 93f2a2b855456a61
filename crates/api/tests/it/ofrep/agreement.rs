//! OFREP and Flagsmith's routes give one person the same flags, in environments that are made up.

use super::*;
use flagstaff_core::EnvironmentKey;
use flagstaff_service::ImportRequest;
use flagstaff_wire::flagsmith::document::parse_environment_document;

const ENVIRONMENTS: u64 = 12;
const FEATURES: u64 = 12;
const SEGMENTS: u64 = 6;
const PEOPLE: u64 = 12;

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let index = usize::try_from(self.below(items.len() as u64)).unwrap();
        &items[index]
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

fn value(numbers: &mut Numbers) -> Json {
    let values = [
        json!(null),
        json!("text"),
        json!(""),
        json!("{\"a\": 1}"),
        json!("1.5"),
        json!(7),
        json!(0),
        json!(true),
        json!(false),
    ];
    numbers.one_of(&values).clone()
}

fn state(numbers: &mut Numbers, feature: u64, id: u64, priority: Option<u64>) -> Json {
    let has_variants = feature.is_multiple_of(3);
    let options: Vec<Json> = (0..2)
        .filter(|_| has_variants)
        .map(|option| {
            let number = feature * 10 + option;
            json!({
                "id": id * 10 + option,
                "mv_fs_value_uuid": uuid(id * 10 + option),
                "percentage_allocation": *numbers.one_of(&[0.0, 20.0, 50.0]),
                "multivariate_feature_option": { "id": number, "value": format!("option {option}") },
            })
        })
        .collect();
    let kind = if has_variants {
        "MULTIVARIATE"
    } else {
        "STANDARD"
    };
    json!({
        "feature": { "id": feature, "name": format!("feature {feature}"), "type": kind },
        "enabled": numbers.chance(60),
        "django_id": id,
        "featurestate_uuid": uuid(id),
        "feature_segment": priority.map(|priority| json!({ "priority": priority })),
        "feature_state_value": value(numbers),
        "multivariate_feature_state_values": options,
    })
}

fn uuid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn condition(numbers: &mut Numbers) -> Json {
    let conditions = [
        ("EQUAL", json!("plan"), json!("pro")),
        ("NOT_EQUAL", json!("plan"), json!("pro")),
        ("IN", json!("plan"), json!("pro,free")),
        ("CONTAINS", json!("plan"), json!("r")),
        ("REGEX", json!("plan"), json!("p.o")),
        ("GREATER_THAN", json!("age"), json!("30")),
        ("LESS_THAN_INCLUSIVE", json!("age"), json!("30.5")),
        ("MODULO", json!("age"), json!("2|0")),
        ("IS_SET", json!("beta"), json!("")),
        ("IS_NOT_SET", json!("beta"), json!("")),
        ("EQUAL", json!("beta"), json!("true")),
        ("PERCENTAGE_SPLIT", json!(null), json!("50")),
        ("EQUAL", json!("$.identity.identifier"), json!("person 3")),
    ];
    let (operator, property, value) = numbers.one_of(&conditions).clone();
    json!({ "operator": operator, "property_": property, "value": value })
}

fn segment(numbers: &mut Numbers, number: u64) -> Json {
    let rule = |rules: Vec<Json>, numbers: &mut Numbers| {
        let kind = numbers.one_of(&["ALL", "ANY", "NONE"]);
        let conditions: Vec<Json> = (0..=numbers.below(2)).map(|_| condition(numbers)).collect();
        json!({ "type": kind, "rules": rules, "conditions": conditions })
    };
    let inner = rule(Vec::new(), numbers);
    let middle = rule(vec![inner], numbers);
    let overridden = numbers.below(FEATURES) + 1;
    json!({
        "id": number,
        "name": format!("segment {number}"),
        "rules": [{ "type": "ALL", "rules": [middle], "conditions": [] }],
        "feature_states": [state(numbers, overridden, 1000 + number, Some(number))],
    })
}

fn environment(numbers: &mut Numbers) -> Json {
    let states: Vec<Json> = (1..=FEATURES)
        .map(|feature| state(numbers, feature, feature, None))
        .collect();
    let segments: Vec<Json> = (1..=SEGMENTS)
        .map(|number| segment(numbers, number))
        .collect();
    let overrides: Vec<Json> = (1..=3)
        .map(|number| {
            let feature = numbers.below(FEATURES) + 1;
            let state = state(numbers, feature, 2000 + number, None);
            json!({
                "identifier": format!("person {number}"),
                "identity_uuid": uuid(3000 + number),
                "environment_api_key": CLIENT_KEY,
                "created_date": "2026-11-21T00:08:05.557785+00:00",
                "identity_features": [state],
                "identity_traits": [],
                "django_id": number,
                "composite_key": format!("{CLIENT_KEY}_person {number}"),
            })
        })
        .collect();
    json!({
        "id": 1,
        "api_key": CLIENT_KEY,
        "name": "Production",
        "updated_at": "2026-01-01T00:00:00.000000Z",
        "allow_client_traits": true,
        "hide_sensitive_data": false,
        "hide_disabled_flags": numbers.chance(30),
        "use_identity_composite_key_for_hashing": numbers.chance(70),
        "use_identity_overrides_in_local_eval": true,
        "feature_states": states,
        "identity_overrides": overrides,
        "project": {
            "id": 1,
            "name": "Made up",
            "hide_disabled_flags": false,
            "enable_realtime_updates": false,
            "server_key_only_feature_ids": [2],
            "segments": segments,
            "organisation": {
                "id": 1,
                "name": "Acme",
                "feature_analytics": false,
                "stop_serving_flags": false,
                "persist_trait_data": true,
            },
        },
    })
}

async fn serve(document: &Json) -> Face {
    let face = Face::start_empty().await;
    let bytes = document.to_string();
    // Warnings tell of what an import cannot keep; both ways of asking lack it alike.
    let (document, _) = parse_environment_document(bytes.as_bytes()).unwrap();
    let request = ImportRequest {
        server_key: EnvironmentKey::parse(SERVER_KEY),
        ..ImportRequest::default()
    };
    face.service
        .import_environment(document, request)
        .await
        .unwrap();
    face
}

fn attributes(numbers: &mut Numbers) -> Vec<(&'static str, Json)> {
    let mut attributes = Vec::new();
    if numbers.chance(70) {
        let plan = numbers.one_of(&["pro", "free", "other"]);
        attributes.push(("plan", json!(plan)));
    }
    if numbers.chance(70) {
        let ages = [json!(30), json!(31), json!(30.5), json!("42")];
        attributes.push(("age", numbers.one_of(&ages).clone()));
    }
    if numbers.chance(50) {
        attributes.push(("beta", json!(numbers.chance(50))));
    }
    attributes
}

/// What OFREP has to say of a flag that Flagsmith's face shows so.
fn check(shown: &Json, resolved: &Json, is_on_by_default: bool, told: &str) {
    let enabled = shown["enabled"].as_bool().unwrap();
    let Some(value) = resolved.get("value") else {
        assert!(!enabled && !is_on_by_default, "{told}: {shown} {resolved}");
        return;
    };
    assert!(enabled || is_on_by_default, "{told}: {shown} {resolved}");
    let expected = match &shown["feature_state_value"] {
        Json::Null => json!(enabled),
        value => value.clone(),
    };
    assert_eq!(*value, expected, "{told}: {shown} {resolved}");
}

fn by_name<'a>(flags: &'a Json, name: &str) -> Option<&'a Json> {
    let mut flags = flags.as_array().unwrap().iter();
    flags.find(|flag| flag["feature"]["name"] == name)
}

fn names(flags: &Json) -> Vec<&str> {
    let flags = flags.as_array().unwrap().iter();
    flags
        .map(|flag| flag["feature"]["name"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_person_gets_the_same_flags_from_ofrep_and_from_identities() {
    let mut compared = 0;
    for seed in 0..ENVIRONMENTS {
        let mut numbers = Numbers(seed);
        let document = environment(&mut numbers);
        let face = serve(&document).await;
        let snapshot = face.opened().await;
        let is_on = |name: &str| {
            let rules = &snapshot.snapshot().rules;
            rules.features()[rules.feature_index(name).unwrap()]
                .state
                .enabled
        };
        for person in 1..=PEOPLE {
            let key = KEYS[usize::try_from(person % 2).unwrap()];
            let identifier = format!("person {person}");
            let sent = attributes(&mut numbers);
            let traits: Vec<Json> = sent
                .iter()
                .map(|(name, value)| json!({ "trait_key": name, "trait_value": value }))
                .collect();
            // Some are stored, so that the row of the identity is there to be hashed by.
            let body = json!({
                "identifier": identifier, "traits": traits, "transient": numbers.chance(50)
            });
            let mut context = json!({ "targetingKey": identifier });
            for (name, value) in &sent {
                context[*name] = value.clone();
            }

            let shown = face.identify(key, &body).await;
            let all = list_with(&face, key, context.clone()).await;

            let told = format!("environment {seed}, {context}");
            let all = all.json();
            let items = all["flags"].as_array().unwrap();
            let resolved: Vec<&str> = items.iter().map(|i| i["key"].as_str().unwrap()).collect();
            assert_eq!(resolved, names(&shown["flags"]), "{told}");
            for item in items {
                let name = item["key"].as_str().unwrap();
                check(
                    by_name(&shown["flags"], name).unwrap(),
                    item,
                    is_on(name),
                    &told,
                );
                compared += 1;
            }
        }
    }
    assert!(compared > 1000, "{compared} flags were compared");
}

#[tokio::test]
async fn nobody_gets_the_defaults_that_flags_shows() {
    for seed in 0..ENVIRONMENTS {
        let document = environment(&mut Numbers(1000 + seed));
        let face = serve(&document).await;
        let snapshot = face.opened().await;
        let rules = &snapshot.snapshot().rules;
        let shown = face
            .get_with(SERVER_KEY, "/api/v1/flags/")
            .send()
            .await
            .json();

        let all = list_with(&face, SERVER_KEY, json!({})).await.json();

        for item in all["flags"].as_array().unwrap() {
            // Some segments hold for people of whom nothing is known; `flags/` asks no segment.
            if item["metadata"].get("flagsmith.segment").is_some() {
                continue;
            }
            let name = item["key"].as_str().unwrap();
            let is_on = rules.features()[rules.feature_index(name).unwrap()]
                .state
                .enabled;
            let told = format!("environment {seed}");
            check(by_name(&shown, name).unwrap(), item, is_on, &told);
        }
    }
}
