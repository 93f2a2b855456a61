//! The protocol faces: Flagsmith's SDK and admin routes, realtime notifications, health and metrics.
//!
//! **Invariants.** A face only translates: it parses, makes one call into `service` and shapes the answer; two
//! faces that answer one question differently are a bug in `service` or `wire`. Every route is declared together
//! with its authentication ([`auth`]), which is checked before the handler runs: a handler receives what the
//! authentication yielded, so a route without a declaration does not compile. Logs and metrics hold route
//! templates, never paths, because keys are in paths. No SQL, and nothing that reaches past `service`.

mod auth;
pub mod config;
mod cors;
pub mod flagsmith;
mod frame;
mod meters;
mod modified;
mod ops;
mod realtime;
mod rendered;
mod routes;
mod state;
mod streams;

pub use config::ApiConfig;
pub use frame::watch_pages;
pub use ops::metrics_recorder;
pub use state::ApiState;

use axum::Router;

/// Every route of every face, ready to be served or merged with the dashboard's.
pub fn router(state: ApiState) -> Router {
    let routes = routes::Routes::new();
    let routes = flagsmith::routes(routes);
    let routes = realtime::routes(routes);
    let routes = ops::routes(routes);
    routes.finish(state)
}
