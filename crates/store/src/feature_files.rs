//! What exports and imports of features have in common.

use crate::error::Noun;
use crate::{StoreError, StoreResult};
use flagstaff_core::FileStatus;

/// The word a status is stored as.
pub(crate) const fn status_text(status: FileStatus) -> &'static str {
    match status {
        FileStatus::Processing => "processing",
        FileStatus::Success => "success",
        FileStatus::Failed => "failed",
    }
}

/// The status that is stored as a word.
pub(crate) fn status_of(noun: Noun, id: i64, text: &str) -> StoreResult<FileStatus> {
    match text {
        "processing" => Ok(FileStatus::Processing),
        "success" => Ok(FileStatus::Success),
        "failed" => Ok(FileStatus::Failed),
        other => Err(StoreError::Corrupt {
            noun,
            id,
            problem: format!("`{other}` is no status"),
        }),
    }
}

/// Rows of a table that belong to some environments, the newest first, and how many there are.
macro_rules! files_of {
    ($store:expr, $table:literal, $columns:expr, $environments:expr, $page:expr) => {{
        // Databases limit the parameters of a statement; no project has so many environments.
        let environments = &$environments[..$environments.len().min($crate::text::CHUNK)];
        if environments.is_empty() {
            return Ok(Page::default());
        }
        let count = environments.len();
        let among = $crate::text::placeholders(1, count);
        let total = format!(
            concat!(
                "SELECT COUNT(*) FROM ",
                $table,
                " WHERE environment_id IN ({})"
            ),
            among
        );
        let rows = format!(
            concat!(
                "SELECT {} FROM ",
                $table,
                " WHERE environment_id IN ({}) ORDER BY id DESC LIMIT ${} OFFSET ${}"
            ),
            $columns,
            among,
            count + 1,
            count + 2
        );
        let total: i64 = on_backend!($store, |pool| {
            let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(total));
            for environment in environments {
                query = query.bind(environment.get());
            }
            query.fetch_one(pool).await
        })?;
        let rows = on_backend!($store, |pool| {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(rows));
            for environment in environments {
                query = query.bind(environment.get());
            }
            let query = query.bind($page.limit()).bind($page.offset());
            query.fetch_all(pool).await
        })?;
        (rows, total)
    }};
}
pub(crate) use files_of;
