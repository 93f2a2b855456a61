//! A small environment that tests fill with what they are about.

use super::rows;
use crate::{
    Context, FeatureState, IdentityContext, IdentityOverrides, Resolution, Rule, Snapshot,
    SnapshotIdentity, SnapshotRows, StateOwner, StateValue,
};
use std::collections::BTreeMap;

/// Rows of one environment, filled step by step.
pub(crate) struct Shop {
    pub(crate) rows: SnapshotRows,
    identities: BTreeMap<i64, (String, Vec<FeatureState>)>,
    next_state: i64,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self {
            rows: SnapshotRows {
                organisation: rows::organisation(),
                project: rows::project(),
                environment: rows::environment(),
                features: Vec::new(),
                options: Vec::new(),
                states: Vec::new(),
                segments: Vec::new(),
                flagd: None,
            },
            identities: BTreeMap::new(),
            next_state: 0,
        }
    }

    fn state(
        &mut self,
        feature: i64,
        owner: StateOwner,
        enabled: bool,
        value: StateValue,
    ) -> FeatureState {
        self.next_state += 1;
        FeatureState {
            enabled,
            value,
            ..rows::state(self.next_state, feature, owner, "")
        }
    }

    /// Feature 1, 2, … in the order in which they come.
    pub(crate) fn feature(&mut self, name: &str, enabled: bool, value: StateValue) -> i64 {
        let id = self.rows.features.len() as i64 + 1;
        self.rows.features.push(rows::feature(id, name));
        let state = self.state(id, StateOwner::Environment, enabled, value);
        self.rows.states.push(state);
        id
    }

    /// An option of the feature made last, with its weight in the environment.
    pub(crate) fn option(&mut self, key: Option<&str>, value: &str, percent: f64) {
        let feature = self.rows.features.len() as i64;
        let id = self.rows.options.len() as i64 + 1;
        let mut option = rows::option(id, feature, value);
        option.key = key.map(str::to_owned);
        self.rows.options.push(option);
        let defaults = self.rows.states.iter_mut();
        for state in defaults.filter(|state| state.feature_id.get() == feature) {
            state.weights.push(rows::weight(id, id, percent));
        }
    }

    /// A segment with these rules: segment 1, 2, … in the order in which they come.
    pub(crate) fn segment(&mut self, name: &str, rules: Vec<Rule>) -> i64 {
        let id = self.rows.segments.len() as i64 + 1;
        let mut segment = rows::segment(id, "IS_SET", "");
        segment.name = name.to_owned();
        segment.rules = rules;
        self.rows.segments.push(segment);
        id
    }

    /// An override for a segment; its priority is the segment's number.
    pub(crate) fn over(&mut self, feature: i64, segment: i64, enabled: bool, value: StateValue) {
        let owner = rows::for_segment(feature, segment);
        let state = self.state(feature, owner, enabled, value);
        self.rows.states.push(state);
    }

    /// An override for one identity, whose row has this id.
    pub(crate) fn own(
        &mut self,
        feature: i64,
        (id, identifier): (i64, &str),
        enabled: bool,
        value: StateValue,
    ) {
        let owner = rows::for_identity(0, feature, id, "").owner;
        let state = self.state(feature, owner, enabled, value);
        let identity = self.identities.entry(id);
        let (_, states) = identity.or_insert_with(|| (identifier.to_owned(), Vec::new()));
        states.push(state);
    }

    pub(crate) fn build(&self) -> Snapshot {
        let identities = self.identities.iter().map(|(id, (identifier, states))| {
            let mut identity = rows::identity(*id, states.clone());
            identity.identity.identifier = identifier.as_str().into();
            identity
        });
        let identities: IdentityOverrides = identities.collect();
        Snapshot::build(self.rows.clone(), identities, None)
    }
}

/// Resolves feature 1 for somebody with this identifier, whose `plan` is `pro`, and shows it to `look`.
pub(crate) fn resolve<T>(
    snapshot: &Snapshot,
    identifier: &str,
    look: impl FnOnce(Resolution<'_>) -> T,
) -> T {
    let mut attributes = crate::Attributes::new();
    attributes.insert("plan", crate::Value::text("pro"));
    let identity = IdentityContext {
        identifier,
        key: None,
        attributes: &attributes,
        overrides: None,
    };
    let context = Context {
        identity: Some(identity),
    };
    look(snapshot.resolver(&context).resolve(0))
}

/// What of an identity a snapshot has.
pub(crate) fn identity<'s>(snapshot: &'s Snapshot, identifier: &str) -> &'s SnapshotIdentity {
    snapshot.identity(identifier).unwrap()
}
