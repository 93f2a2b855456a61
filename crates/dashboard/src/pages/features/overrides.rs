//! Values of a feature for segments.

use super::frame::{Frame, Tab};
use super::state_form::{self, StateForm};
use super::value::{Review, review, segment_name, write};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::notices::Notice;
use crate::pages::question::Question;
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::SegmentId;
use flagstaff_service::{
    Noun, OverrideChange, PageRequest, SegmentQuery, ServedChanges, ServiceError, ServiceResult,
    StatePatch,
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
    /// What the override is now and what was typed, where somebody else was faster.
    pub(super) conflict: Option<Review>,
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
                Err(problems) => problems.unwrap_or_default(),
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
        conflict: None,
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
    let shown = (form, FieldProblems::default(), None);
    edit_page(&dashboard, &frame, segment, shown, StatusCode::OK).await
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
    let conflict = patch.as_ref().ok().map(|patch| review(before, patch));
    let seen = fields.filled("seen").map(str::to_owned);
    match save_override(&dashboard, &signed_in, &frame, segment, patch, seen).await? {
        Ok(response) => Ok(response),
        Err(problems) => {
            let form = StateForm::of_fields(frame.feature(), frame.options(), &fields);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let shown = match problems {
                Some(problems) => (form, problems, None),
                None => (form, FieldProblems::default(), conflict),
            };
            edit_page(&dashboard, &frame, segment, shown, status).await
        }
    }
}

fn override_of(frame: &Frame, segment: SegmentId) -> ServiceResult<&flagstaff_core::FeatureState> {
    let mut overrides = frame.served.overrides.iter();
    let found = overrides.find(|(link, _)| link.segment_id == segment);
    found.map(|(_, state)| state).ok_or(ServiceError::NotFound {
        noun: Noun::FeatureSegment,
    })
}

async fn edit_page(
    dashboard: &Dashboard,
    frame: &Frame,
    segment: SegmentId,
    (form, problems, conflict): (StateForm, FieldProblems, Option<Review>),
    status: StatusCode,
) -> PageResult {
    let name = name_of(dashboard, frame, segment).await?;
    let template = OverridePage {
        action: format!("{}/overrides/{}", frame.path, segment.get()),
        kind: Kind::Segment(name),
        segments: Vec::new(),
        identifier: String::new(),
        conflict,
        problems: &problems,
        shell: &frame.shell,
        form,
        frame,
    };
    Ok(frame.shell.page(status, &template))
}

/// Saves an override; else what is wrong with the fields, or nothing where somebody else was faster.
async fn save_override(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    segment_id: SegmentId,
    patch: Result<StatePatch, FieldProblems>,
    seen: Option<String>,
) -> Result<Result<Response, Option<FieldProblems>>, crate::answer::Refused> {
    let patch = match patch {
        Ok(patch) => patch,
        Err(problems) => return Ok(Err(Some(problems))),
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
        Err(ServiceError::Outdated { .. }) => Ok(Err(None)),
        Err(error) => Ok(Err(Some(state_form::problems(error)?))),
    }
}

/// `GET /environments/{client_key}/features/{feature_id}/overrides?remove={segment_id}`: asks whether that is meant.
pub(crate) async fn ask(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let sent: Fields = sent.into_iter().collect();
    let Some(segment) = sent.parsed("remove").map(SegmentId::new) else {
        return Ok(crate::answer::see_other(&frame.path));
    };
    let name = name_of(&dashboard, &frame, segment).await?;
    let action = format!("{}/overrides", frame.path);
    Ok(removal(&frame, &action, segment, &name).asked())
}

/// What the segment of an override is called.
async fn name_of(
    dashboard: &Dashboard,
    frame: &Frame,
    segment: SegmentId,
) -> ServiceResult<String> {
    override_of(frame, segment)?;
    let service = &dashboard.service;
    let published = service
        .environment_document(&frame.shell.caller, &frame.client_key)
        .await?;
    Ok(segment_name(&published, segment))
}

/// Whether the override for a segment is to go.
fn removal<'a>(
    frame: &'a Frame,
    action: &'a str,
    segment: SegmentId,
    name: &'a str,
) -> Question<'a> {
    Question {
        shell: &frame.shell,
        from: (&frame.path, frame.feature().name.as_str()),
        heading: format!("Remove the override for {name}"),
        text: "Whoever is in this segment gets what everybody gets, at once.",
        name,
        button: "Remove the override",
        action,
        fields: vec![("remove", segment.get().to_string())],
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
        let name = name_of(&dashboard, &frame, segment).await?;
        let action = format!("{}/overrides", frame.path);
        removal(&frame, &action, segment, &name).answered(&fields)?;
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
        Err(error) => Notice::problem(crate::texts::sentence(&error)),
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
