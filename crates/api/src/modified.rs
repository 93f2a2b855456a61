//! `Last-Modified` and `If-Modified-Since` of what is served from a snapshot.

use axum::http::{HeaderMap, HeaderValue, header};
use flagstaff_core::Timestamp;
use flagstaff_wire::time::{http_date, parse_http_date};

/// How long after a change another one may still carry a time within the same second: clocks of several nodes
/// differ, and a change is never dated before the one it follows.
const SETTLING_SECONDS: i64 = 5;

/// `Last-Modified` of what last changed at a time.
pub(crate) fn last_modified(updated_at: Timestamp, now: Timestamp) -> HeaderValue {
    let date = http_date(shown_time(updated_at, now));
    // A date is visible ASCII.
    HeaderValue::from_str(&date)
        .unwrap_or(HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"))
}

/// The time to show: the second of its last change once no other change can fall into it, the
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
pub(crate) fn is_unmodified_since(
    request: &HeaderMap,
    updated_at: Timestamp,
    now: Timestamp,
) -> bool {
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
