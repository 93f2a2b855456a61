//! Points in time as bodies and answers write them.

use super::super::fields::{Fields, Need, Sent};
use super::super::scalar;
use flagstaff_core::Timestamp;
use flagstaff_wire::time::{UtcMark, iso, parse_iso};

const NOT_A_TIME: &str = "Datetime has wrong format. Use one of these formats instead: \
    YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].";

const NOT_A_DAY: &str = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";

/// Characters of `2026-11-21`.
const DAY_LENGTH: usize = 10;

/// `2026-11-21T00:03:55.838166Z`
pub(crate) fn shown(time: Timestamp) -> String {
    iso(time, UtcMark::Zulu)
}

/// The day (UTC) that a time is in: `2026-11-21`
pub(super) fn shown_day(time: Timestamp) -> String {
    let mut text = shown(time);
    text.truncate(DAY_LENGTH);
    text
}

/// A time that may be missing.
pub(crate) fn shown_optional(time: Option<Timestamp>) -> Option<String> {
    time.map(shown)
}

/// Reads a day, or `null`: its first microsecond (UTC).
pub(super) fn read_day(fields: &mut Fields<'_>, name: &'static str) -> Sent<Timestamp> {
    let json = match fields.any(name, Need::OptionalOrNull) {
        Sent::Given(json) => json,
        Sent::Null => return Sent::Null,
        Sent::Absent => return Sent::Absent,
    };
    let text = scalar::text(json).unwrap_or_default();
    let day = Some(scalar::trim(&text)).filter(|day| day.len() == DAY_LENGTH);
    match day.and_then(|day| parse_iso(&format!("{day}T00:00:00Z"))) {
        Some(time) => Sent::Given(time),
        None => {
            fields.fail(name, NOT_A_DAY);
            Sent::Absent
        }
    }
}

/// Reads a time, or `null`.
pub(crate) fn read(fields: &mut Fields<'_>, name: &'static str) -> Sent<Timestamp> {
    match fields.any(name, Need::OptionalOrNull) {
        Sent::Given(json) => {
            let text = scalar::text(json).unwrap_or_default();
            match parse_iso(scalar::trim(&text)) {
                Some(time) => Sent::Given(time),
                None => {
                    fields.fail(name, NOT_A_TIME);
                    Sent::Absent
                }
            }
        }
        Sent::Null => Sent::Null,
        Sent::Absent => Sent::Absent,
    }
}
