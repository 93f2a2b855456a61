//! Row ids: those of imported rows are kept where they are free; many can be known before their rows are written.

use crate::backend::{Transaction, on_transaction};
use crate::{StoreResult, Write};
use sqlx::AssertSqlSafe;

/// Ids that the documents of Flagsmith can say.
const IDS: std::ops::Range<i64> = 1..(1 << 31);

impl Write {
    /// Gives a row that was just made the id it should have, if no row has or ever had that one; answers the id it
    /// has in the end. Rows are marked as deleted and never removed from these tables, so looking is enough.
    pub(crate) async fn keep_id(
        &mut self,
        table: &'static str,
        id: i64,
        wanted: Option<i64>,
    ) -> StoreResult<i64> {
        let Some(wanted) = wanted.filter(|wanted| IDS.contains(wanted) && *wanted != id) else {
            return Ok(id);
        };
        let find = format!("SELECT COUNT(*) FROM {table} WHERE id = $1");
        let taken: i64 = on_transaction!(&mut self.transaction, |connection| {
            sqlx::query_scalar(AssertSqlSafe(find))
                .bind(wanted)
                .fetch_one(connection)
                .await
        })?;
        if taken > 0 {
            return Ok(id);
        }
        let renumber = format!("UPDATE {table} SET id = $2 WHERE id = $1");
        on_transaction!(&mut self.transaction, |connection| {
            sqlx::query(AssertSqlSafe(renumber))
                .bind(id)
                .bind(wanted)
                .execute(connection)
                .await
                .map(drop)
        })?;
        // SQLite looks at the highest id itself; Postgres has to be told. Never downwards: identities get ids meanwhile.
        if let Transaction::Postgres(transaction) = &mut self.transaction {
            let advance = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), $1) FROM pg_sequences
                WHERE schemaname = current_schema() AND sequencename = '{table}_id_seq'
                    AND COALESCE(last_value, 0) < $1"
            );
            let _: Option<i64> = sqlx::query_scalar(AssertSqlSafe(advance))
                .bind(wanted)
                .fetch_optional(&mut **transaction)
                .await?;
        }
        Ok(wanted)
    }
}

impl Transaction {
    /// The next ids of a table, in ascending order. On SQLite they have to be used in this transaction.
    pub(crate) async fn reserve_ids(
        &mut self,
        table: &'static str,
        count: usize,
    ) -> StoreResult<Vec<i64>> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        match self {
            Self::Sqlite(transaction) => {
                let sql = format!(
                    "SELECT MAX(COALESCE((SELECT seq FROM sqlite_sequence WHERE name = '{table}'), 0),
                        COALESCE((SELECT MAX(id) FROM {table}), 0))"
                );
                let last: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                    .fetch_one(&mut **transaction)
                    .await?;
                Ok((last + 1..=last + count).collect())
            }
            Self::Postgres(transaction) => {
                let sql = format!(
                    "SELECT nextval(pg_get_serial_sequence('{table}', 'id')) FROM generate_series(1, $1)"
                );
                let mut ids: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
                    .bind(count)
                    .fetch_all(&mut **transaction)
                    .await?;
                ids.sort_unstable();
                Ok(ids)
            }
        }
    }
}
