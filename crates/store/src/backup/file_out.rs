//! A backup on its way into a file: lines of JSON, compressed with gzip.

use super::schema::Table;
use super::{
    BackupError, BackupResult, BackupSummary, Cell, FORMAT, FORMAT_VERSION, Header, Receiver,
    TableSummary,
};
use crate::text::hexadecimal;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::io::Write;

/// Writes a backup.
pub(crate) struct FileOut<W: Write> {
    /// `None` once the end was written.
    file: Option<GzEncoder<W>>,
    /// Of everything so far.
    digest: Sha256,
}

impl<W: Write> FileOut<W> {
    pub(crate) fn new(to: W) -> Self {
        Self {
            // More effort makes files a tenth smaller and takes three times as long.
            file: Some(GzEncoder::new(to, Compression::new(4))),
            digest: Sha256::new(),
        }
    }

    fn write(&mut self, line: &[u8]) -> BackupResult<()> {
        self.digest.update(line);
        match &mut self.file {
            Some(file) => file.write_all(line).map_err(BackupError::File),
            None => Ok(()),
        }
    }

    fn write_object(&mut self, object: &Value) -> BackupResult<()> {
        self.write(format!("{object}\n").as_bytes())
    }
}

impl<W: Write + Send> Receiver for FileOut<W> {
    async fn begin(&mut self, header: &Header, tables: &[Table]) -> BackupResult<()> {
        let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        self.write_object(&json!({
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "schema_version": header.schema_version,
            "made_by": concat!("flagstaff ", env!("CARGO_PKG_VERSION")),
            "made_at": header.made_at.micros(),
            "instance": header.instance,
            "tables": names,
        }))
    }

    async fn begin_table(&mut self, table: &Table) -> BackupResult<()> {
        let columns = table.columns.iter().map(|column| {
            let kind = Value::from(column.kind.as_str());
            (column.name.clone(), kind)
        });
        let columns: Map<_, _> = columns.collect();
        self.write_object(&json!({"table": table.name, "columns": columns}))
    }

    async fn row(&mut self, _table: &Table, line: &[u8], _cells: Vec<Cell>) -> BackupResult<()> {
        self.write(line)
    }

    async fn end_table(&mut self, table: &Table, summary: &TableSummary) -> BackupResult<()> {
        self.write_object(&json!({
            "end_of": table.name,
            "rows": summary.rows,
            "sha256": summary.sha256,
            "last_id": summary.last_id,
        }))
    }

    async fn end(&mut self, summary: &BackupSummary) -> BackupResult<()> {
        let sha256 = hexadecimal(&self.digest.clone().finalize());
        self.write_object(&json!({
            "end_of": FORMAT,
            "tables": summary.tables.len(),
            "rows": summary.rows(),
            "sha256": sha256,
        }))?;
        if let Some(file) = self.file.take() {
            let mut to = file.finish().map_err(BackupError::File)?;
            to.flush().map_err(BackupError::File)?;
        }
        Ok(())
    }
}
