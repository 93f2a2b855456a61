//! The gRPC face, asked by the clients that are generated from the same files, through the whole router.

mod carriers;
mod limits;
mod operations;
mod sync;

use crate::face::{Face, SERVER_KEY};
use axum::Router;
use flagstaff_proto::flagd::sync::v1::flag_sync_service_client::FlagSyncServiceClient;
use flagstaff_service::FlagdIntegrationPatch;
use tonic::{Code, Request, Status};

/// A client of the sync service.
pub type SyncClient = FlagSyncServiceClient<Router>;

/// A server that serves its project to flagd.
pub async fn serving() -> Face {
    let face = Face::start().await;
    integrate(&face, true).await;
    face
}

/// Serves the project to flagd, or stops doing so.
pub async fn integrate(face: &Face, enabled: bool) {
    face.pass_seconds(1);
    let open = face
        .service
        .open_environment(Some(SERVER_KEY), flagstaff_service::KeyNeed::Any);
    let project = open.await.unwrap().snapshot().project.id;
    let patch = FlagdIntegrationPatch {
        enabled: Some(enabled),
        ..FlagdIntegrationPatch::default()
    };
    let changed = face
        .service
        .update_flagd_integration(&face.caller, project, None, patch);
    changed.await.unwrap();
}

pub fn sync_client(face: &Face) -> SyncClient {
    FlagSyncServiceClient::new(face.router())
}

/// A request with metadata.
pub fn with<M>(message: M, metadata: &[(&'static str, &str)]) -> Request<M> {
    let mut request = Request::new(message);
    for (name, value) in metadata {
        request.metadata_mut().insert(*name, value.parse().unwrap());
    }
    request
}

/// The code of a refusal; good calls are `Ok`.
pub fn code<T>(answer: &Result<T, Status>) -> Code {
    answer.as_ref().map_or_else(Status::code, |_| Code::Ok)
}
