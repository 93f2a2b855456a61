//! Rollouts of an environment: the list, and one with its plan, how far it is, and what happened to it.

mod guards;
mod list;
mod show;
pub(crate) mod words;

use crate::answer::encoded;
use crate::routes::Routes;
use axum::routing::get;
use flagstaff_core::RolloutId;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .member("/environments/{client_key}/rollouts", get(list::show))
        .member(
            "/environments/{client_key}/rollouts/{rollout_id}",
            get(show::show).post(show::change),
        )
        .member(
            "/environments/{client_key}/rollouts/{rollout_id}/guards",
            get(guards::show).post(guards::change),
        )
}

/// Where the list is.
pub(crate) fn list_path(client_key: &str) -> String {
    format!("/environments/{}/rollouts", encoded(client_key))
}

/// Where a rollout is.
pub(crate) fn rollout_path(client_key: &str, id: RolloutId) -> String {
    format!("{}/{}", list_path(client_key), id.get())
}
