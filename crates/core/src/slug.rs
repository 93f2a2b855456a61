//! Names of other protocols made of shown names and identifiers.

use std::borrow::Cow;

/// A text as part of a name: what is not an ASCII letter, a digit, `_` or `-` becomes `-`, runs of it one.
///
/// `-` and `_` at both ends are taken away; `fallback` stands for a text of which nothing is left. Case is kept.
#[must_use]
pub fn slug<'a>(text: &'a str, fallback: &'a str) -> Cow<'a, str> {
    let trimmed = text.trim();
    if is_slug(trimmed) {
        return Cow::Borrowed(trimmed);
    }
    let mut slug = String::with_capacity(trimmed.len());
    let mut in_run = false;
    for character in trimmed.chars() {
        if is_kept(character) {
            slug.push(character);
        } else if !in_run {
            slug.push('-');
        }
        in_run = !is_kept(character);
    }
    match slug.trim_matches(['-', '_']) {
        "" => Cow::Borrowed(fallback),
        kept => Cow::Owned(kept.to_owned()),
    }
}

/// True for a text that is its own slug.
pub(crate) fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(is_kept)
        && !text.starts_with(['-', '_'])
        && !text.ends_with(['-', '_'])
}

const fn is_kept(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

#[cfg(test)]
mod tests {
    use super::{is_slug, slug};
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(slug(text, "unnamed"), expected, "{text:?}");
    }

    #[test]
    fn requirement_14_runs_of_other_characters_become_one_hyphen() {
        check("Beta users", "Beta-users");
        check("a  &  b", "a-b");
        check("a - b", "a---b");
        check("bob@example.com", "bob-example-com");
        check("Größe", "Gr-e");
        check("snake_case-and-kebab", "snake_case-and-kebab");
    }

    #[test]
    fn requirement_14_hyphens_and_underscores_at_the_ends_are_stripped() {
        check("  beta  ", "beta");
        check("--beta__", "beta");
        check("!beta!", "beta");
        check("_-_", "unnamed");
    }

    #[test]
    fn requirement_14_nothing_left_is_the_fallback() {
        check("", "unnamed");
        check(" \n", "unnamed");
        check("日本", "unnamed");
        assert_eq!(slug("…", "identity"), "identity");
    }

    proptest! {
        #[test]
        fn a_slug_is_its_own_slug(text: String) {
            let once = slug(&text, "x").into_owned();
            prop_assert!(is_slug(&once));
            prop_assert_eq!(slug(&once, "x"), once.as_str());
        }
    }
}
