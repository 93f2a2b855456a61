//! `flagd/flags.json` and `flagd/diagnostics.json`: what flagd polls.

use super::document::FlagdDocument;
use super::meters;
use crate::flagsmith::answer::Answer;
use crate::flagsmith::call::Call;
use crate::flagsmith::error::Failure;
use crate::modified::{is_unmodified_since, last_modified};
use crate::rendered::{Rendered, pack_off_thread};
use axum::http::{StatusCode, header};
use flagstaff_service::OpenEnvironment;

const NOT_ENABLED: &str = "flagd integration is not enabled for this project.";
/// What decides about the answers.
const VARY: &str = "Accept, Accept-Encoding, Authorization, Origin, X-Environment-Key";

/// `GET /api/v1/flagd/flags.json`
pub(super) async fn flags(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let answer = answer(&call, |document| &document.flags).await;
    let status = match &answer {
        Ok(answer) => answer.status(),
        Err(_) => StatusCode::NOT_FOUND,
    };
    meters::count_request(status);
    tracing::debug!(
        environment.id = call.subject.snapshot().environment.id.get(),
        http.status = status.as_u16(),
        "document.served"
    );
    answer
}

/// `GET /api/v1/flagd/diagnostics.json`
pub(super) async fn diagnostics(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let answer = answer(&call, |document| &document.diagnostics).await?;
    tracing::debug!(
        environment.id = call.subject.snapshot().environment.id.get(),
        http.status = answer.status().as_u16(),
        "diagnostics.served"
    );
    Ok(answer)
}

/// The only failure is that the project is not served to flagd.
async fn answer(
    call: &Call<OpenEnvironment>,
    part: fn(&FlagdDocument) -> &Rendered,
) -> Result<Answer, Failure> {
    let service = call.service();
    let open = service.up_to_now(call.subject.clone()).await;
    // Before anything the client holds is looked at: whoever was switched off is not told "nothing changed".
    let Some(integration) = open.snapshot().enabled_flagd() else {
        return Err(Failure::Missing(NOT_ENABLED.into()));
    };
    let document = FlagdDocument::of(&call.state, &open.published, integration).await;
    pack_off_thread(&document, part, call.headers()).await;
    let least = call.config().compress_bytes;
    let mut answer = part(&document).answer(call.headers(), least, VARY);
    let (updated_at, now) = (open.snapshot().updated_at, service.clock().now());
    if is_unmodified_since(call.headers(), updated_at, now) {
        answer = answer.without_body(StatusCode::NOT_MODIFIED);
    }
    Ok(answer.with_header(header::LAST_MODIFIED, last_modified(updated_at, now)))
}
