//! Row ids of imported rows: kept where they are free.

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
        // SQLite looks at the highest id itself; Postgres has to be told.
        if let Transaction::Postgres(transaction) = &mut self.transaction {
            let advance = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), \
                 GREATEST((SELECT MAX(id) FROM {table}), \
                 (SELECT last_value FROM pg_sequences WHERE sequencename = '{table}_id_seq' \
                  AND schemaname = current_schema()), 1))"
            );
            let _: i64 = sqlx::query_scalar(AssertSqlSafe(advance))
                .fetch_one(&mut **transaction)
                .await?;
        }
        Ok(wanted)
    }
}
