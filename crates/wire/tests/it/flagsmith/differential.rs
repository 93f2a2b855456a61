//! Our engine against Flagsmith's Python engines, on generated contexts.
//!
//! 2,000 contexts normally, 50,000 with `FLAGSTAFF_FULL=1`: half from a fixed seed, half from a new one that
//! is printed and can be given again as `FLAGSTAFF_SEED`. What deliberately differs is in
//! `differences.json`.

use flagstaff_core::ReasonWords;
use flagstaff_wire::flagsmith::context::EvaluationContext;
use serde_json::{Value as Json, json};
use std::hash::{BuildHasher, RandomState};

mod conditions;
mod differences;
pub mod generate;
mod minimise;
mod python;

use differences::Differences;
use generate::{Engine, Generator};
use minimise::minimise;
use python::{Answer, PythonEngine, say};

const FIXED_SEED: u64 = 20_261_121;

#[test]
fn results_are_those_of_engine_10() {
    compare(Engine::Ten);
}

#[test]
fn results_with_flag_dependencies_are_those_of_engine_11() {
    compare(Engine::Eleven);
}

fn compare(engine: Engine) {
    let Some(mut python) = PythonEngine::start(engine) else {
        return;
    };
    let full = std::env::var("FLAGSTAFF_FULL").is_ok_and(|value| value == "1");
    let cases = if full { 50_000 } else { 2_000 };
    let random_seed = std::env::var("FLAGSTAFF_SEED").map_or_else(
        |_| RandomState::new().hash_one(0),
        |seed| seed.parse().unwrap(),
    );
    say(&format!(
        "{engine:?}: {cases} contexts, FLAGSTAFF_SEED={random_seed}"
    ));

    let mut tally = Tally::default();
    for seed in [FIXED_SEED, random_seed] {
        let mut generator = Generator::new(seed, engine);
        for _ in 0..cases / 2 {
            tally.add(&mut python, engine, &generator.context());
        }
    }

    say(&format!("{engine:?}: {tally:?}"));
    assert!(
        tally.raised * 20 < cases,
        "too many contexts say nothing: Python raises an error"
    );
    assert!(
        tally.in_segments * 10 > cases && tally.targeted * 20 > cases && tally.split * 10 > cases,
        "too many contexts say nothing: nobody is in a segment or a variant"
    );
}

/// What came out of the comparisons.
#[derive(Debug, Default)]
struct Tally {
    equal: usize,
    raised: usize,
    explained: usize,
    /// Of the equal ones: how many had something to be equal about.
    in_segments: usize,
    targeted: usize,
    split: usize,
    circular: usize,
}

impl Tally {
    fn add(&mut self, python: &mut PythonEngine, engine: Engine, context: &Json) {
        let theirs = match python.evaluate(context) {
            Answer::Result(theirs) => theirs,
            Answer::Raised(_) => {
                // Nothing to compare with; evaluating must not panic all the same.
                let _ = ours(context, engine);
                self.raised += 1;
                return;
            }
        };
        if ours(context, engine).as_ref() == Ok(&theirs) {
            self.add_equal(&theirs);
            return;
        }
        if Differences::read().explain(context, engine) {
            self.explained += 1;
            return;
        }
        let smallest = minimise(context, |context| differ(python, engine, context));
        panic!(
            "{engine:?} differs on {smallest}\n ours: {:?}\n theirs: {:?}",
            ours(&smallest, engine),
            python.evaluate(&smallest),
        );
    }

    fn add_equal(&mut self, result: &Json) {
        self.equal += 1;
        let reasons: Vec<&str> = result["flags"]
            .as_object()
            .into_iter()
            .flat_map(|flags| flags.values())
            .filter_map(|flag| flag["reason"].as_str())
            .collect();
        let has = |word: &str| usize::from(reasons.iter().any(|text| text.starts_with(word)));
        self.targeted += has("TARGETING_MATCH");
        self.split += has("SPLIT");
        self.circular += has("ERROR");
        let segments = result["segments"].as_array();
        self.in_segments += usize::from(segments.is_some_and(|segments| !segments.is_empty()));
    }
}

fn differ(python: &mut PythonEngine, engine: Engine, context: &Json) -> bool {
    match (python.evaluate(context), ours(context, engine)) {
        (Answer::Result(theirs), Ok(ours)) => theirs != ours,
        _ => false,
    }
}

/// Our result, with numbers tagged as the Python driver tags them.
pub fn ours(context: &Json, engine: Engine) -> Result<Json, String> {
    let words = match engine {
        Engine::Ten => ReasonWords::Engine10,
        Engine::Eleven => ReasonWords::Engine11,
    };
    let context = EvaluationContext::read(context).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    context.write_result(words, &mut out);
    let result = serde_json::from_slice(&out).map_err(|error| error.to_string())?;
    Ok(tagged(&result))
}

fn tagged(json: &Json) -> Json {
    match json {
        Json::Number(number) => {
            let text = number.as_str();
            if text.contains(['.', 'e', 'E']) {
                let float: f64 = text.parse().unwrap();
                return json!({ "$float": format!("{:016x}", float.to_bits()) });
            }
            json!({ "$integer": if text == "-0" { "0" } else { text } })
        }
        Json::Array(items) => items.iter().map(tagged).collect(),
        Json::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), tagged(member)))
            .collect(),
        Json::Null | Json::Bool(_) | Json::String(_) => json.clone(),
    }
}
