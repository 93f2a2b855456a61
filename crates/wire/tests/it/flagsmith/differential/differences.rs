//! `differences.json`: where our engine deliberately differs from Flagsmith's, and how to tell.

use super::generate::Engine;
use super::ours;
use super::python::{Answer, PythonEngine};
use serde_json::Value as Json;
use std::sync::LazyLock;

/// The list, as it stands in the file.
pub struct Differences(Vec<Difference>);

struct Difference {
    name: String,
    /// Contexts that hold such a condition may come out differently.
    recognise: Vec<Recogniser>,
    /// Contexts for which the results do differ, or for which Python raises an error.
    examples: Vec<Json>,
}

/// A condition is recognised by its operator, where one is given, and by a piece of one of its members.
struct Recogniser {
    operator: Option<String>,
    member: String,
    contains: String,
    /// Only where the identity has a trait that is a list or an object.
    composite_traits: bool,
    /// Only in comparison with this engine.
    engine: Option<u64>,
}

static DIFFERENCES: LazyLock<Differences> = LazyLock::new(|| {
    let json: Vec<Json> = serde_json::from_str(include_str!("../differences.json")).unwrap();
    Differences(json.iter().map(Difference::read).collect())
});

impl Differences {
    pub fn read() -> &'static Self {
        &DIFFERENCES
    }

    /// True where a context holds a condition on which engines deliberately differ.
    pub fn explain(&self, context: &Json, engine: Engine) -> bool {
        let mut conditions = Vec::new();
        collect(&context["segments"], &mut conditions);
        let has_composites = context["identity"]["traits"]
            .as_object()
            .is_some_and(|traits| {
                traits
                    .values()
                    .any(|value| value.is_array() || value.is_object())
            });
        self.0
            .iter()
            .flat_map(|difference| &difference.recognise)
            .filter(|recogniser| has_composites || !recogniser.composite_traits)
            .filter(|recogniser| {
                recogniser
                    .engine
                    .is_none_or(|only| only == engine.version())
            })
            .any(|recogniser| {
                conditions
                    .iter()
                    .any(|condition| recogniser.knows(condition))
            })
    }
}

impl Difference {
    fn read(json: &Json) -> Self {
        let text = |json: &Json| json.as_str().map(str::to_owned);
        assert!(
            text(&json["why"]).is_some_and(|why| !why.is_empty()),
            "{json}"
        );
        Self {
            name: text(&json["name"]).unwrap(),
            recognise: json["recognise"]
                .as_array()
                .unwrap()
                .iter()
                .map(|json| Recogniser {
                    operator: text(&json["operator"]),
                    member: text(&json["member"]).unwrap(),
                    contains: text(&json["contains"]).unwrap(),
                    composite_traits: json["composite_traits"] == true,
                    engine: json["engine"].as_u64(),
                })
                .collect(),
            examples: json["examples"].as_array().unwrap().clone(),
        }
    }
}

impl Recogniser {
    fn knows(&self, condition: &Json) -> bool {
        let operator_fits = self
            .operator
            .as_ref()
            .is_none_or(|operator| condition["operator"] == operator.as_str());
        operator_fits
            && condition[&self.member]
                .as_str()
                .is_some_and(|text| text.contains(&self.contains))
    }
}

/// Finds conditions at any depth.
fn collect<'a>(json: &'a Json, conditions: &mut Vec<&'a Json>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect(item, conditions)),
        Json::Object(members) => {
            if members.contains_key("operator") {
                conditions.push(json);
            }
            members
                .values()
                .for_each(|member| collect(member, conditions));
        }
        _ => {}
    }
}

#[test]
fn every_listed_difference_is_one() {
    let Some(mut python) = PythonEngine::start(Engine::Ten) else {
        return;
    };
    for difference in &Differences::read().0 {
        assert!(!difference.examples.is_empty(), "{}", difference.name);
        for example in &difference.examples {
            check(&mut python, &difference.name, example);
        }
    }
}

fn check(python: &mut PythonEngine, name: &str, example: &Json) {
    let ours = ours(example, Engine::Ten).unwrap();
    match python.evaluate(example) {
        Answer::Raised(_) => {}
        Answer::Result(theirs) => {
            assert_ne!(ours, theirs, "{name}: does not differ: {example}");
            assert!(
                Differences::read().explain(example, Engine::Ten),
                "{name}: is not recognised: {example}"
            );
        }
    }
}
