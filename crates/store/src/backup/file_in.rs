//! A backup on its way out of a file, checked line by line while it is handed on.

use super::line::read_row;
use super::schema::{Table, tables};
use super::{
    BackupError, BackupResult, BackupSummary, FORMAT, FORMAT_VERSION, Header, Receiver,
    TableSummary,
};
use crate::migrate::known_migrations;
use crate::text::hexadecimal;
use flagstaff_core::Timestamp;
use flate2::bufread::GzDecoder;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader, ErrorKind, Read};

/// Bytes that one line may have, far above any row that can be stored: a file that is none must not fill the memory.
const LINE_BYTES: u64 = 512 * 1024 * 1024;

/// The two bytes that every gzip file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Reads a backup and hands it on.
pub(crate) async fn read_file(
    from: impl Read + Send,
    receiver: &mut impl Receiver,
) -> BackupResult<BackupSummary> {
    let mut lines = Lines::open(from)?;
    let header = header(&mut lines)?;
    let tables = tables(header.schema_version).await?;
    receiver.begin(&header, &tables).await?;
    let mut summary = BackupSummary {
        schema_version: header.schema_version,
        tables: Vec::with_capacity(tables.len()),
    };
    for table in &tables {
        let read = read_table(&mut lines, table, receiver).await;
        summary
            .tables
            .push(read.map_err(|error| error.at(&table.name))?);
    }
    end(&mut lines, &summary)?;
    receiver.end(&summary).await?;
    Ok(summary)
}

/// Lines of a compressed file.
struct Lines<R: Read> {
    file: BufReader<GzDecoder<BufReader<R>>>,
    line: Vec<u8>,
    number: u64,
    /// Of all lines before this one.
    before: Sha256,
}

impl<R: Read> Lines<R> {
    fn open(from: R) -> BackupResult<Self> {
        let mut from = BufReader::new(from);
        let beginning = from.fill_buf().map_err(BackupError::File)?;
        if !beginning.starts_with(&GZIP) {
            let problem = if beginning.is_empty() {
                "it is empty"
            } else {
                "it is not compressed with gzip"
            };
            return Err(BackupError::NotABackup { problem });
        }
        Ok(Self {
            file: BufReader::with_capacity(64 * 1024, GzDecoder::new(from)),
            line: Vec::new(),
            number: 0,
            before: Sha256::new(),
        })
    }

    /// The next line without its line feed.
    fn next(&mut self) -> BackupResult<&[u8]> {
        self.before.update(&self.line);
        self.line.clear();
        self.number += 1;
        let mut limited = (&mut self.file).take(LINE_BYTES);
        let read = limited.read_until(b'\n', &mut self.line);
        read.map_err(|error| self.unreadable(error))?;
        match self.line.split_last() {
            Some((b'\n', line)) => Ok(line),
            Some(_) if self.line.len() as u64 >= LINE_BYTES => {
                Err(self.altered("is longer than any row"))
            }
            _ => Err(self.cut_off()),
        }
    }

    fn unreadable(&self, error: std::io::Error) -> BackupError {
        match error.kind() {
            ErrorKind::UnexpectedEof => self.cut_off(),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => self.altered("cannot be unpacked"),
            _ => BackupError::File(error),
        }
    }

    fn cut_off(&self) -> BackupError {
        BackupError::Truncated {
            place: format!("in line {}", self.number),
        }
    }

    fn altered(&self, problem: &str) -> BackupError {
        BackupError::altered(format!("line {} {problem}", self.number))
    }

    /// The next line, which has to be an object.
    fn next_object(&mut self) -> BackupResult<Map<String, Value>> {
        let parsed = serde_json::from_slice(self.next()?);
        match parsed {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) | Err(_) => Err(self.altered("is not what stands there")),
        }
    }

    /// Insists that nothing follows, neither compressed nor behind it.
    fn nothing_follows(&mut self) -> BackupResult<()> {
        let mut byte = [0];
        let unpacked = self.file.read(&mut byte);
        if unpacked.map_err(|error| self.unreadable(error))? > 0 {
            return Err(BackupError::altered("it goes on after its last line"));
        }
        let behind = self.file.get_mut().get_mut().read(&mut byte);
        if behind.map_err(BackupError::File)? > 0 {
            return Err(BackupError::altered("something was added to it"));
        }
        Ok(())
    }
}

fn header<R: Read>(lines: &mut Lines<R>) -> BackupResult<Header> {
    let object = match lines.next_object() {
        Ok(object) if object.get("format").and_then(Value::as_str) == Some(FORMAT) => object,
        Ok(_) | Err(BackupError::Altered { .. }) => {
            return Err(BackupError::NotABackup {
                problem: "its first line is not that of a backup",
            });
        }
        Err(error) => return Err(error),
    };
    let number = |name: &str| {
        let number = object.get(name).and_then(Value::as_i64);
        number.ok_or_else(|| BackupError::altered(format!("its first line lacks `{name}`")))
    };
    let format = number("format_version")?;
    if format > FORMAT_VERSION {
        return Err(BackupError::NewerFormat {
            found: format,
            known: FORMAT_VERSION,
        });
    }
    let schema_version = number("schema_version")?;
    let known = known_migrations();
    let newest = known.last().copied().unwrap_or_default();
    if schema_version > newest {
        return Err(BackupError::NewerSchema {
            found: schema_version,
            known: newest,
        });
    }
    if !known.contains(&schema_version) {
        let problem = format!("there is no migration {schema_version}");
        return Err(BackupError::altered(problem));
    }
    let instance = object.get("instance").and_then(Value::as_str);
    Ok(Header {
        schema_version,
        made_at: Timestamp::from_micros(number("made_at")?),
        instance: instance.map(str::to_owned),
    })
}

async fn read_table<R: Read + Send>(
    lines: &mut Lines<R>,
    table: &Table,
    receiver: &mut impl Receiver,
) -> BackupResult<TableSummary> {
    check_table(lines, table)?;
    receiver.begin_table(table).await?;
    let mut digest = Sha256::new();
    let mut rows = 0;
    loop {
        let parsed = serde_json::from_slice(lines.next()?);
        match parsed {
            Ok(Value::Array(values)) => {
                let cells = read_row(table, values)
                    .ok_or_else(|| lines.altered(&format!("is no row of `{}`", table.name)))?;
                digest.update(&lines.line);
                rows += 1;
                receiver.row(table, &lines.line, cells).await?;
            }
            Ok(Value::Object(object)) => {
                let summary = TableSummary {
                    name: table.name.clone(),
                    rows,
                    sha256: hexadecimal(&digest.finalize()),
                    last_id: object.get("last_id").and_then(Value::as_i64),
                };
                check_end(lines, &object, &summary)?;
                if summary.last_id.is_some() != table.gives_ids {
                    return Err(lines.altered("is not the end of its table"));
                }
                receiver.end_table(table, &summary).await?;
                return Ok(summary);
            }
            Ok(_) | Err(_) => return Err(lines.altered("is neither a row nor the end of a table")),
        }
    }
}

/// Insists that the next line begins this table, with its columns.
fn check_table<R: Read>(lines: &mut Lines<R>, table: &Table) -> BackupResult<()> {
    let object = lines.next_object()?;
    let columns = object.get("columns").and_then(Value::as_object);
    let fits = columns.is_some_and(|columns| {
        let mut expected = table.columns.iter();
        columns.len() == table.columns.len()
            && columns.iter().all(|(name, kind)| {
                expected.next().is_some_and(|column| {
                    column.name == *name && kind.as_str() == Some(column.kind.as_str())
                })
            })
    });
    if !fits || object.get("table").and_then(Value::as_str) != Some(&table.name) {
        return Err(lines.altered(&format!("does not begin table `{}`", table.name)));
    }
    Ok(())
}

/// Insists that the end of a table fits its rows.
fn check_end<R: Read>(
    lines: &Lines<R>,
    object: &Map<String, Value>,
    summary: &TableSummary,
) -> BackupResult<()> {
    if object.get("end_of").and_then(Value::as_str) != Some(&summary.name) {
        return Err(lines.altered(&format!("does not end table `{}`", summary.name)));
    }
    let is_whole = object.get("rows").and_then(Value::as_u64) == Some(summary.rows)
        && object.get("sha256").and_then(Value::as_str) == Some(&summary.sha256);
    if !is_whole {
        let problem = format!("the rows of table `{}` are others", summary.name);
        return Err(BackupError::altered(problem));
    }
    Ok(())
}

/// Insists that the last line fits everything before it, and that nothing follows.
fn end<R: Read>(lines: &mut Lines<R>, summary: &BackupSummary) -> BackupResult<()> {
    let object = lines.next_object()?;
    let sha256 = hexadecimal(&lines.before.clone().finalize());
    let is_whole = object.get("end_of").and_then(Value::as_str) == Some(FORMAT)
        && object.get("rows").and_then(Value::as_u64) == Some(summary.rows())
        && object.get("sha256").and_then(Value::as_str) == Some(&sha256);
    if !is_whole {
        return Err(lines.altered("does not end what stands before it"));
    }
    lines.nothing_follows()
}
