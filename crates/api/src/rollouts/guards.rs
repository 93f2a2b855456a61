//! `rollouts/{rollout_id}/guards/`: what holds a rollout or rolls it back by itself.

use crate::auth::Member;
use crate::flagsmith::admin::times;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::flagsmith::fields::{Fields, Need, Text};
use crate::flagsmith::view::View;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::guard::{
    Guard, GuardAction, Harm, RateLimit, SequentialTest, Threshold, Watch,
};
use flagstaff_core::{GuardId, RolloutId};
use flagstaff_service::{Caller, GuardRequest, Noun};
use serde_json::{Map, Value as Json, json};

const NAME: Text = Text::up_to(100);
const SOURCE: Text = Text::up_to(500);
const QUERY: Text = Text::up_to(4_000);

#[derive(Clone, Copy)]
enum Kind {
    Metric,
    FailureRate,
    Comparison,
    Health,
}

const KINDS: [(&str, Kind); 4] = [
    ("metric", Kind::Metric),
    ("failure_rate", Kind::FailureRate),
    ("comparison", Kind::Comparison),
    ("health", Kind::Health),
];
const HARMS: [(&str, Harm); 2] = [
    (Harm::Above.as_str(), Harm::Above),
    (Harm::Below.as_str(), Harm::Below),
];
const ACTIONS: [(&str, GuardAction); 3] = [
    (GuardAction::Hold.as_str(), GuardAction::Hold),
    (GuardAction::RollBack.as_str(), GuardAction::RollBack),
    (GuardAction::Nothing.as_str(), GuardAction::Nothing),
];

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/rollouts/{rollout_id}/guards/",
            View::new("Guard List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/guards/{guard_id}/",
            View::new("Guard Instance")
                .get(Member, get)
                .delete(Member, delete),
        )
}

/// `GET /api/v1/rollouts/{rollout_id}/guards/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let guards = call
        .service()
        .guards(&call.subject, rollout(&call)?)
        .await?;
    let guards: Vec<Json> = guards.iter().map(shape).collect();
    Ok(Answer::of(&guards))
}

/// `POST /api/v1/rollouts/{rollout_id}/guards/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let rollout = rollout(&call)?;
    let body = call.body().await?;
    let request = Fields::read(&body, read)?;
    let service = call.service();
    let made = service
        .create_guard(&call.subject, rollout, request)
        .await?;
    Ok(Answer::of(&shape(&made)).with_status(StatusCode::CREATED))
}

/// `GET /api/v1/rollouts/{rollout_id}/guards/{guard_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let (rollout, id) = (rollout(&call)?, guard(&call)?);
    let guards = call.service().guards(&call.subject, rollout).await?;
    match guards.iter().find(|guard| guard.id == id) {
        Some(guard) => Ok(Answer::of(&shape(guard))),
        None => Err(Failure::no_match(Noun::Guard)),
    }
}

/// `DELETE /api/v1/rollouts/{rollout_id}/guards/{guard_id}/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let (rollout, id) = (rollout(&call)?, guard(&call)?);
    let service = call.service();
    service.delete_guard(&call.subject, rollout, id).await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

fn rollout(call: &Call<Caller>) -> Result<RolloutId, Failure> {
    call.path_id("rollout_id").map(RolloutId::new)
}

fn guard(call: &Call<Caller>) -> Result<GuardId, Failure> {
    call.path_id("guard_id").map(GuardId::new)
}

fn read(fields: &mut Fields<'_>) -> GuardRequest {
    let name = fields.text("name", Need::Required, NAME).or_default();
    let kind = fields.choice("kind", Need::Required, &KINDS).value();
    GuardRequest {
        name,
        watch: kind.map_or(Watch::Health, |kind| read_watch(fields, kind)),
        on_harm: fields.choice("on_harm", Need::Optional, &ACTIONS).value(),
        on_silence: fields
            .choice("on_silence", Need::Optional, &ACTIONS)
            .value(),
        grace_seconds: read_small(fields, "grace_seconds"),
        every_seconds: read_small(fields, "every_seconds"),
        looks: read_small(fields, "looks"),
    }
}

/// Which numbers are allowed, the service says.
fn read_small(fields: &mut Fields<'_>, name: &'static str) -> Option<u32> {
    let number = fields.integer(name, Need::Optional, 0, i64::from(u32::MAX));
    number.value().and_then(|number| u32::try_from(number).ok())
}

fn read_watch(fields: &mut Fields<'_>, kind: Kind) -> Watch {
    match kind {
        Kind::Metric => Watch::Metric {
            source: fields.text("source", Need::Required, SOURCE).or_default(),
            query: fields.text("query", Need::Required, QUERY).or_default(),
            threshold: Threshold {
                harm: fields
                    .choice("harm", Need::Required, &HARMS)
                    .value()
                    .unwrap_or(Harm::Above),
                limit: fields.number("limit", Need::Required).or_default(),
            },
        },
        Kind::FailureRate => Watch::FailureRate(RateLimit {
            limit: fields.number("limit", Need::Required).or_default(),
            minimum: fields
                .integer("minimum", Need::Optional, 1, 1_000_000_000)
                .value()
                .map_or(100, i64::unsigned_abs),
        }),
        Kind::Comparison => {
            let usual = SequentialTest::default();
            let mut number = |name, otherwise| {
                let given = fields.number(name, Need::Optional).value();
                given.unwrap_or(otherwise)
            };
            Watch::Comparison(SequentialTest {
                alpha: number("alpha", usual.alpha),
                tolerated: number("tolerated_ratio", usual.tolerated),
                harmful: number("harmful_ratio", usual.harmful),
            })
        }
        Kind::Health => Watch::Health,
    }
}

fn shape(guard: &Guard) -> Json {
    let sight = &guard.sight;
    let mut json = json!({
        "id": guard.id.get(),
        "uuid": guard.uuid.to_string(),
        "rollout": guard.rollout_id.get(),
        "name": guard.name,
        "kind": guard.watch.kind(),
    });
    let rest = json!({
        "on_harm": guard.on_harm.as_str(),
        "on_silence": guard.on_silence.as_str(),
        "grace_seconds": guard.grace_seconds,
        "every_seconds": guard.every_seconds,
        "looks": guard.looks,
        "verdict": sight.verdict.as_str(),
        "detail": sight.detail,
        // Infinity is no number of JSON.
        "measured": sight.measured.filter(|number| number.is_finite()),
        "p_value": matches!(guard.watch, Watch::Comparison(_)).then(|| sight.evidence.p_value()),
        "looked_at": times::shown_optional(sight.looked_at),
        "created_by": guard.created_by,
        "created_at": times::shown(guard.created_at),
    });
    if let (Json::Object(json), Json::Object(rest)) = (&mut json, rest) {
        json.extend(shape_watch(&guard.watch));
        json.extend(rest);
    }
    json
}

fn shape_watch(watch: &Watch) -> Map<String, Json> {
    let json = match watch {
        Watch::Metric {
            source,
            query,
            threshold,
        } => json!({
            "source": source,
            "query": query,
            "harm": threshold.harm.as_str(),
            "limit": threshold.limit,
        }),
        Watch::FailureRate(rate) => json!({ "limit": rate.limit, "minimum": rate.minimum }),
        Watch::Comparison(test) => json!({
            "alpha": test.alpha,
            "tolerated_ratio": test.tolerated,
            "harmful_ratio": test.harmful,
        }),
        Watch::Health => json!({}),
    };
    match json {
        Json::Object(members) => members,
        _ => Map::new(),
    }
}
