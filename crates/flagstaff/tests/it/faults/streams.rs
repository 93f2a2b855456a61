//! Two thousand followers go and come back at once: memory stays bounded, and the server goes on answering.

use super::wire::connect;
use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use std::io::Write as _;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const FOLLOWERS: usize = 2000;
/// What may be held more after others have come and gone, in KiB.
const GROWTH: u64 = 16 * 1024;

/// Opens a stream and waits for its first event.
async fn follow(server: &Server, key: &str) -> TcpStream {
    let mut stream = connect(server).await;
    let ask = format!("GET /sse/environments/{key}/stream HTTP/1.1\r\nHost: x\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.unwrap();
    wait_for_event(&mut stream).await;
    stream
}

async fn wait_for_event(stream: &mut TcpStream) {
    let mut text = String::new();
    let mut part = [0; 1024];
    while !(text.contains("event: environment_updated") && text.contains("updated_at")) {
        let length = stream.read(&mut part).await.unwrap();
        assert!(length > 0, "ended after: {text}");
        text.push_str(&String::from_utf8_lossy(&part[..length]));
    }
}

async fn wait_for_open(server: &Server, desk: &Desk, expected: usize) {
    let begun = Instant::now();
    loop {
        let open = desk.metric(server, "flagstaff_streams_open", "").await;
        if open as usize == expected {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(15), "{open} open");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[test]
fn two_thousand_followers_that_return_at_once_are_served_in_bounded_memory() {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let server = Server::start(&database);
    block_on(async {
        let desk = prepared.sign_in(&server).await;
        let state = desk.feature(&server, "banner").await;
        desk.flag(&server, "banner").await;
        let empty = server.resident_kib();
        let all =
            || futures::future::join_all((0..FOLLOWERS).map(|_| follow(&server, &desk.client_key)));
        let mut streams = all().await;
        wait_for_open(&server, &desk, FOLLOWERS).await;
        let full = server.resident_kib();

        for turn in 0..3 {
            drop(streams);
            let begun = Instant::now();
            let answering = async {
                let mut slowest = Duration::ZERO;
                for _ in 0..10 {
                    let begun = Instant::now();
                    assert_eq!(
                        desk.ask(&server, &desk.client_key, "/api/v1/flags/")
                            .await
                            .status,
                        200
                    );
                    slowest = slowest.max(begun.elapsed());
                }
                slowest
            };
            let (back, slowest) = tokio::join!(all(), answering);
            streams = back;
            let returned = begun.elapsed();
            assert!(returned < Duration::from_secs(20), "{returned:?}");
            assert!(slowest < Duration::from_secs(5), "{slowest:?}");
            wait_for_open(&server, &desk, FOLLOWERS).await;

            let begun = Instant::now();
            assert_eq!(desk.set(&server, state, turn).await.status, 200);
            futures::future::join_all(streams.iter_mut().map(wait_for_event)).await;
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "{:?}",
                begun.elapsed()
            );
            if turn == 0 {
                let _ = writeln!(
                    std::io::stderr(),
                    "{FOLLOWERS} followers: back after {returned:?}, all told of a change after {:?}, {} KiB each",
                    begun.elapsed(),
                    full.saturating_sub(empty) / FOLLOWERS as u64,
                );
            }
        }

        let after = server.resident_kib();
        assert!(after < full + GROWTH, "{empty}, {full}, {after} KiB");
        drop(streams);
        wait_for_open(&server, &desk, 0).await;
        assert!(!server.log().contains("panicked"), "{}", server.log());
    });
    server.stop();
}
