//! What a rollout manages while it is under way is changed by nothing else.

use super::base::{BaseOwner, StateBefore};
use super::making::has_percentage;
use crate::Service;
use crate::environments::EnvironmentPlace;
use crate::error::{RolloutProblem, ServiceError, ServiceResult};
use flagstaff_core::{
    EnvironmentId, FeatureId, FeatureSegment, FeatureState, Rollout, RolloutId, Rule, SegmentId,
    StateOwner,
};

/// What the rollout of a feature in an environment manages, if one is under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct RolloutGuard {
    under_way: Option<UnderWay>,
}

#[derive(Debug, Clone)]
struct UnderWay {
    id: RolloutId,
    managed: Option<SegmentId>,
    inside: Option<SegmentId>,
    before: StateBefore,
}

impl RolloutGuard {
    fn of(rollout: Rollout) -> ServiceResult<Self> {
        let before = StateBefore::of(&rollout)?;
        let is_under_way = rollout.is_under_way();
        Ok(Self {
            under_way: before.filter(|_| is_under_way).map(|before| UnderWay {
                id: rollout.id,
                managed: rollout.managed_segment_id,
                inside: rollout.segment_id,
                before,
            }),
        })
    }

    /// True for the override of the rollout itself: nobody is to see it among those that can be changed.
    pub(crate) fn manages(&self, segment: SegmentId) -> bool {
        let under_way = self.under_way.as_ref();
        under_way.is_some_and(|rollout| rollout.managed == Some(segment))
    }

    /// Passes states that people may change.
    pub(crate) fn check_state(&self, owner: &StateOwner) -> ServiceResult<()> {
        match owner {
            StateOwner::Identity { .. } => Ok(()),
            StateOwner::Segment(link) => self.check_override(link.segment_id),
            StateOwner::Environment => match &self.under_way {
                Some(rollout) if rollout.before.owner != BaseOwner::Segment => {
                    Err(managed(rollout.id))
                }
                Some(_) | None => Ok(()),
            },
        }
    }

    /// Passes segments for which people may make, change and delete overrides.
    pub(crate) fn check_override(&self, segment: SegmentId) -> ServiceResult<()> {
        match &self.under_way {
            Some(rollout)
                if rollout.managed == Some(segment) || rollout.inside == Some(segment) =>
            {
                Err(managed(rollout.id))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Passes an order in which the override that the rollout begins from stands where it stood.
    pub(crate) fn check_order(
        &self,
        before: &[FeatureSegment],
        after: &[FeatureSegment],
    ) -> ServiceResult<()> {
        let Some(UnderWay {
            id,
            inside: Some(inside),
            ..
        }) = &self.under_way
        else {
            return Ok(());
        };
        let priority = |links: &[FeatureSegment]| {
            let mut links = links.iter();
            let link = links.find(|link| link.segment_id == *inside);
            link.and_then(|link| link.priority)
        };
        // Weaker is no harm: the rollout's own override stays before it.
        match (priority(before), priority(after)) {
            (Some(before), Some(after)) if after < before => Err(managed(*id)),
            _ => Ok(()),
        }
    }

    /// Passes the states of a version that keep what the rollout begins from.
    pub(crate) fn check_version(&self, states: &[FeatureState]) -> ServiceResult<()> {
        let Some(rollout) = &self.under_way else {
            return Ok(());
        };
        let of_inside = states.iter().find(|state| {
            matches!(&state.owner, StateOwner::Segment(link) if Some(link.segment_id) == rollout.inside)
        });
        let default = || {
            let mut states = states.iter();
            states.find(|state| state.owner == StateOwner::Environment)
        };
        let base = match (rollout.before.owner, of_inside) {
            (BaseOwner::Segment, found) => found,
            (BaseOwner::NewSegment, Some(_)) => None,
            (BaseOwner::NewSegment | BaseOwner::Environment, _) => default(),
        };
        match base {
            Some(state) if rollout.before.is_kept_by(state) => Ok(()),
            Some(_) | None => Err(managed(rollout.id)),
        }
    }
}

fn managed(rollout: RolloutId) -> ServiceError {
    ServiceError::Rollout(RolloutProblem::Managed(rollout))
}

impl Service {
    /// What a rollout manages of a feature in an environment. To be asked in the turn of a change.
    pub(crate) async fn rollout_guard(
        &self,
        environment: EnvironmentId,
        feature: FeatureId,
    ) -> ServiceResult<RolloutGuard> {
        match self.store().live_rollout(environment, feature).await? {
            Some(rollout) => RolloutGuard::of(rollout),
            None => Ok(RolloutGuard::default()),
        }
    }

    /// Passes segments that people may change: no rollout's own; and one that rollouts are inside of only if its new
    /// rules place nobody by a hash. To be asked in the turn of a change.
    pub(crate) async fn require_free_segment(
        &self,
        segment: SegmentId,
        rules: Option<&[Rule]>,
    ) -> ServiceResult<()> {
        for rollout in self.store().live_rollouts_with_segment(segment).await? {
            if rollout.managed_segment_id == Some(segment) {
                return Err(managed(rollout.id));
            }
            if rules.is_some_and(has_percentage) {
                let problem = RolloutProblem::PercentageInside(rollout.id);
                return Err(ServiceError::Rollout(problem));
            }
        }
        Ok(())
    }

    /// Passes segments that no live rollout needs. To be asked in the turn of a change.
    pub(crate) async fn require_unused_segment(&self, segment: SegmentId) -> ServiceResult<()> {
        let rollouts = self.store().live_rollouts_with_segment(segment).await?;
        match rollouts.first() {
            Some(rollout) => Err(managed(rollout.id)),
            None => Ok(()),
        }
    }

    /// Passes features without a live rollout. To be asked in the turn of a change.
    pub(crate) async fn require_no_rollout_of(&self, feature: FeatureId) -> ServiceResult<()> {
        let rollouts = self.store().live_rollouts_of(feature).await?;
        match rollouts.first() {
            Some(rollout) => Err(managed(rollout.id)),
            None => Ok(()),
        }
    }

    /// Passes environments without a live rollout. To be asked in the turn of a change.
    pub(crate) async fn require_no_rollout_in(
        &self,
        place: &EnvironmentPlace,
    ) -> ServiceResult<()> {
        let rollouts = self.store().live_rollouts_in(place.environment.id).await?;
        match rollouts.first() {
            Some(rollout) => Err(managed(rollout.id)),
            None => Ok(()),
        }
    }
}
