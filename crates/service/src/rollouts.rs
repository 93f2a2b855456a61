//! Rollouts: one option of a feature, or the feature itself, given to more and more people in an environment.
//!
//! A part of the people gets it by an override for a segment that belongs to the rollout; the default of the feature
//! stays as it was until the rollout is promoted. So taking it back means taking that override away.

mod actions;
mod apply;
mod base;
mod driving;
mod guarding;
mod making;
mod serving;
mod views;

pub(crate) use actions::Opened;
pub use apply::{Applied, ApplyMode, ApplyRequest};
pub use driving::DriveRequest;
pub(crate) use guarding::RolloutGuard;
pub use making::{RolloutPatch, RolloutRequest};
pub(crate) use views::variant_name;
pub use views::{RolloutQuery, RolloutView, VariantReference};

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, RolloutProblem, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{Feature, InvalidMove, Rollout, RolloutEventKind};
use flagstaff_store::{NewRolloutEvent, StoreError, Write};
use uuid::Uuid;

/// A change of a rollout under way: where it is, and what it is about.
pub(crate) struct RolloutTurn<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) place: &'a EnvironmentPlace,
    pub(crate) feature: &'a Feature,
}

impl Service {
    /// Writes a rollout as it is after a change, and the entry of its timeline.
    pub(crate) async fn write_rollout(
        &self,
        write: &mut Write,
        turn: &RolloutTurn<'_>,
        rollout: &mut Rollout,
        (kind, reason): (RolloutEventKind, Option<String>),
    ) -> ServiceResult<Told> {
        let now = self.clock().now();
        rollout.updated_at = now.after(rollout.updated_at);
        write
            .update_rollout(rollout)
            .await
            .map_err(|error| match error {
                // Another node was faster, or somebody else.
                StoreError::Conflict { noun } => ServiceError::Outdated { noun },
                other => other.into(),
            })?;
        let event = NewRolloutEvent {
            kind,
            actor: turn.caller.name().to_owned(),
            is_system: turn.caller.is_system(),
            reason,
        };
        write.insert_rollout_event(rollout, &event, now).await?;
        Ok(told(rollout, turn.feature, &event))
    }

    /// Ends a change that nobody sees in what is served.
    pub(crate) async fn finish_unseen(
        &self,
        write: Write,
        turn: &RolloutTurn<'_>,
        told: Told,
    ) -> ServiceResult<()> {
        let subject = turn.place.subject().unseen();
        self.finish(write, Some(turn.caller), subject, told).await?;
        self.rollouts_changed().notify_one();
        Ok(())
    }

    /// Ends a change of what is served.
    pub(crate) async fn finish_seen(
        &self,
        write: Write,
        turn: &RolloutTurn<'_>,
        told: Told,
    ) -> ServiceResult<()> {
        let subject = turn.place.subject();
        self.finish(write, Some(turn.caller), subject, told).await?;
        self.rollouts_changed().notify_one();
        Ok(())
    }
}

/// What the audit log says of a change of a rollout.
fn told(rollout: &Rollout, feature: &Feature, event: &NewRolloutEvent) -> Told {
    let done: fn(Noun, i64, Uuid) -> Told = match event.kind {
        RolloutEventKind::Created => Told::created,
        _ => Told::updated,
    };
    let (id, name, percentage) = (rollout.id, &feature.name, rollout.percentage);
    let mut summary = match event.kind {
        RolloutEventKind::Created => format!("Rollout {id} of feature '{name}' created"),
        RolloutEventKind::Edited => format!("Rollout {id} of feature '{name}' edited"),
        RolloutEventKind::Stepped => match rollout.step {
            Some(step) => format!(
                "Rollout {id} of feature '{name}' reached {percentage} %, step {} of {}",
                step + 1,
                rollout.steps.len()
            ),
            None => format!("Rollout {id} of feature '{name}' reached {percentage} %"),
        },
        RolloutEventKind::Held => {
            format!("Rollout {id} of feature '{name}' held at {percentage} %")
        }
        RolloutEventKind::Resumed => {
            format!("Rollout {id} of feature '{name}' resumed at {percentage} %")
        }
        RolloutEventKind::Approved => {
            format!("Rollout {id} of feature '{name}' approved at {percentage} %")
        }
        RolloutEventKind::Promoted => {
            format!("Rollout {id} of feature '{name}' promoted: {percentage} %")
        }
        RolloutEventKind::Aborted => {
            format!("Rollout {id} of feature '{name}' aborted: {percentage} %")
        }
        RolloutEventKind::RolledBack => {
            format!("Rollout {id} of feature '{name}' rolled back: {percentage} %")
        }
    };
    if let Some(reason) = &event.reason {
        summary.push_str(": ");
        summary.push_str(reason);
    }
    done(Noun::Rollout, rollout.id.get(), rollout.uuid)
        .saying(summary)
        .of_feature(feature.id)
}

/// A rollout cannot do what is asked.
pub(crate) fn cannot(rollout: &Rollout) -> impl Fn(InvalidMove) -> ServiceError {
    let rollout = rollout.id;
    move |problem| ServiceError::Rollout(RolloutProblem::Move { rollout, problem })
}
