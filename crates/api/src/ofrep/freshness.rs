//! Hints that there is something newer: `flagConfigEtag` and `flagConfigLastModified`, as a notification carried them.
//!
//! They are no conditions. A node that has not heard of the change yet looks before it answers.

use crate::flagsmith::query::Query;
use flagstaff_core::Timestamp;
use flagstaff_wire::time::{parse_http_date, parse_iso};

const SECOND: i64 = 1_000_000;
/// How far ahead of this node's clock a hint may be; beyond that it is none of ours.
const AHEAD: i64 = 60 * SECOND;

/// What a notification says of the configuration it is about, as clients send it back.
pub(super) fn config_tag(updated_at: Timestamp) -> String {
    updated_at.micros().to_string()
}

/// How new the environment is at least, by what the query says.
pub(super) fn hinted(query: Option<&str>, now: Timestamp) -> Option<Timestamp> {
    let query = query?;
    if !query.contains("flagConfig") {
        return None;
    }
    let query = Query::parse(Some(query));
    let tag = query.last("flagConfigEtag").and_then(micros_of);
    let modified = query.last("flagConfigLastModified").and_then(time_of);
    let hinted = tag.max(modified)?;
    (hinted.micros() <= now.micros().saturating_add(AHEAD)).then_some(hinted)
}

/// Some clients keep the quotes of a header around it.
fn micros_of(tag: &str) -> Option<Timestamp> {
    let digits = tag.trim_matches('"');
    digits.parse().ok().map(Timestamp::from_micros)
}

/// Seconds since 1970, an ISO time or the date of a header.
fn time_of(text: &str) -> Option<Timestamp> {
    let seconds: Option<i64> = text.parse().ok().or_else(|| parse_http_date(text));
    match seconds {
        Some(seconds) => Some(Timestamp::from_micros(seconds.checked_mul(SECOND)?)),
        None => parse_iso(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_219_890 * SECOND);

    #[track_caller]
    fn check(query: &str, expected: Option<i64>) {
        let hinted = hinted(Some(query), NOW).map(Timestamp::micros);
        assert_eq!(hinted, expected, "{query}");
    }

    #[test]
    fn hints_come_as_our_tag_and_as_times_of_three_kinds() {
        check(
            "flagConfigEtag=1795219889147205",
            Some(1_795_219_889_147_205),
        );
        check(
            "a=b&flagConfigEtag=%221795219889147205%22",
            Some(1_795_219_889_147_205),
        );
        check(
            "flagConfigLastModified=1795219889",
            Some(1_795_219_889 * SECOND),
        );
        check(
            "flagConfigLastModified=2026-11-21T00%3A11%3A29Z",
            Some(1_795_219_889 * SECOND),
        );
        check(
            "flagConfigLastModified=Sat,%2021%20Nov%202026%2000:11:29%20GMT",
            Some(1_795_219_889 * SECOND),
        );
        check(
            "flagConfigLastModified=1795219889&flagConfigEtag=1795219889147205",
            Some(1_795_219_889_147_205),
        );
    }

    #[test]
    fn what_is_no_hint_is_passed_over() {
        for query in [
            "",
            "x=1",
            "flagConfigEtag=",
            "flagConfigEtag=W%2F%22abc%22",
            "flagConfigLastModified=yesterday",
            "flagConfigLastModified=9223372036854775807",
            "flagConfigEtag=9223372036854775807",
            "flagConfigLastModified=1795230000",
        ] {
            check(query, None);
        }
        assert_eq!(hinted(None, NOW), None);
    }
}
