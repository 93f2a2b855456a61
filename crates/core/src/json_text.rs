//! Whether a text is JSON, without reading it into anything: core does not serialise.

/// Objects and lists may be nested so deeply in the value of a feature.
pub const DEPTH_LIMIT: usize = 64;

/// True for the text of one JSON object, as RFC 8259 has it.
///
/// Numbers must fit into a float, escaped surrogates must come in pairs, and nothing may be nested more than
/// 64 levels deep, so that every reader can take it.
#[must_use]
pub fn is_object(text: &str) -> bool {
    let mut reader = Reader {
        rest: text.as_bytes(),
    };
    reader.blanks();
    reader.rest.first() == Some(&b'{') && reader.value(0).is_some() && {
        reader.blanks();
        reader.rest.is_empty()
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn blanks(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn expect(&mut self, text: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.blanks();
        match self.rest.first()? {
            b'{' if depth < DEPTH_LIMIT => self.members(depth),
            b'[' if depth < DEPTH_LIMIT => self.items(depth),
            b'"' => self.string(),
            b't' => self.expect(b"true"),
            b'f' => self.expect(b"false"),
            b'n' => self.expect(b"null"),
            _ => self.number(),
        }
    }

    fn members(&mut self, depth: usize) -> Option<()> {
        self.expect(b"{")?;
        self.blanks();
        if self.expect(b"}").is_some() {
            return Some(());
        }
        loop {
            self.blanks();
            self.string()?;
            self.blanks();
            self.expect(b":")?;
            self.value(depth + 1)?;
            self.blanks();
            match self.take()? {
                b',' => {}
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn items(&mut self, depth: usize) -> Option<()> {
        self.expect(b"[")?;
        self.blanks();
        if self.expect(b"]").is_some() {
            return Some(());
        }
        loop {
            self.value(depth + 1)?;
            self.blanks();
            match self.take()? {
                b',' => {}
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn string(&mut self) -> Option<()> {
        self.expect(b"\"")?;
        loop {
            match self.take()? {
                b'"' => return Some(()),
                b'\\' => self.escape()?,
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match self.take()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => match self.unit()? {
                0xd800..=0xdbff => {
                    self.expect(b"\\u")?;
                    (0xdc00..=0xdfff).contains(&self.unit()?).then_some(())
                }
                0xdc00..=0xdfff => None,
                _ => Some(()),
            },
            _ => None,
        }
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| {
            Some(unit << 4 | char::from(self.take()?).to_digit(16)?)
        })
    }

    fn number(&mut self) -> Option<()> {
        let start = self.rest;
        let _ = self.expect(b"-");
        if self.expect(b"0").is_none() {
            self.digits()?;
        }
        if self.expect(b".").is_some() {
            self.digits()?;
        }
        if let [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            if let [b'+' | b'-', rest @ ..] = self.rest {
                self.rest = rest;
            }
            self.digits()?;
        }
        let text = std::str::from_utf8(&start[..start.len() - self.rest.len()]).ok()?;
        text.parse::<f64>().ok()?.is_finite().then_some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
        let count = count.count();
        self.rest = &self.rest[count..];
        (count > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_LIMIT, is_object};
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expected: bool) {
        assert_eq!(is_object(text), expected, "{text}");
    }

    #[test]
    fn objects_are_objects() {
        check("{}", true);
        check(" {\n} \t", true);
        check(
            r#"{"a": [1, -0.5e+3, true, false, null, "x"], "b": {"c": []}}"#,
            true,
        );
        check(r#"{"\u00e4\ud83d\ude00\n": "größe 😀"}"#, true);
    }

    #[test]
    fn everything_else_is_none() {
        for text in [
            "",
            "1",
            "[]",
            "null",
            "\"{}\"",
            "{",
            "{}}",
            "{} x",
            "{a: 1}",
            "{'a': 1}",
            "{\"a\"}",
            "{\"a\": }",
            "{\"a\": 1,}",
            "{\"a\": [1,]}",
            "{\"a\": 01}",
            "{\"a\": 1.}",
            "{\"a\": .5}",
            "{\"a\": +1}",
            "{\"a\": 1e}",
            "{\"a\": 1e999}",
            "{\"a\": NaN}",
            "{\"a\": truth}",
            "{\"a\": \"\n\"}",
            "{\"a\": \"\\x\"}",
            "{\"a\": \"\\ud800\"}",
            "{\"a\": \"\\ud800\\u0041\"}",
            "{\"a\": \"\\udc00\"}",
            "{\"a\": \"\\u00g0\"}",
            "{\"a\": \"",
        ] {
            check(text, false);
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| {
            let open = "[".repeat(depth - 1);
            let close = "]".repeat(depth - 1);
            format!("{{\"a\":{open}{close}}}")
        };
        check(&nested(DEPTH_LIMIT), true);
        check(&nested(DEPTH_LIMIT + 1), false);
        check(&nested(100_000), false);
    }

    proptest! {
        #[test]
        fn any_text_can_be_tried(text in "[{}\\[\\]\":,a1.e\\\\u0-9 -]{0,24}") {
            let _ = is_object(&text);
        }
    }
}
