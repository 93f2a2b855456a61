//! Each operator in the typed and in the lean form, and what cannot be said.

use super::environments::{
    Translated, condition, environment, feature, options, rules, segment, snapshot,
};
use flagstaff_core::{FlagdEvaluators, FlagdForm};
use flagstaff_wire::flagd::WarningReason;
use serde_json::{Value as Json, json};

/// An environment in which one segment with these rules has an override.
fn with_rules(rules: Json) -> Json {
    let over = feature(1, "f", true, "new");
    environment(
        json!([feature(1, "f", true, "old")]),
        json!([segment(7, "S", rules, json!([over]))]),
        json!([]),
    )
}

fn translate(rules: Json, form: FlagdForm) -> Translated {
    let options = options(form, FlagdEvaluators::default());
    Translated::of(&snapshot(&with_rules(rules)), &options)
}

/// The expression for a condition.
fn said(condition: &Json, form: FlagdForm) -> Json {
    let translated = translate(rules(std::slice::from_ref(condition)), form);
    let targeting = &translated.flag("f")["targeting"]["if"];
    assert_eq!(targeting[1], "override_S", "{condition}");
    targeting[0].clone()
}

#[track_caller]
fn check_typed(operator: &str, value: &str, expected: Json) {
    let condition = condition(operator, "p", value);
    assert_eq!(said(&condition, FlagdForm::Typed), expected, "{condition}");
}

#[track_caller]
fn check_lean(operator: &str, value: &str, expected: Json) {
    let condition = condition(operator, "p", value);
    assert_eq!(said(&condition, FlagdForm::Lean), expected, "{condition}");
}

fn v() -> Json {
    json!({"var": "p"})
}

fn text() -> Json {
    json!({"cat": [v()]})
}

fn set() -> Json {
    json!({"!==": [v(), null]})
}

fn no_list() -> Json {
    json!({"===": [v(), v()]})
}

fn its_own_text() -> Json {
    json!({"===": [text(), v()]})
}

fn neither_true_nor_false() -> Json {
    json!({"and": [{"!==": [v(), true]}, {"!==": [v(), false]}]})
}

fn is_text() -> Json {
    json!({"and": [
        {"!==": [v(), true]},
        {"!==": [v(), false]},
        no_list(),
        its_own_text(),
    ]})
}

fn boolean(boolean: bool) -> Json {
    let number = u8::from(boolean);
    json!({"and": [
        {"===": [v(), boolean]},
        {"or": [{"!==": [v(), number]}, {"!==": [text(), number.to_string()]}]},
    ]})
}

fn zero_or_one() -> Json {
    json!({"and": [{"in": [v(), [0, 1]]}, {"in": [text(), ["0", "1"]]}]})
}

fn any_boolean() -> Json {
    json!({"and": [
        {"or": [{"===": [v(), true]}, {"===": [v(), false]}]},
        {"!": [zero_or_one()]},
    ]})
}

fn no_boolean() -> Json {
    json!({"or": [neither_true_nor_false(), zero_or_one()]})
}

/// What is said of texts and of numbers, and of true or of false, one of which may hold.
fn by_type(booleans: Option<Json>, of_text: Json, of_number: Json) -> Json {
    let mut nothing = json!([{"===": [v(), null]}, {"!": [no_list()]}]);
    let number = json!({"and": [
        {"===": [{"var": "p.0"}, null]},
        {"!": [{"in": [text(), ["", "null", "[object Object]"]]}]},
        {"!": [{"in": ["{", text()]}]},
        of_number,
    ]});
    match booleans {
        Some(booleans) => json!({"if": [
            {"or": nothing}, false, any_boolean(), booleans, its_own_text(), of_text, number,
        ]}),
        None => {
            nothing.as_array_mut().unwrap().push(any_boolean());
            json!({"if": [{"or": nothing}, false, its_own_text(), of_text, number]})
        }
    }
}

fn number_in_text() -> Json {
    json!({"and": [
        {"!==": [v(), ""]},
        {"!": [{"in": ["-", v()]}]},
        {"!": [{"in": ["+", v()]}]},
        {"or": [
            {"sem_ver": [{"cat": ["1", v(), ".0.0"]}, ">", "0.0.0"]},
            {"sem_ver": [{"cat": ["1", v(), ".0"]}, ">", "0.0.0"]},
        ]},
    ]})
}

fn word() -> Json {
    json!({"and": [is_text(), {"!": [number_in_text()]}]})
}

#[test]
fn equality_with_words_is_equality() {
    check_typed("EQUAL", "abc", json!({"===": [v(), "abc"]}));
    check_lean("EQUAL", "abc", json!({"===": [v(), "abc"]}));
    let other = json!({"and": [is_text(), {"!==": [v(), "abc"]}]});
    check_typed("NOT_EQUAL", "abc", other);
    let other = json!({"and": [word(), {"!==": [v(), "abc"]}]});
    check_lean("NOT_EQUAL", "abc", other);
}

#[test]
fn equality_with_numbers_knows_their_spellings() {
    let equal = |spellings: Json| json!({"in": [v(), spellings]});
    check_typed("EQUAL", "5", equal(json!(["5", "5.0", 5])));
    check_typed("EQUAL", "05", equal(json!(["05", "5", "5.0", 5])));
    check_typed("EQUAL", "5.5", equal(json!(["5.5", 5.5])));
    // Python takes 1 for true.
    let one = json!({"and": [equal(json!(["1", "1.0", 1])), no_boolean()]});
    check_typed("EQUAL", "1", one);
    let unequal = json!({"and": [
        set(), {"!": [boolean(true)]}, {"!": [equal(json!(["5", "5.0", 5]))]},
    ]});
    check_typed("NOT_EQUAL", "5", unequal);

    let same = |number: Json| {
        let in_text = json!({"and": [is_text(), number_in_text(), {"==": [v(), number]}]});
        [json!({"===": [v(), number]}), in_text]
    };
    check_lean("EQUAL", "5", json!({ "or": same(json!(5)) }));
    let [number, in_text] = same(json!(-5));
    let negative = json!({"or": [number, in_text, {"===": [v(), "-5"]}]});
    check_lean("EQUAL", "-5", negative);
    let other = json!({"and": [
        set(), {"!": [boolean(true)]}, {"!": [{"or": same(json!(5))}]},
    ]});
    check_lean("NOT_EQUAL", "5", other);
}

#[test]
fn values_with_a_fraction_are_for_numbers_that_have_one() {
    check_typed("EQUAL", "5.0", json!({"in": [v(), ["5.0"]]}));
    check_typed(
        "EQUAL",
        "-0.0",
        json!({"and": [{"in": [v(), ["-0.0", "0.0"]]}, no_boolean()]}),
    );
    let fractions = |comparison: Json| json!({"and": [{"!=": [{"%": [v(), 1]}, 0]}, comparison]});
    let of_false = json!({"===": [v(), false]});
    let unequal = by_type(
        Some(of_false.clone()),
        json!({"!": [{"in": [v(), ["5.5", 5.5]]}]}),
        fractions(json!({"!=": [v(), 5.5]})),
    );
    check_typed("NOT_EQUAL", "5.5", unequal);
    let unequal = fractions(json!({"!=": [v(), 5.5]}));
    let of_text = json!({"if": [number_in_text(), unequal, {"!==": [v(), "5.5"]}]});
    check_lean(
        "NOT_EQUAL",
        "5.5",
        by_type(Some(of_false), of_text, unequal),
    );
    let less = by_type(
        Some(json!({"===": [v(), false]})),
        json!({"<": [v(), "5.05"]}),
        fractions(json!({"<": [v(), 5.05]})),
    );
    // `5.05.0` would be no version.
    check_typed("LESS_THAN", "5.05", less);
}

#[test]
fn equality_with_booleans_takes_their_texts_too() {
    let is_true = json!({"or": [{"===": [v(), "true"]}, boolean(true)]});
    check_typed("EQUAL", "true", is_true.clone());
    check_lean("EQUAL", "true", is_true);
    let is_false = json!({"or": [{"===": [v(), "False"]}, boolean(false)]});
    check_typed("EQUAL", "False", is_false);
    let other =
        |word: Json| json!({"or": [{"and": [word, {"!==": [v(), "true"]}]}, boolean(false)]});
    check_typed("NOT_EQUAL", "true", other(is_text()));
    check_lean("NOT_EQUAL", "true", other(word()));
}

#[test]
fn orderings_of_numbers_read_digits_in_text_as_versions() {
    let versions = |operator: &str, version: &str, text_: &str| {
        json!({"if": [
            {"sem_ver": [v(), ">=", "0.0.0"]},
            {"sem_ver": [v(), operator, version]},
            {operator: [v(), text_]},
        ]})
    };
    // A number is true to the server, where it has booleans to order.
    let typed = by_type(None, versions(">", "5.0.0", "5"), json!({">": [v(), 5]}));
    check_typed("GREATER_THAN", "5", typed);
    let of_true = Some(json!({"===": [v(), true]}));
    let typed = by_type(
        of_true,
        versions(">=", "5.0.0", "5"),
        json!({">=": [v(), 5]}),
    );
    check_typed("GREATER_THAN_INCLUSIVE", "5", typed);
    let of_false = Some(json!({"===": [v(), false]}));
    let typed = by_type(
        of_false,
        versions("<", "5.0.0", "05"),
        json!({"<": [v(), 5]}),
    );
    check_typed("LESS_THAN", "05", typed);
    let typed = by_type(
        Some(json!(true)),
        json!({"<=": [v(), "-5"]}),
        json!({"<=": [v(), -5]}),
    );
    check_typed("LESS_THAN_INCLUSIVE", "-5", typed);

    let of_text = json!({"if": [number_in_text(), {">": [v(), 5]}, {">": [v(), "5"]}]});
    check_lean(
        "GREATER_THAN",
        "5",
        by_type(None, of_text, json!({">": [v(), 5]})),
    );
}

#[test]
fn orderings_of_words_are_those_of_text() {
    let typed = json!({"and": [is_text(), {"<": [v(), "m"]}]});
    check_typed("LESS_THAN", "m", typed);
    let lean = json!({"and": [word(), {">=": [v(), "m"]}]});
    check_lean("GREATER_THAN_INCLUSIVE", "m", lean);
}

#[test]
fn versions_are_compared_as_versions() {
    for (operator, sign) in [
        ("EQUAL", "="),
        ("NOT_EQUAL", "!="),
        ("GREATER_THAN", ">"),
        ("GREATER_THAN_INCLUSIVE", ">="),
        ("LESS_THAN", "<"),
        ("LESS_THAN_INCLUSIVE", "<="),
    ] {
        let compared = json!({"sem_ver": [v(), sign, "1.2.3-beta.1"]});
        let value = "1.2.3-beta.1:semver";
        check_typed(operator, value, json!({"and": [is_text(), compared]}));
        check_lean(operator, value, json!({"and": [word(), compared]}));
    }
}

#[test]
fn only_text_contains_something_or_does_not() {
    let holds = json!({"in": ["ab", v()]});
    check_typed("CONTAINS", "ab", json!({"and": [is_text(), holds]}));
    check_lean("CONTAINS", "ab", json!({"and": [word(), holds]}));
    let lacks = json!({"!": [holds]});
    check_typed("NOT_CONTAINS", "ab", json!({"and": [is_text(), lacks]}));
    check_lean("NOT_CONTAINS", "ab", json!({"and": [word(), lacks]}));
}

#[test]
fn lists_are_split_at_commas_or_read_as_json() {
    // Go reads a word as the number 0.
    let listed = |items: Json| json!({"and": [{"!==": [v(), 0]}, {"in": [v(), items]}]});
    check_typed("IN", "a,b", listed(json!(["a", "b"])));
    check_typed("IN", "a, b", listed(json!(["a", " b"])));
    check_typed("IN", "true,x", listed(json!(["true", "x"])));
    check_lean("IN", "5", listed(json!(["5", 5])));
    let with_one = json!({"and": [listed(json!(["1", "x,y", 1])), no_boolean()]});
    check_typed("IN", "[1, \"x,y\"]", with_one);
    let with_zero = json!({"and": [{"in": [v(), ["0", "a", 0]]}, no_boolean()]});
    check_typed("IN", "0,a", with_zero);
    // Nobody is in a list by an unusual spelling of a number.
    check_typed("IN", "a,05,5.5,-0", listed(json!(["a"])));
    // Go would read this one as 1000.
    let expected = json!({"or": [
        {"and": [is_text(), {"in": [v(), ["1e3", "7"]]}]},
        {"in": [v(), [7]]},
    ]});
    check_typed("IN", "1e3,7", expected);
}

#[test]
fn a_list_of_unusual_numbers_is_for_nobody() {
    let translated = translate(rules(&[condition("IN", "p", "05,5.50")]), FlagdForm::Typed);

    assert_eq!(translated.flag("f").get("targeting"), None);
    assert_eq!(translated.reasons(), []);
}

#[test]
fn remainders_have_the_sign_of_the_divisor() {
    let rest = |divisor: Json, remainder: Json| json!({"==": [{"%": [{"+": [{"%": [v(), divisor]}, divisor]}, divisor]}, remainder]});
    // True is 1 to the server, and false 0.
    let of_true = Some(json!({"===": [v(), true]}));
    let expected = by_type(of_true, json!(false), rest(json!(3), json!(1)));
    check_typed("MODULO", "3|1", expected);
    let of_false = Some(json!({"===": [v(), false]}));
    let rest = rest(json!(2.5), json!(0));
    let of_text = json!({"and": [number_in_text(), rest]});
    check_lean("MODULO", "2.5|0.0", by_type(of_false, of_text, rest));
}

#[test]
fn only_null_is_not_set() {
    check_typed("IS_SET", "", set());
    check_typed("IS_NOT_SET", "whatever", json!({"===": [v(), null]}));
}

#[test]
fn simple_patterns_are_rewritten() {
    let checked = |test: Json| {
        json!({"and": [
            set(), no_list(), {"!==": [v(), true]}, {"!==": [v(), false]}, test,
        ]})
    };
    check_typed(
        "REGEX",
        "^abc",
        checked(json!({"starts_with": [text(), "abc"]})),
    );
    check_typed(
        "REGEX",
        r".*@acme\.com$",
        checked(json!({"ends_with": [text(), "@acme.com"]})),
    );
    check_typed("REGEX", ".*abc.*", checked(json!({"in": ["abc", text()]})));
    check_typed("REGEX", "^abc$", checked(json!({"===": [text(), "abc"]})));
    check_typed(
        "REGEX",
        "^(a|b)$",
        checked(json!({"in": [text(), ["a", "b"]]})),
    );
    check_typed(
        "REGEX",
        "(a|b)",
        checked(json!({"or": [
            {"starts_with": [text(), "a"]},
            {"starts_with": [text(), "b"]},
        ]})),
    );
    check_typed("REGEX", ".*", set());
}

#[test]
fn patterns_see_booleans_as_the_server_spells_them() {
    let starts = |part: &str| json!({"starts_with": [text(), part]});
    let others = json!({"and": [
        set(), no_list(), {"!==": [v(), true]}, {"!==": [v(), false]}, starts("T"),
    ]});
    check_typed("REGEX", "^T", json!({"or": [others, boolean(true)]}));
    // To Python 1 is true.
    let expected = json!({"and": [set(), no_list(), no_boolean(), starts("1")]});
    check_typed("REGEX", "^1", expected);
}

#[test]
fn percentages_are_whole_parts_of_one_hundred_thousand() {
    let key = json!({"var": "targetingKey"});
    let split = |bucket: Json, inside: u32| {
        json!({"==": [
            {"fractional": [{"cat": bucket}, ["in", inside], ["out", 100_000 - inside]]},
            "in",
        ]})
    };
    let of_identity = |value: &str| condition("PERCENTAGE_SPLIT", Json::Null, value);
    let has_key = json!({"!!": [key]});
    assert_eq!(
        said(&of_identity("33.3333"), FlagdForm::Typed),
        json!({"and": [has_key, split(json!(["7:", key]), 33_333)]}),
    );
    assert_eq!(said(&of_identity("100"), FlagdForm::Typed), has_key);
    let in_words = json!({"if": [boolean(true), "true", boolean(false), "false", v()]});
    check_typed(
        "PERCENTAGE_SPLIT",
        "10",
        json!({"and": [set(), no_list(), split(json!(["7:", in_words]), 10_000)]}),
    );
}

#[test]
fn nobody_is_in_no_percent() {
    let translated = translate(
        rules(&[condition("PERCENTAGE_SPLIT", Json::Null, "0")]),
        FlagdForm::Typed,
    );

    assert_eq!(translated.flag("f").get("targeting"), None);
    assert_eq!(translated.reasons(), []);
}

#[test]
fn paths_to_the_identity_lead_to_the_targeting_key() {
    let said =
        |operator, property, value| said(&condition(operator, property, value), FlagdForm::Typed);
    let key = json!({"var": "targetingKey"});

    assert_eq!(
        said("EQUAL", "$.identity.identifier", "ana"),
        json!({"===": [key, "ana"]})
    );
    assert_eq!(
        said("IS_NOT_SET", "$.identity.identifier", ""),
        json!({"!": [key]})
    );
    let hash_key = json!({"cat": ["key_", key]});
    assert_eq!(
        said("EQUAL", "$.identity.key", "key_ana"),
        json!({"and": [{"!!": [key]}, {"===": [hash_key, "key_ana"]}]}),
    );
    assert_eq!(
        said("EQUAL", "$.identity.traits.plan", "pro"),
        json!({"===": [{"var": "plan"}, "pro"]}),
    );
}

#[test]
fn what_is_known_of_the_environment_is_folded() {
    let folded = |operator, property, value| {
        let translated = translate(
            rules(&[condition(operator, property, value)]),
            FlagdForm::Typed,
        );
        assert_eq!(translated.reasons(), []);
        translated.flag("f").get("targeting").cloned()
    };
    let everybody = json!({"if": [{"===": [1, 1]}, "override_S", null]});

    assert_eq!(
        folded("EQUAL", "$.environment.name", "Production"),
        Some(everybody.clone())
    );
    assert_eq!(folded("EQUAL", "$.environment.name", "Staging"), None);
    assert_eq!(
        folded("REGEX", "$.environment.name", r"\w+ction$"),
        Some(everybody.clone())
    );
    assert_eq!(
        folded("IN", "$.environment.key", "other,key"),
        Some(everybody.clone())
    );
    assert_eq!(
        folded("EQUAL", "$.features.f.value", "old"),
        Some(everybody)
    );
    assert_eq!(folded("EQUAL", "$.features.f.value", "new"), None);
}

#[test]
fn requirement_27_a_condition_that_cannot_be_said_leaves_out_its_segment_whole() {
    for kind in ["ALL", "ANY", "NONE"] {
        let rules = json!([{"type": kind, "rules": [], "conditions": [
            condition("EQUAL", "plan", "pro"),
            condition("REGEX", "mail", "[a-z]+@x"),
        ]}]);

        let translated = translate(rules, FlagdForm::Typed);

        let flag = translated.flag("f");
        assert_eq!(flag.get("targeting"), None, "{kind}");
        assert_eq!(flag["variants"], json!({"control": "old"}));
        assert_eq!(flag["metadata"]["flagstaff.parity"], "approximate");
        let detail = "operator=REGEX, property=mail".to_owned();
        assert_eq!(
            translated.warnings,
            [(WarningReason::RegexUnsupported, detail)]
        );
    }
}

#[test]
fn requirement_30_each_kind_of_condition_that_cannot_be_said_has_its_reason() {
    use WarningReason::{MalformedValue, PropertyUnsupported, ReservedTrait, UnknownOperator};
    let null = Json::Null;
    for (operator, property, value, reason) in [
        ("LIKE", json!("p"), json!("x"), UnknownOperator),
        ("EQUAL", json!("p"), null.clone(), MalformedValue),
        ("EQUAL", json!("p"), json!(":semver"), MalformedValue),
        ("LESS_THAN", json!("p"), json!("1.2:semver"), MalformedValue),
        (
            "CONTAINS",
            json!("p"),
            json!("1.2.3:semver"),
            MalformedValue,
        ),
        ("IN", json!("p"), null.clone(), MalformedValue),
        ("MODULO", json!("p"), json!("3"), MalformedValue),
        ("MODULO", json!("p"), json!("0|0"), MalformedValue),
        ("MODULO", json!("p"), json!("inf|0"), MalformedValue),
        (
            "PERCENTAGE_SPLIT",
            json!("p"),
            json!("half"),
            MalformedValue,
        ),
        (
            "EQUAL",
            json!("$.flags.f.enabled"),
            json!("True"),
            PropertyUnsupported,
        ),
        (
            "EQUAL",
            json!("$.nothing.here"),
            json!("x"),
            PropertyUnsupported,
        ),
        ("EQUAL", null, json!("x"), PropertyUnsupported),
        ("EQUAL", json!(r"a\b"), json!("x"), PropertyUnsupported),
        ("EQUAL", json!("targetingKey"), json!("x"), ReservedTrait),
        ("EQUAL", json!("$flagd"), json!("x"), ReservedTrait),
        (
            "EQUAL",
            json!("$.identity.traits.targetingKey"),
            json!("x"),
            ReservedTrait,
        ),
        ("EQUAL", json!(""), json!("x"), ReservedTrait),
    ] {
        let condition = condition(operator, property.clone(), value);

        let translated = translate(rules(std::slice::from_ref(&condition)), FlagdForm::Typed);

        assert_eq!(translated.flag("f").get("targeting"), None, "{condition}");
        let shown = property.as_str().unwrap_or_default();
        let detail = format!("operator={operator}, property={shown}");
        assert_eq!(translated.warnings, [(reason, detail)], "{condition}");
        let listed = translated.diagnostics["environmentWarnings"].as_array();
        assert_eq!(listed.map(Vec::len), Some(1));
    }
}

#[test]
fn an_attribute_with_a_dot_is_said_and_reported() {
    let condition = condition("EQUAL", "a.b", "x");

    let translated = translate(rules(&[condition]), FlagdForm::Typed);

    let targeting = &translated.flag("f")["targeting"]["if"];
    assert_eq!(targeting[0], json!({"===": [{"var": "a.b"}, "x"]}));
    assert_eq!(translated.reasons(), [WarningReason::DottedTrait]);
    assert_eq!(
        translated.flag("f")["metadata"]["flagstaff.parity"],
        "approximate"
    );
}

#[test]
fn the_key_of_an_identity_is_not_said_where_it_is_a_row_id() {
    let mut environment = with_rules(rules(&[condition("EQUAL", "$.identity.key", "12")]));
    environment["use_identity_composite_key_for_hashing"] = json!(false);

    let translated = super::environments::translated(&environment);

    assert_eq!(translated.reasons(), [WarningReason::PropertyUnsupported]);
    assert_eq!(translated.flag("f").get("targeting"), None);
}
