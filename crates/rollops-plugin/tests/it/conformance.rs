//! The checks of Rollops' own kit for providers of flags, over the wire, and what the kit does not look at: what the
//! server holds afterwards.

use crate::flagsmith::{serve, world};
use crate::host::{Plugin, invocation, step};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn rol_15_canary_range_every_share_of_a_canary_is_applied() {
    for versioned in [false, true] {
        let mut start = world();
        start.versioned = versioned;
        let (fake, shared) = serve(start);
        let plugin = Plugin::launch(&fake.variables());

        for percentage in [0, 1, 25, 50, 100] {
            plugin
                .apply(&step("checkout", percentage, false))
                .await
                .unwrap();

            let now = shared.lock().unwrap().clone();
            assert_eq!(
                (now.enabled, now.value),
                (true, json!(percentage.to_string()))
            );
            assert_eq!(
                now.weights,
                [(1, 30.0), (2, 20.0)],
                "weights are not ours in this mode"
            );
        }
    }
}

#[tokio::test]
async fn rol_15_idempotent_the_same_share_twice_is_written_once() {
    let (fake, _) = serve(world());
    let plugin = Plugin::launch(&fake.variables());

    for _ in 0..2 {
        plugin.apply(&step("checkout", 50, false)).await.unwrap();
    }

    assert_eq!(fake.writes().len(), 1);
}

#[tokio::test]
async fn rol_15_disabled_a_rollback_turns_the_flag_off() {
    let (fake, shared) = serve(world());
    let plugin = Plugin::launch(&fake.variables());

    plugin.apply(&step("checkout", 0, true)).await.unwrap();

    let now = shared.lock().unwrap().clone();
    assert_eq!((now.enabled, now.value), (false, json!("0")));
    assert_eq!(
        fake.writes().len(),
        1,
        "one write, which is done wholly or not at all"
    );
}

#[tokio::test]
async fn rol_15_honours_context_a_call_that_is_given_up_writes_nothing() {
    let (fake, shared) = serve(world());
    let slow = crate::fake::Fake::start({
        let shared = std::sync::Arc::clone(&shared);
        move |asked| {
            std::thread::sleep(Duration::from_millis(400));
            crate::flagsmith::answer(&mut shared.lock().unwrap(), asked)
        }
    });
    drop(fake);
    let plugin = Plugin::launch(&slow.variables());
    let channel = plugin.channel().await;
    let message = invocation(&step("checkout", 50, false));

    let call = crate::host::call(channel.clone(), "InvokeTool", &message, None);
    let given_up = tokio::time::timeout(Duration::from_millis(100), call).await;

    assert!(given_up.is_err());
    let asked = slow.asked().len();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(slow.asked().len() <= asked.max(2), "{:?}", slow.asked());
    assert!(slow.writes().is_empty());
    assert!(plugin.call("GetManifest", b"").await.is_ok());
}
