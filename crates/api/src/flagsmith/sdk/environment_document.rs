//! `environment-document/`: everything an SDK needs to evaluate by itself.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::forms::{Document, VARY};
use crate::modified::{is_unmodified_since, last_modified};
use crate::rendered::pack_off_thread;
use axum::http::{StatusCode, header};
use flagstaff_service::{OpenEnvironment, RequestKind};

/// `GET /api/v1/environment-document/`
pub(super) async fn document(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let open = &call.subject;
    let kind = RequestKind::EnvironmentDocument;
    call.service().count_request(open, kind, &call.sdk_labels());
    let updated_at = open.snapshot().updated_at;
    let now = call.service().clock().now();
    let document = open.published.form_off_thread::<Document>().await;
    pack_off_thread(&document, |document| &document.rendered, call.headers()).await;
    let mut answer = document
        .rendered
        .answer(call.headers(), call.config().compress_bytes, VARY);
    let is_unmodified = answer.status() == StatusCode::NOT_MODIFIED
        || is_unmodified_since(call.headers(), updated_at, now);
    if is_unmodified {
        answer = answer.without_body(StatusCode::NOT_MODIFIED);
    } else {
        answer = document.age.add_to(answer);
    }
    Ok(answer.with_header(header::LAST_MODIFIED, last_modified(updated_at, now)))
}
