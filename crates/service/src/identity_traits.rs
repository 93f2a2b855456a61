//! Stored traits as members see and change them.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::text_rules::check_name;
use crate::traits::{TRAIT_KEY_LIMIT, check_trait};
use crate::{Caller, Service};
use flagstaff_core::{Identity, IdentityId, IdentityTrait, TraitId, Value};
use flagstaff_store::{Page, PageRequest, TRAIT_LIMIT, Write};
use std::sync::Arc;

/// The type of a stored trait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TraitKind {
    /// Text.
    #[default]
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// A number.
    Float,
    /// Yes or no.
    Boolean,
}

impl TraitKind {
    /// The type of a stored value.
    #[must_use]
    pub const fn of(value: &Value) -> Self {
        match value {
            Value::Integer(_) => Self::Integer,
            Value::Float(_) => Self::Float,
            Value::Boolean(_) => Self::Boolean,
            Value::Null | Value::BigInteger(_) | Value::Text(_) => Self::Text,
        }
    }
}

/// What of a trait a person sets; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraitPatch {
    /// 1 to 200 characters.
    pub key: Option<String>,
    /// Which of the values below counts.
    pub kind: Option<TraitKind>,
    /// Up to 2,000 characters.
    pub text: Option<String>,
    /// A whole number.
    pub integer: Option<i64>,
    /// A finite number.
    pub float: Option<f64>,
    /// Yes or no.
    pub boolean: Option<bool>,
}

impl TraitPatch {
    /// The value of a type, where one is given.
    fn value(&self, kind: TraitKind) -> Option<Value> {
        match kind {
            TraitKind::Text => self.text.clone().map(Value::text),
            TraitKind::Integer => self.integer.map(Value::Integer),
            TraitKind::Float => self.float.map(Value::Float),
            TraitKind::Boolean => self.boolean.map(Value::Boolean),
        }
    }
}

/// What is said where an identity would gather too many traits.
pub(crate) fn too_many_traits() -> ServiceError {
    ServiceError::invalid("traits", Problem::TraitsExceed { limit: TRAIT_LIMIT })
}

fn missing_value(kind: TraitKind) -> ServiceError {
    let field = match kind {
        TraitKind::Text => "string_value",
        TraitKind::Integer => "integer_value",
        TraitKind::Float => "float_value",
        TraitKind::Boolean => "boolean_value",
    };
    ServiceError::invalid(field, Problem::Required)
}

impl Service {
    /// The stored traits of an identity.
    ///
    /// # Errors
    /// As [`Service::identity`].
    pub async fn identity_traits(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        page: PageRequest,
    ) -> ServiceResult<Page<IdentityTrait>> {
        let (_, identity) = self.seen_identity(caller, api_key, identity).await?;
        Ok(self.store().identity_traits(identity.id, page).await?)
    }

    /// One stored trait of an identity.
    ///
    /// # Errors
    /// As [`Service::identity`], and [`ServiceError::NotFound`] when the identity has no such trait.
    pub async fn identity_trait(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        id: TraitId,
    ) -> ServiceResult<IdentityTrait> {
        let (_, identity) = self.seen_identity(caller, api_key, identity).await?;
        self.trait_in(&identity, id).await
    }

    /// Gives an identity a trait.
    ///
    /// # Errors
    /// As [`Service::identity`], an invalid name or value, [`Problem::TraitsExceed`], and
    /// [`ServiceError::Conflict`] where it has one of this name.
    pub async fn create_identity_trait(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        new: TraitPatch,
    ) -> ServiceResult<IdentityTrait> {
        let key = new.key.clone().unwrap_or_default();
        check_name("trait_key", &key, TRAIT_KEY_LIMIT)?;
        let kind = new.kind.unwrap_or_default();
        let value = new.value(kind).ok_or_else(|| missing_value(kind))?;
        check_trait(&key, &value)?;
        let mut write = self.store().write().await?;
        let (place, identity) = self.managed_identity(caller, api_key, identity).await?;
        if write.lock_traits(identity.id).await? >= TRAIT_LIMIT {
            return Err(too_many_traits());
        }
        let now = self.clock().now();
        let made = write.insert_trait(identity.id, &key, value, now).await?;
        let told = Told::created(Noun::Trait, made.id.get(), None)
            .of_identity(identity.id)
            .saying(format!(
                "New trait '{key}' created for identity {}",
                identity.id
            ));
        self.finish_traits(write, caller, &place, told, [identity.identifier])
            .await?;
        Ok(made)
    }

    /// Changes a trait of an identity.
    ///
    /// # Errors
    /// As [`Service::identity_trait`], an invalid name or value, and [`ServiceError::Conflict`] where the identity has
    /// another one of this name.
    pub async fn update_identity_trait(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        id: TraitId,
        patch: TraitPatch,
    ) -> ServiceResult<IdentityTrait> {
        let mut write = self.store().write().await?;
        let (place, identity) = self.managed_identity(caller, api_key, identity).await?;
        write.lock_traits(identity.id).await?;
        let mut changed = self.trait_in(&identity, id).await?;
        let present = TraitKind::of(&changed.value);
        let kind = patch.kind.unwrap_or(present);
        if let Some(value) = patch.value(kind) {
            changed.value = value;
        } else if kind != present {
            return Err(missing_value(kind));
        }
        if let Some(key) = patch.key {
            changed.key = key.into();
        }
        check_trait(&changed.key, &changed.value)?;
        write.update_trait(&changed, self.clock().now()).await?;
        let told = Told::updated(Noun::Trait, id.get(), None)
            .of_identity(identity.id)
            .saying(format!(
                "Trait '{}' updated for identity {}",
                changed.key, identity.id
            ));
        self.finish_traits(write, caller, &place, told, [identity.identifier])
            .await?;
        Ok(changed)
    }

    /// Takes a trait from an identity, or those of its name from every identity of the environment.
    ///
    /// # Errors
    /// As [`Service::identity_trait`].
    pub async fn delete_identity_trait(
        &self,
        caller: &Caller,
        api_key: &str,
        identity: IdentityId,
        id: TraitId,
        everywhere: bool,
    ) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        let (place, identity) = self.managed_identity(caller, api_key, identity).await?;
        if !everywhere {
            write.lock_traits(identity.id).await?;
        }
        let gone = self.trait_in(&identity, id).await?;
        if everywhere {
            return self.delete_key(write, caller, &place, &gone.key).await;
        }
        write.delete_trait(id).await?;
        let told = Told::deleted(Noun::Trait, id.get(), None)
            .of_identity(identity.id)
            .saying(format!(
                "Trait '{}' deleted for identity {}",
                gone.key, identity.id
            ));
        self.finish_traits(write, caller, &place, told, [identity.identifier])
            .await
    }

    /// Names of the traits that identities of an environment have, sorted.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn trait_keys(&self, caller: &Caller, api_key: &str) -> ServiceResult<Vec<String>> {
        let place = self.visible_environment(caller, api_key).await?;
        Ok(self.store().trait_keys(place.environment.id).await?)
    }

    /// Takes the traits of a name from every identity of an environment.
    ///
    /// # Errors
    /// As [`Service::environment`], [`ServiceError::Forbidden`] for who is no admin of it, and an invalid name.
    pub async fn delete_trait_key(
        &self,
        caller: &Caller,
        api_key: &str,
        key: &str,
    ) -> ServiceResult<()> {
        check_name("key", key, TRAIT_KEY_LIMIT)?;
        let write = self.store().write().await?;
        let place = self.own_environment(caller, api_key).await?;
        self.delete_key(write, caller, &place, key).await
    }

    async fn delete_key(
        &self,
        mut write: Write,
        caller: &Caller,
        place: &EnvironmentPlace,
        key: &str,
    ) -> ServiceResult<()> {
        let environment = &place.environment;
        let touched = write.delete_traits_of_key(environment.id, key).await?;
        let told = Told::deleted(Noun::Trait, environment.id.get(), None).saying(format!(
            "Trait '{key}' deleted for {} identities",
            touched.len()
        ));
        self.finish_traits(write, caller, place, told, touched)
            .await
    }

    /// Commits a change of traits; whoever asks next reads them anew.
    async fn finish_traits(
        &self,
        write: Write,
        caller: &Caller,
        place: &EnvironmentPlace,
        told: Told,
        touched: impl IntoIterator<Item = Arc<str>>,
    ) -> ServiceResult<()> {
        self.finish(write, Some(caller), place.subject().unshown(), told)
            .await?;
        for identifier in touched {
            self.identity_cache()
                .forget(&(place.environment.id, identifier));
        }
        Ok(())
    }

    async fn trait_in(&self, identity: &Identity, id: TraitId) -> ServiceResult<IdentityTrait> {
        let found = self.store().identity_trait(identity.id, id).await?;
        found.ok_or(ServiceError::NotFound { noun: Noun::Trait })
    }
}
