//! Features of an environment: the list, making one, and everything about one.

mod code;
mod compare;
mod create;
mod deletion;
mod frame;
mod history;
mod identity_values;
mod list;
mod overrides;
mod rollouts;
mod schedule;
mod settings;
mod several;
mod state_form;
mod toggle;
mod value;
mod versions;

use crate::answer::encoded;
use crate::routes::Routes;
use axum::routing::{get, post};
use flagstaff_core::FeatureId;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .member(
            "/environments/{client_key}/features",
            get(list::show).post(several::submit),
        )
        .member(
            "/environments/{client_key}/features/new",
            get(create::show).post(create::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/toggle",
            post(toggle::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}",
            get(value::show).post(value::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/overrides",
            get(overrides::ask).post(overrides::arrange),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/overrides/new",
            get(overrides::show_new).post(overrides::submit_new),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/overrides/{segment_id}",
            get(overrides::show).post(overrides::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/identities",
            get(identity_values::ask).post(identity_values::remove),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/identities/new",
            get(identity_values::show).post(identity_values::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/compare",
            get(compare::show),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/promote",
            get(compare::show_promotion).post(compare::promote),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/settings",
            get(settings::show).post(settings::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/delete",
            get(deletion::show).post(deletion::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/versions",
            get(versions::show).post(versions::restore),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/versions/begin",
            post(versions::begin),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/schedule",
            get(schedule::show).post(schedule::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/rollouts",
            get(rollouts::show).post(rollouts::submit),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/code",
            get(code::show),
        )
        .member(
            "/environments/{client_key}/features/{feature_id}/history",
            get(history::show),
        )
}

/// Where the list is.
pub(crate) fn list_path(client_key: &str) -> String {
    format!("/environments/{}/features", encoded(client_key))
}

/// Where a feature is.
pub(crate) fn feature_path(client_key: &str, feature: FeatureId) -> String {
    format!("{}/{}", list_path(client_key), feature.get())
}
