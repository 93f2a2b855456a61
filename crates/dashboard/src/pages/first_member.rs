//! The page behind a one-time link: the first person chooses how they sign in.

use super::sign_in::{STALE, open_session, with_visitor};
use crate::Dashboard;
use crate::answer::{Notice, page, refusal};
use crate::texts::sentence;
use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_service::ServiceError;
use secrecy::SecretString;
use serde::Deserialize;

/// The page with the form.
#[derive(Template)]
#[template(path = "first_member.html")]
struct FirstMemberPage<'a> {
    link: &'a str,
    form_token: &'a str,
    email: &'a str,
    problem: Option<&'a str>,
}

/// What the form sends.
#[derive(Deserialize)]
pub(crate) struct FirstMemberForm {
    #[serde(default)]
    form_token: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
}

/// `GET /welcome/{link}`: looking does not use the link up, so that previews of links do no harm.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    match dashboard.service.is_sign_in_link_open(&link).await {
        Ok(true) => form_page(&dashboard, &headers, StatusCode::OK, &link, "", None),
        Ok(false) => link_is_over(),
        Err(error) => refusal(&error),
    }
}

/// `POST /welcome/{link}`
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path(link): Path<String>,
    headers: HeaderMap,
    Form(form): Form<FirstMemberForm>,
) -> Response {
    let email = form.email.as_str();
    let cookie = dashboard.visitor(&headers);
    if !dashboard.is_own_form(&headers, cookie, &form.form_token) {
        let status = StatusCode::FORBIDDEN;
        return form_page(&dashboard, &headers, status, &link, email, Some(STALE));
    }
    let password = SecretString::from(form.password);
    let redeemed = dashboard
        .service
        .redeem_sign_in_link(&link, email, password)
        .await;
    match redeemed {
        Ok(member) => open_session(&dashboard, member.id, "/").await,
        Err(ServiceError::NotFound { .. }) => link_is_over(),
        Err(error) if error.is_failure() => refusal(&error),
        Err(error) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let problem = sentence(&error);
            form_page(&dashboard, &headers, status, &link, email, Some(&problem))
        }
    }
}

fn form_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    status: StatusCode,
    link: &str,
    email: &str,
    problem: Option<&str>,
) -> Response {
    with_visitor(dashboard, headers, |form_token| {
        let template = FirstMemberPage {
            link,
            form_token,
            email,
            problem,
        };
        page(status, &template)
    })
}

fn link_is_over() -> Response {
    let notice = Notice {
        heading: "This link is over",
        text: "It was used, or it ran out. While nobody can sign in, the server prints a new one each time it starts.",
    };
    page(StatusCode::NOT_FOUND, &notice)
}
