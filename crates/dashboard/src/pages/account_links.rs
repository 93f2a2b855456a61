//! The pages behind mailed links, and the one that asks for such a link. Looking at one uses no link up: mail readers
//! look at links too.

use super::sign_in::open_session;
use super::visitor_form::{Input, VisitorForm};
use crate::Dashboard;
use crate::answer::{Notice, PageResult, Refused, encoded, page, refusal};
use crate::fields::{FieldProblems, Fields};
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_core::Member;
use flagstaff_service::{AccountLinkGuest, LinkPurpose, ServiceError};
use secrecy::SecretString;
use std::net::SocketAddr;

/// What a link's address holds.
type Pieces = Path<(String, String)>;

/// `GET /forgot-password`
pub(crate) async fn ask(State(dashboard): State<Dashboard>, headers: HeaderMap) -> Response {
    ask_page(&dashboard, &headers, "", &FieldProblems::default())
}

/// `POST /forgot-password`: the answer is the same whether anybody has the address.
pub(crate) async fn request(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let email = fields.text("email");
    let service = &dashboard.service;
    let asked = service
        .request_account_link(LinkPurpose::Password, email, peer.ip())
        .await;
    if let Err(error) = asked {
        return match FieldProblems::from_refusal(error) {
            Ok(problems) => ask_page(&dashboard, &headers, email, &problems),
            Err(response) => response,
        };
    }
    let text = if service.sends_mail() {
        "If somebody signs in here with this address, a mail with a link is on its way. The link works for a limited time."
    } else {
        "This server sends no mail. If somebody signs in here with this address, a superuser finds the link under \"Waiting links\": ask them for it."
    };
    let heading = "Asked for";
    page(StatusCode::OK, &Notice { heading, text })
}

fn ask_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    email: &str,
    problems: &FieldProblems,
) -> Response {
    let form = VisitorForm {
        heading: "Forgot your password?",
        lead: "Give the e-mail address you sign in with. You get a link to choose a new password.",
        action: "/forgot-password",
        inputs: vec![Input::email(email)],
        button: "Ask for a link",
        ..VisitorForm::default()
    };
    form.answer(dashboard, headers, problems)
}

/// `GET /password-reset/confirm/{account}/{token}`
pub(crate) async fn show_password(
    State(dashboard): State<Dashboard>,
    Path(pieces): Pieces,
    headers: HeaderMap,
) -> PageResult {
    let member = account_of(&dashboard, LinkPurpose::Password, &pieces).await?;
    let none = FieldProblems::default();
    let page = password_page(&dashboard, &headers, &pieces, &member.email, &none);
    Ok(page)
}

/// `POST /password-reset/confirm/{account}/{token}`
pub(crate) async fn choose_password(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(pieces): Pieces,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let service = &dashboard.service;
    let password = SecretString::from(fields.text("new_password"));
    let mut problems = FieldProblems::default();
    if fields.text("new_password") == fields.text("repeated") {
        match service
            .reset_password(&guest(&pieces), password, peer.ip())
            .await
        {
            Ok(member) => return open_session(&dashboard, member.id, "/").await,
            Err(error @ ServiceError::NotFound { .. }) => return over(&error),
            Err(error) => match FieldProblems::from_refusal(error) {
                Ok(found) => problems = found,
                Err(response) => return response,
            },
        }
    } else {
        problems.add("repeated", "This is not the password above.");
    }
    let guest = guest(&pieces);
    let found = service.account_of_link(LinkPurpose::Password, &guest).await;
    let email = found.map(|member| member.email).unwrap_or_default();
    password_page(&dashboard, &headers, &pieces, &email, &problems)
}

fn password_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    pieces: &(String, String),
    email: &str,
    problems: &FieldProblems,
) -> Response {
    let lead = format!("For the account of {email}. Every other sign-in of it ends.");
    let mut repeated = Input::new_password("repeated", "The same again");
    repeated.hint = "";
    let form = VisitorForm {
        heading: "Choose a new password",
        lead: &lead,
        action: &address("password-reset/confirm", pieces),
        inputs: vec![
            Input::new_password("new_password", "New password"),
            repeated,
        ],
        button: "Set and sign in",
        ..VisitorForm::default()
    };
    form.answer(dashboard, headers, problems)
}

/// `GET /activate/{account}/{token}`
pub(crate) async fn show_activation(
    State(dashboard): State<Dashboard>,
    Path(pieces): Pieces,
    headers: HeaderMap,
) -> PageResult {
    let member = account_of(&dashboard, LinkPurpose::Activation, &pieces).await?;
    let lead = format!("{} is to be the address you sign in with.", member.email);
    let form = VisitorForm {
        heading: "Confirm your e-mail address",
        lead: &lead,
        action: &address("activate", &pieces),
        button: "Confirm",
        ..VisitorForm::default()
    };
    Ok(form.answer(&dashboard, &headers, &FieldProblems::default()))
}

/// `POST /activate/{account}/{token}`: the password is asked for afterwards, as the link may have come into other hands.
pub(crate) async fn activate(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(pieces): Pieces,
    _: Fields,
) -> Response {
    match dashboard.service.activate(&guest(&pieces), peer.ip()).await {
        Ok(_) => {
            let notice = Notice {
                heading: "Confirmed",
                text: "Your e-mail address is confirmed. You can sign in now.",
            };
            page(StatusCode::OK, &notice)
        }
        Err(error) => over(&error),
    }
}

/// `GET /email-change/confirm/{account}/{token}`
pub(crate) async fn show_email(
    State(dashboard): State<Dashboard>,
    Path(pieces): Pieces,
    headers: HeaderMap,
) -> PageResult {
    account_of(&dashboard, LinkPurpose::Email, &pieces).await?;
    let none = FieldProblems::default();
    Ok(email_page(&dashboard, &headers, &pieces, "", &none))
}

/// `POST /email-change/confirm/{account}/{token}`
pub(crate) async fn choose_email(
    State(dashboard): State<Dashboard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(pieces): Pieces,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let email = fields.text("new_email");
    let service = &dashboard.service;
    match service.reset_email(&guest(&pieces), email, peer.ip()).await {
        Ok(()) => {
            let notice = Notice {
                heading: "Changed",
                text: "You sign in with the new e-mail address from now on.",
            };
            page(StatusCode::OK, &notice)
        }
        Err(error @ ServiceError::NotFound { .. }) => over(&error),
        Err(error) => match FieldProblems::from_refusal(error) {
            Ok(problems) => email_page(&dashboard, &headers, &pieces, email, &problems),
            Err(response) => response,
        },
    }
}

fn email_page(
    dashboard: &Dashboard,
    headers: &HeaderMap,
    pieces: &(String, String),
    email: &str,
    problems: &FieldProblems,
) -> Response {
    let input = Input {
        name: "new_email",
        label: "New e-mail address",
        ..Input::email(email)
    };
    let form = VisitorForm {
        heading: "Choose another e-mail address",
        lead: "You sign in with it from then on. The address you have now is told.",
        action: &address("email-change/confirm", pieces),
        inputs: vec![input],
        button: "Change",
        ..VisitorForm::default()
    };
    form.answer(dashboard, headers, problems)
}

/// Whose link it is.
async fn account_of(
    dashboard: &Dashboard,
    purpose: LinkPurpose,
    pieces: &(String, String),
) -> Result<Member, Refused> {
    let guest = guest(pieces);
    let found = dashboard.service.account_of_link(purpose, &guest).await;
    found.map_err(|error| over(&error).into())
}

fn guest((account, token): &(String, String)) -> AccountLinkGuest {
    AccountLinkGuest {
        account: account.clone(),
        token: token.as_str().into(),
    }
}

fn address(page: &str, (account, token): &(String, String)) -> String {
    format!("/{page}/{}/{}", encoded(account), encoded(token))
}

fn over(error: &ServiceError) -> Response {
    if !matches!(error, ServiceError::NotFound { .. }) {
        return refusal(error);
    }
    let notice = Notice {
        heading: "This link is over",
        text: "It was used, it ran out, or a newer one was asked for. Ask for another one on the sign-in page.",
    };
    page(StatusCode::NOT_FOUND, &notice)
}
