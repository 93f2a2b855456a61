//! What the recorded environment lacks.

use crate::face::{CLIENT_KEY, Face};
use flagstaff_core::{Condition, Rule, RuleKind, SegmentId};
use flagstaff_service::{
    FeatureReference, KeyNeed, OpenEnvironment, OverrideChange, SegmentRequest, StatePatch,
    ValueChange,
};
use flagstaff_testkit::sql;
use serde_json::{Value as Json, json};

impl Face {
    /// The environment as it is now.
    pub async fn opened(&self) -> OpenEnvironment {
        let open = self
            .service
            .open_environment(Some(CLIENT_KEY), KeyNeed::Any);
        open.await.unwrap()
    }

    /// Switches a feature on or off.
    pub async fn switch(&self, feature: &str, enabled: bool) {
        let patch = StatePatch {
            enabled: Some(enabled),
            ..StatePatch::default()
        };
        self.change(feature, Some(patch), Vec::new()).await;
    }

    /// Gives a feature another text.
    pub async fn set_text(&self, feature: &str, text: &str) {
        let patch = StatePatch {
            value: Some(ValueChange::Text(Some(text.to_owned()))),
            ..StatePatch::default()
        };
        self.change(feature, Some(patch), Vec::new()).await;
    }

    async fn change(
        &self,
        feature: &str,
        default: Option<StatePatch>,
        overrides: Vec<OverrideChange>,
    ) {
        self.pass_seconds(1);
        let feature = FeatureReference::Name(feature.to_owned());
        self.service
            .update_flag(&self.caller, CLIENT_KEY, &feature, default, overrides)
            .await
            .unwrap();
    }

    /// Schedules another value of `limit` for a minute after the beginning.
    pub async fn schedule_limit(&self) {
        sql::execute(&self.store, include_str!("schedule.sql")).await;
    }

    /// Makes a segment of one condition.
    pub async fn segment(&self, name: &str, property: &str, operator: &str, value: &str) {
        let condition = Condition {
            id: None,
            operator: operator.to_owned(),
            property: Some(property.to_owned()),
            value: Some(value.to_owned()),
            description: None,
        };
        let rule = |kind, rules, conditions| Rule {
            id: None,
            kind,
            rules,
            conditions,
        };
        let any = rule(RuleKind::Any, Vec::new(), vec![condition]);
        let request = SegmentRequest {
            name: name.to_owned(),
            description: None,
            feature_id: None,
            hash: None,
            rules: vec![rule(RuleKind::All, vec![any], Vec::new())],
        };
        let project = self.opened().await.snapshot().project.id;
        self.service
            .create_segment(&self.caller, project, request)
            .await
            .unwrap();
    }

    /// Overrides an integer feature, switched on, for a segment.
    pub async fn override_for(&self, feature: &str, segment: &str, value: &str) {
        let change = OverrideChange {
            segment_id: self.segment_id(segment).await,
            priority: None,
            patch: StatePatch {
                enabled: Some(true),
                value: Some(ValueChange::Integer(value.parse().unwrap())),
                ..StatePatch::default()
            },
        };
        self.change(feature, None, vec![change]).await;
    }

    async fn segment_id(&self, name: &str) -> SegmentId {
        let open = self.opened().await;
        let mut segments = open.snapshot().segments.iter();
        let found = segments.find(|part| part.segment.name == name);
        found.unwrap().segment.id
    }

    /// Has a trait stored, as an SDK does.
    pub async fn store_trait(&self, identifier: &str, key: &str, value: &str) {
        self.store_trait_with(CLIENT_KEY, identifier, key, value)
            .await;
    }

    pub async fn store_trait_with(
        &self,
        environment_key: &str,
        identifier: &str,
        key: &str,
        value: &str,
    ) {
        let body = json!({
            "identifier": identifier,
            "traits": [{"trait_key": key, "trait_value": value}],
        });
        let reply = self.identify(environment_key, &body).await;
        assert!(reply["flags"].is_array(), "{reply}");
    }

    /// What `identities/` answers.
    pub async fn identify(&self, environment_key: &str, body: &Json) -> Json {
        let ask = self
            .keyless("POST", "/api/v1/identities/")
            .header("x-environment-key", environment_key)
            .header("content-type", "application/json")
            .body(body.to_string());
        ask.send().await.json()
    }
}
