//! The routes of rollouts.

use super::{body, shape};
use crate::auth::Member;
use crate::flagsmith::admin::lists;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::flagsmith::fields::Fields;
use crate::flagsmith::view::View;
use crate::routes::Routes;
use axum::http::StatusCode;
use flagstaff_core::RolloutId;
use flagstaff_service::{Caller, RolloutView};

/// Adds the routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .view(
            "/api/v1/rollouts/",
            View::new("Rollout List")
                .get(Member, list)
                .post(Member, create),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/",
            View::new("Rollout Instance")
                .get(Member, get)
                .patch(Member, update),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/hold/",
            View::new("Hold").post(Member, hold),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/resume/",
            View::new("Resume").post(Member, resume),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/approve/",
            View::new("Approve").post(Member, approve),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/promote/",
            View::new("Promote").post(Member, promote),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/abort/",
            View::new("Abort").post(Member, abort),
        )
        .view(
            "/api/v1/rollouts/{rollout_id}/roll-back/",
            View::new("Roll Back").post(Member, roll_back),
        )
}

/// `GET /api/v1/rollouts/`
async fn list(call: Call<Caller>) -> Result<Answer, Failure> {
    let query = lists::read_parameters(&call.query(), body::read_query)?;
    let paging = lists::paging(&call.query())?;
    let page = lists::page_request(paging);
    let found = call.service().rollouts(&call.subject, query, page).await?;
    lists::answer_page(&call, paging, &found, shape::rollout)
}

/// `POST /api/v1/rollouts/`
async fn create(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let (environment, request) = Fields::read(&body, body::read_request)?;
    let service = call.service();
    let made = service.create_rollout(&call.subject, &environment, request);
    let made = made.await?;
    let answer = answer(&call, &made).await?;
    Ok(answer.with_status(StatusCode::CREATED))
}

/// `GET /api/v1/rollouts/{rollout_id}/`
async fn get(call: Call<Caller>) -> Result<Answer, Failure> {
    let view = call.service().rollout(&call.subject, id(&call)?).await?;
    answer(&call, &view).await
}

/// `PATCH /api/v1/rollouts/{rollout_id}/`
async fn update(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let body = call.body().await?;
    let patch = Fields::read(&body, body::read_patch)?;
    let service = call.service();
    let view = service.update_rollout(&call.subject, id(&call)?, patch);
    answer(&call, &view.await?).await
}

/// `POST /api/v1/rollouts/{rollout_id}/hold/`
async fn hold(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let reason = reason(&mut call).await?;
    let service = call.service();
    let view = service.hold_rollout(&call.subject, id(&call)?, reason);
    answer(&call, &view.await?).await
}

/// `POST /api/v1/rollouts/{rollout_id}/resume/`
async fn resume(call: Call<Caller>) -> Result<Answer, Failure> {
    let service = call.service();
    let view = service.resume_rollout(&call.subject, id(&call)?);
    answer(&call, &view.await?).await
}

/// `POST /api/v1/rollouts/{rollout_id}/approve/`
async fn approve(call: Call<Caller>) -> Result<Answer, Failure> {
    let service = call.service();
    let view = service.approve_rollout(&call.subject, id(&call)?);
    answer(&call, &view.await?).await
}

/// `POST /api/v1/rollouts/{rollout_id}/promote/`
async fn promote(call: Call<Caller>) -> Result<Answer, Failure> {
    let service = call.service();
    let view = service.promote_rollout(&call.subject, id(&call)?);
    answer(&call, &view.await?).await
}

/// `POST /api/v1/rollouts/{rollout_id}/abort/`
async fn abort(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let reason = reason(&mut call).await?;
    let service = call.service();
    let view = service.abort_rollout(&call.subject, id(&call)?, reason);
    answer(&call, &view.await?).await
}

/// `POST /api/v1/rollouts/{rollout_id}/roll-back/`
async fn roll_back(mut call: Call<Caller>) -> Result<Answer, Failure> {
    let reason = reason(&mut call).await?;
    let service = call.service();
    let view = service.roll_back_rollout(&call.subject, id(&call)?, reason);
    answer(&call, &view.await?).await
}

fn id(call: &Call<Caller>) -> Result<RolloutId, Failure> {
    call.path_id("rollout_id").map(RolloutId::new)
}

async fn reason(call: &mut Call<Caller>) -> Result<Option<String>, Failure> {
    let body = call.body().await?;
    Fields::read(&body, body::read_reason)
}

async fn answer(call: &Call<Caller>, view: &RolloutView) -> Result<Answer, Failure> {
    let service = call.service();
    let events = service.rollout_events(&call.subject, view.rollout.id);
    let events = events.await?;
    Ok(Answer::of(&shape::rollout_with_events(view, &events)))
}
