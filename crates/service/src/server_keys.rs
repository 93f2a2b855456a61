//! Server-side keys of environments.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::text_rules::check_name;
use crate::{Caller, Service, secrets};
use flagstaff_core::{EnvironmentKey, ServerKey, ServerKeyId, Timestamp};
use flagstaff_store::NewServerKey;

/// Characters the name of a key may have.
const NAME_LIMIT: usize = 100;

/// A server-side key to be made.
#[derive(Debug, Clone, Default)]
pub struct ServerKeyRequest {
    /// 1 to 100 characters.
    pub name: String,
    /// False: made, but refused until it is switched on.
    pub active: Option<bool>,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
    /// The key itself, where it is fixed elsewhere; begins with `ser.`.
    pub key: Option<EnvironmentKey>,
}

/// What of a key a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServerKeyPatch {
    /// 1 to 100 characters.
    pub name: Option<String>,
    /// False: refused.
    pub active: Option<bool>,
    /// `Some(None)`: never expires.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Service {
    /// The server-side keys of an environment.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn server_keys(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<Vec<ServerKey>> {
        let place = self.own_environment(caller, api_key).await?;
        Ok(self.store().server_keys(place.environment.id).await?)
    }

    /// Makes a server-side key.
    ///
    /// # Errors
    /// As [`Service::environment`], invalid fields, and [`ServiceError::Conflict`] for a key in use.
    pub async fn create_server_key(
        &self,
        caller: &Caller,
        api_key: &str,
        request: ServerKeyRequest,
    ) -> ServiceResult<ServerKey> {
        let place = self.own_environment(caller, api_key).await?;
        self.insert_server_key(Some(caller), &place, request).await
    }

    pub(crate) async fn insert_server_key(
        &self,
        caller: Option<&Caller>,
        place: &EnvironmentPlace,
        request: ServerKeyRequest,
    ) -> ServiceResult<ServerKey> {
        check_name("name", &request.name, NAME_LIMIT)?;
        let key = match request.key {
            Some(key) if !key.is_server_side() => {
                return Err(ServiceError::invalid("key", Problem::NotAServerKey));
            }
            Some(key) => key.expose().to_owned(),
            None => format!(
                "{}{}",
                EnvironmentKey::SERVER_PREFIX,
                secrets::random_key()?
            ),
        };
        let new_key = NewServerKey {
            environment_id: place.environment.id,
            name: request.name,
            key: key.into(),
            active: request.active.unwrap_or(true),
            expires_at: request.expires_at,
        };
        let mut write = self.store().write().await?;
        let key = write
            .insert_server_key(&new_key, self.clock().now())
            .await?;
        let told = Told::created(Noun::ServerKey, key.id.get(), None)
            .saying(format!("New server-side key created: {}", key.name));
        self.finish(write, caller, place.subject().with_keys(), told)
            .await?;
        Ok(key)
    }

    /// Changes a server-side key.
    ///
    /// # Errors
    /// As [`Service::environment`], [`ServiceError::NotFound`] for an unknown key, and invalid fields.
    pub async fn update_server_key(
        &self,
        caller: &Caller,
        api_key: &str,
        id: ServerKeyId,
        patch: ServerKeyPatch,
    ) -> ServiceResult<ServerKey> {
        let place = self.own_environment(caller, api_key).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut key = self.server_key_of(&place, id).await?;
        if let Some(name) = patch.name {
            check_name("name", &name, NAME_LIMIT)?;
            key.name = name;
        }
        key.active = patch.active.unwrap_or(key.active);
        key.expires_at = patch.expires_at.unwrap_or(key.expires_at);
        write.update_server_key(&key).await?;
        let told = Told::updated(Noun::ServerKey, id.get(), None)
            .saying(format!("Server-side key updated: {}", key.name));
        self.finish(write, Some(caller), place.subject().with_keys(), told)
            .await?;
        Ok(key)
    }

    /// Deletes a server-side key; it stops at once.
    ///
    /// # Errors
    /// As [`Service::update_server_key`].
    pub async fn delete_server_key(
        &self,
        caller: &Caller,
        api_key: &str,
        id: ServerKeyId,
    ) -> ServiceResult<()> {
        let place = self.own_environment(caller, api_key).await?;
        let key = self.server_key_of(&place, id).await?;
        self.remove_server_key(Some(caller), &place, &key).await
    }

    pub(crate) async fn remove_server_key(
        &self,
        caller: Option<&Caller>,
        place: &EnvironmentPlace,
        key: &ServerKey,
    ) -> ServiceResult<()> {
        let mut write = self.store().write().await?;
        write.delete_server_key(key.id).await?;
        let told = Told::deleted(Noun::ServerKey, key.id.get(), None)
            .saying(format!("Server-side key deleted: {}", key.name));
        self.finish(write, caller, place.subject().with_keys(), told)
            .await
    }

    async fn server_key_of(
        &self,
        place: &EnvironmentPlace,
        id: ServerKeyId,
    ) -> ServiceResult<ServerKey> {
        let keys = self.store().server_keys(place.environment.id).await?;
        let key = keys.into_iter().find(|key| key.id == id);
        key.ok_or(ServiceError::NotFound {
            noun: Noun::ServerKey,
        })
    }
}
