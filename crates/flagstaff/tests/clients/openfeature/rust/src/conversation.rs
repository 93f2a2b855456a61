//! Somebody who changes flags and restarts the server: the test that runs this, told by lines of standard output.

use serde_json::Value;
use std::future::Future;
use std::time::{Duration, Instant};

/// Has something done.
pub fn ask(command: &str) {
    println!("{command}");
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).unwrap();
    assert_eq!(answer.trim(), "done", "{command}");
}

pub fn change(feature: &str, value: &Value) {
    ask(&format!("change {feature} {value}"));
}

pub async fn wait_until<F: Future<Output = bool>>(condition: impl Fn() -> F, what: &str) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition().await {
        assert!(Instant::now() < end, "not within 30 s: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
