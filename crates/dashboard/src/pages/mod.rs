//! One file for each page, or a folder where a page has parts.

pub(crate) mod first_member;
pub(crate) mod identities;
pub(crate) mod overview;
pub(crate) mod project;
pub(crate) mod segments;
pub(crate) mod server_keys;
pub(crate) mod sign_in;
pub(crate) mod theme;

use crate::routes::Routes;
use crate::{assets, live};
use axum::routing::{get, post};

/// Registers every page, with who may ask for it.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = identities::routes(segments::routes(routes));
    routes
        .visitor("/assets/{name}", get(assets::serve))
        .visitor("/", get(overview::show))
        .visitor("/sign-in", post(sign_in::submit))
        .visitor("/sign-out", post(sign_in::sign_out))
        .visitor(
            "/welcome/{link}",
            get(first_member::show).post(first_member::submit),
        )
        .member("/theme", post(theme::choose))
        .member("/projects/{project_id}", get(project::show))
        .member("/environments/{client_key}/live", get(live::follow))
        .member(
            "/environments/{client_key}/server-keys",
            post(server_keys::show),
        )
}
