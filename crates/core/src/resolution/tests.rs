use super::ResolutionReason::{self, Default, Disabled, Split, Static, TargetingMatch};
use crate::testing::shop::{Shop, resolve};
use crate::testing::{all, condition, rule};
use crate::{Context, DisabledAs, Rule, RuleKind, Snapshot, StateValue, TypedValue, ValueType};

fn text(text: &str) -> StateValue {
    StateValue::of_text(Some(text))
}

fn no_value() -> StateValue {
    StateValue::default()
}

/// Those whose `plan` is `pro`: everybody who asks here.
fn pro() -> Vec<Rule> {
    vec![all(vec![condition("EQUAL", "plan", "pro")])]
}

fn nobody() -> Vec<Rule> {
    vec![all(vec![condition("EQUAL", "plan", "free")])]
}

fn part(percent: &str) -> Vec<Rule> {
    vec![all(vec![condition("PERCENTAGE_SPLIT", "", percent)])]
}

type Answer = (Option<String>, Option<String>, ResolutionReason);

/// Value, variant and reason of feature 1 for an identifier.
fn answer(snapshot: &Snapshot, identifier: &str) -> Answer {
    resolve(snapshot, identifier, |resolution| {
        let value = resolution.value.map(|value| match value {
            TypedValue::Boolean(value) => value.to_string(),
            TypedValue::Integer(number) => number.to_string(),
            TypedValue::Number(number) => format!("{number:?}"),
            TypedValue::String(text) => text.into_owned(),
            TypedValue::Json(text) => format!("json {text}"),
        });
        let variant = resolution.variant;
        (
            value,
            variant.map(|variant| variant.name().to_owned()),
            resolution.reason,
        )
    })
}

#[track_caller]
fn check(
    snapshot: &Snapshot,
    identifier: &str,
    value: &str,
    variant: &str,
    reason: ResolutionReason,
) {
    let expected = (Some(value.to_owned()), Some(variant.to_owned()), reason);
    assert_eq!(answer(snapshot, identifier), expected);
}

#[track_caller]
fn check_nothing(snapshot: &Snapshot, identifier: &str, reason: ResolutionReason) {
    assert_eq!(answer(snapshot, identifier), (None, None, reason));
}

fn misses_identifier(snapshot: &Snapshot, identifier: &str) -> bool {
    resolve(snapshot, identifier, |resolution| {
        resolution.targeting_key_missing
    })
}

#[test]
fn static_is_what_nothing_can_change_for_anyone() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    check(&shop.build(), "bob", "plain", "control", Static);

    let segment = shop.segment("free", nobody());
    shop.over(feature, segment, true, text("other"));
    check(&shop.build(), "bob", "plain", "control", Default);
}

#[test]
fn an_override_of_somebody_else_makes_it_a_default() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    shop.own(feature, (1, "alice"), true, text("hers"));
    let snapshot = shop.build();

    check(&snapshot, "bob", "plain", "control", Default);
    check(&snapshot, "alice", "hers", "override_alice", TargetingMatch);
}

#[test]
fn an_override_names_its_segment_and_variant() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    let segment = shop.segment("Pro users", pro());
    shop.over(feature, segment, true, text("golden"));
    let snapshot = shop.build();

    check(
        &snapshot,
        "bob",
        "golden",
        "override_Pro-users",
        TargetingMatch,
    );
    resolve(&snapshot, "bob", |resolution| {
        assert_eq!(resolution.segment, Some("Pro users"));
        assert_eq!(resolution.variant.unwrap().client_name(), "override");
    });
}

#[test]
fn an_override_with_the_value_of_control_has_no_variant_of_its_own() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    let segment = shop.segment("pro", pro());
    shop.over(feature, segment, true, text("plain"));

    check(&shop.build(), "bob", "plain", "control", TargetingMatch);
}

#[test]
fn whoever_is_placed_by_weight_is_split_even_into_control() {
    let mut shop = Shop::new();
    shop.feature("f", true, text("plain"));
    shop.option(Some("blue"), "b", 100.0);
    check(&shop.build(), "bob", "b", "blue", Split);

    let mut shop = Shop::new();
    shop.feature("f", true, text("plain"));
    shop.option(None, "r", 0.000_001);
    check(&shop.build(), "bob", "plain", "control", Split);
}

#[test]
fn options_without_weight_split_nobody() {
    let mut shop = Shop::new();
    shop.feature("f", true, text("plain"));
    shop.option(Some("blue"), "b", 0.0);
    let snapshot = shop.build();

    check(&snapshot, "bob", "plain", "control", Static);
    assert!(!misses_identifier(&snapshot, ""));
}

#[test]
fn off_without_an_enabled_override_is_disabled_for_all() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", false, text("plain"));
    check_nothing(&shop.build(), "bob", Disabled);

    let segment = shop.segment("pro", pro());
    shop.over(feature, segment, false, text("golden"));
    shop.own(feature, (1, "bob"), false, text("his"));
    check_nothing(&shop.build(), "bob", Disabled);
}

#[test]
fn off_with_an_enabled_override_serves_those_in_it_and_nothing_to_others() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", false, text("plain"));
    shop.own(feature, (1, "alice"), true, text("hers"));
    shop.own(feature, (2, "carol"), false, text("hers"));
    let snapshot = shop.build();

    check(&snapshot, "alice", "hers", "override_alice", TargetingMatch);
    check_nothing(&snapshot, "bob", Default);
    check_nothing(&snapshot, "carol", Default);
}

#[test]
fn a_stronger_override_that_is_off_shields_from_a_weaker_one_that_is_on() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", false, text("plain"));
    let (strong, weak) = (shop.segment("strong", pro()), shop.segment("weak", pro()));
    shop.over(feature, strong, false, text("s"));
    shop.over(feature, weak, true, text("w"));

    check_nothing(&shop.build(), "bob", Default);
}

#[test]
fn disabled_as_state_lets_the_environment_alone_decide() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", false, text("plain"));
    shop.own(feature, (1, "alice"), true, text("hers"));
    shop.rows.environment.disabled_as = DisabledAs::State;

    check_nothing(&shop.build(), "alice", Disabled);
}

#[test]
fn an_override_that_is_off_in_an_enabled_environment_serves_its_value() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    let segment = shop.segment("pro", pro());
    shop.over(feature, segment, false, text("golden"));
    for disabled_as in DisabledAs::ALL {
        shop.rows.environment.disabled_as = disabled_as;
        check(
            &shop.build(),
            "bob",
            "golden",
            "override_pro",
            TargetingMatch,
        );
    }
}

#[test]
fn a_feature_without_values_is_boolean() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, no_value());
    check(&shop.build(), "bob", "true", "control", Static);

    shop.own(feature, (1, "alice"), false, no_value());
    shop.own(feature, (2, "carol"), true, no_value());
    let snapshot = shop.build();
    check(
        &snapshot,
        "alice",
        "false",
        "override_alice",
        TargetingMatch,
    );
    check(&snapshot, "carol", "true", "control", TargetingMatch);
}

#[test]
fn a_feature_without_values_that_is_off_but_on_for_some_is_true_for_them() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", false, no_value());
    shop.own(feature, (1, "alice"), true, no_value());
    let snapshot = shop.build();

    check(&snapshot, "alice", "true", "control", TargetingMatch);
    check_nothing(&snapshot, "bob", Default);
}

#[test]
fn values_have_the_type_of_their_feature() {
    let mut shop = Shop::new();
    shop.feature("f", true, text("{\"a\": 1}"));
    check(&shop.build(), "bob", "{\"a\": 1}", "control", Static);
    shop.rows.features[0].value_type = ValueType::Json;
    check(&shop.build(), "bob", "json {\"a\": 1}", "control", Static);

    let mut shop = Shop::new();
    shop.feature("f", true, StateValue::of_integer(5));
    check(&shop.build(), "bob", "5", "control", Static);
    shop.rows.features[0].value_type = ValueType::Number;
    check(&shop.build(), "bob", "5.0", "control", Static);
}

#[test]
fn without_identifier_a_split_gives_control_and_says_so() {
    let mut shop = Shop::new();
    shop.feature("f", true, text("plain"));
    shop.option(Some("blue"), "b", 100.0);
    let snapshot = shop.build();

    check(&snapshot, "", "plain", "control", Default);
    assert!(misses_identifier(&snapshot, ""));
    assert!(!misses_identifier(&snapshot, "bob"));
    let resolution = snapshot.resolver(&Context::default()).resolve(0);
    assert_eq!(resolution.reason, Default);
    assert!(resolution.targeting_key_missing);
}

#[test]
fn without_identifier_nobody_is_in_a_percentage_but_attributes_count() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    let everybody = shop.segment("everybody", part("100"));
    shop.over(feature, everybody, true, text("all"));
    let snapshot = shop.build();
    check(
        &snapshot,
        "bob",
        "all",
        "override_everybody",
        TargetingMatch,
    );
    check(&snapshot, "", "plain", "control", Default);
    assert!(misses_identifier(&snapshot, ""));

    let pros = shop.segment("pro", pro());
    shop.over(feature, pros, true, text("golden"));
    let snapshot = shop.build();
    check(&snapshot, "", "golden", "override_pro", TargetingMatch);
    assert!(
        misses_identifier(&snapshot, ""),
        "the percentage is stronger"
    );
}

#[test]
fn a_percentage_that_is_weaker_than_what_holds_is_not_missed() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    let (pros, everybody) = (shop.segment("pro", pro()), shop.segment("all", part("100")));
    shop.over(feature, pros, true, text("golden"));
    shop.over(feature, everybody, true, text("all"));
    let snapshot = shop.build();

    check(&snapshot, "", "golden", "override_pro", TargetingMatch);
    assert!(!misses_identifier(&snapshot, ""));
}

#[test]
fn without_identifier_paths_to_it_are_not_set() {
    for path in ["$.identity.identifier", "$.identity.key"] {
        let mut shop = Shop::new();
        let feature = shop.feature("f", true, text("plain"));
        let set = vec![all(vec![condition("IS_SET", path, "")])];
        let segment = shop.segment("known", set);
        shop.over(feature, segment, true, text("known"));
        let snapshot = shop.build();

        check(&snapshot, "bob", "known", "override_known", TargetingMatch);
        check(&snapshot, "", "plain", "control", Default);
    }
}

#[test]
fn not_being_in_a_percentage_holds_without_identifier() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    let outside = rule(
        RuleKind::None,
        vec![condition("PERCENTAGE_SPLIT", "", "100")],
        Vec::new(),
    );
    let segment = shop.segment("outside", vec![outside]);
    shop.over(feature, segment, true, text("outside"));

    check(
        &shop.build(),
        "",
        "outside",
        "override_outside",
        TargetingMatch,
    );
}

#[test]
fn a_split_inside_an_override_gives_its_own_control_without_identifier() {
    let mut shop = Shop::new();
    let feature = shop.feature("f", true, text("plain"));
    shop.option(Some("blue"), "b", 0.0);
    let segment = shop.segment("pro", pro());
    shop.over(feature, segment, true, text("golden"));
    let over = shop.rows.states.last_mut().unwrap();
    over.weights = vec![crate::testing::rows::weight(9, 1, 100.0)];
    let snapshot = shop.build();

    check(&snapshot, "bob", "b", "blue", Split);
    check(&snapshot, "", "golden", "override_pro", TargetingMatch);
    assert!(misses_identifier(&snapshot, ""));
}
