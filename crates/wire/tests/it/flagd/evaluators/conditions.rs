//! Single conditions against single attributes: how often a client sees it otherwise than the server.

use crate::flagd::environments::{
    condition, environment, feature, options, rules, segment, snapshot,
};
use flagstaff_core::{Attributes, Context, FlagdEvaluators, FlagdForm, IdentityContext, Snapshot};
use flagstaff_testkit::evaluators::{Runtime, say};
use flagstaff_wire::flagd::document;
use flagstaff_wire::json::json_to_trait;
use serde_json::{Value as Json, json};

/// Operators with the values they are tried with: 92 conditions.
const CONDITIONS: &[(&str, &[&str])] = &[
    (
        "EQUAL",
        &[
            "abc",
            "5",
            "05",
            "5.5",
            "-5",
            "0",
            "true",
            "False",
            "",
            "1.2.3:semver",
        ],
    ),
    (
        "NOT_EQUAL",
        &[
            "abc",
            "5",
            "05",
            "5.5",
            "-5",
            "0",
            "true",
            "False",
            "",
            "1.2.3:semver",
        ],
    ),
    (
        "GREATER_THAN",
        &[
            "abc",
            "5",
            "5.5",
            "-5",
            "0",
            "10",
            "true",
            "",
            "1.2.3:semver",
        ],
    ),
    (
        "GREATER_THAN_INCLUSIVE",
        &[
            "abc",
            "5",
            "5.5",
            "-5",
            "0",
            "10",
            "true",
            "",
            "1.2.3:semver",
        ],
    ),
    (
        "LESS_THAN",
        &[
            "abc",
            "5",
            "5.5",
            "-5",
            "0",
            "10",
            "true",
            "",
            "1.2.3:semver",
        ],
    ),
    (
        "LESS_THAN_INCLUSIVE",
        &[
            "abc",
            "5",
            "5.5",
            "-5",
            "0",
            "10",
            "true",
            "",
            "1.2.3:semver",
        ],
    ),
    ("CONTAINS", &["a", "abc", "5", "", "."]),
    ("NOT_CONTAINS", &["a", "abc", "5", "", "."]),
    (
        "IN",
        &[
            "abc,b",
            "5,6",
            "05",
            "a, b",
            "[1, 5]",
            "[\"abc\",\"x,y\"]",
            "true,false",
            "",
        ],
    ),
    ("MODULO", &["2|0", "2|1", "3|1", "5|0", "-3|-2", "2.5|0"]),
    (
        "REGEX",
        &[
            "^abc",
            "ab",
            ".*c$",
            ".*5.*",
            "^(abc|5)$",
            "^$",
            "(a|5)",
            "1\\.2",
            ".*",
            "abc|b$",
        ],
    ),
    ("IS_SET", &[""]),
    ("IS_NOT_SET", &[""]),
];

/// What an attribute may hold, as JSON; the first is none at all: 39 values.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "5",
    "6",
    "10",
    "-5",
    "-1",
    "100",
    "5.5",
    "0.5",
    "-2.5",
    "7.25",
    "\"\"",
    "\"abc\"",
    "\"abcd\"",
    "\"ABC\"",
    "\"b\"",
    "\"zebra\"",
    "\"x,y\"",
    "\" b\"",
    "\"true\"",
    "\"True\"",
    "\"false\"",
    "\"0\"",
    "\"5\"",
    "\"05\"",
    "\"10\"",
    "\"-5\"",
    "\"5.5\"",
    "\"5.0\"",
    "\"1.2.3\"",
    "\"1.10.0\"",
    "\"2.0.0-beta\"",
    "\"1.2\"",
    "\"a5\"",
    "\"grün\"",
];

fn conditions() -> Vec<(&'static str, &'static str)> {
    let pairs = CONDITIONS
        .iter()
        .flat_map(|(operator, values)| values.iter().map(move |value| (*operator, *value)));
    pairs.collect()
}

/// One feature and one segment for each condition.
fn with_all(conditions: &[(&str, &str)]) -> Snapshot {
    let (mut features, mut segments) = (Vec::new(), Vec::new());
    for (id, (operator, value)) in (1..).zip(conditions) {
        let name = format!("f{id}");
        features.push(feature(id, &name, true, "out"));
        let rules = rules(&[condition(operator, "p", *value)]);
        let overrides = json!([feature(id, &name, true, "in")]);
        segments.push(segment(id, &format!("s{id}"), rules, overrides));
    }
    snapshot(&environment(
        Json::Array(features),
        Json::Array(segments),
        json!([]),
    ))
}

/// What the server says of each feature.
pub fn server_says(snapshot: &Snapshot, context: &Json) -> Vec<Option<String>> {
    let mut attributes = Attributes::new();
    for (name, value) in context.as_object().unwrap() {
        if name != "targetingKey" {
            attributes.insert(name.as_str(), json_to_trait(value));
        }
    }
    let context = Context {
        identity: Some(IdentityContext {
            identifier: context["targetingKey"].as_str().unwrap_or_default(),
            key: None,
            attributes: &attributes,
            overrides: None,
        }),
    };
    let mut resolver = snapshot.resolver(&context);
    (0..snapshot.features.len())
        .map(|feature| {
            let variant = resolver.resolve(feature).variant;
            variant.map(|variant| variant.name().to_owned())
        })
        .collect()
}

/// Compares, and says how often the answers differ and how often there was an error.
fn compare(form: FlagdForm, limits: [usize; 4]) {
    let conditions = conditions();
    assert_eq!((conditions.len(), VALUES.len()), (92, 39));
    let snapshot = with_all(&conditions);
    let document = document(&snapshot, &options(form, FlagdEvaluators::Inline));
    assert_eq!(document.warnings.total(), 0);
    let contexts: Vec<Json> = VALUES
        .iter()
        .map(|value| match serde_json::from_str(value).unwrap() {
            Json::Null => json!({"targetingKey": "ana"}),
            value => json!({"targetingKey": "ana", "p": value}),
        })
        .collect();

    for (runtime, limit) in Runtime::ALL.into_iter().zip(limits) {
        let Some(mut evaluator) = runtime.start() else {
            continue;
        };
        let answers = evaluator.evaluate(&document.bytes, &contexts);
        let mut differences = Vec::new();
        let mut errors = 0;
        for (context, answer) in contexts.iter().zip(&answers) {
            let expected = server_says(&snapshot, context);
            for (index, (condition, expected)) in conditions.iter().zip(expected).enumerate() {
                let flag = &answer[format!("f{}", index + 1)];
                errors += usize::from(flag.get("error").is_some());
                if flag["variant"].as_str() != expected.as_deref() {
                    differences.push(format!("{condition:?} {}", context["p"]));
                }
            }
        }
        if std::env::var_os("FLAGSTAFF_SHOW").is_some() {
            say(&differences.join("\n"));
        }
        say(&format!(
            "{form:?} in {runtime:?}: {} of {} differ, {errors} errors",
            differences.len(),
            conditions.len() * contexts.len(),
        ));
        assert_eq!(errors, 0);
        assert!(differences.len() <= limit, "more than {limit}");
    }
}

/// What no trait of Flagsmith's holds, but attributes of flagd's clients may.
const ODD_VALUES: &[&str] = &[
    "[]",
    "[1]",
    "[\"abc\"]",
    "[\"5\", 6]",
    "[true]",
    "[null]",
    "{}",
    "{\"a\": 1}",
    "1e21",
    "1e-9",
    "-0.0",
    "9007199254740993",
    "\"\\n\"",
    "\"😀\"",
    "\" 5 \"",
    "\"1e3\"",
    "\"Infinity\"",
    "\"[object Object]\"",
];

/// Whatever an attribute holds, no client fails: a flag that does gives its callers the default of their own code.
fn never_fails(form: FlagdForm) {
    let mut conditions = conditions();
    conditions.extend([
        ("PERCENTAGE_SPLIT", "50"),
        ("REGEX", "^T"),
        ("IN", "1e3,0,1,abc"),
        ("EQUAL", "1"),
        ("EQUAL", "5.0"),
    ]);
    let snapshot = with_all(&conditions);
    let document = document(&snapshot, &options(form, FlagdEvaluators::Inline));
    let contexts: Vec<Json> = ODD_VALUES
        .iter()
        .map(|value| {
            let value: Json = serde_json::from_str(value).unwrap();
            json!({"targetingKey": "ana", "p": value})
        })
        .collect();
    for runtime in Runtime::ALL {
        let Some(mut evaluator) = runtime.start() else {
            continue;
        };
        let answers = evaluator.evaluate(&document.bytes, &contexts);
        for (context, answer) in contexts.iter().zip(&answers) {
            for (id, condition) in (1..).zip(&conditions) {
                let flag = &answer[format!("f{id}")];
                let place = || format!("{form:?} in {runtime:?}: {condition:?} for {context}");
                assert_eq!(flag.get("error"), None, "{}", place());
                assert!(flag["variant"].is_string(), "{}: {flag}", place());
            }
        }
    }
}

#[test]
fn no_attribute_whatever_it_holds_is_an_error() {
    never_fails(FlagdForm::Typed);
    never_fails(FlagdForm::Lean);
}

#[test]
fn requirement_28_typed_conditions_differ_no_more_than_is_known() {
    compare(FlagdForm::Typed, [216, 214, 214, 214]);
}

#[test]
fn requirement_28_lean_conditions_differ_no_more_than_is_known() {
    compare(FlagdForm::Lean, [59, 57, 57, 57]);
}
