//! What a presented environment key opens.

use crate::error::{ServiceError, ServiceResult};
use crate::keys::KeyValidity;
use crate::published::Published;
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentId, EnvironmentKey, Snapshot, Timestamp};
use flagstaff_store::TouchedIdentities;
use std::sync::Arc;
use tokio::sync::watch;

/// Which keys a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNeed {
    /// The client key or a server-side key.
    Any,
    /// A server-side key.
    ServerSide,
}

/// An environment opened with a key: one revision of it, for the length of a request.
#[derive(Debug, Clone)]
pub struct OpenEnvironment {
    /// What is served.
    pub published: Arc<Published>,
    /// True when a server-side key was presented.
    pub server_side: bool,
}

impl OpenEnvironment {
    /// The snapshot every part of the answer comes from.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.published.snapshot
    }
}

impl Service {
    /// Opens the environment a key belongs to.
    ///
    /// # Errors
    /// [`ServiceError::KeyMissing`] without a key or with one of the wrong kind, [`ServiceError::KeyUnknown`]
    /// for a key that is unknown, inactive or expired, [`ServiceError::OrganisationStopped`], and
    /// [`ServiceError::Unavailable`] while a key cannot be checked.
    pub async fn open_environment(
        &self,
        key: Option<&str>,
        need: KeyNeed,
    ) -> ServiceResult<OpenEnvironment> {
        // Clients have been seen to send blanks around the key; the recorded server takes them.
        let text = key.map(str::trim).filter(|text| !text.is_empty());
        let text = text.ok_or(ServiceError::KeyMissing)?;
        let is_server_text = text.starts_with(EnvironmentKey::SERVER_PREFIX);
        if need == KeyNeed::ServerSide && !is_server_text {
            return Err(ServiceError::KeyMissing);
        }
        let published = match self.resident(text) {
            Some(published) => published,
            // Boxed: whatever waits for the database would make the future of every request kilobytes large.
            None => Box::pin(self.load_by_key(text)).await?,
        };
        if published.snapshot.organisation.stop_serving_flags {
            return Err(ServiceError::OrganisationStopped);
        }
        Ok(OpenEnvironment {
            published,
            server_side: is_server_text,
        })
    }

    /// The same environment with every scheduled change whose time has come. Nodes make those true by a timer, so a
    /// question in the very instant may come first. Where the database is away, what is held is served.
    pub async fn up_to_now(&self, open: OpenEnvironment) -> OpenEnvironment {
        let snapshot = open.snapshot();
        let next = snapshot.environment.next_change_at;
        if next.is_none_or(|next| next > self.clock().now()) {
            return open;
        }
        let id = snapshot.environment.id;
        match Box::pin(self.bring_up_to_now(id, snapshot.revision)).await {
            Ok(published) => OpenEnvironment { published, ..open },
            Err(problem) => {
                // Said once for all when the database went away.
                if !self.availability().is_away() {
                    tracing::warn!(environment.id = id.get(), %problem, "a scheduled change is late");
                }
                open
            }
        }
    }

    async fn bring_up_to_now(
        &self,
        id: EnvironmentId,
        revision: i64,
    ) -> ServiceResult<Arc<Published>> {
        self.apply_due_changes().await?;
        // Another node may have been the one to make it true; what is newer already is left alone.
        self.refresh(id, revision + 1, TouchedIdentities::All)
            .await?;
        self.published(id).await
    }

    /// What a key opens now, where this process holds all of it.
    fn resident(&self, key: &str) -> Option<Arc<Published>> {
        let environment = self.keys().usable(key, self.clock().now())?;
        self.environments().resident_one(environment)
    }

    async fn load_by_key(&self, text: &str) -> ServiceResult<Arc<Published>> {
        let key = EnvironmentKey::parse(text).ok_or(ServiceError::KeyUnknown)?;
        let mut environment = self.keys().resolve(self, &key).await?;
        if self.is_shared() && !self.environments().is_resident(environment) {
            // Other nodes may have withdrawn the key; only environments that are held are followed.
            self.keys().reload(self, environment).await?;
            environment = self.keys().resolve(self, &key).await?;
        }
        match self.published(environment).await {
            // The environment was deleted while its key was still known.
            Err(ServiceError::NotFound { .. }) => Err(ServiceError::KeyUnknown),
            other => other,
        }
    }

    /// For how long a key that opened an environment still opens it, as far as this process has heard.
    #[must_use]
    pub fn key_validity(&self, key: &str, environment: EnvironmentId) -> KeyValidity {
        let now = self.clock().now();
        self.keys().validity(key.trim(), environment, now)
    }

    /// Follows an environment as a member: the receiver sees the time of each change that is published.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn follow_environment(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<watch::Receiver<Timestamp>> {
        let published = self.environment_document(caller, api_key).await?;
        Ok(self.environments().subscribe(&published))
    }

    /// Wakes everybody who follows an environment, as a change does: there is something else to be looked at.
    pub fn wake_followers(&self) {
        self.environments().wake_all_followers();
    }

    /// Follows an environment: the receiver sees the time of each change that is published.
    pub fn subscribe(&self, open: &OpenEnvironment) -> watch::Receiver<Timestamp> {
        self.environments().subscribe(&open.published)
    }
}
