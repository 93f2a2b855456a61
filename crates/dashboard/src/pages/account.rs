//! The member's own account: names, e-mail address, password.

use super::sign_in::with_session;
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use flagstaff_core::Member;
use flagstaff_service::MemberPatch;
use std::net::SocketAddr;

const PATH: &str = "/account";
const FIELDS: [&str; 7] = [
    "first_name",
    "last_name",
    "new_email",
    "email_password",
    "current_password",
    "new_password",
    "repeated",
];

/// The page.
#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage<'a> {
    shell: &'a Shell,
    member: &'a Member,
    problems: &'a FieldProblems,
    sent: &'a Fields,
    /// True where mail can be sent, so that a password can be had by a link.
    sends_mail: bool,
    has_waiting_links: bool,
    /// Fields whose problems stand beside them.
    shown: &'a [&'a str],
}

/// `GET /account`
pub(crate) async fn show(State(dashboard): State<Dashboard>, signed_in: SignedIn) -> PageResult {
    let (sent, none) = (Fields::default(), FieldProblems::default());
    answer(&dashboard, &signed_in, &sent, &none).await
}

/// `POST /account/names`
pub(crate) async fn change_names(
    State(dashboard): State<Dashboard>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let name = |field: &str| Some(fields.text(field).trim().to_owned());
    let patch = MemberPatch {
        first_name: name("first_name"),
        last_name: name("last_name"),
    };
    let changed = dashboard
        .service
        .update_account(&signed_in.caller, patch)
        .await;
    match changed {
        Ok(_) => Ok(Notice::done("Saved.").on(PATH, &dashboard, &signed_in)),
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            answer(&dashboard, &signed_in, &fields, &problems).await
        }
    }
}

/// `POST /account/email`
pub(crate) async fn change_email(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (email, password) = (fields.text("new_email"), fields.text("email_password"));
    let changed = dashboard
        .service
        .change_email(&signed_in.caller, email, password.into(), peer.ip())
        .await;
    match changed {
        Ok(()) => {
            let notice = Notice::done("You sign in with the new e-mail address from now on.");
            Ok(notice.on(PATH, &dashboard, &signed_in))
        }
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            let problems = problems.renamed("current_password", "email_password");
            answer(&dashboard, &signed_in, &fields, &problems).await
        }
    }
}

/// `POST /account/password`: every other sign-in ends, and this browser gets a new session.
pub(crate) async fn change_password(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (current, new) = (fields.text("current_password"), fields.text("new_password"));
    if new != fields.text("repeated") {
        let mut problems = FieldProblems::default();
        problems.add("repeated", "This is not the password above.");
        return answer(&dashboard, &signed_in, &fields, &problems).await;
    }
    let service = &dashboard.service;
    let changed = service
        .change_password(
            &signed_in.caller,
            current.into(),
            new.into(),
            None,
            peer.ip(),
        )
        .await;
    match changed {
        Ok(()) => {
            let member = signed_in.caller.require_person()?;
            let session = service.open_session(member.id).await?;
            Ok(with_session(&dashboard, &session, PATH))
        }
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            answer(&dashboard, &signed_in, &fields, &problems).await
        }
    }
}

async fn answer(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    sent: &Fields,
    problems: &FieldProblems,
) -> PageResult {
    let member = signed_in.caller.require_person()?;
    let shell = dashboard
        .shell(signed_in, Place::Server, Section::Account)
        .await?;
    let template = AccountPage {
        member,
        problems,
        sent,
        sends_mail: dashboard.service.sends_mail(),
        has_waiting_links: member.is_superuser,
        shown: &FIELDS,
        shell: &shell,
    };
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(shell.page(status, &template))
}
