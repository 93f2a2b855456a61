//! Writing traits: what a group of SDK calls changes, in one transaction and few statements.

use crate::backend::{Transaction, on_transaction};
use crate::error::Noun;
use crate::identity_groups::{IdentityKey, Wanted, key_of};
use crate::text::{CHUNK, placeholders, value_rows};
use crate::traits::{Columns, TRAIT_LIMIT, storable, sum};
use crate::{
    Store, StoreError, StoreResult, StoredIdentity, TraitChange, TraitOutcome, TraitWrite,
};
use flagstaff_core::{Identity, IdentityId, IdentityTrait, Timestamp, TraitId, Value};
use sqlx::AssertSqlSafe;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// How often a group is written again that met a passing conflict.
const RETRIES: usize = 5;

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

/// What a call is told; its new traits have no ids yet.
struct TraitAnswer {
    stored: StoredIdentity,
    refused: Vec<Arc<str>>,
    is_over_limit: bool,
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

    /// True when one call's changes leave more traits than there may be, and more than there were.
    fn exceeds(&self, change: &TraitChange) -> bool {
        let present = self.traits.iter().filter(|each| !each.value.is_null());
        let before = present.count();
        if before + change.traits.len() <= TRAIT_LIMIT {
            return false;
        }
        let mut after = HashMap::with_capacity(change.traits.len());
        for (key, write) in &change.traits {
            let is_kept = match write {
                TraitWrite::Set(value) => !value.is_null(),
                TraitWrite::Delete => false,
                TraitWrite::Increment(_) => true,
            };
            after.insert(key, is_kept);
        }
        let is_present = |key: &Arc<str>| self.value(key).is_some();
        let added = after
            .iter()
            .filter(|(key, kept)| **kept && !is_present(key));
        let gone = after
            .iter()
            .filter(|(key, kept)| !**kept && is_present(key));
        let (added, gone) = (added.count(), gone.count());
        added > gone && before + added - gone > TRAIT_LIMIT
    }

    /// Makes one call's changes, or none of them; answers what is stored after it and what was refused.
    fn apply(&mut self, change: &TraitChange, at: Timestamp) -> TraitAnswer {
        let mut refused = Vec::new();
        let is_over_limit = self.exceeds(change);
        let traits = if is_over_limit {
            &[]
        } else {
            change.traits.as_slice()
        };
        for (key, write) in traits {
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
        TraitAnswer {
            stored,
            refused,
            is_over_limit,
        }
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
    /// the changes; later ones see what earlier ones did. Nodes make and lock identities in one order, so they wait for
    /// each other instead of failing.
    ///
    /// # Errors
    /// When the database does not answer; then nothing is stored.
    pub async fn record_traits(
        &self,
        changes: &[TraitChange],
        at: Timestamp,
    ) -> StoreResult<Vec<TraitOutcome>> {
        let mut outcomes = self.try_to_record_traits(changes, at).await;
        for _ in 0..RETRIES {
            match &outcomes {
                // Nothing is stored, and what was in the way is gone: identities deleted meanwhile, a deadlock.
                Err(error) if error.is_passing_conflict() => {}
                Err(StoreError::NotFound { .. }) => {}
                Ok(_) | Err(_) => break,
            }
            outcomes = self.try_to_record_traits(changes, at).await;
        }
        outcomes
    }

    async fn try_to_record_traits(
        &self,
        changes: &[TraitChange],
        at: Timestamp,
    ) -> StoreResult<Vec<TraitOutcome>> {
        let wanted: Wanted<'_> = changes
            .iter()
            .map(|change| (key_of(change), change.identifier.as_str()))
            .collect();
        let (mut transaction, mut working) = self.begin_with_group(&wanted, at).await?;
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
        let outcome = |(change, mut answer): (&TraitChange, TraitAnswer)| {
            if let Some(identity) = working.get(&key_of(change)) {
                identity.fill_in_ids(&mut answer.stored);
            }
            TraitOutcome {
                stored: Arc::new(answer.stored),
                refused: answer.refused,
                is_over_limit: answer.is_over_limit,
            }
        };
        Ok(changes.iter().zip(answers).map(outcome).collect())
    }

    /// Begins a transaction in which the identities of a group are there and nobody else writes them.
    ///
    /// Where other nodes write too, missing ones are made in a transaction of their own, which locks nothing that is
    /// there: whoever locks and makes in one may wait for a node that waits for him.
    async fn begin_with_group(
        &self,
        wanted: &Wanted<'_>,
        at: Timestamp,
    ) -> StoreResult<(Transaction, Group)> {
        let mut transaction = self.begin().await?;
        let mut identities = transaction.lock_identities(wanted).await?;
        let mut missing = wanted.clone();
        missing.retain(|key, _| !identities.contains_key(key));
        if !missing.is_empty() && transaction.is_shared() {
            transaction.roll_back().await?;
            self.make_identities_first(&missing, at).await?;
            transaction = self.begin().await?;
            identities = transaction.lock_identities(wanted).await?;
        } else if !missing.is_empty() {
            transaction.make_identities(&missing, at).await?;
            identities.extend(transaction.lock_identities(&missing).await?);
        }
        let group = transaction.load(identities).await?;
        Ok((transaction, group))
    }
}

/// The group's identities, in the order of their keys.
type Group = BTreeMap<IdentityKey, Working>;

impl Transaction {
    /// Identities with their traits.
    async fn load(&mut self, identities: BTreeMap<IdentityKey, Identity>) -> StoreResult<Group> {
        let ids: Vec<_> = identities.values().map(|identity| identity.id).collect();
        let mut traits = self.traits_of(&ids).await?;
        let working = identities.into_iter().map(|(key, identity)| {
            let traits = traits.remove(&identity.id).unwrap_or_default();
            (key, Working::new(identity, traits))
        });
        Ok(working.collect())
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
            let sql = self.in_order(sql);
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
            let sql = self.in_order(sql);
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
