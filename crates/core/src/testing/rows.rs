//! Rows to build snapshots from, with only the fields that matter.

use crate::{
    Condition, DisabledAs, Environment, EnvironmentId, Feature, FeatureId, FeatureKind,
    FeatureName, FeatureSegment, FeatureSegmentId, FeatureState, FeatureStateId, Hash, Identity,
    IdentityId, MultivariateOption, OptionId, Organisation, OrganisationId, Project, ProjectId,
    Rule, RuleKind, Segment, SegmentId, SnapshotIdentity, StateOwner, StateValue, Timestamp,
    ValueType, VariantWeight, VariantWeightId,
};
use uuid::Uuid;

pub(crate) fn feature(id: i64, name: &str) -> Feature {
    Feature {
        id: FeatureId::new(id),
        uuid: Uuid::nil(),
        project_id: ProjectId::new(1),
        name: FeatureName::parse(name).unwrap(),
        kind: FeatureKind::Standard,
        default_enabled: false,
        initial_value: None,
        description: None,
        is_archived: false,
        is_server_key_only: false,
        hash: None,
        value_type: ValueType::Auto,
        expected_removal: None,
        created_at: Timestamp::default(),
    }
}

pub(crate) fn option(id: i64, feature: i64, value: &str) -> MultivariateOption {
    MultivariateOption {
        id: OptionId::new(id),
        uuid: Uuid::nil(),
        feature_id: FeatureId::new(feature),
        key: None,
        value: StateValue::of_text(Some(value)),
        default_percentage_allocation: 0.0,
    }
}

pub(crate) fn weight(id: i64, option: i64, percent: f64) -> VariantWeight {
    VariantWeight {
        id: VariantWeightId::new(id),
        uuid: Uuid::nil(),
        option_id: OptionId::new(option),
        percentage_allocation: percent,
    }
}

pub(crate) fn state(id: i64, feature: i64, owner: StateOwner, value: &str) -> FeatureState {
    FeatureState {
        id: FeatureStateId::new(id),
        uuid: Uuid::nil(),
        feature_id: FeatureId::new(feature),
        environment_id: EnvironmentId::new(1),
        owner,
        enabled: true,
        value: StateValue::of_text(Some(value)),
        hash_seed: id.to_string().into(),
        weights: Vec::new(),
        version: Some(1),
        live_from: Some(Timestamp::default()),
        feature_version: None,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

pub(crate) fn for_segment(feature: i64, segment: i64) -> StateOwner {
    StateOwner::Segment(FeatureSegment {
        id: FeatureSegmentId::new(100 * segment + feature),
        uuid: Uuid::nil(),
        feature_id: FeatureId::new(feature),
        segment_id: SegmentId::new(segment),
        environment_id: EnvironmentId::new(1),
        priority: Some(segment),
    })
}

pub(crate) fn segment(id: i64, operator: &str, value: &str) -> Segment {
    Segment {
        id: SegmentId::new(id),
        uuid: Uuid::nil(),
        project_id: ProjectId::new(1),
        feature_id: None,
        name: format!("segment {id}"),
        description: None,
        hash_key: id.to_string().into(),
        hash: None,
        rules: vec![Rule {
            id: None,
            kind: RuleKind::All,
            rules: Vec::new(),
            conditions: vec![Condition {
                id: None,
                operator: operator.to_owned(),
                property: Some("plan".to_owned()),
                value: Some(value.to_owned()),
                description: None,
            }],
        }],
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

pub(crate) fn identity(id: i64, states: Vec<FeatureState>) -> SnapshotIdentity {
    let identity = Identity {
        id: IdentityId::new(id),
        environment_id: EnvironmentId::new(1),
        identifier: identifier(id).into(),
        created_at: Timestamp::default(),
    };
    SnapshotIdentity::new(identity, states)
}

pub(crate) fn identifier(id: i64) -> String {
    format!("identity {id}")
}

pub(crate) fn for_identity(state_id: i64, feature: i64, id: i64, value: &str) -> FeatureState {
    let owner = StateOwner::Identity {
        id: IdentityId::new(id),
        identifier: identifier(id).into(),
    };
    state(state_id, feature, owner, value)
}

pub(crate) fn project() -> Project {
    Project {
        id: ProjectId::new(1),
        uuid: Uuid::nil(),
        organisation_id: OrganisationId::new(1),
        name: "Project".to_owned(),
        slug: "project".to_owned(),
        hide_disabled_flags: false,
        prevent_flag_defaults: false,
        only_allow_lower_case_feature_names: false,
        feature_name_regex: None,
        stale_flags_limit_days: 30,
        minimum_change_request_approvals: None,
        enforce_feature_owners: false,
        enable_realtime_updates: false,
        show_edge_identity_overrides_for_feature: false,
        revision: 10,
        created_at: Timestamp::default(),
    }
}

pub(crate) fn environment() -> Environment {
    Environment {
        id: EnvironmentId::new(1),
        uuid: Uuid::nil(),
        project_id: ProjectId::new(1),
        name: "Production".to_owned(),
        slug: "production".to_owned(),
        api_key: "key".into(),
        description: None,
        minimum_change_request_approvals: None,
        allow_client_traits: true,
        banner_text: None,
        banner_colour: None,
        hide_disabled_flags: None,
        use_identity_composite_key_for_hashing: true,
        hide_sensitive_data: false,
        use_v2_feature_versioning: false,
        use_identity_overrides_in_local_eval: true,
        hash: Hash::Flagsmith,
        disabled_as: DisabledAs::Auto,
        revision: 3,
        updated_at: Timestamp::from_micros(5),
        next_change_at: None,
        created_at: Timestamp::default(),
    }
}

pub(crate) fn organisation() -> Organisation {
    Organisation {
        id: OrganisationId::new(1),
        uuid: Uuid::nil(),
        name: "Organisation".to_owned(),
        webhook_notification_email: None,
        persist_trait_data: true,
        restrict_project_create_to_admin: false,
        force_2fa: false,
        stop_serving_flags: false,
        created_at: Timestamp::default(),
    }
}
