//! Versions of a feature, where an environment changes by them: what each changed, and going back to one.

use super::frame::{Frame, Tab};
use super::value::{segment_name, weights};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::Fields;
use crate::fragments::{Line, Moment, Pages, difference};
use crate::notices::Notice;
use crate::shell::Shell;
use crate::values::text_of;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{FeatureState, MemberId, MultivariateOption, StateOwner};
use flagstaff_service::{
    OverrideChange, PageRequest, Published, ServedChanges, ServiceError, ServiceResult, StatePatch,
    ValueChange, VersionFilter, VersionPlace, VersionView, WeightChange, WriteMode,
};
use serde::Deserialize;
use std::fmt::Write as _;
use uuid::Uuid;

/// Versions on a page.
const PAGE: u32 = 20;

/// The page.
#[derive(Template)]
#[template(path = "features/versions.html")]
struct VersionsPage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    rows: Vec<VersionRow>,
    pages: Pages,
    may_switch: bool,
}

struct VersionRow {
    uuid: String,
    description: String,
    state: &'static str,
    class: &'static str,
    by: String,
    at: Option<Moment>,
    is_current: bool,
    lines: Vec<Line>,
}

/// What the address says.
#[derive(Default, Deserialize)]
pub(crate) struct Wish {
    #[serde(default)]
    page: Option<u32>,
}

type Place = Path<(String, i64)>;

fn place_of(frame: &Frame) -> ServiceResult<VersionPlace> {
    Ok(VersionPlace {
        environment_id: frame.shell.environment()?.id,
        feature_id: frame.feature().id,
    })
}

/// `GET /environments/{client_key}/features/{feature_id}/versions`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    Query(wish): Query<Wish>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Versions)
        .await?;
    let here = wish.page.unwrap_or(1).max(1);
    let (rows, total) = if frame.has_versions {
        rows(&dashboard, &signed_in, &frame, here).await?
    } else {
        (Vec::new(), 0)
    };
    let path = format!("{}/versions", frame.path);
    let template = VersionsPage {
        pages: Pages::new(here, PAGE, total, |page| format!("{path}?page={page}")),
        may_switch: frame.shell.administers_environment(),
        shell: &frame.shell,
        frame: &frame,
        rows,
    };
    Ok(frame.shell.page(StatusCode::OK, &template))
}

async fn rows(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    here: u32,
) -> ServiceResult<(Vec<VersionRow>, i64)> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let place = place_of(frame)?;
    // The last one of a page is compared with the first of the next.
    let newest_first = PageRequest {
        page: here,
        size: PAGE,
    };
    let filter = VersionFilter::default();
    let found = service
        .feature_versions(caller, place, filter, newest_first)
        .await?;
    let organisation = frame.shell.project()?.organisation_id;
    let members = service.members_of(caller, organisation).await?;
    let name = |id: Option<MemberId>| {
        let mut members = members.iter();
        let found = members.find(|(member, _)| Some(member.id) == id);
        found.map_or_else(
            || "the server or a program".to_owned(),
            |(member, _)| member.email.clone(),
        )
    };
    let published = service
        .environment_document(caller, &frame.client_key)
        .await?;
    let mut texts = Vec::new();
    for view in &found.items {
        let uuid = view.version.uuid;
        let states = service.feature_version_states(caller, place, uuid).await?;
        texts.push(description(frame, &states, &published));
    }
    let mut is_current_known = here > 1;
    let mut rows = Vec::new();
    for (position, view) in found.items.iter().enumerate() {
        let before = texts.get(position + 1).map_or("", String::as_str);
        let is_current = view.is_live && !is_current_known;
        is_current_known |= view.is_live;
        rows.push(VersionRow {
            lines: difference(before, &texts[position]),
            by: name(view.version.published_by.or(view.version.created_by)),
            ..row(view, is_current, frame)
        });
    }
    Ok((rows, found.total))
}

fn row(view: &VersionView, is_current: bool, frame: &Frame) -> VersionRow {
    let version = &view.version;
    let (state, class) = match (version.is_published(), view.is_live, is_current) {
        (false, _, _) => ("Draft", ""),
        (true, false, _) => ("Planned", "warn"),
        (true, true, true) => ("Served now", "good"),
        (true, true, false) => ("Earlier", ""),
    };
    let at = version.live_from.or(version.published_at);
    VersionRow {
        uuid: version.uuid.to_string(),
        description: version.description.clone().unwrap_or_default(),
        at: at.map(|at| Moment::new(at, frame.shell.now)),
        by: String::new(),
        lines: Vec::new(),
        is_current,
        state,
        class,
    }
}

/// The states of a version as text, to be compared.
fn description(frame: &Frame, states: &[FeatureState], published: &Published) -> String {
    let mut text = String::new();
    for state in in_order(states) {
        let whose = match &state.owner {
            StateOwner::Environment => "everybody".to_owned(),
            StateOwner::Segment(link) => segment_name(published, link.segment_id),
            StateOwner::Identity { identifier, .. } => identifier.to_string(),
        };
        let on = if state.enabled { "on" } else { "off" };
        let _ = writeln!(text, "{whose}: {on}");
        for line in text_of(&state.value).lines() {
            let _ = writeln!(text, "{whose}: value {line}");
        }
        let weights = weights(frame, state);
        if !weights.is_empty() {
            let _ = writeln!(text, "{whose}: {weights}");
        }
    }
    text
}

/// The default first, then overrides as they count.
fn in_order(states: &[FeatureState]) -> Vec<&FeatureState> {
    let mut states: Vec<&FeatureState> = states.iter().collect();
    states.sort_by_key(|state| match &state.owner {
        StateOwner::Environment => (0, None),
        StateOwner::Segment(link) => (1, Some(link.priority.unwrap_or(i64::MAX))),
        StateOwner::Identity { .. } => (2, None),
    });
    states
}

/// `POST /environments/{client_key}/features/{feature_id}/versions`: goes back to a version, by a new one that is like it.
pub(crate) async fn restore(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Versions)
        .await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let path = format!("{}/versions", frame.path);
    let Some(uuid) = fields.parsed::<Uuid>("version") else {
        let notice = Notice::problem("There is no such version.");
        return Ok(notice.on(&path, &dashboard, &signed_in));
    };
    let place = place_of(&frame)?;
    let states = service.feature_version_states(caller, place, uuid).await?;
    let mut changes = ServedChanges {
        overrides: Some(Vec::new()),
        seen: fields.filled("seen").map(str::to_owned),
        ..ServedChanges::default()
    };
    for (state, priority) in in_order(&states).into_iter().zip(-1..) {
        match &state.owner {
            StateOwner::Environment => changes.default = Some(whole(frame.options(), state)),
            StateOwner::Segment(link) => {
                changes
                    .overrides
                    .get_or_insert_default()
                    .push(OverrideChange {
                        segment_id: link.segment_id,
                        priority: Some(priority),
                        patch: whole(frame.options(), state),
                    })
            }
            StateOwner::Identity { .. } => {}
        }
    }
    let feature = frame.feature();
    let written = service
        .change_served_feature(caller, &client_key, feature.id, changes, WriteMode::Replace)
        .await;
    let notice = match written {
        Ok(_) => Notice::done(format!("{} is as it was in that version.", feature.name)),
        Err(
            error @ (ServiceError::Outdated { .. }
            | ServiceError::Invalid { .. }
            | ServiceError::InvalidPart { .. }),
        ) => Notice::problem(crate::texts::sentence(&error)),
        Err(error) => return Err(error.into()),
    };
    Ok(notice.on(&path, &dashboard, &signed_in))
}

/// A state as a change that makes another one like it.
pub(crate) fn whole(options: &[MultivariateOption], state: &FeatureState) -> StatePatch {
    let weights = options.iter().map(|option| WeightChange {
        option_id: option.id,
        percentage_allocation: state.weight_of(option.id),
    });
    StatePatch {
        enabled: Some(state.enabled),
        value: Some(ValueChange::exactly(&state.value)),
        weights: (!options.is_empty()).then(|| weights.collect()),
    }
}

/// `POST /environments/{client_key}/features/{feature_id}/versions/begin`: lets the environment change by versions.
pub(crate) async fn begin(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
    _: Fields,
) -> PageResult {
    dashboard
        .service
        .enable_versions(&signed_in.caller, &client_key)
        .await?;
    let feature = flagstaff_core::FeatureId::new(feature_id);
    let path = format!("{}/versions", super::feature_path(&client_key, feature));
    let notice = Notice::done("From now on every change here is a version.");
    Ok(notice.on(&path, &dashboard, &signed_in))
}
