//! Ten thousand wrong keys cost the database next to nothing, and nobody with a right one notices.

use super::wire::connect;
use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const CONNECTIONS: usize = 2000;
const EACH: usize = 5;

/// Asks with one wrong key after the other on one connection.
async fn guess(server: &Server, connection: usize) -> usize {
    let mut stream = connect(server).await;
    let mut refused = 0;
    for number in 0..EACH {
        let ask = format!(
            "GET /api/v1/flags/ HTTP/1.1\r\nHost: x\r\nX-Environment-Key: wrong-{connection}-{number}\r\n\r\n"
        );
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = [0; 2048];
        let length = stream.read(&mut answer).await.unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(
            answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 401"),
            "{answer}"
        );
        refused += 1;
    }
    refused
}

/// Transactions of the database so far, as it counts them.
fn transactions(database: &Database) -> i64 {
    // Connections tell their counts once they have been idle for a second.
    std::thread::sleep(Duration::from_millis(1200));
    let sql = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()";
    database.sql(sql).trim().parse().unwrap()
}

#[test]
fn ten_thousand_wrong_keys_cost_a_query_a_second() {
    let Some(database) = Database::postgres() else {
        return;
    };
    let prepared = Desk::prepare(&database);
    let server = Server::start(&database);
    let desk = block_on(prepared.sign_in(&server));
    block_on(desk.flag(&server, "none"));
    let before = transactions(&database);
    let begun = Instant::now();

    let (refused, slowest) = block_on(async {
        let guesses =
            futures::future::join_all((0..CONNECTIONS).map(|number| guess(&server, number)));
        let reading = async {
            let mut slowest = Duration::ZERO;
            for _ in 0..20 {
                let begun = Instant::now();
                let answer = desk.ask(&server, &desk.client_key, "/api/v1/flags/").await;
                assert_eq!(answer.status, 200);
                slowest = slowest.max(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            slowest
        };
        let (guesses, slowest) = tokio::join!(guesses, reading);
        (guesses.iter().sum::<usize>(), slowest)
    });

    let seconds = i64::try_from(begun.elapsed().as_secs()).unwrap() + 3;
    let asked = transactions(&database) - before;
    assert_eq!(refused, CONNECTIONS * EACH);
    // What goes on anyway is a few a second, and Postgres counts its own work; one for each key would be ten thousand.
    assert!(
        asked <= seconds * 10 + 100,
        "{asked} transactions in {seconds} s"
    );
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    assert!(begun.elapsed() < Duration::from_secs(60));
    server.stop();
}
