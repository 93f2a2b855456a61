//! What attributes hold, as far as protocols differ about it.

use serde_json::Value as Json;

/// Something that may be said of the value that a caller has for an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttributeClass {
    /// Whatever it holds, also nothing.
    Anything,
    /// True or false, where something else is asked for.
    Boolean,
    /// A list; this server knows none.
    List,
    /// An object; this server knows its members only.
    Object,
    /// Text that reads as a decimal number: it is that number here, and text to flagd.
    NumberInText,
    /// A number that languages write differently, or cannot hold: beyond 2⁵³, with an exponent, with more than 15
    /// digits, or whole and sent with a fraction.
    UnusualNumber,
    /// Text that some clients read as a version, where a number is asked for.
    VersionInText,
    /// Text that some clients read as a version, though it is none by the specification: `v1.2.3`, `1.2`, ` 1.2.3`.
    LooseVersion,
    /// Text that begins or ends in a blank.
    BlankAtAnEnd,
    /// Text with anything but ASCII.
    BeyondAscii,
    /// Text with a character beyond U+FFFF, which is two to JavaScript.
    BeyondTheBasicPlane,
    /// Text with a line break, which `.` does not match.
    LineBreak,
}

impl AttributeClass {
    /// Each of them.
    pub const ALL: [Self; 12] = [
        Self::Anything,
        Self::Boolean,
        Self::List,
        Self::Object,
        Self::NumberInText,
        Self::UnusualNumber,
        Self::VersionInText,
        Self::LooseVersion,
        Self::BlankAtAnEnd,
        Self::BeyondAscii,
        Self::BeyondTheBasicPlane,
        Self::LineBreak,
    ];

    /// As diagnostics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anything => "anything",
            Self::Boolean => "boolean",
            Self::List => "list",
            Self::Object => "object",
            Self::NumberInText => "number_in_text",
            Self::UnusualNumber => "unusual_number",
            Self::VersionInText => "version_in_text",
            Self::LooseVersion => "loose_version",
            Self::BlankAtAnEnd => "blank_at_an_end",
            Self::BeyondAscii => "beyond_ascii",
            Self::BeyondTheBasicPlane => "beyond_the_basic_plane",
            Self::LineBreak => "line_break",
        }
    }

    /// True for a value of this class; null is what a missing attribute is.
    #[must_use]
    pub fn holds(self, value: &Json) -> bool {
        let is_text = |test: fn(&str) -> bool| value.as_str().is_some_and(test);
        match self {
            Self::Anything => true,
            Self::Boolean => value.is_boolean(),
            Self::List => value.is_array(),
            Self::Object => value.is_object(),
            Self::NumberInText => is_text(is_decimal),
            Self::UnusualNumber => match value {
                Json::Number(number) => is_unusual(number),
                _ => false,
            },
            Self::VersionInText => is_text(is_like_a_version),
            Self::LooseVersion => is_text(|text| is_like_a_version(text) && !is_strict(text)),
            Self::BlankAtAnEnd => is_text(|text| text.trim() != text),
            Self::BeyondAscii => is_text(|text| !text.is_ascii()),
            Self::BeyondTheBasicPlane => is_text(|text| text.chars().any(|c| c > '\u{ffff}')),
            Self::LineBreak => is_text(|text| text.contains(['\n', '\r', '\u{2028}', '\u{2029}'])),
        }
    }
}

impl AttributeClass {
    /// True for what decides who is hashed otherwise.
    pub(super) const fn is_of_placement(self) -> bool {
        matches!(self, Self::Anything | Self::BeyondAscii)
    }

    /// True for what text can be of.
    pub(super) const fn may_be_text(self) -> bool {
        !matches!(
            self,
            Self::Boolean | Self::List | Self::Object | Self::UnusualNumber
        )
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(unsigned),
    }
}

fn is_unusual(number: &serde_json::Number) -> bool {
    const WHOLE_NUMBER_LIMIT: f64 = 9_007_199_254_740_992.0;
    const SMALLEST_WITHOUT_EXPONENT: f64 = 1e-4;
    const DIGITS: usize = 15;

    let Some(float) = number.as_f64() else {
        return true;
    };
    if float.fract() == 0.0 {
        let is_written_whole = number.is_i64() || number.is_u64();
        return !is_written_whole || float.abs() >= WHOLE_NUMBER_LIMIT;
    }
    let digits = float.to_string();
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    float.abs() < SMALLEST_WITHOUT_EXPONENT || digits > DIGITS
}

/// Blanks around it, a `v` or `=` before it and missing or surplus parts are what clients overlook.
fn is_like_a_version(text: &str) -> bool {
    let bare = text.trim().trim_start_matches(['v', 'V', '=', ' ']);
    bare.starts_with(|first: char| first.is_ascii_digit())
}

/// Three numbers without leading zeros, and what may follow them.
fn is_strict(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let is_number = |part: &&str| is_digits(part) && (*part == "0" || !part.starts_with('0'));
    let rest = &text[core.len()..];
    let is_rest = rest
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'));
    parts.len() == 3 && parts.iter().all(is_number) && is_rest
}

#[cfg(test)]
mod tests {
    use super::AttributeClass;
    use serde_json::Value as Json;

    fn classes(json: &str) -> Vec<&'static str> {
        let value: Json = serde_json::from_str(json).unwrap();
        let of_value = AttributeClass::ALL
            .into_iter()
            .filter(|class| class.holds(&value));
        of_value.skip(1).map(AttributeClass::as_str).collect()
    }

    #[test]
    fn ordinary_values_are_of_no_class_of_their_own() {
        for json in [
            "null",
            "5",
            "-5",
            "5.5",
            "0",
            "\"pro\"",
            "\"\"",
            "\"two words\"",
        ] {
            assert_eq!(classes(json), [""; 0], "{json}");
        }
    }

    #[test]
    fn values_are_of_the_classes_that_protocols_differ_about() {
        let check = |json: &str, expected: &[&str]| assert_eq!(classes(json), expected, "{json}");

        check("true", &["boolean"]);
        check("[1]", &["list"]);
        check("{}", &["object"]);
        check("\"-5.0\"", &["number_in_text"]);
        check(
            "\"5\"",
            &["number_in_text", "version_in_text", "loose_version"],
        );
        check("5.0", &["unusual_number"]);
        check("9007199254740993", &["unusual_number"]);
        check("0.30000000000000004", &["unusual_number"]);
        check("1e-7", &["unusual_number"]);
        check("\"1.2.3\"", &["version_in_text"]);
        check("\"1.2.3-rc.1+b\"", &["version_in_text"]);
        check("\"v1.2.3\"", &["version_in_text", "loose_version"]);
        check("\" a\"", &["blank_at_an_end"]);
        check("\"é\"", &["beyond_ascii"]);
        check("\"😀\"", &["beyond_ascii", "beyond_the_basic_plane"]);
        check("\"a\\nb\"", &["line_break"]);
    }
}
