//! The OpenFeature Remote Evaluation Protocol: one flag, all flags, and a stream that says when to ask again.
//!
//! Nothing is stored: attributes that are sent count for the one call, and nobody becomes known by asking.

mod entity_tag;
mod evaluation;
mod freshness;
mod items;
mod list;
mod refusal;
mod stream;

use crate::auth::EnvironmentKeyInAnyHeader;
use crate::routes::{Refusals, Routes};
use axum::http::StatusCode;
use axum::response::Response;
use refusal::Refusal;

const PATHS: &str = "/ofrep/v1/";
const REFUSALS: Refusals = Refusals {
    unauthenticated: |error| Refusal::from(error).respond(None),
    method: |method| Refusal::Method(method).respond(None),
};

/// Adds the routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let key = EnvironmentKeyInAnyHeader;
    let routes = routes
        .post("/ofrep/v1/evaluate/flags", key, REFUSALS, list::flags)
        .post("/ofrep/v1/evaluate/flags/", key, REFUSALS, list::flags)
        .post(
            // Clients encode a slash in a name; those that do not mean the same.
            "/ofrep/v1/evaluate/flags/{*key}",
            key,
            REFUSALS,
            evaluation::flag,
        );
    stream::routes(routes)
}

/// True for a route of this face, by its template.
pub(crate) fn serves(template: &str) -> bool {
    template.starts_with(PATHS)
}

/// Says a failure of which no handler knows.
pub(crate) fn failure(status: StatusCode, text: &str) -> Response {
    refusal::details(status, text)
}
