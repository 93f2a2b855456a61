//! One flag; and what both ways to ask have in common: reading who asks.

use super::refusal::{Refusal, json};
use crate::auth::KeyedEnvironment;
use crate::flagsmith::json_limits::{self, JsonLimits};
use crate::routes::Arrived;
use crate::state::ApiState;
use crate::{request_body, sdk_labels};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_service::{
    EvaluationCount, OpenEnvironment, Recognised, RequestKind, SentContext, Wanted,
};
use flagstaff_wire::ofrep::{Reader, SentEvaluation, write_resolution};
use secrecy::ExposeSecret as _;

/// `POST /ofrep/v1/evaluate/flags/{key}`
pub(super) async fn flag(state: ApiState, keyed: KeyedEnvironment, arrived: Arrived) -> Response {
    let Arrived {
        parts,
        path_parameters,
        body,
    } = arrived;
    // A name that is no UTF-8 after decoding is the name of no flag.
    let mut keys = path_parameters.into_iter();
    let key = keys.find(|(name, _)| name == "key");
    let key = key.map(|(_, key)| key).unwrap_or_default();
    let answer = async {
        let sent = read_context(&state, &keyed, &parts, body).await?;
        resolved(&state, &keyed.open, &parts.headers, sent, &key).await
    };
    match answer.await {
        Ok(out) => json(StatusCode::OK, out),
        Err(refusal) => refusal.respond(Some(&key)),
    }
}

async fn resolved(
    state: &ApiState,
    open: &OpenEnvironment,
    headers: &HeaderMap,
    sent: SentContext,
    key: &str,
) -> Result<Vec<u8>, Refusal> {
    let service = state.service();
    let recognised = service.recognise(open, sent, Wanted::Flag(key)).await?;
    let labels = sdk_labels::of(headers);
    service.count_request(open, kind(&recognised), &labels);
    let resolution = open.resolution(&recognised, key);
    let resolution = resolution.ok_or(Refusal::NoSuchFlag)?;
    let evaluation = EvaluationCount {
        feature: key.to_owned(),
        enabled: Some(resolution.value.is_some()),
        variant: resolution
            .variant
            .as_ref()
            .map(|variant| variant.client_name().to_owned()),
        count: 1,
    };
    service.count_evaluations(open, &[evaluation], &labels);
    let mut out = Vec::with_capacity(256);
    write_resolution(&resolution, reader(open), &mut out);
    Ok(out)
}

/// Who asks, as the body says. Counts the request against the limit of its key.
pub(super) async fn read_context(
    state: &ApiState,
    keyed: &KeyedEnvironment,
    parts: &Parts,
    body: axum::body::Body,
) -> Result<SentContext, Refusal> {
    let pace = state.ofrep_pace().count(keyed.key.expose_secret());
    pace.map_err(Refusal::TooFast)?;
    let config = state.config();
    let body = request_body::collect(&parts.headers, body, config, config.body_bytes).await?;
    let limits = JsonLimits {
        depth: config.json_depth,
        values: config.json_values,
    };
    json_limits::check(&body, limits)?;
    let read = SentEvaluation::read(&body, config.traits)?;
    if read.dropped > 0 {
        tracing::debug!(lists = read.dropped, "lists of a context are no attributes");
    }
    let mut sent = SentContext::of(read.targeting_key);
    for (name, value) in read.attributes {
        sent.insert(&name, value);
    }
    Ok(sent)
}

/// What a request is counted as: the same as asking Flagsmith's routes for as much.
pub(super) fn kind(recognised: &Recognised) -> RequestKind {
    if recognised.identifier().is_some() {
        RequestKind::Identities
    } else {
        RequestKind::Flags
    }
}

/// Who reads the answer.
pub(super) fn reader(open: &OpenEnvironment) -> Reader {
    if open.server_side {
        Reader::Server
    } else {
        Reader::Client
    }
}
