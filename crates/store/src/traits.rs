//! Traits of identities: what SDKs write, many at a time.

use crate::backend::{Transaction, on_backend, on_transaction};
use crate::error::Noun;
use crate::identities::IdentityRow;
use crate::text::{CHUNK, index_key, placeholders};
use crate::{Store, StoreError, StoreResult};
use flagstaff_core::{
    EnvironmentId, Identifier, Identity, IdentityId, IdentityTrait, Timestamp, TraitId, Value,
};
use sqlx::AssertSqlSafe;
use std::collections::HashMap;
use std::sync::Arc;

/// Stored traits an identity may gather. Applications keep dozens, some a few hundred; every answer carries them all.
pub const TRAIT_LIMIT: usize = 5_000;

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
    /// True when nothing was changed, because the identity would have more than [`TRAIT_LIMIT`] traits.
    pub is_over_limit: bool,
}

#[derive(sqlx::FromRow)]
pub(crate) struct TraitRow {
    id: i64,
    identity_id: i64,
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
    SELECT id, identity_id, key, value_type, string_value, integer_value, float_value, boolean_value, created_at
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
}

impl Store {
    /// Identities of an environment with their stored traits, in order of their ids, those after `last`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn stored_identities(
        &self,
        environment: EnvironmentId,
        last: Option<IdentityId>,
        limit: usize,
    ) -> StoreResult<Vec<StoredIdentity>> {
        const SQL: &str = "
            SELECT id, environment_id, identifier, created_at FROM identities
            WHERE environment_id = $1 AND id > $2 AND deleted_at IS NULL
            ORDER BY id LIMIT $3";
        let mut reading = self.begin_reading().await?;
        let rows: Vec<IdentityRow> = on_transaction!(&mut reading, |connection| {
            sqlx::query_as(SQL)
                .bind(environment.get())
                .bind(last.map_or(0, IdentityId::get))
                .bind(i64::try_from(limit).unwrap_or(i64::MAX))
                .fetch_all(connection)
                .await
        })?;
        let identities: Vec<Identity> = rows.into_iter().map(Identity::from).collect();
        let ids: Vec<IdentityId> = identities.iter().map(|identity| identity.id).collect();
        let mut traits = reading.traits_of(&ids).await?;
        let stored = identities.into_iter().map(|identity| StoredIdentity {
            traits: traits.remove(&identity.id).unwrap_or_default(),
            identity,
        });
        Ok(stored.collect())
    }
}

impl Transaction {
    /// The stored traits of identities, each identity's in order of their ids.
    pub(crate) async fn traits_of(
        &mut self,
        identities: &[IdentityId],
    ) -> StoreResult<HashMap<IdentityId, Vec<IdentityTrait>>> {
        let mut traits: HashMap<IdentityId, Vec<IdentityTrait>> = HashMap::new();
        for identities in identities.chunks(CHUNK) {
            let sql = format!(
                "SELECT id, identity_id, key, value_type, string_value, integer_value, float_value,
                    boolean_value, created_at
                FROM identity_traits WHERE identity_id IN ({}) ORDER BY id",
                placeholders(1, identities.len())
            );
            let rows: Vec<TraitRow> = on_transaction!(&mut *self, |connection| {
                let mut query = sqlx::query_as(AssertSqlSafe(sql));
                for id in identities {
                    query = query.bind(id.get());
                }
                query.fetch_all(connection).await
            })?;
            for row in rows {
                let own = traits.entry(IdentityId::new(row.identity_id)).or_default();
                own.push(row.try_into()?);
            }
        }
        Ok(traits)
    }
}

/// What is stored for a value: integers beyond 64 bits and numbers that are not finite as their text.
pub(crate) fn storable(value: Value) -> Value {
    match value {
        Value::BigInteger(digits) => Value::Text(digits),
        Value::Float(float) if !float.is_finite() => Value::text(float.to_string()),
        Value::Null | Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Text(_) => {
            value
        }
    }
}

pub(crate) fn sum(present: Option<&Value>, by: i64) -> Option<i64> {
    match present {
        None => Some(by),
        Some(Value::Integer(present)) => present.checked_add(by),
        Some(_) => None,
    }
}

/// A value spread over the typed columns.
pub(crate) struct Columns<'a> {
    pub(crate) kind: &'static str,
    pub(crate) text: Option<&'a str>,
    pub(crate) integer: Option<i64>,
    pub(crate) float: Option<f64>,
    pub(crate) boolean: Option<bool>,
}

impl<'a> Columns<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
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
