//! Where a client of flagd's gRPC services can put the key of its environment.
//!
//! None of them has an option for a key, so it may stand wherever they let a text be set. In this order: the metadata
//! `x-environment-key` and `authorization` (`Bearer <key>`, or the key by itself); the selector, of the metadata
//! `flagd-selector` before that of the message; `provider_id` of the message; `:authority`. Then a listener may stand
//! for an environment. Only server-side keys count: a document and its segments are no business of a browser.

use super::selector::Selector;
use crate::auth::{KeyedEnvironment, Presented};
use crate::grpc::{CallAuth, status_of};
use crate::state::ApiState;
use axum::http::{HeaderMap, HeaderName, header};
use flagstaff_core::{EnvironmentKey, Snapshot};
use flagstaff_proto::flagd::sync::v1::{
    FetchAllFlagsRequest, GetMetadataRequest, SyncFlagsRequest,
};
use flagstaff_service::{KeyNeed, ServiceError};
use secrecy::{ExposeSecret as _, SecretString};
use tonic::{Code, Status};

static ENVIRONMENT_KEY: HeaderName = HeaderName::from_static("x-environment-key");
static SELECTOR: HeaderName = HeaderName::from_static("flagd-selector");

/// What a message may say of where it is meant for.
pub(crate) trait NamesFlagSet {
    fn selector(&self) -> &str {
        ""
    }

    fn provider_id(&self) -> &str {
        ""
    }
}

/// The services of evaluation: their messages name nothing.
impl NamesFlagSet for () {}

impl NamesFlagSet for GetMetadataRequest {}

impl NamesFlagSet for SyncFlagsRequest {
    fn selector(&self) -> &str {
        &self.selector
    }

    fn provider_id(&self) -> &str {
        &self.provider_id
    }
}

impl NamesFlagSet for FetchAllFlagsRequest {
    fn selector(&self) -> &str {
        &self.selector
    }

    fn provider_id(&self) -> &str {
        &self.provider_id
    }
}

/// A server-side key in any of the places where flagd's clients can put one, of a project that is served to flagd.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagdKey;

impl<M: NamesFlagSet + Sync> CallAuth<M> for FlagdKey {
    type Subject = KeyedEnvironment;

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
        message: &M,
    ) -> Result<KeyedEnvironment, Status> {
        let selector = metadata(presented.headers, &SELECTOR)?;
        let selector = selector.filter(|text| !text.trim().is_empty());
        let selector = Selector::parse(selector.unwrap_or_else(|| message.selector()))?;
        let key = key(presented, &selector, message.provider_id())?;
        let key = key.ok_or_else(|| {
            Status::unauthenticated("no server-side key: none of its places holds one")
        })?;
        let opened = state.service();
        let opened = opened.open_environment(Some(key), KeyNeed::ServerSide);
        let open = opened.await.map_err(|error| match error {
            // It was presented, and is of the wrong kind.
            ServiceError::KeyMissing => status_of(&ServiceError::KeyUnknown),
            error => status_of(&error),
        })?;
        if !is_served(open.snapshot()) {
            return Err(not_served());
        }
        selector.require(open.snapshot())?;
        let key: SecretString = key.into();
        Ok(KeyedEnvironment { open, key })
    }
}

/// The same, for a question that older clients ask before the one that may carry the key in its message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagdKeyInMetadata;

impl<M: NamesFlagSet + Sync> CallAuth<M> for FlagdKeyInMetadata {
    type Subject = KeyedEnvironment;

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
        message: &M,
    ) -> Result<KeyedEnvironment, Status> {
        let opened = FlagdKey.authenticate(state, presented, message).await;
        opened.map_err(|status| match status.code() {
            // The one answer on which these clients go on.
            Code::Unauthenticated => Status::unimplemented("without a key nothing is known"),
            _ => status,
        })
    }
}

/// True for an environment whose project is served to flagd.
pub(in crate::flagd) fn is_served(snapshot: &Snapshot) -> bool {
    snapshot.enabled_flagd().is_some()
}

/// The refusal of a project that is not, in the words of the HTTP face.
pub(super) fn not_served() -> Status {
    Status::not_found("flagd integration is not enabled for this project.")
}

/// The first key of all places.
fn key<'a>(
    presented: Presented<'a>,
    selector: &Selector<'a>,
    provider_id: &'a str,
) -> Result<Option<&'a str>, Status> {
    if let Some(key) = metadata(presented.headers, &ENVIRONMENT_KEY)? {
        return Ok(Some(key));
    }
    if let Some(value) = metadata(presented.headers, &header::AUTHORIZATION)? {
        return Ok(Some(match value.trim().split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key,
            Some(_) | None => value,
        }));
    }
    let is_key = |text: &&str| text.starts_with(EnvironmentKey::SERVER_PREFIX);
    let authority = presented.authority.map(without_port);
    let listener = presented.listener.and_then(|listener| listener.key());
    Ok(selector
        .key
        .or_else(|| Some(provider_id.trim()).filter(is_key))
        .or_else(|| authority.filter(is_key))
        .or_else(|| listener.map(|key| key.expose_secret())))
}

fn without_port(authority: &str) -> &str {
    authority
        .split_once(':')
        .map_or(authority, |(host, _)| host)
}

/// The text of a header. One that is no text is presented all the same, and is no key of ours.
fn metadata<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Status> {
    let value = headers.get(name).map(|value| value.to_str()).transpose();
    value.map_err(|_| Status::invalid_argument(format!("`{name}` holds more than visible ASCII")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::Listener;
    use axum::http::HeaderValue;

    struct Case<'a> {
        headers: &'a [(&'static str, &'static str)],
        selector: &'a str,
        provider_id: &'a str,
        authority: Option<&'a str>,
        listener: Option<&'static str>,
    }

    const NOTHING: Case<'_> = Case {
        headers: &[],
        selector: "",
        provider_id: "",
        authority: None,
        listener: None,
    };

    fn found(case: Case<'_>) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in case.headers {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let listener = case.listener.map(|key| Listener::new(Some(key.into())));
        let presented = Presented {
            headers: &headers,
            path_parameters: &[],
            authority: case.authority,
            listener: listener.as_ref(),
            query: None,
        };
        let selector = Selector::parse(case.selector).unwrap();
        let found = key(presented, &selector, case.provider_id).unwrap();
        found.map(str::to_owned)
    }

    #[test]
    fn every_place_is_looked_at_in_its_order() {
        let all = Case {
            headers: &[
                ("x-environment-key", "ser.header"),
                ("authorization", "Bearer ser.authorization"),
            ],
            selector: "ser.selector",
            provider_id: "ser.provider",
            authority: Some("ser.authority:8015"),
            listener: Some("ser.listener"),
        };
        assert_eq!(found(Case { ..all }).as_deref(), Some("ser.header"));
        let headers = &[("authorization", "bearer ser.authorization")];
        let case = Case { headers, ..all };
        assert_eq!(found(case).as_deref(), Some("ser.authorization"));
        let headers = &[("authorization", "ser.raw")];
        assert_eq!(found(Case { headers, ..all }).as_deref(), Some("ser.raw"));
        let case = Case {
            headers: &[],
            ..all
        };
        assert_eq!(found(case).as_deref(), Some("ser.selector"));
        let case = Case {
            headers: &[],
            selector: "flagSetId=a/b",
            ..all
        };
        assert_eq!(found(case).as_deref(), Some("ser.provider"));
        let case = Case {
            headers: &[],
            selector: "",
            provider_id: "my-service",
            ..all
        };
        assert_eq!(found(case).as_deref(), Some("ser.authority"));
        let case = Case {
            listener: Some("ser.listener"),
            authority: Some("localhost:8015"),
            ..NOTHING
        };
        assert_eq!(found(case).as_deref(), Some("ser.listener"));
        assert_eq!(found(NOTHING), None);
    }
}
