//! What a feature serves in an environment: its default, and who gets something else.

use super::frame::{Frame, Tab};
use super::state_form::{self, StateForm, value_after};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::{FieldProblems, Fields};
use crate::fragments::{Line, Moment, difference};
use crate::notices::Notice;
use crate::pages::rollouts::words::RolloutRow;
use crate::shell::Shell;
use crate::values::{glance_of, text_of};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use flagstaff_core::{FeatureState, SegmentId};
use flagstaff_service::{
    PageRequest, Published, RolloutQuery, ServedChanges, ServiceError, ServiceResult, StatePatch,
    WriteMode,
};

/// Identities with a value of their own that are shown.
const IDENTITIES: usize = 50;

/// The page.
#[derive(Template)]
#[template(path = "features/value.html")]
struct ValuePage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    form: StateForm,
    problems: &'a FieldProblems,
    /// What would change, before it does.
    review: Option<Review>,
    /// True where somebody else was faster.
    is_outdated: bool,
    changed: Moment,
    overrides: Vec<OverrideRow>,
    identities: Vec<IdentityRow>,
    more_identities: usize,
    /// The rollout that has not ended.
    rollout: Option<RolloutRow>,
    /// Of the snapshot that the identities are read from.
    revision: i64,
}

/// What a change would do.
pub(crate) struct Review {
    pub(crate) before_enabled: bool,
    pub(crate) after_enabled: bool,
    pub(crate) lines: Vec<Line>,
}

struct OverrideRow {
    segment_id: i64,
    segment: String,
    is_enabled: bool,
    value: String,
    weights: String,
    changed: Moment,
}

struct IdentityRow {
    identity_id: i64,
    identifier: String,
    is_enabled: bool,
    value: String,
}

/// `GET /environments/{client_key}/features/{feature_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let form = StateForm::of_state(frame.feature(), frame.options(), &frame.served.default);
    let content = Content {
        form,
        problems: FieldProblems::default(),
        review: None,
        is_outdated: false,
    };
    answer(&dashboard, &signed_in, &frame, content, StatusCode::OK).await
}

/// `POST /environments/{client_key}/features/{feature_id}`: changes the default, or shows what would change.
pub(crate) async fn submit(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Path<(String, i64)>,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Value)
        .await?;
    let (feature, options) = (frame.feature(), frame.options());
    let mut content = Content {
        form: StateForm::of_fields(feature, options, &fields),
        problems: FieldProblems::default(),
        review: None,
        is_outdated: false,
    };
    let before = &frame.served.default;
    let patch = match state_form::patch(feature, options, before, &fields) {
        Ok(patch) => patch,
        Err(problems) => {
            content.problems = problems;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return answer(&dashboard, &signed_in, &frame, content, status).await;
        }
    };
    content.review = Some(review(before, &patch));
    if fields.has("review") {
        return answer(&dashboard, &signed_in, &frame, content, StatusCode::OK).await;
    }
    let changes = ServedChanges {
        default: Some(patch),
        overrides: None,
        seen: fields.filled("seen").map(str::to_owned),
    };
    let written = dashboard
        .service
        .change_served_feature(
            &signed_in.caller,
            &client_key,
            feature.id,
            changes,
            WriteMode::Update,
        )
        .await;
    match written {
        Ok(_) => {
            let said = format!(
                "{} was saved in {}.",
                feature.name,
                frame.environment_name()
            );
            Ok(Notice::done(said).on(&frame.path, &dashboard, &signed_in))
        }
        Err(error) => {
            content.is_outdated = matches!(error, ServiceError::Outdated { .. });
            if !content.is_outdated {
                content.problems = state_form::problems(error)?;
                content.review = None;
            }
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            answer(&dashboard, &signed_in, &frame, content, status).await
        }
    }
}

/// What the page shows of the form.
struct Content {
    form: StateForm,
    problems: FieldProblems,
    review: Option<Review>,
    is_outdated: bool,
}

async fn answer(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    content: Content,
    status: StatusCode,
) -> PageResult {
    let published = dashboard
        .service
        .environment_document(&signed_in.caller, &frame.client_key)
        .await?;
    let (identities, more_identities) = identities(frame, &published);
    let query = RolloutQuery {
        client_key: Some(frame.client_key.clone()),
        feature: Some(frame.feature().id),
        live_only: true,
        ..RolloutQuery::default()
    };
    let live = dashboard
        .service
        .rollouts(&signed_in.caller, query, PageRequest::first())
        .await?;
    let live = live.items.into_iter().next();
    let template = ValuePage {
        overrides: overrides(frame, &published),
        changed: Moment::new(frame.served.default.updated_at, frame.shell.now),
        form: content.form,
        problems: &content.problems,
        review: content.review,
        is_outdated: content.is_outdated,
        identities,
        more_identities,
        revision: published.snapshot.revision,
        rollout: live.map(|view| RolloutRow::new(view, &frame.client_key, frame.shell.now)),
        shell: &frame.shell,
        frame,
    };
    Ok(frame.shell.page(status, &template))
}

pub(crate) fn review(before: &FeatureState, patch: &StatePatch) -> Review {
    let after = value_after(patch, &before.value);
    Review {
        before_enabled: before.enabled,
        after_enabled: patch.enabled.unwrap_or(before.enabled),
        lines: difference(&text_of(&before.value), &text_of(&after)),
    }
}

/// What people call a segment of the snapshot.
pub(crate) fn segment_name(published: &Published, id: SegmentId) -> String {
    let snapshot = &published.snapshot;
    let index = snapshot.segment_index_by_id(id);
    index.map_or_else(
        || format!("segment {}", id.get()),
        |index| snapshot.segments[index].segment.name.clone(),
    )
}

fn overrides(frame: &Frame, published: &Published) -> Vec<OverrideRow> {
    let rows = frame.served.overrides.iter();
    let row = |(link, state): &(flagstaff_core::FeatureSegment, FeatureState)| OverrideRow {
        segment_id: link.segment_id.get(),
        segment: segment_name(published, link.segment_id),
        is_enabled: state.enabled,
        value: glance_of(&state.value),
        weights: weights(frame, state),
        changed: Moment::new(state.updated_at, frame.shell.now),
    };
    rows.map(row).collect()
}

/// The weights of a state in words; empty for a feature without variants.
pub(crate) fn weights(frame: &Frame, state: &FeatureState) -> String {
    let parts = frame
        .options()
        .iter()
        .enumerate()
        .map(|(position, option)| {
            let label = state_form::variant_label(position, option);
            format!("{label} {} %", state.weight_of(option.id))
        });
    parts.collect::<Vec<_>>().join(", ")
}

fn identities(frame: &Frame, published: &Published) -> (Vec<IdentityRow>, usize) {
    let id = frame.feature().id;
    let mut rows = Vec::new();
    let mut count = 0;
    for identity in published.snapshot.identities.iter() {
        let mut states = identity.states.iter();
        let Some(state) = states.find(|state| state.feature_id == id) else {
            continue;
        };
        count += 1;
        if rows.len() < IDENTITIES {
            rows.push(IdentityRow {
                identity_id: identity.identity.id.get(),
                identifier: identity.identity.identifier.to_string(),
                is_enabled: state.enabled,
                value: glance_of(&state.value),
            });
        }
    }
    rows.sort_by(|a, b| a.identifier.cmp(&b.identifier));
    let more = count - rows.len();
    (rows, more)
}

/// Writes one change of what a feature serves, as the form saw it.
pub(crate) async fn write(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    changes: ServedChanges,
) -> ServiceResult<()> {
    dashboard
        .service
        .change_served_feature(
            &signed_in.caller,
            &frame.client_key,
            frame.feature().id,
            changes,
            WriteMode::Update,
        )
        .await
        .map(drop)
}
