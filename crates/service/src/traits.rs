//! Traits that an SDK sets without asking for flags.

use crate::Service;
use crate::environment_access::OpenEnvironment;
use crate::error::{Problem, ServiceError, ServiceResult};
use crate::text_rules::check_name;
use flagstaff_core::{Identifier, IdentityTrait, Value};
use flagstaff_store::{TraitChange, TraitWrite};
use std::sync::Arc;

/// Characters the name of a trait may have.
pub const TRAIT_KEY_LIMIT: usize = 200;
/// Characters a text trait may have.
pub const TRAIT_VALUE_LIMIT: usize = 2000;

/// A trait to be set, or taken away when its value is null.
#[derive(Debug, Clone, PartialEq)]
pub struct TraitRequest {
    /// Whose.
    pub identifier: Identifier,
    /// 1 to 200 characters.
    pub key: Arc<str>,
    /// Its value.
    pub value: Value,
}

impl Service {
    /// Sets traits, in order; those of unknown identities make them known.
    ///
    /// # Errors
    /// [`Problem::ClientTraitsNotAllowed`] and [`Problem::TraitsNotStored`] where that is so, and invalid traits;
    /// then nothing is set.
    pub async fn set_traits(
        &self,
        open: &OpenEnvironment,
        requests: Vec<TraitRequest>,
    ) -> ServiceResult<Vec<Option<IdentityTrait>>> {
        check_allowed(open)?;
        for request in &requests {
            check_trait(&request.key, &request.value)?;
        }
        let environment_id = open.snapshot().environment.id;
        let mut stored = Vec::with_capacity(requests.len());
        for request in requests {
            let write = match request.value {
                Value::Null => TraitWrite::Delete,
                value => TraitWrite::Set(value),
            };
            let change = TraitChange {
                environment_id,
                identifier: request.identifier,
                traits: vec![(Arc::clone(&request.key), write)],
            };
            let outcome = self.write_traits(change).await?;
            let traits = &outcome.stored.traits;
            stored.push(
                traits
                    .iter()
                    .find(|found| found.key == request.key)
                    .cloned(),
            );
        }
        Ok(stored)
    }

    /// Adds to an integer trait, starting at 0, and answers the sum.
    ///
    /// # Errors
    /// As [`Service::set_traits`], and [`Problem::TraitNotInteger`] for a trait of another type or a sum beyond
    /// 64 bits.
    pub async fn increment_trait(
        &self,
        open: &OpenEnvironment,
        identifier: Identifier,
        key: Arc<str>,
        by: i64,
    ) -> ServiceResult<i64> {
        check_allowed(open)?;
        check_trait(&key, &Value::Integer(by))?;
        let change = TraitChange {
            environment_id: open.snapshot().environment.id,
            identifier,
            traits: vec![(Arc::clone(&key), TraitWrite::Increment(by))],
        };
        let outcome = self.write_traits(change).await?;
        let not_integer = || ServiceError::invalid("trait_value", Problem::TraitNotInteger);
        if !outcome.refused.is_empty() {
            return Err(not_integer());
        }
        let found = outcome.stored.traits.iter().find(|found| found.key == key);
        match found.map(|found| &found.value) {
            Some(Value::Integer(sum)) => Ok(*sum),
            Some(_) | None => Err(not_integer()),
        }
    }
}

fn check_allowed(open: &OpenEnvironment) -> ServiceResult<()> {
    let snapshot = open.snapshot();
    if !open.server_side && !snapshot.environment.allow_client_traits {
        return Err(ServiceError::invalid(
            "traits",
            Problem::ClientTraitsNotAllowed,
        ));
    }
    if !snapshot.organisation.persist_trait_data {
        return Err(ServiceError::invalid("traits", Problem::TraitsNotStored));
    }
    Ok(())
}

/// Checks the name and the value of a trait.
pub(crate) fn check_trait(key: &str, value: &Value) -> ServiceResult<()> {
    check_name("trait_key", key, TRAIT_KEY_LIMIT)?;
    match value {
        Value::Text(text) => crate::text_rules::check_text("trait_value", text, TRAIT_VALUE_LIMIT),
        // What the 64 bits of a column cannot hold is kept as its text.
        Value::BigInteger(_)
        | Value::Null
        | Value::Boolean(_)
        | Value::Integer(_)
        | Value::Float(_) => Ok(()),
    }
}
