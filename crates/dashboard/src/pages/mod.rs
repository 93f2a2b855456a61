//! One file for each page, or a folder where a page has parts.

pub(crate) mod account;
pub(crate) mod account_links;
pub(crate) mod external_sign_in;
pub(crate) mod features;
pub(crate) mod first_member;
pub(crate) mod identities;
pub(crate) mod invitation;
pub(crate) mod overview;
pub(crate) mod project;
pub(crate) mod segments;
pub(crate) mod server_keys;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod theme;
pub(crate) mod visitor_form;
pub(crate) mod waiting_links;

use crate::routes::Routes;
use crate::{assets, live};
use axum::routing::{get, post};

/// Registers every page, with who may ask for it.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = features::routes(routes);
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
        .visitor("/sign-up", get(sign_up::show).post(sign_up::submit))
        .visitor(
            "/invite/{token}",
            get(invitation::show).post(invitation::accept),
        )
        .visitor(
            "/forgot-password",
            get(account_links::ask).post(account_links::request),
        )
        .visitor(
            "/password-reset/confirm/{account}/{token}",
            get(account_links::show_password).post(account_links::choose_password),
        )
        .visitor(
            "/activate/{account}/{token}",
            get(account_links::show_activation).post(account_links::activate),
        )
        .visitor(
            "/email-change/confirm/{account}/{token}",
            get(account_links::show_email).post(account_links::choose_email),
        )
        .visitor("/sign-in/with/{provider}", get(external_sign_in::leave))
        .visitor(
            "/sign-in/with/{provider}/callback",
            get(external_sign_in::come_back),
        )
        .member("/waiting-links", get(waiting_links::list))
        .member("/waiting-links/{id}", post(waiting_links::show))
        .member("/account", get(account::show))
        .member("/account/names", post(account::change_names))
        .member("/account/email", post(account::change_email))
        .member("/account/password", post(account::change_password))
        .member("/theme", post(theme::choose))
        .member("/projects/{project_id}", get(project::show))
        .member("/environments/{client_key}/live", get(live::follow))
        .member(
            "/environments/{client_key}/server-keys",
            post(server_keys::show),
        )
}
