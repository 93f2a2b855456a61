//! The flagd face: an environment as flagd, and what speaks like it, reads it.
//!
//! The two documents are polled over HTTP. Their errors have the shape of the Flagsmith API, beside which they stand.
//! flagd's own gRPC services stand in [`grpc`].

mod document;
pub(crate) mod grpc;
mod key;
mod meters;
pub(crate) mod rpc;
mod sync;

pub(crate) use meters::{SIZE, SIZE_BYTES};

use crate::flagsmith::view::View;
use crate::routes::Routes;
use key::FlagdKey;

/// Adds the routes. flagd tells formats by the end of a path, so these have no slash there.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/flagd/flags.json",
            View::new("Flagd Flags").get(FlagdKey, sync::flags),
        )
        .view(
            "/api/v1/flagd/diagnostics.json",
            View::new("Flagd Diagnostics").get(FlagdKey, sync::diagnostics),
        )
}
