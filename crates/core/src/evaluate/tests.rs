use super::{Evaluator, Flag, FlagVariant, Origin, pick};
use crate::testing::{all, condition, feature, over, rule, ruleset, segment, split, state};
use crate::{
    Attributes, Condition, Context, FlagState, IdentityContext, Reason, ReasonWords, Rule,
    RuleKind, Ruleset, Value,
};
use proptest::prelude::*;
use std::sync::Arc;

fn attributes(pairs: &[(&str, Value)]) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in pairs {
        attributes.insert(*name, value.clone());
    }
    attributes
}

fn identity<'a>(identifier: &'a str, attributes: &'a Attributes) -> Context<'a> {
    Context {
        identity: Some(IdentityContext {
            identifier,
            key: None,
            attributes,
            overrides: None,
        }),
    }
}

fn everybody() -> Vec<Rule> {
    vec![all(Vec::new())]
}

fn nobody() -> Vec<Rule> {
    vec![all(vec![condition("IS_SET", "missing", "")])]
}

#[track_caller]
fn check_flag(flag: &Flag<'_>, value: &str, reason: &str, origin: Origin) {
    assert_eq!(flag.value, &Value::text(value));
    assert_eq!(flag.reason.text(ReasonWords::Engine11), reason);
    assert_eq!(flag.origin, origin);
}

/// True where a segment of these rules matches an identity `i` with trait `plan` = `pro`.
fn matches(rules: &[Rule]) -> bool {
    let rules = ruleset(Vec::new(), vec![segment("s", rules, Vec::new())]);
    let attributes = attributes(&[("plan", Value::text("pro"))]);
    rules
        .evaluator(&identity("i", &attributes))
        .segment_matches(0)
}

fn yes() -> Condition {
    condition("EQUAL", "plan", "pro")
}

fn no() -> Condition {
    condition("EQUAL", "plan", "free")
}

#[test]
fn a_segment_without_rules_matches_nobody() {
    assert!(!matches(&[]));
}

#[test]
fn all_top_level_rules_must_hold() {
    assert!(matches(&[all(vec![yes()]), all(vec![yes()])]));
    assert!(!matches(&[all(vec![yes()]), all(vec![no()])]));
}

#[test]
fn an_empty_rule_holds_whatever_its_kind() {
    for kind in [RuleKind::All, RuleKind::Any, RuleKind::None] {
        assert!(matches(&[rule(kind, Vec::new(), Vec::new())]), "{kind:?}");
    }
}

#[test]
fn conditions_are_joined_by_the_kind_of_their_rule() {
    let table = [
        (RuleKind::All, vec![yes(), yes()], true),
        (RuleKind::All, vec![yes(), no()], false),
        (RuleKind::Any, vec![no(), yes()], true),
        (RuleKind::Any, vec![no(), no()], false),
        (RuleKind::None, vec![no(), no()], true),
        (RuleKind::None, vec![no(), yes()], false),
    ];
    for (kind, conditions, expected) in table {
        let rules = [rule(kind, conditions.clone(), Vec::new())];
        assert_eq!(matches(&rules), expected, "{kind:?} {conditions:?}");
    }
}

#[test]
fn sub_rules_are_joined_by_the_kind_of_their_parent() {
    let holds = || all(vec![yes()]);
    let fails = || all(vec![no()]);
    let table = [
        (RuleKind::All, vec![holds(), fails()], false),
        (RuleKind::Any, vec![holds(), fails()], true),
        (RuleKind::None, vec![holds(), fails()], false),
        (RuleKind::None, vec![fails(), fails()], true),
    ];
    for (kind, sub_rules, expected) in table {
        let rules = [rule(kind, Vec::new(), sub_rules)];
        assert_eq!(matches(&rules), expected, "{kind:?}");
    }
    let half = rule(RuleKind::Any, vec![yes()], vec![fails()]);
    assert!(!matches(&[half]), "both halves must hold");
}

#[test]
fn without_an_override_the_environments_default_holds() {
    let rules = ruleset(vec![feature("f", state(true, "default"))], Vec::new());

    let flag = rules.evaluator(&Context::default()).flag(0);

    check_flag(&flag, "default", "STATIC", Origin::Environment);
    assert!(flag.enabled);
}

#[test]
fn a_default_that_could_be_overridden_says_so() {
    let beta = segment(
        "beta",
        &nobody(),
        vec![over("f", None, state(true, "beta"))],
    );
    let rules = ruleset(vec![feature("f", state(true, "default"))], vec![beta]);

    let flag = rules.evaluator(&Context::default()).flag(0);

    check_flag(&flag, "default", "DEFAULT", Origin::Environment);
}

#[test]
fn the_lowest_priority_wins_and_among_equals_the_first_segment() {
    let with = |name: &str, priority| {
        let overrides = vec![over("f", priority, state(true, name))];
        segment(name, &everybody(), overrides)
    };
    let segments = vec![
        with("unnumbered", None),
        with("second", Some(2.0)),
        with("first", Some(1.0)),
        with("also first", Some(1.0)),
    ];
    let rules = ruleset(vec![feature("f", state(true, "default"))], segments);

    let flag = rules.evaluator(&Context::default()).flag(0);

    let origin = Origin::Segment {
        segment: 2,
        position: 0,
    };
    check_flag(&flag, "first", "TARGETING_MATCH; segment=first", origin);
}

#[test]
fn a_missing_priority_is_weakest_and_negative_infinity_strongest() {
    let overrides = vec![
        over("f", None, state(true, "none")),
        over("f", Some(1e300), state(true, "weak")),
        over("f", Some(f64::NEG_INFINITY), state(true, "strong")),
    ];
    let all_in_one = segment("s", &everybody(), overrides);
    let rules = ruleset(vec![feature("f", state(true, "default"))], vec![all_in_one]);

    let flag = rules.evaluator(&Context::default()).flag(0);

    let origin = Origin::Segment {
        segment: 0,
        position: 2,
    };
    check_flag(&flag, "strong", "TARGETING_MATCH; segment=s", origin);
}

#[test]
fn a_disabled_override_still_has_its_value() {
    let off = segment(
        "s",
        &everybody(),
        vec![over("f", None, state(false, "off"))],
    );
    let rules = ruleset(vec![feature("f", state(true, "default"))], vec![off]);

    let flag = rules.evaluator(&Context::default()).flag(0);

    assert!(!flag.enabled);
    assert_eq!(flag.value, &Value::text("off"));
}

#[test]
fn an_override_of_an_unknown_feature_does_not_count() {
    let stray = segment(
        "s",
        &everybody(),
        vec![over("gone", None, state(true, "x"))],
    );
    let rules = ruleset(vec![feature("f", state(true, "default"))], vec![stray]);

    let mut evaluator = rules.evaluator(&Context::default());

    assert_eq!(evaluator.flags().len(), 1);
    assert_eq!(evaluator.matching_segments(), [0]);
    assert_eq!(rules.feature_index("gone"), None);
}

#[test]
fn an_identity_override_wins_over_every_segment() {
    let strong = over("f", Some(f64::NEG_INFINITY), state(true, "segment"));
    let rules = ruleset(
        vec![feature("f", state(true, "default"))],
        vec![segment("s", &everybody(), vec![strong])],
    );
    let attributes = Attributes::new();
    let overrides = [(Arc::from("f"), state(false, "own"))];
    let mut context = identity("i", &attributes);
    context.identity.as_mut().unwrap().overrides = Some(&overrides);

    let flag = rules.evaluator(&context).flag(0);

    let reason = "TARGETING_MATCH; segment=identity_overrides";
    check_flag(&flag, "own", reason, Origin::Identity);
    assert!(!flag.enabled);
}

#[test]
fn many_identity_overrides_are_found_like_few() {
    let names: Vec<String> = (0..50).map(|number| format!("f{number}")).collect();
    let features = names
        .iter()
        .map(|name| feature(name, state(true, "default")));
    let rules = ruleset(features.collect(), Vec::new());
    let attributes = Attributes::new();
    let mut overrides: Vec<(Arc<str>, FlagState)> = names
        .iter()
        .rev()
        .map(|name| (name.as_str().into(), state(true, name)))
        .collect();
    overrides.push(("f7".into(), state(true, "later")));
    let mut context = identity("i", &attributes);
    context.identity.as_mut().unwrap().overrides = Some(&overrides);

    let flags = rules.evaluator(&context).flags();

    for (flag, name) in flags.iter().zip(&names) {
        assert_eq!(flag.value, &Value::text(name.as_str()));
    }
}

#[test]
fn variants_are_split_by_seed_and_key() {
    // `1` and `env_foobar` fall into 8.49…: inside the second range only.
    let bucket = crate::bucket::percentage(&["1", "env_foobar"]);
    let options = [("low", bucket - 1.0), ("hit", 2.0), ("high", 90.0 - bucket)];
    let rules = ruleset(vec![feature("f", split(&options))], Vec::new());
    let attributes = Attributes::new();

    let flag = rules.evaluator(&identity("foobar", &attributes)).flag(0);

    check_flag(&flag, "hit", "SPLIT; weight=2", Origin::Environment);
    assert!(
        matches!(flag.variant, FlagVariant::Option(variant) if variant.key.as_deref() == Some("hit"))
    );
}

#[test]
fn whoever_falls_into_no_range_gets_the_control_value_for_the_earlier_reason() {
    let rules = ruleset(vec![feature("f", split(&[("never", 0.0)]))], Vec::new());
    let attributes = Attributes::new();

    let flag = rules.evaluator(&identity("i", &attributes)).flag(0);

    check_flag(&flag, "control", "STATIC", Origin::Environment);
    assert_eq!(flag.variant, FlagVariant::Control);
}

#[test]
fn without_identity_nothing_is_split() {
    let rules = ruleset(vec![feature("f", split(&[("all", 100.0)]))], Vec::new());

    let flag = rules.evaluator(&Context::default()).flag(0);

    check_flag(&flag, "control", "STATIC", Origin::Environment);
    assert_eq!(flag.variant, FlagVariant::None);
}

#[test]
fn identities_are_hashed_by_their_key_or_by_environment_and_identifier() {
    let rules = ruleset(Vec::new(), Vec::new());
    let attributes = Attributes::new();
    let with_key = |key| {
        let mut context = identity("bob", &attributes);
        context.identity.as_mut().unwrap().key = key;
        rules.evaluator(&context).hash_key().map(str::to_owned)
    };

    assert_eq!(with_key(None).as_deref(), Some("env_bob"));
    assert_eq!(with_key(Some("")).as_deref(), Some("env_bob"));
    assert_eq!(with_key(Some("77")).as_deref(), Some("77"));
    assert_eq!(rules.evaluator(&Context::default()).hash_key(), None);
}

#[test]
fn a_split_without_property_hashes_the_key_as_it_is() {
    let mut everyone_by_key = condition("PERCENTAGE_SPLIT", "", "100");
    let split = |condition: &Condition| {
        let rules = [all(vec![condition.clone()])];
        let rules = ruleset(Vec::new(), vec![segment("s", &rules, Vec::new())]);
        let attributes = Attributes::new();
        let matches = rules
            .evaluator(&identity("i", &attributes))
            .segment_matches(0);
        let anonymous = rules.evaluator(&Context::default()).segment_matches(0);
        (matches, anonymous)
    };

    assert_eq!(split(&everyone_by_key), (true, false));
    everyone_by_key.property = None;
    assert_eq!(split(&everyone_by_key), (true, false));
}

/// True where `property` equals `value` for identity `007` with a few traits.
fn property_equals(property: &str, value: &str) -> bool {
    let only = [all(vec![condition("EQUAL", property, value)])];
    let rules = ruleset(
        vec![feature("f", state(true, "on"))],
        vec![segment("s", &only, Vec::new())],
    );
    let attributes = attributes(&[
        ("a.b", Value::text("dotted")),
        ("$.environment.name", Value::text("a trait")),
        ("$.environment.key", Value::Null),
        ("$.weird[", Value::text("no path")),
    ]);
    rules
        .evaluator(&identity("007", &attributes))
        .segment_matches(0)
}

#[test]
fn paths_lead_to_fields_of_the_context() {
    // Text of digits is a number wherever it comes from.
    assert!(property_equals("$.identity.identifier", " 07 "));
    assert!(property_equals("$.identity.key", "env_007"));
    assert!(property_equals("$.identity.traits['a.b']", "dotted"));
    assert!(property_equals("$.features.f.value", "on"));
    assert!(property_equals("$.features.f.enabled", "true"));
    assert!(property_equals("$.features.f.name", "f"));
    assert!(property_equals("$.features.f.key", "1"));
    assert!(property_equals("$.flags.f.value", "on"));
    assert!(property_equals("$.flags.f.reason", "STATIC"));
    assert!(!property_equals("$.flags.gone.value", "on"));
    assert!(!property_equals("$.features.gone.value", "on"));
}

#[test]
fn a_trait_with_the_text_of_a_path_comes_before_the_path() {
    assert!(property_equals("$.environment.name", "a trait"));
    assert!(property_equals("$.weird[", "no path"));
    assert!(
        property_equals("$.environment.key", "env"),
        "null is not set"
    );
}

/// A segment that overrides `feature` with value `on` where the flag `reads` has value `on`.
fn follows(feature: &str, reads: &str) -> Arc<crate::SegmentRules> {
    let path = format!("$.flags['{reads}'].value");
    let rules = [all(vec![condition("EQUAL", &path, "on")])];
    segment(
        feature,
        &rules,
        vec![over(feature, None, state(true, "on"))],
    )
}

fn values(rules: &Ruleset) -> Vec<(String, String)> {
    let mut evaluator = rules.evaluator(&Context::default());
    let flags = evaluator.flags();
    let text = |flag: &Flag<'_>| {
        let reason = flag.reason.text(ReasonWords::Engine11).into_owned();
        (crate::text::python_text(flag.value).into_owned(), reason)
    };
    flags.iter().map(text).collect()
}

fn pair(value: &str, reason: &str) -> (String, String) {
    (value.to_owned(), reason.to_owned())
}

#[test]
fn a_flag_can_depend_on_another() {
    let rules = ruleset(
        vec![
            feature("c", state(true, "off")),
            feature("b", state(true, "off")),
            feature("a", state(true, "on")),
        ],
        vec![follows("c", "b"), follows("b", "a")],
    );

    let expected = [
        pair("on", "TARGETING_MATCH; segment=c"),
        pair("on", "TARGETING_MATCH; segment=b"),
        pair("on", "STATIC"),
    ];
    assert_eq!(values(&rules), expected);
}

#[test]
fn a_flag_that_depends_on_itself_has_its_default_and_says_so() {
    let rules = ruleset(
        vec![
            feature("a", state(true, "on")),
            feature("b", state(true, "on")),
            feature("c", state(true, "off")),
        ],
        vec![follows("a", "b"), follows("b", "a"), follows("c", "a")],
    );

    let circular = "ERROR; code=CIRCULAR_DEPENDENCY";
    let expected = [
        pair("on", circular),
        pair("on", circular),
        // It reads a flag that could not be resolved.
        pair("off", "DEFAULT"),
    ];
    assert_eq!(values(&rules), expected);
    assert_eq!(
        rules.evaluator(&Context::default()).matching_segments(),
        [] as [usize; 0],
    );
}

#[test]
fn a_chain_of_flags_may_be_of_any_length() {
    let count = 5_000;
    let name = |number: usize| format!("f{number}");
    let features = (0..count)
        .map(|number| {
            feature(
                &name(number),
                state(true, if number == 0 { "on" } else { "off" }),
            )
        })
        .collect();
    let segments = (1..count)
        .map(|number| follows(&name(number), &name(number - 1)))
        .collect();
    let rules = ruleset(features, segments);

    let flag = rules.evaluator(&Context::default()).flag(count - 1);

    assert_eq!(flag.value, &Value::text("on"));
}

#[test]
fn a_long_chain_beside_a_cycle_is_cut_off() {
    let count = 500;
    let name = |number: usize| format!("f{number}");
    let features = (0..count)
        .map(|number| feature(&name(number), state(true, "on")))
        .collect();
    let segments = (0..count)
        .map(|number| follows(&name(number), &name((number + 1) % count)))
        .collect();
    let rules = ruleset(features, segments);

    let flag = rules.evaluator(&Context::default()).flag(0);

    assert_eq!(flag.reason, Reason::CircularDependency);
}

#[test]
fn rules_nested_too_deeply_match_nobody() {
    let mut deep = all(Vec::new());
    for _ in 0..64 {
        deep = rule(RuleKind::All, Vec::new(), vec![deep]);
    }
    let deepest_allowed = deep.rules[0].clone();

    assert!(!matches(&[deep]));
    assert!(matches(&[deepest_allowed]));
}

proptest! {
    /// Raising the weight of the first option never takes it from anyone.
    #[test]
    fn a_growing_rollout_keeps_everyone_in(
        key: String,
        weight in 0.0..100.0f64,
        raise in 0.0..100.0f64,
    ) {
        let attributes = Attributes::new();
        let is_on = |weight: f64| {
            let rules = ruleset(vec![feature("f", split(&[("on", weight)]))], Vec::new());
            let mut evaluator: Evaluator<'_> = rules.evaluator(&identity(&key, &attributes));
            evaluator.flag(0).variant != FlagVariant::Control
        };
        prop_assert!(!is_on(weight) || is_on((weight + raise).min(100.0)));
    }

    /// Weights that add up to 100 leave nobody out, and the ranges do not overlap.
    #[test]
    fn every_bucket_belongs_to_exactly_one_of_the_variants(
        bucket in 0.0..100.0f64,
        first in 0.0..100.0f64,
    ) {
        let state = split(&[("first", first), ("second", 100.0 - first)]);
        let picked = pick(&state.variants, bucket).and_then(|variant| variant.key.as_deref());
        // A sum of floats may fall short of 100 by less than buckets are apart.
        let expected = if bucket < first { "first" } else { "second" };
        prop_assert!(picked == Some(expected) || (picked.is_none() && bucket > 99.999));
    }
}

mod hashes {
    use super::*;
    use crate::Hash;
    use crate::testing::segment as plain_segment;

    fn hashed(hash: Hash, state: FlagState) -> Ruleset {
        let plain = feature("f", state);
        let feature = crate::FeatureRules {
            hash,
            ..(*plain).clone()
        };
        ruleset(vec![Arc::new(feature)], Vec::new())
    }

    /// The variant of feature `f` for an identifier whose key is another text.
    fn variant(rules: &Ruleset, identifier: &str) -> Option<String> {
        let attributes = Attributes::new();
        let mut context = identity(identifier, &attributes);
        context.identity.as_mut().unwrap().key = Some("row id");
        match rules.evaluator(&context).flag(0).variant {
            FlagVariant::None => None,
            FlagVariant::Control => Some("control".to_owned()),
            FlagVariant::Option(variant) => variant.key.as_deref().map(str::to_owned),
        }
    }

    #[test]
    fn variants_are_placed_by_the_features_hash_and_the_identifier() {
        for hash in [Hash::FlagdV2, Hash::FlagdV3, Hash::Flipt, Hash::Fnv1a32] {
            let rules = hashed(hash, split(&[("on", 50.0)]));
            for number in 0..50 {
                let identifier = format!("user {number}");
                let state = &rules.features()[0].state;
                let place = crate::bucket::Place::of(hash, "f", &identifier, &state.variants);
                let expected = place.variant().map_or("control", |_| "on");
                assert_eq!(variant(&rules, &identifier).as_deref(), Some(expected));
            }
            assert_eq!(
                variant(&rules, ""),
                None,
                "nobody is placed without identifier"
            );
        }
    }

    fn in_part(hash: Hash, property: Option<&str>, attributes: &Attributes, who: &str) -> bool {
        let mut split = condition("PERCENTAGE_SPLIT", "", "50");
        split.property = property.map(str::to_owned);
        let plain = plain_segment("s", &[all(vec![split])], Vec::new());
        let segment = Arc::new((*plain).clone().with_hash(hash));
        let rules = ruleset(Vec::new(), vec![segment]);
        rules
            .evaluator(&identity(who, attributes))
            .segment_matches(0)
    }

    #[test]
    fn percentages_are_of_what_the_property_says() {
        for hash in [Hash::FlagdV2, Hash::FlagdV3, Hash::Flipt, Hash::Fnv1a32] {
            let expected = |text: &str| crate::bucket::is_in_percentage(hash, "s", text, 50.0);
            for number in 0..40 {
                let who = format!("user {number}");
                let company = Value::text(format!("00{number}"));
                let attributes = attributes(&[
                    ("company", company),
                    ("big", Value::Boolean(number % 2 == 0)),
                    ("size", Value::Float(f64::from(number))),
                ]);
                let check = |property: Option<&str>, text: &str| {
                    let found = in_part(hash, property, &attributes, &who);
                    assert_eq!(found, expected(text), "{hash:?} {property:?} {text}");
                };
                check(None, &who);
                check(Some(""), &who);
                check(Some("$.identity.identifier"), &who);
                check(Some("$.identity.key"), &format!("env_{who}"));
                check(Some("company"), &format!("00{number}"));
                check(Some("$.identity.traits.company"), &format!("00{number}"));
                check(Some("big"), if number % 2 == 0 { "true" } else { "false" });
                check(Some("size"), &number.to_string());
                check(Some("$.environment.name"), "Production");
                assert!(!in_part(hash, Some("missing"), &attributes, &who));
            }
            assert!(!in_part(hash, None, &Attributes::new(), ""));
        }
    }
}
