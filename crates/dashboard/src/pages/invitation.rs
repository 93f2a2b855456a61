//! The page behind an invitation: who is signed in joins, anybody else makes an account first.

use super::sign_in::with_session;
use super::sign_up;
use super::visitor_form::VisitorForm;
use crate::Dashboard;
use crate::answer::{Notice as OnePage, encoded, page, refusal};
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::visitor::SignedIn;
use axum::extract::{ConnectInfo, FromRequest as _, OriginalUri, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_service::{Invitation, ServiceError, ServiceResult};
use secrecy::{ExposeSecret as _, SecretString};
use std::net::{IpAddr, SocketAddr};

/// `GET /invite/{token}`: looking does not use the invitation up.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(token): Path<String>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response {
    let invitation = match dashboard.service.invitation(&token).await {
        Ok(invitation) => invitation,
        Err(error) => return over(&error),
    };
    match dashboard.signed_in(&headers, &uri).await {
        Ok(Some(signed_in)) => joining_page(&token, &invitation, &signed_in),
        Ok(None) => {
            let (fields, none) = (Fields::default(), FieldProblems::default());
            account_page(&dashboard, &headers, &token, &invitation, &fields, &none).await
        }
        Err(response) => response,
    }
}

/// `POST /invite/{token}`
pub(crate) async fn accept(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    mut request: Request,
) -> Response {
    let headers = request.headers().clone();
    let signed_in = match dashboard.signed_in(&headers, request.uri()).await {
        Ok(signed_in) => signed_in,
        Err(response) => return response,
    };
    if let Some(signed_in) = &signed_in {
        // The form of a member is tied to their session.
        request.extensions_mut().insert(signed_in.clone());
    }
    let fields = match Fields::from_request(request, &dashboard).await {
        Ok(fields) => fields,
        Err(response) => return response,
    };
    if let Some(signed_in) = signed_in {
        return join(&dashboard, &signed_in, &token).await;
    }
    let invitation = match dashboard.service.invitation(&token).await {
        Ok(invitation) => invitation,
        Err(error) => return over(&error),
    };
    match sign_up_and_join(&dashboard, &fields, &token, &invitation, peer.ip()).await {
        Ok(session) => with_session(&dashboard, &session, "/"),
        Err(error) => match FieldProblems::from_refusal(error) {
            Ok(problems) => {
                account_page(
                    &dashboard,
                    &headers,
                    &token,
                    &invitation,
                    &fields,
                    &problems,
                )
                .await
            }
            Err(response) => response,
        },
    }
}

async fn join(dashboard: &Dashboard, signed_in: &SignedIn, token: &str) -> Response {
    let joined = dashboard
        .service
        .join_by_either(&signed_in.caller, token)
        .await;
    match joined {
        Ok(view) => {
            let text = format!("You joined {}.", view.organisation.name);
            Notice::done(text).on("/", dashboard, signed_in)
        }
        Err(error) => over(&error),
    }
}

async fn sign_up_and_join(
    dashboard: &Dashboard,
    fields: &Fields,
    token: &str,
    invitation: &Invitation,
    from: IpAddr,
) -> ServiceResult<SecretString> {
    let service = &dashboard.service;
    let email = invitation.email.as_deref();
    let email = email.unwrap_or_else(|| fields.text("email"));
    let request = sign_up::request(fields, email, Some(token));
    let member = service.sign_up_member(request, from).await?;
    let session = service.open_session(member.id).await?;
    let caller = service.caller_by_session(session.expose_secret()).await?;
    service.join_by_either(&caller, token).await?;
    Ok(session)
}

fn joining_page(token: &str, invitation: &Invitation, signed_in: &SignedIn) -> Response {
    let heading = format!("Join {}", invitation.organisation);
    let me = signed_in.caller.name();
    let is_for_other = invitation
        .email
        .as_deref()
        .is_some_and(|email| !email.eq_ignore_ascii_case(me));
    if is_for_other {
        let text = format!(
            "This invitation is for somebody else, and you are signed in as {me}. Sign out first if both are you."
        );
        let notice = OnePage {
            heading: &heading,
            text: &text,
        };
        return page(StatusCode::FORBIDDEN, &notice);
    }
    let lead = format!("You are signed in as {me}.");
    let form = VisitorForm {
        heading: &heading,
        lead: &lead,
        action: &address(token),
        button: "Join",
        ..VisitorForm::default()
    };
    form.answer_to(signed_in)
}

async fn account_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    token: &str,
    invitation: &Invitation,
    fields: &Fields,
    problems: &FieldProblems,
) -> Response {
    let heading = format!("Join {}", invitation.organisation);
    let lead = match &invitation.email {
        Some(email) => format!(
            "You are invited as {email}. Make an account, or sign in first if you have one and open the link again."
        ),
        None => "You are invited. Make an account, or sign in first if you have one and open the link again.".to_owned(),
    };
    let query = format!("?invite={}", encoded(token));
    let form = VisitorForm {
        heading: &heading,
        lead: &lead,
        action: &address(token),
        inputs: sign_up::inputs(fields, invitation.email.as_deref()),
        button: "Sign up and join",
        providers: dashboard.service.sign_in_providers().await,
        provider_query: &query,
    };
    form.answer(dashboard, headers, problems)
}

fn address(token: &str) -> String {
    format!("/invite/{}", encoded(token))
}

fn over(error: &ServiceError) -> Response {
    if !matches!(error, ServiceError::NotFound { .. }) {
        return refusal(error);
    }
    let notice = OnePage {
        heading: "This invitation is over",
        text: "It was used or withdrawn, it ran out, or it is for another address. Ask whoever invited you for another one.",
    };
    page(StatusCode::NOT_FOUND, &notice)
}
