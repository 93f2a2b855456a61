//! Notifications that an environment changed, as server-sent events.
//!
//! The SDK reads with a timeout of 10 s, so something is sent at least every 5. Nothing is queued: a slow reader
//! skips to the newest state, which is all it needs to know.

use crate::auth::{EnvironmentKeyInPath, KeyedEnvironment};
use crate::flagsmith::error::{Failure, detail};
use crate::routes::Routes;
use crate::state::ApiState;
use crate::streams::{Protocol, StreamPlace};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flagstaff_core::{EnvironmentId, Timestamp};
use flagstaff_wire::time::unix_float;
use futures::stream;
use secrecy::{ExposeSecret as _, SecretString};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Silence is broken by a comment after this long.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a key that no longer opens the environment goes unnoticed. Withdrawing one also wakes the stream.
const KEY_CHECK: Duration = Duration::from_millis(1500);

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.plain(
        "/sse/environments/{key}/stream",
        EnvironmentKeyInPath,
        |error| Failure::from(error).into_response(),
        follow,
    )
}

/// `GET /sse/environments/{key}/stream`
async fn follow(state: ApiState, keyed: KeyedEnvironment, headers: HeaderMap) -> Response {
    let Some(place) = state.streams().open(Protocol::Realtime, None) else {
        let full = detail(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many streams are open.",
        );
        return full
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("30"))
            .into_response();
    };
    let changes = state.service().subscribe(&keyed.open);
    let follower = Follower {
        seen: last_event(&headers),
        changes,
        closing: state.streams().closing(),
        spoke: Instant::now(),
        state,
        environment: keyed.open.snapshot().environment.id,
        key: keyed.key,
        _place: place,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let frame = follower.next().await?;
        Some((Ok::<_, Infallible>(frame), follower))
    });
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // Proxies that collect answers before they pass them on would hold events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The id of the last event that a client has seen, when it comes back.
fn last_event(headers: &HeaderMap) -> Option<Timestamp> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    id.trim().parse().ok().map(Timestamp::from_micros)
}

struct Follower {
    seen: Option<Timestamp>,
    changes: watch::Receiver<Timestamp>,
    closing: watch::Receiver<bool>,
    /// When something was sent last.
    spoke: Instant,
    state: ApiState,
    /// What was opened by which key. The snapshot itself is not held: it would outlive its successors.
    environment: EnvironmentId,
    key: SecretString,
    _place: StreamPlace,
}

impl Follower {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if *self.closing.borrow() || !self.may_stay() {
                return None;
            }
            let newest = *self.changes.borrow_and_update();
            if self.seen.is_none_or(|seen| newest > seen) {
                self.seen = Some(newest);
                return Some(self.say(event(newest)));
            }
            let silence = self.spoke.elapsed();
            if silence >= PAUSE {
                return Some(self.say(Bytes::from_static(b":\n\n")));
            }
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                closing = self.closing.changed() => closing.ok()?,
                () = tokio::time::sleep(KEY_CHECK.min(PAUSE - silence)) => {}
            }
        }
    }

    /// True until the key is withdrawn, switched off or expires.
    fn may_stay(&self) -> bool {
        let key = self.key.expose_secret();
        self.state.service().still_opens(key, self.environment)
    }

    fn say(&mut self, frame: Bytes) -> Bytes {
        self.spoke = Instant::now();
        frame
    }
}

fn event(time: Timestamp) -> Bytes {
    let (id, updated_at) = (time.micros(), unix_float(time));
    format!("event: environment_updated\nid: {id}\ndata: {{\"updated_at\": {updated_at}}}\n\n")
        .into()
}
