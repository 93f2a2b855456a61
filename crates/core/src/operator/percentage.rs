//! `PERCENTAGE_SPLIT`.

use crate::Hash;
use crate::bucket;
use crate::operand::Operand;
use crate::text::{TextBuffer, parse_float};

/// The part of all keys that belongs to the audience, in percent. The bound itself is included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct PercentageSplit(f64);

impl PercentageSplit {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        parse_float(text).map(Self)
    }

    /// True for what can be a part of a whole: from 0 to 100.
    pub(crate) fn is_percentage(self) -> bool {
        (0.0..=100.0).contains(&self.0)
    }

    pub(crate) fn includes(self, operand: Operand<'_>, segment_key: &str) -> bool {
        Self::bucket(operand, segment_key).is_some_and(|bucket| bucket <= self.0)
    }

    /// True where a text is among the percentage by another hash than Flagsmith's.
    pub(crate) fn includes_by(self, hash: Hash, segment_key: &str, text: &str) -> bool {
        bucket::is_in_percentage(hash, segment_key, text, self.0)
    }

    /// Where a context value falls between 0 and 100 for a segment; nowhere when it is not set.
    pub(crate) fn bucket(operand: Operand<'_>, segment_key: &str) -> Option<f64> {
        let mut buffer = TextBuffer::new();
        let text = operand.text(&mut buffer)?;
        Some(bucket::percentage(&[segment_key, &text]))
    }
}

#[cfg(test)]
mod tests {
    use super::PercentageSplit;
    use crate::Value;
    use crate::bucket::percentage;
    use crate::operand::Operand;

    #[track_caller]
    fn check(percent: &str, seen: Value, expected: bool) {
        let split = PercentageSplit::parse(percent).unwrap();

        assert_eq!(
            split.includes(Operand::of(&seen), "12"),
            expected,
            "{seen:?} {percent}"
        );
    }

    #[test]
    fn the_bound_is_included() {
        check("27.655531106221243", Value::Integer(93), true);
        check("27.65553110622124", Value::Integer(93), false);
    }

    #[test]
    fn values_are_hashed_in_pythons_text_form() {
        let bucket = |seen| PercentageSplit::bucket(Operand::of(&seen), "12");
        assert_eq!(bucket(Value::text("093")), Some(percentage(&["12", "93"])));
        assert_eq!(
            bucket(Value::text("1.50")),
            Some(percentage(&["12", "1.5"]))
        );
        assert_eq!(
            bucket(Value::Boolean(true)),
            Some(percentage(&["12", "True"]))
        );
        assert_eq!(
            bucket(Value::Float(1e16)),
            Some(percentage(&["12", "1e+16"]))
        );
    }

    #[test]
    fn a_percentage_is_any_float() {
        check("inf", Value::text("x"), true);
        check(" 1_00 ", Value::text("x"), true);
        check("nan", Value::text("x"), false);
        check("-1", Value::text("x"), false);
        check("100", Value::Null, false);
        assert_eq!(PercentageSplit::parse("x"), None);
        assert_eq!(PercentageSplit::parse("100:semver"), None);
    }
}
