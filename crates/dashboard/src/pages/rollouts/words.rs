//! What people call the states, stages and events of rollouts.

use super::rollout_path;
use crate::fragments::{Moment, Progress};
use flagstaff_core::{Rollout, RolloutEvent, RolloutEventKind, RolloutState, Timestamp};
use flagstaff_service::RolloutView;

/// A rollout as a row of a list.
pub(crate) struct RolloutRow {
    pub(crate) path: String,
    pub(crate) feature: String,
    /// What is raised, and for whom.
    pub(crate) what: String,
    pub(crate) state: &'static str,
    pub(crate) class: &'static str,
    pub(crate) percentage: String,
    pub(crate) progress: Progress,
    pub(crate) next: String,
    pub(crate) changed: Moment,
    /// Another one whenever anything of the row is.
    pub(crate) version: i64,
}

impl RolloutRow {
    pub(crate) fn new(view: RolloutView, client_key: &str, now: Timestamp) -> Self {
        let rollout = &view.rollout;
        let (state, class) = state(rollout);
        Self {
            path: rollout_path(client_key, rollout.id),
            what: what(&view),
            percentage: rollout.percentage.to_string(),
            progress: progress(rollout),
            next: next(rollout, now),
            changed: Moment::new(rollout.updated_at, now),
            version: rollout.updated_at.micros(),
            feature: view.feature.to_string(),
            state,
            class,
        }
    }
}

pub(crate) fn progress(rollout: &Rollout) -> Progress {
    let stages = rollout.steps.iter().map(|step| step.percentage);
    Progress::new(rollout.percentage, stages.collect())
}

/// Where it stands, and how that looks.
pub(crate) fn state(rollout: &Rollout) -> (&'static str, &'static str) {
    match rollout.state {
        RolloutState::Running if rollout.waits_for_approval() => ("Waits for approval", "warn"),
        RolloutState::Scheduled => ("Scheduled", ""),
        RolloutState::Running => ("Running", "accent"),
        RolloutState::Held => ("Held", "warn"),
        RolloutState::Promoted => ("Promoted", "good"),
        RolloutState::Aborted => ("Aborted", ""),
        RolloutState::RolledBack => ("Rolled back", "danger"),
    }
}

/// What is raised, and for whom.
pub(crate) fn what(view: &RolloutView) -> String {
    let what = match &view.variant {
        Some(variant) => format!("variant {variant}"),
        None => "switched on".to_owned(),
    };
    match &view.segment {
        Some(segment) => format!("{what}, within the segment {segment}"),
        None => what,
    }
}

/// What comes next, in a few words.
pub(crate) fn next(rollout: &Rollout, now: Timestamp) -> String {
    let when = |due| Moment::new(due, now).relative();
    let next = rollout.steps.get(rollout.step.map_or(0, |step| step + 1));
    match (rollout.state, rollout.due_at) {
        (RolloutState::Held, _) => "waits until somebody resumes it".to_owned(),
        (RolloutState::Promoted, _) => "everybody has it".to_owned(),
        (RolloutState::Aborted | RolloutState::RolledBack, _) => {
            "nobody has it any more".to_owned()
        }
        (RolloutState::Scheduled | RolloutState::Running, None) if rollout.waits_for_approval() => {
            "somebody has to approve".to_owned()
        }
        (RolloutState::Scheduled | RolloutState::Running, None) => match &rollout.driver {
            Some(driver) => format!("{driver} says how it goes on"),
            None => "somebody has to promote or abort it".to_owned(),
        },
        (RolloutState::Scheduled | RolloutState::Running, Some(due)) => match next {
            Some(next) => format!("{} % {}", next.percentage, when(due)),
            None => format!("for everybody, for good, {}", when(due)),
        },
    }
}

/// What happened, in a few words.
pub(crate) fn event(event: &RolloutEvent) -> String {
    let percentage = event.percentage;
    match (event.kind, event.step) {
        (RolloutEventKind::Created, _) => "Made".to_owned(),
        (RolloutEventKind::Edited, _) => "Plan changed".to_owned(),
        (RolloutEventKind::Stepped, Some(step)) => format!("Step {}: {percentage} %", step + 1),
        (RolloutEventKind::Stepped, None) => format!("{percentage} %"),
        (RolloutEventKind::Held, _) => format!("Held at {percentage} %"),
        (RolloutEventKind::Resumed, _) => "Resumed".to_owned(),
        (RolloutEventKind::Approved, _) => "Approved".to_owned(),
        (RolloutEventKind::Promoted, _) => "Promoted: everybody has it".to_owned(),
        (RolloutEventKind::Aborted, _) => "Aborted: as it was before".to_owned(),
        (RolloutEventKind::RolledBack, _) => "Rolled back: as it was before".to_owned(),
    }
}

/// A time span in the largest unit that says it whole.
pub(crate) fn duration(seconds: i64) -> String {
    for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "min")] {
        if seconds >= unit && seconds % unit == 0 {
            return format!("{} {name}", seconds / unit);
        }
    }
    format!("{seconds} s")
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn a_time_span_is_said_whole() {
        for (seconds, said) in [
            (0, "0 s"),
            (90, "90 s"),
            (120, "2 min"),
            (3_600, "1 h"),
            (5_400, "90 min"),
            (172_800, "2 d"),
        ] {
            assert_eq!(duration(seconds), said);
        }
    }
}
