//! `auth/`: signing in and out.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use crate::auth::{self, Member, Open};
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_service::{Caller, ServiceError};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

/// Characters of an e-mail address or a password that are looked at.
const CREDENTIAL_LIMIT: usize = 2000;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/auth/login/",
            View::new("Custom Auth Token Login View").post(Open, sign_in),
        )
        .view(
            "/api/v1/auth/logout/",
            View::new("Token Destroy").post(Member, sign_out),
        )
        .view(
            "/api/v1/auth/token/",
            View::new("Delete Token").delete(Member, sign_out),
        )
        .view(
            "/api/v1/auth/oauth/google/",
            View::new("Google OAuth Login").post(Open, with_google),
        )
        .view(
            "/api/v1/auth/oauth/github/",
            View::new("Github OAuth Login").post(Open, with_github),
        )
}

/// `POST /api/v1/auth/login/`
pub(super) async fn sign_in(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let rule = Text::up_to(CREDENTIAL_LIMIT);
    let (email, password) = Fields::read(&body, |fields| {
        let email = fields.text("email", Need::Optional, rule);
        let password = fields.text("password", Need::Optional, rule.untrimmed());
        (email.value(), password.value())
    })?;
    // Recorded: a missing field is answered as a wrong one.
    let (Some(email), Some(password)) = (email, password) else {
        return Err(ServiceError::WrongCredentials.into());
    };
    let password = SecretString::from(password);
    let service = call.service();
    let token = service.sign_in(&email, password, call.peer()).await?;
    Ok(Answer::of(&json!({ "key": token.expose_secret() })))
}

/// `POST /api/v1/auth/oauth/google/`: an access token that the dashboard got from Google.
async fn with_google(call: Call<()>) -> Result<Answer, Failure> {
    sign_in_with(call, "google").await
}

/// `POST /api/v1/auth/oauth/github/`: a code that GitHub sent the browser back with, under the name of a token.
async fn with_github(call: Call<()>) -> Result<Answer, Failure> {
    sign_in_with(call, "github").await
}

async fn sign_in_with(mut call: Call<()>, provider: &str) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let rule = Text::up_to(CREDENTIAL_LIMIT);
    let (token, invite) = Fields::read(&body, |fields| {
        let token = fields.text("access_token", Need::Required, rule);
        let invite = fields.text("invite_hash", Need::OptionalOrNull, rule.or_blank());
        (token.or_default(), invite.value())
    })?;
    let token = SecretString::from(token);
    let service = call.service();
    let (key, is_new) = service
        .sign_in_by_token_of(provider, &token, invite.as_deref(), call.peer())
        .await?;
    Ok(Answer::of(
        &json!({ "key": key.expose_secret(), "is_new_user": is_new }),
    ))
}

/// `POST /api/v1/auth/logout/`, `DELETE /api/v1/auth/token/`
async fn sign_out(call: Call<Caller>) -> Result<Answer, Failure> {
    call.subject.require_person()?;
    if let Some(token) = auth::presented_token(call.headers()) {
        call.service().sign_out(token).await?;
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
