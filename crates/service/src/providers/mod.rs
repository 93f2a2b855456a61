//! Services that vouch for people: Google, GitHub, any provider of OpenID Connect.
//!
//! Here is asked who somebody is; whether they may come in is decided in `external_sign_in`.

mod github;
mod google;
mod openid;

use crate::config::ServiceConfig;
use crate::error::BoxError;
use crate::outbound::OutboundClient;
use github::Github;
use google::Google;
use openid::OpenId;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// What a service says of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// The service's own, lasting name for them.
    pub(crate) subject: String,
    /// Their address, when the service has verified it.
    pub(crate) email: Option<VerifiedEmail>,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    /// They become admins of the organisation they join.
    pub(crate) is_admin: bool,
    /// The domain of an organisation that the service says they belong to.
    pub(crate) hosted_domain: Option<String>,
}

/// An e-mail address of which a service says that mail to it reaches the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VerifiedEmail(pub(crate) String);

/// What comes back with a browser, and what it set out with.
#[derive(Debug, Clone)]
pub(crate) struct Return {
    pub(crate) code: SecretString,
    pub(crate) nonce: String,
    pub(crate) verifier: SecretString,
    pub(crate) callback: String,
}

/// What a browser sets out with.
#[derive(Debug, Clone)]
pub(crate) struct Departure {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: SecretString,
    pub(crate) callback: String,
}

/// Who may come in by a service, and where to.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    pub(crate) allowed_domains: Vec<String>,
    pub(crate) organisation: Option<String>,
    /// Addresses of people whom the service does not count to an organisation do not say where they belong.
    pub(crate) needs_hosted_domain: bool,
}

/// A service that is set up.
pub(crate) struct Provider {
    pub(crate) label: String,
    pub(crate) admission: Admission,
    kind: Kind,
}

enum Kind {
    Google(Google),
    Github(Github),
    OpenId(OpenId),
}

impl Provider {
    /// Where a browser is sent to.
    pub(crate) async fn departure_url(&self, departure: &Departure) -> Result<String, BoxError> {
        match &self.kind {
            Kind::Google(google) => google.openid().departure_url(departure).await,
            Kind::Github(github) => github.departure_url(departure),
            Kind::OpenId(openid) => openid.departure_url(departure).await,
        }
    }

    /// Who came back.
    pub(crate) async fn person(&self, back: Return) -> Result<Person, BoxError> {
        match &self.kind {
            Kind::Google(google) => google.openid().person(back).await,
            Kind::Github(github) => github.person(&back.code, Some(&back)).await,
            Kind::OpenId(openid) => openid.person(back).await,
        }
    }

    /// Who is behind what a dashboard of Flagsmith has got by itself: an access token of Google, a code of GitHub.
    ///
    /// `None` for services that the Flagsmith API does not know.
    pub(crate) async fn person_by_token(
        &self,
        token: &SecretString,
    ) -> Option<Result<Person, BoxError>> {
        match &self.kind {
            Kind::Google(google) => Some(google.person_by_token(token).await),
            Kind::Github(github) => Some(github.person(token, None).await),
            Kind::OpenId(_) => None,
        }
    }
}

/// Every service that the settings name.
pub(crate) fn providers(config: &ServiceConfig) -> Result<BTreeMap<String, Provider>, BoxError> {
    let mut providers = BTreeMap::new();
    let client = OutboundClient::trusted(&config.outbound)?;
    if let Some(google) = Google::new(&config.google, client.clone()) {
        let admission = Admission {
            allowed_domains: lower(&config.google.allowed_domains),
            organisation: config.google.organisation.clone(),
            needs_hosted_domain: true,
        };
        let provider = Provider {
            label: "Google".to_owned(),
            admission,
            kind: Kind::Google(google),
        };
        providers.insert("google".to_owned(), provider);
    }
    if let Some(github) = Github::new(&config.github, client.clone()) {
        let admission = Admission {
            allowed_domains: lower(&config.github.allowed_domains),
            organisation: config.github.organisation.clone(),
            needs_hosted_domain: false,
        };
        let provider = Provider {
            label: "GitHub".to_owned(),
            admission,
            kind: Kind::Github(github),
        };
        providers.insert("github".to_owned(), provider);
    }
    for (name, oidc) in &config.oidc {
        let admission = Admission {
            allowed_domains: lower(&oidc.allowed_domains),
            organisation: oidc.organisation.clone(),
            needs_hosted_domain: false,
        };
        let provider = Provider {
            label: oidc.label.clone().unwrap_or_else(|| name.clone()),
            admission,
            kind: Kind::OpenId(OpenId::new(oidc, client.clone())),
        };
        // The settings refuse tables of this kind that are named as one of the two above.
        providers.entry(name.clone()).or_insert(provider);
    }
    Ok(providers)
}

fn lower(domains: &[String]) -> Vec<String> {
    let domains = domains
        .iter()
        .map(|domain| domain.trim().trim_start_matches('@'));
    domains.map(str::to_ascii_lowercase).collect()
}
