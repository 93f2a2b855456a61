//! `flagd.sync.v1`: whole documents for programs that evaluate for themselves.

use super::credentials::FlagdKeyInMetadata;
use crate::auth::KeyedEnvironment;
use crate::grpc::{Call, answer_message};
use crate::routes::Routes;
use axum::response::Response;
use flagstaff_proto::flagd::sync::v1::{GetMetadataRequest, GetMetadataResponse};
use tonic::Status;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes.method(
        "/flagd.sync.v1.FlagSyncService/GetMetadata",
        FlagdKeyInMetadata,
        metadata,
    )
}

/// What newer clients read from `sync_context`.
async fn metadata(call: Call<KeyedEnvironment, GetMetadataRequest>) -> Result<Response, Status> {
    let context = &call.state.config().flagd.sync_context;
    Ok(answer_message(&GetMetadataResponse {
        metadata: Some(context.to_struct()),
    }))
}
