//! Figures about an environment that dashboards show.

use crate::error::{Noun, ServiceError, ServiceResult};
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentKey, Timestamp};

/// How much of everything an environment has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EnvironmentMetrics {
    /// Features of the project.
    pub features: usize,
    /// Those that are on by default.
    pub enabled_features: usize,
    /// Overrides for segments.
    pub segment_overrides: usize,
    /// Overrides for identities.
    pub identity_overrides: usize,
}

/// When an SDK first asked for flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstEvaluation {
    /// Beginning of the quarter of an hour in which it did.
    pub at: Timestamp,
    /// What it said of itself.
    pub sdk_label: Option<String>,
}

impl Service {
    /// Counts what an environment has.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn environment_metrics(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<EnvironmentMetrics> {
        let environment = self.environment(caller, api_key).await?;
        let published = self.published(environment.id).await?;
        let snapshot = &published.snapshot;
        let enabled = snapshot.features.iter().filter(|each| each.state.enabled);
        let segments = snapshot.segments.iter();
        let identities = snapshot.identities.iter();
        Ok(EnvironmentMetrics {
            features: snapshot.features.len(),
            enabled_features: enabled.count(),
            segment_overrides: segments.map(|segment| segment.overrides.len()).sum(),
            identity_overrides: identities.map(|identity| identity.states.len()).sum(),
        })
    }

    /// When an SDK first asked for the flags of an environment, as far as it was counted: known by its client key
    /// alone, which is public.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`] when there is no such environment.
    pub async fn first_evaluation(&self, api_key: &str) -> ServiceResult<Option<FirstEvaluation>> {
        let missing = || ServiceError::NotFound {
            noun: Noun::Environment,
        };
        let key = EnvironmentKey::parse(api_key).ok_or_else(missing)?;
        let environment = self.store().environment_by_key(key.expose()).await?;
        let environment = environment.ok_or_else(missing)?;
        let first = self.store().first_request(environment.id).await?;
        Ok(first.map(|(at, labels)| FirstEvaluation {
            at,
            sdk_label: labels.user_agent,
        }))
    }
}
