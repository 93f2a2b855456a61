//! Reads a JSON array into the texts that Python's `str` makes of its items.
//!
//! Core does not serialise and so has no JSON library. What is read is what Python's `json.loads` reads:
//! JSON, and `NaN`, `Infinity` and `-Infinity`.

use crate::Value;
use crate::text::{DIGIT_LIMIT, python_text};
use std::fmt::Write;

/// Deeper arrays are refused. Python raises an error at some depth too, depending on its own stack.
const DEPTH_LIMIT: usize = 64;

/// Why a text is no list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Malformed,
    TooDeep,
}

/// The items of an array. An item that is no valid text (half a surrogate pair) is left out.
pub(crate) fn parse(text: &str) -> Result<Vec<String>, Stop> {
    let mut reader = Reader {
        text,
        at: 0,
        broken: false,
    };
    let mut items = Vec::new();
    reader.sequence(']', |reader| {
        let mut item = String::new();
        reader.broken = false;
        reader.value(&mut item, 0)?;
        if !reader.broken {
            items.push(item);
        }
        Ok(())
    })?;
    reader.blanks();
    match reader.peek() {
        None => Ok(items),
        Some(_) => Err(Stop::Malformed),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// The item being read holds half a surrogate pair: no `str` can equal it.
    broken: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Result<char, Stop> {
        let character = self.peek().ok_or(Stop::Malformed)?;
        self.at += character.len_utf8();
        Ok(character)
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    /// Reads items between an opening bracket, commas and a closing one.
    fn sequence(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.next()?;
        self.blanks();
        if self.peek() == Some(close) {
            self.next()?;
            return Ok(());
        }
        loop {
            self.blanks();
            item(self)?;
            self.blanks();
            let next = self.next()?;
            if next == close {
                return Ok(());
            }
            if next != ',' {
                return Err(Stop::Malformed);
            }
        }
    }

    /// Reads a value and writes its `str`, or inside another value its `repr`.
    fn value(&mut self, out: &mut String, depth: usize) -> Result<(), Stop> {
        if depth > DEPTH_LIMIT {
            return Err(Stop::TooDeep);
        }
        match self.peek() {
            Some('"') => {
                let text = self.string()?;
                if depth == 0 {
                    out.push_str(&text);
                } else {
                    write_repr(out, &text);
                }
                Ok(())
            }
            Some('[') => {
                out.push('[');
                let mut separator = "";
                self.sequence(']', |reader| {
                    out.push_str(separator);
                    separator = ", ";
                    reader.value(out, depth + 1)
                })?;
                out.push(']');
                Ok(())
            }
            Some('{') => self.object(out, depth),
            _ => self.scalar(out),
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) -> Result<(), Stop> {
        out.push('{');
        let mut separator = "";
        self.sequence('}', |reader| {
            if reader.peek() != Some('"') {
                return Err(Stop::Malformed);
            }
            let key = reader.string()?;
            reader.blanks();
            if reader.next()? != ':' {
                return Err(Stop::Malformed);
            }
            reader.blanks();
            out.push_str(separator);
            separator = ", ";
            write_repr(out, &key);
            out.push_str(": ");
            reader.value(out, depth + 1)
        })?;
        out.push('}');
        Ok(())
    }

    fn scalar(&mut self, out: &mut String) -> Result<(), Stop> {
        let words = [
            ("true", "True"),
            ("false", "False"),
            ("null", "None"),
            ("NaN", "nan"),
            ("Infinity", "inf"),
            ("-Infinity", "-inf"),
        ];
        for (word, text) in words {
            if self.accept(word) {
                out.push_str(text);
                return Ok(());
            }
        }
        self.number(out)
    }

    fn number(&mut self, out: &mut String) -> Result<(), Stop> {
        let start = self.at;
        self.accept("-");
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.text[self.at - whole..].starts_with('0')) {
            return Err(Stop::Malformed);
        }
        let mut is_float = false;
        for marks in [&["."][..], &["e+", "e-", "e", "E+", "E-", "E"]] {
            if !marks.iter().any(|mark| self.accept(mark)) {
                continue;
            }
            // Python ends the number before the mark; what follows breaks the array all the same.
            if self.digits() == 0 {
                return Err(Stop::Malformed);
            }
            is_float = true;
        }
        let text = &self.text[start..self.at];
        if is_float {
            let number = text.parse().map_err(|_| Stop::Malformed)?;
            out.push_str(&python_text(&Value::Float(number)));
        } else if whole > DIGIT_LIMIT {
            return Err(Stop::Malformed);
        } else {
            out.push_str(if text == "-0" { "0" } else { text });
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let count = self
            .rest()
            .bytes()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.at += count;
        count
    }

    fn string(&mut self) -> Result<String, Stop> {
        self.next()?;
        let mut text = String::new();
        loop {
            match self.next()? {
                '"' => return Ok(text),
                '\\' => {
                    if let Some(character) = self.escape()? {
                        text.push(character);
                    }
                }
                character if character < ' ' => return Err(Stop::Malformed),
                character => text.push(character),
            }
        }
    }

    fn escape(&mut self) -> Result<Option<char>, Stop> {
        let character = match self.next()? {
            character @ ('"' | '\\' | '/') => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(),
            _ => return Err(Stop::Malformed),
        };
        Ok(Some(character))
    }

    fn unicode_escape(&mut self) -> Result<Option<char>, Stop> {
        let unit = self.hexadecimal()?;
        let start = self.at;
        if (0xd800..0xdc00).contains(&unit) && self.accept("\\u") {
            let low = self.hexadecimal()?;
            let pair = char::decode_utf16([unit, low]).next().and_then(Result::ok);
            if pair.is_some() {
                return Ok(pair);
            }
            self.at = start;
        }
        let character = char::from_u32(u32::from(unit));
        self.broken |= character.is_none();
        Ok(character)
    }

    fn hexadecimal(&mut self) -> Result<u16, Stop> {
        let digits = self.rest().get(..4).ok_or(Stop::Malformed)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Stop::Malformed);
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| Stop::Malformed)
    }
}

/// Python's `repr` of a text: single quotes unless only double quotes avoid an escape.
fn write_repr(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            character if character == quote => {
                out.push('\\');
                out.push(quote);
            }
            character if character.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(character));
            }
            character => out.push(character),
        }
    }
    out.push(quote);
}
