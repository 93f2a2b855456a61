//! Segments tried before they are stored, and what is kept of those that came from elsewhere.

use crate::fixture::Fixture;
use flagstaff_core::{Condition, Rule, RuleKind, Value};
use flagstaff_service::{
    IdentityQuestion, Problem, RULE_LIMIT, SegmentPatch, SegmentRequest, SentContext, ServiceError,
    TraitKind, TraitPatch, TrialRequest, Wanted,
};

fn rule(property: &str, operator: &str, value: &str) -> Rule {
    Rule {
        id: None,
        kind: RuleKind::All,
        rules: Vec::new(),
        conditions: vec![Condition {
            id: None,
            operator: operator.to_owned(),
            property: Some(property.to_owned()),
            value: Some(value.to_owned()),
            description: None,
        }],
    }
}

fn request(rules: Vec<Rule>) -> SegmentRequest {
    SegmentRequest {
        name: "professionals".to_owned(),
        description: None,
        feature_id: None,
        hash: None,
        rules,
    }
}

fn trial(rules: Vec<Rule>) -> TrialRequest {
    TrialRequest {
        id: None,
        name: "tried".to_owned(),
        hash: None,
        rules,
    }
}

impl Fixture {
    /// Makes an identity known, with a plan.
    async fn known(&self, identifier: &str, plan: &str) {
        let key = &self.environment.api_key;
        let made = self.service.create_identity(&self.caller, key, identifier);
        let identity = made.await.unwrap();
        let patch = TraitPatch {
            key: Some("plan".to_owned()),
            kind: Some(TraitKind::Text),
            text: Some(plan.to_owned()),
            ..TraitPatch::default()
        };
        let made = self
            .service
            .create_identity_trait(&self.caller, key, identity.id, patch);
        made.await.unwrap();
    }
}

#[tokio::test]
async fn a_segment_is_tried_on_those_who_are_known_and_nothing_is_stored() {
    let fixture = Fixture::new().await;
    let key = &fixture.environment.api_key;
    for (identifier, plan) in [("ada", "pro"), ("bob", "free"), ("eve", "pro")] {
        fixture.known(identifier, plan).await;
    }
    let request = trial(vec![rule("plan", "EQUAL", "pro")]);

    let tried = fixture
        .service
        .try_on_identities(&fixture.caller, key, &request)
        .await
        .unwrap();

    let names: Vec<&str> = tried.first.iter().map(|found| &*found.identifier).collect();
    assert_eq!(names, ["ada", "eve"]);
    assert_eq!(
        (tried.matching, tried.looked_at, tried.is_everybody),
        (2, 3, true)
    );
    let open = fixture.open().await;
    assert!(open.snapshot().segments.is_empty());
}

#[tokio::test]
async fn a_segment_is_tried_on_a_context_with_the_traits_that_are_stored() {
    let fixture = Fixture::new().await;
    let key = &fixture.environment.api_key;
    fixture.known("ada", "pro").await;
    let request = trial(vec![rule("plan", "EQUAL", "pro")]);
    let tries = async |sent: SentContext| {
        let tried = fixture
            .service
            .try_on_context(&fixture.caller, key, &request, sent);
        tried.await.unwrap().trace
    };

    let ada = tries(SentContext::of(Some("ada"))).await;
    let mut overlaid = SentContext::of(Some("ada"));
    overlaid.insert("plan", Value::text("free"));
    let overlaid = tries(overlaid).await;
    let nobody = tries(SentContext::default()).await;

    assert!(ada.matches && !overlaid.matches && !nobody.matches);
    assert_eq!(
        overlaid.shortfalls()[0].conditions[0].seen,
        Value::text("free")
    );
}

#[tokio::test]
async fn a_trial_has_the_limits_of_a_segment() {
    let fixture = Fixture::new().await;
    let rules = vec![rule("plan", "EQUAL", "pro"); RULE_LIMIT + 1];

    let trial = trial(rules);
    let tried =
        fixture
            .service
            .try_on_identities(&fixture.caller, &fixture.environment.api_key, &trial);

    let error = tried.await.unwrap_err();
    assert!(matches!(error, ServiceError::Invalid { .. }), "{error}");
}

#[tokio::test]
async fn an_explanation_names_the_segment_that_won_and_needs_a_server_key() {
    let fixture = Fixture::new().await;
    fixture.feature("checkout", Some("x")).await;
    let open = fixture.open().await;
    let sent = || SentContext::of(Some("ada"));

    let client = fixture
        .service
        .explain(open.clone(), sent(), Wanted::Flags)
        .await;
    let key = &fixture.environment.api_key;
    let open = fixture
        .service
        .open_to_explain(&fixture.caller, key, &sent())
        .await
        .unwrap();
    let told = fixture
        .service
        .explain(open, sent(), Wanted::Flag("checkout"))
        .await
        .unwrap();

    assert!(matches!(client, Err(ServiceError::Forbidden)));
    assert_eq!(told.trace.flags.len(), 1);
    assert_eq!(told.trace.flags[0].value, Value::text("x"));
    assert_eq!(told.recognised.identifier(), Some("ada"));
}

#[tokio::test]
async fn identities_are_found_page_by_page() {
    let fixture = Fixture::new().await;
    let key = &fixture.environment.api_key;
    for identifier in ["user-1", "user-2", "user-3", "USER-4", "other"] {
        fixture.known(identifier, "pro").await;
    }
    let find = async |question: IdentityQuestion, limit| {
        let found = fixture
            .service
            .find_identities(&fixture.caller, key, &question, limit);
        let found = found.await.unwrap();
        let names = found
            .identities
            .iter()
            .map(|found| found.identifier.to_string());
        (names.collect::<Vec<_>>(), found.has_more)
    };
    let beginning = |after: Option<&str>| IdentityQuestion::Beginning {
        text: "user".to_owned(),
        after: after.map(str::to_owned),
    };
    let holding = IdentityQuestion::Holding {
        text: "SER-".to_owned(),
        after: None,
    };

    let names = |names: &[&str]| {
        names
            .iter()
            .map(|&name| name.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        find(beginning(None), 2).await,
        (names(&["user-1", "user-2"]), true)
    );
    assert_eq!(
        find(beginning(Some("user-2")), 2).await,
        (names(&["user-3"]), false)
    );
    assert_eq!(find(holding, 9).await.0.len(), 4);
}

#[tokio::test]
async fn rules_that_nobody_may_write_stay_where_they_are() {
    let fixture = Fixture::new().await;
    let (caller, project) = (&fixture.caller, fixture.project.id);
    let made = fixture.service.create_segment(
        caller,
        project,
        request(vec![rule("plan", "EQUAL", "pro")]),
    );
    let segment = made.await.unwrap();
    // As a document from elsewhere brings them: an import writes rows as they are.
    let mut deep = rule("age", "LIKE", "1");
    for _ in 0..3 {
        deep = Rule {
            rules: vec![deep],
            ..rule("age", "EQUAL", "1")
        };
    }
    let mut write = fixture.store.write().await.unwrap();
    let stored = write.replace_rules(segment.id, &[deep]).await.unwrap();
    let touched = flagstaff_store::Touched {
        projects: vec![project],
        ..flagstaff_store::Touched::default()
    };
    write
        .commit(flagstaff_testkit::change(touched))
        .await
        .unwrap();
    let patch = |rules: Vec<Rule>| SegmentPatch {
        rules: Some(rules),
        ..SegmentPatch::default()
    };
    let update = async |patch| {
        fixture
            .service
            .update_segment(caller, project, segment.id, patch)
            .await
    };

    let mut same = stored.clone();
    same[0].conditions[0].value = Some("2".to_owned());
    let kept = update(patch(same)).await.unwrap();
    let mut deeper = stored;
    deeper = vec![Rule {
        rules: deeper,
        ..rule("age", "EQUAL", "1")
    }];
    let refused = update(patch(deeper)).await.unwrap_err();

    assert_eq!(kept.rules[0].conditions[0].value.as_deref(), Some("2"));
    assert!(
        matches!(
            refused,
            ServiceError::Invalid {
                problem: Problem::RulesTooDeep { limit: 4 },
                ..
            }
        ),
        "{refused}"
    );
}
