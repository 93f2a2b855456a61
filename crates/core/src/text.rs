//! Text forms and number parsing as Python has them: Flagsmith's rules are defined by them.
//!
//! Facts taken from running CPython 3.11 (`str`, `int`, `float`); the same for every later version.

use crate::Value;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// The most digits Python turns from or into text; beyond it raises an error.
pub(crate) const DIGIT_LIMIT: usize = 4300;

/// A value as Python's `str` writes it: `True`, `1.5`, `1e+16`; `None` for no value.
///
/// Identifiers of anonymous callers and percentage splits are hashes over this text.
#[must_use]
pub fn python_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed("None"),
        Value::Boolean(true) => Cow::Borrowed("True"),
        Value::Boolean(false) => Cow::Borrowed("False"),
        Value::Integer(number) => Cow::Owned(number.to_string()),
        Value::BigInteger(text) | Value::Text(text) => Cow::Borrowed(text),
        Value::Float(number) => {
            let mut buffer = TextBuffer::new();
            buffer.float(*number);
            Cow::Owned(buffer.as_str().to_owned())
        }
    }
}

/// A whole number as Python's `int` reads it, or `None` where that raises an error.
///
/// Blanks around it, a sign, leading zeros, single underscores between digits and digits of every
/// script are fine; more than 4,300 digits are not.
#[must_use]
pub fn parse_integer(text: &str) -> Option<Value> {
    let plain = plain_digits(text.trim())?;
    let digits = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let readable = !digits.is_empty()
        && digits.len() <= DIGIT_LIMIT
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !readable {
        return None;
    }
    if let Ok(number) = plain.parse() {
        return Some(Value::Integer(number));
    }
    let sign = if plain.starts_with('-') { "-" } else { "" };
    let digits = digits.trim_start_matches('0');
    Some(Value::BigInteger(format!("{sign}{digits}").into()))
}

/// A number as Python's `float` reads it, or `None` where that raises an error.
///
/// Besides decimal forms: `inf`, `infinity` and `nan` in any case, blanks around it, single underscores
/// between digits, digits of every script. Too large a number is infinite.
#[must_use]
pub fn parse_float(text: &str) -> Option<f64> {
    // Once digits and underscores are plain, Rust and Python read the same forms.
    plain_digits(text.trim())?.parse().ok()
}

/// Digits of all scripts as ASCII, without the underscores that Python allows between digits.
fn plain_digits(text: &str) -> Option<Cow<'_, str>> {
    if text.bytes().all(|byte| byte.is_ascii() && byte != b'_') {
        return Some(Cow::Borrowed(text));
    }
    let mut plain = String::with_capacity(text.len());
    let mut after_digit = false;
    let mut after_underscore = false;
    for character in text.chars() {
        let digit = decimal_digit(character);
        if after_underscore && digit.is_none() {
            return None;
        }
        if character == '_' {
            if !after_digit {
                return None;
            }
            after_underscore = true;
            after_digit = false;
            continue;
        }
        plain.push(digit.unwrap_or(character));
        after_digit = digit.is_some();
        after_underscore = false;
    }
    (!after_underscore).then_some(Cow::Owned(plain))
}

/// The ASCII digit of the same value as a decimal digit of any script.
fn decimal_digit(character: char) -> Option<char> {
    let code = u32::from(character);
    let after = ZERO_DIGITS.partition_point(|zero| *zero <= code);
    let zero = ZERO_DIGITS.get(after.checked_sub(1)?)?;
    char::from_digit(code - zero, 10)
}

/// The digit zero of every script in Unicode 14; its nine successors follow it directly.
const ZERO_DIGITS: [u32; 66] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
    0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// Room for the text of a number, so that writing one during an evaluation allocates nothing.
#[derive(Debug)]
pub(crate) struct TextBuffer {
    bytes: [u8; 40],
    length: usize,
}

impl TextBuffer {
    pub(crate) fn new() -> Self {
        Self {
            bytes: [0; 40],
            length: 0,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only whole `str`s are ever written.
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }

    pub(crate) fn integer(&mut self, number: i64) {
        // The longest `i64` has 20 characters: it fits.
        let _ = write!(self, "{number}");
    }

    /// Writes a float as Python's `repr`: the shortest digits that read back as the same number.
    pub(crate) fn float(&mut self, number: f64) {
        // At most 17 digits with sign, point, zeros and exponent: it fits.
        let _ = self.write_float(number);
    }

    fn write_float(&mut self, number: f64) -> fmt::Result {
        if number.is_nan() {
            return self.write_str("nan");
        }
        if number.is_sign_negative() {
            self.write_char('-')?;
        }
        if number.is_infinite() {
            return self.write_str("inf");
        }
        // Rust's shortest digits, as `d.ddde-5`: only the layout differs from Python's.
        let mut scientific = Self::new();
        write!(scientific, "{:e}", number.abs())?;
        let (mantissa, exponent) = scientific.as_str().split_once('e').unwrap_or_default();
        let exponent: i32 = exponent.parse().unwrap_or_default();
        if !(-4..16).contains(&exponent) {
            let sign = if exponent < 0 { '-' } else { '+' };
            return write!(self, "{mantissa}e{sign}{:02}", exponent.abs());
        }
        self.write_fixed(mantissa, exponent)
    }

    fn write_fixed(&mut self, mantissa: &str, exponent: i32) -> fmt::Result {
        let digits = mantissa.bytes().filter(|byte| *byte != b'.');
        let count = digits.clone().count() as i32;
        if exponent < 0 {
            self.write_str("0.")?;
            for _ in 1..-exponent {
                self.write_char('0')?;
            }
        }
        for (position, digit) in (0..).zip(digits) {
            self.write_char(char::from(digit))?;
            if position == exponent && position + 1 < count {
                self.write_char('.')?;
            }
        }
        for _ in count..=exponent {
            self.write_char('0')?;
        }
        if count <= exponent + 1 {
            self.write_str(".0")?;
        }
        Ok(())
    }
}

impl Write for TextBuffer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{parse_float, parse_integer, python_text};
    use crate::Value;
    use proptest::prelude::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        let floats = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (1.5, "1.5"),
            (-1.5, "-1.5"),
            (100.0, "100.0"),
            (123_456.789, "123456.789"),
            (0.1, "0.1"),
            (0.001_5, "0.0015"),
            (0.000_1, "0.0001"),
            (0.000_01, "1e-05"),
            (0.000_012_5, "1.25e-05"),
            (1e15, "1000000000000000.0"),
            (1_234_567_890_123_456.0, "1234567890123456.0"),
            (123_456_789_012_345.6, "123456789012345.6"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (1.7e308, "1.7e+308"),
            (-2.225_073_858_507_201_4e-308, "-2.2250738585072014e-308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-f64::NAN, "nan"),
        ];

        for (float, expected) in floats {
            assert_eq!(python_text(&Value::Float(float)), expected);
        }
    }

    #[test]
    fn values_have_pythons_text_forms() {
        let values = [
            (Value::Null, "None"),
            (Value::Boolean(true), "True"),
            (Value::Boolean(false), "False"),
            (Value::Integer(i64::MIN), "-9223372036854775808"),
            (
                Value::BigInteger("9223372036854775808".into()),
                "9223372036854775808",
            ),
            (Value::text("True"), "True"),
        ];

        for (value, expected) in values {
            assert_eq!(python_text(&value), expected);
        }
    }

    #[test]
    fn integers_are_read_as_python_reads_them() {
        let small = |number| Some(Value::Integer(number));
        let texts = [
            ("10", small(10)),
            ("+10", small(10)),
            ("-10", small(-10)),
            (" 10\n", small(10)),
            ("\u{2009}10\u{3000}", small(10)),
            ("010", small(10)),
            ("-0", small(0)),
            ("1_0", small(10)),
            ("0_1", small(1)),
            ("١٠", small(10)),
            ("1٠", small(10)),
            ("𝟗", small(9)),
            ("9223372036854775807", small(i64::MAX)),
            (
                "0009223372036854775808",
                Some(Value::BigInteger("9223372036854775808".into())),
            ),
            (
                "-9223372036854775809",
                Some(Value::BigInteger("-9223372036854775809".into())),
            ),
            (
                "+9223372036854775808",
                Some(Value::BigInteger("9223372036854775808".into())),
            ),
            ("", None),
            (" ", None),
            ("+", None),
            ("--1", None),
            ("- 10", None),
            ("1.0", None),
            ("1e3", None),
            ("1__0", None),
            ("_10", None),
            ("10_", None),
            ("-_10", None),
            ("0x10", None),
            ("\u{1c}10", None),
            ("\u{0}10", None),
            ("None", None),
        ];

        for (text, expected) in texts {
            assert_eq!(parse_integer(text), expected, "{text:?}");
        }
    }

    #[test]
    fn more_than_4300_digits_are_no_integer() {
        assert!(parse_integer(&"1".repeat(4300)).is_some());
        assert!(parse_integer(&format!("-{}", "1_".repeat(4299) + "1")).is_some());
        assert!(parse_integer(&"1".repeat(4301)).is_none());
        assert!(parse_integer(&"0".repeat(4301)).is_none());
    }

    #[test]
    fn floats_are_read_as_python_reads_them() {
        let texts = [
            ("1", Some(1.0)),
            (" 1.5\n", Some(1.5)),
            ("1_0.5", Some(10.5)),
            ("1e1_0", Some(1e10)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("+.5e+1", Some(5.0)),
            ("٥.٥", Some(5.5)),
            ("1e999", Some(f64::INFINITY)),
            ("inf", Some(f64::INFINITY)),
            ("-INFINITY", Some(f64::NEG_INFINITY)),
            ("1_.5", None),
            ("1._5", None),
            ("1_e5", None),
            ("_1", None),
            ("1_", None),
            (".", None),
            ("", None),
            ("+", None),
            ("e5", None),
            ("1e", None),
            ("1,5", None),
            ("i_nf", None),
            ("0x1p3", None),
            ("1.5x", None),
        ];

        for (text, expected) in texts {
            assert_eq!(parse_float(text), expected, "{text:?}");
        }
        assert!(parse_float("-NaN").is_some_and(f64::is_nan));
    }

    proptest! {
        #[test]
        fn a_written_float_reads_back_the_same(bits: u64) {
            let float = f64::from_bits(bits);
            prop_assume!(!float.is_nan());
            let text = python_text(&Value::Float(float)).into_owned();
            prop_assert_eq!(parse_float(&text).map(f64::to_bits), Some(bits));
        }

        #[test]
        fn any_text_can_be_tried(text: String) {
            let _ = (parse_integer(&text), parse_float(&text));
        }
    }
}
