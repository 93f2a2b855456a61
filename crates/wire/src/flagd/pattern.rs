//! `REGEX`: the patterns that flagd can say without one.
//!
//! The server's rule: a match begins at the start of the value's text and ends anywhere, and `$` is the very end
//! of it. Line breaks in an attribute, which `.` does not match, are left aside.

use super::logic::{Logic, all, any};
use super::subject::Subject;
use serde_json::json;

/// More ways than these to match are not spelt out.
const ALTERNATIVES_LIMIT: usize = 64;

/// What a pattern asks of a text.
#[derive(Debug, PartialEq, Eq)]
enum Shape {
    Starts(String),
    Is(String),
    Holds(String),
    Ends(String),
}

/// The condition that a simple pattern is; `None` for any other.
pub(super) fn pattern_to_logic(subject: &Subject, pattern: &str) -> Option<Logic> {
    let shapes = shapes(pattern)?;
    let is_match = |text: &str| shapes.iter().any(|shape| shape.matches(text));
    // As the server spells them.
    let (if_true, if_false) = (is_match("True"), is_match("False"));
    let anything = matched(subject, &shapes);
    if subject.is_always_text() || anything == Logic::Always {
        return Some(all([test(subject.is_set()), anything]));
    }
    let mut guards = vec![subject.is_set(), subject.is_no_list()];
    // To Python 1 is true and 0 is false, which matters where those numbers match.
    if is_match("0") || is_match("1") {
        guards.push(subject.is_no_boolean());
    } else {
        guards.push(json!({"!==": [subject.value(), true]}));
        guards.push(json!({"!==": [subject.value(), false]}));
    }
    let others = all(guards.into_iter().map(test).chain([anything]));
    let mut ways = vec![others];
    for (boolean, matches) in [(true, if_true), (false, if_false)] {
        if matches {
            ways.push(test(subject.is_boolean(boolean)));
        }
    }
    Some(any(ways))
}

/// Whether the text of the value has one of these shapes.
fn matched(subject: &Subject, shapes: &[Shape]) -> Logic {
    let mut whole = Vec::new();
    let mut parts = Vec::new();
    for shape in shapes {
        match shape {
            Shape::Is(text) => whole.push(text),
            Shape::Starts(text) | Shape::Holds(text) | Shape::Ends(text) if text.is_empty() => {
                parts.push(Logic::Always);
            }
            Shape::Starts(text) => parts.push(test(json!({"starts_with": [subject.text(), text]}))),
            Shape::Ends(text) => parts.push(test(json!({"ends_with": [subject.text(), text]}))),
            Shape::Holds(text) => parts.push(test(json!({"in": [text, subject.text()]}))),
        }
    }
    match whole.as_slice() {
        [] => {}
        [text] => parts.push(test(json!({"===": [subject.text(), text]}))),
        texts => parts.push(test(json!({"in": [subject.text(), texts]}))),
    }
    any(parts)
}

impl Shape {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Starts(part) => text.starts_with(part.as_str()),
            Self::Is(part) => text == part,
            Self::Holds(part) => text.contains(part.as_str()),
            Self::Ends(part) => text.ends_with(part.as_str()),
        }
    }
}

fn test(json: serde_json::Value) -> Logic {
    Logic::When(json)
}

/// The ways in which a pattern matches, if every one is simple.
fn shapes(pattern: &str) -> Option<Vec<Shape>> {
    let alternatives = alternatives(&parse(pattern)?)?;
    alternatives.iter().map(|tokens| shape(tokens)).collect()
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Start,
    End,
    Anything,
    Literal(char),
    Group(Vec<Vec<Token>>),
}

/// Reads a pattern into its top-level alternatives.
fn parse(pattern: &str) -> Option<Vec<Vec<Token>>> {
    let mut characters = pattern.chars().peekable();
    let alternatives = parse_alternatives(&mut characters, 0)?;
    characters.next().is_none().then_some(alternatives)
}

type Characters<'p> = std::iter::Peekable<std::str::Chars<'p>>;

fn parse_alternatives(characters: &mut Characters<'_>, depth: usize) -> Option<Vec<Vec<Token>>> {
    const DEPTH_LIMIT: usize = 8;
    if depth > DEPTH_LIMIT {
        return None;
    }
    let mut alternatives = Vec::new();
    let mut tokens = Vec::new();
    while let Some(character) = characters.peek().copied() {
        match character {
            ')' if depth > 0 => break,
            '|' => alternatives.push(std::mem::take(&mut tokens)),
            '(' => {
                characters.next();
                tokens.push(parse_group(characters, depth)?);
            }
            '^' => tokens.push(Token::Start),
            '$' => tokens.push(Token::End),
            '.' => {
                characters.next();
                characters.next_if_eq(&'*')?;
                tokens.push(Token::Anything);
                // Lazy or not, the same texts match.
                characters.next_if_eq(&'?');
                continue;
            }
            '\\' => {
                characters.next();
                let escaped = characters.peek().filter(|c| c.is_ascii_punctuation())?;
                tokens.push(Token::Literal(*escaped));
            }
            '*' | '+' | '?' | '{' | '}' | '[' | ']' | ')' => return None,
            other => tokens.push(Token::Literal(other)),
        }
        characters.next();
    }
    alternatives.push(tokens);
    Some(alternatives)
}

/// Reads the inside of a group, up to its closing bracket.
fn parse_group(characters: &mut Characters<'_>, depth: usize) -> Option<Token> {
    if characters.next_if_eq(&'?').is_some() {
        characters.next_if_eq(&':')?;
    }
    let inside = parse_alternatives(characters, depth + 1)?;
    (characters.peek() == Some(&')')).then_some(Token::Group(inside))
}

/// Writes groups out, so that no alternative holds one.
fn alternatives(tokens: &[Vec<Token>]) -> Option<Vec<Vec<Token>>> {
    let mut plain = Vec::new();
    for alternative in tokens {
        let mut ways: Vec<Vec<Token>> = vec![Vec::new()];
        for token in alternative {
            let endings = match token {
                Token::Group(inside) => alternatives(inside)?,
                other => vec![vec![other.clone()]],
            };
            ways = ways
                .iter()
                .flat_map(|way| endings.iter().map(|ending| [&way[..], ending].concat()))
                .collect();
            if ways.len() > ALTERNATIVES_LIMIT {
                return None;
            }
        }
        plain.extend(ways);
        if plain.len() > ALTERNATIVES_LIMIT {
            return None;
        }
    }
    Some(plain)
}

/// What a run of pieces without groups asks for.
fn shape(tokens: &[Token]) -> Option<Shape> {
    // A match begins at the start whether or not the pattern says so.
    let tokens = tokens.strip_prefix(&[Token::Start]).unwrap_or(tokens);
    let (tokens, is_open) = match tokens.strip_prefix(&[Token::Anything]) {
        Some(rest) => (rest, true),
        None => (tokens, false),
    };
    let (tokens, is_ended) = match tokens.strip_suffix(&[Token::End]) {
        Some(rest) => (rest, true),
        None => (tokens, false),
    };
    let (tokens, goes_on) = match tokens.strip_suffix(&[Token::Anything]) {
        Some(rest) => (rest, true),
        None => (tokens, !is_ended),
    };
    let literal = tokens
        .iter()
        .map(|token| match token {
            Token::Literal(character) => Some(*character),
            Token::Start | Token::End | Token::Anything | Token::Group(_) => None,
        })
        .collect::<Option<String>>()?;
    Some(match (is_open, goes_on) {
        (false, true) => Shape::Starts(literal),
        (false, false) => Shape::Is(literal),
        (true, true) => Shape::Holds(literal),
        (true, false) => Shape::Ends(literal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, expected: &[Shape]) {
        assert_eq!(shapes(pattern).as_deref(), Some(expected), "{pattern}");
    }

    fn starts(text: &str) -> Shape {
        Shape::Starts(text.to_owned())
    }

    fn is(text: &str) -> Shape {
        Shape::Is(text.to_owned())
    }

    fn holds(text: &str) -> Shape {
        Shape::Holds(text.to_owned())
    }

    fn ends(text: &str) -> Shape {
        Shape::Ends(text.to_owned())
    }

    #[test]
    fn simple_patterns_are_said_without_a_pattern() {
        check("abc", &[starts("abc")]);
        check("^abc", &[starts("abc")]);
        check("^abc.*", &[starts("abc")]);
        check("^abc.*$", &[starts("abc")]);
        check("abc$", &[is("abc")]);
        check("^$", &[is("")]);
        check(".*abc", &[holds("abc")]);
        check(".*abc.*", &[holds("abc")]);
        check(".*?abc.*$", &[holds("abc")]);
        check(r".*@acme\.com$", &[ends("@acme.com")]);
        check(r"^\(\+1\)", &[starts("(+1)")]);
        check("grün", &[starts("grün")]);
    }

    #[test]
    fn alternatives_are_spelt_out() {
        check("^(a|b|c)$", &[is("a"), is("b"), is("c")]);
        check("(a|b)", &[starts("a"), starts("b")]);
        check("^a$|.*b", &[is("a"), holds("b")]);
        check(
            r".*@(?:a|b)\.(com|org)$",
            &[
                ends("@a.com"),
                ends("@a.org"),
                ends("@b.com"),
                ends("@b.org"),
            ],
        );
        check("a(b|)", &[starts("ab"), starts("a")]);
    }

    #[test]
    fn anything_else_is_no_simple_pattern() {
        for pattern in [
            "a+", "a*", "a?", "a{2}", "[ab]", r"\d", r"\w+@x", "a.c", ".+", "(?i)abc", "a$b",
            "a^b", "(a", "a)", r"a\", ".*a.*b", "(?=a)", "(a|b)*", r"\bfoo", "a.*b.*c$",
        ] {
            assert_eq!(shapes(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn patterns_with_very_many_alternatives_are_not_spelt_out() {
        assert_eq!(shapes(&"(a|b)".repeat(7)), None);
        assert_eq!(shapes(&vec!["a"; 65].join("|")), None);
        assert!(shapes(&"(a|b)".repeat(6)).is_some());
    }

    proptest::proptest! {
        /// The engine that matches the pattern itself has the last word.
        #[test]
        fn shapes_match_what_the_pattern_matches(
            pattern in r"\^?(\.\*)?[ab]{0,2}(\([ab]{0,2}\|[ab.\\]{0,2}\))?[ab]?(\.\*)?\$?(\|[ab]{1,2}\$?)?",
            text in "[ab.]{0,5}",
        ) {
            let Ok(regex) = regex::Regex::new(&pattern) else { return Ok(()) };
            let Some(shapes) = shapes(&pattern) else { return Ok(()) };
            let matches = regex.find(&text).is_some_and(|found| found.start() == 0);

            let said = shapes.iter().any(|shape| shape.matches(&text));
            proptest::prop_assert_eq!(said, matches, "{}", pattern);
        }
    }
}
