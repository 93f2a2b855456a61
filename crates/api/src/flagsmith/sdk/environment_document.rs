//! `environment-document/`: everything an SDK needs to evaluate by itself.

use super::super::answer::Answer;
use super::super::call::Call;
use super::super::error::Failure;
use super::forms::Document;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use flagstaff_core::Timestamp;
use flagstaff_service::{OpenEnvironment, RequestKind};
use flagstaff_wire::time::{http_date, parse_http_date};

/// How long after a change another one may still carry a time within the same second: clocks of several nodes
/// differ, and a change is never dated before the one it follows.
const SETTLING_SECONDS: i64 = 5;

/// `GET /api/v1/environment-document/`
pub(super) async fn document(call: Call<OpenEnvironment>) -> Result<Answer, Failure> {
    let open = &call.subject;
    let kind = RequestKind::EnvironmentDocument;
    call.service().count_request(open, kind, &call.sdk_labels());
    let updated_at = open.snapshot().updated_at;
    let now = call.service().clock().now();
    let modified = shown_time(updated_at, now);
    let document = open.published.form_off_thread::<Document>().await;
    let mut answer = document
        .rendered
        .answer(call.headers(), call.config().compress_bytes);
    let is_unmodified = answer.status() == StatusCode::NOT_MODIFIED
        || is_unmodified_since(call.headers(), updated_at, now);
    if is_unmodified {
        answer = answer.without_body(StatusCode::NOT_MODIFIED);
    } else {
        answer = document.age.add_to(answer);
    }
    match HeaderValue::from_str(&http_date(modified)) {
        Ok(value) => Ok(answer.with_header(header::LAST_MODIFIED, value)),
        Err(_) => Ok(answer),
    }
}

/// The time to show for a document: the second of its last change once no other change can fall into it, the
/// second before as long as one can. So whoever comes back with that time is never told that nothing changed
/// when something did.
fn shown_time(updated_at: Timestamp, now: Timestamp) -> Timestamp {
    let second = updated_at.seconds();
    let is_settled = now.seconds() > second + SETTLING_SECONDS;
    let shown = if is_settled { second } else { second - 1 };
    Timestamp::from_micros(shown * 1_000_000)
}

/// As the original: a tag, even an unknown one, makes the time count for nothing. So does a clock that was set back:
/// changes are microseconds apart then, and the second says nothing.
fn is_unmodified_since(request: &HeaderMap, updated_at: Timestamp, now: Timestamp) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) || now < updated_at {
        return false;
    }
    let since = request.get(header::IF_MODIFIED_SINCE);
    let since = since.and_then(|value| parse_http_date(value.to_str().ok()?));
    since.is_some_and(|since| updated_at.seconds() <= since)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn a_second_in_which_more_may_change_is_not_shown() {
        let updated_at = Timestamp::from_micros(100 * SECOND + 300_000);
        let check = |now: i64, expected: i64| {
            let shown = shown_time(updated_at, Timestamp::from_micros(now * SECOND));
            assert_eq!(shown.seconds(), expected, "{now}");
        };

        check(90, 99);
        check(100, 99);
        check(105, 99);
        check(106, 100);
    }

    #[test]
    fn the_time_counts_in_whole_seconds_and_not_beside_a_tag() {
        let updated_at = Timestamp::from_micros(1_795_219_889_147_205);
        let mut headers = HeaderMap::new();
        let mut check = |since: &'static str, expected: bool| {
            headers.insert(header::IF_MODIFIED_SINCE, HeaderValue::from_static(since));
            assert_eq!(
                is_unmodified_since(&headers, updated_at, updated_at),
                expected,
                "{since}"
            );
        };

        check("Sat, 21 Nov 2026 00:11:29 GMT", true);
        check("Sat, 21 Nov 2026 00:11:28 GMT", false);
        check("garbage", false);
        headers.insert(
            header::IF_MODIFIED_SINCE,
            HeaderValue::from_static("Sat, 21 Nov 2026 00:11:29 GMT"),
        );
        let set_back = Timestamp::from_micros(updated_at.micros() - 1);
        assert!(!is_unmodified_since(&headers, updated_at, set_back));
        headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"abc\""));
        assert!(!is_unmodified_since(&headers, updated_at, updated_at));
    }
}
