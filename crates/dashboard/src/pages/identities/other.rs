//! The end of an identity.

use super::{find, list_path, path};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_core::Identity;

#[derive(Template)]
#[template(path = "identities/delete.html")]
struct DeletePage<'a> {
    shell: &'a Shell,
    path: String,
    identity: &'a Identity,
    problems: FieldProblems,
}

/// `GET /environments/{client_key}/identities/{identity_id}/delete`
pub(crate) async fn delete_form(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let template = DeletePage {
        shell: &shell,
        path: path(&client_key, identity.id),
        identity: &identity,
        problems: FieldProblems::default(),
    };
    Ok(shell.page(StatusCode::OK, &template))
}

/// `POST /environments/{client_key}/identities/{identity_id}/delete`
pub(crate) async fn delete(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let expected = identity.identifier.replace(['\r', '\n'], "");
    if fields.text("confirmed_name").trim() != expected.trim() {
        let mut problems = FieldProblems::default();
        problems.add("confirmed_name", "This is not the identifier.");
        let template = DeletePage {
            shell: &shell,
            path: path(&client_key, identity.id),
            identity: &identity,
            problems,
        };
        return Ok(shell.page(StatusCode::UNPROCESSABLE_ENTITY, &template));
    }
    dashboard
        .service
        .delete_identity(&signed_in.caller, &client_key, identity.id)
        .await?;
    let notice = Notice::done("The identity is deleted with its traits and overrides.");
    Ok(notice.on(&list_path(&client_key), &dashboard, &signed_in))
}
