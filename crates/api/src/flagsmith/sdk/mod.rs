//! The routes that SDKs speak to.

mod analytics;
mod deprecated;
mod environment_document;
mod flags;
pub(super) mod forms;
mod identities;
mod sent_identification;
mod traits;

use super::view::View;
use crate::auth::{EnvironmentKey, Open};
use crate::routes::Routes;
use flagstaff_service::KeyNeed;

const ANY: EnvironmentKey = EnvironmentKey(KeyNeed::Any);
const SERVER_SIDE: EnvironmentKey = EnvironmentKey(KeyNeed::ServerSide);

/// Adds the routes. Those without a slash at the end are meant so.
pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/flags/",
            View::new("Sdk Feature States").get(ANY, flags::flags),
        )
        .view(
            "/api/v1/flags/{feature_id}/multivariate-options/",
            View::new("Get Multivariate Options")
                .as_function()
                .get(ANY, flags::multivariate_options),
        )
        .view(
            "/api/v1/flags/{identifier}",
            View::new("Sdk Feature States").get(ANY, deprecated::flags_of_identity),
        )
        .view(
            "/api/v1/identities/",
            View::new("Sdk Identities")
                .get(ANY, identities::identity)
                .post(ANY, identities::identify),
        )
        .view(
            "/api/v1/identities/{identifier}/",
            View::new("Sdk Identities Deprecated").get(ANY, deprecated::identity),
        )
        .view(
            "/api/v1/identities/{identifier}/traits/{trait_key}",
            View::new("Sdk Traits Deprecated").post(ANY, deprecated::set_trait),
        )
        .view(
            "/api/v1/traits/",
            View::new("Sdk Traits").post(ANY, traits::set_trait),
        )
        .view(
            "/api/v1/traits/bulk/",
            View::new("Sdk Traits").put(ANY, traits::set_traits),
        )
        .view(
            "/api/v1/traits/increment-value/",
            View::new("Sdk Traits").post(ANY, traits::increment),
        )
        .view(
            "/api/v1/environment-document/",
            View::new("Sdk Environment").get(SERVER_SIDE, environment_document::document),
        )
        .view(
            "/api/v1/analytics/flags/",
            View::new("Sdk Analytics Flags").post(ANY, analytics::counts),
        )
        .view(
            "/api/v2/analytics/flags/",
            View::new("Sdk Analytics Flags V2").post(ANY, analytics::evaluations),
        )
        .view(
            "/api/v1/analytics/telemetry/",
            View::new("Self Hosted Telemetry").post(Open, analytics::telemetry),
        )
}
