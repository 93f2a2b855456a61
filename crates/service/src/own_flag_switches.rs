//! The dashboard's own flags, seen and switched by superusers: in the hidden environment, where nothing else is ever changed.

use crate::account_links::require_superuser;
use crate::audit::{AuditPlace, AuditRecord};
use crate::change::{Subject, Told};
use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{FeatureId, FeatureState, Timestamp};
use flagstaff_store::{AuditFilter, OWN_ENVIRONMENT, OWN_ORGANISATION, OWN_PROJECT};

/// One of the dashboard's own flags, as it is in the hidden environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnFlagSwitch {
    /// Its name.
    pub name: String,
    /// On or off.
    pub is_enabled: bool,
    /// When it was last switched, or made.
    pub changed_at: Timestamp,
}

impl Service {
    /// True where the hidden environment decides what the dashboard shows, and not another one that the operator named.
    #[must_use]
    pub fn switches_own_flags(&self) -> bool {
        let config = &self.config().own_flags;
        config.key.is_none() && config.api.is_none()
    }

    /// The dashboard's own flags, in the order in which they were made.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is a superuser, and failures of the database.
    pub async fn own_flag_switches(&self, caller: &Caller) -> ServiceResult<Vec<OwnFlagSwitch>> {
        require_superuser(caller)?;
        let published = self.published(OWN_ENVIRONMENT).await?;
        let switch = |part: &flagstaff_core::SnapshotFeature| OwnFlagSwitch {
            name: part.feature.name.as_str().to_owned(),
            is_enabled: part.state.enabled,
            changed_at: part.state.updated_at,
        };
        let mut features: Vec<_> = published.snapshot.features.iter().collect();
        // Their ids count downwards.
        features.sort_by_key(|part| std::cmp::Reverse(part.feature.id));
        Ok(features.into_iter().map(|part| switch(part)).collect())
    }

    /// Switches one of the dashboard's own flags.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is a superuser; [`ServiceError::NotFound`] for a flag that is not there.
    pub async fn switch_own_flag(
        &self,
        caller: &Caller,
        name: &str,
        is_enabled: bool,
    ) -> ServiceResult<()> {
        require_superuser(caller)?;
        let id = self.own_flag(name).await?;
        // In turn from here: what is read now is what the change is made to.
        let mut write = self.store().write().await?;
        let now = self.clock().now();
        let state = self.store().default_state(OWN_ENVIRONMENT, id, now).await?;
        let noun = Noun::FeatureState;
        let state = state.ok_or(ServiceError::NotFound { noun })?;
        if state.enabled == is_enabled {
            return Ok(());
        }
        let state = FeatureState {
            enabled: is_enabled,
            updated_at: now.after(state.updated_at),
            ..state
        };
        write.update_feature_state(&state).await?;
        let word = if is_enabled { "on" } else { "off" };
        let told = Told::updated(noun, state.id.get(), state.uuid)
            .of_feature(id)
            .saying(format!(
                "The dashboard's own flag {name} is switched {word}"
            ));
        let subject = Subject::environment(OWN_ORGANISATION, OWN_PROJECT, OWN_ENVIRONMENT);
        self.finish(write, Some(caller), subject, told).await
    }

    /// Who switched the dashboard's own flags, newest first; at most `limit` entries.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] unless the caller is a superuser, and failures of the database.
    pub async fn own_flag_changes(
        &self,
        caller: &Caller,
        limit: u32,
    ) -> ServiceResult<Vec<AuditRecord>> {
        require_superuser(caller)?;
        let place = AuditPlace::Organisation(OWN_ORGANISATION);
        let part = self.audit_part(caller, place, AuditFilter::default(), None, limit);
        Ok(part.await?.0)
    }

    async fn own_flag(&self, name: &str) -> ServiceResult<FeatureId> {
        let published = self.published(OWN_ENVIRONMENT).await?;
        let mut features = published.snapshot.features.iter();
        let found = features.find(|part| part.feature.name.as_str() == name);
        found
            .map(|part| part.feature.id)
            .ok_or(ServiceError::NotFound {
                noun: Noun::Feature,
            })
    }
}
