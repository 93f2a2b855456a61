//! Identities of an environment: found by the beginning of their identifier, or by what it holds.

use super::{list_path, path};
use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentPermission, IdentityId};
use flagstaff_service::{FoundIdentities, IdentityQuestion};
use serde::Deserialize;

/// Identities on one page.
const SIZE: usize = 50;

/// What is looked for.
#[derive(Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    /// `on`: anywhere in the identifier, which takes longer.
    #[serde(default)]
    anywhere: String,
    /// The last identifier of the page before, or its id.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "identities/list.html")]
struct IdentitiesPage<'a> {
    shell: &'a Shell,
    list_path: String,
    query: &'a str,
    is_anywhere: bool,
    rows: Vec<Row>,
    next: Option<String>,
    is_later_page: bool,
    may_manage: bool,
    identifier: &'a str,
    problems: &'a FieldProblems,
}

struct Row {
    path: String,
    identifier: String,
    seen: Moment,
}

impl Asked {
    fn is_anywhere(&self) -> bool {
        self.anywhere == "on" && !self.q.is_empty()
    }

    fn question(&self) -> IdentityQuestion {
        if self.is_anywhere() {
            let after = self.after.as_deref().and_then(|id| id.parse().ok());
            return IdentityQuestion::Holding {
                text: self.q.clone(),
                after: after.map(IdentityId::new),
            };
        }
        IdentityQuestion::Beginning {
            text: self.q.clone(),
            after: self.after.clone(),
        }
    }

    /// The address of the page after these.
    fn next(&self, list_path: &str, found: &FoundIdentities) -> Option<String> {
        let last = found.identities.last().filter(|_| found.has_more)?;
        let query = encoded(&self.q);
        Some(if self.is_anywhere() {
            format!("{list_path}?q={query}&anywhere=on&after={}", last.id.get())
        } else {
            let after = encoded(&last.identifier);
            format!("{list_path}?q={query}&after={after}")
        })
    }
}

/// `GET /environments/{client_key}/identities`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> PageResult {
    let problems = FieldProblems::default();
    answer(&dashboard, &signed_in, &client_key, &asked, ("", &problems)).await
}

async fn answer(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    asked: &Asked,
    (identifier, problems): (&str, &FieldProblems),
) -> PageResult {
    let place = Place::Environment(client_key);
    let shell = dashboard
        .shell(signed_in, place, Section::Identities)
        .await?;
    let found = dashboard
        .service
        .find_identities(&signed_in.caller, client_key, &asked.question(), SIZE)
        .await?;
    let list_path = list_path(client_key);
    let next = asked.next(&list_path, &found);
    let rows = found.identities.into_iter().map(|identity| Row {
        path: path(client_key, identity.id),
        seen: Moment::new(identity.created_at, shell.now),
        identifier: identity.identifier.to_string(),
    });
    let template = IdentitiesPage {
        shell: &shell,
        query: &asked.q,
        is_anywhere: asked.anywhere == "on",
        rows: rows.collect(),
        next,
        is_later_page: asked.after.is_some(),
        may_manage: shell.may_in_environment(EnvironmentPermission::ManageIdentities),
        list_path,
        identifier,
        problems,
    };
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(shell.page(status, &template))
}

/// `POST /environments/{client_key}/identities`
pub(crate) async fn create(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let identifier = fields.text("identifier");
    let made = dashboard
        .service
        .create_identity(&signed_in.caller, &client_key, identifier)
        .await;
    match made {
        Ok(identity) => {
            let notice = Notice::done("The identity is known now.");
            let path = path(&client_key, identity.id);
            Ok(notice.on(&path, &dashboard, &signed_in))
        }
        Err(error) => {
            let mut problems = FieldProblems::default();
            for (_, sentence) in FieldProblems::from_refusal(error)?.all() {
                problems.add("identifier", sentence.as_str());
            }
            let asked = Asked::default();
            let typed = (identifier, &problems);
            answer(&dashboard, &signed_in, &client_key, &asked, typed).await
        }
    }
}
