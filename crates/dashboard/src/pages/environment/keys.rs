//! The keys of an environment: made, shown, revoked.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::fragments::dates::parse_minute;
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{ServerKey, ServerKeyId, Timestamp};
use flagstaff_service::{Noun, ServerKeyPatch, ServerKeyRequest, ServiceError, ServiceResult};

/// Characters of a key that stay readable.
const SHOWN: usize = 8;

/// The page.
#[derive(Template)]
#[template(path = "environment_keys.html")]
struct KeysPage<'a> {
    shell: &'a Shell,
    path: String,
    tabs: Vec<Link>,
    environment: &'a str,
    client_key: &'a str,
    public_url: &'a str,
    keys: Option<Vec<KeyRow>>,
    key_name: String,
    expires: String,
    problems: &'a FieldProblems,
}

struct KeyRow {
    id: i64,
    name: String,
    key: String,
    is_shown: bool,
    state: &'static str,
    mark: &'static str,
    is_active: bool,
    created: Moment,
    expires: Option<Moment>,
}

fn path(client_key: &str) -> String {
    format!("/environments/{}/keys", encoded(client_key))
}

/// `GET /environments/{client_key}/keys`: server keys are masked; `?ask=revoke&key_id=3` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, &client_key).await?;
    let sent: Fields = sent.into_iter().collect();
    if sent.has("ask") {
        let id = ServerKeyId::new(sent.parsed("key_id").unwrap_or(0));
        let key = key(&dashboard, &shell, &client_key, id).await?;
        let path = path(&client_key);
        return Ok(question(&shell, &path, &key, sent.text("ask")).asked());
    }
    let problems = FieldProblems::default();
    let shown = Shown {
        key: None,
        sent: None,
        problems: &problems,
    };
    Ok(answer(&dashboard, &shell, StatusCode::OK, shown).await?)
}

async fn key(
    dashboard: &Dashboard,
    shell: &Shell,
    client_key: &str,
    id: ServerKeyId,
) -> ServiceResult<ServerKey> {
    let keys = dashboard.service.server_keys(&shell.caller, client_key);
    let mut keys = keys.await?.into_iter();
    keys.find(|key| key.id == id).ok_or(ServiceError::NotFound {
        noun: Noun::ServerKey,
    })
}

/// Whether a key is to be revoked or deleted.
fn question<'a>(shell: &'a Shell, path: &'a str, key: &'a ServerKey, deed: &str) -> Question<'a> {
    let (action, heading, button) = match deed {
        "delete" => ("delete", "Delete", "Delete the key"),
        _ => ("revoke", "Revoke", "Revoke the key"),
    };
    Question {
        shell,
        from: (path, "Keys"),
        heading: format!("{heading} the key {}", key.name),
        text: "Whatever program still uses it is refused at once.",
        name: &key.name,
        button,
        action: path,
        fields: vec![
            ("action", action.to_owned()),
            ("key_id", key.id.get().to_string()),
        ],
    }
}

async fn shell(dashboard: &Dashboard, signed_in: &SignedIn, key: &str) -> ServiceResult<Shell> {
    dashboard
        .shell(
            signed_in,
            Place::Environment(key),
            Section::EnvironmentSettings,
        )
        .await
}

/// What a page shows beside the list.
struct Shown<'a> {
    /// The key that is readable.
    key: Option<ServerKeyId>,
    sent: Option<&'a Fields>,
    problems: &'a FieldProblems,
}

async fn answer(
    dashboard: &Dashboard,
    shell: &Shell,
    status: StatusCode,
    shown: Shown<'_>,
) -> ServiceResult<Response> {
    let environment = shell.environment()?;
    let client_key = &*environment.api_key;
    let keys = match dashboard
        .service
        .server_keys(&shell.caller, client_key)
        .await
    {
        Ok(keys) => Some(keys),
        // Only admins of the environment see its server keys.
        Err(ServiceError::Forbidden) => None,
        Err(error) => return Err(error),
    };
    let row = |key: ServerKey| row(key, shown.key, shell.now);
    let text = |name: &str| shown.sent.map_or("", |fields| fields.text(name)).to_owned();
    let template = KeysPage {
        path: path(client_key),
        tabs: super::tabs(client_key, "keys"),
        environment: &environment.name,
        client_key,
        public_url: &dashboard.config.public_url,
        keys: keys.map(|keys| keys.into_iter().map(row).collect()),
        key_name: text("name"),
        expires: text("expires_at"),
        problems: shown.problems,
        shell,
    };
    Ok(shell.page(status, &template))
}

fn row(key: ServerKey, shown: Option<ServerKeyId>, now: Timestamp) -> KeyRow {
    let has_expired = key.expires_at.is_some_and(|expires| expires <= now);
    let (state, mark) = match (key.active, has_expired) {
        (true, false) => ("active", "good"),
        (true, true) => ("expired", "warn"),
        (false, _) => ("revoked", "danger"),
    };
    let is_shown = shown == Some(key.id);
    let text: String = if is_shown {
        key.key.to_string()
    } else {
        let start: String = key.key.chars().take(SHOWN).collect();
        format!("{start}…")
    };
    KeyRow {
        id: key.id.get(),
        key: text,
        is_shown,
        state,
        mark,
        is_active: key.active,
        created: Moment::new(key.created_at, now),
        expires: key.expires_at.map(|expires| Moment::new(expires, now)),
        name: key.name,
    }
}

/// `POST /environments/{client_key}/keys`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, &client_key).await?;
    let id = ServerKeyId::new(fields.parsed("key_id").unwrap_or(0));
    let switched = |active| ServerKeyPatch {
        active: Some(active),
        ..ServerKeyPatch::default()
    };
    let service = &dashboard.service;
    let caller = &shell.caller;
    let action = fields.text("action");
    if matches!(action, "revoke" | "delete") {
        let key = key(&dashboard, &shell, &client_key, id).await?;
        question(&shell, &path(&client_key), &key, action).answered(&fields)?;
    }
    let notice = match action {
        "create" => return create(&dashboard, &shell, &fields).await,
        "show" => {
            // A form, so that no link, history or preview opens it.
            let problems = FieldProblems::default();
            let shown = Shown {
                key: Some(id),
                sent: None,
                problems: &problems,
            };
            return Ok(answer(&dashboard, &shell, StatusCode::OK, shown).await?);
        }
        "revoke" => {
            service
                .update_server_key(caller, &client_key, id, switched(false))
                .await?;
            let undo = [("action", "activate"), ("key_id", fields.text("key_id"))];
            Notice::done("The key is revoked: it is refused from now on.")
                .with_undo(path(&client_key), &undo)
        }
        "activate" => {
            service
                .update_server_key(caller, &client_key, id, switched(true))
                .await?;
            Notice::done("The key works again.")
        }
        "delete" => {
            service.delete_server_key(caller, &client_key, id).await?;
            Notice::done("The key is deleted.")
        }
        _ => Notice::problem("Nothing was asked for."),
    };
    Ok(notice.on(&path(&client_key), &dashboard, &signed_in))
}

async fn create(dashboard: &Dashboard, shell: &Shell, fields: &Fields) -> PageResult {
    let expires = fields.filled("expires_at").map(parse_minute);
    let mut problems = FieldProblems::default();
    if expires == Some(None) {
        problems.add("expires_at", "This is not a time.");
    }
    let client_key = &*shell.environment()?.api_key;
    let request = ServerKeyRequest {
        name: fields.text("name").trim().to_owned(),
        expires_at: expires.flatten(),
        ..ServerKeyRequest::default()
    };
    let mut made = None;
    if problems.is_empty() {
        let service = &dashboard.service;
        match service
            .create_server_key(&shell.caller, client_key, request)
            .await
        {
            Ok(key) => made = Some(key.id),
            Err(error) => problems = FieldProblems::from_refusal(error)?,
        }
    }
    let status = if made.is_some() {
        StatusCode::CREATED
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let shown = Shown {
        key: made,
        sent: Some(fields).filter(|_| made.is_none()),
        problems: &problems,
    };
    Ok(answer(dashboard, shell, status, shown).await?)
}
