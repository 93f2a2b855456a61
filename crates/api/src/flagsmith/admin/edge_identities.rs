//! `environments/{environment_key}/edge-identities/`: identities that Flagsmith keeps in DynamoDB. There are none here,
//! and the answer is that of a Flagsmith project that keeps none there.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::view::View;
use super::environments::environment_key;
use crate::auth::Member;
use crate::routes::Routes;
use flagstaff_service::Caller;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = identity_routes(routes);
    let routes = state_routes(routes);
    routes.view(
        "/api/v1/environments/{environment_key}/edge-identity-overrides",
        View::new("Get Edge Identity Overrides")
            .as_function()
            .get(Member, refuse),
    )
}

fn identity_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/",
            View::new("Edge Identity List")
                .get(Member, refuse)
                .post(Member, refuse),
        )
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/",
            View::new("Edge Identity Instance")
                .get(Member, refuse)
                .put(Member, refuse)
                .patch(Member, refuse)
                .delete(Member, refuse),
        )
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/list-traits/",
            View::new("List traits").get(Member, refuse),
        )
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/update-traits/",
            View::new("Update traits").put(Member, refuse),
        )
}

fn state_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/",
            View::new("Edge Identity Feature State List")
                .get(Member, refuse)
                .post(Member, refuse),
        )
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/all/",
            View::new("All").get(Member, refuse),
        )
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/clone-from-given-identity/",
            View::new("Clone from given identity").post(Member, refuse),
        )
        .view(
            "/api/v1/environments/{environment_key}/edge-identities/{identity_uuid}/edge-featurestates/{state_uuid}/",
            View::new("Edge Identity Feature State Instance")
                .get(Member, refuse)
                .put(Member, refuse)
                .delete(Member, refuse),
        )
        .view(
            "/api/v1/environments/environments/{environment_key}/edge-identities-featurestates",
            View::new("Edge Identity With Identifier Feature State")
                .as_function()
                .put(Member, refuse)
                .delete(Member, refuse),
        )
}

async fn refuse(call: Call<Caller>) -> Result<Answer, Failure> {
    let key = environment_key(&call)?;
    call.service().environment(&call.subject, key).await?;
    Err(Failure::Refused(
        "Dynamo DB is not enabled for this project".into(),
    ))
}
