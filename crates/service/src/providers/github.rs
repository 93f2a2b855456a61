//! GitHub: plain OAuth 2. Only an address that GitHub calls primary and verified counts.

use super::{Departure, Person, Return, VerifiedEmail, openid};
use crate::config::GithubConfig;
use crate::error::BoxError;
use crate::outbound::OutboundClient;
use http::Request;
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use url::{Url, form_urlencoded};

pub(super) struct Github {
    client: OutboundClient,
    client_id: String,
    client_secret: SecretString,
    url: String,
    api_url: String,
}

/// An access token, or what stood in its way: GitHub says 200 to both.
#[derive(Deserialize)]
struct Granted {
    access_token: Option<SecretString>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct User {
    /// Lasts; the login name does not.
    id: u64,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Email {
    email: String,
    primary: bool,
    verified: bool,
}

impl Github {
    /// GitHub by the settings; `None` where they name no application.
    pub(super) fn new(config: &GithubConfig, client: OutboundClient) -> Option<Self> {
        Some(Self {
            client,
            client_id: config.client_id.clone().filter(|id| !id.is_empty())?,
            client_secret: config.client_secret.clone().unwrap_or_default(),
            url: config.url.trim_end_matches('/').to_owned(),
            api_url: config.api_url.trim_end_matches('/').to_owned(),
        })
    }

    pub(super) fn departure_url(&self, departure: &Departure) -> Result<String, BoxError> {
        let verifier = PkceCodeVerifier::new(departure.verifier.expose_secret().to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let mut url = Url::parse(&format!("{}/login/oauth/authorize", self.url))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("redirect_uri", &departure.callback)
            .append_pair("scope", "read:user user:email")
            .append_pair("state", &departure.state)
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Whose a code is; `back` is there when the browser set out from here.
    pub(super) async fn person(
        &self,
        code: &SecretString,
        back: Option<&Return>,
    ) -> Result<Person, BoxError> {
        let token = self.access_token(code, back).await?;
        let user: User = self.ask("/user", &token).await?;
        let emails: Vec<Email> = self.ask("/user/emails", &token).await?;
        let mut emails = emails.into_iter();
        let email = emails.find(|email| email.primary && email.verified);
        let name = user.name.unwrap_or_default();
        let (first, last) = name.split_once(' ').unwrap_or((&name, ""));
        Ok(Person {
            subject: user.id.to_string(),
            email: email.map(|email| VerifiedEmail(email.email)),
            first_name: openid::name(Some(first.to_owned())),
            last_name: openid::name(Some(last.trim().to_owned())),
            is_admin: false,
            hosted_domain: None,
        })
    }

    async fn access_token(
        &self,
        code: &SecretString,
        back: Option<&Return>,
    ) -> Result<SecretString, BoxError> {
        let request = Request::post(format!("{}/login/oauth/access_token", self.url))
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.code_form(code, back).into_bytes())?;
        let granted: Granted = self.answered(request).await?;
        match (granted.access_token, granted.error) {
            (Some(token), None) => Ok(token),
            (_, error) => {
                let error = error.unwrap_or_else(|| "no access token".to_owned());
                Err(format!("GitHub refuses the code: {error}").into())
            }
        }
    }

    fn code_form(&self, code: &SecretString, back: Option<&Return>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose_secret())
            .append_pair("code", code.expose_secret());
        if let Some(back) = back {
            form.append_pair("redirect_uri", &back.callback)
                .append_pair("code_verifier", back.verifier.expose_secret());
        }
        form.finish()
    }

    async fn ask<T: for<'a> Deserialize<'a>>(
        &self,
        path: &str,
        token: &SecretString,
    ) -> Result<T, BoxError> {
        let request = Request::get(format!("{}{path}", self.api_url))
            .header("accept", "application/vnd.github+json")
            .header("authorization", format!("Bearer {}", token.expose_secret()))
            .body(Vec::new())?;
        self.answered(request).await
    }

    async fn answered<T: for<'a> Deserialize<'a>>(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<T, BoxError> {
        let answer = self.client.send(request).await?;
        if !answer.status().is_success() {
            return Err(format!("GitHub answers {}", answer.status()).into());
        }
        Ok(serde_json::from_slice(answer.body())?)
    }
}
