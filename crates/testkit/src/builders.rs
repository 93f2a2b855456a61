//! New rows with only the fields that matter; tests change the others.

use flagstaff_core::{
    Condition, EnvironmentId, FeatureId, FeatureKind, FeatureName, Identifier, OrganisationId,
    ProjectId, Rule, RuleKind, StateValue, Timestamp, ValueType,
};
use flagstaff_store::{
    Action, Actor, AuditEntry, AuditSubjects, Change, NewEnvironment, NewFeature, NewFeatureState,
    NewIdentity, NewMember, NewOption, NewOrganisation, NewProject, NewSegment, NewServerKey,
    NewStateOwner, Noun, Touched,
};
use uuid::Uuid;

/// When tests play.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

/// So many microseconds after [`NOW`].
#[must_use]
pub const fn later(micros: i64) -> Timestamp {
    NOW.plus_micros(micros)
}

/// A feature's name.
#[must_use]
pub fn name(text: &str) -> FeatureName {
    FeatureName::parse(text).expect("a name")
}

/// A digest of a secret, as long as real ones are.
#[must_use]
pub fn digest(text: &str) -> String {
    format!("{text:0<64}")
}

/// An organisation.
#[must_use]
pub fn new_organisation(name: &str) -> NewOrganisation {
    NewOrganisation {
        uuid: Uuid::new_v4(),
        name: name.to_owned(),
        webhook_notification_email: None,
    }
}

/// A project whose slug is its name.
#[must_use]
pub fn new_project(organisation_id: OrganisationId, name: &str) -> NewProject {
    NewProject {
        id: None,
        uuid: Uuid::new_v4(),
        organisation_id,
        name: name.to_owned(),
        slug: name.to_owned(),
    }
}

/// An environment whose slug is its name, with a key of its own.
#[must_use]
pub fn new_environment(project_id: ProjectId, name: &str) -> NewEnvironment {
    NewEnvironment {
        id: None,
        uuid: Uuid::new_v4(),
        project_id,
        name: name.to_owned(),
        slug: name.to_owned(),
        api_key: Uuid::new_v4().simple().to_string().into(),
    }
}

/// An active server-side key with a text of its own.
#[must_use]
pub fn new_server_key(environment_id: EnvironmentId, name: &str) -> NewServerKey {
    NewServerKey {
        environment_id,
        name: name.to_owned(),
        key: format!("ser.{}", Uuid::new_v4().simple()).into(),
        active: true,
        expires_at: None,
    }
}

/// A standard feature that is off and has no value.
#[must_use]
pub fn new_feature(project_id: ProjectId, feature: &str) -> NewFeature {
    NewFeature {
        id: None,
        uuid: Uuid::new_v4(),
        project_id,
        name: name(feature),
        kind: FeatureKind::Standard,
        default_enabled: false,
        initial_value: None,
        description: None,
        is_archived: false,
        is_server_key_only: false,
        hash: None,
        value_type: ValueType::Auto,
        expected_removal: None,
        options: Vec::new(),
        owners: Vec::new(),
        tags: Vec::new(),
    }
}

/// An option with a text and a default weight.
#[must_use]
pub fn new_option(value: &str, weight: f64) -> NewOption {
    NewOption {
        id: None,
        uuid: Uuid::new_v4(),
        key: None,
        value: StateValue::of_text(Some(value)),
        default_percentage_allocation: weight,
    }
}

/// A state that is on, has no value and is live from [`NOW`].
#[must_use]
pub fn new_state(
    environment_id: EnvironmentId,
    feature_id: FeatureId,
    owner: NewStateOwner,
) -> NewFeatureState {
    NewFeatureState {
        uuid: Uuid::new_v4(),
        feature_id,
        environment_id,
        owner,
        enabled: true,
        value: StateValue::default(),
        hash_seed: None,
        weights: Vec::new(),
        version: 1,
        live_from: NOW,
    }
}

/// A segment that everybody is in whose `plan` is `pro`.
#[must_use]
pub fn new_segment(project_id: ProjectId, name: &str) -> NewSegment {
    NewSegment {
        uuid: Uuid::new_v4(),
        project_id,
        feature_id: None,
        name: name.to_owned(),
        description: None,
        hash_key: None,
        hash: None,
        rules: vec![rule(
            RuleKind::All,
            vec![all_of(vec![condition("plan", "EQUAL", "pro")])],
            Vec::new(),
        )],
    }
}

/// A rule that has not been stored.
#[must_use]
pub const fn rule(kind: RuleKind, rules: Vec<Rule>, conditions: Vec<Condition>) -> Rule {
    Rule {
        id: None,
        kind,
        rules,
        conditions,
    }
}

/// A rule of conditions that must all hold.
#[must_use]
pub const fn all_of(conditions: Vec<Condition>) -> Rule {
    rule(RuleKind::All, Vec::new(), conditions)
}

/// A condition that has not been stored.
#[must_use]
pub fn condition(property: &str, operator: &str, value: &str) -> Condition {
    Condition {
        id: None,
        operator: operator.to_owned(),
        property: Some(property.to_owned()),
        value: Some(value.to_owned()),
        description: None,
    }
}

/// An identity first seen at [`NOW`].
#[must_use]
pub fn new_identity(environment_id: EnvironmentId, identifier: &str) -> NewIdentity {
    NewIdentity {
        id: None,
        environment_id,
        identifier: Identifier::parse(identifier).expect("an identifier"),
        created_at: NOW,
    }
}

/// A member without a password.
#[must_use]
pub fn new_member(email: &str) -> NewMember {
    NewMember {
        uuid: Uuid::new_v4(),
        email: email.to_owned(),
        first_name: "Ada".to_owned(),
        last_name: "Admin".to_owned(),
        password_hash: None,
        is_superuser: false,
        sign_up_type: None,
    }
}

/// An entry of an organisation's log, or of the installation's.
#[must_use]
pub fn audit_entry(organisation_id: Option<OrganisationId>, summary: &str) -> AuditEntry {
    AuditEntry {
        organisation_id,
        project_id: None,
        environment_id: None,
        actor: Actor::System {
            name: "test".to_owned(),
        },
        action: Action::Update,
        noun: Noun::Feature,
        object_id: None,
        object_uuid: None,
        summary: summary.to_owned(),
        details: None,
        subjects: AuditSubjects::default(),
    }
}

/// A change made at [`NOW`], told in the installation's log.
#[must_use]
pub fn change(touched: Touched) -> Change {
    Change {
        audit: vec![audit_entry(None, "a test changed something")],
        touched,
        at: NOW,
        outbox: Vec::new(),
    }
}
