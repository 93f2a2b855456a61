//! Hooks of rollouts: `rollouts/{rollout_id}/hook/` makes an address, `rollout-hooks/{token}/…` is where it leads.
//!
//! The address is all that its callers have to show: Flagger's webhooks send no headers of their own. It stands in the
//! path, which is never logged, and nothing that is answered or logged repeats it.

use super::signals::{read_health, read_signals, shape_outcome, shape_report};
use crate::auth::{Member, Open};
use crate::flagsmith::admin::times;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::flagsmith::fields::Fields;
use crate::flagsmith::view::View;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::RolloutId;
use flagstaff_core::guard::Guard;
use flagstaff_service::{Caller, HookCall, HookReply, RolloutHook};
use secrecy::ExposeSecret as _;
use serde_json::{Value as Json, json};

/// Characters of a text of theirs that go into a reason.
const NOTE_LIMIT: usize = 200;

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/rollouts/{rollout_id}/hook/",
            View::new("Rollout Hook")
                .get(Member, get)
                .post(Member, create)
                .delete(Member, delete),
        )
        .view(
            "/api/v1/rollout-hooks/{token}/signals/",
            View::new("Hook Signals").post(Open, count),
        )
        .view(
            "/api/v1/rollout-hooks/{token}/health/",
            View::new("Hook Health").post(Open, report),
        )
        .view(
            "/api/v1/rollout-hooks/{token}/status/",
            View::new("Hook Status")
                .get(Open, status)
                .post(Open, status),
        )
        .view(
            "/api/v1/rollout-hooks/{token}/{call}/",
            View::new("Hook Call").post(Open, called),
        )
}

/// `GET /api/v1/rollouts/{rollout_id}/hook/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let service = call.service();
    let hook = service.rollout_hook(&call.subject, rollout(&call)?);
    Ok(Answer::of(&shape_hook(&hook.await?)))
}

/// `POST /api/v1/rollouts/{rollout_id}/hook/`: the only answer that holds the address.
async fn create(call: Call<Caller>) -> Result<Answer, Failure> {
    let service = call.service();
    let made = service.create_rollout_hook(&call.subject, rollout(&call)?);
    let made = made.await?;
    let path = format!("/api/v1/rollout-hooks/{}/", made.token.expose_secret());
    let base = service.config().public_url.as_deref().unwrap_or_default();
    let mut json = shape_hook(&made.hook);
    if let Json::Object(members) = &mut json {
        members.insert("url".to_owned(), Json::String(format!("{base}{path}")));
        members.insert("path".to_owned(), Json::String(path));
    }
    Ok(Answer::of(&json).with_status(StatusCode::CREATED))
}

/// `DELETE /api/v1/rollouts/{rollout_id}/hook/`
async fn delete(call: Call<Caller>) -> Result<Answer, Failure> {
    let service = call.service();
    service
        .delete_rollout_hook(&call.subject, rollout(&call)?)
        .await?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// `GET` and `POST /api/v1/rollout-hooks/{token}/status/`: always 200, for programs that judge the answer themselves.
async fn status(call: Call<()>) -> Result<Answer, Failure> {
    let token = call.path_text("token")?;
    let reply = call.service().call_hook(token, HookCall::Status).await?;
    Ok(Answer::of(&shape_reply(&reply)))
}

/// `POST /api/v1/rollout-hooks/{token}/{call}/`: 200 for yes, 409 for no, with the reason.
async fn called(mut call: Call<()>) -> Result<Answer, Failure> {
    // A body of another kind than JSON is no reason to stop a rollback: what it says is a note only.
    let body = call.body().await.unwrap_or(Json::Null);
    let word = call.path_text("call")?;
    let asked = asked(word, &body).ok_or(Failure::NoSuchPath)?;
    let token = call.path_text("token")?;
    let is_question = asked != HookCall::Status;
    let reply = call.service().call_hook(token, asked).await?;
    let answer = Answer::of(&shape_reply(&reply));
    Ok(if reply.is_go || !is_question {
        answer
    } else {
        answer.with_status(StatusCode::CONFLICT)
    })
}

/// `POST /api/v1/rollout-hooks/{token}/signals/`
async fn count(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = read_signals(&call, &body)?;
    let token = call.path_text("token")?;
    let counted = call.service().record_signals_by_hook(token, &request);
    Ok(Answer::of(&shape_outcome(&counted.await?)))
}

/// `POST /api/v1/rollout-hooks/{token}/health/`
async fn report(mut call: Call<()>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let request = Fields::read(&body, read_health)?;
    let token = call.path_text("token")?;
    let written = call.service().record_health_by_hook(token, request);
    Ok(Answer::of(&shape_report(&written.await?)))
}

fn rollout(call: &Call<Caller>) -> Result<RolloutId, Failure> {
    call.path_id("rollout_id").map(RolloutId::new)
}

/// What a program wants. Flagger's payload does not say which kind of webhook it comes from, so the path does.
fn asked(word: &str, body: &Json) -> Option<HookCall> {
    Some(match word {
        "confirm-rollout" | "pre-rollout" => HookCall::ConfirmRollout,
        "rollout" => HookCall::Check,
        "confirm-traffic-increase" => HookCall::ConfirmTrafficIncrease,
        "confirm-promotion" => HookCall::ConfirmPromotion,
        "rollback" => HookCall::AskRollback,
        // Sent at every turn of a canary; only its failure says something about the flag.
        "event" => match phase(body) {
            Some("Failed") => HookCall::Failed(note(body)),
            _ => HookCall::Status,
        },
        // Sent once, at the end.
        "post-rollout" => match phase(body) {
            Some("Failed") => HookCall::Failed(note(body)),
            Some("Succeeded") => HookCall::Succeeded,
            _ => HookCall::Status,
        },
        "advance" => HookCall::Advance,
        "hold" => HookCall::Hold(reason(body)),
        "resume" => HookCall::Resume,
        "promote" => HookCall::Promote,
        "roll-back" => HookCall::RollBack(reason(body)),
        "abort" => HookCall::Abort(reason(body)),
        _ => return None,
    })
}

fn phase(body: &Json) -> Option<&str> {
    body.get("phase")?.as_str()
}

/// Which deployment it was.
fn note(body: &Json) -> String {
    let word = |name| body.get(name).and_then(Json::as_str).unwrap_or("?");
    let (name, namespace) = (word("name"), word("namespace"));
    shortened(&format!("the canary `{name}` in `{namespace}` failed"))
}

fn reason(body: &Json) -> Option<String> {
    let reason = body.get("reason").and_then(Json::as_str).map(shortened);
    reason.filter(|reason| !reason.is_empty())
}

fn shortened(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(NOTE_LIMIT).collect()
}

fn shape_hook(hook: &RolloutHook) -> Json {
    json!({
        "rollout": hook.rollout_id.get(),
        "created_by": hook.created_by,
        "created_at": times::shown(hook.created_at),
    })
}

fn shape_reply(reply: &HookReply) -> Json {
    let rollout = &reply.view.rollout;
    let guard = |guard: &Guard| {
        json!({
            "name": guard.name,
            "verdict": guard.sight.verdict.as_str(),
            "detail": guard.sight.detail,
        })
    };
    json!({
        "go": reply.is_go,
        "reason": reply.reason,
        "rollout": rollout.id.get(),
        "feature": reply.view.feature.as_str(),
        "state": rollout.state.as_str(),
        "percentage": rollout.percentage.percent(),
        "verdict": reply.verdict.map(|verdict| verdict.as_str()),
        "guards": reply.guards.iter().map(guard).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(word: &str, body: Json, expected: HookCall) {
        assert_eq!(asked(word, &body), Some(expected), "{word}");
    }

    #[test]
    fn the_path_says_what_is_asked_and_the_phase_how_it_ended() {
        let payload = |phase: &str| {
            json!({
                "name": "shop", "namespace": "web", "phase": phase, "checksum": "85d557f47b",
                "metadata": { "eventMessage": "x", "eventType": "Warning", "timestamp": "1" },
            })
        };
        let failed = || HookCall::Failed("the canary `shop` in `web` failed".to_owned());

        check(
            "confirm-rollout",
            payload("Waiting"),
            HookCall::ConfirmRollout,
        );
        check("rollout", payload("Progressing"), HookCall::Check);
        check("rollback", payload("Progressing"), HookCall::AskRollback);
        check("event", payload("Progressing"), HookCall::Status);
        check("event", payload("Succeeded"), HookCall::Status);
        check("event", payload("Failed"), failed());
        check("post-rollout", payload("Succeeded"), HookCall::Succeeded);
        check("post-rollout", payload("Failed"), failed());
        check("roll-back", Json::Null, HookCall::RollBack(None));
        assert_eq!(asked("signal", &Json::Null), None);
    }

    #[test]
    fn what_they_write_is_kept_short_and_on_one_line() {
        let body = json!({ "reason": format!("a\nb{}", "c".repeat(1000)) });

        let reason = reason(&body).unwrap();

        assert_eq!(reason.len(), NOTE_LIMIT);
        assert!(reason.starts_with("abc"));
        assert_eq!(super::reason(&json!({ "reason": 5 })), None);
    }
}
