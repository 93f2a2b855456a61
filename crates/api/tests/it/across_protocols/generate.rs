//! Made-up environments and the people who ask them.
//!
//! An environment is well typed where every condition asks for what its attribute is: words of `plan`, numbers of `age`.
//! There, callers whose attributes are what they should be get the same answer everywhere but for patterns and hashes.

use flagstaff_core::Hash;
use flagstaff_testkit::Random;
use serde_json::{Map, Value as Json, json};

/// What features are called.
const NAMES: [&str; 8] = [
    "checkout",
    "Größe & 日本",
    "a.b",
    "quote\"d \\ name",
    "$ref",
    "x y/z",
    "__proto",
    "layout",
];
const SEGMENT_NAMES: [&str; 6] = [
    "Beta users",
    "beta-users",
    "日本",
    "a \"quoted\" $& one",
    "pro",
    "two, three",
];
const IDENTIFIERS: [&str; 6] = ["ana", "bob@example.com", "日本", "x\"y", "id-1", "id_1"];

/// An environment as Flagsmith's document, and what such documents say nothing of.
pub struct Environment {
    pub document: Json,
    pub is_well_typed: bool,
    /// Statements on the rows of the project that `{project}` stands for.
    pub settings: Vec<String>,
    pub disabled_as_state: bool,
    pub lean: bool,
    pub inline: bool,
}

/// Who asks, and whether every attribute is what conditions ask for.
pub struct Caller {
    pub context: Json,
    pub is_well_typed: bool,
}

/// What all values of a feature are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    Object,
    Mixed,
}

impl Kind {
    const fn value_type(self) -> Option<&'static str> {
        match self {
            Self::Number => Some("number"),
            Self::Object => Some("json"),
            Self::Text | Self::Integer | Self::Boolean | Self::Mixed => None,
        }
    }
}

pub struct Generator {
    random: Random,
    number: usize,
    is_well_typed: bool,
    kinds: [Kind; NAMES.len()],
}

impl Generator {
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            number: 0,
            is_well_typed: true,
            kinds: [Kind::Text; NAMES.len()],
        }
    }

    /// How many environments were made.
    pub const fn number(&self) -> usize {
        self.number
    }

    pub fn environment(&mut self) -> Environment {
        self.number += 1;
        self.is_well_typed = self.random.percent(50);
        for kind in &mut self.kinds {
            *kind = match self.random.below(10) {
                0..4 => Kind::Text,
                4 => Kind::Integer,
                5 => Kind::Number,
                6 => Kind::Object,
                9 if !self.is_well_typed => Kind::Mixed,
                _ => Kind::Boolean,
            };
        }
        let features: Vec<Json> = (0..NAMES.len())
            .map(|index| self.state(index, index % 3 == 2))
            .collect();
        let segments: Vec<Json> = (0..SEGMENT_NAMES.len())
            .map(|number| self.segment(number))
            .collect();
        let identities = self.identities();
        let disabled_as_state = self.random.percent(40);
        Environment {
            document: self.document(features, segments, identities),
            is_well_typed: self.is_well_typed,
            settings: self.settings(disabled_as_state),
            disabled_as_state,
            lean: self.random.percent(30),
            inline: self.random.percent(50),
        }
    }

    fn document(
        &mut self,
        features: Vec<Json>,
        segments: Vec<Json>,
        identities: Vec<Json>,
    ) -> Json {
        let number = self.number;
        json!({
            "id": number, "api_key": client_key(number), "name": "Production",
            "updated_at": "2026-01-01T00:00:00.000000Z",
            "allow_client_traits": true, "hide_sensitive_data": false,
            "hide_disabled_flags": self.random.percent(20),
            "use_identity_composite_key_for_hashing": true,
            "use_identity_overrides_in_local_eval": true,
            "feature_states": features, "identity_overrides": identities,
            "project": {
                "id": number, "name": format!("Project {number}"), "hide_disabled_flags": false,
                "enable_realtime_updates": false, "server_key_only_feature_ids": [], "segments": segments,
                "organisation": {
                    "id": 1, "name": "Acme", "feature_analytics": false, "stop_serving_flags": false,
                    "persist_trait_data": true,
                },
            },
        })
    }

    /// What is set on rows: hashes, types of values, and what off means.
    fn settings(&mut self, disabled_as_state: bool) -> Vec<String> {
        let hash = |random: &mut Random| random.pick(&Hash::ALL).name();
        let of_environment = hash(&mut self.random);
        let disabled_as = if disabled_as_state { "state" } else { "auto" };
        let mut settings = vec![format!(
            "UPDATE environments SET hash = '{of_environment}', disabled_as = '{disabled_as}' \
             WHERE project_id = {{project}}"
        )];
        for (index, kind) in self.kinds.into_iter().enumerate() {
            let name = NAMES[index].replace('\'', "''");
            let mut set = |column: &str, value: &str| {
                settings.push(format!(
                    "UPDATE features SET {column} = '{value}' \
                     WHERE project_id = {{project}} AND name = '{name}'"
                ));
            };
            if let Some(value_type) = kind.value_type() {
                set("value_type", value_type);
            }
            if self.random.percent(20) {
                set("hash", hash(&mut self.random));
            }
        }
        if self.random.percent(30) {
            let hash = hash(&mut self.random);
            settings.push(format!(
                "UPDATE segments SET hash = '{hash}' WHERE project_id = {{project}} AND name = 'pro'"
            ));
        }
        settings
    }

    /// A state of a feature; one with options where the feature has some.
    fn state(&mut self, feature: usize, has_options: bool) -> Json {
        let id = self.number * 100 + feature + 1;
        let mut left = 100.0;
        let weights: Vec<Json> = (0..2)
            .filter(|_| has_options)
            .map(|option| {
                let weight: f64 = *self.random.pick(&[0.0, 20.0, 33.3, 50.0, 12.5]);
                let weight = weight.min(left);
                left -= weight;
                let key = (option == 0).then(|| format!("option {option}"));
                let option_id = id * 10 + option;
                json!({
                    "id": self.random.below(1 << 20), "percentage_allocation": weight,
                    "multivariate_feature_option": {
                        "id": option_id, "key": key, "value": self.option_value(feature, option),
                    },
                })
            })
            .collect();
        let kind = if has_options {
            "MULTIVARIATE"
        } else {
            "STANDARD"
        };
        json!({
            "feature": {"id": id, "name": NAMES[feature], "type": kind},
            "enabled": self.random.percent(70), "django_id": self.random.below(1 << 20),
            "feature_state_value": self.value(feature),
            "multivariate_feature_state_values": weights,
        })
    }

    fn option_value(&self, feature: usize, option: usize) -> Json {
        match self.kinds[feature] {
            Kind::Text | Kind::Mixed => json!(format!("option {option}")),
            Kind::Integer => json!(option + 40),
            Kind::Number => json!(format!("{option}.25")),
            Kind::Boolean => json!(option == 1),
            Kind::Object => json!(format!("{{\"option\": {option}}}")),
        }
    }

    fn value(&mut self, feature: usize) -> Json {
        let random = &mut self.random;
        match self.kinds[feature] {
            Kind::Text => json!(random.pick(&["", "a", "b", "é \"\\ 日本"])),
            Kind::Integer => json!(random.below(4)),
            Kind::Number => json!(random.pick(&["1.5", "2", "-0.25"])),
            Kind::Boolean if random.percent(30) => Json::Null,
            Kind::Boolean => json!(random.percent(50)),
            Kind::Object => json!(random.pick(&["{\"a\": 1}", "{\"b\": [true, \"é\"]}"])),
            Kind::Mixed => random.pick(&[json!("a"), json!(7), json!(true)]).clone(),
        }
    }

    fn segment(&mut self, number: usize) -> Json {
        let mut overridden = vec![self.random.below(NAMES.len())];
        if self.random.percent(40) {
            let another = self.random.below(NAMES.len());
            overridden.retain(|feature| *feature != another);
            overridden.push(another);
        }
        let overrides: Vec<Json> = overridden
            .into_iter()
            .map(|feature| {
                // Those of features with options have weights of their own, or none.
                let has_options = feature % 3 == 2 && self.random.percent(40);
                let mut state = self.state(feature, has_options);
                if self.random.percent(80) {
                    state["feature_segment"] = json!({"priority": self.random.below(4)});
                }
                state
            })
            .collect();
        let rules: Vec<Json> = (0..=self.random.below(2)).map(|_| self.rule(1)).collect();
        json!({
            "id": self.number * 100 + number + 1, "name": SEGMENT_NAMES[number],
            "rules": rules, "feature_states": overrides,
        })
    }

    /// Rules within rules, two deep.
    fn rule(&mut self, depth: usize) -> Json {
        let conditions: Vec<Json> = (0..=self.random.below(2))
            .map(|_| self.condition())
            .collect();
        let rules: Vec<Json> = (0..if depth < 3 { self.random.below(2) } else { 0 })
            .map(|_| self.rule(depth + 1))
            .collect();
        let kind = *self.random.pick(&["ALL", "ALL", "ANY", "ANY", "NONE"]);
        json!({"type": kind, "conditions": conditions, "rules": rules})
    }

    fn condition(&mut self) -> Json {
        let (property, operators, values) = if self.is_well_typed || self.random.percent(60) {
            *self.random.pick(WELL_TYPED)
        } else {
            *self.random.pick(ODD)
        };
        json!({
            "operator": self.random.pick(operators),
            "property_": property,
            "value": self.random.pick(values),
        })
    }

    fn identities(&mut self) -> Vec<Json> {
        let mut identities = Vec::new();
        for (number, identifier) in IDENTIFIERS.iter().enumerate() {
            let mut states = Vec::new();
            for feature in 0..NAMES.len() {
                if self.random.percent(12) {
                    let has_options = feature % 3 == 2 && self.random.percent(40);
                    states.push(self.state(feature, has_options));
                }
            }
            if !states.is_empty() {
                identities.push(json!({
                    "identifier": identifier, "django_id": number + 1, "identity_features": states,
                    "environment_api_key": client_key(self.number),
                    "created_date": "2026-11-21T00:08:05.557785+00:00", "identity_traits": [],
                    "composite_key": format!("{}_{identifier}", client_key(self.number)),
                }));
            }
        }
        identities
    }

    /// The people who ask an environment.
    pub fn callers(&mut self, environment: &Environment) -> Vec<Caller> {
        (0..12)
            .map(|number| {
                let is_well_typed = environment.is_well_typed && number % 2 == 0;
                let context = self.context(is_well_typed, number);
                Caller {
                    context,
                    is_well_typed,
                }
            })
            .collect()
    }

    fn context(&mut self, is_well_typed: bool, number: usize) -> Json {
        let random = &mut self.random;
        let mut context = Map::new();
        match number {
            // Nobody in particular.
            0 => {}
            1..4 => {
                context.insert("targetingKey".to_owned(), json!(random.pick(&IDENTIFIERS)));
            }
            _ => {
                let ends: &[&str] = if is_well_typed {
                    &["", "é"]
                } else {
                    &["", "é", "7", " "]
                };
                let start = *random.pick(&["user-", "m@x.org ", "", "0"]);
                let identifier = format!("{start}{}{}", random.below(1000), random.pick(ends));
                context.insert("targetingKey".to_owned(), json!(identifier));
            }
        }
        for (name, values) in ATTRIBUTES {
            if !random.percent(75) {
                continue;
            }
            let text = if is_well_typed || random.percent(40) {
                *random.pick(values)
            } else {
                *random.pick(ODD_VALUES)
            };
            context.insert((*name).to_owned(), serde_json::from_str(text).unwrap());
        }
        Json::Object(context)
    }
}

pub fn client_key(number: usize) -> String {
    format!("agreement-{number}")
}

pub fn server_key(number: usize) -> String {
    format!("ser.agreement-{number}")
}

/// Property, operators, values.
type Conditions = &'static [(
    Option<&'static str>,
    &'static [&'static str],
    &'static [&'static str],
)];

const ORDERINGS: &[&str] = &[
    "GREATER_THAN",
    "GREATER_THAN_INCLUSIVE",
    "LESS_THAN",
    "LESS_THAN_INCLUSIVE",
];

const WELL_TYPED: Conditions = &[
    (
        Some("plan"),
        &["EQUAL", "NOT_EQUAL", "CONTAINS", "NOT_CONTAINS"],
        &["pro", "free", "é", "p"],
    ),
    (Some("plan"), ORDERINGS, &["pro", "m"]),
    (
        Some("plan"),
        &["IN"],
        &["pro,free", "[\"é\", \"pro\"]", "x", "1e3,pro"],
    ),
    (
        Some("plan"),
        &["REGEX"],
        &["^pr", "(pro|free)$", ".*e", "p.o", "[a-f]+"],
    ),
    (Some("plan"), &["IS_SET", "IS_NOT_SET"], &[""]),
    (
        Some("age"),
        &["EQUAL", "NOT_EQUAL"],
        &["18", "30", "0", "1", "030"],
    ),
    (Some("age"), ORDERINGS, &["18", "30", "0", "17.5"]),
    (Some("age"), &["IN"], &["18,30", "[0, 31]", "1,18"]),
    (Some("age"), &["MODULO"], &["2|0", "3|1", "7|3"]),
    (Some("age"), &["IS_SET", "IS_NOT_SET"], &[""]),
    (Some("score"), &["EQUAL", "NOT_EQUAL"], &["0.5", "7.25"]),
    (Some("score"), ORDERINGS, &["0.5", "2", "-1"]),
    (
        Some("beta"),
        &["EQUAL", "NOT_EQUAL"],
        &["true", "false", "True"],
    ),
    (Some("beta"), &["IS_SET", "IS_NOT_SET"], &[""]),
    (
        Some("version"),
        &[
            "EQUAL",
            "NOT_EQUAL",
            "GREATER_THAN",
            "GREATER_THAN_INCLUSIVE",
            "LESS_THAN",
            "LESS_THAN_INCLUSIVE",
        ],
        &["1.2.3:semver", "2.0.0:semver", "2.0.0-rc.1:semver"],
    ),
    (
        Some("odd näme"),
        &["EQUAL", "NOT_EQUAL", "IS_SET"],
        &["yes"],
    ),
    (
        Some("$.identity.identifier"),
        &["EQUAL", "IN", "REGEX", "CONTAINS"],
        &["ana", "bob@", "日本"],
    ),
    (
        Some("$.environment.name"),
        &["EQUAL", "NOT_EQUAL"],
        &["Production", "Staging"],
    ),
    (Some("$.identity.traits.plan"), &["EQUAL"], &["pro"]),
    (
        None,
        &["PERCENTAGE_SPLIT"],
        &["30", "50", "70.5", "0", "100"],
    ),
    (Some("plan"), &["PERCENTAGE_SPLIT"], &["40"]),
];

const ODD: Conditions = &[
    (
        Some("plan"),
        &[
            "EQUAL",
            "NOT_EQUAL",
            "GREATER_THAN",
            "GREATER_THAN_INCLUSIVE",
            "LESS_THAN",
            "LESS_THAN_INCLUSIVE",
            "CONTAINS",
            "NOT_CONTAINS",
            "IN",
            "REGEX",
        ],
        &["5", "5.5", "5.0", "true", "", "1.2.3:semver", "-1", "null"],
    ),
    (
        Some("age"),
        &[
            "EQUAL",
            "NOT_EQUAL",
            "GREATER_THAN",
            "LESS_THAN_INCLUSIVE",
            "CONTAINS",
            "NOT_CONTAINS",
            "REGEX",
            "MODULO",
        ],
        &[
            "abc",
            "true",
            "false",
            "1.2.3:semver",
            "",
            "x:semver",
            "2|1",
            ".*1",
            "^T",
        ],
    ),
    (
        Some("beta"),
        &["EQUAL", "NOT_EQUAL", "LESS_THAN", "MODULO", "REGEX", "IN"],
        &["abc", "1", "0", "1|0", "True", "true,1"],
    ),
    (Some("a.b"), &["EQUAL", "IS_SET"], &["x"]),
    (Some("age"), &["PERCENTAGE_SPLIT"], &["50", "many"]),
    (Some("targetingKey"), &["EQUAL"], &["ana"]),
    (Some("$.flags.checkout.enabled"), &["EQUAL"], &["true"]),
    (Some("plan"), &["LIKE"], &["pro"]),
];

/// Attributes and, as JSON, what they are where all is well.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    (
        "plan",
        &["\"pro\"", "\"free\"", "\"é\"", "\"other\"", "\"Pro\""],
    ),
    ("age", &["0", "1", "17", "18", "30", "31", "-5"]),
    ("score", &["0.5", "7.25", "-1.5", "2.5"]),
    ("beta", &["true", "false"]),
    (
        "version",
        &["\"1.2.3\"", "\"1.10.0\"", "\"2.0.0-beta.1\"", "\"3.0.0\""],
    ),
    ("odd näme", &["\"yes\"", "\"no\""]),
    ("a.b", &["\"x\"", "\"y\""]),
];

const ODD_VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "5",
    "5.5",
    "5.0",
    "-2.5",
    "1e21",
    "0.30000000000000004",
    "\"\"",
    "\"5\"",
    "\"05\"",
    "\"-5\"",
    "\"5.5\"",
    "\"5.0\"",
    "\"1\"",
    "\"true\"",
    "\"True\"",
    "\"v1.2.3\"",
    "\"1.2\"",
    "\"10.2.3\"",
    "\" pro\"",
    "\"pro \"",
    "\"日本\"",
    "\"😀\"",
    "\"a\\nb\"",
    "[\"pro\"]",
    "[]",
    "[5]",
    "{}",
    "{\"a\": 1}",
    "\"pro\"",
    "30",
];
