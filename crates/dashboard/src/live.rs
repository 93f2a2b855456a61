//! Tells open pages that somebody changed their environment, as server-sent events: that, not what.

use crate::Dashboard;
use crate::answer::{PageResult, refusal};
use crate::visitor::SignedIn;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use flagstaff_core::Timestamp;
use futures::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Pages that may follow at once.
pub(crate) const LIMIT: usize = 2000;
/// Silence is broken after this long, and it is asked again whether the member may still see the environment.
const PAUSE: Duration = Duration::from_secs(15);
/// Changes that follow one another within this time are told as one.
const SETTLING: Duration = Duration::from_millis(150);

/// `GET /environments/{client_key}/live`
pub(crate) async fn follow(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
) -> PageResult {
    let Ok(place) = Arc::clone(&dashboard.followers).try_acquire_owned() else {
        let later = [(header::RETRY_AFTER, HeaderValue::from_static("30"))];
        return Ok((StatusCode::SERVICE_UNAVAILABLE, later).into_response());
    };
    let mut changes = dashboard
        .service
        .follow_environment(&signed_in.caller, &client_key)
        .await?;
    changes.borrow_and_update();
    let follower = Follower {
        changes,
        closing: dashboard.config.closing.clone(),
        dashboard,
        client_key,
        session: signed_in.session,
        is_new: true,
        _place: place,
    };
    let events = stream::unfold(follower, |mut follower| async move {
        let frame = follower.next().await?;
        Some((Ok::<_, Infallible>(frame), follower))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Proxies that collect answers before they pass them on would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Room for pages that follow.
pub(crate) fn room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(LIMIT))
}

struct Follower {
    changes: watch::Receiver<Timestamp>,
    closing: watch::Receiver<bool>,
    dashboard: Dashboard,
    client_key: String,
    session: Arc<str>,
    is_new: bool,
    _place: OwnedSemaphorePermit,
}

impl Follower {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<String> {
        if std::mem::take(&mut self.is_new) {
            return Some("retry: 2000\n\n".to_owned());
        }
        if *self.closing.borrow() {
            return None;
        }
        let is_change = tokio::select! {
            changed = self.changes.changed() => changed.ok().map(|()| true)?,
            closing = self.closing.changed() => {
                closing.ok()?;
                return None;
            }
            () = tokio::time::sleep(PAUSE) => false,
        };
        if !self.may_stay().await {
            return None;
        }
        if !is_change {
            return Some(":\n\n".to_owned());
        }
        tokio::time::sleep(SETTLING).await;
        let time = self.changes.borrow_and_update().micros();
        Some(format!("event: changed\nid: {time}\ndata: {time}\n\n"))
    }

    /// True while the session is open and the member may see the environment.
    async fn may_stay(&self) -> bool {
        let service = &self.dashboard.service;
        let Ok(caller) = service.caller_by_session(&self.session).await else {
            return false;
        };
        match service.environment(&caller, &self.client_key).await {
            Ok(_) => true,
            Err(error) => {
                // Failures are told to the log; the page connects again by itself.
                if error.is_failure() {
                    drop(refusal(&error));
                }
                false
            }
        }
    }
}
