//! The disk is full: what has to be stored is refused, what needs no storing is answered, and nothing is damaged.

use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use crate::skipped::skip;
use serde_json::{Value as Json, json};
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A disk of a few megabytes; gone when it is dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, said aloud, where nothing may be mounted.
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        skip("a small disk can be mounted by root alone");
        None
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the space that is left.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).unwrap();
        for block in [65_536, 512, 1] {
            while file.write_all(&vec![b'x'; block]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn with_the_disk_full_reads_are_answered_writes_refused_and_nothing_is_damaged() {
    let Some(disk) = SmallDisk::mount() else {
        return;
    };
    let database = Database::sqlite_in(disk.path());
    let prepared = Desk::prepare(&database);
    let server = Server::start(&database);
    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "banner").await;
        assert_eq!(desk.set(&server, state, "before").await.status, 200);
        let trait_of = |number: usize, value: Json| {
            (
                format!("somebody-{number}"),
                json!([{ "trait_key": "about", "trait_value": value }]),
            )
        };
        let store = async |number, value| {
            let (identifier, traits) = trait_of(number, value);
            desk.identify(&server, &identifier, traits).await
        };
        assert_eq!(store(0, json!("first")).await.status, 200);

        let filler = disk.fill();
        // What SQLite had reserved is used up first.
        let mut stored = 0;
        let refused = loop {
            let answer = store(stored + 1, json!("x".repeat(2000))).await;
            if answer.status != 200 {
                break answer;
            }
            stored += 1;
            assert!(stored < 10_000, "the disk is not full");
        };
        assert_eq!(refused.status, 503, "{refused:?}");
        assert!(refused.json["detail"].is_string(), "{refused:?}");
        let mut changes = Vec::new();
        for number in 0..5 {
            changes.push(
                desk.set(&server, state, format!("during {number}"))
                    .await
                    .status,
            );
        }

        // Some may have found a little room; none may have been said to be stored and be lost.
        let accepted = changes.iter().rposition(|status| *status == 200);
        assert!(
            changes.iter().all(|status| [200, 503].contains(status)),
            "{changes:?}\n{}",
            server.log()
        );
        let expected = accepted.map_or("before".to_owned(), |number| format!("during {number}"));
        assert_eq!(desk.flag(&server, "banner").await, expected.as_str());
        assert_eq!(
            desk.trait_value(&server, "somebody-0", "about").await,
            "first"
        );
        let transient = json!([{ "trait_key": "x", "trait_value": 1, "transient": true }]);
        let known = desk.identify(&server, "somebody-0", transient).await;
        assert_eq!(known.status, 200, "{known:?}");
        assert_eq!(desk.ask(&server, "", "/health/liveness/").await.status, 200);

        std::fs::remove_file(filler).unwrap();
        let begun = Instant::now();
        while store(0, json!("last")).await.status != 200 {
            assert!(
                begun.elapsed() < Duration::from_secs(5),
                "writes stay refused"
            );
        }
        assert_eq!(desk.set(&server, state, "after").await.status, 200);
        assert_eq!(desk.flag(&server, "banner").await, "after");
        for number in 1..=stored {
            let value = desk
                .trait_value(&server, &format!("somebody-{number}"), "about")
                .await;
            assert_eq!(
                value.as_str().map(str::len),
                Some(2000),
                "somebody-{number} of {stored}"
            );
        }
        assert!(!server.log().contains("panicked"), "{}", server.log());
    });
    server.kill();

    let again = Server::start(&database);
    again.stop();
    let file = disk.path().join("flagstaff.db");
    let findings = block_on(flagstaff_testkit::sql::integrity(&file));
    assert_eq!(findings, ["ok"]);
}
