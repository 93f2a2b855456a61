//! Plain requests for tests that need no SDK.

use serde_json::Value;
use std::future::Future;
use std::sync::Once;

/// Runs one future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// A client with nothing set.
pub fn client() -> reqwest::Client {
    builder().build().unwrap()
}

/// A client that is still to be set up. Its TLS needs to be told whose cryptography it has.
pub fn builder() -> reqwest::ClientBuilder {
    static CHOSEN: Once = Once::new();
    CHOSEN.call_once(|| {
        let ring = rustls::crypto::ring::default_provider();
        ring.install_default().unwrap();
    });
    reqwest::Client::builder()
}

/// Posts JSON and gives the JSON of an answer that has to be good.
pub fn post(url: &str, body: &Value) -> Value {
    block_on(async {
        let answer = client().post(url).json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    })
}

/// Asks as a member who signed in, and gives the JSON of an answer that has to be good.
pub fn get_as(token: &str, url: &str) -> Value {
    block_on(async {
        let request = client()
            .get(url)
            .header("Authorization", format!("Token {token}"));
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    })
}

/// Asks with an environment key; gives status and JSON.
pub fn get(url: &str, key: &str) -> (u16, Value) {
    block_on(async {
        let request = client().get(url).header("X-Environment-Key", key);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    })
}
