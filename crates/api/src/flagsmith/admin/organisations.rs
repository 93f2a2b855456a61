//! `organisations/`

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::super::fields::{Fields, Need, Text};
use super::super::view::View;
use super::{lists, times};
use crate::auth::Member;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::{OrganisationId, Role};
use flagstaff_service::{Caller, OrganisationPatch, OrganisationView};
use serde_json::{Value as Json, json};
use uuid::Uuid;

const NAME: Text = Text::up_to(2000);
const EMAIL: Text = Text::up_to(254).or_blank();
/// What stands for "as many as you like" where clients expect a 32-bit number.
const UNLIMITED: i32 = i32::MAX;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/organisations/",
            View::new("Organisation List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/",
            View::new("Organisation Instance")
                .get(Member, get)
                .put(Member, replace)
                .patch(Member, update)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/organisations/{organisation_id}/get-subscription-metadata/",
            View::new("Get subscription metadata").get(Member, subscription_metadata),
        )
        .view(
            "/api/v1/organisations/get-by-uuid/{uuid}/",
            View::new("Get by uuid").get(Member, get_by_uuid),
        )
}

/// `GET /api/v1/organisations/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let paging = lists::paging(&call.query())?;
    let organisations = call.service().organisations(&call.subject).await?;
    lists::answer_part(&call, paging, &organisations, shape)
}

/// `POST /api/v1/organisations/`
pub(super) async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, Need::Required))?;
    let organisation = call
        .service()
        .create_organisation(&call.subject, patch)
        .await?;
    // Recorded: nobody has a role in the answer to this request.
    let organisation = OrganisationView {
        role: None,
        ..organisation
    };
    Ok(Answer::of(&shape(&organisation)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/organisations/{organisation_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = organisation_id(&call)?;
    let organisation = call.service().organisation(&call.subject, id).await?;
    Ok(Answer::of(&shape(&organisation)))
}

/// `GET /api/v1/organisations/get-by-uuid/{uuid}/`
async fn get_by_uuid(call: Call<Caller>) -> Result<Answer, Failure> {
    let uuid = call.path_uuid("uuid")?;
    let service = call.service();
    let organisation = service.organisation_by_uuid(&call.subject, uuid).await?;
    Ok(Answer::of(&shape(&organisation)))
}

/// `GET /api/v1/organisations/{organisation_id}/get-subscription-metadata/`: nothing is sold, nothing ends.
async fn subscription_metadata(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = organisation_id(&call)?;
    call.service().organisation(&call.subject, id).await?;
    Ok(Answer::of(&json!({
        "max_seats": UNLIMITED,
        "max_api_calls": UNLIMITED,
        "max_projects": null,
        "payment_source": null,
        "chargebee_email": null,
        "feature_history_visibility_days": null,
        "audit_log_visibility_days": null,
    })))
}

/// `PUT /api/v1/organisations/{organisation_id}/`
async fn replace(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Required).await
}

/// `PATCH /api/v1/organisations/{organisation_id}/`
async fn update(call: Call<Caller>) -> Result<Answer, Failure> {
    change(call, Need::Optional).await
}

async fn change(mut call: Call<Caller>, name: Need) -> Result<Answer, Failure> {
    let id = organisation_id(&call)?;
    let body = call.body().await?;
    let patch = Fields::read(&body, |fields| read_patch(fields, name))?;
    let service = call.service();
    let organisation = service
        .update_organisation(&call.subject, id, patch)
        .await?;
    Ok(Answer::of(&shape(&organisation)))
}

/// `DELETE /api/v1/organisations/{organisation_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let id = organisation_id(&call)?;
    call.service()
        .delete_organisation(&call.subject, id)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// The organisation that the path names.
pub(super) fn organisation_id(call: &Call<Caller>) -> Result<OrganisationId, Failure> {
    call.path_id("organisation_id").map(OrganisationId::new)
}

fn read_patch(fields: &mut Fields<'_>, name: Need) -> OrganisationPatch {
    let email = fields.text("webhook_notification_email", Need::OptionalOrNull, EMAIL);
    let email = email.change();
    OrganisationPatch {
        name: fields.text("name", name, NAME).value(),
        webhook_notification_email: email.map(|text| text.filter(|text| !text.is_empty())),
        persist_trait_data: fields.boolean("persist_trait_data", Need::Optional).value(),
        restrict_project_create_to_admin: fields
            .boolean("restrict_project_create_to_admin", Need::Optional)
            .value(),
        force_2fa: fields.boolean("force_2fa", Need::Optional).value(),
    }
}

/// Choices of roles.
pub(super) const ROLES: [(&str, Role); 2] = [("ADMIN", Role::Admin), ("USER", Role::User)];

pub(super) fn shape(view: &OrganisationView) -> Json {
    let organisation = &view.organisation;
    json!({
        "id": organisation.id.get(),
        "uuid": organisation.uuid.to_string(),
        "name": organisation.name,
        "created_date": times::shown(organisation.created_at),
        "webhook_notification_email": organisation.webhook_notification_email,
        "num_seats": view.members,
        "subscription": subscription(view),
        "role": view.role.map(role_text),
        "persist_trait_data": organisation.persist_trait_data,
        "block_access_to_admin": false,
        "restrict_project_create_to_admin": organisation.restrict_project_create_to_admin,
        "force_2fa": organisation.force_2fa,
    })
}

/// Nothing is sold here: clients that look at the plan find the largest one.
fn subscription(view: &OrganisationView) -> Json {
    let organisation = &view.organisation;
    json!({
        "id": organisation.id.get(),
        "has_active_billing_periods": false,
        "deleted_at": null,
        "uuid": Uuid::new_v5(&organisation.uuid, b"subscription").to_string(),
        "subscription_id": null,
        "subscription_date": null,
        "plan": "enterprise",
        "max_seats": UNLIMITED,
        "max_api_calls": UNLIMITED,
        "cancellation_date": null,
        "customer_id": null,
        "billing_status": null,
        "payment_method": null,
        "notes": null,
    })
}

/// A role's word.
pub(super) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Admin => "ADMIN",
        Role::User => "USER",
    }
}
