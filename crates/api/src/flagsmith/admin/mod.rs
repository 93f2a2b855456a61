//! The routes that people, their dashboard, scripts and Terraform manage flags with.
//!
//! One file per noun, named as in `service`. What several nouns share stands in [`state_bodies`], [`state_values`]
//! and [`lists`].

mod accounts;
mod api_keys;
mod environments;
mod feature_body;
mod feature_owners;
mod feature_segments;
mod feature_state_rows;
mod feature_states;
mod features;
mod identities;
mod identity_overrides;
mod invites;
mod lists;
mod multivariate_options;
mod option_body;
mod organisation_members;
mod organisations;
mod permissions;
mod projects;
mod segment_body;
mod segment_overrides;
mod segments;
mod server_keys;
mod sign_in;
mod state_bodies;
mod state_values;
mod tags;
mod times;

use super::view::View;
use crate::auth::{Member, Open};
use crate::routes::Routes;

/// Adds the routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = sign_in_routes(routes);
    let routes = accounts::routes(routes);
    let routes = api_keys::routes(routes);
    let routes = organisation_members::routes(routes);
    let routes = invites::routes(routes);
    let routes = project_routes(routes);
    let routes = tags::routes(routes);
    let routes = feature_owners::routes(routes);
    let routes = multivariate_options::routes(routes);
    let routes = environment_routes(routes);
    let routes = state_routes(routes);
    let routes = feature_state_rows::routes(routes);
    let routes = feature_segments::routes(routes);
    identity_routes(routes)
}

fn sign_in_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/auth/login/",
            View::new("Custom Auth Token Login View").post(Open, sign_in::sign_in),
        )
        .view(
            "/api/v1/auth/logout/",
            View::new("Token Destroy").post(Member, sign_in::sign_out),
        )
        .view(
            "/api/v1/auth/token/",
            View::new("Delete Token").delete(Member, sign_in::sign_out),
        )
}

fn project_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/",
            View::new("Organisation List")
                .get(Member, organisations::list)
                .post(Member, organisations::create),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/",
            View::new("Organisation Instance")
                .get(Member, organisations::get)
                .put(Member, organisations::replace)
                .patch(Member, organisations::update)
                .delete(Member, organisations::delete),
        )
        .view(
            "/api/v1/projects/",
            View::new("Project List")
                .get(Member, projects::list)
                .post(Member, projects::create),
        )
        .view(
            "/api/v1/projects/{project_id}/",
            View::new("Project Instance")
                .get(Member, projects::get)
                .put(Member, projects::replace)
                .patch(Member, projects::update)
                .delete(Member, projects::delete),
        )
        .view(
            "/api/v1/projects/{project_id}/my-permissions/",
            View::new("My permissions").get(Member, permissions::of_project),
        )
        .view(
            "/api/v1/projects/{project_id}/features/",
            View::new("Feature List")
                .get(Member, features::list)
                .post(Member, features::create),
        )
        .view(
            "/api/v1/projects/{project_id}/features/{feature_id}/",
            View::new("Feature Instance")
                .get(Member, features::get)
                .put(Member, features::replace)
                .patch(Member, features::update)
                .delete(Member, features::delete),
        )
        .view(
            "/api/v1/features/get-by-uuid/{uuid}/",
            View::new("Get Feature By Uuid")
                .as_function()
                .get(Member, features::get_by_uuid),
        )
        .view(
            "/api/v1/projects/{project_id}/segments/",
            View::new("Segment List")
                .get(Member, segments::list)
                .post(Member, segments::create),
        )
        .view(
            "/api/v1/projects/{project_id}/segments/{segment_id}/",
            View::new("Segment Instance")
                .get(Member, segments::get)
                .put(Member, segments::replace)
                .patch(Member, segments::update)
                .delete(Member, segments::delete),
        )
}

fn environment_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/",
            View::new("Environment List")
                .get(Member, environments::list)
                .post(Member, environments::create),
        )
        .view(
            "/api/v1/environments/{environment_key}/",
            View::new("Environment Instance")
                .get(Member, environments::get)
                .put(Member, environments::replace)
                .patch(Member, environments::update)
                .delete(Member, environments::delete),
        )
        .view(
            "/api/v1/environments/{environment_key}/my-permissions/",
            View::new("My permissions").get(Member, permissions::of_environment),
        )
        .view(
            "/api/v1/environments/{environment_key}/document/",
            View::new("Get document").get(Member, environments::document),
        )
        .view(
            "/api/v1/environments/{environment_key}/api-keys/",
            View::new("Environment Api Key List")
                .get(Member, server_keys::list)
                .post(Member, server_keys::create),
        )
        .view(
            "/api/v1/environments/{environment_key}/api-keys/{server_key_id}/",
            View::new("Environment Api Key Instance")
                .put(Member, server_keys::replace)
                .patch(Member, server_keys::update)
                .delete(Member, server_keys::delete),
        )
}

fn state_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/featurestates/",
            View::new("Environment Feature State List")
                .get(Member, feature_states::list)
                .post(Member, feature_states::create),
        )
        .view(
            "/api/v1/environments/{environment_key}/featurestates/{state_id}/",
            View::new("Environment Feature State Instance")
                .get(Member, feature_states::get)
                .put(Member, feature_states::replace)
                .patch(Member, feature_states::update)
                .delete(Member, feature_states::delete),
        )
        .view(
            "/api/v1/environments/{environment_key}/features/{feature_id}/create-segment-override/",
            View::new("Create Segment Override")
                .as_function()
                .post(Member, segment_overrides::create),
        )
}

fn identity_routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/environments/{environment_key}/identities/",
            View::new("Identity List")
                .get(Member, identities::list)
                .post(Member, identities::create),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/",
            View::new("Identity Instance")
                .get(Member, identities::get)
                .delete(Member, identities::delete),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/",
            View::new("Identity Feature State List")
                .get(Member, identity_overrides::list)
                .post(Member, identity_overrides::create),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/all/",
            View::new("All").get(Member, identity_overrides::all),
        )
        .view(
            "/api/v1/environments/{environment_key}/identities/{identity_id}/featurestates/{state_id}/",
            View::new("Identity Feature State Instance")
                .get(Member, identity_overrides::get)
                .put(Member, identity_overrides::replace)
                .patch(Member, identity_overrides::update)
                .delete(Member, identity_overrides::delete),
        )
}
