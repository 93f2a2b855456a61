//! What is going to change by itself in an environment.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_core::{EnvironmentPermission, FeatureId};
use flagstaff_service::{ScheduledVersion, VersionPlace};
use uuid::Uuid;

/// The page.
#[derive(Template)]
#[template(path = "scheduled.html")]
struct ScheduledPage<'a> {
    shell: &'a Shell,
    path: String,
    changes: Vec<ChangeRow>,
    may_cancel: bool,
    by_versions: bool,
}

struct ChangeRow {
    uuid: Uuid,
    feature_id: i64,
    feature: String,
    link: Option<String>,
    moment: Moment,
    exact: String,
    description: String,
    published_by: String,
}

fn path(client_key: &str) -> String {
    format!("/environments/{}/scheduled", encoded(client_key))
}

/// `GET /environments/{client_key}/scheduled`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
) -> PageResult {
    let place = Place::Environment(&client_key);
    let shell = dashboard
        .shell(&signed_in, place, Section::Scheduled)
        .await?;
    let service = &dashboard.service;
    let changes = service
        .scheduled_versions(&shell.caller, &client_key)
        .await?;
    let template = ScheduledPage {
        path: path(&client_key),
        changes: changes
            .into_iter()
            .map(|change| row(&dashboard, &shell, &client_key, change))
            .collect(),
        may_cancel: shell.may_in_environment(EnvironmentPermission::UpdateFeatureState),
        by_versions: shell.environment()?.use_v2_feature_versioning,
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn row(
    dashboard: &Dashboard,
    shell: &Shell,
    client_key: &str,
    change: ScheduledVersion,
) -> ChangeRow {
    let id = change.feature.id.get();
    let has_page = dashboard.has_page("/environments/{client_key}/features/{feature_id}");
    // A published version has a time.
    let at = change
        .version
        .live_from
        .unwrap_or(change.version.created_at);
    let moment = Moment::new(at, shell.now);
    ChangeRow {
        uuid: change.version.uuid,
        feature_id: id,
        feature: change.feature.name.as_str().to_owned(),
        link: has_page.then(|| format!("/environments/{}/features/{id}", encoded(client_key))),
        exact: moment.exact(),
        moment,
        description: change.version.description.unwrap_or_default(),
        published_by: change
            .published_by
            .map_or_else(|| "a program".to_owned(), |member| member.email),
    }
}

/// `POST /environments/{client_key}/scheduled`: takes a change back before its time.
pub(crate) async fn cancel(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let shell = dashboard
        .shell(
            &signed_in,
            Place::Environment(&client_key),
            Section::Scheduled,
        )
        .await?;
    let place = VersionPlace {
        environment_id: shell.environment()?.id,
        feature_id: FeatureId::new(fields.parsed("feature_id").unwrap_or(0)),
    };
    let uuid = fields.parsed("version").unwrap_or(Uuid::nil());
    let cancelled = dashboard
        .service
        .delete_feature_version(&shell.caller, place, uuid)
        .await;
    let notice = match cancelled {
        Ok(()) => Notice::done("The change will not happen."),
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            Notice::problem(problems.elsewhere([]).join(" "))
        }
    };
    Ok(notice.on(&path(&client_key), &dashboard, &signed_in))
}
