//! The laws of rollouts: nobody loses what they got while it grows, and as many have it as the plan says.

use super::Percentage;
use crate::testing::{all, condition, feature, over, ruleset, segment, split, state};
use crate::{Attributes, Context, FeatureRules, FlagState, Hash, IdentityContext, Ruleset};
use proptest::prelude::*;
use std::sync::Arc;

/// The key of a rollout's segment.
const KEY: &str = "1000000007";

/// What is served at a percentage: beside others, `treated` has so much without the rollout.
fn served(hash: Hash, already: Option<f64>, percentage: Percentage) -> Ruleset {
    let (base, treated) = match already {
        Some(already) => (
            split(&[("other", 20.0), ("treated", already)]),
            split(&[("other", 0.0), ("treated", 100.0)]),
        ),
        None => (state(false, "x"), state(true, "x")),
    };
    let base = FlagState {
        seed: "7".into(),
        ..base
    };
    let percent = percentage.percent_beside(already.unwrap_or_default());
    let mut placed = condition("PERCENTAGE_SPLIT", "", &percent.to_string());
    placed.property = None;
    let mut overrides = Vec::new();
    if percent > 0.0 {
        overrides.push(over("f", Some(1e9), treated));
    }
    let managed = segment(KEY, &[all(vec![placed])], overrides);
    let managed = Arc::new((*managed).clone().with_hash(hash));
    let feature = FeatureRules {
        hash,
        ..(*feature("f", base)).clone()
    };
    ruleset(vec![Arc::new(feature)], vec![managed])
}

fn has(rules: &Ruleset, identifier: &str, is_option: bool) -> bool {
    let attributes = Attributes::new();
    let identity = IdentityContext {
        identifier,
        key: None,
        attributes: &attributes,
        overrides: None,
    };
    let context = Context {
        identity: Some(identity),
    };
    let flag = rules.evaluator(&context).flag(0);
    flag.enabled && (!is_option || *flag.value == crate::Value::text("treated"))
}

proptest! {
    #[test]
    fn nobody_loses_it_in_any_sequence_of_growing_steps(
        identifier in "[a-z0-9@.]{1,20}|\\PC{1,12}",
        hash in prop::sample::select(&Hash::ALL[..]),
        already in prop::option::of(0.0..60.0f64),
        steps in prop::collection::btree_set(0..=10_000u16, 1..12),
    ) {
        let mut had = false;
        for hundredths in steps {
            let percentage = Percentage::from_hundredths(hundredths).unwrap();
            let rules = served(hash, already, percentage);
            let now = has(&rules, &identifier, already.is_some());
            prop_assert!(now || !had, "{hash:?} {already:?} {percentage} %");
            had = now;
        }
    }
}

/// Of 100,000 identities so many have it at each step, to half a point.
#[track_caller]
fn check_share(hash: Hash, already: Option<f64>, steps: &[f64]) {
    const IDENTITIES: u32 = 100_000;
    for percent in steps {
        let percentage = Percentage::from_percent(*percent).unwrap();
        let rules = served(hash, already, percentage);
        let holders = (0..IDENTITIES).filter(|number| {
            let identifier = format!("user-{number}@example.com");
            has(&rules, &identifier, already.is_some())
        });
        let share = holders.count() as f64 * 100.0 / f64::from(IDENTITIES);
        assert!(
            (share - percent).abs() < 0.5,
            "{hash:?}: {share} % of {percent} % beside {already:?} %"
        );
    }
}

/// Steps as fine as they may be; the hashes of files and of Flipt know whole percents only.
const FINE: [f64; 4] = [0.25, 12.5, 50.0, 100.0];
const WHOLE: [f64; 4] = [1.0, 13.0, 50.0, 100.0];

#[test]
fn as_many_have_it_as_the_plan_says_by_the_hash_of_flagsmith() {
    check_share(Hash::Flagsmith, None, &FINE);
    check_share(Hash::Flagsmith, Some(20.0), &[50.0]);
}

#[test]
fn as_many_have_it_as_the_plan_says_by_the_second_hash_of_flagd() {
    check_share(Hash::FlagdV2, None, &FINE);
    check_share(Hash::FlagdV2, Some(20.0), &[50.0]);
}

#[test]
fn as_many_have_it_as_the_plan_says_by_the_third_hash_of_flagd() {
    check_share(Hash::FlagdV3, None, &FINE);
    check_share(Hash::FlagdV3, Some(20.0), &[50.0]);
}

#[test]
fn as_many_have_it_as_the_plan_says_by_the_hash_of_flipt() {
    check_share(Hash::Flipt, None, &WHOLE);
    check_share(Hash::Flipt, Some(20.0), &[60.0]);
}

#[test]
fn as_many_have_it_as_the_plan_says_by_the_hash_of_files() {
    check_share(Hash::Fnv1a32, None, &WHOLE);
    check_share(Hash::Fnv1a32, Some(20.0), &[60.0]);
}
