//! `differences.json`: where our engine deliberately differs from Flagsmith's, and how to tell.

use super::differential::ours;
use super::generate::Engine;
use super::python::{Answer, PythonEngine};
use serde_json::Value as Json;
use std::sync::LazyLock;

/// The list, as it stands in the file.
pub struct Differences(Vec<Difference>);

struct Difference {
    name: String,
    /// Contexts that hold such a condition may come out differently.
    recognise: Vec<Recogniser>,
    /// A context for which the results do differ.
    example: Json,
}

/// A condition is recognised by its operator, where one is given, and by a piece of one of its members.
struct Recogniser {
    operator: Option<String>,
    member: String,
    contains: String,
}

static DIFFERENCES: LazyLock<Differences> = LazyLock::new(|| {
    let json: Vec<Json> = serde_json::from_str(include_str!("differences.json")).unwrap();
    Differences(json.iter().map(Difference::read).collect())
});

impl Differences {
    pub fn read() -> &'static Self {
        &DIFFERENCES
    }

    /// True where a context holds a condition on which engines deliberately differ.
    pub fn explain(&self, context: &Json) -> bool {
        let mut conditions = Vec::new();
        collect(&context["segments"], &mut conditions);
        conditions.iter().any(|condition| {
            self.0
                .iter()
                .flat_map(|difference| &difference.recognise)
                .any(|recogniser| recogniser.knows(condition))
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
                })
                .collect(),
            example: json["example"].clone(),
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
        let theirs = python.evaluate(&difference.example);
        let ours = ours(&difference.example, Engine::Ten);

        assert!(
            Differences::read().explain(&difference.example),
            "{}: the example is not recognised",
            difference.name
        );
        assert_ne!(
            Answer::Result(ours.unwrap()),
            theirs,
            "{}: the example does not differ",
            difference.name
        );
    }
}
