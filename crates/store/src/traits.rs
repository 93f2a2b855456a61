//! Traits of identities: what SDKs write, many at a time.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::error::Noun;
use crate::identities::IdentityRow;
use crate::text::index_key;
use crate::{Store, StoreError, StoreResult};
use flagstaff_core::{
    EnvironmentId, Identifier, Identity, IdentityId, IdentityTrait, Timestamp, TraitId, Value,
};
use std::sync::Arc;

/// What is done with one trait.
#[derive(Debug, Clone, PartialEq)]
pub enum TraitWrite {
    /// It gets this value.
    Set(Value),
    /// It goes.
    Delete,
    /// An integer is added to it; a trait that is not there starts at 0.
    Increment(i64),
}

/// What is done with the traits of one identity.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitChange {
    /// The environment that knows it.
    pub environment_id: EnvironmentId,
    /// Who; made known by this when it is not.
    pub identifier: Identifier,
    /// In order; nothing makes the identity known and reads its traits.
    pub traits: Vec<(Arc<str>, TraitWrite)>,
}

/// An identity with its stored traits, in order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredIdentity {
    /// Who.
    pub identity: Identity,
    /// What is stored about it.
    pub traits: Vec<IdentityTrait>,
}

/// What came of a change.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitOutcome {
    /// What is stored now.
    pub stored: Arc<StoredIdentity>,
    /// Traits that could not be incremented: not an integer, or the sum would leave 64 bits.
    pub refused: Vec<Arc<str>>,
}

#[derive(sqlx::FromRow)]
struct TraitRow {
    id: i64,
    key: String,
    value_type: String,
    string_value: Option<String>,
    integer_value: Option<i64>,
    float_value: Option<f64>,
    boolean_value: Option<bool>,
    created_at: i64,
}

impl TryFrom<TraitRow> for IdentityTrait {
    type Error = StoreError;

    fn try_from(row: TraitRow) -> StoreResult<Self> {
        let value = match row.value_type.as_str() {
            "unicode" => row.string_value.map(Value::text),
            "int" => row.integer_value.map(Value::Integer),
            "float" => row.float_value.map(Value::Float),
            "bool" => row.boolean_value.map(Value::Boolean),
            _ => None,
        };
        Ok(Self {
            id: TraitId::new(row.id),
            key: row.key.into(),
            value: value.ok_or_else(|| StoreError::Corrupt {
                noun: Noun::Trait,
                id: row.id,
                problem: format!("no value of type `{}`", row.value_type),
            })?,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

const IDENTITY: &str = "
    SELECT id, environment_id, identifier, created_at FROM identities
    WHERE environment_id = $1 AND identifier_key = $2 AND deleted_at IS NULL";

const TRAITS: &str = "
    SELECT id, key, value_type, string_value, integer_value, float_value, boolean_value, created_at
    FROM identity_traits WHERE identity_id = $1 ORDER BY id";

impl Store {
    /// An identity with its traits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stored_identity(
        &self,
        environment: EnvironmentId,
        identifier: &Identifier,
    ) -> StoreResult<Option<StoredIdentity>> {
        let row: Option<IdentityRow> = on_backend!(self, |pool| {
            sqlx::query_as(IDENTITY)
                .bind(environment.get())
                .bind(index_key(identifier.as_str()))
                .fetch_optional(pool)
                .await
        })?;
        let Some(identity) = row.map(Identity::from) else {
            return Ok(None);
        };
        let rows: Vec<TraitRow> = on_backend!(self, |pool| {
            sqlx::query_as(TRAITS)
                .bind(identity.id.get())
                .fetch_all(pool)
                .await
        })?;
        let traits: StoreResult<_> = rows.into_iter().map(IdentityTrait::try_from).collect();
        Ok(Some(StoredIdentity {
            identity,
            traits: traits?,
        }))
    }

    /// Makes changes of traits, all in one transaction. Unaudited: SDKs write traits with every request.
    ///
    /// # Errors
    /// When the database does not answer; then nothing is stored.
    pub async fn record_traits(
        &self,
        changes: &[TraitChange],
        at: Timestamp,
    ) -> StoreResult<Vec<TraitOutcome>> {
        let mut transaction = self.begin().await?;
        // Locking rows in one order keeps two nodes from waiting for each other.
        let mut order: Vec<usize> = (0..changes.len()).collect();
        order.sort_by_key(|index| {
            (
                changes[*index].environment_id,
                &changes[*index].identifier,
                *index,
            )
        });
        let mut outcomes: Vec<Option<TraitOutcome>> = vec![None; changes.len()];
        for index in order {
            outcomes[index] = Some(transaction.change_traits(&changes[index], at).await?);
        }
        transaction.commit().await?;
        Ok(outcomes.into_iter().flatten().collect())
    }
}

impl Transaction {
    async fn change_traits(
        &mut self,
        change: &TraitChange,
        at: Timestamp,
    ) -> StoreResult<TraitOutcome> {
        let identity = self.known_identity(change, at).await?;
        let mut traits = self.traits(identity.id).await?;
        let mut refused = Vec::new();
        for (key, write) in &change.traits {
            let position = traits.iter().position(|stored| stored.key == *key);
            let value = match write {
                TraitWrite::Set(value) => value.clone(),
                TraitWrite::Delete => {
                    if let Some(position) = position {
                        self.delete_trait(traits.remove(position).id).await?;
                    }
                    continue;
                }
                TraitWrite::Increment(by) => {
                    let present = position.map(|position| &traits[position].value);
                    match sum(present, *by) {
                        Some(sum) => Value::Integer(sum),
                        None => {
                            refused.push(Arc::clone(key));
                            continue;
                        }
                    }
                }
            };
            let value = storable(value);
            match position {
                Some(position) if traits[position].value == value => {}
                Some(position) => {
                    self.update_trait(traits[position].id, &value, at).await?;
                    traits[position].value = value;
                }
                None => traits.push(self.insert_trait(identity.id, key, value, at).await?),
            }
        }
        Ok(TraitOutcome {
            stored: Arc::new(StoredIdentity { identity, traits }),
            refused,
        })
    }

    /// The identity's row, made when it is not there, and locked where others write too.
    async fn known_identity(
        &mut self,
        change: &TraitChange,
        at: Timestamp,
    ) -> StoreResult<Identity> {
        const MAKE: &str = "
            INSERT INTO identities (environment_id, identifier, identifier_key, created_at)
            VALUES ($1, $2, $3, $4)
            ON CONFLICT (environment_id, identifier_key) WHERE deleted_at IS NULL DO NOTHING";
        const LOCK: &str = "
            SELECT id, environment_id, identifier, created_at FROM identities
            WHERE environment_id = $1 AND identifier_key = $2 AND deleted_at IS NULL FOR UPDATE";
        let sql = if self.is_shared() { LOCK } else { IDENTITY };
        let key = index_key(change.identifier.as_str());
        if let Some(row) = self.identity_row(sql, change.environment_id, &key).await? {
            return Ok(row.into());
        }
        on_transaction!(&mut *self, |connection| {
            sqlx::query(MAKE)
                .bind(change.environment_id.get())
                .bind(change.identifier.as_str())
                .bind(&key)
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        let row = self.identity_row(sql, change.environment_id, &key).await?;
        row.map(Identity::from).ok_or(StoreError::NotFound {
            noun: Noun::Identity,
        })
    }

    async fn identity_row(
        &mut self,
        sql: &'static str,
        environment: EnvironmentId,
        key: &str,
    ) -> StoreResult<Option<IdentityRow>> {
        Ok(on_transaction!(self, |connection| {
            sqlx::query_as(sql)
                .bind(environment.get())
                .bind(key)
                .fetch_optional(connection)
                .await
        })?)
    }

    async fn traits(&mut self, identity: IdentityId) -> StoreResult<Vec<IdentityTrait>> {
        let rows: Vec<TraitRow> = on_transaction!(self, |connection| {
            sqlx::query_as(TRAITS)
                .bind(identity.get())
                .fetch_all(connection)
                .await
        })?;
        rows.into_iter().map(IdentityTrait::try_from).collect()
    }

    async fn insert_trait(
        &mut self,
        identity: IdentityId,
        key: &Arc<str>,
        value: Value,
        at: Timestamp,
    ) -> StoreResult<IdentityTrait> {
        const SQL: &str = "
            INSERT INTO identity_traits (identity_id, key, value_type, string_value, integer_value,
                float_value, boolean_value, created_at, updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
            RETURNING id";
        let columns = Columns::of(&value);
        let id: i64 = on_transaction!(self, |connection| {
            sqlx::query_scalar(SQL)
                .bind(identity.get())
                .bind(&**key)
                .bind(columns.kind)
                .bind(columns.text)
                .bind(columns.integer)
                .bind(columns.float)
                .bind(columns.boolean)
                .bind(at.micros())
                .fetch_one(connection)
                .await
        })?;
        Ok(IdentityTrait {
            id: TraitId::new(id),
            key: Arc::clone(key),
            value,
            created_at: at,
        })
    }

    async fn update_trait(&mut self, id: TraitId, value: &Value, at: Timestamp) -> StoreResult<()> {
        const SQL: &str = "
            UPDATE identity_traits
            SET value_type = $2, string_value = $3, integer_value = $4, float_value = $5,
                boolean_value = $6, updated_at = $7
            WHERE id = $1";
        let columns = Columns::of(value);
        on_transaction!(self, |connection| {
            sqlx::query(SQL)
                .bind(id.get())
                .bind(columns.kind)
                .bind(columns.text)
                .bind(columns.integer)
                .bind(columns.float)
                .bind(columns.boolean)
                .bind(at.micros())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }

    async fn delete_trait(&mut self, id: TraitId) -> StoreResult<()> {
        const SQL: &str = "DELETE FROM identity_traits WHERE id = $1";
        on_transaction!(self, |connection| {
            sqlx::query(SQL)
                .bind(id.get())
                .execute(connection)
                .await
                .map(drop)
        })?;
        Ok(())
    }
}

/// What is stored for a value: integers beyond 64 bits and numbers that are not finite as their text.
fn storable(value: Value) -> Value {
    match value {
        Value::BigInteger(digits) => Value::Text(digits),
        Value::Float(float) if !float.is_finite() => Value::text(float.to_string()),
        Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {
            value
        }
    }
}

fn sum(present: Option<&Value>, by: i64) -> Option<i64> {
    match present {
        None => Some(by),
        Some(Value::Integer(present)) => present.checked_add(by),
        Some(_) => None,
    }
}

/// A value spread over the typed columns.
struct Columns<'a> {
    kind: &'static str,
    text: Option<&'a str>,
    integer: Option<i64>,
    float: Option<f64>,
    boolean: Option<bool>,
}

impl<'a> Columns<'a> {
    fn of(value: &'a Value) -> Self {
        let none = Self {
            kind: "unicode",
            text: None,
            integer: None,
            float: None,
            boolean: None,
        };
        match value {
            Value::Null => Self {
                text: Some(""),
                ..none
            },
            Value::Boolean(boolean) => Self {
                kind: "bool",
                boolean: Some(*boolean),
                ..none
            },
            Value::Integer(integer) => Self {
                kind: "int",
                integer: Some(*integer),
                ..none
            },
            Value::Float(float) => Self {
                kind: "float",
                float: Some(*float),
                ..none
            },
            Value::BigInteger(text) | Value::Text(text) => Self {
                text: Some(text),
                ..none
            },
        }
    }
}
