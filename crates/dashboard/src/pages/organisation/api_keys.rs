//! The API keys of an organisation: made, shown once, revoked.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::fragments::dates::{day_after, parse_day};
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::pages::{around, asking};
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{ApiKey, OrganisationId};
use flagstaff_service::{ApiKeyPatch, ApiKeyRequest, Noun, ServiceError, ServiceResult};
use secrecy::ExposeSecret as _;

/// The page.
#[derive(Template)]
#[template(path = "api_keys.html")]
struct ApiKeysPage<'a> {
    shell: &'a Shell,
    path: String,
    name: String,
    tabs: Vec<Link>,
    /// `None` for who may not see them.
    keys: Option<Vec<KeyRow>>,
    /// The key that was made just now: it is shown this once.
    new_key: Option<&'a str>,
    key_name: String,
    public_url: &'a str,
    problems: &'a FieldProblems,
}

struct KeyRow {
    prefix: String,
    /// Where it is asked whether the key is to be revoked, or deleted where it is revoked.
    ask: String,
    name: String,
    state: &'static str,
    mark: &'static str,
    is_revoked: bool,
    made: Moment,
    expires: Option<Moment>,
}

/// `GET /organisations/{organisation_id}/api-keys`; `?ask=revoke&prefix=…` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    let shell = shell(&dashboard, &signed_in, id).await?;
    let sent: Fields = sent.into_iter().collect();
    if sent.has("ask") {
        let key = key(&dashboard, &shell, id, sent.text("prefix")).await?;
        let path = path(&shell, id);
        return Ok(question(&shell, &path, &key, sent.text("ask")).asked());
    }
    let shown = Shown::default();
    Ok(answer(&dashboard, &shell, id, StatusCode::OK, shown).await?)
}

async fn shell(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    id: OrganisationId,
) -> ServiceResult<Shell> {
    let place = Place::Organisation(id);
    dashboard
        .shell(signed_in, place, Section::Organisation)
        .await
}

fn path(shell: &Shell, id: OrganisationId) -> String {
    around(shell, &format!("/organisations/{}/api-keys", id.get()))
}

async fn key(
    dashboard: &Dashboard,
    shell: &Shell,
    id: OrganisationId,
    prefix: &str,
) -> ServiceResult<ApiKey> {
    let keys = dashboard.service.api_keys(&shell.caller, id).await?;
    let mut keys = keys.into_iter();
    let noun = Noun::ApiKey;
    keys.find(|key| key.prefix == prefix)
        .ok_or(ServiceError::NotFound { noun })
}

/// Whether a key is to be revoked or deleted.
fn question<'a>(shell: &'a Shell, path: &'a str, key: &'a ApiKey, deed: &str) -> Question<'a> {
    let (action, heading, button) = match deed {
        "delete" => ("delete", "Delete", "Delete the key"),
        _ => ("revoke", "Revoke", "Revoke the key"),
    };
    Question {
        shell,
        from: (path, "API keys"),
        heading: format!("{heading} the API key {}", key.name),
        text: "Whatever program still uses it is refused at once.",
        name: &key.name,
        button,
        action: path,
        fields: vec![
            ("action", action.to_owned()),
            ("prefix", key.prefix.clone()),
        ],
    }
}

/// What a page shows beside the list.
#[derive(Default)]
struct Shown<'a> {
    new_key: Option<&'a str>,
    key_name: &'a str,
    problems: FieldProblems,
}

async fn answer(
    dashboard: &Dashboard,
    shell: &Shell,
    id: OrganisationId,
    status: StatusCode,
    shown: Shown<'_>,
) -> ServiceResult<Response> {
    let keys = match dashboard.service.api_keys(&shell.caller, id).await {
        Ok(keys) => Some(keys),
        Err(ServiceError::Forbidden) => None,
        Err(error) => return Err(error),
    };
    let organisation = shell.organisation.as_ref();
    let template = ApiKeysPage {
        path: path(shell, id),
        name: organisation.map_or_else(String::new, |found| found.name.clone()),
        tabs: super::tabs(shell, id, "api-keys"),
        keys: keys.map(|keys| keys.into_iter().map(|key| row(shell, id, key)).collect()),
        new_key: shown.new_key,
        key_name: shown.key_name.to_owned(),
        public_url: &dashboard.config.public_url,
        problems: &shown.problems,
        shell,
    };
    Ok(shell.page(status, &template))
}

fn row(shell: &Shell, id: OrganisationId, key: ApiKey) -> KeyRow {
    let (state, mark) = match (key.revoked, key.has_expired(shell.now)) {
        (true, _) => ("revoked", "danger"),
        (false, true) => ("expired", "warn"),
        (false, false) => ("active", "good"),
    };
    let deed = if key.revoked { "delete" } else { "revoke" };
    KeyRow {
        ask: asking(&path(shell, id), &[("ask", deed), ("prefix", &key.prefix)]),
        state,
        mark,
        is_revoked: key.revoked,
        made: Moment::new(key.created_at, shell.now),
        expires: key.expires_at.map(|at| Moment::new(at, shell.now)),
        prefix: key.prefix,
        name: key.name,
    }
}

/// `POST /organisations/{organisation_id}/api-keys`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    let shell = shell(&dashboard, &signed_in, id).await?;
    let (service, caller) = (&dashboard.service, &*shell.caller);
    let prefix = fields.text("prefix");
    let revoked = |revoked| ApiKeyPatch {
        revoked: Some(revoked),
        ..ApiKeyPatch::default()
    };
    let (path, action) = (path(&shell, id), fields.text("action"));
    if matches!(action, "revoke" | "delete") {
        let key = key(&dashboard, &shell, id, prefix).await?;
        question(&shell, &path, &key, action).answered(&fields)?;
    }
    let notice = match action {
        "revoke" => {
            service
                .update_api_key(caller, id, prefix, revoked(true))
                .await?;
            let undo = [("action", "restore"), ("prefix", prefix)];
            Notice::done("The key is revoked: it is refused from now on.").with_undo(&*path, &undo)
        }
        "restore" => {
            service
                .update_api_key(caller, id, prefix, revoked(false))
                .await?;
            Notice::done("The key works again.")
        }
        "delete" => {
            service.delete_api_key(caller, id, prefix).await?;
            Notice::done("The key is deleted.")
        }
        _ => return create(&dashboard, &shell, id, &fields).await,
    };
    Ok(notice.on(&path, &dashboard, &signed_in))
}

async fn create(
    dashboard: &Dashboard,
    shell: &Shell,
    id: OrganisationId,
    fields: &Fields,
) -> PageResult {
    let request = ApiKeyRequest {
        name: fields.text("name").trim().to_owned(),
        is_admin: None,
        expires_at: fields.filled("expires").and_then(parse_day).map(day_after),
    };
    let made = dashboard
        .service
        .create_api_key(&shell.caller, id, request)
        .await;
    let page = match made {
        Ok((_, text)) => {
            let shown = Shown {
                new_key: Some(text.expose_secret()),
                ..Shown::default()
            };
            answer(dashboard, shell, id, StatusCode::CREATED, shown).await
        }
        Err(error) => {
            let shown = Shown {
                key_name: fields.text("name"),
                problems: FieldProblems::from_refusal(error)?,
                ..Shown::default()
            };
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            answer(dashboard, shell, id, status, shown).await
        }
    };
    Ok(page?)
}
