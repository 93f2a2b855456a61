//! The server keys of an environment, shown when they are asked for.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::Fields;
use crate::navigation::Section;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_core::{ServerKey, Timestamp};

/// The page.
#[derive(Template)]
#[template(path = "server_keys.html")]
struct ServerKeysPage<'a> {
    shell: &'a Shell,
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
    signed_in: SignedIn,
    _: Fields,
) -> PageResult {
    let place = Place::Environment(&client_key);
    let shell = dashboard
        .shell(&signed_in, place, Section::EnvironmentSettings)
        .await?;
    let keys = dashboard
        .service
        .server_keys(&signed_in.caller, &client_key)
        .await?;
    let template = ServerKeysPage {
        environment: &shell.environment()?.name,
        keys: keys.into_iter().map(|key| row(key, shell.now)).collect(),
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn row(key: ServerKey, now: Timestamp) -> KeyRow {
    KeyRow {
        is_active: key.active && key.expires_at.is_none_or(|expires| expires > now),
        key: key.key.to_string(),
        name: key.name,
    }
}
