//! The services that people can sign in with.

use crate::Service;
use crate::error::{ExternalProblem, ServiceError, ServiceResult};
use crate::providers::{Provider, providers};
use flagstaff_core::Member;
use std::collections::BTreeMap;

/// A service that people can sign in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInProvider {
    /// Names it in addresses.
    pub name: String,
    /// What people know it as.
    pub label: String,
}

/// The services of a running product.
pub(crate) type Providers = BTreeMap<String, Provider>;

impl Service {
    /// Makes the services that the settings name.
    pub(crate) fn prepare_providers(&self) -> ServiceResult<()> {
        let made = providers(self.config()).map_err(ServiceError::Internal)?;
        // Only the first start of a service prepares.
        let _ = self.0.providers.set(made);
        Ok(())
    }

    /// The services that people can sign in with, and that the dashboard's own flags let it show.
    pub async fn sign_in_providers(&self) -> Vec<SignInProvider> {
        let Some(providers) = self.0.providers.get() else {
            return Vec::new();
        };
        if providers.is_empty() {
            return Vec::new();
        }
        let flags = self.own_flags().await;
        let is_open = |name: &str| match name {
            "google" => flags.oauth_google,
            "github" => flags.oauth_github,
            "microsoft" => flags.oauth_microsoft,
            _ => true,
        };
        let shown = providers.iter().filter(|(name, _)| is_open(name));
        shown
            .map(|(name, provider)| SignInProvider {
                name: name.clone(),
                label: provider.label.clone(),
            })
            .collect()
    }

    /// How a member signs in, in the words of the Flagsmith API.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn auth_type(&self, member: &Member) -> ServiceResult<&'static str> {
        let known = self.store().external_accounts(member.id).await?;
        let is_known_by = |name: &str| known.iter().any(|provider| provider == name);
        Ok(if is_known_by("google") {
            "GOOGLE"
        } else if is_known_by("github") {
            "GITHUB"
        } else {
            "EMAIL"
        })
    }

    pub(crate) fn provider(&self, name: &str) -> ServiceResult<&Provider> {
        let provider = self.0.providers.get().and_then(|all| all.get(name));
        provider.ok_or(ServiceError::External(ExternalProblem::NotSetUp))
    }
}
