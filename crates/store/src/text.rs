//! Texts on their way into columns: folding, index keys, lists of placeholders.

use flagstaff_core::fold;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::fmt::Write as _;

/// The most ids in one statement: databases limit the number of parameters.
pub(crate) const CHUNK: usize = 500;

/// Bytes that an index takes as they are; Postgres refuses entries over 2,704 bytes.
const INDEXED_BYTES: usize = 1000;

/// A text as unique indexes hold it: itself when short, else its beginning and its SHA-256.
pub(crate) fn index_key(text: &str) -> Cow<'_, str> {
    if text.len() <= INDEXED_BYTES {
        return Cow::Borrowed(text);
    }
    let beginning = text.floor_char_boundary(INDEXED_BYTES - 80);
    Cow::Owned(format!("{}…sha256:{}", &text[..beginning], sha256(text)))
}

/// What the index holds of every text that begins with this one.
pub(crate) fn index_beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(INDEXED_BYTES - 80)]
}

/// A name as unique indexes without regard to case hold it.
pub(crate) fn folded_key(name: &str) -> String {
    index_key(&fold(name)).into_owned()
}

fn sha256(text: &str) -> String {
    hexadecimal(&Sha256::digest(text.as_bytes()))
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// True for a text that some name or identifier can hold: they have no NUL, which Postgres refuses even in a question,
/// and at most 2,000 characters; SQLite refuses patterns over 50,000 bytes.
pub(crate) fn can_be_part(text: &str) -> bool {
    text.len() <= 8_000 && !text.contains('\0')
}

/// A pattern for `LIKE … ESCAPE '\'` that finds the text anywhere.
pub(crate) fn contains_pattern(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("%{escaped}%")
}

/// `$first, $first+1, …`: a list for `IN (…)`.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let mut list = String::with_capacity(count * 5);
    for number in first..first + count {
        if number > first {
            list.push_str(", ");
        }
        let _ = write!(list, "${number}");
    }
    list
}

/// A statement whose parameters stand there once each and in order, with parameters that have no names.
///
/// SQLite looks for a named one by walking over all before it, and a number behind a dollar is a name to it: a
/// statement of eight thousand takes most of a second to be read.
pub(crate) fn without_names(sql: &str) -> String {
    let mut pieces = sql.split('$');
    let mut statement = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        statement.push('?');
        statement.push_str(piece.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    statement
}

/// `($1, …, $w), ($w+1, …)`: the rows of a `VALUES`.
pub(crate) fn value_rows(width: usize, rows: usize) -> String {
    let mut list = String::with_capacity(rows * (width * 5 + 4));
    for row in 0..rows {
        if row > 0 {
            list.push_str(", ");
        }
        // Writing to a string cannot fail.
        let _ = write!(list, "({})", placeholders(row * width + 1, width));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_their_order_need_no_names() {
        let sql = format!("INSERT INTO t VALUES {}", value_rows(2, 2));

        assert_eq!(without_names(&sql), "INSERT INTO t VALUES (?, ?), (?, ?)");
    }
}
