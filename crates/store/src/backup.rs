//! The whole database in one file, and back: also from one kind of database to the other.
//!
//! Which tables there are is not listed here: the migrations say it (see [`schema`]), so a new table is carried without
//! anybody thinking of it. `docs/reference/backup-format.md` describes the file.

mod dump;
mod error;
mod file_in;
mod file_out;
mod line;
mod load;
mod schema;
#[cfg(test)]
mod tests;

pub use error::{BackupError, BackupResult};

use crate::Store;
use dump::dump;
use file_in::read_file;
use file_out::FileOut;
use flagstaff_core::Timestamp;
use load::Load;
use schema::Table;
use std::io::{Read, Write};

/// Number of the file's form. Raised when an older program would read a newer file wrongly.
pub(crate) const FORMAT_VERSION: i64 = 1;

/// What the first line of every backup calls itself.
pub(crate) const FORMAT: &str = "flagstaff backup";

/// What was carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSummary {
    /// Number of the newest migration that the data has had.
    pub schema_version: i64,
    /// Every table, in the order in which they are carried.
    pub tables: Vec<TableSummary>,
}

impl BackupSummary {
    /// Rows of all tables.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// One table as it was carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSummary {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of the rows as a backup writes them, in the order of the primary key, in hexadecimal digits. It is the
    /// same whichever database holds them.
    pub sha256: String,
    /// The highest id that was ever given; `None` where the table gives none.
    pub last_id: Option<i64>,
}

/// What a backup begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Number of the newest migration that the data has had.
    schema_version: i64,
    made_at: Timestamp,
    /// The installation's id, for people who wonder where a file comes from.
    instance: Option<String>,
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    Integer(Option<i64>),
    Real(Option<f64>),
    Boolean(Option<bool>),
    Text(Option<String>),
}

/// Takes a backup, piece by piece: a file, another database, or nobody, where only the sums are wanted.
pub(crate) trait Receiver: Send {
    /// What is to come.
    fn begin(
        &mut self,
        header: &Header,
        tables: &[Table],
    ) -> impl Future<Output = BackupResult<()>> + Send;
    /// The next table, before its rows.
    fn begin_table(&mut self, table: &Table) -> impl Future<Output = BackupResult<()>> + Send;
    /// A row, as it stands in a file and as values.
    fn row(
        &mut self,
        table: &Table,
        line: &[u8],
        cells: Vec<Cell>,
    ) -> impl Future<Output = BackupResult<()>> + Send;
    /// The end of a table.
    fn end_table(
        &mut self,
        table: &Table,
        summary: &TableSummary,
    ) -> impl Future<Output = BackupResult<()>> + Send;
    /// The end of all tables.
    fn end(&mut self, summary: &BackupSummary) -> impl Future<Output = BackupResult<()>> + Send;
}

/// Takes everything and keeps nothing: for whoever wants the sums alone.
pub(crate) struct Nobody;

impl Receiver for Nobody {
    async fn begin(&mut self, _header: &Header, _tables: &[Table]) -> BackupResult<()> {
        Ok(())
    }

    async fn begin_table(&mut self, _table: &Table) -> BackupResult<()> {
        Ok(())
    }

    async fn row(&mut self, _table: &Table, _line: &[u8], _cells: Vec<Cell>) -> BackupResult<()> {
        Ok(())
    }

    async fn end_table(&mut self, _table: &Table, _summary: &TableSummary) -> BackupResult<()> {
        Ok(())
    }

    async fn end(&mut self, _summary: &BackupSummary) -> BackupResult<()> {
        Ok(())
    }
}

impl Store {
    /// Writes everything, as of one moment, to a file. Others may go on reading and writing meanwhile.
    ///
    /// # Errors
    /// When the database does not answer or was written by a newer version, or the file takes nothing.
    pub async fn back_up(
        &self,
        to: impl Write + Send,
        now: Timestamp,
    ) -> BackupResult<BackupSummary> {
        let mut file = FileOut::new(to);
        dump(self, now, &mut file).await
    }

    /// Fills this database, which has to be empty, with what a backup holds, and brings it to this version. All of it
    /// is one transaction: after an error nothing has changed. What was written is read again and compared.
    ///
    /// # Errors
    /// When the database is not empty or does not answer, and when the file is no backup, is of a newer version, was cut
    /// off or changed.
    pub async fn restore(
        &self,
        from: impl Read + Send,
        now: Timestamp,
    ) -> BackupResult<BackupSummary> {
        let mut load = Load::new(self, now);
        read_file(from, &mut load).await
    }

    /// Fills another database, which has to be empty, with everything that is in this one, and brings it to this version.
    ///
    /// # Errors
    /// As those of [`Store::back_up`] and [`Store::restore`].
    pub async fn copy_to(&self, target: &Self, now: Timestamp) -> BackupResult<BackupSummary> {
        let mut load = Load::new(target, now);
        dump(self, now, &mut load).await
    }
}
