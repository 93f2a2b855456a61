//! Notifications that an environment changed, as server-sent events, as Flagsmith's SDKs follow them.

use crate::auth::{EnvironmentKeyInPath, KeyedEnvironment};
use crate::flagsmith::error::{Failure, detail};
use crate::follower::Follower;
use crate::routes::Routes;
use crate::server_sent_events::{Manner, answer_events, last_event};
use crate::state::ApiState;
use crate::streams::Protocol;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flagstaff_core::Timestamp;
use flagstaff_wire::time::unix_float;
use std::time::Duration;

/// The SDK reads with a timeout of 10 s, so something is sent at least this often.
const PAUSE: Duration = Duration::from_secs(5);

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.plain(
        "/sse/environments/{key}/stream",
        EnvironmentKeyInPath,
        |error| Failure::from(error).into_response(),
        follow,
    )
}

/// `GET /sse/environments/{key}/stream`
async fn follow(state: ApiState, keyed: KeyedEnvironment, parts: Parts) -> Response {
    let connection = parts.extensions.get().cloned();
    let follower = Follower::open(state, keyed, Protocol::Realtime, connection);
    let Some(follower) = follower else {
        let full = detail(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many streams are open.",
        );
        return full
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("30"))
            .into_response();
    };
    let manner = Manner {
        pause: PAUSE,
        settling: Duration::ZERO,
        greeting: None,
        seen: last_event(&parts.headers),
        event,
    };
    answer_events(follower, manner)
}

fn event(time: Timestamp) -> Bytes {
    let (id, updated_at) = (time.micros(), unix_float(time));
    format!("event: environment_updated\nid: {id}\ndata: {{\"updated_at\": {updated_at}}}\n\n")
        .into()
}
