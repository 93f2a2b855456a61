//! Ids, times and made-up identifiers differ between two servers; their roles must not.
//!
//! A recorded id stands for one id of ours and the other way round, for each kind of id. Times stand for each
//! other in the same way and keep their order.

use std::collections::{BTreeMap, HashMap};

/// What an id is the id of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Environment,
    Feature,
    FeatureSegment,
    FeatureState,
    Identity,
    MadeUpIdentifier,
    Option,
    Organisation,
    Project,
    Second,
    Segment,
    Trait,
    Uuid,
    VariantWeight,
}

#[derive(Default)]
pub struct Roles {
    ours: HashMap<(Kind, String), String>,
    recorded: HashMap<(Kind, String), String>,
    times: BTreeMap<i64, i64>,
}

impl Roles {
    /// True where both stand for each other.
    pub fn play_the_same(&mut self, kind: Kind, recorded: &str, ours: &str) -> bool {
        let there = self
            .ours
            .entry((kind, recorded.to_owned()))
            .or_insert_with(|| ours.to_owned());
        let back = self
            .recorded
            .entry((kind, ours.to_owned()))
            .or_insert_with(|| recorded.to_owned());
        there == ours && back == recorded
    }

    /// What a recorded id stands for, once that is known.
    pub fn ours(&self, kind: Kind, recorded: &str) -> Option<&str> {
        self.ours
            .get(&(kind, recorded.to_owned()))
            .map(String::as_str)
    }

    /// True where both are the same instant, in microseconds, in the order of all instants seen before.
    pub fn are_the_same_instant(&mut self, recorded: i64, ours: i64) -> bool {
        let known = *self.times.entry(recorded).or_insert(ours);
        let before = self.times.range(..recorded).next_back();
        let after = self.times.range(recorded + 1..).next();
        known == ours
            && before.is_none_or(|(_, before)| *before < ours)
            && after.is_none_or(|(_, after)| ours < *after)
    }
}

/// The random identifier of somebody anonymous without traits.
pub fn is_made_up(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn an_id_stands_for_one_id_and_no_other() {
    let mut roles = Roles::default();

    assert!(roles.play_the_same(Kind::Feature, "1", "7"));
    assert!(roles.play_the_same(Kind::Feature, "1", "7"));
    assert!(roles.play_the_same(Kind::Segment, "1", "8"));
    assert!(!roles.play_the_same(Kind::Feature, "1", "8"));
    assert!(!roles.play_the_same(Kind::Feature, "2", "7"));
}

#[test]
fn times_keep_their_order() {
    let mut roles = Roles::default();

    assert!(roles.are_the_same_instant(100, 5));
    assert!(roles.are_the_same_instant(200, 7));
    assert!(roles.are_the_same_instant(150, 6));
    assert!(!roles.are_the_same_instant(100, 6));
    assert!(!roles.are_the_same_instant(300, 7));
    assert!(!roles.are_the_same_instant(120, 4));
}
