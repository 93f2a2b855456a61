//! Server-sent events over HTTP/2, where many streams share a connection and a reader can take nothing of one.

use crate::database::Database;
use crate::desk::Desk;
use crate::server::Server;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::{Duration, Instant};
use tonic::body::Body;
use tonic::codegen::Body as _;
use tonic::codegen::http::{Request, Version};
use tonic::transport::{Channel, Endpoint};
use tower::ServiceExt as _;

const PATIENCE: Duration = Duration::from_secs(20);

/// Follows an environment on a connection of HTTP/2 that takes so many bytes of each stream unasked.
async fn follow(server: &Server, key: &str, window: u32) -> Body {
    let endpoint = Endpoint::from_shared(server.url.clone()).unwrap();
    let narrow = endpoint.initial_stream_window_size(window);
    let channel: Channel = narrow.connect().await.unwrap();
    let request = Request::get(format!("{}/sse/environments/{key}/stream", server.url));
    let answer = channel.oneshot(request.body(Body::empty()).unwrap()).await;
    let answer = answer.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.version()),
        (200, Version::HTTP_2)
    );
    answer.into_body()
}

/// The next piece; `None` once the stream is over, however that came.
async fn piece(body: &mut Body) -> Option<String> {
    let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
    let frame = tokio::time::timeout(PATIENCE, frame).await.unwrap()?.ok()?;
    let data = frame.into_data().ok()?;
    Some(String::from_utf8_lossy(&data).into_owned())
}

#[test]
fn a_reader_of_events_that_takes_nothing_is_cut_off_and_nobody_else_is() {
    let database = Database::sqlite();
    let prepared = Desk::prepare(&database);
    let variables = [("FLAGSTAFF_LIMITS__STREAM_STALL_SECONDS", "1")];
    let server = Server::start_with(&database, &variables);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let desk = prepared.sign_in(&server).await;
        // Fewer bytes than the first event has.
        let mut stuck = follow(&server, &desk.client_key, 16).await;
        let mut quick = follow(&server, &desk.client_key, 65_535).await;
        let first = piece(&mut quick).await.unwrap();
        assert!(first.contains("environment_updated"), "{first}");

        let begun = Instant::now();
        let cut = r#"end="connection""#;
        while desk
            .metric(&server, "flagstaff_slow_readers_total", cut)
            .await
            < 1.0
        {
            assert!(begun.elapsed() < PATIENCE, "{}", server.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        let mut taken = String::new();
        while let Some(piece) = piece(&mut stuck).await {
            taken.push_str(&piece);
        }
        assert!(taken.len() <= 16, "{taken}");
        let more = piece(&mut quick).await;
        assert!(more.is_some(), "the other stream goes on");
    });
    server.stop();
}
