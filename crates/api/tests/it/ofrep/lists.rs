//! All flags at once, and their tags.

use super::*;

async fn tag(face: &Face, key: &str, context: Json) -> String {
    let reply = list_with(face, key, context).await;
    reply.header("etag").unwrap().to_owned()
}

async fn again(face: &Face, context: Json, held: &str) -> Reply {
    let body = json!({ "context": context }).to_string();
    let reply = ask(face, LIST).header("if-none-match", held).body(body);
    let reply = reply.send().await;
    shapes::check_list(&reply);
    reply
}

#[tokio::test]
async fn every_flag_is_what_it_is_when_it_is_asked_for_alone() {
    let face = Face::start().await;

    for key in KEYS {
        for context in [
            json!({}),
            json!({ "plan": "pro" }),
            on_plan("bob", "pro"),
            on_plan("alice@example.com", "free"),
            json!({ "targetingKey": "u1" }),
            json!({ "targetingKey": "u2" }),
            json!({ "targetingKey": "u3" }),
        ] {
            // Twice: what is kept is what was written anew.
            for _ in 0..2 {
                let all = list_with(&face, key, context.clone()).await.json();
                let items = all["flags"].as_array().unwrap();
                assert!(items.len() > 10);
                for item in items {
                    let name = item["key"].as_str().unwrap();
                    let alone = flag_with(&face, key, name, context.clone()).await;
                    assert_eq!(*item, alone, "{context}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_list_holds_served_flags_and_flags_that_are_off() {
    let face = Face::start().await;

    let all = list(&face, json!({ "targetingKey": "u1" })).await;

    assert_eq!(item(&all, "numtext").unwrap()["reason"], "DISABLED");
    assert_eq!(item(&all, "banner").unwrap()["value"], "hello");
    assert!(item(&all, "secret-flag").is_none());
    assert_eq!(all.json()["metadata"], json!({}));
}

#[tokio::test]
async fn a_tag_stays_until_something_changes() {
    let face = Face::start().await;
    let context = on_plan("u1", "pro");
    let first = tag(&face, CLIENT_KEY, context.clone()).await;

    assert_eq!(tag(&face, CLIENT_KEY, context.clone()).await, first);
    let shuffled = json!({ "plan": "pro", "targetingKey": "u1" });
    assert_eq!(tag(&face, CLIENT_KEY, shuffled).await, first);

    let mut others = vec![
        first,
        tag(&face, SERVER_KEY, context.clone()).await,
        tag(&face, CLIENT_KEY, on_plan("u1", "free")).await,
        tag(&face, CLIENT_KEY, on_plan("u2", "pro")).await,
        tag(&face, CLIENT_KEY, json!({ "plan": "pro" })).await,
        tag(&face, CLIENT_KEY, json!({ "targetingKey": "u1" })).await,
        tag(&face, CLIENT_KEY, json!({})).await,
        tag(
            &face,
            CLIENT_KEY,
            json!({ "targetingKey": "u1", "plan": true }),
        )
        .await,
        tag(
            &face,
            CLIENT_KEY,
            json!({ "targetingKey": "u1", "plan": "true" }),
        )
        .await,
        tag(&face, CLIENT_KEY, json!({ "targetingKey": "u1", "n": 1 })).await,
        tag(&face, CLIENT_KEY, json!({ "targetingKey": "u1", "n": 1.5 })).await,
    ];
    let whole = json!({ "targetingKey": "u1", "n": 1.0 });
    assert!(
        others.contains(&tag(&face, CLIENT_KEY, whole).await),
        "1.0 is 1"
    );
    face.set_text("banner", "other").await;
    others.push(tag(&face, CLIENT_KEY, context.clone()).await);
    face.store_trait("u1", "age", "7").await;
    others.push(tag(&face, CLIENT_KEY, context).await);
    let count = others.len();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), count, "each has a tag of its own");
}

#[tokio::test]
async fn who_holds_the_answer_is_told_that_it_holds_and_nothing_else() {
    let face = Face::start().await;

    for context in [json!({}), on_plan("u1", "pro")] {
        let first = tag(&face, CLIENT_KEY, context.clone()).await;
        for held in [
            first.clone(),
            format!("W/{first}"),
            format!("\"other\", {first}"),
            "*".to_owned(),
        ] {
            let reply = again(&face, context.clone(), &held).await;
            assert_eq!(reply.status, 304, "{held}");
            assert_eq!(reply.header("etag"), Some(&*first));
        }
        let reply = again(&face, context.clone(), "\"other\"").await;
        assert_eq!(reply.status, 200);

        face.set_text("banner", &format!("after {first}")).await;
        let changed = again(&face, context, &first).await;
        assert_eq!(changed.status, 200);
    }
    let other_context = tag(&face, CLIENT_KEY, on_plan("u1", "pro")).await;
    let reply = again(&face, on_plan("u1", "free"), &other_context).await;
    assert_eq!(reply.status, 200, "another context is another answer");
}

#[tokio::test]
async fn the_tag_follows_the_way_to_the_stream_so_that_no_client_keeps_an_old_one() {
    let face = Face::start().await;
    let first = list(&face, json!({})).await;

    face.pass_seconds(3600);
    let later = again(&face, json!({}), first.header("etag").unwrap()).await;

    assert_eq!(later.status, 200);
    assert_ne!(stream_path(&first), stream_path(&later));
}

#[tokio::test]
async fn hints_of_something_newer_are_no_conditions() {
    let face = Face::start().await;
    let plain = list(&face, json!({})).await;

    for hint in [
        "flagConfigEtag=1795220400250001",
        "flagConfigEtag=%229999999999999999%22&flagConfigLastModified=9999999999",
        "flagConfigLastModified=2026-11-21T00:00:00Z",
        "flagConfigLastModified=nonsense",
    ] {
        let reply = ask(&face, &format!("{LIST}?{hint}")).send().await;
        shapes::check_list(&reply);
        assert_eq!(reply.body, plain.body, "{hint}");
    }
}

#[tokio::test]
async fn a_scheduled_change_is_in_the_answer_and_in_the_tag_once_its_time_comes() {
    let face = Face::start().await;
    face.schedule_limit().await;
    let before = list(&face, json!({})).await;

    face.pass_seconds(61);
    face.service.apply_due_changes().await.unwrap();
    let after = list(&face, json!({})).await;

    assert_eq!(item(&before, "limit").unwrap()["value"], 10);
    assert_eq!(item(&after, "limit").unwrap()["value"], 99);
    assert_ne!(before.header("etag"), after.header("etag"));
}
