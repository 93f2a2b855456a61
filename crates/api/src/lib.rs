//! The protocol faces: Flagsmith's SDK and admin routes, OFREP, realtime notifications, health and metrics.
//!
//! **Invariants.** A face only translates: it parses, makes one call into `service` and shapes the answer; two
//! faces that answer one question differently are a bug in `service` or `wire`. Every route is declared together
//! with its authentication ([`auth`]), which is checked before the handler runs: a handler receives what the
//! authentication yielded, so a route without a declaration does not compile. Logs and metrics hold route
//! templates, never paths, because keys are in paths. No SQL, and nothing that reaches past `service`.

mod auth;
pub mod config;
mod cors;
mod entrance;
mod explain;
mod flagd;
pub mod flagsmith;
mod follower;
mod frame;
mod grpc;
mod listener;
mod meters;
mod modified;
mod ofrep;
mod ops;
mod pace;
mod pacer;
mod realtime;
mod rendered;
mod request_body;
mod rollouts;
mod routes;
mod sdk_labels;
mod server_sent_events;
mod state;
mod streams;

pub use config::{ApiConfig, FlagdConfig, MetricsConfig, SyncContext};
pub use entrance::{Entrance, Peer};
pub use frame::watch_pages;
pub use listener::Connection;
pub use ops::metrics_recorder;
pub use pacer::Pacer;
pub use state::ApiState;

use axum::Router;
use secrecy::SecretString;

/// Every route of every face, and `pages` beside them.
pub fn entrance(state: ApiState, pages: Router) -> Entrance {
    let routes = routes::Routes::new();
    let routes = flagsmith::routes(routes);
    let routes = flagd::routes(routes);
    let routes = realtime::routes(routes);
    let routes = ofrep::routes(routes);
    let routes = explain::routes(routes);
    let routes = rollouts::routes(routes);
    let routes = ops::routes(routes);
    let routes = flagd::grpc::sync::routes(routes);
    let routes = flagd::rpc::routes(routes);
    let routes = grpc::operations(routes);
    routes.finish(state, pages, None)
}

/// A face that may have a listener of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    /// `flagd.sync.v1`.
    FlagdSync,
    /// `flagd.evaluation.v1` and `.v2`.
    FlagdEvaluation,
    /// The OpenFeature Remote Evaluation Protocol.
    Ofrep,
}

/// What a listener of one face serves: that face, and what probes ask. With a `key` it stands for the environment of
/// that key.
pub fn face_entrance(state: ApiState, face: Face, key: Option<SecretString>) -> Entrance {
    let routes = routes::Routes::new();
    let routes = match face {
        Face::FlagdSync => flagd::grpc::sync::routes(routes),
        Face::FlagdEvaluation => flagd::rpc::routes(routes),
        Face::Ofrep => ops::probes(ofrep::routes(routes)),
    };
    let routes = grpc::operations(routes);
    let listener = listener::Listener::new(key);
    routes.finish(state, Router::new(), Some(listener))
}
