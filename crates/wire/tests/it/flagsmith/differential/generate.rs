//! Generated evaluation contexts: every operator, odd values, edges of buckets.

use flagstaff_core::Value;
use flagstaff_core::bucket::percentage;
use flagstaff_core::text::python_text;
use flagstaff_testkit::Random;
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Which engine the contexts are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Knows no `$.flags`.
    Ten,
    /// Segments may depend on flags.
    Eleven,
}

impl Engine {
    /// The major version of `flagsmith-flag-engine`.
    pub const fn version(self) -> u64 {
        match self {
            Self::Ten => 10,
            Self::Eleven => 11,
        }
    }
}

/// Texts to choose from, by name: the file keeps long lists short. What stands for JSON is JSON text, so
/// that numbers keep their notation.
static POOLS: LazyLock<HashMap<String, Vec<String>>> = LazyLock::new(|| {
    let json: Map<String, Json> = serde_json::from_str(include_str!("pools.json")).unwrap();
    json.into_iter()
        .map(|(name, texts)| {
            let texts = texts.as_array().unwrap().iter();
            (
                name,
                texts
                    .map(|text| text.as_str().unwrap().to_owned())
                    .collect(),
            )
        })
        .collect()
});

pub fn pool(name: &str) -> &'static [String] {
    POOLS
        .get(name)
        .unwrap_or_else(|| panic!("no pool is called {name}"))
}

/// Parses a text of a pool.
pub fn read(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

/// Makes contexts of one engine's kind.
pub struct Generator {
    random: Random,
    engine: Engine,
}

impl Generator {
    pub const fn new(seed: u64, engine: Engine) -> Self {
        Self {
            random: Random::new(seed),
            engine,
        }
    }

    pub fn context(&mut self) -> Json {
        let environment_key = self.pick("environment_keys");
        let identity = self.identity();
        let hash_key = hash_key(environment_key, identity.as_ref());
        let attributes = identity
            .as_ref()
            .and_then(|identity| identity["traits"].as_object().cloned())
            .unwrap_or_default();
        let caller = Caller {
            hash_key,
            attributes,
        };
        let mut context = json!({
            "environment": {"key": environment_key, "name": self.pick("environment_names")},
        });
        if let Some(identity) = identity {
            context["identity"] = identity;
        }
        if !self.random.percent(3) {
            context["features"] = self.features(&caller);
        }
        if !self.random.percent(5) {
            context["segments"] = self.segments(&caller);
        }
        context
    }

    fn pick(&mut self, name: &str) -> &'static str {
        let text: &'static String = self.random.pick(pool(name));
        text
    }

    fn identity(&mut self) -> Option<Json> {
        match self.random.below(20) {
            0 => return None,
            1 => return Some(Json::Null),
            2 => return Some(json!({})),
            _ => {}
        }
        let mut identity = json!({ "identifier": self.pick("identifiers") });
        match self.random.below(6) {
            0 => identity["key"] = json!(""),
            1 => identity["key"] = Json::Null,
            2 => identity["key"] = json!(format!("key{}", self.random.below(1000))),
            3 => identity["key"] = json!(self.random.below(10_000).to_string()),
            _ => {}
        }
        if self.random.percent(95) {
            let mut traits = Map::new();
            for name in pool("attributes") {
                if self.random.percent(60) {
                    traits.insert(name.clone(), self.trait_value());
                }
            }
            identity["traits"] = Json::Object(traits);
        }
        Some(identity)
    }

    fn trait_value(&mut self) -> Json {
        // Python refuses to read whole numbers of more than 4,300 digits.
        if self.random.below(400) == 0 {
            return Json::String("9".repeat(4300 + self.random.below(2)));
        }
        read(self.pick("traits"))
    }

    fn features(&mut self, caller: &Caller) -> Json {
        let mut features = Map::new();
        for number in 0..=self.random.below(5) {
            let name = format!("f{number}");
            features.insert(name.clone(), self.feature(&name, caller));
        }
        Json::Object(features)
    }

    fn feature(&mut self, name: &str, caller: &Caller) -> Json {
        let seed = self.pick("seeds");
        let mut feature = json!({
            "key": seed,
            "name": name,
            "enabled": self.random.percent(50),
            "value": read(self.pick("values")),
        });
        if self.random.percent(50) {
            let bucket = percentage(&[seed, &caller.hash_key]);
            feature["variants"] = self.variants(bucket);
        }
        if self.random.percent(40) {
            feature["metadata"] = read(self.pick("metadata"));
        }
        feature
    }

    fn variants(&mut self, bucket: f64) -> Json {
        let mut variants = Vec::new();
        for number in 0..self.random.below(5) {
            let mut variant = json!({
                "value": read(self.pick("values")),
                "weight": self.weight(bucket),
                "priority": read(self.pick("variant_priorities")),
            });
            match self.random.below(3) {
                0 => variant["key"] = json!(format!("v{number}")),
                1 => variant["key"] = Json::Null,
                _ => {}
            }
            variants.push(variant);
        }
        Json::Array(variants)
    }

    /// A weight; often one that ends exactly at the caller's bucket, or next to it.
    fn weight(&mut self, bucket: f64) -> Json {
        let edge = match self.random.below(8) {
            0 => bucket,
            1 => bucket.next_up(),
            2 => bucket.next_down(),
            _ => return read(self.pick("weights")),
        };
        read(&python_text(&Value::Float(edge)))
    }

    fn segments(&mut self, caller: &Caller) -> Json {
        let mut segments = Map::new();
        for number in 0..self.random.below(5) {
            let key = self.pick("segment_keys");
            let rules: Vec<Json> = (0..self.random.below(3))
                .map(|_| self.rule(key, caller, 0))
                .collect();
            let mut segment = json!({
                "key": key,
                "name": format!("segment {}", self.random.below(3)),
                "rules": rules,
            });
            if self.random.percent(80) {
                segment["overrides"] = self.overrides(caller);
            }
            if self.random.percent(30) {
                segment["metadata"] = read(self.pick("metadata"));
            }
            segments.insert(number.to_string(), segment);
        }
        Json::Object(segments)
    }

    fn overrides(&mut self, caller: &Caller) -> Json {
        let mut overrides = Vec::new();
        for _ in 0..self.random.below(4) {
            let name = format!("f{}", self.random.below(7));
            let mut feature = self.feature(&name, caller);
            if self.random.percent(80) {
                feature["priority"] = read(self.pick("priorities"));
            }
            overrides.push(feature);
        }
        Json::Array(overrides)
    }

    fn rule(&mut self, segment_key: &str, caller: &Caller, depth: usize) -> Json {
        let mut rule = json!({ "type": self.pick("rule_types") });
        if self.random.percent(85) {
            let conditions: Vec<Json> = (0..self.random.below(3))
                .map(|_| self.condition(segment_key, caller))
                .collect();
            rule["conditions"] = Json::Array(conditions);
        }
        if depth < 5 && self.random.percent(45) {
            let rules: Vec<Json> = (0..self.random.below(3))
                .map(|_| self.rule(segment_key, caller, depth + 1))
                .collect();
            rule["rules"] = Json::Array(rules);
        }
        rule
    }

    fn condition(&mut self, segment_key: &str, caller: &Caller) -> Json {
        let operator = self.pick("operators");
        let property = self.property(operator);
        let value = self.value(operator, property, segment_key, caller);
        json!({ "operator": operator, "property": property, "value": value })
    }

    fn property(&mut self, operator: &str) -> &'static str {
        if operator == "PERCENTAGE_SPLIT" && self.random.percent(40) {
            return "";
        }
        if self.engine == Engine::Eleven && self.random.percent(40) {
            return self.pick("flag_paths");
        }
        if self.random.percent(25) {
            return self.pick("paths");
        }
        self.pick("attributes")
    }

    fn value(
        &mut self,
        operator: &str,
        property: &str,
        segment_key: &str,
        caller: &Caller,
    ) -> Json {
        let text = match operator {
            "IN" if self.random.percent(30) => return self.list(),
            "IN" => self.pick("lists"),
            "REGEX" => self.pick("patterns"),
            "MODULO" => self.pick("moduli"),
            "PERCENTAGE_SPLIT" => return Json::String(self.split(property, segment_key, caller)),
            "CONTAINS" | "NOT_CONTAINS" if self.random.percent(50) => self.pick("needles"),
            // Half of the comparisons are with what the caller has, so that equality is met.
            _ if self.random.percent(30) => {
                return Json::String(caller.text(property).unwrap_or_default());
            }
            _ => self.pick("operands"),
        };
        Json::String(text.to_owned())
    }

    fn list(&mut self) -> Json {
        let items = (0..self.random.below(5))
            .map(|_| read(self.pick("traits")))
            .collect();
        Json::Array(items)
    }

    /// A percentage; often exactly the caller's bucket, or next to it.
    fn split(&mut self, property: &str, segment_key: &str, caller: &Caller) -> String {
        let compared = if property.is_empty() || property.contains("key") {
            Some(caller.hash_key.clone())
        } else {
            caller.text(property)
        };
        let bucket = percentage(&[segment_key, &compared.unwrap_or_default()]);
        let edge = match self.random.below(6) {
            0 => bucket,
            1 => bucket.next_up(),
            2 => bucket.next_down(),
            3 => {
                return self.pick("odd_percentages").to_owned();
            }
            _ => return self.pick("percentages").to_owned(),
        };
        python_text(&Value::Float(edge)).into_owned()
    }
}

/// What is known of the caller while a context is made.
struct Caller {
    hash_key: String,
    attributes: Map<String, Json>,
}

impl Caller {
    /// The text form of an attribute.
    fn text(&self, attribute: &str) -> Option<String> {
        let value = flagstaff_wire::json::json_to_scalar(self.attributes.get(attribute)?)?;
        Some(python_text(&value).into_owned())
    }
}

fn hash_key(environment_key: &str, identity: Option<&Json>) -> String {
    let Some(identity) = identity else {
        return String::new();
    };
    match identity["key"].as_str() {
        Some(key) if !key.is_empty() => key.to_owned(),
        _ => format!(
            "{environment_key}_{}",
            identity["identifier"].as_str().unwrap_or_default()
        ),
    }
}
