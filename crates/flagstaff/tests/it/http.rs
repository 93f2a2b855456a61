//! Plain requests for tests that need no SDK.

use serde_json::Value;
use std::future::Future;

/// Runs one future to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Posts JSON and gives the JSON of an answer that has to be good.
pub fn post(url: &str, body: &Value) -> Value {
    block_on(async {
        let answer = reqwest::Client::new()
            .post(url)
            .json(body)
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{url}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    })
}

/// Asks as a member who signed in, and gives the JSON of an answer that has to be good.
pub fn get_as(token: &str, url: &str) -> Value {
    block_on(async {
        let request = reqwest::Client::new()
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
        let request = reqwest::Client::new()
            .get(url)
            .header("X-Environment-Key", key);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap())
    })
}
