//! Crate `open-feature-ofrep`, which asks about each flag over HTTP.

use crate::answers::{check_cases, check_shares, open_client, placed, text};
use crate::conversation::{ask, change, wait_until};
use crate::variable;
use open_feature::Client;
use open_feature_ofrep::{OfrepOptions, OfrepProvider};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

async fn client(name: &str, header: &'static str, value: &str) -> Client {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_str(value).unwrap();
    headers.insert(HeaderName::from_static(header), value);
    let options = OfrepOptions {
        base_url: variable("SERVER_URL"),
        headers,
        ..OfrepOptions::default()
    };
    open_client(name, OfrepProvider::new(options).await.unwrap()).await
}

pub async fn ofrep() {
    let key = variable("SERVER_KEY");
    let client_with_bearer = client("ofrep", "authorization", &format!("Bearer {key}")).await;
    check_cases(&client_with_bearer, "rust-ofrep").await;

    let colours = placed(&client_with_bearer, "colour").await;
    check_shares(&colours);
    assert_eq!(placed(&client_with_bearer, "colour").await, colours);

    // Both headers of the protocol take a key.
    let other = client("other", "x-api-key", &key).await;
    change("banner", &json!("Changed"));
    assert_eq!(text(&other, "banner", "anna").await, "Changed");

    ask("stop");
    assert_eq!(text(&other, "banner", "anna").await, "none");
    ask("start");
    wait_until(
        || async { text(&other, "banner", "anna").await == "Changed" },
        "an answer after the restart",
    )
    .await;

    let wrong = client("wrong", "x-api-key", "ser.wrong").await;
    let refused = wrong
        .get_string_value("banner", None, None)
        .await
        .unwrap_err();
    let said = format!("{:?}", refused.code);
    assert!(said.starts_with("General"), "{said}");
}
