//! A stream of server-sent events that says when to ask for all flags again.
//!
//! Browsers can send no header along, so a list of flags names the way here with a token in it; see
//! [`StreamToken`](flagstaff_service::StreamToken). Logs hold the template of the route, which has no query.

use super::freshness::config_tag;
use super::refusal::Refusal;
use crate::auth::{Auth, KeyedEnvironment, Presented};
use crate::flagsmith::query::Query;
use crate::follower::Follower;
use crate::routes::Routes;
use crate::server_sent_events::{Manner, answer_events, last_event};
use crate::state::ApiState;
use crate::streams::Protocol;
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use flagstaff_core::Timestamp;
use flagstaff_service::ServiceResult;
use secrecy::{ExposeSecret as _, SecretString};
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

const PATH: &str = "/ofrep/v1/stream";
/// Silence is broken by a comment after this long.
const PAUSE: Duration = Duration::from_secs(15);
/// Changes that follow one another within this time make one event: each makes every client ask again.
const SETTLING: Duration = Duration::from_millis(200);
/// A change as young as this may have come between a client's list of flags and its stream.
const GAP: i64 = 60 * 1_000_000;
/// Milliseconds a client waits at least until it connects again.
const RETRY: u64 = 1000;
/// So many more are spread over those who were cut off together.
const RETRY_SPREAD: u64 = 4000;

/// The way to the stream, as it is written into a list of flags.
pub(super) fn path(token: &SecretString) -> String {
    format!("{PATH}?token={}", token.expose_secret())
}

pub(super) fn routes(routes: Routes) -> Routes {
    let refuse = |error| Refusal::from(error).respond(None);
    routes.plain(PATH, TokenInQuery, refuse, follow)
}

/// A token as the parameter `token` of the query.
#[derive(Debug, Clone, Copy)]
struct TokenInQuery;

impl Auth for TokenInQuery {
    type Subject = KeyedEnvironment;
    const HEADER: Option<&'static str> = None;

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<KeyedEnvironment> {
        let query = Query::parse(presented.query);
        let token = query.last("token");
        let (open, key) = state.service().open_by_stream_token(token).await?;
        Ok(KeyedEnvironment { open, key })
    }
}

/// `GET /ofrep/v1/stream?token=…`
async fn follow(state: ApiState, keyed: KeyedEnvironment, parts: Parts) -> Response {
    let updated_at = keyed.open.snapshot().updated_at;
    let seen = last_event(&parts.headers)
        .unwrap_or_else(|| known(updated_at, state.service().clock().now()));
    let connection = parts.extensions.get().cloned();
    let follower = Follower::open(state, keyed, Protocol::Ofrep, connection);
    let Some(follower) = follower else {
        return Refusal::TooManyStreams.respond(None);
    };
    let manner = Manner {
        pause: PAUSE,
        settling: SETTLING,
        greeting: Some(greeting(seen)),
        seen: Some(seen),
        event,
    };
    answer_events(follower, manner)
}

/// What a client that comes for the first time knows already: the present state, unless that is so young that its list
/// of flags may be older.
fn known(updated_at: Timestamp, now: Timestamp) -> Timestamp {
    if now.micros().saturating_sub(updated_at.micros()) < GAP {
        updated_at.plus_micros(-1)
    } else {
        updated_at
    }
}

/// When to come back after a break, and an event of a type that clients pass over. Some of them hold a stream for dead
/// until an event comes; and it gives them an id to come back with.
fn greeting(seen: Timestamp) -> Bytes {
    let retry = RETRY + RandomState::new().hash_one(0) % RETRY_SPREAD;
    let id = seen.micros();
    format!("retry: {retry}\nevent: message\nid: {id}\ndata: {{\"type\":\"connected\"}}\n\n").into()
}

fn event(time: Timestamp) -> Bytes {
    let (id, tag, modified) = (time.micros(), config_tag(time), time.seconds());
    format!(
        "event: message\nid: {id}\n\
         data: {{\"type\":\"refetchEvaluation\",\"etag\":\"{tag}\",\"lastModified\":{modified}}}\n\n"
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_may_have_been_missed_is_told() {
        let updated_at = Timestamp::from_micros(1_000_000_000);
        let after = |micros: i64| known(updated_at, updated_at.plus_micros(micros));

        assert!(after(0) < updated_at);
        assert!(after(GAP - 1) < updated_at);
        assert_eq!(after(GAP), updated_at);
        assert!(after(-5) < updated_at, "clocks may be set back");
    }

    #[test]
    fn clients_that_were_cut_off_together_come_back_one_after_another() {
        let now = Timestamp::from_micros(7);
        let retry = |_| {
            let text = String::from_utf8(greeting(now).to_vec()).unwrap();
            let line = text.lines().next().unwrap();
            line.strip_prefix("retry: ")
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };

        let times: Vec<u64> = (0..50).map(retry).collect();

        assert!(times.iter().all(|time| (1000..5000).contains(time)));
        assert!(times.iter().any(|time| *time != times[0]));
    }
}
