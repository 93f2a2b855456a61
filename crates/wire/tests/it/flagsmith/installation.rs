//! A snapshot of an imported environment, as an installation with empty tables would build it.

use flagstaff_core::snapshot::{IdentityOverrides, SnapshotIdentity, SnapshotRows};
use flagstaff_core::{
    DisabledAs, Environment, EnvironmentId, Feature, FeatureId, FeatureSegment, FeatureSegmentId,
    FeatureState, FeatureStateId, Hash, Identity, IdentityId, MultivariateOption, OptionId,
    Organisation, OrganisationId, Project, ProjectId, Segment, SegmentId, Snapshot, StateOwner,
    Timestamp, ValueType, VariantWeight, VariantWeightId,
};
use flagstaff_wire::flagsmith::import::{
    ImportedEnvironment, ImportedIdentity, ImportedOverride, ImportedState,
};
use std::sync::Arc;
use uuid::Uuid;

/// Hands out ids; rows keep the ids of the document where it has them.
pub struct Installation<'a> {
    imported: &'a ImportedEnvironment,
    last_state: i64,
    last_weight: i64,
}

impl<'a> Installation<'a> {
    pub const fn new(imported: &'a ImportedEnvironment) -> Self {
        Self {
            imported,
            last_state: 0,
            last_weight: 0,
        }
    }

    pub fn snapshot(self) -> Snapshot {
        self.snapshot_with(|_| {})
    }

    /// The snapshot of rows that were changed where a document of Flagsmith says nothing.
    pub fn snapshot_with(mut self, change: impl FnOnce(&mut SnapshotRows)) -> Snapshot {
        let mut rows = self.rows();
        change(&mut rows);
        let identities: Vec<SnapshotIdentity> = self
            .imported
            .identities
            .iter()
            .enumerate()
            .map(|(position, identity)| self.identity(position, identity))
            .collect();
        // Backwards, so that documents do not owe their order to the order of reading.
        let identities: IdentityOverrides = identities.into_iter().rev().collect();
        Snapshot::build(rows, identities, None)
    }

    fn rows(&mut self) -> SnapshotRows {
        let imported = self.imported;
        let mut states = Vec::new();
        for (index, feature) in imported.features.iter().enumerate() {
            states.push(self.state(index, &feature.state, StateOwner::Environment));
        }
        for (position, segment) in imported.segments.iter().enumerate() {
            for part in &segment.overrides {
                let owner = self.segment_owner(position, part);
                states.push(self.state(part.feature, &part.state, owner));
            }
        }
        SnapshotRows {
            organisation: organisation(imported),
            project: project(imported),
            environment: environment(imported),
            flagd: None,
            features: (0..imported.features.len())
                .map(|index| self.feature(index))
                .collect(),
            options: self.options(),
            states,
            segments: self.segments(),
        }
    }

    fn feature_id(&self, index: usize) -> FeatureId {
        let row_id = self.imported.features[index].row_id;
        FeatureId::new(row_id.unwrap_or_else(|| number(index)))
    }

    fn option_id(&self, feature: usize, option: usize) -> OptionId {
        let row_id = self.imported.features[feature].options[option].row_id;
        OptionId::new(row_id.unwrap_or_else(|| number(feature) * 1000 + number(option)))
    }

    fn feature(&self, index: usize) -> Feature {
        let feature = &self.imported.features[index];
        Feature {
            id: self.feature_id(index),
            uuid: Uuid::nil(),
            project_id: ProjectId::new(1),
            name: feature.name.clone(),
            kind: feature.kind,
            default_enabled: feature.state.enabled,
            initial_value: None,
            description: None,
            is_archived: false,
            is_server_key_only: feature.is_server_key_only,
            hash: None,
            value_type: ValueType::Auto,
            expected_removal: None,
            created_at: Timestamp::from_micros(0),
        }
    }

    fn options(&self) -> Vec<MultivariateOption> {
        let mut options = Vec::new();
        for (index, feature) in self.imported.features.iter().enumerate() {
            for (position, option) in feature.options.iter().enumerate() {
                options.push(MultivariateOption {
                    id: self.option_id(index, position),
                    uuid: Uuid::nil(),
                    feature_id: self.feature_id(index),
                    key: option.key.clone(),
                    value: option.value.clone(),
                    default_percentage_allocation: option.percentage_allocation,
                });
            }
        }
        options
    }

    fn segments(&self) -> Vec<Segment> {
        self.imported
            .segments
            .iter()
            .enumerate()
            .map(|(position, segment)| Segment {
                id: SegmentId::new(number(position)),
                uuid: Uuid::nil(),
                project_id: ProjectId::new(1),
                feature_id: None,
                name: segment.name.clone(),
                description: None,
                hash_key: Arc::clone(&segment.hash_key),
                hash: None,
                rules: segment.rules.clone(),
                created_at: Timestamp::from_micros(0),
                updated_at: Timestamp::from_micros(0),
            })
            .collect()
    }

    fn segment_owner(&self, segment: usize, part: &ImportedOverride) -> StateOwner {
        StateOwner::Segment(FeatureSegment {
            id: FeatureSegmentId::new(1),
            uuid: Uuid::nil(),
            feature_id: self.feature_id(part.feature),
            segment_id: SegmentId::new(number(segment)),
            environment_id: EnvironmentId::new(1),
            priority: part.priority,
        })
    }

    fn identity(&mut self, position: usize, identity: &ImportedIdentity) -> SnapshotIdentity {
        let id = IdentityId::new(identity.row_id.unwrap_or_else(|| number(position)));
        let identifier = identity.identifier.shared();
        let mut states = Vec::new();
        for part in &identity.overrides {
            let identifier = Arc::clone(&identifier);
            let owner = StateOwner::Identity { id, identifier };
            states.push(self.state(part.feature, &part.state, owner));
        }
        let identity = Identity {
            id,
            environment_id: EnvironmentId::new(1),
            identifier,
            created_at: identity.created_at.unwrap_or_default(),
        };
        SnapshotIdentity::new(identity, states)
    }

    fn state(&mut self, feature: usize, state: &ImportedState, owner: StateOwner) -> FeatureState {
        self.last_state += 1;
        let weights = state
            .weights
            .iter()
            .map(|weight| {
                self.last_weight += 1;
                VariantWeight {
                    id: VariantWeightId::new(self.last_weight),
                    uuid: weight.uuid.unwrap_or_default(),
                    option_id: self.option_id(feature, weight.option),
                    percentage_allocation: weight.percentage_allocation,
                }
            })
            .collect();
        FeatureState {
            id: FeatureStateId::new(self.last_state),
            uuid: state.uuid.unwrap_or_default(),
            feature_id: self.feature_id(feature),
            environment_id: EnvironmentId::new(1),
            owner,
            enabled: state.enabled,
            value: state.value.clone(),
            hash_seed: state
                .hash_seed
                .clone()
                .unwrap_or_else(|| self.last_state.to_string().into()),
            weights,
            version: Some(1),
            live_from: Some(Timestamp::from_micros(0)),
            feature_version: None,
            created_at: Timestamp::from_micros(0),
            updated_at: Timestamp::from_micros(0),
        }
    }
}

/// Ids begin at 1.
fn number(position: usize) -> i64 {
    i64::try_from(position).unwrap() + 1
}

fn organisation(imported: &ImportedEnvironment) -> Organisation {
    let project = &imported.project;
    Organisation {
        id: OrganisationId::new(1),
        uuid: Uuid::nil(),
        name: project.organisation_name.clone().unwrap_or_default(),
        webhook_notification_email: None,
        persist_trait_data: project.persist_trait_data,
        restrict_project_create_to_admin: false,
        force_2fa: false,
        stop_serving_flags: project.stop_serving_flags,
        created_at: Timestamp::from_micros(0),
    }
}

fn project(imported: &ImportedEnvironment) -> Project {
    Project {
        id: ProjectId::new(1),
        uuid: Uuid::nil(),
        organisation_id: OrganisationId::new(1),
        name: imported.project.name.clone(),
        slug: "project".to_owned(),
        hide_disabled_flags: imported.project.hide_disabled_flags,
        prevent_flag_defaults: false,
        only_allow_lower_case_feature_names: false,
        feature_name_regex: None,
        stale_flags_limit_days: 30,
        minimum_change_request_approvals: None,
        enforce_feature_owners: false,
        enable_realtime_updates: imported.project.enable_realtime_updates,
        show_edge_identity_overrides_for_feature: false,
        revision: 0,
        created_at: Timestamp::from_micros(0),
    }
}

fn environment(imported: &ImportedEnvironment) -> Environment {
    Environment {
        id: EnvironmentId::new(1),
        uuid: Uuid::nil(),
        project_id: ProjectId::new(1),
        name: imported.name.clone(),
        slug: "environment".to_owned(),
        api_key: Arc::clone(&imported.api_key),
        description: None,
        minimum_change_request_approvals: None,
        allow_client_traits: imported.allow_client_traits,
        banner_text: None,
        banner_colour: None,
        hide_disabled_flags: imported.hide_disabled_flags,
        use_identity_composite_key_for_hashing: imported.use_identity_composite_key_for_hashing,
        hide_sensitive_data: imported.hide_sensitive_data,
        use_v2_feature_versioning: false,
        use_identity_overrides_in_local_eval: imported.use_identity_overrides_in_local_eval,
        hash: Hash::Flagsmith,
        disabled_as: DisabledAs::Auto,
        revision: 1,
        updated_at: imported.updated_at.unwrap_or_default(),
        next_change_at: None,
        created_at: Timestamp::from_micros(0),
    }
}
