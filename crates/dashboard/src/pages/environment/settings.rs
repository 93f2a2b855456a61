//! The settings of an environment, its copies and its end.

use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::navigation::{Link, Section};
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{DisabledAs, Environment, Hash, ProjectPermission};
use flagstaff_service::{EnvironmentPatch, ServiceResult};

/// The page.
#[derive(Template)]
#[template(path = "environment_settings.html")]
struct SettingsPage<'a> {
    shell: &'a Shell,
    path: String,
    tabs: Vec<Link>,
    name: &'a str,
    form: SettingsForm,
    problems: &'a FieldProblems,
    copy_name: String,
    hashes: Vec<Choice>,
    meanings: Vec<Choice>,
    hiding: Vec<Choice>,
    by_versions: bool,
    may_change: bool,
    may_copy: bool,
}

struct Choice {
    value: &'static str,
    label: &'static str,
    is_chosen: bool,
}

/// What stands in the fields: what is stored, or what was sent and refused.
struct SettingsForm {
    name: String,
    description: String,
    banner_text: String,
    banner_colour: String,
    hide_disabled: String,
    hash: String,
    disabled_as: String,
    allow_client_traits: bool,
    hide_sensitive_data: bool,
    identity_overrides: bool,
    composite_key: bool,
}

impl SettingsForm {
    fn stored(environment: &Environment) -> Self {
        Self {
            name: environment.name.clone(),
            description: environment.description.clone().unwrap_or_default(),
            banner_text: environment.banner_text.clone().unwrap_or_default(),
            banner_colour: environment.banner_colour.clone().unwrap_or_default(),
            hide_disabled: match environment.hide_disabled_flags {
                None => "",
                Some(true) => "yes",
                Some(false) => "no",
            }
            .to_owned(),
            hash: environment.hash.name().to_owned(),
            disabled_as: environment.disabled_as.name().to_owned(),
            allow_client_traits: environment.allow_client_traits,
            hide_sensitive_data: environment.hide_sensitive_data,
            identity_overrides: environment.use_identity_overrides_in_local_eval,
            composite_key: environment.use_identity_composite_key_for_hashing,
        }
    }

    fn sent(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).trim().to_owned();
        Self {
            name: text("name"),
            description: text("description"),
            banner_text: text("banner_text"),
            banner_colour: text("banner_colour"),
            hide_disabled: text("hide_disabled_flags"),
            hash: text("hash"),
            disabled_as: text("disabled_as"),
            allow_client_traits: fields.is_on("allow_client_traits"),
            hide_sensitive_data: fields.is_on("hide_sensitive_data"),
            identity_overrides: fields.is_on("identity_overrides"),
            composite_key: fields.is_on("composite_key"),
        }
    }

    fn patch(&self) -> EnvironmentPatch {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        EnvironmentPatch {
            name: Some(self.name.clone()),
            description: Some(given(&self.description)),
            banner_text: Some(given(&self.banner_text)),
            banner_colour: Some(given(&self.banner_colour)),
            hide_disabled_flags: Some(match self.hide_disabled.as_str() {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            }),
            hash: Hash::parse(&self.hash),
            disabled_as: DisabledAs::parse(&self.disabled_as),
            allow_client_traits: Some(self.allow_client_traits),
            hide_sensitive_data: Some(self.hide_sensitive_data),
            use_identity_overrides_in_local_eval: Some(self.identity_overrides),
            use_identity_composite_key_for_hashing: Some(self.composite_key),
            minimum_change_request_approvals: None,
        }
    }
}

fn path(client_key: &str) -> String {
    format!("/environments/{}/settings", encoded(client_key))
}

/// `GET /environments/{client_key}/settings`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, &client_key).await?;
    Ok(answer(
        &shell,
        StatusCode::OK,
        None,
        &FieldProblems::default(),
    )?)
}

async fn shell(dashboard: &Dashboard, signed_in: &SignedIn, key: &str) -> ServiceResult<Shell> {
    dashboard
        .shell(
            signed_in,
            Place::Environment(key),
            Section::EnvironmentSettings,
        )
        .await
}

fn answer(
    shell: &Shell,
    status: StatusCode,
    sent: Option<&Fields>,
    problems: &FieldProblems,
) -> ServiceResult<Response> {
    let environment = shell.environment()?;
    let is_save = sent.is_some_and(|fields| fields.text("action") == "save");
    let form = match sent.filter(|_| is_save) {
        Some(fields) => SettingsForm::sent(fields),
        None => SettingsForm::stored(environment),
    };
    let template = SettingsPage {
        path: path(&environment.api_key),
        tabs: super::tabs(&environment.api_key, "settings"),
        name: &environment.name,
        copy_name: sent.map_or_else(String::new, |fields| fields.text("copy_name").to_owned()),
        hashes: choices(&HASHES, &form.hash),
        meanings: choices(&MEANINGS, &form.disabled_as),
        hiding: choices(&HIDING, &form.hide_disabled),
        by_versions: environment.use_v2_feature_versioning,
        may_change: shell.administers_environment(),
        may_copy: shell.may_in_project(ProjectPermission::CreateEnvironment),
        form,
        problems,
        shell,
    };
    Ok(shell.page(status, &template))
}

const HASHES: [(&str, &str); 5] = [
    ("flagsmith", "Flagsmith (MD5)"),
    ("flagd-v2", "flagd, Go and JavaScript (murmur3)"),
    ("flagd-v3", "flagd, Python and Rust (murmur3 over CBOR)"),
    ("flipt", "Flipt (CRC-32)"),
    ("fnv1a32", "FNV-1a, 32 bits"),
];
const MEANINGS: [(&str, &str); 2] = [
    ("auto", "Off, unless an override is on"),
    ("state", "Off, whatever overrides say"),
];
const HIDING: [(&str, &str); 3] = [
    ("", "As the project has it"),
    ("yes", "Left out"),
    ("no", "Sent, as off"),
];

fn choices(list: &[(&'static str, &'static str)], chosen: &str) -> Vec<Choice> {
    let choice = |(value, label): &(&'static str, &'static str)| Choice {
        value,
        label,
        is_chosen: *value == chosen,
    };
    list.iter().map(choice).collect()
}

/// `POST /environments/{client_key}/settings`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let shell = shell(&dashboard, &signed_in, &client_key).await?;
    let done = match fields.text("action") {
        "copy" => copy(&dashboard, &shell, &client_key, &fields).await,
        "delete" => delete(&dashboard, &shell, &client_key, &fields).await,
        "versions_on" | "versions_off" => {
            switch_versions(&dashboard, &shell, &client_key, &fields).await
        }
        _ => save(&dashboard, &shell, &client_key, &fields).await,
    };
    match done {
        Ok((notice, to)) => Ok(notice.on(&to, &dashboard, &signed_in)),
        Err(Stopped::Problems(problems)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(answer(&shell, status, Some(&fields), &problems)?)
        }
        Err(Stopped::Answered(response)) => Ok(response),
    }
}

/// Why a form was not obeyed.
enum Stopped {
    Problems(FieldProblems),
    Answered(Response),
}

impl From<flagstaff_service::ServiceError> for Stopped {
    fn from(error: flagstaff_service::ServiceError) -> Self {
        match FieldProblems::from_refusal(error) {
            Ok(problems) => Self::Problems(problems),
            Err(response) => Self::Answered(response),
        }
    }
}

type Done = Result<(Notice, String), Stopped>;

async fn save(dashboard: &Dashboard, shell: &Shell, key: &str, fields: &Fields) -> Done {
    let patch = SettingsForm::sent(fields).patch();
    let service = &dashboard.service;
    service
        .update_environment(&shell.caller, key, patch)
        .await?;
    Ok((Notice::done("Settings saved."), path(key)))
}

async fn switch_versions(dashboard: &Dashboard, shell: &Shell, key: &str, fields: &Fields) -> Done {
    let service = &dashboard.service;
    let text = if fields.text("action") == "versions_on" {
        service.enable_versions(&shell.caller, key).await?;
        "Features change by published versions from now on."
    } else {
        service.disable_versions(&shell.caller, key).await?;
        "Features are changed directly from now on."
    };
    Ok((Notice::done(text), path(key)))
}

async fn copy(dashboard: &Dashboard, shell: &Shell, key: &str, fields: &Fields) -> Done {
    let name = fields.text("copy_name").trim().to_owned();
    let made = dashboard
        .service
        .copy_environment(&shell.caller, key, name)
        .await;
    match made {
        Ok(made) => {
            let notice = Notice::done(format!("{} is a copy now.", made.name));
            Ok((notice, path(&made.api_key)))
        }
        Err(error) => {
            let problems = FieldProblems::from_refusal(error).map_err(Stopped::Answered)?;
            let mut own = FieldProblems::default();
            own.add("copy_name", problems.elsewhere([]).join(" "));
            Err(Stopped::Problems(own))
        }
    }
}

async fn delete(dashboard: &Dashboard, shell: &Shell, key: &str, fields: &Fields) -> Done {
    let environment = shell.environment()?;
    if fields.text("confirmed_name").trim() != environment.name {
        let mut problems = FieldProblems::default();
        problems.add("confirmed_name", "This is not its name.");
        return Err(Stopped::Problems(problems));
    }
    dashboard
        .service
        .delete_environment(&shell.caller, key)
        .await?;
    let notice = Notice::done(format!(
        "{} is gone, and its keys with it.",
        environment.name
    ));
    Ok((
        notice,
        format!("/projects/{}", environment.project_id.get()),
    ))
}
