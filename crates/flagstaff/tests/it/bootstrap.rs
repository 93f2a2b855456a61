//! `flagstaff bootstrap` and `flagstaff dev`: a first set-up without clicks.

use crate::database::Database;
use crate::http::{get, get_as, post};
use crate::server::{Server, fail_with, flagstaff, succeed};
use serde_json::{Value as Json, json};

const KEY: &str = "ser.pinned-for-this-test";
/// Listeners on free ports, so that tests do not meet.
const DEV: [&str; 5] = [
    "dev",
    "--set",
    "flagd.sync_listen=127.0.0.1:0",
    "--set",
    "flagd.evaluation_listen=127.0.0.1:0",
];

/// A member who signed in.
struct Admin<'s> {
    server: &'s Server,
    token: String,
}

impl<'s> Admin<'s> {
    fn sign_in(server: &'s Server, email: &str, password: &str) -> Self {
        let login = format!("{}/api/v1/auth/login/", server.url);
        let answer = post(&login, &json!({ "email": email, "password": password }));
        let token = answer["key"].as_str().unwrap().to_owned();
        Self { server, token }
    }

    fn get(&self, path: &str) -> Json {
        get_as(&self.token, &format!("{}/api/v1/{path}", self.server.url))
    }
}

fn printed_after<'a>(printed: &'a str, word: &str) -> Option<&'a str> {
    printed
        .lines()
        .find_map(|line| line.strip_prefix(word).map(str::trim))
}

#[test]
fn requirement_33_bootstrap_makes_everything_under_the_names_it_is_given() {
    let database = Database::sqlite();
    let output = database.folder().join("a/b/flagd.env");
    let arguments = [
        "bootstrap",
        "--organisation",
        "Acme",
        "--project",
        "Shop",
        "--environment",
        "Staging",
        "--api-key-name",
        "poller",
        "--api-key",
        KEY,
        "--admin-email",
        "ada@example.com",
        "--admin-password",
        "correct horse battery",
        "--output",
    ];

    let printed = succeed(flagstaff(&database).args(arguments).arg(&output));

    let line = format!("FLAGSMITH_SERVER_KEY={KEY}");
    assert_eq!(printed.lines().next(), Some(line.as_str()));
    assert_eq!(
        std::fs::read_to_string(&output).unwrap(),
        format!("{line}\n")
    );
    assert_eq!(
        printed_after(&printed, "sign in with"),
        Some("ada@example.com")
    );
    assert_eq!(
        printed_after(&printed, "password"),
        None,
        "it was given: {printed}"
    );
    let server = Server::start(&database);
    let admin = Admin::sign_in(&server, "ada@example.com", "correct horse battery");
    let organisations = admin.get("organisations/");
    assert_eq!(organisations["results"][0]["name"], "Acme");
    let projects = admin.get("projects/");
    assert_eq!(
        (&projects[0]["name"], projects.as_array().unwrap().len()),
        (&json!("Shop"), 1)
    );
    let project = &projects[0]["id"];
    let environments = admin.get(&format!("environments/?project={project}"));
    assert_eq!(environments["results"][0]["name"], "Staging");
    let environment = environments["results"][0]["api_key"].as_str().unwrap();
    let keys = admin.get(&format!("environments/{environment}/api-keys/"));
    assert_eq!(
        (&keys[0]["name"], &keys[0]["key"]),
        (&json!("poller"), &json!(KEY))
    );
    let flagd = admin.get(&format!("projects/{project}/integrations/flagd/"));
    assert_eq!(flagd[0]["enabled"], true);
    let me = admin.get("auth/users/me/");
    assert_eq!(
        (&me["email"], &me["is_superuser"]),
        (&json!("ada@example.com"), &json!(true))
    );
}

#[test]
fn requirement_33_bootstrap_again_changes_nothing_that_is_there() {
    let database = Database::sqlite();
    let first = succeed(flagstaff(&database).arg("bootstrap"));
    let password = printed_after(&first, "password").unwrap().to_owned();

    let again = succeed(flagstaff(&database).arg("bootstrap"));

    let key = printed_after(&first, "FLAGSMITH_SERVER_KEY=").unwrap();
    assert_eq!(printed_after(&again, "FLAGSMITH_SERVER_KEY="), Some(key));
    assert_eq!(
        printed_after(&again, "client key"),
        printed_after(&first, "client key")
    );
    assert_eq!(printed_after(&again, "password"), None);
    let server = Server::start(&database);
    let projects = Admin::sign_in(&server, "admin@example.com", &password).get("projects/");
    assert_eq!(projects.as_array().unwrap().len(), 1);
    assert_eq!(projects[0]["name"], "local-dev");
}

#[test]
fn requirement_33_a_pinned_key_replaces_the_one_of_its_name() {
    let database = Database::sqlite();
    let first = succeed(flagstaff(&database).arg("bootstrap"));
    let old = printed_after(&first, "FLAGSMITH_SERVER_KEY=").unwrap();

    succeed(flagstaff(&database).args(["bootstrap", "--api-key", KEY]));

    let server = Server::start(&database);
    let document = format!("{}/api/v1/environment-document/", server.url);
    assert_eq!(get(&document, old).0, 403);
    assert_eq!(get(&document, KEY).0, 200);
}

#[test]
fn requirement_33_a_key_that_is_none_is_refused_before_anything_is_made() {
    let database = Database::sqlite();

    let (_, problem) = fail_with(
        2,
        flagstaff(&database).args(["bootstrap", "--api-key", "client-side"]),
    );

    assert!(
        problem.contains("--api-key: a server key begins with `ser.`"),
        "{problem}"
    );
    assert!(
        !problem.contains("client-side"),
        "keys are not repeated: {problem}"
    );
    assert!(!database.folder().join("flagstaff.db").exists());
}

#[test]
fn dev_serves_a_project_to_flagd_and_says_how_to_ask() {
    let database = Database::sqlite();
    let server = Server::start_as(&DEV, &database, &[]);

    let key = server.printed_after("server key").unwrap();
    assert_eq!(key, "ser.local-dev-only");
    let password = server.printed_after("password").unwrap();
    let admin = Admin::sign_in(&server, "admin@example.com", password);
    let projects = admin.get("projects/");
    assert_eq!(projects.as_array().unwrap().len(), 1, "no demo beside it");
    let project = &projects[0]["id"];
    let flagd = admin.get(&format!("projects/{project}/integrations/flagd/"));
    assert_eq!(flagd[0]["enabled"], true);
    let sync = server
        .printed_after("export FLAGD_RESOLVER=in-process FLAGD_HOST=127.0.0.1")
        .unwrap();
    let port = sync
        .split("FLAGD_PORT=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert!(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok());
    let client_key = server.printed_after("client key").unwrap();
    assert_eq!(
        get(&format!("{}/api/v1/flags/", server.url), client_key).0,
        200
    );
    server.stop();

    let again = Server::start_as(&DEV, &database, &[]);
    assert_eq!(
        again.printed_after("server key"),
        Some("ser.local-dev-only")
    );
    assert_eq!(again.printed_after("password"), None, "it is not set anew");
}

#[test]
fn dev_gives_the_key_that_everybody_knows_to_nobody_but_this_machine() {
    let database = Database::sqlite();

    let (_, problem) = fail_with(
        2,
        flagstaff(&database).args(["dev", "--listen", "0.0.0.0:0"]),
    );

    assert!(
        problem.contains("give another one with --api-key"),
        "{problem}"
    );
    assert!(!database.folder().join("flagstaff.db").exists());
}

#[test]
fn requirement_32_documents_are_logged_without_their_key() {
    let database = Database::sqlite();
    let server = Server::start_as(&DEV, &database, &[("FLAGSTAFF_LOG__LEVEL", "debug")]);
    let key = server.printed_after("server key").unwrap().to_owned();

    for document in ["flags", "diagnostics"] {
        let url = format!("{}/api/v1/flagd/{document}.json", server.url);
        assert_eq!(get(&url, &key).0, 200);
    }

    let log = server.log();
    assert!(log.contains("document.served"), "{log}");
    assert!(log.contains("diagnostics.served"), "{log}");
    assert!(!log.contains(&key), "the key is in the log");
}
