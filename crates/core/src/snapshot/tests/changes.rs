use super::*;
use crate::snapshot::{FlagChange, FlagChanges};
use crate::{Attributes, FeatureStateId, IdentityContext};

/// What became of the flags of `rows` after a change of them.
fn changes(change: impl FnOnce(&mut SnapshotRows, &mut IdentityOverrides)) -> Vec<String> {
    let first = Snapshot::build(rows(), one_identity(), None);
    let (mut rows, mut identities) = (rows(), first.identities.clone());
    rows.environment.revision += 1;
    rows.environment.updated_at = Timestamp::from_micros(6);
    change(&mut rows, &mut identities);
    let second = Snapshot::build(rows, identities, Some(&first));
    told(&second.flag_changes_since(&first))
}

fn told(changes: &FlagChanges) -> Vec<String> {
    let changes = changes.iter();
    changes
        .map(|(name, change)| format!("{name} {change:?}"))
        .collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn what_nobody_is_served_changes_no_flag() {
    assert_eq!(changes(|_, _| {}), NOTHING);
    assert_eq!(
        changes(|rows, _| {
            rows.features[0].description = Some("new".to_owned());
            rows.features[0].is_archived = true;
            rows.environment.banner_text = Some("new".to_owned());
            rows.segments[0].description = Some("new".to_owned());
            rows.segments[0].rules[0].conditions[0].description = Some("new".to_owned());
        }),
        NOTHING
    );
    // A published version stores the same state in another row.
    let again = |rows: &mut SnapshotRows| {
        rows.states[0].id = FeatureStateId::new(90);
        rows.states[2].id = FeatureStateId::new(91);
    };
    assert_eq!(changes(|rows, _| again(rows)), NOTHING);
}

#[test]
fn a_changed_default_names_its_flag_alone() {
    assert_eq!(
        changes(|rows, _| rows.states[0].enabled = false),
        ["one Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.states[1].weights[0].percentage_allocation = 31.0),
        ["two Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.options[0] = option(1, 2, "crimson")),
        ["two Update"]
    );
}

#[test]
fn flags_that_come_and_go_are_told_apart_from_those_that_change() {
    assert_eq!(
        changes(|rows, _| rows
            .states
            .push(state(9, 3, StateOwner::Environment, "new"))),
        ["no default Write"]
    );
    assert_eq!(
        changes(|rows, _| {
            rows.features.remove(0);
        }),
        ["one Delete"]
    );
    assert_eq!(
        changes(|rows, _| rows.features[0] = feature(1, "uno")),
        ["one Delete", "uno Write"]
    );
}

#[test]
fn a_changed_audience_names_the_flags_it_decides_about() {
    let rule = |rows: &mut SnapshotRows, index: usize| {
        rows.segments[index].rules[0].conditions[0].value = Some("team".to_owned());
    };

    assert_eq!(changes(|rows, _| rule(rows, 0)), ["one Update"]);
    assert_eq!(changes(|rows, _| rule(rows, 1)), NOTHING);
    assert_eq!(
        changes(|rows, _| {
            rows.segments.remove(0);
        }),
        ["one Update"]
    );
}

#[test]
fn a_changed_override_names_its_flag() {
    assert_eq!(
        changes(|rows, _| rows.states[2].value = StateValue::of_text(Some("other"))),
        ["one Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.states.push(state(9, 2, for_segment(2, 1), "new"))),
        ["two Update"]
    );
    assert_eq!(
        changes(|rows, _| {
            rows.states.remove(2);
        }),
        ["one Update"]
    );
}

#[test]
fn an_override_of_one_identity_names_its_flag() {
    let own = |value: &str| identity(1, vec![for_identity(50, 1, 1, value)]);

    assert_eq!(
        changes(|_, identities| *identities =
            identities.with(&identifier(1), Some(Arc::new(own("new"))))),
        ["one Update"]
    );
    assert_eq!(
        changes(|_, identities| *identities =
            identities.with(&identifier(1), Some(Arc::new(own("own"))))),
        NOTHING
    );
    assert_eq!(
        changes(|_, identities| *identities = identities.with(&identifier(1), None)),
        ["one Update"]
    );
}

#[test]
fn a_flag_that_is_decided_about_by_another_one_is_named_with_it() {
    let mut rows = rows();
    let reads = &mut rows.segments[1];
    reads.rules[0].conditions[0].operator = "EQUAL".to_owned();
    reads.rules[0].conditions[0].property = Some("$.flags['one'].value".to_owned());
    rows.states.push(state(9, 2, for_segment(2, 2), "read"));
    let first = Snapshot::build(rows.clone(), IdentityOverrides::new(), None);
    rows.states[0].value = StateValue::of_text(Some("other"));

    let second = Snapshot::build(rows, IdentityOverrides::new(), Some(&first));

    let changes = second.flag_changes_since(&first);
    assert_eq!(told(&changes), ["one Update", "two Update"]);
}

#[test]
fn a_setting_names_the_flags_it_bears_on() {
    assert_eq!(
        changes(|rows, _| rows.environment.name.push('x')),
        ["one Update", "two Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.environment.use_identity_composite_key_for_hashing = false),
        ["one Update", "two Update"]
    );
    assert_eq!(
        changes(|rows, _| {
            rows.states.remove(2);
            rows.environment.use_identity_composite_key_for_hashing = false;
        }),
        ["one Update", "two Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.environment.disabled_as = crate::DisabledAs::State),
        ["one Update", "two Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.environment.hash = Hash::FlagdV2),
        ["one Update", "two Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.segments[0].hash = Some(Hash::FlagdV2)),
        ["one Update"]
    );
    assert_eq!(
        changes(|rows, _| rows.features[1].value_type = crate::ValueType::Json),
        ["two Update"]
    );
}

/// What each of a few callers gets for every flag by name.
fn answers(snapshot: &Snapshot) -> Vec<(Arc<str>, Vec<String>)> {
    let plans = [None, Some("pro"), Some("(")];
    let callers = [1, 2, 3, 9].map(identifier);
    let names = snapshot.rules.features().iter();
    let mut answers: Vec<_> = names
        .map(|feature| (Arc::clone(&feature.name), Vec::new()))
        .collect();
    for (caller, plan) in callers
        .iter()
        .flat_map(|caller| plans.map(|plan| (caller, plan)))
    {
        let mut attributes = Attributes::new();
        if let Some(plan) = plan {
            attributes.insert("plan", Value::text(plan));
        }
        let overrides = snapshot.identity(caller);
        let identity = IdentityContext {
            identifier: caller,
            key: None,
            attributes: &attributes,
            overrides: overrides.map(|identity| &*identity.flags),
        };
        let context = Context {
            identity: Some(identity),
        };
        let mut evaluator = snapshot.rules.evaluator(&context);
        for (flag, (_, of_feature)) in evaluator.flags().iter().zip(&mut answers) {
            of_feature.push(format!("{} {:?}", flag.enabled, flag.value));
        }
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever is answered differently than before finds the flag among the changes.
    #[test]
    fn no_flag_that_is_answered_differently_is_left_out(
        edits in prop::collection::vec(any_edit(), 1..8),
        steps in 1..4usize,
    ) {
        let mut rows = rows();
        let mut snapshot = Snapshot::build(rows.clone(), one_identity(), None);
        for group in edits.chunks(steps) {
            let before = snapshot;
            let mut identities = before.identities.clone();
            for edit in group {
                apply(edit, &mut rows, &mut identities);
            }
            snapshot = Snapshot::build(rows.clone(), identities, Some(&before));
            let changes = snapshot.flag_changes_since(&before);
            let (old, new) = (answers(&before), answers(&snapshot));
            for (name, answer) in &new {
                let known = old.iter().find(|(each, _)| each == name);
                match known {
                    None => prop_assert_eq!(changes.get(name), Some(&FlagChange::Write)),
                    Some((_, same)) if same == answer => {}
                    Some(_) => prop_assert!(changes.contains_key(name), "{name} of {changes:?}"),
                }
            }
            for (name, _) in &old {
                let is_gone = new.iter().all(|(each, _)| each != name);
                prop_assert_eq!(changes.get(name) == Some(&FlagChange::Delete), is_gone);
            }
            prop_assert!(snapshot.flag_changes_since(&snapshot).is_empty());
        }
    }
}
