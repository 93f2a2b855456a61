//! How the project is served to flagd, and what its documents cannot say.

use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::Moment;
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_core::{FlagdEvaluators, FlagdForm, FlagdIntegration, ProjectId};
use flagstaff_service::{FlagdIntegrationPatch, FlagdReport, ServiceError, ServiceResult};
use std::sync::Arc;

/// The page.
#[derive(Template)]
#[template(path = "flagd.html")]
struct FlagdPage<'a> {
    shell: &'a Shell,
    path: String,
    project: &'a str,
    public_url: &'a str,
    changed: Option<Moment>,
    is_enabled: bool,
    evaluators: &'static str,
    form: &'static str,
    may_change: bool,
    report: Option<ReportPart>,
}

struct ReportPart {
    environment: String,
    report: Arc<FlagdReport>,
    kilobytes: usize,
    findings: Vec<FindingRow>,
}

struct FindingRow {
    feature: String,
    reason: &'static str,
    meaning: &'static str,
    detail: String,
}

/// `GET /projects/{project_id}/flagd`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    signed_in: SignedIn,
) -> PageResult {
    let id = ProjectId::new(project_id);
    let shell = dashboard
        .shell(&signed_in, Place::Project(id), Section::Flagd)
        .await?;
    let integration = integration(&dashboard, &shell, id).await?;
    let shown = integration.as_ref();
    let template = FlagdPage {
        path: path(&shell, project_id),
        project: &shell.project()?.name,
        public_url: &dashboard.config.public_url,
        is_enabled: shown.is_some_and(|found| found.enabled),
        evaluators: shown
            .map_or(FlagdEvaluators::default(), |found| found.evaluators)
            .as_str(),
        form: shown
            .map_or(FlagdForm::default(), |found| found.form)
            .as_str(),
        may_change: shell.administers_project(),
        report: report(&dashboard, &shell).await?,
        changed: shown.map(|found| Moment::new(found.updated_at, shell.now)),
        shell: &shell,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

/// So that the page stays with the environment that it looks at.
fn path(shell: &Shell, project_id: i64) -> String {
    let environment = shell
        .environment
        .as_ref()
        .map_or_else(String::new, |found| {
            format!("?environment={}", crate::answer::encoded(&found.api_key))
        });
    format!("/projects/{project_id}/flagd{environment}")
}

/// The integration of the project; `None` where there is none, and for who is not to see it.
async fn integration(
    dashboard: &Dashboard,
    shell: &Shell,
    project: ProjectId,
) -> ServiceResult<Option<FlagdIntegration>> {
    let service = &dashboard.service;
    match service.flagd_integration(&shell.caller, project).await {
        Ok(found) => Ok(found),
        Err(ServiceError::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn report(dashboard: &Dashboard, shell: &Shell) -> ServiceResult<Option<ReportPart>> {
    let Some(environment) = &shell.environment else {
        return Ok(None);
    };
    let limit = dashboard.config.flagd_identity_limit;
    let report = dashboard
        .service
        .flagd_report(&shell.caller, &environment.api_key, limit)
        .await?;
    let findings = report.findings.iter().map(|finding| FindingRow {
        feature: finding.feature.as_deref().unwrap_or("a segment").to_owned(),
        reason: finding.reason,
        meaning: meaning(finding.reason),
        detail: finding.detail.clone(),
    });
    Ok(Some(ReportPart {
        environment: environment.name.clone(),
        kilobytes: report.bytes.div_ceil(1024),
        findings: findings.collect(),
        report,
    }))
}

/// A sentence for each kind of finding.
fn meaning(reason: &str) -> &'static str {
    match reason {
        "regex_unsupported" => {
            "flagd has no patterns: the segment is left out, with its overrides."
        }
        "unknown_operator" => {
            "Nobody knows this operator: the segment is left out, with its overrides."
        }
        "malformed_value" => {
            "The operator cannot read this value: the segment is left out, with its overrides."
        }
        "property_unsupported" => {
            "flagd's clients do not know this path: the segment is left out, with its overrides."
        }
        "dotted_trait" => "flagd's clients look inside objects for a name with a dot.",
        "reserved_trait" => {
            "flagd keeps this name for itself: the segment is left out, with its overrides."
        }
        "rules_too_deep" => {
            "Rules are nested deeper than flagd's clients read: the segment is left out, with its overrides."
        }
        "evaluator_inlined_unsafe" => {
            "The shared segment is written into each flag, because clients would not read it rightly otherwise. Nothing is lost."
        }
        "bucketing_differs" => {
            "Clients that evaluate by themselves place people by another hash than this server."
        }
        "identity_override_limit_exceeded" => {
            "More identities than a flag names: the others get what everybody gets."
        }
        "disabled_override_no_op" => {
            "An override that is off and has the value of the default does nothing in flagd."
        }
        "override_enables_disabled_flag" => {
            "An override is on where the flag is off: whoever is in it gets its value."
        }
        "override_disables_flag" => {
            "An override is off where the flag is on: whoever is in it gets its value, or false."
        }
        "type_mismatch" => "Values of several types in one flag: flagd's clients take one type.",
        _ => "",
    }
}

/// `POST /projects/{project_id}/flagd`
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path(project_id): Path<i64>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let id = ProjectId::new(project_id);
    let shell = dashboard
        .shell(&signed_in, Place::Project(id), Section::Flagd)
        .await?;
    let patch = FlagdIntegrationPatch {
        enabled: Some(fields.is_on("enabled")),
        evaluators: FlagdEvaluators::parse(fields.text("evaluators")),
        form: FlagdForm::parse(fields.text("form")),
    };
    let service = &dashboard.service;
    let caller = &shell.caller;
    let changed = match service.flagd_integration(caller, id).await? {
        Some(found) => {
            service
                .update_flagd_integration(caller, id, Some(found.id), patch)
                .await
        }
        None => service.create_flagd_integration(caller, id, patch).await,
    };
    let notice = match changed {
        Ok(found) if found.enabled => Notice::done("The project is served to flagd."),
        Ok(_) => Notice::done("The project is not served to flagd."),
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            Notice::problem(problems.elsewhere([]).join(" "))
        }
    };
    Ok(notice.on(&path(&shell, project_id), &dashboard, &signed_in))
}
