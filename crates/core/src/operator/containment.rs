//! `CONTAINS`.

use super::version::VersionSuffix;
use crate::operand::Operand;
use crate::seen::Seen;

/// The text to be looked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Containment {
    part: Box<str>,
    version: VersionSuffix,
}

impl Containment {
    pub(crate) fn parse(text: &str) -> Self {
        Self {
            part: text.into(),
            version: VersionSuffix::parse(text),
        }
    }

    /// True for text that holds the part. Numbers, also those in text, contain nothing.
    pub(crate) fn holds(&self, seen: &Seen<'_>) -> bool {
        let Operand::Text(text) = seen.operand() else {
            return false;
        };
        let suffixed = match &self.version {
            VersionSuffix::Absent => return text.contains(&*self.part),
            VersionSuffix::Invalid(text) | VersionSuffix::Version { text, .. } => &**text,
        };
        // A quirk of Python's semver library: a version "contains" its parts, of which only these are text.
        seen.version().is_some_and(|version| {
            version.prerelease == Some(suffixed) || version.build == Some(suffixed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Containment;
    use crate::Value;
    use crate::operand::Operand;
    use crate::seen::Seen;

    #[track_caller]
    fn check(part: &str, seen: Value, expected: bool) {
        let holds = Containment::parse(part).holds(&Seen::new(Operand::of(&seen)));

        assert_eq!(holds, expected, "{seen:?} CONTAINS {part:?}");
    }

    #[test]
    fn text_contains_its_parts() {
        check("b", Value::text("abc"), true);
        check("", Value::text("abc"), true);
        check("B", Value::text("abc"), false);
    }

    #[test]
    fn only_text_contains_anything() {
        check("1", Value::text("123"), false);
        check("1", Value::Integer(123), false);
        check("True", Value::Boolean(true), false);
        check("", Value::Null, false);
    }

    #[test]
    fn a_version_contains_its_prerelease_and_its_build() {
        check("beta.1:semver", Value::text("1.2.3-beta.1"), true);
        check("b:semver", Value::text("1.2.3+b"), true);
        check("eta:semver", Value::text("1.2.3-beta"), false);
        check("1:semver", Value::text("1.2.3+b"), false);
        check(":semver", Value::text("1.2.3"), false);
        check("b:semver", Value::text("ab:semver"), false);
    }
}
