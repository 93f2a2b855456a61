use crate::testing::all;
use crate::testing::shop::{Shop, identity};
use crate::{Snapshot, StateValue, TypedValue};
use proptest::prelude::*;
use std::collections::HashSet;

fn text(text: &str) -> StateValue {
    StateValue::of_text(Some(text))
}

fn options(snapshot: &Snapshot) -> Vec<&str> {
    let options = snapshot.variants(0).options();
    options.map(|option| option.name).collect()
}

/// Names of the overrides for segments, strongest first; empty for the value of control.
fn segments(snapshot: &Snapshot) -> Vec<String> {
    let overrides = snapshot.variants(0).overrides();
    overrides
        .map(|(_, over)| over.name.unwrap_or_default().into_owned())
        .collect()
}

fn of_identity(snapshot: &Snapshot, identifier: &str) -> String {
    let variants = snapshot.variants(0);
    let over = variants.of_identity(identity(snapshot, identifier));
    over.unwrap().name.unwrap_or_default().into_owned()
}

fn shop() -> Shop {
    let mut shop = Shop::new();
    shop.feature("f", true, text("control value"));
    shop
}

#[test]
fn options_are_called_by_their_key_or_their_number() {
    let mut shop = shop();
    shop.option(Some("blue"), "b", 10.0);
    shop.option(None, "r", 20.0);
    shop.option(Some("green"), "g", 0.0);
    shop.option(None, "y", 30.0);
    let snapshot = shop.build();

    assert_eq!(
        options(&snapshot),
        ["blue", "variant_2", "green", "variant_4"]
    );
    let values: Vec<_> = snapshot.variants(0).options().map(|o| o.value).collect();
    assert_eq!(values[1], TypedValue::String("r".into()));
    assert_eq!(
        snapshot.variants(0).control(),
        TypedValue::String("control value".into())
    );
}

#[test]
fn a_key_that_looks_like_a_number_takes_the_name_from_the_one_without() {
    let mut shop = shop();
    shop.option(Some("variant_2"), "b", 10.0);
    shop.option(None, "r", 20.0);

    assert_eq!(options(&shop.build()), ["variant_2", "variant_2-2"]);
}

#[test]
fn requirement_18_names_that_collide_are_numbered_against_all_variants() {
    let mut shop = shop();
    shop.option(Some("override_beta-2"), "b", 10.0);
    for name in ["beta", "Beta", "beta", "beta!"] {
        let segment = shop.segment(name, vec![all(Vec::new())]);
        shop.over(1, segment, true, text(&format!("value {segment}")));
    }
    shop.own(1, (5, "beta"), true, text("own"));
    shop.own(1, (4, "beta."), true, text("own"));
    let snapshot = shop.build();

    let expected = [
        "override_beta",
        "override_Beta",
        "override_beta-3",
        "override_beta-4",
    ];
    assert_eq!(segments(&snapshot), expected);
    assert_eq!(
        of_identity(&snapshot, "beta."),
        "override_beta-5",
        "its row came first"
    );
    assert_eq!(of_identity(&snapshot, "beta"), "override_beta-6");
}

#[test]
fn requirement_18_the_value_of_control_has_no_variant() {
    let mut shop = shop();
    for (name, value) in [("a", "control value"), ("a", "other")] {
        let segment = shop.segment(name, vec![all(Vec::new())]);
        shop.over(1, segment, true, text(value));
    }
    shop.own(1, (1, "bob"), true, text("control value"));
    shop.own(1, (2, "b"), true, text("x"));
    let snapshot = shop.build();

    assert_eq!(segments(&snapshot), ["", "override_a"]);
    assert_eq!(of_identity(&snapshot, "bob"), "");
    assert_eq!(of_identity(&snapshot, "b"), "override_b");
}

#[test]
fn names_of_which_nothing_is_left_have_a_fallback() {
    let mut shop = shop();
    let segment = shop.segment("日本", vec![all(Vec::new())]);
    shop.over(1, segment, true, text("x"));
    shop.own(1, (1, "…"), true, text("x"));
    shop.own(1, (2, "identity"), true, text("x"));
    let snapshot = shop.build();

    assert_eq!(segments(&snapshot), ["override_segment"]);
    assert_eq!(of_identity(&snapshot, "…"), "override_identity");
    assert_eq!(of_identity(&snapshot, "identity"), "override_identity-2");
}

#[test]
fn a_changed_identity_changes_what_names_collide_with() {
    let mut shop = shop();
    shop.own(1, (1, "a b"), true, text("x"));
    shop.own(1, (2, "a-b"), true, text("x"));
    let first = shop.build();
    assert_eq!(of_identity(&first, "a-b"), "override_a-b-2");

    let gone = first.identities.with("a b", None);
    let second = Snapshot::build(shop.rows.clone(), gone, Some(&first));

    assert_eq!(of_identity(&second, "a-b"), "override_a-b");
    assert_eq!(of_identity(&first, "a-b"), "override_a-b-2");
}

#[test]
fn whether_something_is_overridden_is_known() {
    let mut shop = shop();
    let facts = |shop: &Shop| {
        let snapshot = shop.build();
        let variants = snapshot.variants(0);
        (variants.is_overridden(), variants.is_enabled_by_override())
    };
    assert_eq!(facts(&shop), (false, false));
    shop.own(1, (1, "a"), false, text("x"));
    assert_eq!(facts(&shop), (true, false));
    shop.own(1, (2, "b"), true, text("x"));
    assert_eq!(facts(&shop), (true, true));
}

proptest! {
    /// Whatever things are called, no two variants of a flag have one name.
    #[test]
    fn no_two_variants_share_a_name(
        keys in prop::collection::btree_set("(override_)?[ab]-[23]|variant_[12]", 0..4),
        unnamed in 0..3_usize,
        segments_named in prop::collection::vec("[ab ](-[23])?", 0..6),
        identifiers in prop::collection::btree_set("[ab .]{1,2}(-[23])?", 0..8),
    ) {
        let mut shop = shop();
        for key in &keys {
            shop.option(Some(key), "o", 1.0);
        }
        for _ in 0..unnamed {
            shop.option(None, "o", 1.0);
        }
        for name in &segments_named {
            let segment = shop.segment(name, vec![all(Vec::new())]);
            shop.over(1, segment, true, text("s"));
        }
        for (id, identifier) in identifiers.iter().enumerate() {
            shop.own(1, (id as i64, identifier), true, text("i"));
        }
        let snapshot = shop.build();

        let mut names: Vec<String> = options(&snapshot).into_iter().map(str::to_owned).collect();
        names.push("control".to_owned());
        names.extend(segments(&snapshot));
        names.extend(identifiers.iter().map(|identifier| of_identity(&snapshot, identifier)));
        let variants = snapshot.variants(0);
        for (identity, over) in variants.of_identities(&snapshot.identities.in_order()) {
            let alone = variants.of_identity(identity).unwrap();
            prop_assert_eq!(over.name, alone.name);
        }
        let distinct: HashSet<&String> = names.iter().collect();
        prop_assert_eq!(distinct.len(), names.len(), "{:?}", names);
    }
}
