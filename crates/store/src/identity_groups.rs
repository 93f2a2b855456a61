//! The identities of a group of calls: found, locked and made in few statements.

use crate::backend::{Transaction, on_transaction};
use crate::text::{CHUNK, index_key, placeholders, value_rows};
use crate::{Store, StoreResult, TraitChange};
use flagstaff_core::{EnvironmentId, Identity, IdentityId, Timestamp};
use sqlx::AssertSqlSafe;
use std::collections::BTreeMap;

/// Environment, and the identifier as the index has it.
pub(crate) type IdentityKey = (EnvironmentId, String);

/// Identifiers by their keys, in the order in which every node makes and locks them.
pub(crate) type Wanted<'c> = BTreeMap<IdentityKey, &'c str>;

/// Where a change's identity is in a group.
pub(crate) fn key_of(change: &TraitChange) -> IdentityKey {
    let key = index_key(change.identifier.as_str()).into_owned();
    (change.environment_id, key)
}

#[derive(sqlx::FromRow)]
struct IdentityRow {
    id: i64,
    environment_id: i64,
    identifier: String,
    identifier_key: String,
    created_at: i64,
}

impl IdentityRow {
    fn keyed(self) -> (IdentityKey, Identity) {
        let environment_id = EnvironmentId::new(self.environment_id);
        let identity = Identity {
            id: IdentityId::new(self.id),
            environment_id,
            identifier: self.identifier.into(),
            created_at: Timestamp::from_micros(self.created_at),
        };
        ((environment_id, self.identifier_key), identity)
    }
}

impl Store {
    /// Makes identities without waiting for the disk: the commit that follows takes them along.
    pub(crate) async fn make_identities_first(
        &self,
        missing: &Wanted<'_>,
        at: Timestamp,
    ) -> StoreResult<()> {
        let mut transaction = self.begin().await?;
        if let Transaction::Postgres(transaction) = &mut transaction {
            sqlx::query("SET LOCAL synchronous_commit = off")
                .execute(&mut **transaction)
                .await?;
        }
        transaction.make_identities(missing, at).await?;
        transaction.commit().await
    }
}

impl Transaction {
    /// Finds identities and, where others write too, locks their rows, in one order on all nodes.
    pub(crate) async fn lock_identities(
        &mut self,
        wanted: &Wanted<'_>,
    ) -> StoreResult<BTreeMap<IdentityKey, Identity>> {
        let lock = if self.is_shared() {
            "FOR NO KEY UPDATE"
        } else {
            ""
        };
        let keys: Vec<&IdentityKey> = wanted.keys().collect();
        let mut found = BTreeMap::new();
        for of_environment in keys.chunk_by(|left, right| left.0 == right.0) {
            for chunk in of_environment.chunks(CHUNK) {
                let sql = format!(
                    "SELECT id, environment_id, identifier, identifier_key, created_at FROM identities
                    WHERE environment_id = $1 AND deleted_at IS NULL AND identifier_key IN ({})
                    ORDER BY identifier_key {lock}",
                    placeholders(2, chunk.len())
                );
                let rows: Vec<IdentityRow> = on_transaction!(&mut *self, |connection| {
                    let environment = chunk.first().map_or(0, |key| key.0.get());
                    let mut query = sqlx::query_as(AssertSqlSafe(sql)).bind(environment);
                    for key in chunk {
                        query = query.bind(&key.1);
                    }
                    query.fetch_all(connection).await
                })?;
                found.extend(rows.into_iter().map(IdentityRow::keyed));
            }
        }
        Ok(found)
    }

    /// Makes identities, in one order on all nodes; leaves out those that another node has made meanwhile.
    pub(crate) async fn make_identities(
        &mut self,
        wanted: &Wanted<'_>,
        at: Timestamp,
    ) -> StoreResult<()> {
        let wanted: Vec<_> = wanted.iter().collect();
        for chunk in wanted.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO identities (environment_id, identifier, identifier_key, created_at) VALUES {}
                ON CONFLICT (environment_id, identifier_key) WHERE deleted_at IS NULL DO NOTHING",
                value_rows(4, chunk.len())
            );
            let sql = self.in_order(sql);
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (key, identifier) in chunk {
                    query = query
                        .bind(key.0.get())
                        .bind(**identifier)
                        .bind(&key.1)
                        .bind(at.micros());
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }
}
