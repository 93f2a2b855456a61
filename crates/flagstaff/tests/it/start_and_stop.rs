//! Starting, stopping, being killed and starting again.

use crate::database::Database;
use crate::http::{self, block_on, get, post};
use crate::server::{Server, fail_with, flagstaff, succeed};
use futures::StreamExt;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

fn flags(server: &Server, key: &str) -> u16 {
    get(&format!("{}/api/v1/flags/", server.url), key).0
}

#[test]
fn a_first_start_prints_a_curl_line_that_works() {
    let database = Database::sqlite();
    let server = Server::start(&database);

    let line = server
        .printed
        .iter()
        .find(|line| line.starts_with("curl "))
        .unwrap();
    let output = succeed(Command::new("sh").args(["-c", &line.replace("curl ", "curl -sf ")]));

    let flags: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert!(flags.as_array().unwrap().len() >= 4, "{flags}");
    let server_key = server.printed_after("server key").unwrap();
    assert!(server_key.starts_with("ser."));
    let document = format!("{}/api/v1/environment-document/", server.url);
    assert_eq!(get(&document, server_key).0, 200);
    // The link is shown on each start, the demo's keys on the first alone.
    server.stop();
    let again = Server::start(&database);
    assert!(again.printed_after("sign in once").is_some());
    assert_eq!(again.printed_after("client key"), None);
}

#[test]
fn nothing_secret_is_logged() {
    let database = Database::sqlite();
    let server = Server::start_with(&database, &[("FLAGSTAFF_LOG__LEVEL", "debug")]);
    let client = server.printed_after("client key").unwrap().to_owned();
    let secret = server.printed_after("server key").unwrap().to_owned();
    let link = server.printed_after("sign in once").unwrap().to_owned();

    flags(&server, &client);
    get(
        &format!("{}/api/v1/environment-document/", server.url),
        &secret,
    );
    let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
    block_on(async {
        let request = http::client()
            .post(format!("{}/api/v1/identities/", server.url))
            .header("X-Environment-Key", &client)
            .json(&json!({ "identifier": "whoever-this-is", "traits": traits }));
        request.send().await.unwrap();
        http::client().get(&link).send().await.unwrap();
        let stream = format!("{}/sse/environments/wrong-{client}/stream", server.url);
        http::client().get(stream).send().await.unwrap();
    });

    let log = server.log();
    assert!(!log.is_empty());
    let token = link.rsplit('/').next().unwrap();
    for text in [client.as_str(), &secret, token, "whoever-this-is"] {
        assert!(!log.contains(text), "{text} is in the log:\n{log}");
    }
    for line in log.lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "no JSON: {line}"
        );
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill_on_sqlite() {
    kill_and_look_again(&Database::sqlite());
}

#[test]
fn what_was_acknowledged_survives_a_kill_on_postgres() {
    if let Some(database) = Database::postgres() {
        kill_and_look_again(&database);
    }
}

fn kill_and_look_again(database: &Database) {
    let server = Server::start(database);
    let client = server.printed_after("client key").unwrap().to_owned();
    let identity = json!({
        "identifier": "kept",
        "traits": [{ "trait_key": "colour", "trait_value": "teal" }],
    });
    block_on(async {
        let request = http::client()
            .post(format!("{}/api/v1/identities/", server.url))
            .header("X-Environment-Key", &client)
            .json(&identity);
        assert_eq!(request.send().await.unwrap().status(), 200);
    });

    server.kill();
    let server = Server::start(database);

    let path = format!("{}/api/v1/identities/?identifier=kept", server.url);
    let (status, answer) = get(&path, &client);
    assert_eq!(status, 200);
    assert_eq!(answer["traits"][0]["trait_value"], "teal");
}

#[test]
fn a_stop_ends_streams_and_takes_less_than_ten_seconds() {
    let database = Database::sqlite();
    let mut server = Server::start(&database);
    let client = server.printed_after("client key").unwrap().to_owned();
    let url = format!("{}/sse/environments/{client}/stream", server.url);

    block_on(async {
        let answer = http::client().get(&url).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let mut stream = answer.bytes_stream();
        server.signal("-TERM");
        // The stream ends, rather than being torn off.
        while let Some(part) = stream.next().await {
            part.unwrap();
        }
    });

    let (status, took) = server.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}\n{}", server.log());
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
fn a_request_under_way_is_answered_before_the_end() {
    let database = Database::sqlite();
    let mut server = Server::start(&database);
    let client = server.printed_after("client key").unwrap().to_owned();
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = r#"{"identifier": "late", "traits": []}"#;
    let (first, second) = body.split_at(10);
    write!(
        stream,
        "POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: {client}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{first}",
        body.len()
    )
    .unwrap();
    std::thread::sleep(Duration::from_millis(300));

    server.signal("-TERM");
    std::thread::sleep(Duration::from_millis(300));
    stream.write_all(second.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (status, _) = server.wait(Duration::from_secs(10));
    assert!(status.success());
}

#[test]
fn a_half_sent_request_does_not_hold_up_the_end_and_a_second_signal_ends_at_once() {
    let database = Database::sqlite();
    let half = |server: &Server| {
        let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
        stream.write_all(b"POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: k\r\nContent-Le").unwrap();
        std::thread::sleep(Duration::from_millis(200));
        stream
    };

    let mut server = Server::start(&database);
    let _held = half(&server);
    server.signal("-INT");
    let (status, took) = server.wait(Duration::from_secs(10));
    assert!(status.success());
    assert!(took < Duration::from_secs(10), "{took:?}");

    let mut server = Server::start(&database);
    let _held = half(&server);
    server.signal("-INT");
    std::thread::sleep(Duration::from_millis(200));
    server.signal("-INT");
    let (_, took) = server.wait(Duration::from_secs(10));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_client_that_says_nothing_or_half_a_header_is_cut_off() {
    let database = Database::sqlite();
    let server = Server::start_with(&database, &[("FLAGSTAFF_CONNECTIONS__HEADER_SECONDS", "1")]);
    let address = server.url.strip_prefix("http://").unwrap();

    for sent in [
        "",
        "P",
        "GET /api/v1/flags/ HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    ] {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        let begin = Instant::now();

        // Closed, with or without a last word.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);

        assert!(begin.elapsed() < Duration::from_secs(5), "{sent:?}");
    }
}

#[test]
fn a_header_over_the_limit_is_refused() {
    let database = Database::sqlite();
    let server = Server::start(&database);

    let status = block_on(async {
        let request = http::client()
            .get(format!("{}/api/v1/flags/", server.url))
            .header("X-Long", "x".repeat(40_000));
        request.send().await.unwrap().status()
    });

    assert_eq!(status, 431);
}

#[test]
fn both_http_versions_are_spoken_on_the_one_port() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let client = server.printed_after("client key").unwrap();
    let url = format!("{}/api/v1/flags/", server.url);
    let key = format!("X-Environment-Key: {client}");

    for (version, expected) in [
        ("--http1.1", "1.1 200"),
        ("--http2-prior-knowledge", "2 200"),
    ] {
        let format = "%{http_version} %{http_code}";
        let arguments = [
            "-s",
            version,
            "-o",
            "/dev/null",
            "-w",
            format,
            "-H",
            &key,
            &url,
        ];
        assert_eq!(succeed(Command::new("curl").args(arguments)), expected);
    }
}

#[test]
fn a_second_server_on_the_same_file_is_refused() {
    let database = Database::sqlite();
    let server = Server::start(&database);

    let (printed, errors) = fail_with(1, flagstaff(&database).arg("serve"));

    assert_eq!(printed, "");
    assert!(errors.contains("another flagstaff is running"), "{errors}");
    server.stop();
    Server::start(&database).stop();
}

#[test]
fn a_taken_address_is_named_and_nothing_is_made() {
    let database = Database::sqlite();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();

    let (printed, errors) = fail_with(
        1,
        flagstaff(&database).args(["serve", "--listen", &address]),
    );

    assert_eq!(printed, "");
    assert!(
        errors.contains(&format!("cannot listen on {address}")),
        "{errors}"
    );
    let server = Server::start(&database);
    assert!(
        server.printed_after("client key").is_some(),
        "the demo is still to come"
    );
}

#[test]
fn a_mistake_in_the_settings_is_named_before_anything_is_done() {
    let database = Database::sqlite();

    let (_, unknown) = fail_with(2, flagstaff(&database).env("FLAGSTAFF_SERVER__LISEN", "x"));
    let (_, invalid) = fail_with(2, flagstaff(&database).args(["--listen", "here", "serve"]));
    let (_, option) = fail_with(2, flagstaff(&database).args(["serve", "--no-such-option"]));

    assert!(unknown.contains("FLAGSTAFF_SERVER__LISEN"), "{unknown}");
    assert!(invalid.contains("server.listen"), "{invalid}");
    assert!(option.contains("--no-such-option"), "{option}");
    assert!(!database.folder().join("flagstaff.db").exists());
}

#[test]
fn a_member_made_by_bootstrap_signs_in_and_no_link_is_printed() {
    let database = Database::sqlite();
    let first = succeed(flagstaff(&database).arg("bootstrap"));
    let key = first
        .lines()
        .find_map(|line| line.strip_prefix("FLAGSMITH_SERVER_KEY="))
        .unwrap();
    let again = succeed(flagstaff(&database).args([
        "bootstrap",
        "--admin-password",
        "another pass phrase",
    ]));

    let server = Server::start(&database);
    let login = format!("{}/api/v1/auth/login/", server.url);
    let answer = post(
        &login,
        &json!({ "email": "admin@example.com", "password": "another pass phrase" }),
    );

    assert!(answer["key"].is_string());
    assert!(key.starts_with("ser."));
    assert!(
        again.contains(&format!("FLAGSMITH_SERVER_KEY={key}")),
        "{again}"
    );
    assert_eq!(server.printed_after("sign in once"), None);
    let document = format!("{}/api/v1/environment-document/", server.url);
    assert_eq!(get(&document, key).0, 200);
}

#[test]
fn the_doctor_finds_a_healthy_server_healthy_and_names_what_is_wrong() {
    let database = Database::sqlite();
    let before = succeed(flagstaff(&database).arg("doctor"));
    let server = Server::start(&database);
    let during = succeed(flagstaff(&database).arg("doctor"));
    server.stop();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();

    let (taken, _) = fail_with(
        1,
        flagstaff(&database).args(["doctor", "--listen", &address]),
    );

    assert!(before.contains("does not exist"), "{before}");
    assert!(during.contains("a server is running"), "{during}");
    assert!(
        taken.contains(&format!("problem  address: {address}")),
        "{taken}"
    );
}

#[test]
fn the_doctor_sees_that_a_database_takes_nothing() {
    let Some(database) = Database::postgres() else {
        return;
    };
    succeed(flagstaff(&database).arg("migrate"));
    let healthy = succeed(flagstaff(&database).arg("doctor"));
    let name = database.sql("SELECT current_database()");
    let name = name.trim();
    // As a replica answers.
    database.sql(&format!(
        "ALTER DATABASE {name} SET default_transaction_read_only = on"
    ));

    let (found, _) = fail_with(1, flagstaff(&database).arg("doctor"));
    let (_, refused) = fail_with(1, flagstaff(&database).arg("serve"));

    assert!(healthy.contains("ok       writing: possible"), "{healthy}");
    assert!(found.contains("problem  writing: not possible"), "{found}");
    assert!(found.contains("read-only"), "{found}");
    assert!(refused.contains("read-only"), "{refused}");
}
