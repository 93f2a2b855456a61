//! A stream of server-sent events that follows an environment: it tells that something changed, not what.
//!
//! A slow reader skips to the newest state, which is all it needs to know, and one that takes too long is cut off.

use crate::follower::{Follower, News};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flagstaff_core::Timestamp;
use futures::stream;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

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

/// Answers with the changes that are heard of, for as long as somebody reads.
pub(crate) fn answer_events(follower: Follower, manner: Manner) -> Response {
    let teller = Teller {
        follower,
        manner,
        spoke: Instant::now(),
        untold: None,
    };
    let events = stream::unfold(teller, |mut teller| async move {
        let frame = teller.next().await?;
        Some((Ok::<_, Infallible>(frame), teller))
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

struct Teller {
    follower: Follower,
    manner: Manner,
    /// When something was sent last.
    spoke: Instant,
    untold: Option<Untold>,
}

/// A change that has not been told yet.
#[derive(Clone, Copy)]
struct Untold {
    /// When the first of those that are told as one was noticed.
    noticed: Instant,
    newest: Timestamp,
}

impl Teller {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if self.follower.was_too_slow() {
            return None;
        }
        if let Some(greeting) = self.manner.greeting.take() {
            return Some(self.say(greeting));
        }
        loop {
            match self.follower.next(Some(self.patience())).await {
                News::Changed(newest) => self.notice(newest),
                News::Silence => {}
                News::Ended(_) => return None,
            }
            if let Some(untold) = self.untold
                && untold.noticed.elapsed() >= self.manner.settling
            {
                self.untold = None;
                self.manner.seen = Some(untold.newest);
                return Some(self.say((self.manner.event)(untold.newest)));
            }
            if self.spoke.elapsed() >= self.manner.pause {
                return Some(self.say(Bytes::from_static(b":\n\n")));
            }
        }
    }

    fn notice(&mut self, newest: Timestamp) {
        if self.manner.seen.is_some_and(|seen| newest <= seen) {
            return;
        }
        let noticed = self.untold.map(|untold| untold.noticed);
        self.untold = Some(Untold {
            noticed: noticed.unwrap_or_else(Instant::now),
            newest,
        });
    }

    /// How long until something is to be said in any case.
    fn patience(&self) -> Duration {
        let pause = self.manner.pause.saturating_sub(self.spoke.elapsed());
        self.untold.map_or(pause, |untold| {
            let settled = self
                .manner
                .settling
                .saturating_sub(untold.noticed.elapsed());
            pause.min(settled)
        })
    }

    fn say(&mut self, frame: Bytes) -> Bytes {
        self.spoke = Instant::now();
        self.follower.sent();
        frame
    }
}
