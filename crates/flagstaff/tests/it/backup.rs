//! `flagstaff backup`, `restore` and `move`: nothing is lost, and SDKs are answered as before.

use crate::database::Database;
use crate::http::{block_on, client, get};
use crate::server::{Server, fail_with, flagstaff, succeed};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

const CLIENT_KEY: &str = "UBnd9LaJWZK8V94xe87cJc";
const SERVER_KEY: &str = "ser.ImportedServerKey2345";

/// A database with a demo project, an imported Flagsmith environment with people in it, and an audit log.
fn filled(database: &Database) {
    let document =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/environment_document.json");
    let import = ["import", "flagsmith", "--server-key", SERVER_KEY];
    succeed(flagstaff(database).args(import).arg(document));
    succeed(flagstaff(database).args([
        "bootstrap",
        "--admin-password",
        "correct horse battery",
        "--api-key",
        "ser.local-dev-only",
    ]));
    let server = Server::start(database);
    for (person, version) in [("grace", "2.1.0"), ("ada", "1.0.0"), ("größe 😀", "0.1")] {
        let body = serde_json::json!({
            "identifier": person,
            "traits": [
                {"trait_key": "app_version", "trait_value": version},
                {"trait_key": "age", "trait_value": 0.1},
                {"trait_key": "member", "trait_value": true},
            ],
        });
        let status = block_on(async {
            let request = client()
                .post(format!("{}/api/v1/identities/", server.url))
                .header("X-Environment-Key", CLIENT_KEY);
            request.json(&body).send().await.unwrap().status()
        });
        assert_eq!(status, 200);
    }
    server.stop();
}

/// What SDKs are told, to the byte where it does not tell the time.
fn answers(database: &Database) -> Vec<Value> {
    let server = Server::start(database);
    let ask = |path: &str, key: &str| {
        let (status, answer) = get(&format!("{}/api/v1/{path}", server.url), key);
        assert_eq!(status, 200, "{path}");
        answer
    };
    let mut answers = vec![
        ask("flags/", CLIENT_KEY),
        ask("environment-document/", SERVER_KEY),
        ask("flagd/flags.json", "ser.local-dev-only"),
    ];
    for person in [
        "grace",
        "ada",
        "gr%C3%B6%C3%9Fe%20%F0%9F%98%80",
        "nobody",
        "person-7",
    ] {
        answers.push(ask(&format!("identities/?identifier={person}"), CLIENT_KEY));
    }
    server.stop();
    answers
}

/// The summary of a backup: rows and name of each table.
fn tables(printed: &str) -> Vec<&str> {
    let (tables, _) = printed.trim_end().rsplit_once('\n').unwrap();
    tables.lines().collect()
}

fn back_up(database: &Database, name: &str) -> (PathBuf, String) {
    let file = database.folder().join(name);
    let printed = succeed(flagstaff(database).args(["backup", "--to"]).arg(&file));
    (file, printed)
}

/// The lines of a backup but the first and the last, which tell when it was made.
fn rows(file: &Path) -> String {
    let text = succeed(Command::new("gzip").args(["-dc"]).arg(file));
    let (_, rest) = text.split_once('\n').unwrap();
    let (rows, _) = rest.trim_end().rsplit_once('\n').unwrap();
    rows.to_owned()
}

/// Carries everything to another database by a file, and to a third by `move`.
fn carry(first: &Database, second: &Database, third: &Database) {
    filled(first);
    let (file, written) = back_up(first, "first.backup");

    let restored = succeed(flagstaff(second).arg("restore").arg(&file));
    let moved = succeed(flagstaff(second).args(["move", "--to", &third.url()]));

    assert!(tables(&written).len() > 25, "{written}");
    assert_eq!(tables(&written), tables(&restored));
    assert_eq!(tables(&written), tables(&moved));
    let (second_file, _) = back_up(second, "second.backup");
    let (third_file, _) = back_up(third, "third.backup");
    assert!(rows(&file) == rows(&second_file));
    assert!(rows(&file) == rows(&third_file));
    let audit = |database| succeed(flagstaff(database).args(["audit", "verify"]));
    assert!(audit(first).contains("ok "), "{}", audit(first));
    assert_eq!(audit(first), audit(second));
    assert_eq!(audit(first), audit(third));
    let before = answers(first);
    assert_eq!(before, answers(second));
    assert_eq!(before, answers(third));
}

#[test]
fn a_file_moves_to_postgres_and_back() {
    let Some(server) = Database::postgres() else {
        return;
    };
    carry(&Database::sqlite(), &server, &Database::sqlite());
}

#[test]
fn a_server_moves_to_a_file_and_back() {
    let (Some(first), Some(last)) = (Database::postgres(), Database::postgres()) else {
        return;
    };
    carry(&first, &Database::sqlite(), &last);
}

#[test]
fn a_file_moves_to_another_file() {
    carry(
        &Database::sqlite(),
        &Database::sqlite(),
        &Database::sqlite(),
    );
}

#[test]
fn a_backup_is_made_while_the_server_serves() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let key = server.printed_after("client key").unwrap().to_owned();

    let (file, _) = back_up(&database, "running.backup");

    let (status, flags) = get(&format!("{}/api/v1/flags/", server.url), &key);
    assert_eq!(status, 200);
    server.stop();
    let copy = Database::sqlite();
    succeed(flagstaff(&copy).arg("restore").arg(&file));
    let server = Server::start(&copy);
    let (status, restored) = get(&format!("{}/api/v1/flags/", server.url), &key);
    assert_eq!((status, restored), (200, flags));
}

#[test]
fn a_backup_goes_through_a_pipe() {
    let database = Database::sqlite();
    succeed(flagstaff(&database).arg("bootstrap"));
    let copy = Database::sqlite();
    let binary = env!("CARGO_BIN_EXE_flagstaff");

    let script = format!(
        "{binary} backup --to - | {binary} restore --database-url '{}' -",
        copy.url()
    );
    let mut shell = Command::new("bash");
    shell
        .env("FLAGSTAFF_SERVER__DATABASE_URL", database.url())
        .args(["-euo", "pipefail", "-c", &script]);
    let printed = succeed(&mut shell);

    assert!(printed.contains("restored"), "{printed}");
    succeed(flagstaff(&copy).args(["audit", "verify"]));
}

#[test]
fn a_backup_is_for_its_owner_alone_and_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let database = Database::sqlite();
    succeed(flagstaff(&database).arg("migrate"));
    let (file, _) = back_up(&database, "one.backup");
    let before = std::fs::read(&file).unwrap();

    let mut again = flagstaff(&database);
    let (_, errors) = fail_with(1, again.args(["backup", "--to"]).arg(&file));

    assert!(errors.contains("is there already"), "{errors}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let left: Vec<_> = std::fs::read_dir(database.folder()).unwrap().collect();
    let partial = left.iter().flatten();
    assert!(
        !partial
            .map(|entry| entry.file_name())
            .any(|name| name == "one.backup.partial")
    );
}

#[test]
fn nothing_is_restored_into_a_database_that_is_used_or_in_use() {
    let database = Database::sqlite();
    succeed(flagstaff(&database).arg("bootstrap"));
    let (file, _) = back_up(&database, "one.backup");
    let empty = Database::sqlite();
    let server = Server::start_with(&empty, &[("FLAGSTAFF_SERVER__DEMO", "false")]);

    let (_, used) = fail_with(1, flagstaff(&database).arg("restore").arg(&file));
    let (_, in_use) = fail_with(1, flagstaff(&empty).arg("restore").arg(&file));
    server.stop();

    assert!(used.contains("is not empty"), "{used}");
    assert!(in_use.contains("another flagstaff is running"), "{in_use}");
    // An empty database that a server has had is as good as a new one.
    succeed(flagstaff(&empty).arg("restore").arg(&file));
}

#[test]
fn a_file_that_was_cut_off_leaves_no_database() {
    let database = Database::sqlite();
    succeed(flagstaff(&database).arg("bootstrap"));
    let (file, _) = back_up(&database, "one.backup");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let target = Database::sqlite();

    let (_, errors) = fail_with(1, flagstaff(&target).arg("restore").arg(&file));

    assert!(errors.contains("was cut off"), "{errors}");
    assert!(errors.contains("nothing was changed"), "{errors}");
    assert!(!target.folder().join("flagstaff.db").exists());
}

#[test]
fn what_is_called_wrongly_is_told_with_exit_code_2() {
    let database = Database::sqlite();
    let run = |arguments: &[&str]| fail_with(2, flagstaff(&database).args(arguments)).1;

    assert!(run(&["restore", "nothing.backup"]).contains("cannot read nothing.backup"));
    assert!(run(&["move"]).contains("--to"));
    assert!(run(&["move", "--to", "mysql://x"]).contains("--to begins neither with"));
    assert!(run(&["move", "--to", &database.url()]).contains("are those of one database"));
    assert!(run(&["backup"]).contains("--to"));
    assert!(run(&["health"]).contains("names no port"));
}

#[test]
fn nothing_is_made_of_a_database_that_is_not_there() {
    let database = Database::sqlite();
    let run = |arguments: &[&str]| fail_with(1, flagstaff(&database).args(arguments)).1;
    let target = database.folder().join("target.db");
    let to = format!("sqlite:{}", target.display());

    assert!(run(&["backup", "--to", "x.backup"]).contains("does not exist"));
    assert!(run(&["audit", "verify"]).contains("does not exist"));
    assert!(run(&["move", "--to", &to]).contains("does not exist"));
    assert!(!target.exists());
    assert!(!database.folder().join("x.backup").exists());
    assert!(!database.folder().join("flagstaff.db").exists());
}

#[test]
fn a_changed_audit_entry_is_found() {
    let Some(database) = Database::postgres() else {
        return;
    };
    succeed(flagstaff(&database).arg("bootstrap"));
    database.sql("UPDATE audit_entries SET summary = 'nothing' WHERE sequence = 2");

    let (printed, _) = fail_with(1, flagstaff(&database).args(["audit", "verify"]));

    assert!(
        printed.contains("entry 2 was changed or is missing"),
        "{printed}"
    );
}

#[test]
fn the_health_of_a_running_server_is_asked_for_without_curl() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let (_, port) = server.url.rsplit_once(':').unwrap();
    let listen = format!("0.0.0.0:{port}");
    let ask = |more: &[&str]| {
        let mut health = flagstaff(&database);
        health
            .env("FLAGSTAFF_SERVER__LISTEN", &listen)
            .arg("health");
        health.args(more);
        health
    };

    succeed(&mut ask(&[]));
    succeed(&mut ask(&["--ready"]));
    server.stop();

    let (_, errors) = fail_with(1, &mut ask(&[]));
    assert!(errors.contains("does not answer"), "{errors}");
}
