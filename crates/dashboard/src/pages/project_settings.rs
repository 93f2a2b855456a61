//! The settings of a project, its environments, its tags, and its end.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::pages::{around, asking};
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{Environment, Project, ProjectId, ProjectPermission, Tag, TagId};
use flagstaff_service::{EnvironmentPatch, PageRequest, ProjectPatch, ServiceResult, TagPatch};

/// The page.
#[derive(Template)]
#[template(path = "project_settings.html")]
struct SettingsPage<'a> {
    shell: &'a Shell,
    path: String,
    tabs: Vec<Link>,
    project: &'a Project,
    project_name: String,
    pattern: String,
    stale_days: String,
    environment_name: String,
    environments: Vec<EnvironmentRow>,
    /// Each with where it is asked whether it is to go.
    tags: Vec<(Tag, String)>,
    problems: &'a FieldProblems,
    may_change: bool,
    may_create: bool,
    may_tag: bool,
}

struct EnvironmentRow {
    name: String,
    features: String,
    settings: String,
    client_key: String,
}

/// The tabs of a project's pages.
pub(crate) fn tabs(shell: &Shell, id: ProjectId, here: &str) -> Vec<Link> {
    let tab = |(last, label): (&str, &str)| Link {
        path: around(shell, &format!("/projects/{}/{last}", id.get())),
        label: label.to_owned(),
        is_here: last == here,
        shortcut: "",
    };
    let tabs = [("settings", "Settings"), ("permissions", "Permissions")];
    tabs.into_iter().map(tab).collect()
}

/// `GET /projects/{project_id}/settings`; `?delete_tag=3` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, project_id).await?;
    let sent: Fields = sent.into_iter().collect();
    if let Some(tag) = sent.parsed("delete_tag").map(TagId::new) {
        let (service, project) = (&dashboard.service, shell.project()?.id);
        let tag = service.tag(&shell.caller, project, tag).await?;
        return Ok(question(&shell, &here(&shell)?, &tag).asked());
    }
    let problems = FieldProblems::default();
    Ok(answer(&dashboard, &shell, StatusCode::OK, None, &problems).await?)
}

/// Whether a tag is to go.
fn question<'a>(shell: &'a Shell, path: &'a str, tag: &'a Tag) -> Question<'a> {
    Question {
        shell,
        from: (path, "Project settings"),
        heading: format!("Delete the tag {}", tag.label),
        text: "It goes from every feature of the project.",
        name: &tag.label,
        button: "Delete the tag",
        action: path,
        fields: vec![
            ("action", "delete_tag".to_owned()),
            ("tag_id", tag.id.get().to_string()),
        ],
    }
}

async fn shell(dashboard: &Dashboard, signed_in: &SignedIn, id: i64) -> ServiceResult<Shell> {
    let place = Place::Project(ProjectId::new(id));
    dashboard
        .shell(signed_in, place, Section::ProjectSettings)
        .await
}

async fn answer(
    dashboard: &Dashboard,
    shell: &Shell,
    status: StatusCode,
    sent: Option<&Fields>,
    problems: &FieldProblems,
) -> ServiceResult<Response> {
    let project = shell.project()?;
    let service = &dashboard.service;
    let environments = service.environments_of(&shell.caller, project.id).await?;
    let tags = service
        .tags(&shell.caller, project.id, PageRequest::first())
        .await?;
    let path = here(shell)?;
    let saved = sent.filter(|fields| fields.text("action") == "save");
    let text = |name: &str, stored: String| match saved {
        Some(fields) => fields.text(name).to_owned(),
        None => stored,
    };
    let template = SettingsPage {
        tags: tags
            .items
            .into_iter()
            .map(|tag| {
                let id = tag.id.get().to_string();
                (tag, asking(&path, &[("delete_tag", &id)]))
            })
            .collect(),
        path,
        tabs: tabs(shell, project.id, "settings"),
        project_name: text("name", project.name.clone()),
        pattern: text(
            "feature_name_regex",
            project.feature_name_regex.clone().unwrap_or_default(),
        ),
        stale_days: text(
            "stale_flags_limit_days",
            project.stale_flags_limit_days.to_string(),
        ),
        environment_name: sent
            .map_or("", |fields| fields.text("environment_name"))
            .to_owned(),
        environments: environments.iter().map(environment_row).collect(),
        problems,
        may_change: shell.administers_project(),
        may_create: shell.may_in_project(ProjectPermission::CreateEnvironment),
        may_tag: shell.may_in_project(ProjectPermission::ManageTags),
        project,
        shell,
    };
    Ok(shell.page(status, &template))
}

fn environment_row(environment: &Environment) -> EnvironmentRow {
    let key = encoded(&environment.api_key);
    EnvironmentRow {
        name: environment.name.clone(),
        features: format!("/environments/{key}/features"),
        settings: format!("/environments/{key}/settings"),
        client_key: environment.api_key.to_string(),
    }
}

/// What a form led to: a notice and where it stands, or what is wrong with a field.
type Done = ServiceResult<Result<(Notice, String), FieldProblems>>;

/// `POST /projects/{project_id}/settings`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, project_id).await?;
    let (action, field) = match fields.text("action") {
        "environment" => (
            create_environment(&dashboard, &shell, &fields).await,
            "environment_name",
        ),
        "delete_tag" => {
            let id = TagId::new(fields.parsed("tag_id").unwrap_or(0));
            let (service, project) = (&dashboard.service, shell.project()?.id);
            let tag = service.tag(&shell.caller, project, id).await?;
            question(&shell, &here(&shell)?, &tag).answered(&fields)?;
            (delete_tag(&dashboard, &shell, id).await, "label")
        }
        "tag" => (make_tag(&dashboard, &shell, &fields).await, "label"),
        "delete" => (delete(&dashboard, &shell, &fields).await, ""),
        _ => (save(&dashboard, &shell, &fields).await, ""),
    };
    let problems = match action {
        Ok(Ok((notice, to))) => return Ok(notice.on(&to, &dashboard, &signed_in)),
        Ok(Err(problems)) => problems,
        Err(error) => placed(FieldProblems::from_refusal(error)?, field),
    };
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(answer(&dashboard, &shell, status, Some(&fields), &problems).await?)
}

/// A refused name stands beside the field of the form that sent it.
fn placed(problems: FieldProblems, field: &str) -> FieldProblems {
    if field.is_empty() {
        return problems;
    }
    let mut placed = FieldProblems::default();
    placed.add(field, problems.elsewhere([]).join(" "));
    placed
}

fn here(shell: &Shell) -> ServiceResult<String> {
    let id = shell.project()?.id.get();
    Ok(around(shell, &format!("/projects/{id}/settings")))
}

async fn save(dashboard: &Dashboard, shell: &Shell, fields: &Fields) -> Done {
    let mut problems = FieldProblems::default();
    let days = fields.parsed("stale_flags_limit_days");
    if days.is_none() {
        problems.add("stale_flags_limit_days", "This is not a number of days.");
        return Ok(Err(problems));
    }
    let patch = ProjectPatch {
        name: Some(fields.text("name").trim().to_owned()),
        hide_disabled_flags: Some(fields.is_on("hide_disabled_flags")),
        prevent_flag_defaults: Some(fields.is_on("prevent_flag_defaults")),
        only_allow_lower_case_feature_names: Some(fields.is_on("lower_case")),
        feature_name_regex: Some(fields.filled("feature_name_regex").map(str::to_owned)),
        stale_flags_limit_days: days,
        enforce_feature_owners: Some(fields.is_on("enforce_feature_owners")),
        ..ProjectPatch::default()
    };
    let id = shell.project()?.id;
    let service = &dashboard.service;
    service.update_project(&shell.caller, id, patch).await?;
    Ok(Ok((Notice::done("Settings saved."), here(shell)?)))
}

async fn create_environment(dashboard: &Dashboard, shell: &Shell, fields: &Fields) -> Done {
    let patch = EnvironmentPatch {
        name: Some(fields.text("environment_name").trim().to_owned()),
        ..EnvironmentPatch::default()
    };
    let id = shell.project()?.id;
    let made = dashboard
        .service
        .create_environment(&shell.caller, id, patch)
        .await?;
    let notice = Notice::done(format!("{} is there: its keys are below.", made.name));
    let path = format!("/environments/{}/keys", encoded(&made.api_key));
    Ok(Ok((notice, path)))
}

async fn delete_tag(dashboard: &Dashboard, shell: &Shell, id: TagId) -> Done {
    let (service, project) = (&dashboard.service, shell.project()?.id);
    service.delete_tag(&shell.caller, project, id).await?;
    let notice = Notice::done("The tag is gone, from every feature.");
    Ok(Ok((notice, here(shell)?)))
}

async fn make_tag(dashboard: &Dashboard, shell: &Shell, fields: &Fields) -> Done {
    let patch = TagPatch {
        label: Some(fields.text("label").trim().to_owned()),
        colour: fields.filled("colour").map(str::to_owned),
        is_permanent: Some(fields.is_on("is_permanent")),
        ..TagPatch::default()
    };
    let (service, project) = (&dashboard.service, shell.project()?.id);
    let tag = service.create_tag(&shell.caller, project, patch).await?;
    let notice = Notice::done(format!("The tag {} is there.", tag.label));
    Ok(Ok((notice, here(shell)?)))
}

async fn delete(dashboard: &Dashboard, shell: &Shell, fields: &Fields) -> Done {
    let project = shell.project()?;
    if fields.text("confirmed_name").trim() != project.name {
        let mut problems = FieldProblems::default();
        problems.add("confirmed_name", "This is not its name.");
        return Ok(Err(problems));
    }
    let service = &dashboard.service;
    service.delete_project(&shell.caller, project.id).await?;
    let notice = Notice::done(format!(
        "{} is gone, with its environments and keys.",
        project.name
    ));
    let path = format!("/organisations/{}", project.organisation_id.get());
    Ok(Ok((notice, path)))
}
