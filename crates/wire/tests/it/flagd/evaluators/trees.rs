//! Random rule trees: whole segments as clients and the server see them.

use super::conditions::server_says;
use crate::flagd::environments::{condition, environment, feature, options, segment, snapshot};
use flagstaff_core::{FlagdEvaluators, FlagdForm};
use flagstaff_testkit::Random;
use flagstaff_testkit::evaluators::{Runtime, say};
use flagstaff_wire::flagd::document;
use serde_json::{Map, Value as Json, json};

const SEED: u64 = 20_261_121;
const TREES: i64 = 250;
const CONTEXTS: usize = 16;

/// Operators and values; neither `5.5` nor nothing, whose quirks are known.
const CONDITIONS: &[(&str, &[&str])] = &[
    ("EQUAL", &["abc", "5", "pro", "10", "true", "1.2.3:semver"]),
    ("NOT_EQUAL", &["abc", "5", "pro", "10", "1.2.3:semver"]),
    ("GREATER_THAN", &["5", "10", "abc", "1.2.3:semver"]),
    (
        "GREATER_THAN_INCLUSIVE",
        &["5", "10", "abc", "1.2.3:semver"],
    ),
    ("LESS_THAN", &["5", "10", "pro", "2.0.0:semver"]),
    ("LESS_THAN_INCLUSIVE", &["5", "10", "pro", "2.0.0:semver"]),
    ("CONTAINS", &["a", "pro", "b"]),
    ("NOT_CONTAINS", &["a", "pro", "b"]),
    ("IN", &["abc,pro", "5,10,20", "[\"pro\", 7]"]),
    ("MODULO", &["2|0", "3|1", "5|0"]),
    ("REGEX", &["^abc", "pro$", ".*b.*", "^(abc|pro)$"]),
    ("IS_SET", &[""]),
    ("IS_NOT_SET", &[""]),
];

const ATTRIBUTES: [&str; 4] = ["plan", "age", "version", "city"];
const WORDS: [&str; 10] = [
    "abc", "abcd", "pro", "free", "pro-b", "zebra", "1.2.3", "1.10.0", "2.0.0", "B",
];
const NUMBERS: [i64; 8] = [0, 1, 4, 5, 7, 10, 20, 101];
const NUMBERS_IN_TEXT: [&str; 6] = ["0", "4", "5", "7", "10", "101"];

fn rule(random: &mut Random, depth: usize) -> Json {
    let kind = *random.pick(&["ALL", "ANY", "NONE"]);
    let conditions: Vec<Json> = (0..=random.below(3))
        .map(|_| {
            let (operator, values) = random.pick(CONDITIONS);
            let value = *random.pick(values);
            condition(operator, *random.pick(&ATTRIBUTES), value)
        })
        .collect();
    let rules: Vec<Json> = (0..if depth < 3 { random.below(3) } else { 0 })
        .map(|_| rule(random, depth + 1))
        .collect();
    json!({"type": kind, "conditions": conditions, "rules": rules})
}

fn context(random: &mut Random, with_numbers_in_text: bool) -> Json {
    let mut attributes = Map::new();
    for name in ATTRIBUTES {
        let value = match random.below(if with_numbers_in_text { 10 } else { 8 }) {
            0 | 1 => continue,
            2..=4 => json!(random.pick(&WORDS)),
            5..=7 => json!(random.pick(&NUMBERS)),
            _ => json!(random.pick(&NUMBERS_IN_TEXT)),
        };
        attributes.insert(name.to_owned(), value);
    }
    attributes.insert("targetingKey".to_owned(), json!("ana"));
    Json::Object(attributes)
}

fn compare(form: FlagdForm, limit: usize) {
    let mut random = Random::new(SEED);
    let (mut features, mut segments) = (Vec::new(), Vec::new());
    for id in 1..=TREES {
        let name = format!("f{id}");
        let rules: Vec<Json> = (0..=random.below(2))
            .map(|_| rule(&mut random, 1))
            .collect();
        features.push(feature(id, &name, true, "out"));
        let overrides = json!([feature(id, &name, true, "in")]);
        segments.push(segment(id, &format!("s{id}"), json!(rules), overrides));
    }
    let snapshot = snapshot(&environment(json!(features), json!(segments), json!([])));
    let document = document(&snapshot, &options(form, FlagdEvaluators::Inline));
    assert_eq!(document.warnings.total(), 0);
    let with_numbers_in_text = form == FlagdForm::Lean;
    let contexts: Vec<Json> = (0..CONTEXTS)
        .map(|_| context(&mut random, with_numbers_in_text))
        .collect();
    let expected: Vec<_> = contexts
        .iter()
        .map(|context| server_says(&snapshot, context))
        .collect();
    let inside = expected
        .iter()
        .flatten()
        .filter(|variant| variant.as_deref() != Some("control"));
    let inside = inside.count();
    assert!(
        (500..3500).contains(&inside),
        "{inside} of 4000 say nothing"
    );

    for runtime in Runtime::ALL {
        let Some(mut evaluator) = runtime.start() else {
            continue;
        };
        let answers = evaluator.evaluate(&document.bytes, &contexts);
        let (mut differences, mut errors) = (0, 0);
        for (answer, expected) in answers.iter().zip(&expected) {
            for (id, expected) in (1..).zip(expected) {
                let flag = &answer[format!("f{id}")];
                errors += usize::from(flag.get("error").is_some());
                differences += usize::from(flag["variant"].as_str() != expected.as_deref());
            }
        }
        say(&format!(
            "{form:?} trees in {runtime:?}: {differences} of 4000 differ, {errors} errors"
        ));
        assert_eq!(errors, 0);
        assert!(differences <= limit, "more than {limit}");
    }
}

#[test]
fn typed_trees_differ_no_more_than_is_known() {
    compare(FlagdForm::Typed, 5);
}

#[test]
fn lean_trees_never_differ() {
    compare(FlagdForm::Lean, 0);
}
