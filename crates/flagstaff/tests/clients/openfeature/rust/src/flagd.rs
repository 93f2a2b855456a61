//! Crate `open-feature-flagd`: asking about each flag, and evaluating for itself.

use crate::answers::{check_cases, check_shares, open_client, placed, text};
use crate::conversation::{ask, change, wait_until};
use crate::variable;
use open_feature_flagd::{FlagdOptions, FlagdProvider, ResolverType};
use serde_json::json;

fn options() -> FlagdOptions {
    let url = variable("SERVER_URL");
    let (host, port) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once(':')
        .unwrap();
    FlagdOptions {
        host: host.to_owned(),
        port: port.parse().unwrap(),
        deadline_ms: 10_000,
        retry_backoff_ms: 100,
        retry_backoff_max_ms: 500,
        retry_grace_period: 60,
        cache_settings: None,
        ..FlagdOptions::default()
    }
}

/// This one can bring a key only as the authority of its calls, which it has for proxies.
fn asking(key: &str) -> FlagdOptions {
    let options = options();
    FlagdOptions {
        target_uri: Some(format!("envoy://{}:{}/{key}", options.host, options.port)),
        resolver_type: ResolverType::Rpc,
        ..options
    }
}

fn by_itself(key: &str) -> FlagdOptions {
    FlagdOptions {
        selector: Some(key.to_owned()),
        resolver_type: ResolverType::InProcess,
        ..options()
    }
}

/// It opens no stream of events, so that nothing tells it to forget what it would cache: the cache is off.
pub async fn rpc() {
    let provider = FlagdProvider::new(asking(&variable("SERVER_KEY")))
        .await
        .unwrap();
    let client = open_client("flagd", provider).await;
    check_cases(&client, "rust-rpc").await;

    let colours = placed(&client, "colour").await;
    check_shares(&colours);
    assert_eq!(placed(&client, "colour").await, colours);

    change("banner", &json!("Changed"));
    assert_eq!(text(&client, "banner", "anna").await, "Changed");

    ask("stop");
    assert_eq!(text(&client, "banner", "anna").await, "none");
    ask("start");
    wait_until(
        || async { text(&client, "banner", "anna").await == "Changed" },
        "an answer after the restart",
    )
    .await;

    let provider = FlagdProvider::new(asking("ser.wrong")).await.unwrap();
    let wrong = open_client("wrong", provider).await;
    let refused = wrong
        .get_string_value("banner", None, None)
        .await
        .unwrap_err();
    let said = format!("{:?}", refused.code);
    assert!(
        said.contains("authentication/authorization error"),
        "{said}"
    );
}

pub async fn in_process() {
    let provider = FlagdProvider::new(by_itself(&variable("SERVER_KEY")))
        .await
        .unwrap();
    let client = open_client("flagd", provider).await;
    check_cases(&client, "rust-in-process").await;

    // With the hash of this generation the server puts everybody where this program puts them.
    let provider = FlagdProvider::new(asking(&variable("SERVER_KEY")))
        .await
        .unwrap();
    let asked = open_client("rpc", provider).await;
    let colours = placed(&client, "colour").await;
    check_shares(&colours);
    assert_eq!(placed(&asked, "colour").await, colours);
    for flag in ["op-third", "op-equal"] {
        let (here, there) = (placed(&client, flag).await, placed(&asked, flag).await);
        for (person, said) in &there {
            // Version 1 of the protocol has no absent value, and this provider makes an empty text of it.
            let said = if said.is_empty() { "none" } else { said };
            assert_eq!(said, here[person], "{flag} of {person}");
        }
    }

    // What the server adds to every context counts as if the caller had sent it.
    assert_eq!(text(&client, "op-by-region", "anna").await, "yes");

    change("banner", &json!("Changed"));
    wait_until(
        || async { text(&client, "banner", "anna").await == "Changed" },
        "the change",
    )
    .await;

    // The server goes away, which changes nothing here, and comes back.
    ask("stop");
    assert_eq!(text(&client, "banner", "anna").await, "Changed");
    ask("start");
    change("banner", &json!("Back again"));
    wait_until(
        || async { text(&client, "banner", "anna").await == "Back again" },
        "the value after the restart",
    )
    .await;

    // The provider has no error for a refusal: it goes on trying, and knows no flag.
    let limit = std::time::Duration::from_secs(2);
    let provider = tokio::time::timeout(limit, FlagdProvider::new(by_itself("ser.wrong"))).await;
    assert!(provider.is_err(), "a provider with a wrong key got ready");
}
