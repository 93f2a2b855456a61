//! Health and reflection: what probes and tools ask of a gRPC server, without a key.

use super::message::{answer_message, framed};
use super::routes::Call;
use super::stream::{StreamPart, answer_stream};
use crate::auth::Open;
use crate::routes::Routes;
use crate::state::ApiState;
use crate::streams::{Protocol, StreamPlace};
use axum::response::Response;
use flagstaff_proto::DESCRIPTORS;
use futures::stream;
use std::time::Duration;
use tokio::sync::watch;
use tonic::Status;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::server::Builder;

/// How often a watched state of health is looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Bytes of a question about what there is.
const QUESTION_LIMIT: usize = 64 * 1024;
/// What can be asked after by name; the empty name is the server.
const SERVICES: [&str; 8] = [
    "",
    "flagd.evaluation.v1.Service",
    "flagd.evaluation.v2.Service",
    "flagd.sync.v1.FlagSyncService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "schema.v1.Service",
];

pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .method("/grpc.health.v1.Health/Check", Open, check)
        .method("/grpc.health.v1.Health/Watch", Open, watch);
    with_reflection(routes)
}

fn with_reflection(routes: Routes) -> Routes {
    let describe = || {
        Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    // The descriptions are those that the code was made of; a server without reflection serves all the same.
    let (Ok(newer), Ok(older)) = (describe().build_v1(), describe().build_v1alpha()) else {
        tracing::error!("the services cannot be described");
        return routes;
    };
    routes
        .open_service(
            &["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"],
            newer.max_decoding_message_size(QUESTION_LIMIT),
        )
        .open_service(
            &["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"],
            older.max_decoding_message_size(QUESTION_LIMIT),
        )
}

async fn check(call: Call<(), HealthCheckRequest>) -> Result<Response, Status> {
    if !SERVICES.contains(&call.message.service.as_str()) {
        return Err(Status::not_found("there is no such service"));
    }
    Ok(answer_message(&health(&call.state).await))
}

async fn watch(call: Call<(), HealthCheckRequest>) -> Result<Response, Status> {
    let place = call.state.streams().open(Protocol::Health, None);
    let place = place.ok_or_else(super::too_many_streams)?;
    let watcher = Watcher {
        is_known: SERVICES.contains(&call.message.service.as_str()),
        closing: call.state.streams().closing(),
        told: None,
        has_ended: false,
        state: call.state,
        _place: place,
    };
    Ok(answer_stream(stream::unfold(
        watcher,
        |mut watcher| async move {
            let part = watcher.next().await?;
            Some((part, watcher))
        },
    )))
}

/// Serving as long as the server is ready, which is what the probes of HTTP say too.
async fn health(state: &ApiState) -> HealthCheckResponse {
    let is_ready = state.service().readiness().await.database;
    let status = if is_ready {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

struct Watcher {
    state: ApiState,
    is_known: bool,
    told: Option<i32>,
    closing: watch::Receiver<bool>,
    has_ended: bool,
    _place: StreamPlace,
}

impl Watcher {
    async fn next(&mut self) -> Option<StreamPart> {
        if self.has_ended {
            return None;
        }
        loop {
            if *self.closing.borrow() {
                self.has_ended = true;
                return Some(StreamPart::End(Status::unavailable("the server stops")));
            }
            let health = if self.is_known {
                health(&self.state).await
            } else {
                HealthCheckResponse {
                    status: ServingStatus::ServiceUnknown.into(),
                }
            };
            if self.told != Some(health.status) {
                self.told = Some(health.status);
                return Some(StreamPart::Bytes(framed(&health)));
            }
            tokio::select! {
                _ = self.closing.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }
}
