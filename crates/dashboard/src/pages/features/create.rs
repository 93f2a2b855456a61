//! Making a feature.

use super::{feature_path, list_path};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::navigation::Section;
use crate::notices::Notice;
use crate::shell::{Place, Shell};
use crate::values::{type_label, typed};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{ProjectPermission, Tag, TagId, ValueType};
use flagstaff_service::{FeatureRequest, OptionRequest, PageRequest, ServiceError, ServiceResult};

/// Rows for variants that the form has at once at most.
const VARIANT_LIMIT: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "features/create.html")]
struct CreatePage<'a> {
    shell: &'a Shell,
    list_path: String,
    sent: &'a Fields,
    problems: &'a FieldProblems,
    is_enabled: bool,
    types: Vec<TypeChoice>,
    variants: Vec<VariantRow>,
    tags: Vec<TagChoice>,
    is_json: bool,
}

struct TypeChoice {
    word: &'static str,
    label: &'static str,
    is_chosen: bool,
}

struct TagChoice {
    id: i64,
    label: String,
    colour: String,
    is_chosen: bool,
}

struct VariantRow {
    number: usize,
    key: String,
    value: String,
    weight: String,
}

/// `GET /environments/{client_key}/features/new`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
) -> PageResult {
    let (sent, problems) = (Fields::default(), FieldProblems::default());
    let place = (client_key.as_str(), &signed_in);
    Ok(form(&dashboard, place, &sent, &problems, StatusCode::OK).await?)
}

/// `POST /environments/{client_key}/features/new`: makes the feature, or adds and takes away a row for a variant.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path(client_key): Path<String>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let place = (client_key.as_str(), &signed_in);
    let mut problems = FieldProblems::default();
    if fields.has("add") || fields.has("remove") {
        return Ok(form(&dashboard, place, &fields, &problems, StatusCode::OK).await?);
    }
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let project = service.environment(caller, &client_key).await?.project_id;
    let made = match request(&fields, &mut problems) {
        Some(request) => service.create_feature(caller, project, request).await,
        None => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(form(&dashboard, place, &fields, &problems, status).await?);
        }
    };
    match made {
        Ok(view) => {
            let path = feature_path(&client_key, view.feature.id);
            let notice = Notice::done(format!("{} was made.", view.feature.name));
            Ok(notice.on(&path, &dashboard, &signed_in))
        }
        Err(error) => {
            let problems = FieldProblems::from_refusal(error)?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(form(&dashboard, place, &fields, &problems, status).await?)
        }
    }
}

/// What the form asks for; `None` when a field cannot be read, and then it is said which.
fn request(fields: &Fields, problems: &mut FieldProblems) -> Option<FeatureRequest> {
    let value_type = ValueType::parse(fields.text("value_type")).unwrap_or_default();
    let mut options = Vec::new();
    for row in fields.rows("variants") {
        let is_empty = ["key", "value", "weight"]
            .iter()
            .all(|name| row.filled(name).is_none());
        if is_empty {
            continue;
        }
        let weight = match row.filled("weight") {
            None => Some(0.0),
            Some(_) => row.parsed::<f64>("weight"),
        };
        let Some(weight) = weight else {
            problems.add("variants", "A weight is a number from 0 to 100.");
            return None;
        };
        options.push(OptionRequest {
            key: row.filled("key").map(str::to_owned),
            value: typed(row.text("value"), value_type),
            default_percentage_allocation: weight,
        });
    }
    let value = fields.text("initial_value").replace("\r\n", "\n");
    Some(FeatureRequest {
        name: fields.text("name").trim().to_owned(),
        default_enabled: fields.is_on("default_enabled"),
        initial_value: (!value.is_empty()).then_some(value),
        description: fields.filled("description").map(str::to_owned),
        is_server_key_only: fields.is_on("is_server_key_only"),
        value_type,
        options,
        tags: tags(fields),
        ..FeatureRequest::default()
    })
}

fn tags(fields: &Fields) -> Vec<TagId> {
    let ids = fields.all("tag").filter_map(|id| id.parse().ok());
    ids.map(TagId::new).collect()
}

async fn form(
    dashboard: &Dashboard,
    (client_key, signed_in): (&str, &SignedIn),
    sent: &Fields,
    problems: &FieldProblems,
    status: StatusCode,
) -> ServiceResult<Response> {
    let place = Place::Environment(client_key);
    let shell = dashboard.shell(signed_in, place, Section::Features).await?;
    if !shell.may_in_project(ProjectPermission::CreateFeature) {
        return Err(ServiceError::Forbidden);
    }
    let project = shell.project()?.id;
    let all = PageRequest::first();
    let known = dashboard
        .service
        .tags(&signed_in.caller, project, all)
        .await?;
    let chosen = tags(sent);
    let value_type = ValueType::parse(sent.text("value_type")).unwrap_or_default();
    let template = CreatePage {
        list_path: list_path(client_key),
        is_enabled: sent.is_on("default_enabled"),
        types: types(value_type),
        variants: variants(sent),
        tags: known
            .items
            .into_iter()
            .map(|tag| choice(tag, &chosen))
            .collect(),
        is_json: value_type == ValueType::Json,
        shell: &shell,
        sent,
        problems,
    };
    Ok(shell.page(status, &template))
}

fn choice(tag: Tag, chosen: &[TagId]) -> TagChoice {
    TagChoice {
        is_chosen: chosen.contains(&tag.id),
        id: tag.id.get(),
        label: tag.label,
        colour: tag.colour,
    }
}

fn types(chosen: ValueType) -> Vec<TypeChoice> {
    let choice = |value_type: ValueType| TypeChoice {
        word: value_type.name(),
        label: type_label(value_type),
        is_chosen: value_type == chosen,
    };
    ValueType::ALL.into_iter().map(choice).collect()
}

/// The rows as they were sent, one more where that was asked for, without the one that was to go.
fn variants(sent: &Fields) -> Vec<VariantRow> {
    let gone: Option<usize> = sent.parsed("remove");
    let mut rows: Vec<VariantRow> = sent
        .rows("variants")
        .iter()
        .take(VARIANT_LIMIT)
        .enumerate()
        .filter(|(position, _)| Some(*position) != gone)
        .map(|(_, row)| VariantRow {
            number: 0,
            key: row.text("key").to_owned(),
            value: row.text("value").to_owned(),
            weight: row.text("weight").to_owned(),
        })
        .collect();
    if sent.has("add") && rows.len() < VARIANT_LIMIT {
        rows.push(VariantRow {
            number: 0,
            key: String::new(),
            value: String::new(),
            weight: String::new(),
        });
    }
    for (number, row) in rows.iter_mut().enumerate() {
        row.number = number;
    }
    rows
}
