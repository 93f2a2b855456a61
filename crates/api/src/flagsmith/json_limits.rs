//! How deep and how large a JSON text may be, found out before anything is built from it.

/// What a text may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JsonLimits {
    /// Levels of lists and objects.
    pub(crate) depth: usize,
    /// Members and items, all levels together.
    pub(crate) values: usize,
}

/// Which limit a text breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonLimit {
    #[error("it is nested more than {0} levels deep")]
    Depth(usize),
    #[error("it holds more than {0} values")]
    Values(usize),
}

/// Scans a text once. What is no JSON passes here and fails in the parser.
pub(crate) fn check(text: &[u8], limits: JsonLimits) -> Result<(), JsonLimit> {
    if is_small(text, limits) {
        return Ok(());
    }
    let (mut depth, mut values) = (0_usize, 1_usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_text(&mut bytes),
            b'[' | b'{' => {
                depth += 1;
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        if depth > limits.depth {
            return Err(JsonLimit::Depth(limits.depth));
        }
        if values > limits.values {
            return Err(JsonLimit::Values(limits.values));
        }
    }
    Ok(())
}

/// True for a text that has too few bytes, and too few brackets of any kind, to break a limit: nearly every one. This
/// looks at many bytes at once.
fn is_small(text: &[u8], limits: JsonLimits) -> bool {
    // With this bit set, `[` is `{`, and nothing else is.
    let is_opening = |byte: &&u8| **byte | 0x20 == b'{';
    text.len() < limits.values && text.iter().filter(is_opening).count() <= limits.depth
}

fn skip_text(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str, expected: Result<(), JsonLimit>) {
        let limits = JsonLimits {
            depth: 3,
            values: 6,
        };
        assert_eq!(check(text.as_bytes(), limits), expected, "{text}");
    }

    #[test]
    fn depth_and_values_are_counted_outside_of_texts() {
        check_text("[[[1]]]", Ok(()));
        check_text("[[[[1]]]]", Err(JsonLimit::Depth(3)));
        check_text(r#"["[[[[,,,,,,,,", "\"[[[["]"#, Ok(()));
        check_text("[1,2,3,4,5]", Ok(()));
        check_text("[1,2,3,4,5,6]", Err(JsonLimit::Values(6)));
        check_text("]]]][[[", Ok(()));
        check_text("[{[", Ok(()));
        check_text("[{{[", Err(JsonLimit::Depth(3)));
    }
}
