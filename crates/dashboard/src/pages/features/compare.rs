//! One feature in every environment, and carrying what it serves from one to another.

use super::frame::{Frame, Tab};
use super::value::{segment_name, weights};
use super::versions::whole;
use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fields::{FieldProblems, Fields};
use crate::fragments::{Line, Moment, difference};
use crate::notices::Notice;
use crate::shell::Shell;
use crate::values::{glance_of, text_of};
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_core::{Environment, EnvironmentPermission, FeatureState};
use flagstaff_service::{
    OverrideChange, Published, ServedChanges, ServedFeature, ServiceError, ServiceResult, WriteMode,
};
use serde::Deserialize;

/// The page with all environments.
#[derive(Template)]
#[template(path = "features/compare.html")]
struct ComparePage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    rows: Vec<EnvironmentRow>,
}

struct EnvironmentRow {
    name: String,
    path: String,
    is_here: bool,
    is_enabled: bool,
    value: String,
    weights: String,
    overrides: usize,
    changed: Moment,
    is_same: bool,
    stamp: String,
    /// Where what is here is carried there; `None` where the member may not.
    promote: Option<String>,
}

/// The page that shows what would change in the other environment.
#[derive(Template)]
#[template(path = "features/promote.html")]
struct PromotePage<'a> {
    shell: &'a Shell,
    frame: &'a Frame,
    target: String,
    target_key: String,
    action: String,
    before: ServedFeature,
    lines: Vec<Line>,
    before_weights: String,
    after_weights: String,
    overrides: Vec<OverrideLine>,
    with_overrides: bool,
    is_outdated: bool,
    problems: FieldProblems,
}

/// What becomes of the override for a segment.
struct OverrideLine {
    segment: String,
    what: &'static str,
    class: &'static str,
}

type Place = Path<(String, i64)>;

/// `GET /environments/{client_key}/features/{feature_id}/compare`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Compare)
        .await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let project = frame.shell.project()?.id;
    let mut rows = Vec::new();
    for environment in service.environments_of(caller, project).await? {
        let served = service
            .served_feature(caller, &environment.api_key, frame.feature().id)
            .await?;
        rows.push(row(&frame, &environment, &served));
    }
    let template = ComparePage {
        shell: &frame.shell,
        frame: &frame,
        rows,
    };
    Ok(frame.shell.page(StatusCode::OK, &template))
}

fn row(frame: &Frame, environment: &Environment, served: &ServedFeature) -> EnvironmentRow {
    let key = encoded(&environment.api_key);
    let is_here = *environment.api_key == *frame.client_key;
    let id = frame.feature().id.get();
    let may = frame.shell.project.as_ref().is_some_and(|project| {
        let changing = EnvironmentPermission::UpdateFeatureState;
        frame
            .shell
            .caller
            .may_in_environment(project, environment.id, changing)
    });
    EnvironmentRow {
        name: environment.name.clone(),
        path: format!("/environments/{key}/features/{id}"),
        is_enabled: served.default.enabled,
        value: glance_of(&served.default.value),
        weights: weights(frame, &served.default),
        overrides: served.overrides.len(),
        changed: Moment::new(served.default.updated_at, frame.shell.now),
        is_same: is_same(frame, served),
        stamp: served.stamp(),
        promote: (may && !is_here).then(|| format!("{}/promote?to={key}", frame.path)),
        is_here,
    }
}

/// True where everybody is served what they are served here.
fn is_same(frame: &Frame, other: &ServedFeature) -> bool {
    let alike = |a: &FeatureState, b: &FeatureState| {
        a.enabled == b.enabled
            && a.value.effective() == b.value.effective()
            && weights(frame, a) == weights(frame, b)
    };
    let here = &frame.served;
    let mut pairs = here.overrides.iter().zip(&other.overrides);
    alike(&here.default, &other.default)
        && here.overrides.len() == other.overrides.len()
        && pairs.all(|((one, a), (two, b))| one.segment_id == two.segment_id && alike(a, b))
}

/// Where to.
#[derive(Deserialize)]
pub(crate) struct Wish {
    to: String,
}

/// `GET /environments/{client_key}/features/{feature_id}/promote?to={other client key}`
pub(crate) async fn show_promotion(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    Query(wish): Query<Wish>,
    signed_in: SignedIn,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Compare)
        .await?;
    let status = StatusCode::OK;
    let question = (true, false, FieldProblems::default());
    Ok(promotion(&dashboard, &signed_in, &frame, &wish.to, question, status).await?)
}

/// `POST /environments/{client_key}/features/{feature_id}/promote`: with what was seen of the other environment.
pub(crate) async fn promote(
    State(dashboard): State<Dashboard>,
    Path((client_key, feature_id)): Place,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let frame = dashboard
        .feature_frame(&signed_in, &client_key, feature_id, Tab::Compare)
        .await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let to = fields.text("to");
    let target = service.environment(caller, to).await?;
    let with_overrides = fields.is_on("with_overrides");
    if fields.text("stamp") != frame.stamp() {
        let question = (with_overrides, true, FieldProblems::default());
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(promotion(&dashboard, &signed_in, &frame, to, question, status).await?);
    }
    let overrides = frame.served.overrides.iter().zip(0..);
    let changes = ServedChanges {
        default: Some(whole(frame.options(), &frame.served.default)),
        overrides: with_overrides.then(|| {
            overrides
                .map(|((link, state), priority)| OverrideChange {
                    segment_id: link.segment_id,
                    priority: Some(priority),
                    patch: whole(frame.options(), state),
                })
                .collect()
        }),
        seen: fields.filled("seen").map(str::to_owned),
    };
    let feature = frame.feature();
    // Overrides are named as a whole: those of the target that are not here go.
    let written = service
        .change_served_feature(caller, to, feature.id, changes, WriteMode::Replace)
        .await;
    match written {
        Ok(_) => {
            let here = frame.environment_name();
            let said = format!("{} is in {} as in {here} now.", feature.name, target.name);
            let path = format!("{}/compare", frame.path);
            Ok(Notice::done(said).on(&path, &dashboard, &signed_in))
        }
        Err(error) => {
            let is_outdated = matches!(error, ServiceError::Outdated { .. });
            let problems = if is_outdated {
                FieldProblems::default()
            } else {
                FieldProblems::from_refusal(error)?
            };
            let question = (with_overrides, is_outdated, problems);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(promotion(&dashboard, &signed_in, &frame, to, question, status).await?)
        }
    }
}

async fn promotion(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    frame: &Frame,
    to: &str,
    (with_overrides, is_outdated, problems): (bool, bool, FieldProblems),
    status: StatusCode,
) -> ServiceResult<Response> {
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let target = service.environment(caller, to).await?;
    let before = service
        .served_feature(caller, to, frame.feature().id)
        .await?;
    let published = service
        .environment_document(caller, &frame.client_key)
        .await?;
    let (old, new) = (&before.default, &frame.served.default);
    let template = PromotePage {
        lines: difference(&text_of(&old.value), &text_of(&new.value)),
        before_weights: weights(frame, old),
        after_weights: weights(frame, new),
        overrides: override_lines(frame, &before, &published),
        action: format!("{}/promote", frame.path),
        target: target.name,
        target_key: target.api_key.to_string(),
        shell: &frame.shell,
        with_overrides,
        is_outdated,
        problems,
        before,
        frame,
    };
    Ok(frame.shell.page(status, &template))
}

fn override_lines(
    frame: &Frame,
    before: &ServedFeature,
    published: &Published,
) -> Vec<OverrideLine> {
    let here = frame.served.overrides.iter();
    let mut lines: Vec<OverrideLine> = here
        .map(|(link, state)| {
            let mut there = before.overrides.iter();
            let old = there.find(|(other, _)| other.segment_id == link.segment_id);
            let (what, class) = match old {
                None => ("comes", "good"),
                Some((_, old))
                    if old.enabled == state.enabled
                        && old.value.effective() == state.value.effective()
                        && weights(frame, old) == weights(frame, state) =>
                {
                    ("stays", "")
                }
                Some(_) => ("changes", "warn"),
            };
            OverrideLine {
                segment: segment_name(published, link.segment_id),
                what,
                class,
            }
        })
        .collect();
    let gone = before.overrides.iter().filter(|(link, _)| {
        let mut here = frame.served.overrides.iter();
        !here.any(|(other, _)| other.segment_id == link.segment_id)
    });
    lines.extend(gone.map(|(link, _)| OverrideLine {
        segment: segment_name(published, link.segment_id),
        what: "goes",
        class: "danger",
    }));
    lines
}
