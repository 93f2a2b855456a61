//! Values of a feature for single identities.

use super::frame::{Frame, Tab};
use super::overrides::{Kind, OverridePage};
use super::state_form::{self, StateForm};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::visitor::SignedIn;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{FeatureStateId, IdentityId};
use flagstaff_service::{NewStateRequest, Noun, ServiceError, ServiceResult, StateIdentity};

/// What stands around the pages, unless the dashboard's own flags hide them.
async fn frame(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    feature_id: i64,
) -> ServiceResult<Frame> {
    let frame = dashboard
        .feature_frame(signed_in, client_key, feature_id, Tab::Value)
        .await?;
    if !frame.shell.flags.improved_identity_overrides {
        let noun = Noun::FeatureState;
        return Err(ServiceError::NotFound { noun });
    }
    Ok(frame)
}

/// `GET /environments/{client_key}/features/{feature_id}/identities/new`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = frame(&dashboard, &signed_in, &client_key, feature_id).await?;
    let form = StateForm::of_state(frame.feature(), frame.options(), &frame.served.default);
    let problems = FieldProblems::default();
    Ok(identity_page(
        &frame,
        form,
        &problems,
        String::new(),
        StatusCode::OK,
    ))
}

fn identity_page(
    frame: &Frame,
    form: StateForm,
    problems: &FieldProblems,
    identifier: String,
    status: StatusCode,
) -> Response {
    let template = OverridePage {
        action: format!("{}/identities/new", frame.path),
        kind: Kind::NewIdentity,
        segments: Vec::new(),
        conflict: None,
        shell: &frame.shell,
        identifier,
        problems,
        form,
        frame,
    };
    frame.shell.page(status, &template)
}

/// `POST /environments/{client_key}/features/{feature_id}/identities/new`
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = frame(&dashboard, &signed_in, &client_key, feature_id).await?;
    let identifier = fields.text("identifier").trim().to_owned();
    let problems = match state_form::whole(frame.feature(), frame.options(), &fields) {
        Err(problems) => problems,
        Ok(patch) => {
            let request = NewStateRequest {
                feature_id: frame.feature().id,
                feature_segment: None,
                identity: Some(StateIdentity::Identifier(identifier.clone())),
                enabled: patch.enabled.unwrap_or_default(),
                value: patch.value,
                weights: patch.weights.unwrap_or_default(),
            };
            let made = dashboard
                .service
                .create_environment_state(&signed_in.caller, &client_key, request)
                .await;
            match made {
                Ok(_) => {
                    let said = format!("{identifier} has a value of their own now.");
                    return Ok(Notice::done(said).on(&frame.path, &dashboard, &signed_in));
                }
                Err(error) => state_form::problems(error)?
                    .under(&[("identity", "identifier"), ("name", "identifier")]),
            }
        }
    };
    let form = StateForm::of_fields(frame.feature(), frame.options(), &fields);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(identity_page(&frame, form, &problems, identifier, status))
}

/// `GET /environments/{client_key}/features/{feature_id}/identities?remove={identity_id}`: asks whether that is meant.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = frame(&dashboard, &signed_in, &client_key, feature_id).await?;
    let sent: Fields = sent.into_iter().collect();
    let Some(identity) = sent.parsed("remove").map(IdentityId::new) else {
        return Ok(crate::answer::see_other(&frame.path));
    };
    let (_, identifier) = value_of(&dashboard, &frame, identity).await?;
    let action = format!("{}/identities", frame.path);
    Ok(removal(&frame, &action, identity, &identifier).asked())
}

/// The value that an identity has of its own, and what the identity is called.
async fn value_of(
    dashboard: &Dashboard,
    frame: &Frame,
    identity: IdentityId,
) -> ServiceResult<(FeatureStateId, String)> {
    let (service, caller) = (&dashboard.service, &frame.shell.caller);
    let (identity, states) = service
        .identity_overrides(caller, &frame.client_key, identity)
        .await?;
    let mut states = states.iter();
    let state = states.find(|state| state.feature_id == frame.feature().id);
    let noun = Noun::FeatureState;
    let state = state.ok_or(ServiceError::NotFound { noun })?;
    Ok((state.id, identity.identifier.to_string()))
}

/// Whether the value of an identity is to go.
fn removal<'a>(
    frame: &'a Frame,
    action: &'a str,
    identity: IdentityId,
    identifier: &'a str,
) -> Question<'a> {
    Question {
        shell: &frame.shell,
        from: (&frame.path, frame.feature().name.as_str()),
        heading: format!("Remove the value of {identifier}"),
        text: "This identity gets what others get, at once.",
        name: identifier,
        button: "Remove the value",
        action,
        fields: vec![("remove", identity.get().to_string())],
    }
}

/// `POST /environments/{client_key}/features/{feature_id}/identities`: takes the value of one identity away.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = frame(&dashboard, &signed_in, &client_key, feature_id).await?;
    let identity = IdentityId::new(fields.parsed("remove").unwrap_or(0));
    let (state, identifier) = value_of(&dashboard, &frame, identity).await?;
    let action = format!("{}/identities", frame.path);
    removal(&frame, &action, identity, &identifier).answered(&fields)?;
    dashboard
        .service
        .delete_identity_override(&signed_in.caller, &client_key, identity, state)
        .await?;
    let said = "The value of this identity was taken away.";
    Ok(Notice::done(said).on(&frame.path, &dashboard, &signed_in))
}
