//! Signing in with e-mail address and password, and signing out.

use crate::Dashboard;
use crate::answer::{is_own_path, page, refusal, see_other};
use crate::cookies::Cookie;
use crate::forms::form_token;
use crate::texts::sentence;
use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use flagstaff_core::MemberId;
use flagstaff_service::{ServiceError, SignInProvider};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::net::SocketAddr;

/// The page with the form.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage<'a> {
    form_token: &'a str,
    email: &'a str,
    next: &'a str,
    problem: Option<&'a str>,
    providers: Vec<SignInProvider>,
    can_sign_up: bool,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct SignInForm {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    /// Where to go then.
    #[serde(default)]
    next: String,
}

/// The form, for somebody who is not signed in.
pub(crate) async fn form_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    status: StatusCode,
    (email, next): (&str, &str),
    problem: Option<&str>,
) -> Response {
    let providers = dashboard.service.sign_in_providers().await;
    with_visitor(dashboard, headers, |form_token| {
        page(
            status,
            &SignInPage {
                form_token,
                email,
                next,
                problem,
                providers,
                can_sign_up: dashboard.service.config().sign_in.allow_sign_up,
            },
        )
    })
}

/// Makes a page whose form is tied to the visitor's cookie, which is set where it is missing.
pub(crate) fn with_visitor(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    page: impl FnOnce(&str) -> Response,
) -> Response {
    if let Some(cookie) = dashboard.visitor(headers) {
        return page(&form_token(cookie));
    }
    let mut bytes = [0; 20];
    if let Err(error) = getrandom::fill(&mut bytes) {
        return refusal(&ServiceError::Internal(error.to_string().into()));
    }
    let cookie: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut response = page(&form_token(&cookie));
    if let Some(header) = Cookie::Visitor.set(&cookie, None, dashboard.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, header);
    }
    response
}

/// `POST /sign-in`
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Response {
    let cookie = dashboard.visitor(&headers);
    if !dashboard.is_own_form(&headers, cookie, &form.form_token) {
        let problem = Some(STALE);
        return form_page(
            &dashboard,
            &headers,
            StatusCode::FORBIDDEN,
            (&form.email, &form.next),
            problem,
        )
        .await;
    }
    let password = SecretString::from(form.password);
    let found = dashboard
        .service
        .check_password(&form.email, password, peer.ip())
        .await;
    match found {
        Ok(member) => open_session(&dashboard, member.id, &form.next).await,
        Err(error) => {
            let status = match &error {
                ServiceError::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
                error if error.is_failure() => return refusal(error),
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let problem = sentence(&error);
            let sent = (form.email.as_str(), form.next.as_str());
            form_page(&dashboard, &headers, status, sent, Some(&problem)).await
        }
    }
}

/// Said about a form that is not one this browser was given.
pub(crate) const STALE: &str = "This form was too old, or cookies are switched off. Try again.";

/// Signs a member in and sends them on: to the page they wanted, where it is one of ours.
pub(crate) async fn open_session(dashboard: &Dashboard, member: MemberId, next: &str) -> Response {
    match dashboard.service.open_session(member).await {
        Ok(session) => with_session(dashboard, &session, next),
        Err(error) => refusal(&error),
    }
}

/// Gives the browser a session and sends it on.
pub(crate) fn with_session(dashboard: &Dashboard, session: &SecretString, next: &str) -> Response {
    let seconds = u64::from(dashboard.config.session_hours) * 3600;
    let mut response = see_other(if is_own_path(next) { next } else { "/" });
    let session = session.expose_secret();
    let cookie = Cookie::Session.set(session, Some(seconds), dashboard.is_secure());
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What the sign-out form sends.
#[derive(Deserialize)]
pub(crate) struct TokenForm {
    #[serde(default)]
    pub(crate) form_token: String,
}

/// `POST /sign-out`
pub(crate) async fn sign_out(
    State(dashboard): State<Dashboard>,
    headers: HeaderMap,
    Form(form): Form<TokenForm>,
) -> Response {
    let session = Cookie::Session.read(&headers, dashboard.is_secure());
    if !dashboard.is_own_form(&headers, session, &form.form_token) {
        return see_other("/");
    }
    if let Some(session) = session
        && let Err(error) = dashboard.service.close_session(session).await
    {
        return refusal(&error);
    }
    let mut response = see_other("/");
    if let Some(cookie) = Cookie::Session.set("", Some(0), dashboard.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
