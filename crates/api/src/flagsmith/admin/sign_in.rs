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

/// `POST /api/v1/auth/logout/`, `DELETE /api/v1/auth/token/`
async fn sign_out(call: Call<Caller>) -> Result<Answer, Failure> {
    call.subject.require_person()?;
    if let Some(token) = auth::presented_token(call.headers()) {
        call.service().sign_out(token).await?;
    }
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}
