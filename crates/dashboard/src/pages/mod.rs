//! One file for each page, or a folder where a page has parts.

pub(crate) mod about;
pub(crate) mod account;
pub(crate) mod account_links;
pub(crate) mod audit;
pub(crate) mod environment;
pub(crate) mod external_sign_in;
pub(crate) mod features;
pub(crate) mod first_member;
pub(crate) mod flagd;
pub(crate) mod identities;
pub(crate) mod invitation;
pub(crate) mod lifecycle;
pub(crate) mod organisation;
pub(crate) mod overview;
pub(crate) mod own_flags;
pub(crate) mod permissions;
pub(crate) mod project;
pub(crate) mod project_settings;
pub(crate) mod question;
pub(crate) mod rollouts;
pub(crate) mod scheduled;
pub(crate) mod segments;
pub(crate) mod server_keys;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod theme;
pub(crate) mod usage;
pub(crate) mod visitor_form;
pub(crate) mod waiting_links;

use crate::answer::encoded;
use crate::routes::Routes;
use crate::shell::Shell;
use crate::{assets, live};
use axum::routing::{get, post};

/// A path of a page that belongs to no environment, so that its links still lead to the one that the member comes from.
pub(crate) fn around(shell: &Shell, path: &str) -> String {
    match &shell.environment {
        Some(found) => format!("{path}?environment={}", encoded(&found.api_key)),
        None => path.to_owned(),
    }
}

/// A path with further fields in its query.
pub(crate) fn asking(path: &str, fields: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (name, value) in fields {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(&format!("{name}={}", encoded(value)));
    }
    address
}

/// Registers every page, with who may ask for it.
pub(crate) fn routes(routes: Routes) -> Routes {
    let routes = rollouts::routes(features::routes(routes));
    let routes = identities::routes(segments::routes(routes));
    let routes = records(places(routes));
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

/// What happens: who did what, how much is asked for, what comes.
fn records(routes: Routes) -> Routes {
    routes
        .member("/about", get(about::show))
        .member("/own-flags", get(own_flags::show).post(own_flags::switch))
        .member("/projects/{project_id}/audit", get(audit::of_project))
        .member(
            "/projects/{project_id}/audit/file",
            get(audit::file_of_project),
        )
        .member(
            "/organisations/{organisation_id}/audit",
            get(audit::of_organisation),
        )
        .member(
            "/organisations/{organisation_id}/audit/file",
            get(audit::file_of_organisation),
        )
        .member("/environments/{client_key}/usage", get(usage::show))
        .member(
            "/environments/{client_key}/scheduled",
            get(scheduled::show).post(scheduled::cancel),
        )
        .member(
            "/environments/{client_key}/lifecycle",
            get(lifecycle::show).post(lifecycle::archive),
        )
}

/// Organisations, projects and environments themselves.
fn places(routes: Routes) -> Routes {
    use environment::{keys, settings};
    use organisation::{api_keys, members, overview};
    routes
        .member(
            "/organisations/{organisation_id}",
            get(overview::show).post(overview::change),
        )
        .member(
            "/organisations/{organisation_id}/members",
            get(members::show).post(members::change),
        )
        .member(
            "/organisations/{organisation_id}/api-keys",
            get(api_keys::show).post(api_keys::change),
        )
        .member(
            "/organisations/{organisation_id}/permissions",
            get(permissions::of_organisation).post(permissions::change_in_organisation),
        )
        .member(
            "/projects/{project_id}/settings",
            get(project_settings::show).post(project_settings::change),
        )
        .member(
            "/projects/{project_id}/permissions",
            get(permissions::of_project).post(permissions::change_in_project),
        )
        .member(
            "/projects/{project_id}/flagd",
            get(flagd::show).post(flagd::change),
        )
        .member(
            "/environments/{client_key}/settings",
            get(settings::show).post(settings::change),
        )
        .member(
            "/environments/{client_key}/keys",
            get(keys::show).post(keys::change),
        )
        .member(
            "/environments/{client_key}/permissions",
            get(permissions::of_environment).post(permissions::change_in_environment),
        )
}
