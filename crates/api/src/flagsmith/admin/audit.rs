//! `audit/`, also below `organisations/{organisation_id}/` and `projects/{project_id}/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::organisations::organisation_id;
use super::projects::project_id;
use super::{environments, lists, organisation_members, projects, times};
use crate::auth::Member;
use crate::routes::Routes;
use flagstaff_core::{EnvironmentId, ProjectId, Timestamp};
use flagstaff_service::{AuditListing, AuditPlaces, AuditRecord, Caller, Noun, ServiceError};
use serde_json::{Value as Json, json};

const SEARCH: Text = Text::up_to(lists::SEARCH_LIMIT).or_blank();

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let list_view = || View::new("Audit Log List");
    let entry_view = || View::new("Audit Log Instance");
    routes
        .view("/api/v1/audit/", list_view().get(Member, list))
        .view("/api/v1/audit/{entry_id}/", entry_view().get(Member, get))
        .view(
            "/api/v1/organisations/{organisation_id}/audit/",
            list_view().get(Member, list_of_organisation),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/audit/{entry_id}/",
            entry_view().get(Member, get_of_organisation),
        )
        .view(
            "/api/v1/projects/{project_id}/audit/",
            list_view().get(Member, list_of_project),
        )
        .view(
            "/api/v1/projects/{project_id}/audit/{entry_id}/",
            entry_view().get(Member, get_of_project),
        )
}

/// `GET /api/v1/audit/`: everything the caller may read.
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    list_in(&call, AuditPlaces::default()).await
}

/// `GET /api/v1/organisations/{organisation_id}/audit/`
async fn list_of_organisation(call: Call<Caller>) -> Result<Answer, Failure> {
    let places = AuditPlaces {
        organisation: Some(organisation_id(&call)?),
        project: None,
    };
    list_in(&call, places).await
}

/// `GET /api/v1/projects/{project_id}/audit/`
async fn list_of_project(call: Call<Caller>) -> Result<Answer, Failure> {
    let places = AuditPlaces {
        organisation: None,
        project: Some(project_id(&call)?),
    };
    list_in(&call, places).await
}

async fn list_in(call: &Call<Caller>, places: AuditPlaces) -> Result<Answer, Failure> {
    let parameters = call.query();
    let paging = lists::paging(&parameters)?;
    let mut listing = lists::read_parameters(&parameters, read_listing)?;
    // The one parameter that is sent several times.
    let named = parameters.sorted();
    let named = named.iter().filter(|(name, _)| *name == "environments");
    let ids = named.filter_map(|(_, text)| text.parse().ok());
    listing.environments = ids.map(EnvironmentId::new).collect();
    let request = lists::page_request(paging);
    let service = call.service();
    let page = service
        .audit_page(&call.subject, places, listing, request)
        .await?;
    lists::answer_page(call, paging, &page, shape)
}

fn read_listing(fields: &mut Fields<'_>) -> AuditListing {
    let id = |fields: &mut Fields<'_>, name| {
        let number = fields.integer(name, Need::Optional, 0, i64::MAX);
        number.value()
    };
    // Only checked here: where it is sent several times, all of them count.
    id(fields, "environments");
    let types: Vec<(String, Noun)> = Noun::ALL
        .iter()
        .map(|noun| (object_type(noun.as_str()), *noun))
        .collect();
    let types: Vec<(&str, Noun)> = types.iter().map(|(word, noun)| (&**word, *noun)).collect();
    let noun = fields.choice("related_object_type", Need::Optional, &types);
    let search = fields.text("search", Need::Optional, SEARCH).value();
    AuditListing {
        project: id(fields, "project").map(ProjectId::new),
        is_system: fields.boolean("is_system_event", Need::Optional).value(),
        nouns: noun.value().into_iter().collect(),
        search: search.filter(|text| !text.is_empty()),
        ..AuditListing::default()
    }
}

/// `GET /api/v1/audit/{entry_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let record = record(&call).await?;
    Ok(Answer::of(&shape_with_details(&record)))
}

/// `GET /api/v1/organisations/{organisation_id}/audit/{entry_id}/`
async fn get_of_organisation(call: Call<Caller>) -> Result<Answer, Failure> {
    let (organisation, record) = (organisation_id(&call)?, record(&call).await?);
    answer_within(
        record.entry.organisation_id == Some(organisation.get()),
        &record,
    )
}

/// `GET /api/v1/projects/{project_id}/audit/{entry_id}/`
async fn get_of_project(call: Call<Caller>) -> Result<Answer, Failure> {
    let (project, record) = (project_id(&call)?, record(&call).await?);
    answer_within(record.entry.project_id == Some(project.get()), &record)
}

async fn record(call: &Call<Caller>) -> Result<AuditRecord, Failure> {
    let id = call.path_id("entry_id")?;
    Ok(call.service().audit_entry(&call.subject, id).await?)
}

fn answer_within(is_within: bool, record: &AuditRecord) -> Result<Answer, Failure> {
    if is_within {
        return Ok(Answer::of(&shape_with_details(record)));
    }
    let noun = Noun::AuditEntry;
    Err(ServiceError::NotFound { noun }.into())
}

/// What a noun is called in the original's log: versions of features have a name of their own there.
fn object_type(noun: &str) -> String {
    match noun {
        "feature version" => "EF_VERSION".to_owned(),
        other => other.to_uppercase().replace([' ', '-'], "_"),
    }
}

fn shape(record: &AuditRecord) -> Json {
    let entry = &record.entry;
    json!({
        "id": entry.id,
        "created_date": times::shown(Timestamp::from_micros(entry.at)),
        "log": entry.summary,
        "author": record.author.as_ref().map(organisation_members::shape),
        "environment": record.environment.as_ref().map(environments::shape),
        "project": record.project.as_ref().map(projects::shape),
        "related_object_id": entry.object_id,
        "related_object_uuid": entry.object_uuid,
        "related_object_type": object_type(&entry.noun),
        "is_system_event": entry.actor_kind == "system",
    })
}

fn shape_with_details(record: &AuditRecord) -> Json {
    let mut json = shape(record);
    let details = record.entry.details.as_deref();
    let details = details.and_then(|text| serde_json::from_str::<Json>(text).ok());
    let changes = details.and_then(|mut details| match details["changes"].take() {
        Json::Array(changes) => Some(changes),
        _ => None,
    });
    json["change_details"] = changes.unwrap_or_default().into();
    json["change_type"] = record.entry.action.to_uppercase().into();
    json
}
