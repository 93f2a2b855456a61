//! Bodies: read within limits, and made one JSON whatever they were sent as.

use super::error::Failure;
use super::form;
use super::json_limits::{self, JsonLimits};
use crate::config::ApiConfig;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value as Json};
use std::time::Duration;

/// Reads a body as JSON; an empty one is an empty object, whatever its type.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: Body,
    config: &ApiConfig,
) -> Result<Json, Failure> {
    let bytes = collect(headers, body, config).await?;
    if bytes.is_empty() {
        return Ok(Json::Object(Map::new()));
    }
    let declared = headers.get(header::CONTENT_TYPE);
    let declared = declared
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media_type = declared.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/json" => parse_json(&bytes, config),
        "application/x-www-form-urlencoded" => {
            let pairs = url::form_urlencoded::parse(&bytes).into_owned();
            form::pairs_to_json(pairs, config)
        }
        "multipart/form-data" => form::pairs_to_json(form::multipart(declared, &bytes)?, config),
        _ => Err(Failure::UnsupportedMediaType(declared.to_owned())),
    }
}

async fn collect(headers: &HeaderMap, body: Body, config: &ApiConfig) -> Result<Bytes, Failure> {
    let limit = config.body_bytes;
    let announced = headers.get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(Failure::BodyTooLarge { limit });
    }
    let seconds = config.body_seconds;
    let collected = Limited::new(body, limit).collect();
    match tokio::time::timeout(Duration::from_secs(seconds), collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::BodyTooLarge { limit }),
        Ok(Err(_)) => Err(Failure::Refused("The request body ended too early.".into())),
        Err(_) => Err(Failure::BodyTooSlow { seconds }),
    }
}

fn parse_json(bytes: &[u8], config: &ApiConfig) -> Result<Json, Failure> {
    let limits = JsonLimits {
        depth: config.json_depth,
        values: config.json_values,
    };
    json_limits::check(bytes, limits).map_err(|limit| not_json(&limit))?;
    serde_json::from_slice(bytes).map_err(|error| {
        let problem = if error.is_eof() {
            "the text ends too early"
        } else {
            "the text is not valid JSON"
        };
        let (line, column) = (error.line(), error.column());
        not_json(&format_args!("{problem}: line {line} column {column}"))
    })
}

fn not_json(problem: &dyn std::fmt::Display) -> Failure {
    Failure::Refused(format!("JSON parse error - {problem}").into())
}
