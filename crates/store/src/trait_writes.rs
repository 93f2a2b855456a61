//! Writing traits: what a group of SDK calls changes, in one transaction and few statements.

use crate::backend::{Transaction, on_transaction};
use crate::error::Noun;
use crate::text::{CHUNK, index_key, placeholders, value_rows};
use crate::traits::{Columns, storable, sum};
use crate::{
    Store, StoreError, StoreResult, StoredIdentity, TraitChange, TraitOutcome, TraitWrite,
};
use flagstaff_core::{
    EnvironmentId, Identity, IdentityId, IdentityTrait, Timestamp, TraitId, Value,
};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Environment, and the identifier as the index has it.
type IdentityKey = (EnvironmentId, String);

/// An identity while the group's changes are laid over it.
struct Working {
    identity: Identity,
    /// Stored traits in order of their ids, then new ones in order of the calls; a null is a deleted one.
    traits: Vec<IdentityTrait>,
    /// How many of them are stored.
    stored: usize,
    /// Where each key is in `traits`.
    places: HashMap<Arc<str>, usize>,
    /// Places of traits that are not as they are stored.
    changed: BTreeSet<usize>,
}

impl Working {
    fn new(identity: Identity, traits: Vec<IdentityTrait>) -> Self {
        let places = traits.iter().enumerate();
        Self {
            identity,
            stored: traits.len(),
            places: places
                .map(|(place, each)| (Arc::clone(&each.key), place))
                .collect(),
            traits,
            changed: BTreeSet::new(),
        }
    }

    /// The trait's value now; `None` when there is none.
    fn value(&self, key: &str) -> Option<&Value> {
        let place = self.places.get(key)?;
        Some(&self.traits[*place].value).filter(|value| !value.is_null())
    }

    /// Gives a trait a value; a null takes it away.
    fn assign(&mut self, key: &Arc<str>, value: Value, at: Timestamp) {
        if *self.value(key).unwrap_or(&Value::Null) == value {
            return;
        }
        let place = *self.places.entry(Arc::clone(key)).or_insert_with(|| {
            self.traits.push(IdentityTrait {
                // Given when all calls have been seen; see `number`.
                id: TraitId::new(0),
                key: Arc::clone(key),
                value: Value::Null,
                created_at: at,
            });
            self.traits.len() - 1
        });
        self.traits[place].value = value;
        self.changed.insert(place);
    }

    /// Makes one call's changes; answers what is stored after it and what was refused.
    fn apply(&mut self, change: &TraitChange, at: Timestamp) -> (StoredIdentity, Vec<Arc<str>>) {
        let mut refused = Vec::new();
        for (key, write) in &change.traits {
            let value = match write {
                TraitWrite::Set(value) => Some(storable(value.clone())),
                TraitWrite::Delete => Some(Value::Null),
                TraitWrite::Increment(by) => sum(self.value(key), *by).map(Value::Integer),
            };
            match value {
                Some(value) => self.assign(key, value, at),
                None => refused.push(Arc::clone(key)),
            }
        }
        let kept = self.traits.iter().filter(|each| !each.value.is_null());
        let stored = StoredIdentity {
            identity: self.identity.clone(),
            traits: kept.cloned().collect(),
        };
        (stored, refused)
    }

    /// Stored traits that have another value now, or none.
    fn differing(&self) -> impl Iterator<Item = &IdentityTrait> {
        let places = self.changed.range(..self.stored);
        places.map(|place| &self.traits[*place])
    }

    /// New traits that are still there.
    fn added(&self) -> impl Iterator<Item = (IdentityId, &IdentityTrait)> {
        let new = self.traits[self.stored..].iter();
        new.filter(|each| !each.value.is_null())
            .map(|each| (self.identity.id, each))
    }

    /// Fills in the ids of traits that were new when a call was answered.
    fn fill_in_ids(&self, stored: &mut StoredIdentity) {
        for each in &mut stored.traits {
            if let Some(place) = self.places.get(&each.key) {
                each.id = self.traits[*place].id;
            }
        }
    }
}

impl Store {
    /// Makes changes of traits, all in one transaction. Unaudited: SDKs write traits with every request.
    ///
    /// Stored rows are compared inside the transaction, and only what differs is written. Answers come in the order of
    /// the changes; later ones see what earlier ones did. Nodes lock identities in one order, so they wait for each
    /// other instead of failing.
    ///
    /// # Errors
    /// When the database does not answer; then nothing is stored.
    pub async fn record_traits(
        &self,
        changes: &[TraitChange],
        at: Timestamp,
    ) -> StoreResult<Vec<TraitOutcome>> {
        let mut transaction = self.begin().await?;
        let mut working = transaction.load(changes, at).await?;
        let mut answers = Vec::with_capacity(changes.len());
        for change in changes {
            let identity = working.get_mut(&key_of(change));
            let identity = identity.ok_or(StoreError::NotFound {
                noun: Noun::Identity,
            })?;
            answers.push(identity.apply(change, at));
        }
        transaction.number(&mut working).await?;
        transaction.delete_traits(&working).await?;
        transaction.update_traits(&working, at).await?;
        transaction.insert_traits(&working).await?;
        transaction.commit().await?;
        let outcome = |(change, (mut stored, refused)): (&TraitChange, (StoredIdentity, _))| {
            if let Some(identity) = working.get(&key_of(change)) {
                identity.fill_in_ids(&mut stored);
            }
            TraitOutcome {
                stored: Arc::new(stored),
                refused,
            }
        };
        Ok(changes.iter().zip(answers).map(outcome).collect())
    }
}

fn key_of(change: &TraitChange) -> IdentityKey {
    let key = index_key(change.identifier.as_str()).into_owned();
    (change.environment_id, key)
}

/// The group's identities, in the order in which every node makes and locks them.
type Group = BTreeMap<IdentityKey, Working>;
type Wanted<'c> = BTreeMap<IdentityKey, &'c str>;

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

impl Transaction {
    /// Finds or makes the identities of a group, with their traits.
    async fn load(&mut self, changes: &[TraitChange], at: Timestamp) -> StoreResult<Group> {
        let mut wanted: Wanted<'_> = changes
            .iter()
            .map(|change| (key_of(change), change.identifier.as_str()))
            .collect();
        let mut identities = self.lock_identities(&wanted).await?;
        wanted.retain(|key, _| !identities.contains_key(key));
        identities.extend(self.make_identities(&wanted, at).await?);
        wanted.retain(|key, _| !identities.contains_key(key));
        if !wanted.is_empty() {
            // Another node made them between our look and our insert.
            identities.extend(self.lock_identities(&wanted).await?);
        }
        let ids: Vec<_> = identities.values().map(|identity| identity.id).collect();
        let mut traits = self.traits_of(&ids).await?;
        let working = identities.into_iter().map(|(key, identity)| {
            let traits = traits.remove(&identity.id).unwrap_or_default();
            (key, Working::new(identity, traits))
        });
        Ok(working.collect())
    }

    /// Finds identities and, where others write too, locks their rows.
    async fn lock_identities(
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

    /// Makes identities; leaves out those that another node has made meanwhile.
    async fn make_identities(
        &mut self,
        wanted: &Wanted<'_>,
        at: Timestamp,
    ) -> StoreResult<BTreeMap<IdentityKey, Identity>> {
        let wanted: Vec<_> = wanted.iter().collect();
        let mut made = BTreeMap::new();
        for chunk in wanted.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO identities (environment_id, identifier, identifier_key, created_at) VALUES {}
                ON CONFLICT (environment_id, identifier_key) WHERE deleted_at IS NULL DO NOTHING
                RETURNING id, environment_id, identifier, identifier_key, created_at",
                value_rows(4, chunk.len())
            );
            let rows: Vec<IdentityRow> = on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for (key, identifier) in chunk {
                    query = query
                        .bind(key.0.get())
                        .bind(**identifier)
                        .bind(&key.1)
                        .bind(at.micros());
                }
                query.fetch_all(connection).await
            })?;
            made.extend(rows.into_iter().map(IdentityRow::keyed));
        }
        Ok(made)
    }

    /// Gives new traits their ids, also those that a later change of the group deleted: an answer shows them.
    async fn number(&mut self, group: &mut Group) -> StoreResult<()> {
        let new = group.values().map(|each| each.traits.len() - each.stored);
        let mut ids = self
            .reserve_ids("identity_traits", new.sum())
            .await?
            .into_iter();
        for identity in group.values_mut() {
            for each in &mut identity.traits[identity.stored..] {
                each.id = ids.next().map_or(each.id, TraitId::new);
            }
        }
        Ok(())
    }

    async fn delete_traits(&mut self, group: &Group) -> StoreResult<()> {
        let gone = group.values().flat_map(Working::differing);
        let gone = gone.filter(|each| each.value.is_null());
        let ids: Vec<i64> = gone.map(|each| each.id.get()).collect();
        for chunk in ids.chunks(CHUNK) {
            let sql = format!(
                "DELETE FROM identity_traits WHERE id IN ({})",
                placeholders(1, chunk.len())
            );
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for id in chunk {
                    query = query.bind(*id);
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    async fn update_traits(&mut self, group: &Group, at: Timestamp) -> StoreResult<()> {
        let updated = group.values().flat_map(Working::differing);
        let updated: Vec<_> = updated.filter(|each| !each.value.is_null()).collect();
        for chunk in updated.chunks(CHUNK) {
            // Both databases call the columns of `VALUES` so. An upsert would use up an id for each update.
            let sql = format!(
                "UPDATE identity_traits
                SET value_type = v.column2, string_value = v.column3, integer_value = v.column4,
                    float_value = v.column5, boolean_value = v.column6, updated_at = v.column7
                FROM (VALUES {}) AS v
                WHERE identity_traits.id = v.column1",
                value_rows(7, chunk.len())
            );
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for each in chunk {
                    let columns = Columns::of(&each.value);
                    query = query
                        .bind(each.id.get())
                        .bind(columns.kind)
                        .bind(columns.text)
                        .bind(columns.integer)
                        .bind(columns.float)
                        .bind(columns.boolean)
                        .bind(at.micros());
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }

    async fn insert_traits(&mut self, group: &Group) -> StoreResult<()> {
        let added: Vec<_> = group.values().flat_map(Working::added).collect();
        for chunk in added.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO identity_traits (id, identity_id, key, value_type, string_value, integer_value,
                    float_value, boolean_value, created_at, updated_at)
                VALUES {}",
                value_rows(10, chunk.len())
            );
            on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for (identity, each) in chunk {
                    let columns = Columns::of(&each.value);
                    query = query
                        .bind(each.id.get())
                        .bind(identity.get())
                        .bind(&*each.key)
                        .bind(columns.kind)
                        .bind(columns.text)
                        .bind(columns.integer)
                        .bind(columns.float)
                        .bind(columns.boolean)
                        .bind(each.created_at.micros())
                        .bind(each.created_at.micros());
                }
                query.execute(connection).await.map(drop)
            })?;
        }
        Ok(())
    }
}
