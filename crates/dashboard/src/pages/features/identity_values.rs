//! Values of a feature for single identities.

use super::frame::{Frame, Tab};
use super::overrides::{Kind, OverridePage};
use super::state_form::{self, StateForm};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::visitor::SignedIn;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{FeatureId, FeatureStateId, IdentityId};
use flagstaff_service::{NewStateRequest, StateIdentity};

/// `GET /environments/{client_key}/features/{feature_id}/identities/new`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
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
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
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

/// `POST /environments/{client_key}/features/{feature_id}/identities`: takes the value of one identity away.
pub(crate) async fn remove(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let path = super::feature_path(&client_key, FeatureId::new(feature_id));
    let identity = fields.parsed("identity").map(IdentityId::new);
    let state = fields.parsed("state").map(FeatureStateId::new);
    if let (Some(identity), Some(state)) = (identity, state) {
        dashboard
            .service
            .delete_identity_override(&signed_in.caller, &client_key, identity, state)
            .await?;
    }
    let said = "The value of this identity was taken away.";
    Ok(Notice::done(said).on(&path, &dashboard, &signed_in))
}
