//! A segment as it would be, tried in an environment before anything is stored.

use crate::explain::SegmentTrace;
use crate::{
    CompileWarning, Context, Hash, PatternBudget, Rule, Ruleset, SegmentId, SegmentRules, Snapshot,
};
use std::sync::Arc;

/// A segment that is not stored yet, or not like this.
#[derive(Debug, Clone, Copy)]
pub struct TrialSegment<'a> {
    /// The stored segment it would replace; `None` for a new one.
    pub id: Option<SegmentId>,
    /// Its name.
    pub name: &'a str,
    /// What places identities in its percentages; `None`: as the environment has it.
    pub hash: Option<Hash>,
    /// Its rules.
    pub rules: &'a [Rule],
}

/// An environment in which a segment is tried.
#[derive(Debug)]
pub struct Trial {
    rules: Ruleset,
    segment: usize,
    warnings: Vec<CompileWarning>,
}

impl Snapshot {
    /// The environment as it would be with a segment. A new one is hashed by a key that it will not have: who falls
    /// into its percentages is not known before it is stored.
    #[must_use]
    pub fn try_segment(&self, trial: &TrialSegment<'_>) -> Trial {
        let mut segments = self.rules.segments().to_vec();
        let known = trial.id.and_then(|id| self.segment_index_by_id(id));
        let known = known.and_then(|index| Some((index, Arc::clone(segments.get(index)?))));
        let key = known
            .as_ref()
            .map_or("new".into(), |(_, old)| Arc::clone(old.key()));
        let overrides = known.as_ref().map(|(_, old)| old.overrides().to_vec());
        let (rules, warnings) = SegmentRules::compile(
            key,
            trial.name.into(),
            trial.rules,
            overrides.unwrap_or_default(),
            &mut PatternBudget::new(),
        );
        let rules = rules.with_hash(trial.hash.unwrap_or(self.environment.hash));
        let segment = known.map_or(segments.len(), |(index, _)| index);
        match segments.get_mut(segment) {
            Some(place) => *place = Arc::new(rules),
            None => segments.push(Arc::new(rules)),
        }
        Trial {
            rules: Ruleset::new(
                self.rules.environment_key().into(),
                self.rules.environment_name().into(),
                self.rules.features().to_vec(),
                segments,
            ),
            segment,
            warnings,
        }
    }
}

impl Trial {
    /// True where a context would be in the segment.
    #[must_use]
    pub fn matches(&self, context: &Context<'_>) -> bool {
        self.rules.evaluator(context).segment_matches(self.segment)
    }

    /// Whether and why a context would be in the segment.
    #[must_use]
    pub fn explain(&self, context: &Context<'_>) -> SegmentTrace {
        self.rules.explain_segment(self.segment, context)
    }

    /// What compiling its rules found.
    #[must_use]
    pub fn warnings(&self) -> &[CompileWarning] {
        &self.warnings
    }
}

#[cfg(test)]
mod tests {
    use super::TrialSegment;
    use crate::testing::shop::Shop;
    use crate::testing::{all, condition};
    use crate::{Attributes, Context, IdentityContext, StateValue, Value};

    #[test]
    fn a_segment_is_tried_in_place_of_the_stored_one_which_stays_as_it_is() {
        let mut shop = Shop::new();
        let feature = shop.feature("f", false, StateValue::of_text(Some("x")));
        let stored = vec![all(vec![condition("EQUAL", "plan", "pro")])];
        let segment = shop.segment("s", stored);
        shop.over(feature, segment, true, StateValue::of_text(Some("y")));
        let snapshot = shop.build();
        let mut attributes = Attributes::new();
        attributes.insert("plan", Value::text("free"));
        let context = Context {
            identity: Some(IdentityContext {
                identifier: "ada",
                key: None,
                attributes: &attributes,
                overrides: None,
            }),
        };
        let wider = [all(vec![
            condition("IS_SET", "plan", ""),
            condition("EQUAL", "$.flags.f.enabled", "false"),
        ])];
        let trial = TrialSegment {
            id: Some(snapshot.segments[0].segment.id),
            name: "s",
            hash: None,
            rules: &wider,
        };

        let changed = snapshot.try_segment(&trial);
        let new = snapshot.try_segment(&TrialSegment { id: None, ..trial });

        // The changed segment overrides the flag that it reads: that never holds. A new one overrides nothing yet.
        assert!(!changed.matches(&context) && new.matches(&context));
        assert!(new.explain(&context).matches && changed.warnings().is_empty());
        assert!(!snapshot.rules.evaluator(&context).segment_matches(0));
    }
}
