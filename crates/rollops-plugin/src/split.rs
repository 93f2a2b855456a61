//! The mode `segment-split`: a flag that is on for a share of all identities.
//!
//! The flag itself is off. A segment that belongs to the rollout holds the share, and an override turns the flag on for
//! those in it; a step changes nothing but the segment, a rollback nothing but the override. Writes come in an order in
//! which nobody has the flag who is not meant to: the share first, while nothing hangs on it, then the override.

use crate::apply::{Outcome, What, drifted};
use crate::change::Change;
use crate::failure::Failure;
use crate::flagsmith::{Api, Override, Place, Split, State, Wanted, WriteTrouble};
use crate::mode::Mode;
use crate::plan::{Comparison, Target};
use crate::settings::Settings;
use serde_json::{Value as Json, json};

/// Three writes, each three times, and looks in between: who needs more goes in circles with somebody.
const ROUNDS: u32 = 10;

/// What there is.
struct Seen {
    split: Option<Split>,
    found: Option<Override>,
    state: State,
}

/// What there has to be.
struct Goal<'a> {
    /// The name of the segment.
    name: String,
    percentage: String,
    on: bool,
    base: Target,
    value: Option<&'a Json>,
}

/// The next thing to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    CreateSegment,
    MoveSegment,
    WriteOverride,
    WriteBase,
}

/// Makes a change in this mode.
///
/// # Errors
/// Why it was not made.
pub(crate) async fn apply(
    api: &Api,
    settings: &Settings,
    (change, place): (&Change, &Place),
    value: Option<&Json>,
) -> Result<Outcome, Failure> {
    let mut seen = see(api, settings, place).await?;
    let mode = Mode::SegmentSplit { value: None };
    let goal = Goal {
        name: name(place)?,
        percentage: change.percentage.to_string(),
        on: !change.disabled && change.percentage > 0,
        base: Target::of(&mode, change, &place.feature, &seen.state)?,
        value,
    };
    let outcome = |what, from| Outcome {
        what,
        from,
        to: json!({ "on": goal.on, "percentage": goal.percentage }),
    };
    let from = seen.to_json();
    let (mut attempt, mut last) = (0, None);
    for _ in 0..ROUNDS {
        let Some(step) = goal.next(&seen, place) else {
            let what = last.map_or(What::Unchanged, |_| What::Written);
            return Ok(outcome(what, from));
        };
        if settings.dry_run {
            return Ok(outcome(What::Planned, from));
        }
        // The same step again, though it was done: what is read is not what was written.
        if last == Some(step) && attempt == 0 {
            attempt += 1;
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        } else {
            match goal.write(api, settings, (place, &seen), step).await {
                Ok(()) => (attempt, last) = (0, Some(step)),
                Err(trouble) => {
                    trouble.wait(api.budget(), attempt).await?;
                    attempt += 1;
                }
            }
        }
        seen = see(api, settings, place).await?;
    }
    Err(drifted(
        place,
        &outcome(What::Written, Json::Null).to,
        &seen.to_json(),
    ))
}

async fn see(api: &Api, settings: &Settings, place: &Place) -> Result<Seen, Failure> {
    let name = name(place)?;
    let (split, state) = tokio::join!(api.split(settings.project_id, &name), api.state(place));
    let (split, state) = (split?, state?);
    let found = match &split {
        Some(split) => api.segment_override(place, split.id).await?,
        None => None,
    };
    Ok(Seen {
        split,
        found,
        state,
    })
}

/// A segment belongs to a project, and a rollout to an environment: its number tells two rollouts of a flag apart, and
/// stays when the environment is renamed.
fn name(place: &Place) -> Result<String, Failure> {
    let number = place.environment.number()?;
    Ok(format!("rollops-{}-{number}", place.feature.name))
}

impl Goal<'_> {
    fn next(&self, seen: &Seen, place: &Place) -> Option<Step> {
        let is_off = self.base.compare(&seen.state) == Comparison::Same;
        let is_on = seen.found.as_ref().map(|found| found.enabled);
        if self.on {
            match &seen.split {
                None => return Some(Step::CreateSegment),
                Some(split) if !same_number(&split.percentage, &self.percentage) => {
                    return Some(Step::MoveSegment);
                }
                Some(_) => {}
            }
            if is_on != Some(true) {
                return Some(Step::WriteOverride);
            }
        } else if is_on == Some(true) {
            return Some(Step::WriteOverride);
        }
        // With versions, both are written in one.
        let with_override = place.has_versions() && seen.split.is_some() && self.on;
        match (is_off, with_override) {
            (true, _) => None,
            (false, true) => Some(Step::WriteOverride),
            (false, false) => Some(Step::WriteBase),
        }
    }

    async fn write(
        &self,
        api: &Api,
        settings: &Settings,
        (place, seen): (&Place, &Seen),
        step: Step,
    ) -> Result<(), WriteTrouble> {
        let project = settings.project_id;
        match (step, &seen.split) {
            (Step::CreateSegment, _) | (Step::MoveSegment | Step::WriteOverride, None) => {
                let named = (self.name.as_str(), self.percentage.as_str());
                api.create_split(project, &place.feature, named).await
            }
            (Step::MoveSegment, Some(split)) => {
                api.update_split(project, split, &self.percentage).await
            }
            (Step::WriteOverride, Some(split)) => {
                let own = seen.state.feature_state_value.as_ref();
                let wanted = Wanted {
                    enabled: self.on,
                    value: self.value.or(own).unwrap_or(&Json::Null),
                    base: (&seen.state, &self.base),
                };
                let found = seen.found.as_ref();
                api.write_override(place, split.id, found, &wanted).await
            }
            (Step::WriteBase, _) => api.write_state(place, &seen.state, &self.base).await,
        }
    }
}

fn same_number(one: &str, other: &str) -> bool {
    match (one.trim().parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => (one - other).abs() < 1e-6,
        _ => false,
    }
}

impl Seen {
    fn to_json(&self) -> Json {
        json!({
            "on": self.found.as_ref().is_some_and(|found| found.enabled),
            "percentage": self.split.as_ref().map(|split| &split.percentage),
            "enabled": self.state.enabled,
        })
    }
}
