//! API keys of organisations.

use crate::change::{Subject, Told};
use crate::error::{Noun, Problem, ServiceError, ServiceResult};
use crate::text_rules::check_name;
use crate::{Caller, Service, secrets};
use flagstaff_core::{ApiKey, OrganisationId, Timestamp};
use flagstaff_store::NewApiKey;
use secrecy::{ExposeSecret as _, SecretString};

/// Characters the name of a key may have.
const NAME_LIMIT: usize = 50;

/// An API key to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyRequest {
    /// 1 to 50 characters.
    pub name: String,
    /// Has to be true, which is the default: there are no roles that another key could be given.
    pub is_admin: Option<bool>,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
}

/// What of a key a person may change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiKeyPatch {
    /// 1 to 50 characters.
    pub name: Option<String>,
    /// As in [`ApiKeyRequest`].
    pub is_admin: Option<bool>,
    /// True: refused.
    pub revoked: Option<bool>,
    /// `Some(None)`: never expires.
    pub expires_at: Option<Option<Timestamp>>,
}

impl Service {
    /// The API keys of an organisation.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is an admin of the organisation.
    pub async fn api_keys(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
    ) -> ServiceResult<Vec<ApiKey>> {
        caller.require_admin(organisation)?;
        Ok(self.store().api_keys(organisation).await?)
    }

    /// One API key by its prefix.
    ///
    /// # Errors
    /// As [`Service::api_keys`], and [`ServiceError::NotFound`].
    pub async fn api_key(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        prefix: &str,
    ) -> ServiceResult<ApiKey> {
        caller.require_admin(organisation)?;
        let key = self.store().api_key(organisation, prefix).await?;
        key.ok_or(ServiceError::NotFound { noun: Noun::ApiKey })
    }

    /// Makes an API key; its text is in this answer and nowhere else.
    ///
    /// # Errors
    /// As [`Service::api_keys`], and invalid fields.
    pub async fn create_api_key(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        request: ApiKeyRequest,
    ) -> ServiceResult<(ApiKey, SecretString)> {
        caller.require_admin(organisation)?;
        self.organisation_row(organisation).await?;
        check_name("name", &request.name, NAME_LIMIT)?;
        check_admin(request.is_admin)?;
        let (prefix, text) = secrets::random_api_key()?;
        let new_key = NewApiKey {
            organisation_id: organisation,
            prefix,
            digest: secrets::digest(text.expose_secret()),
            name: request.name,
            is_admin: true,
            expires_at: request.expires_at,
            created_by: caller.member().map(|member| member.id),
        };
        let mut write = self.store().write().await?;
        let key = write.insert_api_key(&new_key, self.clock().now()).await?;
        let told = Told::created(Noun::ApiKey, key.id.get(), None)
            .saying(format!("New API key created: {}", key.name));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await?;
        self.api_key_screen().admit(new_key.digest).await;
        Ok((key, text))
    }

    /// Changes an API key.
    ///
    /// # Errors
    /// As [`Service::api_key`], and invalid fields.
    pub async fn update_api_key(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        prefix: &str,
        patch: ApiKeyPatch,
    ) -> ServiceResult<ApiKey> {
        caller.require_admin(organisation)?;
        check_admin(patch.is_admin)?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let mut key = self.api_key(caller, organisation, prefix).await?;
        if let Some(name) = patch.name {
            check_name("name", &name, NAME_LIMIT)?;
            key.name = name;
        }
        key.revoked = patch.revoked.unwrap_or(key.revoked);
        key.expires_at = patch.expires_at.unwrap_or(key.expires_at);
        write.update_api_key(&key).await?;
        let told = Told::updated(Noun::ApiKey, key.id.get(), None)
            .saying(format!("API key updated: {}", key.name));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await?;
        Ok(key)
    }

    /// Deletes an API key; it stops at once.
    ///
    /// # Errors
    /// As [`Service::api_key`].
    pub async fn delete_api_key(
        &self,
        caller: &Caller,
        organisation: OrganisationId,
        prefix: &str,
    ) -> ServiceResult<()> {
        caller.require_admin(organisation)?;
        let mut write = self.store().write().await?;
        let key = self.api_key(caller, organisation, prefix).await?;
        write.delete_api_key(key.id).await?;
        let told = Told::deleted(Noun::ApiKey, key.id.get(), None)
            .saying(format!("API key deleted: {}", key.name));
        self.finish(write, Some(caller), Subject::members_of(organisation), told)
            .await
    }
}

fn check_admin(is_admin: Option<bool>) -> ServiceResult<()> {
    if is_admin == Some(false) {
        return Err(ServiceError::invalid("is_admin", Problem::NoRoles));
    }
    Ok(())
}
