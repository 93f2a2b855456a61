//! Where a condition finds its context value: an attribute's name or a `$.` path.

use std::sync::Arc;

/// A condition's property, parsed.
#[derive(Debug, Clone, PartialEq)]
pub enum Property {
    /// The key the identity is hashed by, exactly as it is: a percentage split without property.
    HashKey,
    /// The attribute of this name.
    Attribute(Arc<str>),
    /// The attribute whose name is the path's text, and else what the path leads to.
    Path { text: Arc<str>, path: Path },
}

/// The paths that can be read: single fields of an evaluation context.
#[derive(Debug, Clone, PartialEq)]
pub enum Path {
    /// The caller's identifier.
    Identifier,
    /// What the caller is hashed by.
    IdentityKey,
    /// The attribute of this name.
    Attribute(Box<str>),
    /// The environment's client key.
    EnvironmentKey,
    /// The environment's name.
    EnvironmentName,
    /// A feature as the environment has it, before overrides.
    Feature(Box<str>, FeatureField),
    /// A feature's flag as the caller gets it.
    Flag(Arc<str>, FlagField),
    /// Anything else, which is never set.
    Other,
}

/// Fields of a feature as the environment has it, before overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeatureField {
    /// What its variants are hashed by.
    Key,
    /// Its name.
    Name,
    /// On or off.
    Enabled,
    /// Its value.
    Value,
}

/// Fields of a flag as the caller gets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlagField {
    /// The feature's name.
    Name,
    /// On or off.
    Enabled,
    /// Its value.
    Value,
    /// Name of the variant.
    Variant,
    /// Why it is what it is.
    Reason,
}

impl Property {
    /// The attribute that is looked at first, if any is.
    pub(crate) const fn attribute(&self) -> Option<&Arc<str>> {
        match self {
            Self::HashKey => None,
            Self::Attribute(name) | Self::Path { text: name, .. } => Some(name),
        }
    }

    /// True for what tells identities apart: their key or their identifier.
    pub(crate) const fn is_identity(&self) -> bool {
        match self {
            Self::HashKey => true,
            Self::Attribute(_) => false,
            Self::Path { path, .. } => matches!(path, Path::Identifier | Path::IdentityKey),
        }
    }

    /// Reads a property: a text that begins with `$.` is a path, everything else a name.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if !text.starts_with("$.") {
            return Self::Attribute(text.into());
        }
        let names = names(text).unwrap_or_default();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Self::Path {
            text: text.into(),
            path: Path::of(&names),
        }
    }
}

impl Path {
    fn of(names: &[&str]) -> Self {
        match *names {
            ["identity", "identifier"] => Self::Identifier,
            ["identity", "key"] => Self::IdentityKey,
            ["identity", "traits", name] => Self::Attribute(name.into()),
            ["environment", "key"] => Self::EnvironmentKey,
            ["environment", "name"] => Self::EnvironmentName,
            ["features", name, field] => match field {
                "key" => Self::Feature(name.into(), FeatureField::Key),
                "name" => Self::Feature(name.into(), FeatureField::Name),
                "enabled" => Self::Feature(name.into(), FeatureField::Enabled),
                "value" => Self::Feature(name.into(), FeatureField::Value),
                _ => Self::Other,
            },
            ["flags", name, field] => match field {
                "name" => Self::Flag(name.into(), FlagField::Name),
                "enabled" => Self::Flag(name.into(), FlagField::Enabled),
                "value" => Self::Flag(name.into(), FlagField::Value),
                "variant" => Self::Flag(name.into(), FlagField::Variant),
                "reason" => Self::Flag(name.into(), FlagField::Reason),
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

/// Splits a path into names; `None` where it is no path, or one that selects in another way than by name.
///
/// The grammar is that of RFC 9535 as the Python library `jsonpath-rfc9535` 0.2.0 reads it: hyphens are
/// allowed in names after a dot, characters beyond U+FFFF are not.
fn names(text: &str) -> Option<Vec<String>> {
    let mut rest = text.strip_prefix('$')?;
    let mut names = Vec::new();
    while !rest.is_empty() {
        rest = rest.trim_start_matches(BLANKS);
        let name;
        (name, rest) = if let Some(after) = rest.strip_prefix('.') {
            dotted(after)?
        } else {
            bracketed(rest.strip_prefix('[')?)?
        };
        names.push(name);
    }
    Some(names)
}

const BLANKS: [char; 4] = [' ', '\n', '\r', '\t'];

fn dotted(text: &str) -> Option<(String, &str)> {
    let begins =
        |c: char| c.is_ascii_alphabetic() || c == '_' || ('\u{80}'..='\u{ffff}').contains(&c);
    let goes_on = |c: char| begins(c) || c.is_ascii_digit() || c == '-';
    text.chars().next().filter(|first| begins(*first))?;
    let end = text.find(|c| !goes_on(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    Some((name.to_owned(), rest))
}

fn bracketed(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start_matches(BLANKS);
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let mut name = String::new();
    let mut characters = text[1..].chars();
    loop {
        match characters.next()? {
            '\\' => name.push(escaped(&mut characters, quote)?),
            character if character == quote => break,
            character if character < ' ' => return None,
            character => name.push(character),
        }
    }
    let rest = characters.as_str().trim_start_matches(BLANKS);
    Some((name, rest.strip_prefix(']')?))
}

fn escaped(characters: &mut std::str::Chars<'_>, quote: char) -> Option<char> {
    let character = match characters.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => return unicode_escape(characters),
        character if character == quote => character,
        character @ ('/' | '\\') => character,
        _ => return None,
    };
    Some(character)
}

fn unicode_escape(characters: &mut std::str::Chars<'_>) -> Option<char> {
    let high = hexadecimal(characters)?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(u32::from(high));
    }
    if characters.next() != Some('\\') || characters.next() != Some('u') {
        return None;
    }
    let low = hexadecimal(characters)?;
    char::decode_utf16([high, low]).next()?.ok()
}

fn hexadecimal(characters: &mut std::str::Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = characters.next()?.to_digit(16)?;
        unit = unit << 4 | u16::try_from(digit).ok()?;
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::{FeatureField, FlagField, Path, Property};
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: Path) {
        let expected = Property::Path {
            text: text.into(),
            path: expected,
        };
        assert_eq!(Property::parse(text), expected);
    }

    fn attribute(name: &str) -> Path {
        Path::Attribute(name.into())
    }

    fn value(feature: &str) -> Path {
        Path::Feature(feature.into(), FeatureField::Value)
    }

    #[test]
    fn single_fields_are_read() {
        check("$.identity.identifier", Path::Identifier);
        check("$.identity.key", Path::IdentityKey);
        check("$.identity['key']", Path::IdentityKey);
        check("$.environment.name", Path::EnvironmentName);
        check("$.environment[ \"key\" ]", Path::EnvironmentKey);
        check(
            "$.features.f.key",
            Path::Feature("f".into(), FeatureField::Key),
        );
        check(
            "$.features.f.name",
            Path::Feature("f".into(), FeatureField::Name),
        );
        check(
            "$.features.f.enabled",
            Path::Feature("f".into(), FeatureField::Enabled),
        );
        check(
            "$.flags['f'].enabled",
            Path::Flag("f".into(), FlagField::Enabled),
        );
        check("$.flags.f.value", Path::Flag("f".into(), FlagField::Value));
        check(
            "$.flags.f.variant",
            Path::Flag("f".into(), FlagField::Variant),
        );
        check(
            "$.flags.f.reason",
            Path::Flag("f".into(), FlagField::Reason),
        );
        check("$.flags.f.name", Path::Flag("f".into(), FlagField::Name));
    }

    #[test]
    fn names_are_written_after_dots_and_in_brackets() {
        check("$.identity.traits.plan", attribute("plan"));
        check("$.identity.traits['a.b']", attribute("a.b"));
        check("$.identity.traits[\"it's\"]", attribute("it's"));
        check("$.identity.traits['it\\'s']", attribute("it's"));
        check("$.identity.traits['say \"x\"']", attribute("say \"x\""));
        check("$.identity.traits['']", attribute(""));
        check(
            "$.identity.traits['\\n\\u0041\\ud83d\\ude00\\\\\\/']",
            attribute("\nA😀\\/"),
        );
        check("$.identity \n.traits ['x']", attribute("x"));
        check("$.features.my-feature_2.value", value("my-feature_2"));
        check("$.features.größe.value", value("größe"));
        check("$.features['😀'].value", value("😀"));
    }

    #[test]
    fn every_other_path_leads_nowhere() {
        for text in [
            "$.",
            "$..identifier",
            "$.identity",
            "$.identity.traits",
            "$.identity.traits.a.b",
            "$.identity.*",
            "$.identity.traits[0]",
            "$.identity.traits['a','b']",
            "$.identity.traits['a'",
            "$.identity.traits['a]",
            "$.identity.traits['\\x']",
            "$.identity.traits['\\\"']",
            "$.identity.traits['\\ud800']",
            "$.identity.traits['a\nb']",
            "$.identity.key ",
            "$.identity. key",
            "$.identity.2",
            "$.features.😀.value",
            "$.features.f.metadata.id",
            "$.segments.s.name",
            "$.flags.f.metadata",
        ] {
            check(text, Path::Other);
        }
    }

    #[test]
    fn text_without_dollar_and_dot_is_a_name() {
        for text in [
            "",
            "$",
            "$x",
            "plan",
            " $.x",
            "$ .identity.key",
            "$['identity']",
        ] {
            assert_eq!(Property::parse(text), Property::Attribute(text.into()));
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_tried(text in "(\\$\\.)?[\\[\\]'\"a-c.\\\\u0-9😀]{0,12}") {
            let _ = Property::parse(&text);
        }
    }
}
