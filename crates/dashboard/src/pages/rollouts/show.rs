//! One rollout: how far it is, its plan, what happened to it, and what can be done with it.

use super::guards::GuardRow;
use super::words::{duration, event, next, progress, state, what};
use super::{list_path, rollout_path};
use crate::Dashboard;
use crate::answer::PageResult;
use crate::fields::Fields;
use crate::fragments::{Moment, Progress};
use crate::navigation::Section;
use crate::notices::Notice;
use crate::pages::features::feature_path;
use crate::pages::question::Question;
use crate::shell::{Place, Shell};
use crate::texts::sentence;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{
    EnvironmentPermission, Rollout, RolloutAction, RolloutEvent, RolloutId, RolloutState,
    RolloutStep,
};
use flagstaff_service::{Noun, RolloutView, ServiceError, ServiceResult};

#[derive(Template)]
#[template(path = "rollouts/show.html")]
struct RolloutPage<'a> {
    shell: &'a Shell,
    rollout: &'a Rollout,
    feature: String,
    feature_path: String,
    list_path: String,
    path: String,
    what: String,
    state: (&'static str, &'static str),
    progress: Progress,
    next: String,
    steps: Vec<StepRow>,
    events: Vec<EventRow>,
    guards: Vec<GuardRow>,
    may: Possible,
}

struct StepRow {
    percentage: String,
    starts: Option<Moment>,
    hold: String,
    needs_approval: bool,
    /// Passed, here, or to come.
    state: &'static str,
    class: &'static str,
}

struct EventRow {
    at: Moment,
    what: String,
    actor: String,
    is_system: bool,
    reason: Option<String>,
}

/// What the member can do with it now.
#[derive(Default)]
struct Possible {
    hold: bool,
    resume: bool,
    approve: bool,
    promote: bool,
    abort: bool,
    roll_back: bool,
}

impl Possible {
    fn of(shell: &Shell, rollout: &Rollout) -> Self {
        if !shell.may_in_environment(EnvironmentPermission::UpdateFeatureState) {
            return Self::default();
        }
        let may = |action| rollout.require(action).is_ok();
        Self {
            hold: may(RolloutAction::Hold),
            resume: may(RolloutAction::Resume),
            approve: rollout.waits_for_approval() && may(RolloutAction::Approve),
            promote: may(RolloutAction::Promote),
            abort: may(RolloutAction::Abort),
            // While it is live, aborting does the same.
            roll_back: rollout.state == RolloutState::Promoted && may(RolloutAction::RollBack),
        }
    }

    fn any(&self) -> bool {
        self.hold || self.resume || self.promote || self.abort || self.roll_back
    }
}

type Address = Path<(String, i64)>;

/// What stands around a rollout, and the rollout.
pub(super) async fn find(
    dashboard: &Dashboard,
    signed_in: &SignedIn,
    client_key: &str,
    id: i64,
) -> ServiceResult<(Shell, RolloutView)> {
    let place = Place::Environment(client_key);
    let shell = dashboard.shell(signed_in, place, Section::Rollouts).await?;
    let service = &dashboard.service;
    let view = service.rollout(&shell.caller, RolloutId::new(id)).await?;
    if view.rollout.environment_id != shell.environment()?.id {
        let noun = Noun::Rollout;
        return Err(ServiceError::NotFound { noun });
    }
    Ok((shell, view))
}

/// `GET /environments/{client_key}/rollouts/{rollout_id}`; `?ask=promote` asks whether that is meant.
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Address,
    Query(sent): Query<Vec<(String, String)>>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, view) = find(&dashboard, &signed_in, &client_key, id).await?;
    let path = rollout_path(&client_key, view.rollout.id);
    let sent: Fields = sent.into_iter().collect();
    if sent.has("ask") {
        return Ok(question(&shell, &path, &view, sent.text("ask")).asked());
    }
    let service = &dashboard.service;
    let events = service
        .rollout_events(&shell.caller, view.rollout.id)
        .await?;
    let guards = service.guards(&shell.caller, view.rollout.id).await?;
    let rollout = &view.rollout;
    let template = RolloutPage {
        feature: view.feature.to_string(),
        feature_path: feature_path(&client_key, rollout.feature_id),
        list_path: list_path(&client_key),
        what: what(&view),
        state: state(rollout),
        progress: progress(rollout),
        next: next(rollout, shell.now),
        steps: rollout
            .steps
            .iter()
            .enumerate()
            .map(|(position, step)| step_row(&shell, rollout, (position, step)))
            .collect(),
        guards: guards
            .into_iter()
            .map(|guard| GuardRow::new(&shell, &path, guard))
            .collect(),
        // What happened last stands first.
        events: events
            .into_iter()
            .rev()
            .map(|each| event_row(&shell, each))
            .collect(),
        may: Possible::of(&shell, rollout),
        shell: &shell,
        rollout,
        path,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

fn step_row(shell: &Shell, rollout: &Rollout, (position, step): (usize, &RolloutStep)) -> StepRow {
    let (state, class) = match rollout.step {
        _ if rollout.state == RolloutState::Promoted => ("passed", "good"),
        Some(here) if position < here => ("passed", "good"),
        Some(here) if position == here && rollout.state.is_live() => ("here", "accent"),
        Some(here) if position == here => ("reached", ""),
        Some(_) | None if rollout.state.is_live() => ("to come", ""),
        Some(_) | None => ("never", ""),
    };
    StepRow {
        percentage: step.percentage.to_string(),
        starts: step.starts_at.map(|at| Moment::new(at, shell.now)),
        hold: duration(step.hold_seconds),
        needs_approval: step.needs_approval,
        state,
        class,
    }
}

fn event_row(shell: &Shell, each: RolloutEvent) -> EventRow {
    EventRow {
        at: Moment::new(each.at, shell.now),
        what: event(&each),
        actor: each.actor,
        is_system: each.is_system,
        reason: each.reason,
    }
}

/// Whether a rollout is to end.
fn question<'a>(
    shell: &'a Shell,
    path: &'a str,
    view: &'a RolloutView,
    deed: &str,
) -> Question<'a> {
    let (action, heading, text, button) = match deed {
        "promote" => (
            "promote",
            "Promote",
            "Everybody gets it at once, for good: the feature itself says so from then on.",
            "Give it to everybody",
        ),
        "roll_back" => (
            "roll_back",
            "Roll back",
            "It is taken back from everybody: what the feature served before the rollout is served again.",
            "Roll it back",
        ),
        _ => (
            "abort",
            "Abort",
            "It is taken back from everybody who has it: what was served before is served again.",
            "Abort the rollout",
        ),
    };
    Question {
        shell,
        from: (path, "Rollout"),
        heading: format!("{heading} the rollout of {}", view.feature),
        text,
        name: view.feature.as_str(),
        button,
        action: path,
        fields: vec![("action", action.to_owned())],
    }
}

/// `POST /environments/{client_key}/rollouts/{rollout_id}`: does what the pressed button says.
pub(crate) async fn change(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Address,
    signed_in: SignedIn,
    fields: Fields,
) -> PageResult {
    let (shell, view) = find(&dashboard, &signed_in, &client_key, id).await?;
    let (path, action) = (
        rollout_path(&client_key, view.rollout.id),
        fields.text("action"),
    );
    if matches!(action, "promote" | "abort" | "roll_back") {
        question(&shell, &path, &view, action).answered(&fields)?;
    }
    let notice = match deed(&dashboard, &shell, view.rollout.id, &fields).await {
        Ok(view) => Notice::done(said(action, &view)),
        Err(error @ (ServiceError::Rollout(_) | ServiceError::Outdated { .. })) => {
            Notice::problem(sentence(&error))
        }
        Err(error @ ServiceError::Invalid { .. }) => Notice::problem(sentence(&error)),
        Err(error) => return Err(error.into()),
    };
    Ok(notice.on(&path, &dashboard, &signed_in))
}

async fn deed(
    dashboard: &Dashboard,
    shell: &Shell,
    id: RolloutId,
    fields: &Fields,
) -> ServiceResult<RolloutView> {
    let (service, caller) = (&dashboard.service, &shell.caller);
    let reason = fields.filled("reason").map(str::to_owned);
    match fields.text("action") {
        "hold" => service.hold_rollout(caller, id, reason).await,
        "resume" => service.resume_rollout(caller, id).await,
        "approve" => service.approve_rollout(caller, id).await,
        "promote" => service.promote_rollout(caller, id).await,
        "roll_back" => service.roll_back_rollout(caller, id, reason).await,
        "abort" => service.abort_rollout(caller, id, reason).await,
        // A button of no page of ours.
        _ => service.rollout(caller, id).await,
    }
}

fn said(action: &str, view: &RolloutView) -> String {
    let (feature, percentage) = (&view.feature, view.rollout.percentage);
    match action {
        "hold" => format!("The rollout of {feature} is held at {percentage} %."),
        "resume" => format!("The rollout of {feature} goes on."),
        "approve" => "The step is approved.".to_owned(),
        "promote" => format!("Everybody has {feature} now."),
        "roll_back" => format!("The rollout of {feature} is rolled back."),
        "abort" => format!("The rollout of {feature} is aborted."),
        _ => "Nothing was asked for.".to_owned(),
    }
}
