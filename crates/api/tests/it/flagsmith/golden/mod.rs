//! Recorded requests of a running Flagsmith, replayed against us.

pub mod anonymous;
pub mod matcher;
pub mod prelude;
pub mod recording;
pub mod roles;

use crate::face::{Face, Reply};
use recording::Exchange;
use roles::{Kind, Roles};

/// Replays one file; every row has to be answered as expected.
async fn replay(file: &str) {
    let face = Face::start().await;
    prelude::prepare(&face).await;
    let mut exchanges = recording::read(file);
    let token = prelude::sign_in(&face).await;
    let mut roles = Roles::default();
    let mut report = Vec::new();
    for exchange in &mut exchanges {
        prelude::before(&face, file, exchange.number).await;
        // As long as it takes for the second of a change to be over.
        face.pass_seconds(10);
        let reply = send(&face, exchange, &roles, &token).await;
        if exchange.expected.body["identifier"].is_string() {
            anonymous::expect_variants_of(&reply.json(), &mut exchange.expected);
        }
        let problems = matcher::compare(&exchange.expected, &reply, &mut roles);
        if !problems.is_empty() {
            let (number, note) = (exchange.number, &exchange.note);
            let named = exchange.differences.join(", ");
            report.push(format!(
                "row {number} ({note}) [{named}]:\n  {}",
                problems.join("\n  ")
            ));
        }
    }
    let (count, total) = (report.len(), exchanges.len());
    assert!(
        report.is_empty(),
        "{file}: {count} of {total} rows differ\n{}",
        report.join("\n")
    );
}

async fn send(face: &Face, exchange: &Exchange, roles: &Roles, token: &str) -> Reply {
    let mut ask = face.keyless(&exchange.method, &exchange.path);
    for (name, value) in &exchange.request_headers {
        // A client sends back the time that this server told it.
        let name = name.to_ascii_lowercase();
        let ours = if name == "if-modified-since" {
            roles.ours(Kind::Second, value).unwrap_or(value)
        } else if value == prelude::RECORDED_TOKEN {
            token
        } else {
            value
        };
        ask = ask.header(&name, ours);
    }
    if let Some(body) = &exchange.request_body {
        ask = ask.body(body.clone());
    }
    ask.send().await
}

#[tokio::test]
async fn flags_are_answered_as_recorded() {
    replay("10-sdk-flags").await;
}

#[tokio::test]
async fn identities_are_answered_as_recorded() {
    replay("11-sdk-identities").await;
}

#[tokio::test]
async fn traits_are_answered_as_recorded() {
    replay("12-sdk-traits").await;
}

#[tokio::test]
async fn environment_documents_are_answered_as_recorded() {
    replay("13-sdk-environment-document").await;
}

#[tokio::test]
async fn analytics_are_answered_as_recorded() {
    replay("14-sdk-analytics").await;
}

#[tokio::test]
async fn forty_identities_are_in_the_recorded_variants() {
    replay("15-sdk-bucketing").await;
}

#[test]
fn every_reason_for_a_difference_is_documented_and_used() {
    let named = recording::named_differences();
    let page = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/compatibility.md"
    );
    let page = std::fs::read_to_string(page).unwrap();
    let differences = recording::differences();
    let used: Vec<&str> = differences
        .iter()
        .chain([&named["members"]])
        .map(|each| each["why"].as_str().unwrap())
        .collect();

    for (why, sentence) in named["reasons"].as_object().unwrap() {
        let sentence = sentence.as_str().unwrap();
        assert!(
            page.contains(&format!("- {sentence}\n")),
            "`{sentence}` is not in compatibility.md"
        );
        assert!(used.contains(&why.as_str()), "no row differs for `{why}`");
    }
    for why in used {
        assert!(
            named["reasons"][why].is_string(),
            "`{why}` is not explained"
        );
    }
}
