//! Exports and imports of features: `features/create-feature-export/` and what belongs to it

use super::super::answer::Answer;
use super::super::body::Upload;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need};
use super::super::json_limits::{self, JsonLimits};
use super::super::view::View;
use super::lists;
use super::projects::project_id;
use super::times;
use crate::auth::{Member, Open};
use crate::config::ApiConfig;
use crate::routes::Routes;
use axum::http::{HeaderValue, StatusCode, header};
use flagstaff_core::{
    EnvironmentId, FeatureExport, FeatureExportId, FeatureImport, FileStatus, ImportStrategy, TagId,
};
use flagstaff_service::Caller;
use flagstaff_wire::flagsmith::feature_file::{FeatureInFile, parse_feature_file};
use serde_json::{Value as Json, json};

/// Tags in one body.
const TAG_LIMIT: usize = 500;
/// Values in a file of features: some 40 for each of as many features as a project may hold.
const FILE_VALUES: usize = 400_000;
const STRATEGIES: [(&str, ImportStrategy); 2] = [
    ("SKIP", ImportStrategy::Skip),
    ("OVERWRITE_DESTRUCTIVE", ImportStrategy::Overwrite),
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/features/create-feature-export/",
            View::new("Create Feature Export")
                .as_function()
                .post(Member, create_export),
        )
        .view(
            "/api/v1/features/download-feature-export/{export_id}/",
            View::new("Download Feature Export")
                .as_function()
                .get(Member, download),
        )
        .view(
            "/api/v1/features/download-flagsmith-on-flagsmith/",
            View::new("Download Flagsmith On Flagsmith")
                .as_function()
                .get(Open, download_of_the_vendor),
        )
        .view(
            "/api/v1/features/feature-import/{environment_id}",
            View::new("Feature Import")
                .as_function()
                .post(Member, create_import),
        )
        .view(
            "/api/v1/projects/{project_id}/feature-exports/",
            View::new("Feature Export List").get(Member, exports),
        )
        .view(
            "/api/v1/projects/{project_id}/feature-imports/",
            View::new("Feature Import List").get(Member, imports),
        )
}

/// `POST /api/v1/features/create-feature-export/`
async fn create_export(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (environment, tags) = Fields::read(&body, |fields| {
        let environment = fields.integer("environment_id", Need::Required, 0, i64::MAX);
        let tags = fields.integers("tag_ids", Need::Required, TAG_LIMIT);
        (environment.or_default(), tags.or_default())
    })?;
    let tags = tags.into_iter().map(TagId::new).collect();
    let service = call.service();
    let export = service
        .create_feature_export(&call.subject, EnvironmentId::new(environment), tags)
        .await?;
    Ok(Answer::of(&shape_export(&export)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/features/download-feature-export/{export_id}/`
async fn download(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = FeatureExportId::new(call.path_id("export_id")?);
    let service = call.service();
    let document = service.feature_export_document(&call.subject, id).await?;
    let name = format!("attachment; filename=feature_export.{id}.json");
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    Ok(Answer::json(document).with_header(header::CONTENT_DISPOSITION, name))
}

/// `GET /api/v1/features/download-flagsmith-on-flagsmith/`: the vendor's own flags, which no other installation has.
async fn download_of_the_vendor(_: Call<()>) -> Result<Answer, Failure> {
    Err(Failure::Missing(
        "This system is not configured for this download.".into(),
    ))
}

/// `GET /api/v1/projects/{project_id}/feature-exports/`
async fn exports(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let (project, request) = (project_id(&call)?, lists::page_request(paging));
    let service = call.service();
    let page = service
        .feature_exports(&call.subject, project, request)
        .await?;
    lists::answer_page(&call, paging, &page, shape_export)
}

/// `POST /api/v1/features/feature-import/{environment_id}`
async fn create_import(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let environment = EnvironmentId::new(call.path_id("environment_id")?);
    let upload = call.upload("file").await?;
    let (features, strategy) = read_import(&upload, call.config())?;
    let service = call.service();
    let import = service
        .create_feature_import(&call.subject, environment, strategy, &features)
        .await?;
    Ok(Answer::of(&shape_import(&import)).with_status(StatusCode::CREATED))
}

fn read_import(
    upload: &Upload,
    config: &ApiConfig,
) -> Result<(Vec<FeatureInFile>, ImportStrategy), Failure> {
    let (features, strategy) = Fields::read(&upload.fields, |fields| {
        let features = match (&upload.file, fields.json("file")) {
            (Some(file), _) => parse_file(file, config),
            (None, Some(_)) => Err(
                "The submitted data was not a file. Check the encoding type on the form."
                    .to_owned(),
            ),
            (None, None) => Err("No file was submitted.".to_owned()),
        };
        let features = features.map_err(|problem| fields.fail("file", problem));
        let strategy = fields.choice("strategy", Need::Required, &STRATEGIES);
        (features, strategy.value())
    })?;
    // Neither is missing, or there were errors.
    Ok((
        features.unwrap_or_default(),
        strategy.unwrap_or(ImportStrategy::Skip),
    ))
}

fn parse_file(file: &[u8], config: &ApiConfig) -> Result<Vec<FeatureInFile>, String> {
    if file.is_empty() {
        return Err("The submitted file is empty.".to_owned());
    }
    let limits = JsonLimits {
        depth: config.json_depth,
        values: FILE_VALUES,
    };
    json_limits::check(file, limits).map_err(|limit| limit.to_string())?;
    parse_feature_file(file).map_err(|problem| problem.to_string())
}

/// `GET /api/v1/projects/{project_id}/feature-imports/`
async fn imports(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let (project, request) = (project_id(&call)?, lists::page_request(paging));
    let service = call.service();
    let page = service
        .feature_imports(&call.subject, project, request)
        .await?;
    lists::answer_page(&call, paging, &page, shape_import)
}

const fn status_text(status: FileStatus) -> &'static str {
    match status {
        FileStatus::Processing => "PROCESSING",
        FileStatus::Success => "SUCCESS",
        FileStatus::Failed => "FAILED",
    }
}

fn shape_export(export: &FeatureExport) -> Json {
    json!({
        "id": export.id.get(),
        "name": export.name,
        "environment_id": export.environment_id.get(),
        "status": status_text(export.status),
        "created_at": times::shown(export.created_at),
    })
}

fn shape_import(import: &FeatureImport) -> Json {
    let strategy = match import.strategy {
        ImportStrategy::Skip => "SKIP",
        ImportStrategy::Overwrite => "OVERWRITE_DESTRUCTIVE",
    };
    json!({
        "id": import.id.get(),
        "environment_id": import.environment_id.get(),
        "strategy": strategy,
        "status": status_text(import.status),
        "created_at": times::shown(import.created_at),
    })
}
