//! Google: OpenID Connect, and access tokens that Flagsmith's dashboard brings along.

use super::openid::{self, OpenId};
use super::{Person, VerifiedEmail};
use crate::config::{GoogleConfig, OidcConfig};
use crate::error::BoxError;
use crate::outbound::OutboundClient;
use http::Request;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::Url;

pub(super) struct Google {
    openid: OpenId,
    client_id: String,
    token_info_url: String,
}

/// What Google says of an access token. Numbers and truths are texts there.
#[derive(Deserialize)]
struct TokenInfo {
    aud: String,
    sub: String,
    email: Option<String>,
    email_verified: Option<String>,
}

/// What Google says of whom a token belongs to.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
    given_name: Option<String>,
    family_name: Option<String>,
    hd: Option<String>,
}

impl Google {
    /// Google by the settings; `None` where they name no application.
    pub(super) fn new(config: &GoogleConfig, client: OutboundClient) -> Option<Self> {
        let client_id = config.client_id.clone().filter(|id| !id.is_empty())?;
        let oidc = OidcConfig {
            issuer: config.issuer.clone(),
            client_id: client_id.clone(),
            client_secret: config.client_secret.clone(),
            ..OidcConfig::default()
        };
        Some(Self {
            openid: OpenId::new(&oidc, client),
            client_id,
            token_info_url: config.token_info_url.clone(),
        })
    }

    pub(super) fn openid(&self) -> &OpenId {
        &self.openid
    }

    /// Whose an access token is. It has to have been given out to our application: another one's token would let that one
    /// sign in here as everybody who ever signed in there.
    pub(super) async fn person_by_token(&self, token: &SecretString) -> Result<Person, BoxError> {
        let mut url = Url::parse(&self.token_info_url)?;
        url.query_pairs_mut()
            .append_pair("access_token", token.expose_secret());
        let info: TokenInfo = self
            .ask(Request::get(url.as_str()).body(Vec::new())?)
            .await?;
        if info.aud != self.client_id {
            return Err("the access token was given out to another application".into());
        }
        let metadata = self
            .openid
            .metadata(std::time::Duration::from_secs(600))
            .await?;
        let endpoint = metadata
            .userinfo_endpoint()
            .ok_or("nobody tells of people")?;
        let request = Request::get(endpoint.as_str())
            .header("authorization", format!("Bearer {}", token.expose_secret()))
            .body(Vec::new())?;
        let user: UserInfo = self.ask(request).await?;
        if user.sub != info.sub {
            return Err("the access token is about somebody else".into());
        }
        let is_verified = info.email_verified.as_deref() == Some("true");
        Ok(Person {
            subject: info.sub,
            email: info.email.filter(|_| is_verified).map(VerifiedEmail),
            first_name: openid::name(user.given_name),
            last_name: openid::name(user.family_name),
            is_admin: false,
            hosted_domain: user.hd.map(|domain| domain.to_lowercase()),
        })
    }

    async fn ask<T: for<'a> Deserialize<'a>>(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<T, BoxError> {
        let answer = self.openid.client().send(request).await?;
        if !answer.status().is_success() {
            return Err(format!("Google answers {}", answer.status()).into());
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}
