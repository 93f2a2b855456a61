//! Ways to authenticate a request, one of which every route declares.

use crate::listener::Listener;
use crate::state::ApiState;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, header};
use flagstaff_service::{
    AuthenticationProblem, Caller, KeyNeed, OpenEnvironment, ServiceError, ServiceResult,
};
use secrecy::{ExposeSecret as _, SecretString};
use std::future::Future;

/// Where credentials may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) headers: &'a HeaderMap,
    /// Decoded pieces of the path.
    pub(crate) path_parameters: &'a [(String, String)],
    /// The server as the client names it: `:authority`, or `Host`.
    pub(crate) authority: Option<&'a str>,
    /// Where the request came in, unless by the port of everything.
    pub(crate) listener: Option<&'a Listener>,
    /// What follows the question mark.
    pub(crate) query: Option<&'a str>,
}

impl<'a> Presented<'a> {
    /// What a request carries.
    pub(crate) fn of(parts: &'a Parts, path_parameters: &'a [(String, String)]) -> Self {
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        let host = parts.headers.get(header::HOST);
        Self {
            headers: &parts.headers,
            path_parameters,
            authority: authority.or_else(|| host.and_then(|host| host.to_str().ok())),
            listener: parts.extensions.get(),
            query: parts.uri.query(),
        }
    }
}

/// A way to authenticate. What it yields is handed to the handler.
pub(crate) trait Auth: Clone + Send + Sync + 'static {
    /// Who asks, or what they opened.
    type Subject: Send + 'static;
    /// The header that decides, for `Vary`.
    const HEADER: Option<&'static str>;

    fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> impl Future<Output = ServiceResult<Self::Subject>> + Send;
}

/// Nobody has to say who they are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open;

impl Auth for Open {
    type Subject = ();
    const HEADER: Option<&'static str> = None;

    async fn authenticate(&self, _: &ApiState, _: Presented<'_>) -> ServiceResult<()> {
        Ok(())
    }
}

static ENVIRONMENT_KEY: HeaderName = HeaderName::from_static("x-environment-key");

/// The header `X-Environment-Key`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentKey(pub(crate) KeyNeed);

impl Auth for EnvironmentKey {
    type Subject = OpenEnvironment;
    const HEADER: Option<&'static str> = Some("X-Environment-Key");

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<OpenEnvironment> {
        let key = match presented.headers.get(&ENVIRONMENT_KEY) {
            // A key that is no text is presented all the same, and is not one of ours.
            Some(value) => Some(value.to_str().map_err(|_| ServiceError::KeyUnknown)?),
            None => None,
        };
        state.service().open_environment(key, self.0).await
    }
}

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// An environment key in one of the headers that clients of several protocols put it in: `X-Environment-Key`,
/// `X-API-Key` or `Authorization: Bearer`. The first of them that is there counts; where there is none, a listener may
/// stand for an environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentKeyInAnyHeader;

impl Auth for EnvironmentKeyInAnyHeader {
    type Subject = KeyedEnvironment;
    const HEADER: Option<&'static str> = None;

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<KeyedEnvironment> {
        let headers = presented.headers;
        let named = headers.get(&ENVIRONMENT_KEY).or(headers.get(&API_KEY));
        let key = match named {
            Some(value) => Some(value.to_str().map_err(|_| ServiceError::KeyUnknown)?),
            None => presented_by(headers, "bearer"),
        };
        let listener = presented.listener.and_then(Listener::key);
        let key = key.or_else(|| listener.map(|key| key.expose_secret()));
        let open = state.service().open_environment(key, KeyNeed::Any).await?;
        let key = key.unwrap_or_default().into();
        Ok(KeyedEnvironment { open, key })
    }
}

/// An environment key as the piece `{key}` of the path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EnvironmentKeyInPath;

/// An environment with the key that opened it: whoever stays has to ask now and then whether it still does.
#[derive(Clone)]
pub(crate) struct KeyedEnvironment {
    pub(crate) open: OpenEnvironment,
    /// A server-side key is a secret.
    pub(crate) key: SecretString,
}

impl Auth for EnvironmentKeyInPath {
    type Subject = KeyedEnvironment;
    const HEADER: Option<&'static str> = None;

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<KeyedEnvironment> {
        let mut keys = presented.path_parameters.iter();
        let key = keys.find(|(name, _)| name == "key");
        let key = key.map(|(_, key)| key.as_str());
        let open = state.service().open_environment(key, KeyNeed::Any).await?;
        let key = key.unwrap_or_default().into();
        Ok(KeyedEnvironment { open, key })
    }
}

/// Who manages flags: a member who signed in, `Authorization: Token …`, or a program, `Authorization: Api-Key …`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member;

impl Auth for Member {
    type Subject = Caller;
    const HEADER: Option<&'static str> = Some("Authorization");

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<Caller> {
        if let Some(token) = presented_token(presented.headers) {
            return state.service().caller_by_token(token).await;
        }
        if let Some(key) = presented_by(presented.headers, "api-key") {
            return state.service().caller_by_api_key(key).await;
        }
        // Another scheme is nothing that this route can judge.
        Err(ServiceError::Unauthenticated(
            AuthenticationProblem::Missing,
        ))
    }
}

/// Who manages flags, as in [`Member`], by a client that knows no scheme but `Authorization: Bearer …`. An API key is told
/// from a member's token by the dot between its prefix and its secret.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BearerMember;

impl Auth for BearerMember {
    type Subject = Caller;
    const HEADER: Option<&'static str> = Some("Authorization");

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<Caller> {
        let Some(secret) = presented_by(presented.headers, "bearer") else {
            return Member.authenticate(state, presented).await;
        };
        if secret.contains('.') {
            state.service().caller_by_api_key(secret).await
        } else {
            state.service().caller_by_token(secret).await
        }
    }
}

/// A server-side environment key, as in [`EnvironmentKeyInAnyHeader`], or who manages flags, as in [`Member`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerKeyOrCaller;

/// Who may know how flags come to their values.
pub(crate) enum Explainer {
    /// Somebody with a server-side key.
    Environment(OpenEnvironment),
    /// A member or an API key.
    Caller(Caller),
}

impl Auth for ServerKeyOrCaller {
    type Subject = Explainer;
    const HEADER: Option<&'static str> = None;

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<Explainer> {
        let headers = presented.headers;
        let is_caller = presented_token(headers).or(presented_by(headers, "api-key"));
        if is_caller.is_some() {
            let caller = Member.authenticate(state, presented).await?;
            return Ok(Explainer::Caller(caller));
        }
        let keyed = EnvironmentKeyInAnyHeader.authenticate(state, presented);
        let open = keyed.await?.open;
        if open.server_side {
            Ok(Explainer::Environment(open))
        } else {
            Err(ServiceError::Forbidden)
        }
    }
}

/// The token of `Authorization: Token …`.
pub(crate) fn presented_token(headers: &HeaderMap) -> Option<&str> {
    presented_by(headers, "token")
}

fn presented_by<'a>(headers: &'a HeaderMap, expected: &str) -> Option<&'a str> {
    let text = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = text.trim().split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case(expected) && !secret.is_empty()).then_some(secret)
}
