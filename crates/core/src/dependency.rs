//! Which flags must be known before others, where conditions read `$.flags`.

use crate::ruleset::{Candidate, SegmentRules};
use std::collections::HashMap;
use std::sync::Arc;

/// In which order flags that conditions read can be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReadOrder {
    /// These features, by index: each reads only flags of features before it. Mostly empty.
    Sorted(Box<[usize]>),
    /// There is none: a flag may depend on itself. What is found then depends on the order of segments.
    Cyclic,
}

impl ReadOrder {
    /// Sorts the features that are read. Without recursion: chains may be of any length.
    pub(crate) fn of(
        feature_indices: &HashMap<Arc<str>, usize>,
        segments: &[Arc<SegmentRules>],
        candidates: &[Vec<Candidate>],
    ) -> Self {
        let reads: Vec<Vec<usize>> = segments
            .iter()
            .map(|segment| {
                let names = segment.compiled().reads.iter();
                names
                    .filter_map(|name| feature_indices.get(name).copied())
                    .collect()
            })
            .collect();
        let mut waiting: HashMap<usize, usize> =
            reads.iter().flatten().map(|read| (*read, 0)).collect();
        if waiting.is_empty() {
            return Self::Sorted(Box::default());
        }

        let mut readers: HashMap<usize, Vec<usize>> = HashMap::new();
        for (feature, waits_for) in &mut waiting {
            for candidate in &candidates[*feature] {
                for read in &reads[candidate.segment] {
                    readers.entry(*read).or_default().push(*feature);
                    *waits_for += 1;
                }
            }
        }

        let mut ready: Vec<usize> = waiting
            .iter()
            .filter_map(|(feature, waits_for)| (*waits_for == 0).then_some(*feature))
            .collect();
        let mut sorted = Vec::with_capacity(waiting.len());
        while let Some(feature) = ready.pop() {
            sorted.push(feature);
            for reader in readers.remove(&feature).unwrap_or_default() {
                if let Some(waits_for) = waiting.get_mut(&reader) {
                    *waits_for -= 1;
                    if *waits_for == 0 {
                        ready.push(reader);
                    }
                }
            }
        }
        if sorted.len() == waiting.len() {
            Self::Sorted(sorted.into())
        } else {
            Self::Cyclic
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ReadOrder;
    use crate::testing::{all, condition, feature, over, ruleset, segment, state};

    /// Each pair: a feature and the one whose flag its override reads.
    fn order(reads: &[(&str, &str)]) -> ReadOrder {
        let features = ["a", "b", "c"].map(|name| feature(name, state(true, "")));
        let segments = reads.iter().map(|(reader, read)| {
            let rules = [all(vec![condition(
                "IS_SET",
                &format!("$.flags.{read}.value"),
                "",
            )])];
            segment(reader, &rules, vec![over(reader, None, state(true, ""))])
        });
        let rules = ruleset(features.into(), segments.collect());
        rules.read_order().clone()
    }

    #[test]
    fn what_is_read_comes_before_its_readers() {
        assert_eq!(order(&[]), ReadOrder::Sorted([].into()));
        assert_eq!(order(&[("a", "b")]), ReadOrder::Sorted([1].into()));
        let chain = order(&[("a", "b"), ("b", "c")]);
        assert_eq!(chain, ReadOrder::Sorted([2, 1].into()));
    }

    #[test]
    fn unknown_flags_are_no_dependency() {
        assert_eq!(order(&[("a", "gone")]), ReadOrder::Sorted([].into()));
    }

    #[test]
    fn a_flag_that_may_depend_on_itself_has_no_order() {
        assert_eq!(order(&[("a", "a")]), ReadOrder::Cyclic);
        assert_eq!(
            order(&[("a", "b"), ("b", "c"), ("c", "a")]),
            ReadOrder::Cyclic
        );
    }
}
