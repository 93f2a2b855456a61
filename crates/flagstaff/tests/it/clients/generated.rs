//! Environments made by a generator: every operator, nested rules, percentage splits, variants and overrides.

use serde_json::{Map, Value, json};

/// What types traits have, and the values that conditions compare them with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Typing {
    Ordinary,
    Mixed,
    /// Like mixed, and conditions that mean nothing, at which some engines give up.
    Broken,
}

/// The same numbers in each run (xorshift).
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Self {
        let mut numbers = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            numbers.next();
        }
        numbers
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below a limit.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// The traits of the generated environments with the values that each may have.
fn values_of(name: &str) -> Vec<Value> {
    match name {
        "age" => vec![
            json!(0),
            json!(17),
            json!(18),
            json!(40),
            json!(65),
            json!(-3),
        ],
        "score" => vec![json!(2.5), json!(-0.5), json!(99.75), json!(2.25)],
        "plan" => vec![
            json!("pro"),
            json!("free"),
            json!("enterprise"),
            json!("Pro"),
        ],
        "email" => vec![
            json!("ann@example.com"),
            json!("bo+x@example.org"),
            json!("cy@elsewhere.net"),
        ],
        "version" => vec![
            json!("1.9.9"),
            json!("2.0.0"),
            json!("2.0.0-rc.1"),
            json!("10.1.0"),
        ],
        "staff" => vec![json!(true), json!(false)],
        _ => unreachable!("no such trait"),
    }
}

const NAMES: [&str; 6] = ["age", "score", "plan", "email", "version", "staff"];

/// What a trait may be where nobody cares for types.
fn strays() -> Vec<Value> {
    vec![
        json!(""),
        json!("7"),
        json!("007"),
        json!(" 7"),
        json!("2.5"),
        json!("2.50"),
        json!("true"),
        json!("False"),
        json!("pro,free"),
        json!(7),
        json!(7.0),
        json!(-1),
        json!(2.5),
        json!(1000000),
        json!(true),
        json!(false),
        json!("Zürich"),
        json!("2.0"),
    ]
}

/// Traits of one identity; about one in five is missing.
pub fn traits(numbers: &mut Numbers, typing: Typing) -> Map<String, Value> {
    let mut traits = Map::new();
    for name in NAMES {
        if numbers.chance(20) {
            continue;
        }
        let value = if typing != Typing::Ordinary && numbers.chance(40) {
            numbers.one_of(&strays())
        } else {
            numbers.one_of(&values_of(name))
        };
        traits.insert(name.to_owned(), value);
    }
    traits
}

/// Conditions that suit the type of the trait they look at: every operator that makes sense there.
fn ordinary_conditions() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("EQUAL", "age", "18"),
        ("NOT_EQUAL", "age", "18"),
        ("GREATER_THAN", "age", "17"),
        ("GREATER_THAN_INCLUSIVE", "age", "18"),
        ("LESS_THAN", "age", "40"),
        ("LESS_THAN_INCLUSIVE", "age", "40"),
        ("MODULO", "age", "3|2"),
        ("IN", "age", "17,18,65"),
        ("GREATER_THAN", "score", "2.25"),
        ("LESS_THAN_INCLUSIVE", "score", "2.5"),
        ("EQUAL", "score", "2.5"),
        ("MODULO", "score", "2|0.5"),
        ("EQUAL", "plan", "pro"),
        ("NOT_EQUAL", "plan", "pro"),
        ("IN", "plan", "pro,enterprise"),
        ("IN", "plan", "[\"pro\",\"free\"]"),
        ("CONTAINS", "email", "example"),
        ("NOT_CONTAINS", "email", "example"),
        ("REGEX", "email", "^[a-c]+@"),
        ("REGEX", "email", "example"),
        ("REGEX", "email", ".*\\.(com|org)$"),
        ("EQUAL", "version", "2.0.0:semver"),
        ("NOT_EQUAL", "version", "2.0.0:semver"),
        ("GREATER_THAN", "version", "2.0.0-rc.1:semver"),
        ("GREATER_THAN_INCLUSIVE", "version", "2.0.0:semver"),
        ("LESS_THAN", "version", "2.0.0:semver"),
        ("LESS_THAN_INCLUSIVE", "version", "2.0.0:semver"),
        ("EQUAL", "staff", "true"),
        ("EQUAL", "staff", "false"),
        ("NOT_EQUAL", "staff", "true"),
        ("IS_SET", "score", ""),
        ("IS_NOT_SET", "score", ""),
        ("PERCENTAGE_SPLIT", "", "40"),
        ("PERCENTAGE_SPLIT", "$.identity.key", "55.5"),
        ("PERCENTAGE_SPLIT", "$.identity.identifier", "30"),
        ("PERCENTAGE_SPLIT", "plan", "50"),
        ("PERCENTAGE_SPLIT", "age", "50"),
        ("EQUAL", "$.identity.identifier", "person-7"),
        ("IN", "$.identity.identifier", "person-1,person-2,person-30"),
        ("EQUAL", "$.environment.name", "ordinary"),
        ("IS_SET", "$.identity.traits.score", ""),
    ]
}

/// What comparing operators meet where nobody cares for types.
fn mixed_conditions() -> Vec<(&'static str, &'static str, &'static str)> {
    let mut conditions = Vec::new();
    for operator in ["EQUAL", "NOT_EQUAL", "GREATER_THAN", "LESS_THAN_INCLUSIVE"] {
        for value in [
            "7",
            "7.0",
            "2.5",
            "true",
            "false",
            "pro",
            "",
            " 7",
            "2.0.0:semver",
        ] {
            conditions.push((operator, "plan", value));
        }
    }
    for operator in ["GREATER_THAN_INCLUSIVE", "LESS_THAN"] {
        for value in ["7", "2.5", "pro", "1.0.0:semver"] {
            conditions.push((operator, "version", value));
        }
    }
    for value in ["7", "pro", ".", "rue", ""] {
        conditions.push(("CONTAINS", "plan", value));
        conditions.push(("NOT_CONTAINS", "plan", value));
    }
    for value in [
        "7",
        "^7$",
        "^.$",
        "rue$",
        "[0-9]+\\.5",
        "Z.rich",
        "pro|free",
    ] {
        conditions.push(("REGEX", "email", value));
    }
    for value in [
        "7",
        "7.0,2.5",
        "true,pro",
        "[\"7\",\"pro\"]",
        "[7]",
        "[",
        "pro, free",
        "007",
    ] {
        conditions.push(("IN", "plan", value));
    }
    for value in ["2|1", "2.5|0", "3|2", "x|1", "2|-1"] {
        conditions.push(("MODULO", "age", value));
    }
    for value in ["50", "33.33", "0", "100", "x"] {
        conditions.push(("PERCENTAGE_SPLIT", "plan", value));
        conditions.push(("PERCENTAGE_SPLIT", "", value));
    }
    for operator in ["IS_SET", "IS_NOT_SET"] {
        conditions.push((operator, "plan", ""));
        conditions.push((operator, "staff", ""));
    }
    conditions.push(("EQUAL", "$.identity.traits.plan", "7"));
    conditions.push(("IS_SET", "$.identity", ""));
    conditions
}

/// What no engine can read.
fn broken_conditions() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("REGEX", "email", "("),
        ("MODULO", "age", "0|1"),
        ("MODULO", "score", "7"),
        ("EQUAL", "plan", "pro"),
    ]
}

fn condition((operator, property, value): (&str, &str, &str)) -> Value {
    json!({"operator": operator, "property_": property, "value": value})
}

/// The feature with a variant for 50 %.
pub const HALF: &str = "variants-half";
/// The feature with a variant for 99.99 %.
pub const NEARLY_ALL: &str = "variants-nearly-all";

/// Counts what needs a number of its own.
struct Ids(i64);

impl Ids {
    fn next(&mut self) -> i64 {
        self.0 += 1;
        self.0
    }
}

/// The document of one environment.
pub fn document(numbers: &mut Numbers, typing: Typing, client_key: &str, number: i64) -> Value {
    let (name, conditions) = match typing {
        Typing::Ordinary => ("ordinary", ordinary_conditions()),
        Typing::Mixed => ("mixed", mixed_conditions()),
        Typing::Broken => ("broken", broken_conditions()),
    };
    let mut ids = Ids(number * 10_000);
    let mut features = Vec::new();
    let mut segments = Vec::new();
    for (index, single) in conditions.iter().enumerate() {
        let feature = feature(&mut ids, &format!("single-{index}"), false);
        let rules = json!([rule(
            "ALL",
            &[],
            vec![rule("ANY", &[condition(*single)], vec![])]
        )]);
        segments.push(segment(&mut ids, rules, |ids| {
            vec![state(ids, &feature, true, json!(1), Some(0), json!([]))]
        }));
        features.push(feature);
    }
    nested(numbers, &conditions, &mut ids, &mut features, &mut segments);
    with_variants(numbers, &conditions, &mut ids, &mut features, &mut segments);
    let overrides = identity_overrides(numbers, client_key, &mut ids, &features);
    let states: Vec<_> = features
        .iter()
        .map(|feature| default_state(&mut ids, feature))
        .collect();
    json!({
        "id": number, "api_key": client_key, "name": name, "updated_at": "2026-11-01T12:00:00.000000Z",
        "allow_client_traits": true, "hide_sensitive_data": false, "hide_disabled_flags": null,
        "use_identity_composite_key_for_hashing": true, "use_identity_overrides_in_local_eval": true,
        "project": {
            "id": number, "name": name, "hide_disabled_flags": false, "enable_realtime_updates": false,
            "server_key_only_feature_ids": [],
            "organisation": {
                "id": number, "name": "Client tests", "feature_analytics": false,
                "stop_serving_flags": false, "persist_trait_data": true,
            },
            "segments": segments,
        },
        "feature_states": states,
        "identity_overrides": overrides,
    })
}

/// Features that two segments override, by rules within rules.
fn nested(
    numbers: &mut Numbers,
    conditions: &[(&str, &str, &str)],
    ids: &mut Ids,
    features: &mut Vec<Value>,
    segments: &mut Vec<Value>,
) {
    for index in 0..30 {
        let feature = feature(ids, &format!("nested-{index}"), false);
        for priority in 0..2 {
            let rules: Vec<_> = (0..=numbers.below(2))
                .map(|_| top_rule(numbers, conditions))
                .collect();
            segments.push(segment(ids, json!(rules), |ids| {
                let value = json!(format!("priority {priority}"));
                // The weaker one comes first as often as the stronger one.
                let priority = if index % 2 == 0 {
                    priority
                } else {
                    1 - priority
                };
                vec![state(ids, &feature, true, value, Some(priority), json!([]))]
            }));
        }
        features.push(feature);
    }
}

fn top_rule(numbers: &mut Numbers, conditions: &[(&str, &str, &str)]) -> Value {
    let inner: Vec<_> = (0..=numbers.below(3))
        .map(|_| {
            let kind = numbers.one_of(&["ALL", "ANY", "NONE"]);
            let chosen = some(numbers, conditions, 1);
            rule(kind, &chosen, vec![])
        })
        .collect();
    let kind = numbers.one_of(&["ALL", "ALL", "ANY", "NONE"]);
    let own = if numbers.chance(30) {
        some(numbers, conditions, 0)
    } else {
        vec![]
    };
    rule(kind, &own, inner)
}

fn some(numbers: &mut Numbers, conditions: &[(&str, &str, &str)], least: usize) -> Vec<Value> {
    let count = least + numbers.below(3);
    (0..count)
        .map(|_| condition(numbers.one_of(conditions)))
        .collect()
}

/// Features with variants, by everybody's weights and by those of a segment.
fn with_variants(
    numbers: &mut Numbers,
    conditions: &[(&str, &str, &str)],
    ids: &mut Ids,
    features: &mut Vec<Value>,
    segments: &mut Vec<Value>,
) {
    for index in 0..8 {
        let feature = feature(ids, &format!("variants-{index}"), true);
        if index % 2 == 1 {
            let rules = json!([rule(
                "ALL",
                &[],
                vec![rule("ANY", &some(numbers, conditions, 1), vec![])]
            )]);
            let weights = [10.5, 60.0];
            segments.push(segment(ids, rules, |ids| {
                let values = variants(ids, &feature, &weights);
                vec![state(
                    ids,
                    &feature,
                    true,
                    json!("control of the segment"),
                    Some(0),
                    values,
                )]
            }));
        }
        features.push(feature);
    }
    features.push(feature(ids, HALF, true));
    features.push(feature(ids, NEARLY_ALL, true));
}

fn identity_overrides(
    numbers: &mut Numbers,
    client_key: &str,
    ids: &mut Ids,
    features: &[Value],
) -> Vec<Value> {
    (0..10)
        .map(|index| {
            let identifier = format!("person-{}", index * 7);
            let feature = numbers.one_of(features);
            let states = vec![state(
                ids,
                &feature,
                index % 2 == 0,
                json!(format!("for {identifier}")),
                None,
                json!([]),
            )];
            json!({
                "identifier": identifier, "environment_api_key": client_key,
                "created_date": "2026-11-01T10:00:00.000000Z", "identity_features": states,
                "identity_traits": [], "identity_uuid": uuid(ids), "django_id": ids.next(),
                "dashboard_alias": null, "composite_key": format!("{client_key}_{identifier}"),
            })
        })
        .collect()
}

fn feature(ids: &mut Ids, name: &str, variants: bool) -> Value {
    let kind = if variants { "MULTIVARIATE" } else { "STANDARD" };
    json!({"id": ids.next(), "name": name, "type": kind})
}

fn default_state(ids: &mut Ids, feature: &Value) -> Value {
    let values = match feature["name"].as_str() {
        Some(HALF) => variants(ids, feature, &[50.0]),
        Some(NEARLY_ALL) => variants(ids, feature, &[99.99]),
        _ if feature["type"] == "MULTIVARIATE" => variants(ids, feature, &[30.0, 20.25]),
        _ => json!([]),
    };
    state(ids, feature, false, json!("control"), None, values)
}

fn state(
    ids: &mut Ids,
    feature: &Value,
    enabled: bool,
    value: Value,
    priority: Option<i64>,
    variants: Value,
) -> Value {
    json!({
        "feature": feature, "enabled": enabled, "django_id": ids.next(),
        "feature_segment": priority.map(|priority| json!({"priority": priority})),
        "featurestate_uuid": uuid(ids), "feature_state_value": value,
        "multivariate_feature_state_values": variants,
    })
}

/// The options of a feature have the same ids wherever their weights are stated.
fn variants(ids: &mut Ids, feature: &Value, weights: &[f64]) -> Value {
    let first = feature["id"].as_i64().unwrap() * 10;
    let values = weights.iter().zip(first..).map(|(weight, option)| {
        json!({
            "multivariate_feature_option": {"value": format!("option {}", option - first), "id": option, "key": null},
            "percentage_allocation": weight, "id": ids.next(), "mv_fs_value_uuid": uuid(ids),
        })
    });
    values.collect()
}

fn segment(ids: &mut Ids, rules: Value, states: impl FnOnce(&mut Ids) -> Vec<Value>) -> Value {
    let id = ids.next();
    json!({"id": id, "name": format!("segment {id}"), "rules": rules, "feature_states": states(ids)})
}

fn rule(kind: &str, conditions: &[Value], rules: Vec<Value>) -> Value {
    json!({"type": kind, "conditions": conditions, "rules": rules})
}

fn uuid(ids: &mut Ids) -> String {
    format!("00000000-0000-4000-8000-{:012}", ids.next())
}
