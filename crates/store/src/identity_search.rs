//! Identities looked for among a million: a page at a time, without counting all.

use crate::backend::on_backend;
use crate::identities::IdentityRow;
use crate::text::{can_be_part, contains_pattern, index_beginning};
use crate::{Store, StoreResult};
use flagstaff_core::{EnvironmentId, Identity, IdentityId};

/// After every text that begins with what stands before it, in the order of bytes.
const LAST: char = char::MAX;

impl Store {
    /// Identities whose identifier begins with a text, upper and lower case told apart, in the order of their
    /// identifiers: those that come after `last`. An index leads to them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identities_beginning(
        &self,
        environment: EnvironmentId,
        beginning: &str,
        last: Option<&str>,
        limit: usize,
    ) -> StoreResult<Vec<Identity>> {
        const SQL: &str = "
            SELECT id, environment_id, identifier, created_at FROM identities
            WHERE environment_id = $1 AND deleted_at IS NULL
                AND identifier_key >= $2 AND identifier_key < $3 AND identifier_key > $4
            ORDER BY identifier_key LIMIT $5";
        let last = last.unwrap_or_default();
        if !can_be_part(beginning) || !can_be_part(last) {
            return Ok(Vec::new());
        }
        let indexed = index_beginning(beginning);
        let end = format!("{indexed}{LAST}");
        // Index keys of very long identifiers end in a hash: the order among those is that of their keys.
        let last = crate::text::index_key(last);
        let rows: Vec<IdentityRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(indexed)
                .bind(&end)
                .bind(&*last)
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await
        })?;
        let found = rows.into_iter().map(Identity::from);
        Ok(found
            .filter(|identity| identity.identifier.starts_with(beginning))
            .collect())
    }

    /// Identities whose identifier holds a text anywhere, without regard to ASCII case, in order of their ids: those
    /// after `last`. Every identity is looked at until there are enough.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn identities_holding(
        &self,
        environment: EnvironmentId,
        part: &str,
        last: Option<IdentityId>,
        limit: usize,
    ) -> StoreResult<Vec<Identity>> {
        const SQL: &str = r"
            SELECT id, environment_id, identifier, created_at FROM identities
            WHERE environment_id = $1 AND deleted_at IS NULL AND id > $2
                AND LOWER(identifier) LIKE LOWER($3) ESCAPE '\'
            ORDER BY id LIMIT $4";
        if !can_be_part(part) {
            return Ok(Vec::new());
        }
        let rows: Vec<IdentityRow> = on_backend!(self, |pool| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(last.map_or(0, IdentityId::get))
                .bind(contains_pattern(part))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await
        })?;
        Ok(rows.into_iter().map(Identity::from).collect())
    }
}
