//! A stream of server-sent events that follows an environment: it tells that something changed, not what.
//!
//! Nothing is queued: a slow reader skips to the newest state, which is all it needs to know, and one that takes too long
//! is cut off.

use crate::auth::KeyedEnvironment;
use crate::state::ApiState;
use crate::streams::StreamPlace;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flagstaff_core::{EnvironmentId, Timestamp};
use futures::stream;
use secrecy::{ExposeSecret as _, SecretString};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a key that no longer opens the environment goes unnoticed. Withdrawing one also wakes the stream.
const KEY_CHECK: Duration = Duration::from_millis(1500);

/// How a protocol tells of changes.
#[derive(Debug, Clone)]
pub(crate) struct Manner {
    /// Silence is broken by a comment after this long.
    pub(crate) pause: Duration,
    /// Changes that follow one another within this time are told as one.
    pub(crate) settling: Duration,
    /// Sent before everything else.
    pub(crate) greeting: Option<Bytes>,
    /// The state a follower knows already; the current one is told at once where it is newer, or where this is `None`.
    pub(crate) seen: Option<Timestamp>,
    /// Writes the event of a change.
    pub(crate) event: fn(Timestamp) -> Bytes,
}

/// Answers with the changes of an environment, for as long as its key opens it and somebody reads.
pub(crate) fn follow(
    state: ApiState,
    keyed: &KeyedEnvironment,
    place: StreamPlace,
    manner: Manner,
) -> Response {
    let follower = Follower {
        changes: state.service().subscribe(&keyed.open),
        closing: state.streams().closing(),
        spoke: Instant::now(),
        changed: None,
        state,
        environment: keyed.open.snapshot().environment.id,
        key: keyed.key.clone(),
        manner,
        place,
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
pub(crate) fn last_event(headers: &HeaderMap) -> Option<Timestamp> {
    let id = headers.get("last-event-id")?.to_str().ok()?;
    id.trim().parse().ok().map(Timestamp::from_micros)
}

struct Follower {
    changes: watch::Receiver<Timestamp>,
    closing: watch::Receiver<bool>,
    /// When something was sent last.
    spoke: Instant,
    /// When the first change was noticed that has not been told yet.
    changed: Option<Instant>,
    state: ApiState,
    /// What was opened by which key. The snapshot itself is not held: it would outlive its successors.
    environment: EnvironmentId,
    key: SecretString,
    manner: Manner,
    place: StreamPlace,
}

impl Follower {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if self.place.was_too_slow() {
            return None;
        }
        if let Some(greeting) = self.manner.greeting.take() {
            return Some(self.say(greeting));
        }
        loop {
            if *self.closing.borrow() || !self.may_stay() {
                return None;
            }
            let newest = *self.changes.borrow_and_update();
            let settled = self.settled_in(newest);
            if settled == Some(Duration::ZERO) {
                self.changed = None;
                self.manner.seen = Some(newest);
                return Some(self.say((self.manner.event)(newest)));
            }
            let silence = self.spoke.elapsed();
            if silence >= self.manner.pause {
                return Some(self.say(Bytes::from_static(b":\n\n")));
            }
            let check = KEY_CHECK.min(self.manner.pause - silence);
            let wait = settled.map_or(check, |settled| settled.min(check));
            tokio::select! {
                changed = self.changes.changed() => changed.ok()?,
                closing = self.closing.changed() => closing.ok()?,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// How long until the newest state is to be told; `None` where it is known.
    fn settled_in(&mut self, newest: Timestamp) -> Option<Duration> {
        if self.manner.seen.is_some_and(|seen| newest <= seen) {
            return None;
        }
        let noticed = *self.changed.get_or_insert_with(Instant::now);
        Some(self.manner.settling.saturating_sub(noticed.elapsed()))
    }

    /// True until the key is withdrawn, switched off or expires.
    fn may_stay(&self) -> bool {
        let key = self.key.expose_secret();
        self.state.service().still_opens(key, self.environment)
    }

    fn say(&mut self, frame: Bytes) -> Bytes {
        self.spoke = Instant::now();
        self.place.sent();
        frame
    }
}
