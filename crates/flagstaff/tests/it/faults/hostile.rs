//! What nobody should send: refused in time, in bounded memory, and nobody else notices.

use super::wire::{LIMIT, connect, exchange, request, rest, status};
use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::{Server, succeed};
use crate::skipped::is_full;
use serde_json::json;
use std::process::Command;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const JSON: &str = "Content-Type: application/json\r\n";
/// What a process may hold more after all of it, in KiB.
const GROWTH: u64 = 96 * 1024;

fn start() -> (Database, Server, Desk) {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let variables = [
        ("FLAGSTAFF_CONNECTIONS__HEADER_SECONDS", "1"),
        ("FLAGSTAFF_CONNECTIONS__STALL_SECONDS", "1"),
        ("FLAGSTAFF_LIMITS__BODY_SECONDS", "1"),
    ];
    let server = Server::start_with(&database, &variables);
    let desk = block_on(prepared.sign_in(&server));
    (database, server, desk)
}

/// The server is as well as before.
async fn check_health(server: &Server, desk: &Desk) {
    let begun = Instant::now();
    let flags = desk.ask(server, &desk.client_key, "/api/v1/flags/").await;
    assert_eq!(flags.status, 200);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// Two hundred megabytes of nothing, in two hundred kilobytes.
fn bomb(folder: &std::path::Path) -> Vec<u8> {
    let path = folder.join("bomb.gz");
    let line = format!("head -c 200000000 /dev/zero | gzip -9 > {}", path.display());
    succeed(Command::new("sh").args(["-c", &line]));
    std::fs::read(path).unwrap()
}

/// Bodies with the headers they come with.
fn bodies(database: &Database) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = |text: &str| text.as_bytes().to_vec();
    let with_value = |value: &str| {
        text(&format!(
            r#"{{"identifier": "x", "traits": [{{"trait_key": "k", "trait_value": {value}}}]}}"#
        ))
    };
    let deep = |open: &str, close: &str| {
        text(&format!(
            "{}{}",
            open.repeat(150_000),
            close.repeat(150_000)
        ))
    };
    let many: Vec<String> = (0..60_000)
        .map(|number| format!("\"k{number}\":1"))
        .collect();
    vec![
        ("deep lists", JSON, deep("[", "]")),
        (
            "deep lists without an end",
            JSON,
            text(&"[".repeat(900_000)),
        ),
        (
            "deep objects",
            JSON,
            text(&format!(
                "{}1{}",
                r#"{"a":"#.repeat(100_000),
                "}".repeat(100_000)
            )),
        ),
        (
            "a deep value",
            JSON,
            with_value(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))),
        ),
        ("a huge exponent", JSON, with_value("1e999999999")),
        ("a tiny exponent", JSON, with_value("-1e-999999999")),
        (
            "a hundred thousand digits",
            JSON,
            with_value(&"9".repeat(100_000)),
        ),
        ("not a number", JSON, with_value("NaN")),
        ("an escaped NUL", JSON, with_value(r#""a\u0000b""#)),
        ("a NUL", JSON, with_value("\"a\0b\"")),
        ("half a surrogate", JSON, with_value(r#""\ud800""#)),
        (
            "no UTF-8",
            JSON,
            b"{\"identifier\": \"\xff\xfe\xc0\x80\"}".to_vec(),
        ),
        (
            "many members",
            JSON,
            text(&format!("{{{}}}", many.join(","))),
        ),
        (
            "one member many times",
            JSON,
            text(&format!("{{{}}}", vec!["\"a\":1"; 100_000].join(","))),
        ),
        (
            "many items",
            JSON,
            text(&format!("[{}1]", "1,".repeat(400_000))),
        ),
        ("too much", JSON, vec![b' '; 3_000_000]),
        ("nothing that is JSON", JSON, vec![0; 500_000]),
        (
            "a bomb",
            "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
            bomb(database.folder()),
        ),
        (
            "many fields",
            "Content-Type: application/x-www-form-urlencoded\r\n",
            text(&"a=1&".repeat(200_000)),
        ),
        (
            "parts without an end",
            "Content-Type: multipart/form-data; boundary=x\r\n",
            text(&"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".repeat(10_000)),
        ),
        (
            "parts without a boundary",
            "Content-Type: multipart/form-data\r\n",
            text("--x\r\n\r\n"),
        ),
        (
            "an unknown type",
            "Content-Type: \u{7f}/x; charset=utf-99\r\n",
            text("{}"),
        ),
    ]
}

#[test]
fn hostile_bodies_are_refused_in_bounded_memory() {
    let (database, server, desk) = start();
    let bodies = bodies(&database);
    block_on(async {
        check_health(&server, &desk).await;
        let before = server.resident_kib();
        for path in [
            "/api/v1/identities/",
            "/api/v1/traits/",
            "/api/v1/traits/bulk/",
            "/api/v1/analytics/flags/",
            "/api/v2/analytics/flags/",
            "/api/v1/auth/login/",
            "/api/v1/projects/",
        ] {
            for (what, headers, body) in &bodies {
                let answer =
                    exchange(&server, &request(path, &desk.client_key, headers, body)).await;
                // Cut off in the middle of sending too much, a client may see no answer.
                let status = status(&answer);
                assert!(
                    status.map_or(body.len() > 1_000_000, |status| status < 500),
                    "{path} {what}: {status:?} {}",
                    answer.chars().take(300).collect::<String>()
                );
            }
        }
        check_health(&server, &desk).await;
        let after = server.resident_kib();
        assert!(
            after < before + GROWTH,
            "{before} KiB before, {after} KiB after"
        );
    });
    server.stop();
}

#[test]
fn what_is_no_http_is_refused_or_cut_off() {
    let (_database, server, desk) = start();
    let get = "GET /api/v1/flags/ HTTP/1.1\r\nHost: x\r\n";
    let post = "POST /api/v1/identities/ HTTP/1.1\r\nHost: x\r\n";
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    block_on(async {
        for bytes in [
            format!("{get}X-Endless: {}", "x".repeat(5_000_000)),
            format!("{get}{}\r\n", "A: b\r\n".repeat(100_000)),
            format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000)),
            format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
            format!("{post}Content-Length: -1\r\n\r\n"),
            format!("{post}Content-Length: 99999999999999999999\r\n\r\n"),
            format!("{post}Transfer-Encoding: chunked\r\n\r\nZZZ\r\n"),
            format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx"),
            format!("{post}Transfer-Encoding: gzip, nonsense\r\n\r\nx"),
            format!("{get}X-Nul: a\0b\r\n\r\n"),
            format!("{get} folded: x\r\n\r\n"),
            "GET / HTTP/9.9\r\n\r\n".to_owned(),
            "\0".repeat(100_000),
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".repeat(50),
            format!("{preface}{}", "\u{7f}".repeat(10_000)),
        ] {
            let answer = exchange(&server, bytes.as_bytes()).await;
            let status = status(&answer);
            assert!(
                status.is_none_or(|status| (400..500).contains(&status)),
                "{answer}"
            );
        }
        // One request hidden in the body of another is not taken for a second one.
        let hidden = "GET /api/v1/flags/ HTTP/1.1\r\nHost: x\r\n\r\n";
        let length = hidden.len() + 5;
        let smuggled = format!(
            "{post}Connection: close\r\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n0\r\n\r\n{hidden}"
        );
        let answer = exchange(&server, smuggled.as_bytes()).await;
        assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{answer}");
        check_health(&server, &desk).await;
    });
    server.stop();
}

#[test]
fn slow_and_half_closed_clients_hold_up_nobody() {
    let (_database, server, desk) = start();
    let key = desk.client_key.clone();
    let body = json!({ "identifier": "slow" }).to_string();
    let whole = request("/api/v1/identities/", &key, JSON, body.as_bytes());
    block_on(async {
        // Whoever closes their half is taken to be gone: what they get is a whole answer or none, and at once.
        let mut half_closed = connect(&server).await;
        half_closed.write_all(&whole).await.unwrap();
        half_closed.shutdown().await.unwrap();
        let begun = Instant::now();
        let answer = rest(&mut half_closed, b"half-closed").await;
        assert!(begun.elapsed() < Duration::from_secs(2));
        assert!(answer.is_empty() || answer.ends_with('}'), "{answer}");

        // The beginning of a frame, and then nothing: such a peer is asked after a while whether it is there.
        if is_full() {
            let mut silent = connect(&server).await;
            silent
                .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0")
                .await
                .unwrap();
            let mut said = Vec::new();
            let closed = silent.read_to_end(&mut said);
            tokio::time::timeout(Duration::from_secs(30), closed)
                .await
                .unwrap()
                .unwrap();
        }

        // A hundred drip headers, a hundred drip bodies.
        let head_end = whole
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let drip = async |begin: &[u8], drop: &[u8]| {
            let mut stream = connect(&server).await;
            let begun = Instant::now();
            let mut sent = stream.write_all(begin).await;
            while sent.is_ok() && begun.elapsed() < LIMIT {
                tokio::time::sleep(Duration::from_millis(100)).await;
                sent = stream.write_all(drop).await;
            }
            begun.elapsed()
        };
        let headers =
            (0..100).map(|_| drip(b"GET /api/v1/flags/ HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"x"));
        let bodies = (0..100).map(|_| drip(&whole[..head_end], b" "));
        let health = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            check_health(&server, &desk).await;
        };
        let (headers, bodies, ()) = tokio::join!(
            futures::future::join_all(headers),
            futures::future::join_all(bodies),
            health
        );
        for took in headers.iter().chain(&bodies) {
            assert!(*took < Duration::from_secs(6), "held open for {took:?}");
        }

        // Asks for much and takes nothing.
        let before = server.resident_kib();
        let greedy = (0..4).map(async |_| {
            let mut stream = connect(&server).await;
            let ask = format!("GET /api/v1/environment-document/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: {}\r\n\r\n", desk.server_key);
            let begun = Instant::now();
            // Fails once the server has given up.
            while begun.elapsed() < LIMIT * 2 && stream.write_all(ask.repeat(50).as_bytes()).await.is_ok() {}
            begun.elapsed()
        });
        let took = tokio::time::timeout(LIMIT * 3, futures::future::join_all(greedy))
            .await
            .unwrap();
        assert!(took.iter().all(|took| *took < LIMIT * 2), "{took:?}");
        let after = server.resident_kib();
        assert!(
            after < before + GROWTH,
            "{before} KiB before, {after} KiB after"
        );
        check_health(&server, &desk).await;
    });
    server.stop();
}
