//! Signing up without an invitation, where the settings let anybody.

use super::sign_in::open_session;
use super::visitor_form::{Input, VisitorForm};
use crate::Dashboard;
use crate::answer::{Notice, page, refusal};
use crate::fields::{FieldProblems, Fields};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_service::{ServiceError, SignUpRequest};
use std::net::SocketAddr;

/// `GET /sign-up`
pub(crate) async fn show(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    if !dashboard.service.config().sign_in.allow_sign_up {
        return refusal(&ServiceError::Forbidden);
    }
    let (fields, none) = (Fields::default(), FieldProblems::default());
    form_page(&dashboard, &headers, &fields, &none).await
}

/// `POST /sign-up`
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let request = SignUpRequest {
        sign_up_type: Some("NO_INVITE".to_owned()),
        ..request(&fields, fields.text("email"), None)
    };
    match dashboard.service.sign_up_member(request, peer.ip()).await {
        Ok(member) if member.is_active => open_session(&dashboard, member.id, "/").await,
        Ok(_) => {
            let notice = Notice {
                heading: "One more step",
                text: "Your account waits for its e-mail address to be confirmed: follow the link that is mailed to you.",
            };
            page(StatusCode::OK, &notice)
        }
        Err(error) => match FieldProblems::from_refusal(error) {
            Ok(problems) => form_page(&dashboard, &headers, &fields, &problems).await,
            Err(response) => response,
        },
    }
}

/// What a form with names, address and password asks for.
pub(super) fn request(fields: &Fields, email: &str, invite: Option<&str>) -> SignUpRequest {
    SignUpRequest {
        email: email.to_owned(),
        password: fields.text("password").into(),
        first_name: fields.text("first_name").trim().to_owned(),
        last_name: fields.text("last_name").trim().to_owned(),
        sign_up_type: None,
        invite: invite.map(str::to_owned),
        is_superuser: false,
    }
}

/// The lines of such a form; the address is asked for unless it is known.
pub(super) fn inputs<'a>(fields: &'a Fields, known_email: Option<&str>) -> Vec<Input<'a>> {
    let mut inputs = vec![
        Input::name(
            "first_name",
            "First name",
            fields.text("first_name"),
            "given-name",
        ),
        Input::name(
            "last_name",
            "Last name",
            fields.text("last_name"),
            "family-name",
        ),
    ];
    if known_email.is_none() {
        inputs.push(Input::email(fields.text("email")));
    }
    inputs.push(Input::new_password("password", "Password"));
    inputs
}

async fn form_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    fields: &Fields,
    problems: &FieldProblems,
) -> Response {
    let form = VisitorForm {
        heading: "Sign up",
        action: "/sign-up",
        inputs: inputs(fields, None),
        button: "Sign up",
        providers: dashboard.service.sign_in_providers().await,
        ..VisitorForm::default()
    };
    form.answer(dashboard, headers, problems)
}
