use super::polls::{BOTH, DIAGNOSTICS, FLAGS, Served};
use crate::face::{Face, Reply, SERVER_KEY};
use flate2::read::GzDecoder;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::io::Read as _;

fn control(reply: &Reply) -> Json {
    reply.json()["flags"]["banner"]["variants"]["control"].clone()
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// The tag that these bytes have to carry.
fn tag_of(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

#[tokio::test]
async fn requirement_08_the_tag_is_strong_and_of_the_exact_bytes() {
    let face = Face::start_with_flagd().await;

    for path in BOTH {
        let plain = face.polled(path).await;
        let again = face.polled(path).await;
        let packed = face.poll(path, &[("accept-encoding", "gzip")]).await;

        assert_eq!(plain.tag(), tag_of(&plain.body));
        assert_eq!((again.tag(), &again.body), (plain.tag(), &plain.body));
        assert_eq!(packed.tag(), tag_of(&packed.body));
        if packed.header("content-encoding") == Some("gzip") {
            assert_ne!(packed.tag(), plain.tag());
            assert_eq!(unpacked(&packed.body), plain.body);
        }
        let vary = packed.header("vary").unwrap();
        for name in ["Accept-Encoding", "Authorization", "X-Environment-Key"] {
            assert!(vary.contains(name), "{vary}");
        }
    }
    let packed = face.poll(FLAGS, &[("accept-encoding", "gzip")]).await;
    assert_eq!(
        packed.header("content-encoding"),
        Some("gzip"),
        "it is large enough"
    );
}

#[tokio::test]
async fn requirement_08_who_holds_the_bytes_is_told_so_without_a_body() {
    let face = Face::start_with_flagd().await;
    let tag = face.polled(FLAGS).await.tag().to_owned();
    let packed = face.poll(FLAGS, &[("accept-encoding", "gzip")]).await;
    let check = async |headers: &[(&str, &str)], expected: u16| {
        let reply = face.poll(FLAGS, headers).await;
        if expected == 304 {
            reply.assert_not_modified();
        }
        assert_eq!(reply.status, expected, "{headers:?}");
    };

    check(&[("if-none-match", &tag)], 304).await;
    check(&[("if-none-match", &format!("W/{tag}"))], 304).await;
    check(&[("if-none-match", &format!("\"x\", {tag}"))], 304).await;
    check(&[("if-none-match", "*")], 304).await;
    check(
        &[("if-none-match", packed.tag()), ("accept-encoding", "gzip")],
        304,
    )
    .await;
    check(&[("if-none-match", "\"x\"")], 200).await;
    // The tag of another document, or of another encoding, is not this one's.
    let other = face.polled(DIAGNOSTICS).await;
    check(&[("if-none-match", other.tag())], 200).await;
    check(&[("if-none-match", packed.tag())], 200).await;
}

#[tokio::test]
async fn requirement_08_the_head_alone_can_be_asked_for() {
    let face = Face::start_with_flagd().await;
    let full = face.polled(FLAGS).await;

    let ask = face
        .keyless("HEAD", FLAGS)
        .header("x-environment-key", SERVER_KEY);
    let head = ask.send().await;
    let ask = face
        .keyless("HEAD", FLAGS)
        .header("x-environment-key", SERVER_KEY);
    let held = ask.header("if-none-match", full.tag()).send().await;

    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(
        (head.tag(), head.last_modified()),
        (full.tag(), full.last_modified())
    );
    let length = full.body.len().to_string();
    assert_eq!(head.header("content-length"), Some(length.as_str()));
    assert_eq!(held.status, 304);
}

/// Property: over any row of changes, equal bytes have equal tags and different bytes different ones.
#[tokio::test]
async fn requirement_08_the_tag_changes_exactly_when_the_bytes_do() {
    let served = Served::open().await;
    let mut bytes_by_tag: HashMap<String, Vec<u8>> = HashMap::new();
    let mut tag_by_bytes: HashMap<Vec<u8>, String> = HashMap::new();
    let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut note = |reply: &Reply| {
        assert_eq!(reply.status, 200);
        let (tag, bytes) = (reply.tag().to_owned(), reply.body.to_vec());
        assert_eq!(
            bytes_by_tag.entry(tag.clone()).or_insert(bytes.clone()),
            &bytes
        );
        assert_eq!(tag_by_bytes.entry(bytes).or_insert(tag.clone()), &tag);
    };

    for step in 0..60 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        match random % 6 {
            0 => served.set(json!({ "enabled": random % 12 < 6 })).await,
            1 => {
                served
                    .set(json!({ "feature_state_value": format!("v{}", random % 3) }))
                    .await
            }
            2 => {
                let body = json!({ "name": format!("feature-{step}") });
                served.desk.make_feature(body).await;
            }
            3 => {
                let form = if random % 12 < 6 { "lean" } else { "typed" };
                let path = served.desk.in_project("integrations/flagd/");
                served.desk.patch(&path, json!({ "form": form })).await;
            }
            // Nothing changes.
            _ => served.desk.face.pass_seconds(1),
        }
        note(&served.poll(&[]).await);
        note(&served.poll(&[("accept-encoding", "gzip")]).await);
    }

    assert!(bytes_by_tag.len() > 10, "{}", bytes_by_tag.len());
}

#[tokio::test]
async fn requirement_08_another_node_makes_the_same_bytes() {
    let face = Face::start_with_flagd().await;
    let here = face.polled(FLAGS).await;

    let there = face.second_node().await.poll(FLAGS, &[]).await;

    assert_eq!((there.tag(), &there.body), (here.tag(), &here.body));
    assert_eq!(there.last_modified(), here.last_modified());
}

#[tokio::test]
async fn requirement_09_a_time_counts_where_there_is_no_tag() {
    let face = Face::start_with_flagd().await;
    face.pass_seconds(60);
    let held = face.polled(FLAGS).await;
    let (tag, time) = (held.tag(), held.last_modified());
    let earlier = "Sat, 01 Jan 2000 00:00:00 GMT";
    let check = async |headers: &[(&str, &str)], expected: u16| {
        let reply = face.poll(FLAGS, headers).await;
        if expected == 304 {
            reply.assert_not_modified();
        }
        assert_eq!(reply.status, expected, "{headers:?}");
    };

    check(&[("if-modified-since", time)], 304).await;
    check(&[("if-modified-since", earlier)], 200).await;
    check(&[("if-modified-since", "yesterday")], 200).await;
    // Of both the tag decides.
    check(
        &[("if-modified-since", time), ("if-none-match", "\"x\"")],
        200,
    )
    .await;
    check(
        &[("if-modified-since", earlier), ("if-none-match", tag)],
        304,
    )
    .await;
}

#[tokio::test]
async fn requirement_10_two_changes_within_a_second_are_told_apart() {
    let face = Face::start_with_flagd().await;
    let first = face.polled(FLAGS).await;

    face.update_within_the_second().await;
    let second = face.polled(FLAGS).await;

    assert_ne!(first.tag(), second.tag());
    let since = [("if-modified-since", first.last_modified())];
    assert_eq!(
        face.poll(FLAGS, &since).await.status,
        200,
        "it changed since"
    );
    let held = [("if-none-match", first.tag())];
    assert_eq!(face.poll(FLAGS, &held).await.status, 200);
}

#[tokio::test]
async fn requirement_10_what_is_deleted_does_not_turn_the_time_back() {
    let served = Served::open().await;
    let body = json!({ "name": "fleeting", "default_enabled": true });
    let fleeting = served.desk.make_feature(body).await;
    served.desk.face.pass_seconds(60);
    let before = served.poll(&[]).await;
    let path = served.desk.in_project(&format!("features/{fleeting}/"));

    assert_eq!(served.desk.delete(&path).await.status, 204);
    served.desk.face.pass_seconds(60);
    let after = served
        .poll(&[("if-modified-since", before.last_modified())])
        .await;

    assert_eq!(after.status, 200);
    assert_eq!(after.json()["flags"].get("fleeting"), None);
    let seconds = |reply: &Reply| flagstaff_wire::time::parse_http_date(reply.last_modified());
    assert!(seconds(&after) > seconds(&before));
}

#[tokio::test]
async fn requirement_10_a_scheduled_change_is_there_with_the_first_poll_after_its_time() {
    let served = Served::open().await;
    let desk = &served.desk;
    desk.use_versions().await;
    let environment = desk.get(&desk.in_environment("")).await.json();
    let path = format!(
        "/api/v1/environments/{}/features/{}/versions/",
        environment["id"], served.feature
    );
    // Ten minutes after tests begin.
    let body = json!({
        "publish_immediately": true,
        "live_from": "2026-11-21T00:30:00Z",
        "feature_states_to_update": [{
            "feature_segment": null,
            "enabled": true,
            "feature_state_value": { "type": "unicode", "string_value": "later" },
        }],
    });
    let made = desk.post(&path, body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    desk.face.pass_seconds(60);
    let before = served.poll(&[]).await;
    let (tag, time) = (before.tag().to_owned(), before.last_modified().to_owned());
    assert_eq!(control(&before), "hello");
    served
        .poll(&[("if-none-match", &tag)])
        .await
        .assert_not_modified();
    served
        .poll(&[("if-modified-since", &time)])
        .await
        .assert_not_modified();

    desk.face.pass_seconds(600);
    let by_tag = served.poll(&[("if-none-match", &tag)]).await;
    let by_time = served.poll(&[("if-modified-since", &time)]).await;

    assert_eq!((by_tag.status, by_time.status), (200, 200));
    assert_eq!(
        (control(&by_tag), control(&by_time)),
        (json!("later"), json!("later"))
    );
    assert_ne!(by_tag.tag(), tag);
    desk.face.pass_seconds(60);
    let settled = served.poll(&[]).await;
    assert_eq!(
        settled.tag(),
        by_tag.tag(),
        "once live, nothing changes any more"
    );
    let seconds = |text: &str| flagstaff_wire::time::parse_http_date(text).unwrap();
    assert!(seconds(settled.last_modified()) >= seconds("Sat, 21 Nov 2026 00:30:00 GMT"));
}
