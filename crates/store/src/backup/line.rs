//! A row as a line of a backup: a JSON array of its values, in the order of the columns.
//!
//! There is exactly one way to write a row, so that equal rows have equal checksums.

use super::schema::{Kind, Table};
use super::{BackupError, BackupResult, Cell};
use serde_json::Value;

/// What numbers that JSON has no word for are written as.
const NOT_A_NUMBER: &str = "NaN";
const INFINITY: &str = "Infinity";
const MINUS_INFINITY: &str = "-Infinity";

/// Replaces `line` by a row with its line feed.
pub(crate) fn write_row(line: &mut Vec<u8>, cells: &[Cell]) -> BackupResult<()> {
    line.clear();
    line.push(b'[');
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            line.push(b',');
        }
        let written = match cell {
            Cell::Integer(value) => serde_json::to_writer(&mut *line, value),
            Cell::Boolean(value) => serde_json::to_writer(&mut *line, value),
            Cell::Text(value) => serde_json::to_writer(&mut *line, value),
            Cell::Real(Some(value)) if value.is_nan() => {
                serde_json::to_writer(&mut *line, NOT_A_NUMBER)
            }
            Cell::Real(Some(value)) if value.is_infinite() => {
                let word = if *value > 0.0 {
                    INFINITY
                } else {
                    MINUS_INFINITY
                };
                serde_json::to_writer(&mut *line, word)
            }
            // SQLite stores a negative zero as zero; nothing here tells them apart.
            Cell::Real(value) => serde_json::to_writer(&mut *line, &value.map(|value| value + 0.0)),
        };
        written.map_err(|error| BackupError::File(error.into()))?;
    }
    line.extend_from_slice(b"]\n");
    Ok(())
}

/// Reads a row; `None` when it is none of this table.
pub(crate) fn read_row(table: &Table, values: Vec<Value>) -> Option<Vec<Cell>> {
    if values.len() != table.columns.len() {
        return None;
    }
    let cells = table.columns.iter().zip(values);
    cells
        .map(|(column, value)| cell(column.kind, value))
        .collect()
}

fn cell(kind: Kind, value: Value) -> Option<Cell> {
    Some(match (kind, value) {
        (Kind::Integer, Value::Null) => Cell::Integer(None),
        (Kind::Integer, Value::Number(number)) => Cell::Integer(Some(number.as_i64()?)),
        (Kind::Boolean, Value::Null) => Cell::Boolean(None),
        (Kind::Boolean, Value::Bool(value)) => Cell::Boolean(Some(value)),
        (Kind::Text, Value::Null) => Cell::Text(None),
        (Kind::Text, Value::String(text)) => Cell::Text(Some(text)),
        (Kind::Real, Value::Null) => Cell::Real(None),
        (Kind::Real, Value::Number(number)) => Cell::Real(Some(number.as_f64()?)),
        (Kind::Real, Value::String(word)) => Cell::Real(Some(match word.as_str() {
            NOT_A_NUMBER => f64::NAN,
            INFINITY => f64::INFINITY,
            MINUS_INFINITY => f64::NEG_INFINITY,
            _ => return None,
        })),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::schema::Column;
    use super::*;

    fn table(kinds: &[Kind]) -> Table {
        let columns = kinds.iter().map(|kind| Column {
            name: "column".to_owned(),
            kind: *kind,
        });
        Table {
            name: "table".to_owned(),
            columns: columns.collect(),
            key: Vec::new(),
            gives_ids: false,
        }
    }

    fn check(kind: Kind, cell: Cell, expected: &str) {
        let mut line = Vec::new();
        write_row(&mut line, std::slice::from_ref(&cell)).unwrap();

        assert_eq!(String::from_utf8(line.clone()).unwrap(), expected);
        let values: Vec<Value> = serde_json::from_slice(&line).unwrap();
        let read = read_row(&table(&[kind]), values).unwrap();
        // NaN equals nothing, so what is compared is how it is written.
        let mut again = Vec::new();
        write_row(&mut again, &read).unwrap();
        assert_eq!(again, line);
    }

    #[test]
    fn each_value_is_written_in_one_way_and_read_again() {
        check(
            Kind::Integer,
            Cell::Integer(Some(i64::MIN)),
            "[-9223372036854775808]\n",
        );
        check(Kind::Integer, Cell::Integer(None), "[null]\n");
        check(Kind::Boolean, Cell::Boolean(Some(false)), "[false]\n");
        check(
            Kind::Text,
            Cell::Text(Some("a \"b\"\n\u{1}é😀".to_owned())),
            "[\"a \\\"b\\\"\\n\\u0001é😀\"]\n",
        );
        check(
            Kind::Text,
            Cell::Text(Some("NaN".to_owned())),
            "[\"NaN\"]\n",
        );
        check(
            Kind::Real,
            Cell::Real(Some(0.1 + 0.2)),
            "[0.30000000000000004]\n",
        );
        check(Kind::Real, Cell::Real(Some(-0.0)), "[0.0]\n");
        check(
            Kind::Real,
            Cell::Real(Some(f64::MIN_POSITIVE)),
            "[2.2250738585072014e-308]\n",
        );
        check(Kind::Real, Cell::Real(Some(f64::NAN)), "[\"NaN\"]\n");
        check(
            Kind::Real,
            Cell::Real(Some(f64::NEG_INFINITY)),
            "[\"-Infinity\"]\n",
        );
    }

    #[test]
    fn a_row_of_another_shape_is_refused() {
        let table = table(&[Kind::Integer, Kind::Text]);
        let read = |text: &str| read_row(&table, serde_json::from_str(text).unwrap());

        assert!(read(r#"[1, "a"]"#).is_some());
        assert!(read(r#"[1]"#).is_none());
        assert!(read(r#"[1, "a", null]"#).is_none());
        assert!(read(r#"["1", "a"]"#).is_none());
        assert!(read(r#"[1.5, "a"]"#).is_none());
        assert!(read(r#"[1, 2]"#).is_none());
        assert!(read(r#"[9223372036854775808, "a"]"#).is_none());
    }
}
