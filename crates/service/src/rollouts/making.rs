//! Making rollouts, and changing their plans before they begin.

use super::base::Base;
use super::views::named_option;
use super::{RolloutTurn, RolloutView, VariantReference, cannot};
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, RolloutFault, RolloutProblem, ServiceError, ServiceResult};
use crate::flag_writes::FeatureReference;
use crate::segments::SEGMENT_LIMIT;
use crate::served_features::require_no_change_request;
use crate::text_rules::check_optional;
use crate::{Caller, Service};
use flagstaff_core::rollout::check_plan;
use flagstaff_core::{
    Condition, EnvironmentPermission, Feature, FeatureKind, FeatureName, IN_SEGMENT, OptionId,
    Rollout, RolloutAction, RolloutEventKind, RolloutId, RolloutStep, Rule, RuleKind, SegmentId,
};
use flagstaff_store::{NewRollout, NewSegment, Write};
use tracing::warn;
use uuid::Uuid;

/// Characters of a description.
const DESCRIPTION_LIMIT: usize = 2_000;
/// What identities are placed by in a rollout is this and its row id: row ids of states and segments, which others are
/// placed by, stay far below.
const FIRST_HASH_KEY: i64 = 1_000_000_000;

/// A rollout to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct RolloutRequest {
    /// The feature.
    pub feature: FeatureReference,
    /// The option that is raised: needed for a feature that has options, and for no other.
    pub variant: Option<VariantReference>,
    /// Whom a part of it is given to; `None`: everybody.
    pub segment_id: Option<SegmentId>,
    /// Up to 2,000 characters.
    pub description: Option<String>,
    /// The plan.
    pub steps: Vec<RolloutStep>,
}

/// What of a rollout a person may change before its first step; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RolloutPatch {
    /// Up to 2,000 characters; `Some(None)` takes it away.
    pub description: Option<Option<String>>,
    /// Another plan.
    pub steps: Option<Vec<RolloutStep>>,
}

/// What a rollout is to be of.
pub(crate) struct Aim {
    pub(crate) feature: Feature,
    pub(crate) option: Option<OptionId>,
    pub(crate) segment: Option<SegmentId>,
}

impl Service {
    /// Makes a rollout. Its first step is taken before this returns, unless it is to start later.
    ///
    /// # Errors
    /// As [`Service::environment`], [`ServiceError::Forbidden`] unless the caller may change feature states;
    /// [`ServiceError::ChangeRequestNeeded`]; an unknown feature, option or segment; a plan that cannot be carried out;
    /// a feature that everybody has already; another live rollout of it in the environment.
    pub async fn create_rollout(
        &self,
        caller: &Caller,
        client_key: &str,
        request: RolloutRequest,
    ) -> ServiceResult<RolloutView> {
        check_steps(&request.steps)?;
        check_optional(
            "description",
            request.description.as_deref(),
            DESCRIPTION_LIMIT,
        )?;
        let changing = EnvironmentPermission::UpdateFeatureState;
        let place = self.environment_for(caller, client_key, changing).await?;
        let named = (&request.feature, request.variant.as_ref());
        let aim = self.aim(&place, named, request.segment_id).await?;
        let now = self.clock().now();
        let first = request.steps.first().and_then(|step| step.starts_at);
        let new = NewRollout {
            uuid: Uuid::new_v4(),
            project_id: place.project.id,
            environment_id: place.environment.id,
            feature_id: aim.feature.id,
            option_id: aim.option,
            segment_id: aim.segment,
            description: request.description,
            driver: None,
            due_at: Some(first.map_or(now, |first| first.max(now))),
            steps: request.steps,
            created_by: caller.name().to_owned(),
        };
        let id = self.insert_rollout(caller, &place, &aim, new).await?;
        // What goes wrong here is tried again by whoever carries plans out.
        if let Err(problem) = self.advance_rollout(id).await {
            warn!(rollout.id = id.get(), %problem, "the first step of a rollout has to wait");
        }
        self.rollout(caller, id).await
    }

    /// Stores a rollout with its segment.
    pub(crate) async fn insert_rollout(
        &self,
        caller: &Caller,
        place: &EnvironmentPlace,
        aim: &Aim,
        new: NewRollout,
    ) -> ServiceResult<RolloutId> {
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let place = self.place_now(place).await?;
        require_no_change_request(&place)?;
        let feature = &aim.feature;
        let environment = place.environment.id;
        if let Some(live) = self.store().live_rollout(environment, feature.id).await? {
            return Err(ServiceError::Rollout(RolloutProblem::AnotherLive(live.id)));
        }
        let base = self.base_of(&place, feature, aim.segment, None).await?;
        check_room(&base, aim.option, &new.steps)?;
        self.require_nothing_planned(&place, feature).await?;
        let mut rollout = write.insert_rollout(new, self.clock().now()).await?;
        let managed = self.insert_managed_segment(&mut write, &place, feature, &rollout);
        rollout.managed_segment_id = Some(managed.await?);
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature,
        };
        let event = (RolloutEventKind::Created, None);
        let told = self
            .write_rollout(&mut write, &turn, &mut rollout, event)
            .await?;
        let id = rollout.id;
        self.finish_unseen(write, &turn, told).await?;
        Ok(id)
    }

    /// Changes a rollout that has not begun.
    ///
    /// # Errors
    /// As [`Service::create_rollout`]; [`RolloutProblem::Move`] once its first step was taken, or when it has ended.
    pub async fn update_rollout(
        &self,
        caller: &Caller,
        id: RolloutId,
        patch: RolloutPatch,
    ) -> ServiceResult<RolloutView> {
        if let Some(steps) = &patch.steps {
            check_steps(steps)?;
        }
        if let Some(description) = &patch.description {
            check_optional("description", description.as_deref(), DESCRIPTION_LIMIT)?;
        }
        let changing = EnvironmentPermission::UpdateFeatureState;
        self.rollout_place(caller, id, changing).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let (place, mut rollout) = self.rollout_place(caller, id, changing).await?;
        require_no_change_request(&place)?;
        rollout
            .require(RolloutAction::Edit)
            .map_err(cannot(&rollout))?;
        let feature = self.feature_in(&place.project, rollout.feature_id).await?;
        if let Some(steps) = patch.steps {
            let base = self
                .base_of(&place, &feature, rollout.segment_id, None)
                .await?;
            check_room(&base, rollout.option_id, &steps)?;
            write.replace_rollout_steps(id, &steps).await?;
            rollout.steps = steps;
            match rollout.due_at {
                Some(_) => rollout.due_at = rollout.first_due(self.clock().now()),
                // Held: once it is resumed, only the start of the plan is waited for.
                None => rollout.remaining_micros = Some(0),
            }
        }
        rollout.description = patch.description.unwrap_or(rollout.description);
        let turn = RolloutTurn {
            caller,
            place: &place,
            feature: &feature,
        };
        let event = (RolloutEventKind::Edited, None);
        let told = self
            .write_rollout(&mut write, &turn, &mut rollout, event)
            .await?;
        self.finish_unseen(write, &turn, told).await?;
        self.rollout(caller, id).await
    }

    /// What a body names: the feature, the option and the segment.
    pub(crate) async fn aim(
        &self,
        place: &EnvironmentPlace,
        (feature, variant): (&FeatureReference, Option<&VariantReference>),
        segment: Option<SegmentId>,
    ) -> ServiceResult<Aim> {
        let feature = self.named_feature(place, feature).await?;
        let options = self.store().options(feature.id).await?;
        let fault = |fault| ServiceError::invalid("variant", Problem::Rollout(fault));
        let option = match (variant, feature.kind) {
            (None, FeatureKind::Standard) => None,
            (None, FeatureKind::Multivariate) => return Err(fault(RolloutFault::VariantNeeded)),
            (Some(_), FeatureKind::Standard) => return Err(fault(RolloutFault::NoVariants)),
            (Some(named), FeatureKind::Multivariate) => {
                let option = named_option(&options, named);
                let unknown = || fault(RolloutFault::UnknownVariant);
                Some(option.ok_or_else(unknown)?.id)
            }
        };
        if let Some(segment) = segment {
            self.check_segment(place, &feature, segment).await?;
            let rules = self.segment_in(&place.project, segment).await?.rules;
            if has_percentage(&rules) {
                let problem = Problem::Rollout(RolloutFault::SegmentHasPercentage);
                return Err(ServiceError::invalid("segment", problem));
            }
        }
        Ok(Aim {
            feature,
            option,
            segment,
        })
    }

    /// The feature that a body names.
    pub(crate) async fn named_feature(
        &self,
        place: &EnvironmentPlace,
        named: &FeatureReference,
    ) -> ServiceResult<Feature> {
        let missing = ServiceError::NotFound {
            noun: Noun::Feature,
        };
        match named {
            FeatureReference::Id(id) => self.feature_in(&place.project, *id).await,
            FeatureReference::Name(name) => {
                let Ok(name) = FeatureName::parse(name) else {
                    return Err(missing);
                };
                let project = place.project.id;
                let found = self.store().feature_by_name(project, &name).await?;
                found.ok_or(missing)
            }
        }
    }

    /// Makes the segment that holds the percentage. It places people by the hash that holds now, whatever the
    /// environment has later: nobody is moved in the middle of a rollout.
    async fn insert_managed_segment(
        &self,
        write: &mut Write,
        place: &EnvironmentPlace,
        feature: &Feature,
        rollout: &Rollout,
    ) -> ServiceResult<SegmentId> {
        if self.store().count_segments(place.project.id).await? >= SEGMENT_LIMIT {
            let problem = Problem::OutOfRange {
                min: 0,
                max: SEGMENT_LIMIT,
            };
            return Err(ServiceError::invalid("segments", problem));
        }
        let key = FIRST_HASH_KEY.saturating_add(rollout.id.get());
        let new = NewSegment {
            uuid: Uuid::new_v4(),
            project_id: place.project.id,
            feature_id: Some(feature.id),
            name: format!("rollout {} of {}", rollout.id, feature.name),
            description: Some("Managed by the rollout: changed by nothing else.".to_owned()),
            hash_key: Some(key.to_string().into()),
            hash: Some(feature.hash.unwrap_or(place.environment.hash)),
            rules: managed_rules(rollout.segment_id, 0.0),
        };
        let segment = write.insert_segment(&new, self.clock().now()).await?;
        Ok(segment.id)
    }

    /// Passes rollouts that can begin from what is served now.
    pub(crate) async fn require_beginning(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
        rollout: &Rollout,
        base: &Base,
    ) -> ServiceResult<()> {
        check_room(base, rollout.option_id, &rollout.steps)?;
        self.require_nothing_planned(place, feature).await
    }

    /// Passes features of which no version is going to become true: it would end what the rollout began from.
    pub(crate) async fn require_nothing_planned(
        &self,
        place: &EnvironmentPlace,
        feature: &Feature,
    ) -> ServiceResult<()> {
        let (environment, now) = (place.environment.id, self.now_in(place));
        let planned = self.store().scheduled_versions(environment, now).await?;
        if planned
            .iter()
            .any(|version| version.feature_id == feature.id)
        {
            let problem = Problem::Rollout(RolloutFault::VersionPlanned);
            return Err(ServiceError::invalid("feature", problem));
        }
        Ok(())
    }
}

/// The rules of a rollout's segment: who is in the segment it is inside of, and a percentage of those.
pub(crate) fn managed_rules(inside: Option<SegmentId>, percent: f64) -> Vec<Rule> {
    let rule = |operator: &str, value: String| Rule {
        id: None,
        kind: RuleKind::All,
        rules: Vec::new(),
        conditions: vec![Condition {
            id: None,
            operator: operator.to_owned(),
            property: None,
            value: Some(value),
            description: None,
        }],
    };
    let inside = inside.map(|segment| rule(IN_SEGMENT, segment.to_string()));
    let split = rule("PERCENTAGE_SPLIT", percent.to_string());
    inside.into_iter().chain([split]).collect()
}

/// True where somewhere among the rules people are placed by a hash: it would be another one within a rollout.
pub(crate) fn has_percentage(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| {
        let mut conditions = rule.conditions.iter();
        conditions.any(|condition| condition.operator == "PERCENTAGE_SPLIT")
            || has_percentage(&rule.rules)
    })
}

fn check_steps(steps: &[RolloutStep]) -> ServiceResult<()> {
    check_plan(steps).map_err(|problem| {
        let problem = Problem::Rollout(RolloutFault::Plan(problem));
        ServiceError::invalid("steps", problem)
    })
}

/// Passes plans whose first step gives it to at least as many people as have it already.
pub(crate) fn check_room(
    base: &Base,
    option: Option<OptionId>,
    steps: &[RolloutStep],
) -> ServiceResult<()> {
    let already = base.already(option);
    if already >= 100.0 {
        let problem = Problem::Rollout(RolloutFault::OnAlready);
        return Err(ServiceError::invalid("feature", problem));
    }
    match steps.first() {
        Some(first) if first.percentage.percent() < already => {
            let fault = RolloutFault::BelowPresent {
                percentage: first.percentage,
                already,
            };
            Err(ServiceError::invalid("steps", Problem::Rollout(fault)))
        }
        Some(_) | None => Ok(()),
    }
}
