//! Days as fields and addresses write them: `2026-11-21`, in UTC.

use flagstaff_core::Timestamp;
use time::macros::format_description;
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time};

const DAY: i64 = 24 * 3_600_000_000;

/// The first microsecond of a day that was written.
pub(crate) fn parse_day(text: &str) -> Option<Timestamp> {
    let format = format_description!("[year]-[month]-[day]");
    let date = Date::parse(text, format).ok()?;
    let start = PrimitiveDateTime::new(date, Time::MIDNIGHT).assume_utc();
    Some(Timestamp::from_micros(start.unix_timestamp() * 1_000_000))
}

/// The beginning of the day after the one that a time is in.
pub(crate) const fn day_after(time: Timestamp) -> Timestamp {
    Timestamp::from_micros((time.micros().div_euclid(DAY) + 1) * DAY)
}

/// A time as a field of the type `datetime-local` sends it.
pub(crate) fn parse_minute(text: &str) -> Option<Timestamp> {
    let (day, time) = text.split_once('T')?;
    let format = format_description!("[hour]:[minute]");
    let time = Time::parse(time.get(..5)?, format).ok()?;
    let seconds = i64::from(time.hour()) * 3_600 + i64::from(time.minute()) * 60;
    let start = parse_day(day)?;
    Some(Timestamp::from_micros(start.micros() + seconds * 1_000_000))
}

/// `2026-11-21`
pub(crate) fn day(time: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day]");
    date(time)
        .and_then(|date| date.format(format).ok())
        .unwrap_or_default()
}

/// `21 Nov`
pub(crate) fn short_day(time: Timestamp) -> String {
    let format = format_description!("[day padding:none] [month repr:short]");
    date(time)
        .and_then(|date| date.format(format).ok())
        .unwrap_or_default()
}

/// `14:00`
pub(crate) fn hour(time: Timestamp) -> String {
    let format = format_description!("[hour]:[minute]");
    date(time)
        .and_then(|date| date.format(format).ok())
        .unwrap_or_default()
}

fn date(time: Timestamp) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(time.seconds()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_minutes_are_read_as_they_are_written() {
        let start = parse_day("2026-11-21").unwrap();
        let minute = parse_minute("2026-11-21T14:05").unwrap();

        assert_eq!(
            (day(start), day(minute)),
            ("2026-11-21".to_owned(), "2026-11-21".to_owned())
        );
        assert_eq!(
            (short_day(start), hour(minute)),
            ("21 Nov".to_owned(), "14:05".to_owned())
        );
        assert_eq!(day(day_after(minute)), "2026-11-22");
        assert_eq!(
            (parse_day("21.11.2026"), parse_minute("2026-11-21")),
            (None, None)
        );
    }
}
