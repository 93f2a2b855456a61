//! The key of a flagd client: it opens one environment.

use crate::auth::{Auth, Presented};
use crate::flagd::meters;
use crate::state::ApiState;
use axum::http::{HeaderMap, HeaderName, header};
use flagstaff_service::{KeyNeed, OpenEnvironment, ServiceError, ServiceResult};

static ENVIRONMENT_KEY: HeaderName = HeaderName::from_static("x-environment-key");

/// A server-side key in `X-Environment-Key`, or in `Authorization`, as `Bearer <key>` or by itself: flagd before
/// 0.15 can send no other header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagdKey;

impl Auth for FlagdKey {
    type Subject = OpenEnvironment;
    const HEADER: Option<&'static str> = Some("X-Environment-Key, Authorization");

    async fn authenticate(
        &self,
        state: &ApiState,
        presented: Presented<'_>,
    ) -> ServiceResult<OpenEnvironment> {
        let opened = open(state, presented.headers).await;
        if let Err(error) = &opened {
            meters::count_refusal(error);
        }
        opened
    }
}

async fn open(state: &ApiState, headers: &HeaderMap) -> ServiceResult<OpenEnvironment> {
    let key = presented_key(headers)?;
    state
        .service()
        .open_environment(key, KeyNeed::ServerSide)
        .await
}

/// The key as it was sent; `Authorization` counts only where the header made for keys is absent.
fn presented_key(headers: &HeaderMap) -> ServiceResult<Option<&str>> {
    // A key that is no text is presented all the same, and is not one of ours.
    if let Some(value) = headers.get(&ENVIRONMENT_KEY) {
        return value
            .to_str()
            .map(Some)
            .map_err(|_| ServiceError::KeyUnknown);
    }
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let value = value.to_str().map_err(|_| ServiceError::KeyUnknown)?.trim();
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(key)),
        Some(_) | None => Ok(Some(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_key_is_taken_from_where_flagd_can_put_it() {
        let check = |list: &[(&'static str, &[u8])], expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in list {
                headers.insert(*name, HeaderValue::from_bytes(value).unwrap());
            }
            assert_eq!(presented_key(&headers).unwrap(), expected, "{list:?}");
        };

        check(&[], None);
        check(&[("x-environment-key", b"ser.a")], Some("ser.a"));
        check(&[("authorization", b"ser.a")], Some("ser.a"));
        check(&[("authorization", b"Bearer ser.a")], Some("ser.a"));
        check(&[("authorization", b" bearer ser.a")], Some("ser.a"));
        check(
            &[
                ("x-environment-key", b"ser.a"),
                ("authorization", b"Bearer ser.b"),
            ],
            Some("ser.a"),
        );
        check(
            &[("x-environment-key", b""), ("authorization", b"ser.b")],
            Some(""),
        );
        check(&[("authorization", b"Token ser.a")], Some("Token ser.a"));
    }

    #[test]
    fn a_key_that_is_no_text_is_refused() {
        for name in ["x-environment-key", "authorization"] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_bytes(b"ser.\xff").unwrap());

            assert!(matches!(
                presented_key(&headers),
                Err(ServiceError::KeyUnknown)
            ));
        }
    }
}
