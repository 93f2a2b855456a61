mod changes;

use super::{IdentityOverrides, Snapshot, SnapshotIdentity, SnapshotRows};
use crate::testing::rows::{
    environment, feature, for_identity, for_segment, identifier, identity, option, organisation,
    project, segment, state, weight,
};
use crate::{
    Context, FeatureId, FeatureName, FeatureState, Hash, IdentityId, PatternBudget, SegmentId,
    StateOwner, StateValue, Timestamp, Value,
};
use proptest::prelude::*;
use std::sync::Arc;

fn rows() -> SnapshotRows {
    SnapshotRows {
        organisation: organisation(),
        project: project(),
        environment: environment(),
        flagd: None,
        features: vec![
            feature(1, "one"),
            feature(2, "two"),
            feature(3, "no default"),
        ],
        options: vec![option(1, 2, "red"), option(2, 2, "green")],
        states: vec![
            state(1, 1, StateOwner::Environment, "default"),
            FeatureState {
                // Rows come in any order; variants follow their own ids.
                weights: vec![weight(8, 1, 30.0), weight(7, 2, 12.5)],
                ..state(2, 2, StateOwner::Environment, "control")
            },
            state(3, 1, for_segment(1, 1), "override"),
            state(4, 3, for_segment(3, 1), "of a feature without default"),
        ],
        segments: vec![segment(1, "EQUAL", "pro"), segment(2, "REGEX", "p.*")],
    }
}

fn one_identity() -> IdentityOverrides {
    let states = vec![
        for_identity(50, 1, 1, "own"),
        for_identity(51, 3, 1, "gone"),
    ];
    [identity(1, states)].into_iter().collect()
}

#[test]
fn a_snapshot_holds_what_its_rows_say() {
    let snapshot = Snapshot::build(rows(), one_identity(), None);

    assert_eq!(snapshot.revision, 13);
    assert_eq!(snapshot.updated_at, Timestamp::from_micros(5));
    let names: Vec<&str> = snapshot.rules.features().iter().map(|f| &*f.name).collect();
    assert_eq!(
        names,
        ["one", "two"],
        "a feature without default is not served"
    );
    assert_eq!(snapshot.segments[0].overrides.len(), 1);
    let variants = &snapshot.rules.features()[1].state.variants;
    let weights: Vec<&str> = variants
        .iter()
        .map(|variant| &*variant.weight_text)
        .collect();
    assert_eq!(weights, ["12.5", "30.0"]);
    assert_eq!(variants[0].value, Value::text("green"));
    let flags = &snapshot.identity(&identifier(1)).unwrap().flags;
    assert_eq!(flags.len(), 1);
    assert_eq!(
        (&*flags[0].0, &flags[0].1.value),
        ("one", &Value::text("own"))
    );
    assert_eq!(flags[0].1.ids.identity, Some(IdentityId::new(1)));
    assert_eq!(snapshot.feature_index_by_id(FeatureId::new(2)), Some(1));
    assert_eq!(snapshot.segment_index_by_id(SegmentId::new(9)), None);
}

#[test]
fn rows_in_any_order_give_features_and_segments_in_order_of_their_ids() {
    let mut reversed = rows();
    reversed.features.reverse();
    reversed.segments.reverse();

    let snapshot = Snapshot::build(reversed, one_identity(), None);

    check_same(&snapshot, &Snapshot::build(rows(), one_identity(), None));
}

#[test]
fn the_same_rows_share_everything() {
    let first = Snapshot::build(rows(), one_identity(), None);

    let second = Snapshot::build(rows(), first.identities.clone(), Some(&first));

    assert!(Arc::ptr_eq(&first.rules, &second.rules));
    assert!(Arc::ptr_eq(&first.environment, &second.environment));
    assert_eq!(shared(&first, &second), (2, 2, 1));
}

#[test]
fn a_change_rebuilds_only_the_part_it_touches() {
    let first = Snapshot::build(rows(), one_identity(), None);
    let changed = |change: fn(&mut SnapshotRows)| {
        let mut rows = rows();
        change(&mut rows);
        let second = Snapshot::build(rows, first.identities.clone(), Some(&first));
        shared(&first, &second)
    };

    assert_eq!(changed(|rows| rows.states[0].enabled = false), (1, 2, 1));
    assert_eq!(changed(|rows| rows.states[2].enabled = false), (2, 1, 1));
    assert_eq!(changed(|rows| rows.segments[1].name.push('x')), (2, 1, 1));
    // Overrides carry the feature's name.
    assert_eq!(
        changed(|rows| rows.features[0] = feature(1, "uno")),
        (1, 1, 0)
    );
    assert_eq!(changed(|rows| rows.environment.revision += 1), (2, 2, 1));
}

#[test]
fn changing_an_override_keeps_the_compiled_rules() {
    let first = Snapshot::build(rows(), one_identity(), None);
    let mut changed = rows();
    changed.states[2].value = StateValue::of_text(Some("other"));

    let second = Snapshot::build(changed, first.identities.clone(), Some(&first));

    let compiled =
        |snapshot: &Snapshot| std::ptr::from_ref(snapshot.rules.segments()[0].compiled());
    assert_eq!(compiled(&first), compiled(&second));
    let value = &second.rules.segments()[0].overrides()[0].state.value;
    assert_eq!(value, &Value::text("other"));
}

#[test]
fn one_identity_can_be_changed_and_the_others_stay() {
    let many = (1..=500).map(|id| identity(id, vec![for_identity(1000 + id, 1, id, "own")]));
    let first = Snapshot::build(rows(), many.collect(), None);
    let new = identity(7, vec![for_identity(1007, 1, 7, "new")]);

    let identities = first.identities.with(&identifier(7), Some(Arc::new(new)));
    let identities = identities.with(&identifier(9), None);
    let second = Snapshot::build(rows(), identities, Some(&first));

    let value = |snapshot: &Snapshot, id| {
        let identity = snapshot.identity(&identifier(id))?;
        Some(identity.flags[0].1.value.clone())
    };
    assert_eq!(value(&second, 7), Some(Value::text("new")));
    assert_eq!(value(&first, 7), Some(Value::text("own")));
    assert_eq!(value(&second, 9), None);
    assert_eq!(
        (first.identities.len(), second.identities.len()),
        (500, 499)
    );
    assert_eq!(shared(&first, &second), (2, 2, 498));
    let order: Vec<i64> = second
        .identities
        .in_order()
        .iter()
        .map(|i| i.identity.id.get())
        .collect();
    assert!(order.is_sorted());
    assert!(!second.identities.is_empty() && IdentityOverrides::new().is_empty());
}

#[test]
fn a_changed_option_reaches_the_overrides_that_use_it() {
    let split = FeatureState {
        weights: vec![weight(20, 1, 100.0)],
        ..for_identity(60, 2, 1, "control")
    };
    let identities = [identity(1, vec![split])].into_iter().collect();
    let first = Snapshot::build(rows(), identities, None);
    let mut changed = rows();
    changed.options[0] = option(1, 2, "crimson");

    let second = Snapshot::build(changed, first.identities.clone(), Some(&first));

    let flags = &second.identity(&identifier(1)).unwrap().flags;
    assert_eq!(flags[0].1.variants[0].value, Value::text("crimson"));
}

#[test]
fn the_hash_of_the_environment_counts_where_there_is_none_of_its_own() {
    let mut rows = rows();
    rows.features[1].hash = Some(Hash::Flagsmith);
    rows.segments[1].hash = Some(Hash::Flipt);
    let first = Snapshot::build(rows.clone(), IdentityOverrides::new(), None);
    rows.environment.hash = Hash::FlagdV2;

    let second = Snapshot::build(rows, IdentityOverrides::new(), Some(&first));

    let features = |snapshot: &Snapshot| [0, 1].map(|f| snapshot.rules.features()[f].hash);
    let segments = |snapshot: &Snapshot| [0, 1].map(|s| snapshot.rules.segments()[s].hash());
    assert_eq!(features(&first), [Hash::Flagsmith, Hash::Flagsmith]);
    assert_eq!(segments(&first), [Hash::Flagsmith, Hash::Flipt]);
    assert_eq!(features(&second), [Hash::FlagdV2, Hash::Flagsmith]);
    assert_eq!(segments(&second), [Hash::FlagdV2, Hash::Flipt]);
    assert_eq!(shared(&first, &second), (1, 1, 0));
    assert!(Arc::ptr_eq(
        &first.rules.features()[1],
        &second.rules.features()[1]
    ));
}

#[test]
fn patterns_over_the_budget_come_back_when_there_is_room() {
    let hostile = |id: i64| segment(id, "REGEX", &format!("\\w{{{}}}", 11 + id % 10));
    let mut crowded = rows();
    crowded.segments = (1..=30).map(hostile).collect();
    let first = Snapshot::build(crowded.clone(), IdentityOverrides::new(), None);
    let starved = |snapshot: &Snapshot| snapshot.warnings.iter().filter(|w| !w.is_empty()).count();
    assert!(
        starved(&first) > 0,
        "{} MiB suffice",
        PatternBudget::LIMIT >> 20
    );

    crowded.segments.drain(..20);
    let second = Snapshot::build(crowded, IdentityOverrides::new(), Some(&first));

    assert_eq!(starved(&second), 0);
}

/// How many features, segments and identities two snapshots share.
fn shared(a: &Snapshot, b: &Snapshot) -> (usize, usize, usize) {
    let features = a
        .features
        .iter()
        .zip(&b.features)
        .filter(|(a, b)| Arc::ptr_eq(a, b));
    let segments = a
        .segments
        .iter()
        .zip(&b.segments)
        .filter(|(a, b)| Arc::ptr_eq(a, b));
    let identities = a.identities.iter().filter(|identity| {
        let other = b.identity(&identity.identity.identifier);
        other.is_some_and(|other| Arc::ptr_eq(identity, other))
    });
    (features.count(), segments.count(), identities.count())
}

#[track_caller]
fn check_same(a: &Snapshot, b: &Snapshot) {
    assert_eq!((a.revision, a.updated_at), (b.revision, b.updated_at));
    assert_eq!(a.environment, b.environment);
    assert_eq!(a.features, b.features);
    assert_eq!(a.segments, b.segments);
    assert_eq!(a.warnings, b.warnings);
    assert_eq!(a.rules.features(), b.rules.features());
    assert_eq!(a.rules.segments(), b.rules.segments());
    assert_eq!(a.identities.in_order(), b.identities.in_order());
    let flags = |snapshot: &Snapshot| {
        let mut evaluator = snapshot.rules.evaluator(&Context::default());
        let flags = evaluator.flags();
        flags
            .iter()
            .map(|flag| (flag.value.clone(), flag.origin))
            .collect::<Vec<_>>()
    };
    assert_eq!(flags(a), flags(b));
}

/// One change of what is stored.
#[derive(Debug, Clone)]
enum Edit {
    Default(usize, String),
    Override(i64, i64, bool),
    Rename(usize, String),
    Option(i64, i64, String),
    Rule(usize, &'static str, String),
    RemoveSegment(usize),
    RemoveFeature(usize),
    AddFeature(i64),
    Identity(i64, Option<i64>),
}

fn any_edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..4usize, "[ab]").prop_map(|(index, value)| Edit::Default(index, value)),
        (1..5i64, 1..4i64, any::<bool>()).prop_map(|(f, s, there)| Edit::Override(f, s, there)),
        (0..4usize, "[a-c]").prop_map(|(index, name)| Edit::Rename(index, name)),
        (1..5i64, 1..5i64, "[ab]").prop_map(|(id, f, value)| Edit::Option(id, f, value)),
        (
            0..3usize,
            prop::sample::select(&["EQUAL", "REGEX", "LIKE"][..]),
            prop_oneof![
                Just("pro".to_owned()),
                Just("(".to_owned()),
                "\\\\w\\{[4-6]0\\}"
            ],
        )
            .prop_map(|(index, operator, value)| Edit::Rule(index, operator, value)),
        (0..3usize).prop_map(Edit::RemoveSegment),
        (0..4usize).prop_map(Edit::RemoveFeature),
        (1..5i64).prop_map(Edit::AddFeature),
        (1..4i64, any::<Option<u8>>())
            .prop_map(|(id, f)| Edit::Identity(id, f.map(|f| i64::from(f % 4) + 1))),
    ]
}

fn apply(edit: &Edit, rows: &mut SnapshotRows, identities: &mut IdentityOverrides) {
    rows.environment.revision += 1;
    match edit {
        Edit::Default(index, value) => {
            let mut defaults = rows
                .states
                .iter_mut()
                .filter(|s| s.owner == StateOwner::Environment);
            if let Some(state) = defaults.nth(*index) {
                state.value = StateValue::of_text(Some(value));
                state.weights = vec![weight(30, 1, 50.0), weight(31, 2, 25.0)];
            }
        }
        Edit::Override(feature, segment, there) => {
            let id = 200 + 10 * feature + segment;
            rows.states.retain(|state| state.id.get() != id);
            if *there {
                let new = state(id, *feature, for_segment(*feature, *segment), "override");
                rows.states.push(new);
            }
        }
        Edit::Rename(index, name) => {
            if let Some(found) = rows.features.get_mut(*index) {
                let name = format!("{name}{}", found.id);
                found.name = FeatureName::parse(&name).unwrap();
            }
        }
        Edit::Option(id, feature, value) => {
            rows.options.retain(|option| option.id.get() != *id);
            rows.options.push(option(*id, *feature, value));
        }
        Edit::Rule(index, operator, value) => {
            if let Some(found) = rows.segments.get_mut(*index) {
                *found = segment(found.id.get(), operator, value);
            } else {
                let id = 1 + rows
                    .segments
                    .iter()
                    .map(|s| s.id.get())
                    .max()
                    .unwrap_or_default();
                rows.segments.push(segment(id, operator, value));
            }
        }
        Edit::RemoveSegment(index) => {
            if *index < rows.segments.len() {
                rows.segments.remove(*index);
            }
        }
        Edit::RemoveFeature(index) => {
            if *index < rows.features.len() {
                rows.features.remove(*index);
            }
        }
        Edit::AddFeature(id) => {
            if rows.features.iter().all(|feature| feature.id.get() != *id) {
                rows.features.push(feature(*id, &format!("new{id}")));
                rows.states
                    .push(state(300 + id, *id, StateOwner::Environment, "new"));
            }
        }
        Edit::Identity(id, feature) => {
            let new = feature.map(|feature| {
                let state = for_identity(400 + 10 * id + feature, feature, *id, "own");
                Arc::new(identity(*id, vec![state]))
            });
            *identities = identities.with(&identifier(*id), new);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// However a snapshot came about, it is the one that its rows alone would give.
    #[test]
    fn building_step_by_step_gives_the_same_as_building_at_once(
        edits in prop::collection::vec(any_edit(), 1..12),
    ) {
        let mut rows = rows();
        let mut snapshot = Snapshot::build(rows.clone(), one_identity(), None);
        for edit in &edits {
            let mut identities = snapshot.identities.clone();
            apply(edit, &mut rows, &mut identities);
            snapshot = Snapshot::build(rows.clone(), identities.clone(), Some(&snapshot));
            let unresolved = identities
                .iter()
                .map(|known| SnapshotIdentity::new(known.identity.clone(), known.states.clone()));
            check_same(&snapshot, &Snapshot::build(rows.clone(), unresolved.collect(), None));
        }
    }
}
