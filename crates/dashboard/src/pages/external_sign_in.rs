//! Signing in with another service: out by a link, back by the service's redirect.

use super::sign_in::{form_page, with_session};
use crate::Dashboard;
use crate::answer::{refusal, see_other};
use crate::cookies::Cookie;
use crate::texts::sentence;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use flagstaff_service::{CameIn, ExternalProblem, Returning, ServiceError, ServiceResult};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use std::net::SocketAddr;

/// Seconds that a browser may be away.
const AWAY: u64 = 600;

/// What the link out may say.
#[derive(Deserialize)]
pub(crate) struct Outward {
    invite: Option<String>,
}

/// What a service sends back.
#[derive(Deserialize)]
pub(crate) struct Homeward {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

/// `GET /sign-in/with/{provider}`: a link, because a form that ends at another host is refused by the policy of these
/// pages. Whoever is made to follow it ends up with their own account, or nowhere.
pub(crate) async fn leave(
    State(dashboard): State<Dashboard>,
    Path(provider): Path<String>,
    Query(outward): Query<Outward>,
    headers: HeaderMap,
) -> Response {
    // What is hidden on the page cannot be had by its address either.
    let shown = dashboard.service.sign_in_providers().await;
    if !shown.iter().any(|each| each.name == provider) {
        let error = ServiceError::External(ExternalProblem::NotSetUp);
        return refused(&dashboard, &headers, &error).await;
    }
    match dashboard.service.leave_for(&provider, outward.invite).await {
        Ok(leaving) => {
            let mut response = see_other(&leaving.url);
            let ticket = leaving.ticket.expose_secret();
            if let Some(cookie) = Cookie::Ticket.set(ticket, Some(AWAY), dashboard.is_secure()) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => refused(&dashboard, &headers, &error).await,
    }
}

/// `GET /sign-in/with/{provider}/callback`
pub(crate) async fn come_back(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(provider): Path<String>,
    Query(homeward): Query<Homeward>,
    headers: HeaderMap,
) -> Response {
    let ticket = Cookie::Ticket.read(&headers, dashboard.is_secure());
    let came = match ticket {
        Some(ticket) if !homeward.code.is_empty() => {
            let returning = Returning {
                ticket: ticket.into(),
                state: homeward.state,
                code: homeward.code.into(),
            };
            let service = &dashboard.service;
            service
                .come_back_from(&provider, returning, peer.ip())
                .await
        }
        // The person said no, or the browser kept no cookie.
        Some(_) => Err(ServiceError::External(ExternalProblem::Failed)),
        None => Err(ServiceError::External(ExternalProblem::Stale)),
    };
    let let_in = match came {
        Ok(came) => let_in(&dashboard, &came).await,
        Err(error) => Err(error),
    };
    let mut response = match let_in {
        Ok(session) => with_session(&dashboard, &session, "/"),
        Err(error) => refused(&dashboard, &headers, &error).await,
    };
    if let Some(gone) = Cookie::Ticket.set("", Some(0), dashboard.is_secure()) {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    response
}

/// A session for who came in; whoever was invited has joined then.
async fn let_in(dashboard: &Dashboard, came: &CameIn) -> ServiceResult<SecretString> {
    let service = &dashboard.service;
    let session = service.open_session(came.member.id).await?;
    if let Some(invite) = &came.invite {
        let caller = service.caller_by_session(session.expose_secret()).await?;
        match service.join_by_either(&caller, invite).await {
            // They are in, though the invitation was for another address or is over.
            Ok(_) | Err(ServiceError::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(session)
}

async fn refused(dashboard: &Dashboard, headers: &HeaderMap, error: &ServiceError) -> Response {
    let status = match error {
        ServiceError::External(ExternalProblem::NotSetUp) => StatusCode::NOT_FOUND,
        ServiceError::External(_) => StatusCode::FORBIDDEN,
        ServiceError::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
        error => return refusal(error),
    };
    form_page(dashboard, headers, status, ("", ""), Some(&sentence(error))).await
}
