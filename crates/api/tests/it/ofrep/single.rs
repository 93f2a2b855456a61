//! One flag.

use super::*;
use flagstaff_core::{Identifier, Timestamp};
use flagstaff_service::EnvironmentPatch;

#[tokio::test]
async fn values_come_in_their_types() {
    let face = Face::start().await;
    let somebody = json!({ "targetingKey": "u1" });

    let text = flag(&face, "banner", somebody.clone()).await;
    let integer = flag(&face, "limit", somebody.clone()).await;
    let split = flag(&face, "colour", somebody).await;

    assert_eq!(
        text,
        json!({"key": "banner", "reason": "DEFAULT", "variant": "control", "value": "hello", "metadata": {}})
    );
    assert!(integer["value"].is_i64(), "{integer}");
    assert_eq!(split["reason"], "SPLIT");
}

#[tokio::test]
async fn a_flag_without_a_value_is_boolean() {
    let face = Face::start().await;
    face.switch("simple", true).await;

    let simple = flag(&face, "simple", json!({})).await;

    assert_eq!(
        simple,
        json!({"key": "simple", "reason": "STATIC", "variant": "control", "value": true, "metadata": {}})
    );
}

#[tokio::test]
async fn a_flag_that_is_off_leaves_the_value_to_the_caller() {
    let face = Face::start().await;

    let off = flag(&face, "numtext", json!({ "targetingKey": "u1" })).await;

    assert_eq!(
        off,
        json!({"key": "numtext", "reason": "DISABLED", "metadata": {}})
    );
}

#[tokio::test]
async fn sent_attributes_and_overrides_of_an_identity_count() {
    let face = Face::start().await;

    let pro = flag(&face, "banner", on_plan("u1", "pro")).await;
    let bob = flag(&face, "banner", on_plan("bob", "pro")).await;
    let nobody_on_pro = flag(&face, "banner", json!({ "plan": "pro" })).await;

    assert_eq!(
        (&pro["value"], &pro["reason"]),
        (&json!("pro-banner"), &json!("TARGETING_MATCH"))
    );
    assert_eq!(bob["value"], "changed", "the identity's own is stronger");
    assert_eq!(
        nobody_on_pro["value"], "pro-banner",
        "attributes need no identifier"
    );
}

#[tokio::test]
async fn without_an_identifier_a_split_gives_control_and_says_so() {
    let face = Face::start().await;

    for context in [json!({}), json!({ "targetingKey": "" }), json!(null)] {
        let colour = flag(&face, "colour", context).await;
        assert_eq!(
            colour,
            json!({
                "key": "colour", "reason": "DEFAULT", "variant": "control", "value": "red",
                "metadata": { "targeting_key_missing": true }
            })
        );
    }
}

#[tokio::test]
async fn names_are_exact_and_may_hold_anything() {
    let face = Face::start().await;

    for name in ["has space", "a/b", "été"] {
        face.switch(name, true).await;
        assert_eq!(flag(&face, name, json!({})).await["key"], name);
    }
    let unencoded = format!("{LIST}/a/b");
    let unencoded = ask(&face, &unencoded).send().await;
    assert_eq!(unencoded.json()["key"], "a/b");
    for name in ["BANNER", "nothing", "banner/", " banner"] {
        let reply = ask(&face, &path(name)).send().await;
        shapes::check_single(&reply);
        assert_eq!(reply.status, 404, "{name}");
        assert_eq!(
            reply.json(),
            json!({"key": name, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "flag not found"})
        );
    }
    let no_text = ask(&face, &format!("{LIST}/%ff")).send().await;
    shapes::check_single(&no_text);
    assert_eq!(no_text.status, 404);
}

#[tokio::test]
async fn a_client_learns_of_no_segment_and_of_nothing_for_servers_only() {
    let face = Face::start().await;
    let context = on_plan("u1", "pro");

    let client = flag(&face, "banner", context.clone()).await;
    let server = flag_with(&face, SERVER_KEY, "banner", context.clone()).await;
    let secret = ask(&face, &path("secret-flag")).send().await;
    let secret_for_servers = flag_with(&face, SERVER_KEY, "secret-flag", context).await;

    assert_eq!(
        (&client["variant"], &client["metadata"]),
        (&json!("override"), &json!({}))
    );
    assert_eq!(server["variant"], "override_pro");
    assert_eq!(
        server["metadata"],
        json!({"flagsmith.reason": "TARGETING_MATCH; segment=pro", "flagsmith.segment": "pro"})
    );
    assert_eq!(secret.status, 404);
    assert_eq!(secret_for_servers["value"], "s3");
}

#[tokio::test]
async fn flags_that_are_off_are_not_there_where_those_are_hidden() {
    let face = Face::start().await;
    face.update_environment(EnvironmentPatch {
        hide_disabled_flags: Some(Some(true)),
        ..EnvironmentPatch::default()
    })
    .await;

    let hidden = ask(&face, &path("numtext")).send().await;
    let all = list(&face, json!({ "targetingKey": "u1" })).await;

    shapes::check_single(&hidden);
    assert_eq!(hidden.status, 404);
    assert!(item(&all, "numtext").is_none());
    assert!(item(&all, "banner").is_some());
}

#[tokio::test]
async fn nobody_becomes_known_by_asking_and_nothing_sent_is_kept() {
    let face = Face::start().await;

    let sent = flag(&face, "banner", on_plan("eve", "pro")).await;
    let after = flag(&face, "banner", json!({ "targetingKey": "eve" })).await;
    let eve = Identifier::parse("eve").unwrap();
    let environment = face.opened().await.snapshot().environment.id;
    let stored = face.store.stored_identity(environment, &eve).await;

    assert_eq!(sent["value"], "pro-banner");
    assert_eq!(after["value"], "hello");
    assert_eq!(stored.unwrap(), None);
}

#[tokio::test]
async fn stored_traits_count_below_what_is_sent() {
    let face = Face::start().await;
    face.store_trait("eve", "plan", "pro").await;

    let stored = flag(&face, "banner", json!({ "targetingKey": "eve" })).await;
    let sent = flag(&face, "banner", on_plan("eve", "free")).await;
    let taken_away = json!({ "targetingKey": "eve", "plan": null });
    let taken_away = flag(&face, "banner", taken_away).await;

    assert_eq!(stored["value"], "pro-banner");
    assert_eq!(sent["value"], "hello");
    assert_eq!(taken_away["value"], "hello");
}

#[tokio::test]
async fn somebody_who_was_unknown_is_known_once_they_are_stored() {
    let face = Face::start().await;
    let eve = || flag(&face, "banner", json!({ "targetingKey": "eve" }));

    let before = eve().await;
    face.store_trait("eve", "plan", "pro").await;
    let after = eve().await;

    assert_eq!(before["value"], "hello");
    assert_eq!(after["value"], "pro-banner");
}

#[tokio::test]
async fn attributes_of_clients_are_ignored_where_clients_may_send_none() {
    let face = Face::start().await;
    face.set_allow_client_traits(false).await;
    face.store_trait_with(SERVER_KEY, "eve", "plan", "pro")
        .await;

    let client = flag(&face, "banner", on_plan("u1", "pro")).await;
    let server = flag_with(&face, SERVER_KEY, "banner", on_plan("u1", "pro")).await;
    let stored = flag(&face, "banner", on_plan("eve", "free")).await;

    assert_eq!(client["value"], "hello");
    assert_eq!(server["value"], "pro-banner");
    assert_eq!(stored["value"], "pro-banner");
}

#[tokio::test]
async fn each_request_for_a_flag_counts_as_its_evaluation() {
    let face = Face::start().await;

    flag(&face, "banner", json!({ "targetingKey": "u1" })).await;
    flag(&face, "banner", json!({})).await;
    flag_with(&face, SERVER_KEY, "banner", on_plan("u2", "pro")).await;
    face.service.flush_usage().await.unwrap();

    let open = face.opened().await;
    let index = open.snapshot().rules.feature_index("banner").unwrap();
    let (environment, feature) = {
        let snapshot = open.snapshot();
        (snapshot.environment.id, snapshot.features[index].feature.id)
    };
    let counted = face
        .store
        .count_evaluations(environment, feature, Timestamp::default());
    assert_eq!(counted.await.unwrap(), 3);
    let always = (Timestamp::default(), Timestamp::from_micros(i64::MAX));
    let variants = face.store.variant_sums(environment, feature, always).await;
    // The segment's own value is an override: whose, is not kept.
    let expected = [("control".to_owned(), 2), ("override".to_owned(), 1)];
    assert_eq!(variants.unwrap(), expected);
}
