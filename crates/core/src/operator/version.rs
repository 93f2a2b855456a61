//! Semantic versions (SemVer 2.0.0), with numbers of any size.
//!
//! The `semver` crate refuses numbers beyond `u64`; Python's library, which defines the answers, does not.

use std::cmp::Ordering;
use std::ops::Deref;

/// A condition's value that ends in this is a version, once the ending is cut off.
const SUFFIX: &str = ":semver";

/// More digits than Python reads as a number.
const DIGIT_LIMIT: usize = crate::text::DIGIT_LIMIT;

/// What the `:semver` ending of a condition's value says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionEnding<'v> {
    /// There is none: the value is plain text.
    Absent,
    /// It stands behind something that is no version.
    Invalid,
    /// It stands behind this version.
    Version(&'v str),
}

/// Looks for the `:semver` ending of a condition's value.
#[must_use]
pub fn version_ending(value: &str) -> VersionEnding<'_> {
    match value.strip_suffix(SUFFIX) {
        None => VersionEnding::Absent,
        Some(text) if Version::parse(text).is_some() => VersionEnding::Version(text),
        Some(_) => VersionEnding::Invalid,
    }
}

/// The `:semver` ending of a condition's value, parsed once for all evaluations to come.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum VersionSuffix {
    /// No such ending: the value is plain text.
    Absent,
    /// The ending, behind something that is no version.
    Invalid(Box<str>),
    /// The ending, behind a version.
    Version {
        /// As written, without the ending.
        text: Box<str>,
        version: Version<Box<str>>,
    },
}

impl VersionSuffix {
    pub(crate) fn parse(value: &str) -> Self {
        let Some(text) = value.strip_suffix(SUFFIX) else {
            return Self::Absent;
        };
        match Version::parse(text) {
            Some(version) => Self::Version {
                text: text.into(),
                version: version.to_owned(),
            },
            None => Self::Invalid(text.into()),
        }
    }
}

/// A version, split into its parts. `S` is `&str` while evaluating and `Box<str>` when compiled.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version<S> {
    /// Major, minor and patch, in decimal digits.
    numbers: [S; 3],
    pub(crate) prerelease: Option<S>,
    pub(crate) build: Option<S>,
}

impl<'a> Version<&'a str> {
    /// Reads a strict version: three numbers without leading zeros, nothing around them.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let (rest, build) = match text.split_once('+') {
            Some((rest, build)) => (rest, Some(build)),
            None => (text, None),
        };
        let (core, prerelease) = match rest.split_once('-') {
            Some((core, prerelease)) => (core, Some(prerelease)),
            None => (rest, None),
        };
        let mut parts = core.split('.');
        let numbers = [parts.next()?, parts.next()?, parts.next()?];
        let valid = parts.next().is_none()
            && numbers.iter().all(|number| is_number(number))
            && prerelease.is_none_or(|part| part.split('.').all(is_prerelease_identifier))
            && build.is_none_or(|part| part.split('.').all(is_identifier));
        valid.then_some(Self {
            numbers,
            prerelease,
            build,
        })
    }

    fn to_owned(&self) -> Version<Box<str>> {
        Version {
            numbers: self.numbers.map(Into::into),
            prerelease: self.prerelease.map(Into::into),
            build: self.build.map(Into::into),
        }
    }
}

impl<S: Deref<Target = str>> Version<S> {
    /// Which of two versions comes first; builds do not count.
    pub(crate) fn precedence<T: Deref<Target = str>>(&self, other: &Version<T>) -> Ordering {
        for (a, b) in self.numbers.iter().zip(&other.numbers) {
            let ordering = compare_digits(a, b);
            if ordering.is_ne() {
                return ordering;
            }
        }
        match (&self.prerelease, &other.prerelease) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_prereleases(a, b),
        }
    }
}

fn is_number(text: &str) -> bool {
    is_digits(text) && (text == "0" || !text.starts_with('0')) && text.len() <= DIGIT_LIMIT
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_prerelease_identifier(text: &str) -> bool {
    is_identifier(text) && (!is_digits(text) || text == "0" || !text.starts_with('0'))
}

/// Numbers without leading zeros: the longer is the larger.
fn compare_digits(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let (a, b) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => (a, b),
        };
        let ordering = match (is_digits(a), is_digits(b)) {
            (true, true) => compare_digits(a, b),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => a.cmp(b),
        };
        if ordering.is_ne() {
            return ordering;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Version;
    use proptest::prelude::*;
    use std::cmp::Ordering;

    #[track_caller]
    fn check(text: &str, valid: bool) {
        assert_eq!(Version::parse(text).is_some(), valid, "{text:?}");
    }

    #[test]
    fn only_strict_versions_are_read() {
        for text in [
            "0.0.0",
            "1.2.3",
            "1.2.3-alpha.1+build.01",
            "1.2.3--",
            "1.2.3-0a.0",
            "1.2.3+-",
            "99999999999999999999999.0.0",
        ] {
            check(text, true);
        }
        for text in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "v1.2.3",
            " 1.2.3",
            "1.2.3\n",
            "01.2.3",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3-ä",
            "1٣.2.3",
            "1.2.3+a+b",
            "1.-2.3",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn the_order_is_that_of_the_specification() {
        let ascending = [
            "0.9.0",
            "1.0.0-0",
            "1.0.0-9",
            "1.0.0-10",
            "1.0.0-99999999999999999999",
            "1.0.0-A",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-rc.9",
            "1.0.0-rc.10",
            "1.0.0",
            "1.0.1",
            "1.10.0",
            "2.0.0",
            "99999999999999999999999.0.0",
        ];
        for (position, a) in ascending.iter().enumerate() {
            for (other, b) in ascending.iter().enumerate() {
                let (a, b) = (Version::parse(a).unwrap(), Version::parse(b).unwrap());
                assert_eq!(a.precedence(&b), position.cmp(&other), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn builds_do_not_count() {
        let (a, b) = (
            Version::parse("1.0.0+a").unwrap(),
            Version::parse("1.0.0+b").unwrap(),
        );

        assert_eq!(a.precedence(&b), Ordering::Equal);
    }

    proptest! {
        /// Where the `semver` crate can read a version, we agree with it.
        #[test]
        fn the_semver_crate_agrees(
            a in "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9](-[0-9a-z.-]{0,5})?(\\+[0-9a.]{0,3})?",
            b in "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9](-[0-9a-z.-]{0,5})?",
        ) {
            let theirs = (semver::Version::parse(&a), semver::Version::parse(&b));
            let ours = (Version::parse(&a), Version::parse(&b));
            prop_assert_eq!(theirs.0.is_ok(), ours.0.is_some());
            if let ((Ok(their_a), Ok(their_b)), (Some(our_a), Some(our_b))) = (theirs, ours) {
                prop_assert_eq!(their_a.cmp_precedence(&their_b), our_a.precedence(&our_b));
            }
        }
    }
}
