//! `auth/users/…`: links that change an account, by mail. Asking is answered alike for every address.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use crate::auth::Open;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_service::{AccountLinkGuest, LinkPurpose, ServiceError};
use secrecy::{ExposeSecret as _, SecretString};

/// Characters of an address, a password or a piece of a link that are looked at.
const CREDENTIAL: Text = Text::up_to(2000);

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/auth/users/reset_password/",
            View::new("Reset password").post(Open, request_password),
        )
        .view(
            "/api/v1/auth/users/reset_password_confirm/",
            View::new("Reset password confirm").post(Open, reset_password),
        )
        .view(
            "/api/v1/auth/users/resend_activation/",
            View::new("Resend activation").post(Open, request_activation),
        )
        .view(
            "/api/v1/auth/users/activation/",
            View::new("Activation").post(Open, activate),
        )
        .view(
            "/api/v1/auth/users/reset_email/",
            View::new("Reset email").post(Open, request_email),
        )
        .view(
            "/api/v1/auth/users/reset_email_confirm/",
            View::new("Reset email confirm").post(Open, reset_email),
        )
}

/// `POST /api/v1/auth/users/reset_password/`
async fn request_password(call: Call<()>) -> Result<Answer, Failure> {
    request(call, LinkPurpose::Password).await
}

/// `POST /api/v1/auth/users/reset_email/`
async fn request_email(call: Call<()>) -> Result<Answer, Failure> {
    request(call, LinkPurpose::Email).await
}

/// `POST /api/v1/auth/users/resend_activation/`
async fn request_activation(call: Call<()>) -> Result<Answer, Failure> {
    if !call.service().config().sign_in.activation {
        // As Djoser answers where nobody has to be activated.
        return Ok(Answer::empty(StatusCode::BAD_REQUEST));
    }
    request(call, LinkPurpose::Activation).await
}

async fn request(mut call: Call<()>, purpose: LinkPurpose) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let email = Fields::read(&body, |fields| {
        fields
            .text("email", Need::Required, CREDENTIAL)
            .or_default()
    })?;
    let service = call.service();
    service
        .request_account_link(purpose, &email, call.peer())
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/auth/users/reset_password_confirm/`
async fn reset_password(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (guest, new, repeated) = Fields::read(&body, |fields| {
        let guest = guest(fields);
        let new = secret(fields, "new_password");
        (guest, new, secret(fields, "re_new_password"))
    })?;
    if new.expose_secret() != repeated.expose_secret() {
        return Err(Failure::of_no_field(
            "The two password fields didn't match.",
        ));
    }
    let service = call.service();
    let reset = service.reset_password(&guest, new, call.peer()).await;
    reset.map_err(wrong_link)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/auth/users/activation/`
async fn activate(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let guest = Fields::read(&body, guest)?;
    let service = call.service();
    let activated = service.activate(&guest, call.peer()).await;
    activated.map_err(wrong_link)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v1/auth/users/reset_email_confirm/`
async fn reset_email(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (guest, email) = Fields::read(&body, |fields| {
        let guest = guest(fields);
        let email = fields.text("new_email", Need::Required, CREDENTIAL);
        (guest, email.or_default())
    })?;
    let service = call.service();
    let reset = service.reset_email(&guest, &email, call.peer()).await;
    reset.map_err(wrong_link)?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn guest(fields: &mut Fields<'_>) -> AccountLinkGuest {
    AccountLinkGuest {
        account: fields.text("uid", Need::Required, CREDENTIAL).or_default(),
        token: secret(fields, "token"),
    }
}

fn secret(fields: &mut Fields<'_>, name: &'static str) -> SecretString {
    let text = fields.text(name, Need::Required, CREDENTIAL.untrimmed());
    text.or_default().into()
}

/// One answer for an unknown account and a wrong token: which of the two it is would tell who has an account.
fn wrong_link(error: ServiceError) -> Failure {
    match error {
        ServiceError::NotFound { .. } => {
            Failure::of_field("token", "Invalid token for given user.")
        }
        other => other.into(),
    }
}
