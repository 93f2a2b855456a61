//! The audit log of a project or an organisation: filtered, in parts, and as a file.

mod asked;

use crate::Dashboard;
use crate::answer::{PageResult, encoded, file};
use crate::fields::Fields;
use crate::fragments::Moment;
use crate::navigation::{Link, Section};
use crate::pages::organisation;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use asked::{Asked, Choice};
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{OrganisationId, ProjectId, Timestamp};
use flagstaff_service::{AuditFormat, AuditPlace, AuditRecord, ServiceResult, StoredAuditEntry};
use serde::Deserialize;

/// Entries that a page shows.
const SHOWN: u32 = 50;

/// The page.
#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage<'a> {
    shell: &'a Shell,
    heading: String,
    tabs: Vec<Link>,
    /// The page's address without a question.
    path: String,
    asked: &'a Asked,
    actors: Vec<Choice>,
    environments: Vec<Choice>,
    nouns: Vec<Choice>,
    actions: Vec<Choice>,
    entries: Vec<EntryRow>,
    older: Option<String>,
    csv: String,
    json_lines: String,
    is_project: bool,
}

struct EntryRow {
    sequence: i64,
    moment: Moment,
    actor: String,
    actor_kind: &'static str,
    action: &'static str,
    mark: &'static str,
    noun: String,
    summary: String,
    place: String,
    link: Option<String>,
    changes: Vec<ChangeRow>,
    hash: String,
}

struct ChangeRow {
    field: String,
    old: String,
    new: String,
}

/// `GET /projects/{project_id}/audit`
pub(crate) async fn of_project(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let project = ProjectId::new(project_id);
    let path = format!("/projects/{project_id}/audit");
    let place = (Place::Project(project), AuditPlace::Project(project));
    show(&dashboard, &signed_in, place, path, sent).await
}

/// `GET /organisations/{organisation_id}/audit`
pub(crate) async fn of_organisation(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let id = OrganisationId::new(organisation_id);
    let path = format!("/organisations/{organisation_id}/audit");
    let place = (Place::Organisation(id), AuditPlace::Organisation(id));
    show(&dashboard, &signed_in, place, path, sent).await
}

async fn show(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    (place, audit): (Place<'_>, AuditPlace),
    path: String,
    sent: Vec<(String, String)>,
) -> PageResult {
    let section = match audit {
        AuditPlace::Project(_) => Section::Audit,
        AuditPlace::Organisation(_) | AuditPlace::Installation => Section::Organisation,
    };
    let shell = dashboard.shell(signed_in, place, section).await?;
    let asked = Asked::read(&sent.into_iter().collect::<Fields>());
    let (records, older) = dashboard
        .service
        .audit_part(
            &signed_in.caller,
            audit,
            asked.filter(),
            asked.before,
            SHOWN,
        )
        .await?;
    let is_project = matches!(audit, AuditPlace::Project(_));
    let template = AuditPage {
        heading: heading(&shell, is_project),
        tabs: match audit {
            AuditPlace::Organisation(id) => organisation::tabs(&shell, id, "audit"),
            AuditPlace::Project(_) | AuditPlace::Installation => Vec::new(),
        },
        actors: actors(dashboard, &shell, &asked).await?,
        environments: asked
            .environments(&dashboard.service, &shell, is_project)
            .await?,
        nouns: asked.nouns(),
        actions: asked.actions(),
        entries: records
            .into_iter()
            .map(|record| row(dashboard, &shell, record))
            .collect(),
        older: older.map(|before| format!("{path}?{}", asked.query(Some(before)))),
        csv: format!("{path}/file?format=csv&{}", asked.query(None)),
        json_lines: format!("{path}/file?format=jsonl&{}", asked.query(None)),
        asked: &asked,
        shell: &shell,
        path,
        is_project,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn heading(shell: &Shell, is_project: bool) -> String {
    let project = shell.project.as_ref().filter(|_| is_project);
    let organisation = shell.organisation.as_ref();
    let name = project.map(|project| project.name.as_str());
    let name = name.or(organisation.map(|organisation| organisation.name.as_str()));
    format!("Audit log of {}", name.unwrap_or_default())
}

async fn actors(dashboard: &Dashboard, shell: &Shell, asked: &Asked) -> ServiceResult<Vec<Choice>> {
    let Some(organisation) = &shell.organisation else {
        return Ok(Vec::new());
    };
    let members = dashboard
        .service
        .members_of(&shell.caller, organisation.id)
        .await?;
    let members = members.into_iter().map(|(member, _)| {
        let value = format!("member-{}", member.id.get());
        (value, member.email)
    });
    let mut actors: Vec<_> = members.collect();
    if shell.administers_organisation() {
        let keys = dashboard
            .service
            .api_keys(&shell.caller, organisation.id)
            .await?;
        let keys = keys.into_iter().map(|key| {
            let value = format!("key-{}", key.id.get());
            (value, format!("API key {}", key.name))
        });
        actors.extend(keys);
    }
    actors.push(("system".to_owned(), "Flagstaff itself".to_owned()));
    Ok(asked.choices("actor", actors))
}

fn row(dashboard: &Dashboard, shell: &Shell, record: AuditRecord) -> EntryRow {
    let link = link(dashboard, shell, &record);
    let names = [
        record.project.as_ref().map(|project| project.name.as_str()),
        record.environment.as_ref().map(|found| found.name.as_str()),
    ];
    let is_project = shell.section == Section::Audit;
    let names: Vec<&str> = names
        .into_iter()
        .skip(usize::from(is_project))
        .flatten()
        .collect();
    let place = names.join(" · ");
    let entry = record.entry;
    let (action, mark) = match entry.action.as_str() {
        "create" => ("created", "good"),
        "delete" => ("deleted", "danger"),
        _ => ("changed", "accent"),
    };
    EntryRow {
        sequence: entry.sequence,
        moment: Moment::new(Timestamp::from_micros(entry.at), shell.now),
        changes: changes(&entry),
        actor_kind: match entry.actor_kind.as_str() {
            "api key" => "API key",
            "system" => "system",
            _ => "",
        },
        actor: entry.actor_name,
        action,
        mark,
        noun: entry.noun,
        summary: entry.summary,
        place,
        link,
        hash: entry.hash,
    }
}

/// Where that is which an entry tells of, as far as there is a page for it and it is still there to be seen.
fn link(dashboard: &Dashboard, shell: &Shell, record: &AuditRecord) -> Option<String> {
    let entry = &record.entry;
    if entry.action == "delete" {
        return None;
    }
    let environment = record.environment.as_ref().or(shell.environment.as_ref())?;
    if environment.project_id.get() != entry.project_id? {
        return None;
    }
    let key = encoded(&environment.api_key);
    let to = |list: &str, id: i64| {
        let template = format!(
            "/environments/{{client_key}}/{list}/{{{}_id}}",
            list.trim_end_matches('s')
        );
        let has_page = dashboard.has_page(&template);
        has_page.then(|| format!("/environments/{key}/{list}/{id}"))
    };
    match (entry.feature_id, entry.segment_id) {
        (Some(feature), _) => to("features", feature),
        (None, Some(segment)) => to("segments", segment),
        (None, None) => None,
    }
}

/// What was before and after, as the entry's details tell it.
fn changes(entry: &StoredAuditEntry) -> Vec<ChangeRow> {
    #[derive(Deserialize)]
    struct Details {
        #[serde(default)]
        changes: Vec<Change>,
    }
    #[derive(Deserialize)]
    struct Change {
        field: String,
        old: serde_json::Value,
        new: serde_json::Value,
    }
    let text = |value: serde_json::Value| match value {
        serde_json::Value::Null => "nothing".to_owned(),
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    let details = entry.details.as_deref();
    let details = details.and_then(|text| serde_json::from_str::<Details>(text).ok());
    let changes = details.map(|details| details.changes).unwrap_or_default();
    let row = |change: Change| ChangeRow {
        field: change.field,
        old: text(change.old),
        new: text(change.new),
    };
    changes.into_iter().map(row).collect()
}

/// `GET /projects/{project_id}/audit/file`
pub(crate) async fn file_of_project(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let place = AuditPlace::Project(ProjectId::new(project_id));
    let name = format!("audit-project-{project_id}");
    send_file(&dashboard, &signed_in, place, &name, sent).await
}

/// `GET /organisations/{organisation_id}/audit/file`
pub(crate) async fn file_of_organisation(
    State(dashboard): State<Dashboard>,
    Path(organisation_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let place = AuditPlace::Organisation(OrganisationId::new(organisation_id));
    let name = format!("audit-organisation-{organisation_id}");
    send_file(&dashboard, &signed_in, place, &name, sent).await
}

async fn send_file(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    place: AuditPlace,
    name: &str,
    sent: Vec<(String, String)>,
) -> PageResult {
    let fields: Fields = sent.into_iter().collect();
    let asked = Asked::read(&fields);
    let (format, media_type, ending) = match fields.text("format") {
        "jsonl" => (AuditFormat::JsonLines, "application/jsonl", "jsonl"),
        _ => (AuditFormat::Csv, "text/csv; charset=utf-8", "csv"),
    };
    let stream = dashboard
        .service
        .export_audit(&signed_in.caller, place, asked.filter(), format)
        .await?;
    let body = Body::from_stream(stream);
    Ok(file(body, media_type, &format!("{name}.{ending}")))
}
