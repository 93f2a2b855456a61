//! Bodies of requests, read within the limits of size and time.

use crate::config::ApiConfig;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::time::Duration;

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyProblem {
    #[error("the body has more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the body did not arrive within {seconds} s")]
    TooSlow { seconds: u64 },
    #[error("the body ended too early")]
    Broken,
}

/// Reads all of a body. One that announces too many bytes is refused before any of it is read.
pub(crate) async fn collect(
    headers: &HeaderMap,
    body: Body,
    config: &ApiConfig,
    limit: usize,
) -> Result<Bytes, BodyProblem> {
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(BodyProblem::TooLarge { limit });
    }
    let seconds = config.body_seconds;
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(Duration::from_secs(seconds), collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyProblem::TooLarge { limit }),
        Ok(Err(_)) => Err(BodyProblem::Broken),
        Err(_) => Err(BodyProblem::TooSlow { seconds }),
    }
}
