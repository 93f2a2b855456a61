//! One change, from reading what is there to finding again what was written.

use crate::budget::Budget;
use crate::change::Change;
use crate::failure::{Doing, Failure};
use crate::flagsmith::{Api, Environment, Place};
use crate::log::Log;
use crate::memory::Memory;
use crate::mode::Mode;
use crate::plan::{Comparison, Target, state_to_json};
use crate::settings::Settings;
use crate::split;
use serde_json::Value as Json;
use std::time::Duration;
use tokio::time::Instant;

/// How long to wait before reading again what was written: behind some servers, copies of the database follow later.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(250),
    Duration::from_millis(1000),
];

/// What came of a change.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) what: What,
    /// What was there, as far as it is of interest here.
    pub(crate) from: Json,
    pub(crate) to: Json,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Written,
    /// Everything was so already.
    Unchanged,
    /// It is a dry run.
    Planned,
    /// Written, and the server does not say what is there now.
    Unverified,
}

impl What {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Unchanged => "unchanged",
            Self::Planned => "planned",
            Self::Unverified => "unverified",
        }
    }
}

/// Makes a change, and logs what came of it.
///
/// # Errors
/// Why it was not made.
pub(crate) async fn apply(
    settings: &Settings,
    change: &Change,
    budget: Budget,
    log: &Log,
) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let mode = settings.modes.of(&change.flag);
    let api = Api::new(settings, budget)?;
    let result =
        match tokio::time::timeout_at(budget.end(), in_mode(&api, settings, change, log)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::OutOfTime {
                doing: Doing::Nothing,
            }),
        };
    let (outcome, from, to) = match &result {
        Ok(outcome) => (
            outcome.what.word().to_owned(),
            outcome.from.clone(),
            outcome.to.clone(),
        ),
        Err(failure) => (format!("failed: {failure}"), Json::Null, Json::Null),
    };
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    log.info(
        "apply_flag",
        [
            ("flag", change.flag.clone().into()),
            ("environment", change.short_environment().into()),
            ("percentage", change.percentage.into()),
            ("disabled", change.disabled.into()),
            ("mode", mode.word().into()),
            ("from", from),
            ("to", to),
            ("attempts", api.attempts().into()),
            ("ms", milliseconds.into()),
            ("outcome", outcome.into()),
        ],
    );
    result
}

async fn in_mode(
    api: &Api,
    settings: &Settings,
    change: &Change,
    log: &Log,
) -> Result<Outcome, Failure> {
    let place = place(api, settings, change).await?;
    if place.feature.name != change.flag {
        log.warn(
            "name_differs",
            [
                ("asked", change.flag.clone().into()),
                ("found", place.feature.name.clone().into()),
            ],
        );
    }
    match settings.modes.of(&change.flag) {
        Mode::SegmentSplit { value } => {
            split::apply(api, settings, (change, &place), value.as_ref()).await
        }
        mode => default_state(api, settings, change, (&place, mode)).await,
    }
}

/// Where the change is to be made, once it may be made there.
///
/// # Errors
/// Where it may not.
pub(crate) async fn place(
    api: &Api,
    settings: &Settings,
    change: &Change,
) -> Result<Place, Failure> {
    // Side by side: a program that is started for each step should not wait twice.
    let (environment, feature) = tokio::join!(
        api.environment(&change.environment),
        api.feature(settings.project_id, &change.flag),
    );
    let environment = environment?;
    check(&environment, settings, change)?;
    Ok(Place {
        key: change.environment.clone(),
        environment,
        feature: feature?,
    })
}

fn check(environment: &Environment, settings: &Settings, change: &Change) -> Result<(), Failure> {
    let short = change.short_environment();
    let expected = settings.project_id;
    if let Some(project) = environment.project.filter(|project| *project != expected) {
        return Err(Failure::NotPossible(format!(
            "environment {short} belongs to project {project}, and FLAGSMITH_PROJECT_ID is {expected}: correct one of them"
        )));
    }
    if environment.minimum_change_request_approvals.is_some() {
        return Err(Failure::NotPossible(format!(
            "environment {short} requires approval of changes, and a rollout does not go around it: let Rollops drive another environment, or turn change requests off there"
        )));
    }
    Ok(())
}

async fn default_state(
    api: &Api,
    settings: &Settings,
    change: &Change,
    (place, mode): (&Place, &Mode),
) -> Result<Outcome, Failure> {
    let mut state = api.state(place).await?;
    let folder = settings.restore_folder.as_deref();
    let memory = folder.map(|folder| Memory::of(folder, change));
    let planned = Target::of(mode, change, &place.feature, &state)?;
    let kept = memory.as_ref().filter(|_| change.disabled);
    let target = match kept.and_then(Memory::before) {
        Some(before) => restored(planned, &before),
        None => planned,
    };
    let outcome = |what| Outcome {
        what,
        from: state_to_json(&state),
        to: target.to_json(),
    };
    if target.compare(&state) == Comparison::Same {
        return Ok(outcome(What::Unchanged));
    }
    if settings.dry_run {
        return Ok(outcome(What::Planned));
    }
    let mut done = outcome(What::Written);
    if let (Some(memory), false) = (&memory, change.disabled) {
        memory.keep(&state, &target)?;
    }
    let mut attempt = 0;
    while let Err(trouble) = api.write_state(place, &state, &target).await {
        trouble.wait(api.budget(), attempt).await?;
        attempt += 1;
        // It may have been done although the answer was lost; and a version published twice is one too many.
        state = api.state(place).await?;
        if target.compare(&state) == Comparison::Same {
            break;
        }
    }
    done.what = read_back(api, place, &target).await?;
    if let (Some(memory), true) = (&memory, change.disabled) {
        memory.forget();
    }
    Ok(done)
}

/// What a rollback writes where the time before is known: only what a step in this mode changes.
fn restored(planned: Target, before: &Target) -> Target {
    let old = |option: u64| {
        let mut weights = before.weights.iter().flatten();
        weights.find(|weight| weight.option == option)
    };
    let weights = planned.weights.map(|mut weights| {
        for weight in &mut weights {
            weight.percentage = old(weight.option).map_or(weight.percentage, |old| old.percentage);
        }
        weights
    });
    let value = planned
        .value
        .map(|value| before.value.clone().unwrap_or(value));
    Target {
        enabled: planned.enabled,
        value,
        weights,
    }
}

/// Reads what was written.
///
/// # Errors
/// [`Failure::Drifted`] where something else is there.
async fn read_back(api: &Api, place: &Place, target: &Target) -> Result<What, Failure> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let state = api.state(place).await?;
        match target.compare(&state) {
            Comparison::Same => return Ok(What::Written),
            Comparison::Unknown => return Ok(What::Unverified),
            Comparison::Different => {}
        }
        let Some(pause) = pauses.next() else {
            return Err(drifted(place, &target.to_json(), &state_to_json(&state)));
        };
        tokio::time::sleep(pause).await;
    }
}

/// What was written is not there.
pub(crate) fn drifted(place: &Place, written: &Json, found: &Json) -> Failure {
    Failure::Drifted(format!(
        "the flag `{}` was written as {written} and reads {found}: somebody else changes it too; look at its history, then apply again",
        place.feature.name
    ))
}
