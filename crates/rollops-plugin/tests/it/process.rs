//! ROL-1 and ROL-2: how the process begins and ends.

use crate::fake::{Fake, Reply};
use crate::host::{BINARY, Plugin, invocation, plugin, step};
use serde_json::json;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::process::Stdio;
use std::time::Duration;

#[test]
fn rol_1_it_is_one_file_that_needs_no_arguments() {
    let plugin = Plugin::launch(&[]);

    assert!(plugin.line.starts_with("ROLLOPS_PLUGIN|"));
    assert!(!std::fs::symlink_metadata(BINARY).unwrap().is_symlink());
}

#[test]
fn rol_2_the_handshake_is_the_line_that_the_host_waits_for() {
    let plugin = Plugin::launch(&[]);

    let fields: Vec<&str> = plugin.line.split('|').collect();
    assert_eq!(
        fields[..3],
        ["ROLLOPS_PLUGIN", "1", "ROLLOPS_TARGET_PLUGIN_V1"]
    );
    assert_eq!(fields.len(), 4);
    let address = plugin.address();
    assert!(address.is_absolute() && address.as_os_str().len() < 108);
    // Whoever reads the line may connect at once.
    let socket = std::fs::metadata(&address).unwrap();
    assert!(socket.file_type().is_socket());
    let folder = std::fs::metadata(address.parent().unwrap()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
    assert!(plugin.took < Duration::from_secs(5), "{:?}", plugin.took);
}

#[tokio::test]
async fn rol_2_it_ends_with_its_standard_input_and_leaves_nothing_behind() {
    let mut plugin = Plugin::launch(&[]);
    plugin.call("GetManifest", b"").await.unwrap();

    let (status, took) = plugin.close();

    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
    assert_eq!(
        std::fs::read_dir(plugin.temporary.path()).unwrap().count(),
        0
    );
}

#[tokio::test]
async fn rol_2_it_ends_with_a_signal_and_leaves_nothing_behind() {
    for name in ["-TERM", "-INT"] {
        let mut plugin = Plugin::launch(&[]);
        // A connection that stays open must not hold it.
        let _idle = plugin.channel().await;

        let (status, took) = plugin.signal(name);

        assert_eq!(status.code(), Some(0), "{name}");
        assert!(took < Duration::from_secs(3), "{name}: {took:?}");
        assert_eq!(
            std::fs::read_dir(plugin.temporary.path()).unwrap().count(),
            0
        );
    }
}

#[tokio::test]
async fn rol_2_a_call_under_way_does_not_hold_it_longer_than_the_host_waits() {
    let late = Reply::Late(
        Duration::from_secs(20),
        Box::new(Reply::Json(200, json!({}))),
    );
    let fake = Fake::start(move |_| late.clone());
    let mut plugin = Plugin::launch(&fake.variables());
    let channel = plugin.channel().await;
    let message = invocation(&step("checkout", 25, false));
    let call = crate::host::call(channel, "InvokeTool", &message, None);
    assert!(
        tokio::time::timeout(Duration::from_millis(300), call)
            .await
            .is_err()
    );

    let (status, took) = plugin.close();

    assert_eq!(status.code(), Some(0));
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[test]
fn rol_2_a_host_that_reads_nothing_gets_a_failure_and_no_crash() {
    let temporary = tempfile::Builder::new()
        .prefix("p")
        .tempdir_in("/tmp")
        .unwrap();
    let mut child = plugin(temporary.path(), &[])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop((child.stdout.take(), child.stderr.take()));

    let _ = child.stdin.take();
    let status = child.wait().unwrap();

    // 101 would be a panic. Whether the line still found its pipe is a matter of who was quicker.
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn rol_2_two_may_run_at_once() {
    let (one, other) = (Plugin::launch(&[]), Plugin::launch(&[]));

    assert_ne!(one.address(), other.address());
}
