//! OpenID Connect by discovery: the authorisation code flow with PKCE, and a signed token that is checked.

use super::{Departure, Person, Return, VerifiedEmail};
use crate::config::OidcConfig;
use crate::error::BoxError;
use crate::outbound::{OutboundClient, OutboundError};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreGenderClaim, CoreIdTokenVerifier,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AccessTokenHash, AdditionalClaims, AuthType, AuthorizationCode, ClientId,
    ClientSecret, CsrfToken, HttpRequest, HttpResponse, IdToken, IdTokenClaims, IssuerUrl,
    LocalizedClaim, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what a provider says of itself is taken for true.
const KEPT: Duration = Duration::from_secs(600);
/// How old it has to be to be asked for anew because a token does not fit it: providers change their keys.
const RENEWED_AFTER: Duration = Duration::from_secs(30);

/// What stands in a token beside the usual.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct MoreClaims(Map<String, Json>);

impl AdditionalClaims for MoreClaims {}

type Token = IdToken<
    MoreClaims,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Claims = IdTokenClaims<MoreClaims, CoreGenderClaim>;

/// What a provider says of itself, and since when it is known.
type Known = (Instant, Arc<CoreProviderMetadata>);

/// A provider of OpenID Connect.
pub(super) struct OpenId {
    config: OidcConfig,
    client: OutboundClient,
    known: Mutex<Option<Known>>,
}

impl OpenId {
    pub(super) fn new(config: &OidcConfig, client: OutboundClient) -> Self {
        Self {
            config: config.clone(),
            client,
            known: Mutex::new(None),
        }
    }

    pub(super) fn client(&self) -> &OutboundClient {
        &self.client
    }

    pub(super) async fn departure_url(&self, departure: &Departure) -> Result<String, BoxError> {
        let metadata = self.metadata(KEPT).await?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.config.client_id.clone()),
            self.client_secret(),
        )
        .set_redirect_uri(RedirectUrl::new(departure.callback.clone())?);
        let verifier = PkceCodeVerifier::new(departure.verifier.expose_secret().to_owned());
        let (state, nonce) = (departure.state.clone(), departure.nonce.clone());
        let scopes = ["email", "profile"].into_iter();
        let scopes = scopes.chain(self.config.scopes.iter().map(String::as_str));
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(url.into())
    }

    pub(super) async fn person(&self, back: Return) -> Result<Person, BoxError> {
        let metadata = self.metadata(KEPT).await?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.config.client_id.clone()),
            self.client_secret(),
        )
        .set_redirect_uri(RedirectUrl::new(back.callback)?)
        .set_auth_type(auth_type(&metadata));
        let http = self.http();
        let answer = client
            .exchange_code(AuthorizationCode::new(back.code.expose_secret().to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(
                back.verifier.expose_secret().to_owned(),
            ))
            .request_async(&http)
            .await
            .map_err(|error| plain("the provider gives no token for the code", &error))?;
        let token = answer.id_token().ok_or("the provider gives no ID token")?;
        let token: Token = token.to_string().parse()?;
        let nonce = Nonce::new(back.nonce);
        let access = answer.access_token();
        let claims = match self.claims(&metadata, &token, &nonce, access) {
            Ok(claims) => claims,
            // The provider may sign with another key since it was asked; any other fault shows again.
            Err(_) => {
                let metadata = self.metadata(RENEWED_AFTER).await?;
                self.claims(&metadata, &token, &nonce, access)?
            }
        };
        let info: Option<CoreUserInfoClaims> =
            if claims.email().is_none() {
                let request = client.user_info(access.clone(), Some(claims.subject().clone()));
                match request {
                    Ok(request) => Some(request.request_async(&http).await.map_err(|error| {
                        plain("the provider tells nothing of the person", &error)
                    })?),
                    // The provider has no such place to ask.
                    Err(_) => None,
                }
            } else {
                None
            };
        Ok(self.person_of(&claims, info.as_ref()))
    }

    fn claims(
        &self,
        metadata: &CoreProviderMetadata,
        token: &Token,
        nonce: &Nonce,
        access: &AccessToken,
    ) -> Result<Claims, BoxError> {
        let verifier = self.verifier(metadata);
        let claims = token
            .claims(&verifier, nonce)
            .map_err(|error| plain("the provider's token is not accepted", &error))?;
        if let Some(expected) = claims.access_token_hash() {
            let (algorithm, key) = (token.signing_alg()?, token.signing_key(&verifier)?);
            if AccessTokenHash::from_token(access, algorithm, key)? != *expected {
                return Err("the access token is not the one that the ID token is about".into());
            }
        }
        Ok(claims.clone())
    }

    fn verifier(&self, metadata: &CoreProviderMetadata) -> CoreIdTokenVerifier<'static> {
        let client = ClientId::new(self.config.client_id.clone());
        let issuer = metadata.issuer().clone();
        let keys = metadata.jwks().clone();
        // Only signatures by a key that the provider alone has; a shared secret would let us sign for it.
        let is_own = |algorithm: &CoreJwsSigningAlgorithm| {
            use CoreJwsSigningAlgorithm as Algorithm;
            matches!(
                algorithm,
                Algorithm::RsaSsaPkcs1V15Sha256
                    | Algorithm::RsaSsaPkcs1V15Sha384
                    | Algorithm::RsaSsaPkcs1V15Sha512
                    | Algorithm::RsaSsaPssSha256
                    | Algorithm::RsaSsaPssSha384
                    | Algorithm::RsaSsaPssSha512
                    | Algorithm::EcdsaP256Sha256
                    | Algorithm::EcdsaP384Sha384
                    | Algorithm::EdDsa
            )
        };
        let offered = metadata.id_token_signing_alg_values_supported().iter();
        let accepted: Vec<CoreJwsSigningAlgorithm> =
            offered.filter(|each| is_own(each)).cloned().collect();
        CoreIdTokenVerifier::<'static>::new_public_client(client, issuer, keys)
            .set_allowed_algs(accepted)
    }

    fn person_of(&self, claims: &Claims, info: Option<&CoreUserInfoClaims>) -> Person {
        let from_token = (claims.email(), claims.email_verified());
        let (email, is_verified) = match (from_token, info) {
            ((None, _), Some(info)) => (info.email(), info.email_verified()),
            (from_token, _) => from_token,
        };
        let is_verified = is_verified.unwrap_or(self.config.trust_email);
        let email = email.filter(|_| is_verified);
        let first = claims
            .given_name()
            .or(info.and_then(|info| info.given_name()));
        let last = claims
            .family_name()
            .or(info.and_then(|info| info.family_name()));
        let more = &claims.additional_claims().0;
        Person {
            subject: claims.subject().as_str().to_owned(),
            email: email.map(|email| VerifiedEmail(email.as_str().to_owned())),
            first_name: name(first.map(|name| localized(name, |name| name.as_str()))),
            last_name: name(last.map(|name| localized(name, |name| name.as_str()))),
            is_admin: self.is_admin(more),
            hosted_domain: more.get("hd").and_then(Json::as_str).map(str::to_lowercase),
        }
    }

    fn is_admin(&self, claims: &Map<String, Json>) -> bool {
        let Some(claim) = self
            .config
            .role_claim
            .as_ref()
            .and_then(|name| claims.get(name))
        else {
            return false;
        };
        let makes_admin = |value: &Json| {
            let value = value.as_str();
            value.is_some_and(|value| self.config.admin_values.iter().any(|each| each == value))
        };
        match claim {
            Json::Array(values) => values.iter().any(makes_admin),
            value => makes_admin(value),
        }
    }

    /// What the provider says of itself, asked for when what is known is too old.
    pub(super) async fn metadata(
        &self,
        oldest: Duration,
    ) -> Result<Arc<CoreProviderMetadata>, BoxError> {
        let known = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((since, metadata)) = known
            && since.elapsed() < oldest
        {
            return Ok(metadata);
        }
        let issuer = IssuerUrl::new(self.config.issuer.clone())?;
        let http = self.http();
        let found = CoreProviderMetadata::discover_async(issuer, &http)
            .await
            .map_err(|error| plain("the provider cannot be discovered", &error))?;
        let found = Arc::new(found);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((Instant::now(), Arc::clone(&found)));
        Ok(found)
    }

    fn client_secret(&self) -> Option<ClientSecret> {
        let secret: Option<&SecretString> = self.config.client_secret.as_ref();
        secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()))
    }

    fn http(&self) -> impl Fn(HttpRequest) -> Asking + Send + Sync + use<> {
        let client = self.client.clone();
        move |request| {
            let client = client.clone();
            Box::pin(async move { client.send(request).await })
        }
    }
}

type Asking = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send>>;

/// How a client shows who it is: in a header, unless the provider wants it in the body alone.
fn auth_type(metadata: &CoreProviderMetadata) -> AuthType {
    let methods = metadata.token_endpoint_auth_methods_supported();
    let in_body = methods.is_some_and(|methods| {
        methods.contains(&CoreClientAuthMethod::ClientSecretPost)
            && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
    });
    if in_body {
        AuthType::RequestBody
    } else {
        AuthType::BasicAuth
    }
}

/// The error and what is behind it, as text: answers of providers are no secrets, and their types are many.
fn plain(what: &str, error: &dyn std::error::Error) -> BoxError {
    let mut text = format!("{what}: {error}");
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text.into()
}

fn localized<T>(claim: &LocalizedClaim<T>, text: impl Fn(&T) -> &str) -> String {
    let value = claim
        .get(None)
        .or_else(|| claim.iter().next().map(|(_, value)| value));
    value
        .map(|value| text(value).to_owned())
        .unwrap_or_default()
}

/// A name as members have it.
pub(super) fn name(text: Option<String>) -> String {
    let text = text.unwrap_or_default();
    let shown = text.chars().filter(|c| !c.is_control());
    shown.take(crate::sign_up::NAME_LIMIT).collect()
}
