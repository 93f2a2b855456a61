//! Identities as members see them.

use crate::change::Told;
use crate::environments::EnvironmentPlace;
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::identify::identifier;
use crate::{Caller, Identification, Identified, OpenEnvironment, Service};
use flagstaff_core::{EnvironmentId, EnvironmentPermission, Identifier, Identity, IdentityId};
use flagstaff_store::{IdentitySearch, NewIdentity, Page, PageRequest, StoredIdentity};
use std::sync::Arc;
use std::time::Instant;

impl Service {
    /// Identities of an environment; `query` is part of an identifier, or all of it in double quotes.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn identities(
        &self,
        caller: &Caller,
        api_key: &str,
        query: Option<&str>,
        page: PageRequest,
    ) -> ServiceResult<Page<Identity>> {
        let permission = EnvironmentPermission::ViewIdentities;
        let place = self.environment_for(caller, api_key, permission).await?;
        let exact = query.and_then(|query| query.strip_prefix('"')?.strip_suffix('"'));
        let search = match (exact, query) {
            // Whatever holds a NUL is stored nowhere.
            (_, Some(query)) if query.contains('\0') => return Ok(Page::default()),
            (Some(exact), _) => IdentitySearch::Exactly(exact.to_owned()),
            (None, Some(part)) if !part.is_empty() => IdentitySearch::Containing(part.to_owned()),
            (None, _) => IdentitySearch::All,
        };
        Ok(self
            .store()
            .identities(place.environment.id, &search, page)
            .await?)
    }

    /// One identity.
    ///
    /// # Errors
    /// As [`Service::environment`], and [`ServiceError::NotFound`] when the environment knows no such identity.
    pub async fn identity(
        &self,
        caller: &Caller,
        api_key: &str,
        id: IdentityId,
    ) -> ServiceResult<Identity> {
        let (_, identity) = self.seen_identity(caller, api_key, id).await?;
        Ok(identity)
    }

    /// One identity with everything its flags are evaluated from, as a server-side key sees it.
    ///
    /// # Errors
    /// As [`Service::identity`].
    pub async fn identity_to_evaluate(
        &self,
        caller: &Caller,
        api_key: &str,
        id: IdentityId,
    ) -> ServiceResult<(OpenEnvironment, Identified)> {
        // Flags are the environment's: seeing them takes no right to see identities, as in the original.
        let place = self.visible_environment(caller, api_key).await?;
        let identity = self.identity_in(&place, id).await?;
        let open = OpenEnvironment {
            published: self.published(place.environment.id).await?,
            server_side: true,
        };
        let identification = Identification {
            identifier: Some(identity.identifier.to_string()),
            traits: Vec::new(),
            // Looking stores nothing.
            transient: true,
        };
        let identified = self.identify(&open, identification).await?;
        Ok((open, identified))
    }

    /// Makes an identity without traits.
    ///
    /// # Errors
    /// As [`Service::environment`], an invalid identifier, and [`ServiceError::Conflict`] for a known one.
    pub async fn create_identity(
        &self,
        caller: &Caller,
        api_key: &str,
        text: &str,
    ) -> ServiceResult<Identity> {
        let permission = EnvironmentPermission::ManageIdentities;
        let place = self.environment_for(caller, api_key, permission).await?;
        let identifier = identifier(text)?;
        let mut write = self.store().write().await?;
        let identity = write
            .insert_identity(&NewIdentity {
                id: None,
                environment_id: place.environment.id,
                identifier: identifier.clone(),
                created_at: self.clock().now(),
            })
            .await?;
        let told = Told::created(Noun::Identity, identity.id.get(), None)
            .saying(format!("New Identity created: {text}"));
        self.finish(write, Some(caller), place.subject(), told)
            .await?;
        self.identity_cache()
            .forget(&(place.environment.id, identifier.shared()));
        Ok(identity)
    }

    /// Gives an identity another identifier; its traits and overrides go with it.
    ///
    /// # Errors
    /// As [`Service::identity`], an invalid identifier, and [`ServiceError::Conflict`] for a known one.
    pub async fn rename_identity(
        &self,
        caller: &Caller,
        api_key: &str,
        id: IdentityId,
        text: &str,
    ) -> ServiceResult<Identity> {
        let new = identifier(text)?;
        let mut write = self.store().write().await?;
        let (place, mut identity) = self.managed_identity(caller, api_key, id).await?;
        if *identity.identifier == *new.as_str() {
            return Ok(identity);
        }
        write.rename_identity(id, &new).await?;
        // The identifier is personal data: the log keeps the number only.
        let told =
            Told::updated(Noun::Identity, id.get(), None).saying(format!("Identity updated: {id}"));
        let names = vec![Arc::clone(&identity.identifier), new.shared()];
        let subject = place.subject().with_identities(names.clone());
        self.finish(write, Some(caller), subject, told).await?;
        for name in names {
            self.identity_cache().forget(&(place.environment.id, name));
        }
        identity.identifier = new.shared();
        Ok(identity)
    }

    /// Deletes an identity with its traits and overrides.
    ///
    /// # Errors
    /// As [`Service::identity`].
    pub async fn delete_identity(
        &self,
        caller: &Caller,
        api_key: &str,
        id: IdentityId,
    ) -> ServiceResult<()> {
        let (place, identity) = self.managed_identity(caller, api_key, id).await?;
        let mut write = self.store().write().await?;
        write.delete_identity(id, self.clock().now()).await?;
        // The identifier is personal data: the log keeps the number only.
        let told =
            Told::deleted(Noun::Identity, id.get(), None).saying(format!("Identity deleted: {id}"));
        let identifier = Arc::clone(&identity.identifier);
        let subject = place.subject().with_identity(Arc::clone(&identifier));
        self.finish(write, Some(caller), subject, told).await?;
        self.identity_cache()
            .forget(&(place.environment.id, identifier));
        Ok(())
    }

    /// An identity the caller may see, with its place.
    pub(crate) async fn seen_identity(
        &self,
        caller: &Caller,
        api_key: &str,
        id: IdentityId,
    ) -> ServiceResult<(EnvironmentPlace, Identity)> {
        let permission = EnvironmentPermission::ViewIdentities;
        let place = self.environment_for(caller, api_key, permission).await?;
        let identity = self.identity_in(&place, id).await?;
        Ok((place, identity))
    }

    /// An identity the caller may change, with its place.
    pub(crate) async fn managed_identity(
        &self,
        caller: &Caller,
        api_key: &str,
        id: IdentityId,
    ) -> ServiceResult<(EnvironmentPlace, Identity)> {
        let permission = EnvironmentPermission::ManageIdentities;
        let place = self.environment_for(caller, api_key, permission).await?;
        let identity = self.identity_in(&place, id).await?;
        Ok((place, identity))
    }

    pub(crate) async fn identity_in(
        &self,
        place: &EnvironmentPlace,
        id: IdentityId,
    ) -> ServiceResult<Identity> {
        let identity = self.store().identity(id).await?;
        let identity = identity.filter(|found| found.environment_id == place.environment.id);
        identity.ok_or(ServiceError::NotFound {
            noun: Noun::Identity,
        })
    }

    /// A stored identity with its traits, from memory where that is sound.
    pub(crate) async fn known_identity(
        &self,
        environment: EnvironmentId,
        identifier: &Identifier,
    ) -> ServiceResult<Option<Arc<StoredIdentity>>> {
        let key = (environment, identifier.shared());
        match self.identity_cache().find(&key) {
            Some(known) => Ok(known),
            // Boxed, so that the future of a request that finds it in memory stays small.
            None => Box::pin(self.read_identity(key, identifier)).await,
        }
    }

    async fn read_identity(
        &self,
        key: (EnvironmentId, Arc<str>),
        identifier: &Identifier,
    ) -> ServiceResult<Option<Arc<StoredIdentity>>> {
        let cache = self.identity_cache();
        let (writes, as_of) = (cache.writes(&key), Instant::now());
        let question = self.store().stored_identity(key.0, identifier);
        let stored = match self.ask(question).await {
            Ok(stored) => stored.map(Arc::new),
            Err(ServiceError::Unavailable(cause)) => {
                let old = cache.find_old(&key);
                return old.ok_or(ServiceError::Unavailable(cause));
            }
            Err(error) => return Err(error),
        };
        cache.keep_read(key, stored.clone(), as_of, writes);
        Ok(stored)
    }
}
