//! The server keys of an environment, shown when they are asked for.

use super::sign_in::TokenForm;
use crate::Dashboard;
use crate::answer::{page, refusal, see_other};
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_core::{ServerKey, Timestamp};
use flagstaff_service::ServiceResult;

/// The page.
#[derive(Template)]
#[template(path = "server_keys.html")]
struct ServerKeysPage<'a> {
    email: &'a str,
    form_token: &'a str,
    environment: &'a str,
    keys: Vec<KeyRow>,
}

struct KeyRow {
    name: String,
    key: String,
    is_active: bool,
}

/// `POST /environments/{client_key}/server-keys`: a form, so that no link, history or preview opens them.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    headers: HeaderMap,
    Form(form): Form<TokenForm>,
) -> Response {
    let signed_in = match dashboard.signed_in(&headers).await {
        Ok(Some(signed_in)) => signed_in,
        Ok(None) => return see_other("/"),
        Err(response) => return response,
    };
    if !dashboard.is_own_form(&headers, Some(&signed_in.session), &form.form_token) {
        return see_other("/");
    }
    let read = async {
        let caller = &signed_in.caller;
        let environment = dashboard.service.environment(caller, &client_key).await?;
        let keys = dashboard.service.server_keys(caller, &client_key).await?;
        ServiceResult::Ok((environment, keys))
    };
    match read.await {
        Ok((environment, keys)) => {
            let now = dashboard.service.clock().now();
            let template = ServerKeysPage {
                email: signed_in.caller.name(),
                form_token: &signed_in.form_token(),
                environment: &environment.name,
                keys: keys.into_iter().map(|key| row(key, now)).collect(),
            };
            page(StatusCode::OK, &template)
        }
        Err(error) => refusal(&error),
    }
}

fn row(key: ServerKey, now: Timestamp) -> KeyRow {
    KeyRow {
        is_active: key.active && key.expires_at.is_none_or(|expires| expires > now),
        key: key.key.to_string(),
        name: key.name,
    }
}
