//! Values of a feature for segments.

use super::frame::{Frame, Tab};
use super::state_form::{self, StateForm};
use super::value::{segment_name, write};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::SegmentId;
use flagstaff_service::{
    OverrideChange, PageRequest, SegmentQuery, ServedChanges, ServiceResult, StatePatch,
};

/// The form of an override.
#[derive(Template)]
#[template(path = "features/override.html")]
pub(super) struct OverridePage<'a> {
    pub(super) shell: &'a Shell,
    pub(super) frame: &'a Frame,
    pub(super) form: StateForm,
    pub(super) problems: &'a FieldProblems,
    /// Where it is sent.
    pub(super) action: String,
    pub(super) kind: Kind,
    /// Segments to choose from; for a new one.
    pub(super) segments: Vec<(i64, String, bool)>,
    pub(super) identifier: String,
}

/// Whose override it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    NewSegment,
    Segment(String),
    NewIdentity,
}

/// `GET /environments/{client_key}/features/{feature_id}/overrides/new`
pub(crate) async fn show_new(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let form = StateForm::of_state(frame.feature(), frame.options(), &frame.served.default);
    let shown = (form, FieldProblems::default(), Fields::default());
    new_page(&dashboard, &signed_in, &frame, shown, StatusCode::OK).await
}

/// `POST /environments/{client_key}/features/{feature_id}/overrides/new`
pub(crate) async fn submit_new(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let problems = match fields.parsed("segment").map(SegmentId::new) {
        None => {
            let mut problems = FieldProblems::default();
            problems.add("segment", "Choose a segment.");
            problems
        }
        Some(segment) => {
            let patch = state_form::whole(frame.feature(), frame.options(), &fields);
            match save_override(&dashboard, &signed_in, &frame, segment, patch, None).await? {
                Ok(response) => return Ok(response),
                Err(problems) => problems,
            }
        }
    };
    let form = StateForm::of_fields(frame.feature(), frame.options(), &fields);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    new_page(
        &dashboard,
        &signed_in,
        &frame,
        (form, problems, fields),
        status,
    )
    .await
}

async fn new_page(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    (form, problems, sent): (StateForm, FieldProblems, Fields),
    status: StatusCode,
) -> PageResult {
    let project = frame.shell.project()?.id;
    let all = PageRequest::first();
    let known = dashboard
        .service
        .segments(&signed_in.caller, project, SegmentQuery::default(), all)
        .await?;
    let feature = frame.feature().id;
    let chosen: Option<i64> = sent.parsed("segment");
    let is_free = |id: SegmentId| {
        let mut taken = frame.served.overrides.iter();
        !taken.any(|(link, _)| link.segment_id == id)
    };
    let segments = known.items.into_iter().filter(|segment| {
        is_free(segment.id) && segment.feature_id.is_none_or(|owner| owner == feature)
    });
    let template = OverridePage {
        segments: segments
            .map(|segment| {
                let id = segment.id.get();
                (id, segment.name, chosen == Some(id))
            })
            .collect(),
        action: format!("{}/overrides/new", frame.path),
        kind: Kind::NewSegment,
        identifier: String::new(),
        problems: &problems,
        shell: &frame.shell,
        form,
        frame,
    };
    Ok(frame.shell.page(status, &template))
}

/// `GET /environments/{client_key}/features/{feature_id}/overrides/{segment_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id, segment_id)): Path<(String, i64, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let segment = SegmentId::new(segment_id);
    let state = override_of(&frame, segment)?;
    let form = StateForm::of_state(frame.feature(), frame.options(), state);
    let problems = FieldProblems::default();
    edit_page(
        &dashboard,
        &signed_in,
        &frame,
        segment,
        (form, &problems),
        StatusCode::OK,
    )
    .await
}

/// `POST /environments/{client_key}/features/{feature_id}/overrides/{segment_id}`
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id, segment_id)): Path<(String, i64, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let segment = SegmentId::new(segment_id);
    let before = override_of(&frame, segment)?;
    let patch = state_form::patch(frame.feature(), frame.options(), before, &fields);
    let seen = fields.filled("seen").map(str::to_owned);
    match save_override(&dashboard, &signed_in, &frame, segment, patch, seen).await? {
        Ok(response) => Ok(response),
        Err(problems) => {
            let form = StateForm::of_fields(frame.feature(), frame.options(), &fields);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let shown = (form, &problems);
            edit_page(&dashboard, &signed_in, &frame, segment, shown, status).await
        }
    }
}

fn override_of(frame: &Frame, segment: SegmentId) -> ServiceResult<&flagstaff_core::FeatureState> {
    let mut overrides = frame.served.overrides.iter();
    let found = overrides.find(|(link, _)| link.segment_id == segment);
    found
        .map(|(_, state)| state)
        .ok_or(flagstaff_service::ServiceError::NotFound {
            noun: flagstaff_service::Noun::FeatureSegment,
        })
}

async fn edit_page(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    segment: SegmentId,
    (form, problems): (StateForm, &FieldProblems),
    status: StatusCode,
) -> PageResult {
    let published = dashboard
        .service
        .environment_document(&signed_in.caller, &frame.client_key)
        .await?;
    let template = OverridePage {
        action: format!("{}/overrides/{}", frame.path, segment.get()),
        kind: Kind::Segment(segment_name(&published, segment)),
        segments: Vec::new(),
        identifier: String::new(),
        problems,
        shell: &frame.shell,
        form,
        frame,
    };
    Ok(frame.shell.page(status, &template))
}

async fn save_override(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    segment_id: SegmentId,
    patch: Result<StatePatch, FieldProblems>,
    seen: Option<String>,
) -> Result<Result<Response, FieldProblems>, crate::answer::Refused> {
    let patch = match patch {
        Ok(patch) => patch,
        Err(problems) => return Ok(Err(problems)),
    };
    let is_new = override_of(frame, segment_id).is_err();
    let count = i64::try_from(frame.served.overrides.len()).unwrap_or(i64::MAX);
    let change = OverrideChange {
        segment_id,
        priority: is_new.then_some(count),
        patch,
    };
    let changes = ServedChanges {
        default: None,
        overrides: Some(vec![change]),
        seen,
    };
    match write(dashboard, signed_in, frame, changes).await {
        Ok(()) => {
            let said = format!("The override of {} was saved.", frame.feature().name);
            Ok(Ok(Notice::done(said).on(&frame.path, dashboard, signed_in)))
        }
        Err(error) => Ok(Err(state_form::problems(error)?)),
    }
}

/// `POST /environments/{client_key}/features/{feature_id}/overrides`: moves an override up or down, takes it away, or puts all
/// of them into the order of the page.
pub(crate) async fn arrange(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    if let Some(segment) = fields.parsed("remove").map(SegmentId::new) {
        service
            .delete_served_override(caller, &client_key, frame.feature().id, segment)
            .await?;
        let said = "The override was taken away: its segment gets what everybody gets.";
        return Ok(Notice::done(said).on(&frame.path, &dashboard, &signed_in));
    }
    let mut order: Vec<SegmentId> = fields
        .all("order")
        .filter_map(|id| id.parse().ok().map(SegmentId::new))
        .collect();
    move_one(&mut order, &fields);
    let known = frame.served.overrides.iter();
    let known: Vec<SegmentId> = known.map(|(link, _)| link.segment_id).collect();
    let is_whole = order.len() == known.len() && known.iter().all(|id| order.contains(id));
    if !is_whole {
        let said = "Somebody else changed the overrides meanwhile. The order stays as it was.";
        return Ok(Notice::problem(said).on(&frame.path, &dashboard, &signed_in));
    }
    let place = |(segment_id, priority)| OverrideChange {
        segment_id,
        priority: Some(priority),
        patch: StatePatch::default(),
    };
    let changes = ServedChanges {
        default: None,
        overrides: Some(order.into_iter().zip(0..).map(place).collect()),
        seen: fields.filled("seen").map(str::to_owned),
    };
    let notice = match write(&dashboard, &signed_in, &frame, changes).await {
        Ok(()) => Notice::done("The order was saved: the first that fits counts."),
        Err(error) if error.is_failure() => return Err(error.into()),
        Err(error) => Notice::problem(crate::answer::sentence(&error)),
    };
    Ok(notice.on(&frame.path, &dashboard, &signed_in))
}

fn move_one(order: &mut [SegmentId], fields: &Fields) {
    let position = |name: &str| {
        let id: SegmentId = fields.parsed(name).map(SegmentId::new)?;
        order.iter().position(|each| *each == id)
    };
    let (up, down) = (position("up"), position("down"));
    if let Some(up) = up.filter(|up| *up > 0) {
        order.swap(up, up - 1);
    }
    if let Some(down) = down.filter(|down| down + 1 < order.len()) {
        order.swap(down, down + 1);
    }
}
