//! The native route that says how flags came to their values: for server keys, API keys and members, never for client keys.
//!
//! What it answers is what `flagstaff evaluate --explain` writes and what the dashboard shows.

use crate::auth::{Explainer, ServerKeyOrCaller};
use crate::flagsmith::error::Failure;
use crate::flagsmith::json_limits::{self, JsonLimits};
use crate::flagsmith::query::Query;
use crate::request_body;
use crate::routes::{Arrived, Refusals, Routes};
use crate::state::ApiState;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use flagstaff_service::{Explanation, Noun, SentContext, ServiceError, Wanted};
use flagstaff_wire::flagsmith::explanation::explanation;
use flagstaff_wire::json::value_to_json;
use flagstaff_wire::ofrep::SentEvaluation;
use serde_json::{Map, Value as Json, json};

const REFUSALS: Refusals = Refusals {
    unauthenticated: |error| Failure::from(error).into_response(),
    method: |method| Failure::MethodNotAllowed(method).into_response(),
};

/// Adds the routes.
pub(crate) fn routes(routes: Routes) -> Routes {
    let auth = ServerKeyOrCaller;
    routes
        .get_or_post("/api/v1/explain/flags/", auth, REFUSALS, explain)
        .get_or_post("/api/v1/explain/flags/{name}/", auth, REFUSALS, explain)
}

/// `GET` with `?targetingKey=…`, or `POST` with a body as OFREP has it: `{"context": {"targetingKey": …, …}}`. A caller who
/// is not an environment names one: `?environment=<client key>`.
async fn explain(state: ApiState, explainer: Explainer, arrived: Arrived) -> Response {
    match answer(&state, explainer, arrived).await {
        Ok(json) => {
            let kind = HeaderValue::from_static("application/json");
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (StatusCode::OK, headers, json.to_string()).into_response()
        }
        Err(failure) => failure.into_response(),
    }
}

async fn answer(state: &ApiState, explainer: Explainer, arrived: Arrived) -> Result<Json, Failure> {
    let Arrived {
        parts,
        path_parameters,
        body,
    } = arrived;
    let query = Query::parse(parts.uri.query());
    let sent = if parts.method == Method::POST {
        let config = state.config();
        let body = request_body::collect(&parts.headers, body, config, config.body_bytes).await?;
        read(state, &body)?
    } else {
        SentContext::of(query.last("targetingKey"))
    };
    let open = match explainer {
        Explainer::Environment(open) => open,
        Explainer::Caller(caller) => {
            let problem = flagstaff_service::Problem::Required;
            let missing = || ServiceError::invalid("environment", problem);
            let client_key = query.last("environment").ok_or_else(missing)?;
            let service = state.service();
            service.open_to_explain(&caller, client_key, &sent).await?
        }
    };
    let name = path_parameters.iter().find(|(name, _)| name == "name");
    let wanted = name.map_or(Wanted::Flags, |(_, name)| Wanted::Flag(name));
    let explained = state.service().explain(open, sent, wanted).await?;
    if name.is_some() && explained.trace.flags.is_empty() {
        let noun = Noun::Feature;
        return Err(ServiceError::NotFound { noun }.into());
    }
    Ok(shape(&explained))
}

fn read(state: &ApiState, body: &[u8]) -> Result<SentContext, Failure> {
    let config = state.config();
    let limits = JsonLimits {
        depth: config.json_depth,
        values: config.json_values,
    };
    let refused = |text: String| Failure::Refused(text.into());
    json_limits::check(body, limits).map_err(|limit| refused(limit.to_string()))?;
    let read = SentEvaluation::read(body, config.traits);
    let read = read.map_err(|problem| refused(problem.to_string()))?;
    let mut sent = SentContext::of(read.targeting_key);
    for (name, value) in read.attributes {
        sent.insert(&name, value);
    }
    Ok(sent)
}

/// The explanation with what it was made from.
fn shape(explained: &Explanation) -> Json {
    let snapshot = explained.open.snapshot();
    let attributes = explained.recognised.attributes().iter();
    let attributes: Map<String, Json> = attributes
        .map(|(name, value)| (name.to_owned(), value_to_json(value)))
        .collect();
    let mut json = json!({
        "environment": snapshot.environment.name,
        "revision": snapshot.revision,
        "targetingKey": explained.recognised.identifier(),
        "hashKey": explained.recognised.hash_key(),
        "attributes": attributes,
    });
    let told = explanation(&snapshot.rules, &explained.trace, explained.warnings());
    if let (Json::Object(json), Json::Object(told)) = (&mut json, told) {
        json.extend(told);
    }
    json
}
