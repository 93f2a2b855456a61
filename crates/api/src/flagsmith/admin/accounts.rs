//! `auth/users/`: signing up, and what people do with their own account.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Sent, Text};
use super::super::view::View;
use super::{lists, times};
use crate::auth::{self, Member as SignedIn, Open};
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::Member;
use flagstaff_service::{Caller, MemberPatch, Noun, SignUpRequest};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value as Json, json};

/// Characters of a password or an address that are looked at.
const CREDENTIAL: Text = Text::up_to(2000);
const NAME: Text = Text::up_to(150);
const INVITE: Text = Text::up_to(200);
const SIGN_UP_TYPES: [(&str, &str); 3] = [
    ("NO_INVITE", "NO_INVITE"),
    ("INVITE_EMAIL", "INVITE_EMAIL"),
    ("INVITE_LINK", "INVITE_LINK"),
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/auth/users/",
            View::new("FF Admin User List")
                .get(SignedIn, list)
                .post(Open, sign_up),
        )
        .view(
            "/api/v1/auth/users/me/",
            View::new("FF Admin User")
                .get(SignedIn, me)
                .put(SignedIn, replace)
                .patch(SignedIn, update)
                .delete(SignedIn, delete),
        )
        .view(
            "/api/v1/auth/users/me/onboarding/",
            View::new("Patch Onboarding").patch(SignedIn, keep_onboarding),
        )
        .view(
            "/api/v1/auth/users/{member_id}/",
            View::new("FF Admin User Instance")
                .get(SignedIn, me)
                .put(SignedIn, replace)
                .patch(SignedIn, update)
                .delete(SignedIn, delete),
        )
        .view(
            "/api/v1/auth/users/set_password/",
            View::new("Set password").post(SignedIn, change_password),
        )
        .view(
            "/api/v1/auth/users/set_email/",
            View::new("Set email").post(SignedIn, change_email),
        )
        .view(
            "/api/v1/users/config/init/",
            View::new("Initial configuration").post(Open, initialise),
        )
}

/// `POST /api/v1/auth/users/`
async fn sign_up(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = Fields::read(&body, |fields| SignUpRequest {
        first_name: fields.text("first_name", Need::Required, NAME).or_default(),
        last_name: fields.text("last_name", Need::Required, NAME).or_default(),
        sign_up_type: fields
            .choice("sign_up_type", Need::OptionalOrNull, &SIGN_UP_TYPES)
            .value()
            .map(str::to_owned),
        email: fields
            .text("email", Need::Required, CREDENTIAL)
            .or_default(),
        password: password(fields, "password").unwrap_or_default(),
        invite: fields
            .text("invite_hash", Need::OptionalOrNull, INVITE.or_blank())
            .value(),
        is_superuser: fields.boolean("superuser", Need::Optional).value() == Some(true),
    })?;
    let service = call.service();
    let (member, token) = service.sign_up(request, call.peer()).await?;
    Ok(Answer::of(&new_shape(&member, &token)).with_status(StatusCode::CREATED))
}

/// `POST /api/v1/users/config/init/`: the first member, who may do everything.
async fn initialise(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let service = call.service();
    service.require_no_members().await?;
    let (email, password) = Fields::read(&body, |fields| {
        let email = fields.text("email", Need::Required, CREDENTIAL);
        (email.or_default(), password(fields, "password"))
    })?;
    let password = password.unwrap_or_default();
    let (member, token) = service
        .sign_up_superuser(&email, password, call.peer())
        .await?;
    Ok(Answer::of(&new_shape(&member, &token)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/auth/users/`: nobody sees others here.
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let member = call.subject.require_person()?;
    lists::answer_part(&call, paging, &[member], |member| {
        json!({
            "first_name": member.first_name,
            "last_name": member.last_name,
            "sign_up_type": member.sign_up_type,
            "id": member.id.get(),
            "email": member.email,
        })
    })
}

/// `GET /api/v1/auth/users/me/`
async fn me(call: Call<Caller>) -> Result<Answer, Failure> {
    let member = own(&call)?;
    answer(&call, member).await
}

/// `PUT /api/v1/auth/users/me/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/auth/users/me/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, need: Need) -> Result<Answer, Failure> {
    own(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| MemberPatch {
        first_name: fields.text("first_name", need, NAME).value(),
        last_name: fields.text("last_name", need, NAME).value(),
    })?;
    let member = call.service().update_account(&call.subject, patch).await?;
    answer(&call, &member).await
}

/// `DELETE /api/v1/auth/users/me/`
async fn delete(mut call: Call<Caller>) -> Result<Answer, Failure> {
    own(&call)?;
    let body = call.body().await?;
    let (password, with_orphans) = Fields::read(&body, |fields| {
        let with_orphans = fields.boolean("delete_orphan_organisations", Need::Optional);
        (password(fields, "current_password"), with_orphans.value())
    })?;
    let password = password.unwrap_or_default();
    let with_orphans = with_orphans == Some(true);
    let service = call.service();
    service
        .delete_account(&call.subject, password, with_orphans, call.peer())
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `PATCH /api/v1/auth/users/me/onboarding/`
async fn keep_onboarding(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (tasks, tools) = Fields::read(&body, |fields| {
        let tasks = fields.any("tasks", Need::OptionalOrNull);
        if matches!(tasks, Sent::Given(json) if !json.is_array()) {
            fields.fail("tasks", "Expected a list of items.");
        }
        let tools = fields.any("tools", Need::OptionalOrNull);
        if matches!(tools, Sent::Given(json) if !json.is_object()) {
            fields.fail("tools", "Expected a dictionary of items.");
        }
        (tasks.change(), tools.change())
    })?;
    let service = call.service();
    let mut kept = kept_onboarding(&call).await?;
    for (name, change) in [("tasks", tasks), ("tools", tools)] {
        if let Some(json) = change {
            kept.insert(name.to_owned(), json.cloned().unwrap_or_default());
        }
    }
    let text = Json::Object(kept).to_string();
    service.keep_onboarding(&call.subject, &text).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/auth/users/set_password/`
async fn change_password(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (new, repeated, current) = Fields::read(&body, |fields| {
        let new = password(fields, "new_password").unwrap_or_default();
        let repeated = password(fields, "re_new_password").unwrap_or_default();
        let current = password(fields, "current_password").unwrap_or_default();
        (new, repeated, current)
    })?;
    if new.expose_secret() != repeated.expose_secret() {
        return Err(Failure::of_no_field(
            "The two password fields didn't match.",
        ));
    }
    let kept = auth::presented_token(call.headers());
    let service = call.service();
    service
        .change_password(&call.subject, current, new, kept, call.peer())
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/auth/users/set_email/`
async fn change_email(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (email, current) = Fields::read(&body, |fields| {
        let current = password(fields, "current_password").unwrap_or_default();
        let email = fields.text("new_email", Need::Required, CREDENTIAL);
        (email.or_default(), current)
    })?;
    let service = call.service();
    service
        .change_email(&call.subject, &email, current, call.peer())
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn password(fields: &mut Fields<'_>, name: &'static str) -> Option<SecretString> {
    let text = fields.text(name, Need::Required, CREDENTIAL.untrimmed());
    text.value().map(SecretString::from)
}

/// The caller, where the path names nobody else.
fn own(call: &Call<Caller>) -> Result<&Member, Failure> {
    let member = call.subject.require_person()?;
    if call.path_text("member_id").is_err() || call.path_id("member_id")? == member.id.get() {
        return Ok(member);
    }
    Err(Failure::no_match(Noun::Member))
}

async fn kept_onboarding(call: &Call<Caller>) -> Result<Map<String, Json>, Failure> {
    let kept = call.service().onboarding(&call.subject).await?;
    let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
    Ok(kept.unwrap_or_default())
}

async fn answer(call: &Call<Caller>, member: &Member) -> Result<Answer, Failure> {
    let onboarding = kept_onboarding(call).await?;
    let onboarding = (!onboarding.is_empty()).then_some(onboarding);
    let auth_type = call.service().auth_type(member).await?;
    Ok(Answer::of(&json!({
        "first_name": member.first_name,
        "last_name": member.last_name,
        "sign_up_type": member.sign_up_type,
        "id": member.id.get(),
        "email": member.email,
        "auth_type": auth_type,
        "is_superuser": member.is_superuser,
        "date_joined": times::shown(member.created_at),
        "uuid": member.uuid.to_string(),
        "pylon_email_signature": null,
        "onboarding": onboarding,
    })))
}

fn new_shape(member: &Member, token: &SecretString) -> Json {
    json!({
        "first_name": member.first_name,
        "last_name": member.last_name,
        "sign_up_type": member.sign_up_type,
        "email": member.email,
        "id": member.id.get(),
        "is_active": member.is_active,
        // Recorded of everybody; nothing is sent to anybody here.
        "marketing_consent_given": true,
        "uuid": member.uuid.to_string(),
        "key": token.expose_secret(),
    })
}
