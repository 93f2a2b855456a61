//! The dashboard: server-rendered pages for people. It shows the way in and the keys of each environment.
//!
//! **Invariants.** Every form works without script. Pages reach the product through `service` alone. The session
//! cookie counts on these paths and nowhere else; no form is obeyed that did not come from one of these pages.

mod answer;
pub mod assets;
mod cookies;
mod forms;
mod pages;
mod visitor;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use flagstaff_service::Service;
use std::sync::Arc;
use std::time::Duration;

/// The most bytes a form may have.
const FORM_LIMIT: usize = 16 * 1024;
/// How long a page may take, a form's arrival included. Checking a password takes the most.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// What the pages have to know about the server they are on.
#[derive(Debug, Clone)]
pub struct DashboardConfig {
    /// Address under which people reach the server, without a slash at its end.
    pub public_url: Arc<str>,
    /// How long a browser stays signed in, in hours.
    pub session_hours: u32,
}

/// What every page is made with.
#[derive(Clone)]
pub(crate) struct Dashboard {
    pub(crate) service: Service,
    pub(crate) config: DashboardConfig,
}

impl Dashboard {
    /// True where browsers come by https: cookies must then never travel without.
    pub(crate) fn is_secure(&self) -> bool {
        self.config.public_url.starts_with("https://")
    }
}

/// The paths of all pages, for metrics.
pub const PATHS: [&str; 6] = [
    "/",
    "/sign-in",
    "/sign-out",
    "/welcome/{link}",
    "/environments/{client_key}/server-keys",
    "/assets/{name}",
];

/// The pages and what they load. Requests carry the peer's address as `ConnectInfo<SocketAddr>`.
pub fn router(service: Service, config: DashboardConfig) -> Router {
    let dashboard = Dashboard { service, config };
    Router::new()
        .route("/", get(pages::overview::show))
        .route("/sign-in", post(pages::sign_in::submit))
        .route("/sign-out", post(pages::sign_in::sign_out))
        .route(
            "/welcome/{link}",
            get(pages::first_member::show).post(pages::first_member::submit),
        )
        .route(
            "/environments/{client_key}/server-keys",
            post(pages::server_keys::show),
        )
        .route("/assets/{name}", get(assets::serve))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(middleware::from_fn(in_time))
        .with_state(dashboard)
}

/// Gives up on a form that does not arrive.
async fn in_time(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
