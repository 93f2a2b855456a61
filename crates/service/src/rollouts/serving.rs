//! What a rollout serves: its override, and in the end the state of the feature itself.

use super::RolloutTurn;
use super::base::{Base, BaseOwner, StateBefore, same};
use super::making::managed_rules;
use crate::Service;
use crate::change::Told;
use crate::error::{Noun, RolloutProblem, ServiceError, ServiceResult};
use crate::feature_states::{StatePatch, ValueChange};
use crate::live_changes::LiveEdit;
use crate::segment_overrides::SegmentOverrideRequest;
use crate::version_edits::StateEdit;
use crate::weights::WeightChange;
use flagstaff_core::{OptionId, Rollout, SegmentId};
use flagstaff_store::{NewFeatureSegment, NewFeatureState, NewStateOwner, NewWeight, Write};
use uuid::Uuid;

/// The priority of what a rollout serves: behind all that people wrote, for those hold beside the default too.
const LAST: i64 = 1_000_000_000;

impl Service {
    /// Gives the feature to as many as the rollout says. What they have is what they had, but on, and the option that is
    /// raised.
    pub(crate) async fn serve_share(
        &self,
        write: &mut Write,
        turn: &RolloutTurn<'_>,
        rollout: &mut Rollout,
        base: &Base,
    ) -> ServiceResult<()> {
        let managed = managed_segment(rollout)?;
        let already = match StateBefore::of(rollout)? {
            Some(before) => before.already,
            None => {
                let before = base.remembered(rollout.option_id);
                rollout.state_before = Some(before.to_text()?);
                before.already
            }
        };
        let percent = rollout.percentage.percent_beside(already);
        let now = self.clock().now();
        if percent <= 0.0 {
            if let Some(link) = &base.managed {
                write.delete_feature_segment(link.id, now).await?;
            }
            return Ok(());
        }
        let rules = managed_rules(rollout.segment_id, percent);
        write.replace_rules(managed, &rules).await?;
        if base.managed.is_some() {
            return Ok(());
        }
        let (feature, environment) = (turn.feature, &turn.place.environment);
        // Before the override that the rollout begins from, which is the strongest of what it may replace.
        let before_base = base.link().and_then(|link| link.priority);
        let link = NewFeatureSegment {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            segment_id: managed,
            environment_id: environment.id,
            priority: Some(before_base.map_or(LAST, |priority| priority.saturating_sub(1))),
        };
        let link = write.insert_feature_segment(&link, now).await?;
        let options = self.store().options(feature.id).await?;
        let options: Vec<OptionId> = options.iter().map(|option| option.id).collect();
        let weights = whole(&options, rollout.option_id).into_iter();
        let state = NewFeatureState {
            uuid: Uuid::new_v4(),
            feature_id: feature.id,
            environment_id: environment.id,
            owner: NewStateOwner::Segment(link.id),
            version: 1,
            enabled: true,
            value: base.state.value.clone(),
            hash_seed: None,
            weights: weights
                .map(|weight| NewWeight::from((weight.option_id, weight.percentage_allocation)))
                .collect(),
            // What is as old as the environment's last change is served, however far a clock is behind.
            live_from: self.now_in(turn.place),
        };
        write.insert_feature_state(&state, now).await?;
        Ok(())
    }

    /// Takes away all that the rollout serves: what was before is served again.
    pub(crate) async fn remove_share(
        &self,
        write: &mut Write,
        rollout: &Rollout,
    ) -> ServiceResult<()> {
        let managed = managed_segment(rollout)?;
        // With its override, wherever there is one.
        write.delete_segment(managed, self.clock().now()).await?;
        Ok(())
    }

    /// Writes into the state of the feature itself what a rollout gave to a part: the whole now has it.
    pub(crate) async fn write_promoted<'a>(
        &'a self,
        turn: &RolloutTurn<'a>,
        write: Write,
        rollout: &Rollout,
        base: &Base,
    ) -> ServiceResult<LiveEdit<'a>> {
        let mut live = self
            .begin_live_edit(turn.caller, write, (turn.place, turn.feature))
            .await?;
        let edit = live.states();
        edit.leave_unguarded();
        let options = self.store().options(turn.feature.id).await?;
        let options: Vec<OptionId> = options.iter().map(|option| option.id).collect();
        let weights = whole(&options, rollout.option_id);
        let patch = StatePatch {
            enabled: Some(true),
            value: None,
            weights: Some(weights.clone()),
        };
        match (rollout.segment_id, base.owner) {
            (Some(segment), BaseOwner::Segment) => {
                let (state, _) = edit.override_for(segment).ok_or_else(missing)?;
                edit.change(state, patch).await?;
            }
            (Some(segment), BaseOwner::Environment | BaseOwner::NewSegment) => {
                let request = SegmentOverrideRequest {
                    segment_id: segment,
                    priority: None,
                    enabled: true,
                    value: ValueChange::exactly(&base.state.value),
                    weights,
                };
                edit.insert_override(request).await?;
            }
            (None, _) => {
                edit.change(edit.default_state()?, patch).await?;
            }
        }
        Ok(live)
    }

    /// Brings back the state that a promoted rollout began from.
    pub(crate) async fn write_restored<'a>(
        &'a self,
        turn: &RolloutTurn<'a>,
        write: Write,
        rollout: &Rollout,
        before: &StateBefore,
    ) -> ServiceResult<LiveEdit<'a>> {
        let mut live = self
            .begin_live_edit(turn.caller, write, (turn.place, turn.feature))
            .await?;
        let edit = live.states();
        let state = match (rollout.segment_id, before.owner) {
            (Some(segment), BaseOwner::Segment | BaseOwner::NewSegment) => {
                edit.override_for(segment).map(|(state, _)| state)
            }
            (_, _) => edit.default_state().ok(),
        };
        let changed = || ServiceError::Rollout(RolloutProblem::ChangedSince(rollout.id));
        let state = state.ok_or_else(changed)?;
        let expected = |option| match rollout.option_id {
            Some(raised) if raised == option => 100.0,
            Some(_) | None => 0.0,
        };
        let mut weights = state.weights.iter();
        let is_as_promoted = state.enabled
            && state.value == before.value()
            && weights.all(|weight| same(weight.percentage_allocation, expected(weight.option_id)));
        if !is_as_promoted {
            return Err(changed());
        }
        match (rollout.segment_id, before.owner) {
            (Some(segment), BaseOwner::NewSegment) => {
                edit.delete_override(segment).await?;
            }
            (_, _) => {
                edit.change(state, before.patch()).await?;
            }
        }
        Ok(live)
    }

    /// Ends a change of the feature's own state: all of it becomes true at once.
    pub(crate) async fn finish_live(
        &self,
        turn: &RolloutTurn<'_>,
        live: LiveEdit<'_>,
        told: Told,
    ) -> ServiceResult<()> {
        let place = (turn.place, turn.feature);
        self.finish_live_edit_telling(turn.caller, place, live, vec![told])
            .await?;
        self.rollouts_changed().notify_one();
        Ok(())
    }
}

/// All of one option, and nothing of the others.
fn whole(options: &[OptionId], raised: Option<OptionId>) -> Vec<WeightChange> {
    let weight = |option: &OptionId| WeightChange {
        option_id: *option,
        percentage_allocation: if Some(*option) == raised { 100.0 } else { 0.0 },
    };
    options.iter().map(weight).collect()
}

pub(crate) fn managed_segment(rollout: &Rollout) -> ServiceResult<SegmentId> {
    rollout.managed_segment_id.ok_or(ServiceError::NotFound {
        noun: Noun::Segment,
    })
}

fn missing() -> ServiceError {
    ServiceError::NotFound {
        noun: Noun::FeatureState,
    }
}

impl StateEdit<'_> {
    /// A rollout changes what it manages.
    pub(crate) fn leave_unguarded(&mut self) {
        self.guard = super::RolloutGuard::default();
    }
}
