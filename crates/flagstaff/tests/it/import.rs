//! `flagstaff import flagsmith`: what was exported from a Flagsmith is served here as it was there.

use crate::database::Database;
use crate::http::get;
use crate::server::{Server, fail_with, flagstaff, succeed};
use serde_json::Value;
use std::path::{Path, PathBuf};

const CLIENT_KEY: &str = "UBnd9LaJWZK8V94xe87cJc";

/// A file recorded from a running Flagsmith.
fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn document() -> PathBuf {
    golden("environment_document.json")
}

#[test]
fn an_imported_document_keeps_the_variant_of_every_identity() {
    let database = Database::sqlite();
    succeed(
        flagstaff(&database)
            .args(["import", "flagsmith"])
            .arg(document()),
    );
    let server = Server::start(&database);

    let recorded = std::fs::read_to_string(golden("bucketing.json")).unwrap();
    let recorded: Vec<Value> = serde_json::from_str(&recorded).unwrap();
    assert!(recorded.len() >= 40, "{} identities", recorded.len());
    for expected in recorded {
        let path = expected["path"].as_str().unwrap();
        let (status, flag) = get(&format!("{}{path}", server.url), CLIENT_KEY);
        assert_eq!(status, 200, "{path}");
        assert_eq!(
            flag["feature_state_value"], expected["feature_state_value"],
            "{path}"
        );
        assert_eq!(flag["variant"], expected["variant"], "{path}");
    }
}

#[test]
fn a_second_import_of_the_same_file_is_refused_and_changes_nothing() {
    let database = Database::sqlite();
    succeed(
        flagstaff(&database)
            .args(["import", "flagsmith"])
            .arg(document()),
    );

    let (_, errors) = fail_with(
        1,
        flagstaff(&database)
            .args(["import", "flagsmith"])
            .arg(document()),
    );

    assert!(errors.contains(CLIENT_KEY), "{errors}");
    assert!(errors.contains("in use"), "{errors}");
    let server = Server::start(&database);
    let (status, _) = get(&format!("{}/api/v1/flags/", server.url), CLIENT_KEY);
    assert_eq!(status, 200);
}

#[test]
fn an_import_prints_the_keys_and_leaves_room_for_the_first_member() {
    let database = Database::sqlite();

    let key = "ser.ImportedServerKey2345";
    let arguments = ["import", "flagsmith", "--server-key", key];
    let printed = succeed(flagstaff(&database).args(arguments).arg(document()));

    assert!(printed.contains(CLIENT_KEY), "{printed}");
    assert!(printed.contains(key), "{printed}");
    let server = Server::start(&database);
    assert!(
        server.printed_after("sign in once").is_some(),
        "{:?}",
        server.printed
    );
    // Not a demo on top of what was imported.
    assert_eq!(server.printed_after("client key"), None);
    let (status, document) = get(&format!("{}/api/v1/environment-document/", server.url), key);
    assert_eq!(status, 200);
    assert_eq!(document["api_key"], CLIENT_KEY);
}

#[test]
fn a_file_that_is_no_document_is_refused_with_the_place_of_the_mistake() {
    let database = Database::sqlite();
    let path = database.folder().join("broken.json");
    let check = |text: &str, expected: &str| {
        std::fs::write(&path, text).unwrap();
        let (_, errors) = fail_with(
            1,
            flagstaff(&database)
                .args(["import", "flagsmith"])
                .arg(&path),
        );
        assert!(errors.contains(expected), "{errors}");
    };

    check("{", "not JSON");
    check("[]", "must be an object");
    check(r#"{"api_key": "x"}"#, "is missing");
    let missing = ["import", "flagsmith", "/does/not/exist"];
    let (_, errors) = fail_with(2, flagstaff(&database).args(missing));
    assert!(errors.contains("/does/not/exist"), "{errors}");
}

#[test]
fn a_server_key_without_its_prefix_is_wrong_usage() {
    let database = Database::sqlite();
    let arguments = ["import", "flagsmith", "--server-key", "secret"];

    let (_, errors) = fail_with(2, flagstaff(&database).args(arguments).arg(document()));

    assert!(errors.contains("ser."), "{errors}");
    assert!(!errors.contains("secret\""), "{errors}");
}

#[test]
fn importing_while_the_server_runs_is_refused() {
    let database = Database::sqlite();
    let _server = Server::start(&database);

    let (_, errors) = fail_with(
        1,
        flagstaff(&database)
            .args(["import", "flagsmith"])
            .arg(document()),
    );

    assert!(errors.contains("another flagstaff is running"), "{errors}");
}
