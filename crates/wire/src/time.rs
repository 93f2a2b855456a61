//! Points in time as protocols write them. Nothing here asks for the time.

use flagstaff_core::Timestamp;
use std::fmt::Write as _;
use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// How a time says that it is UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UtcMark {
    /// `Z`, as the Flagsmith API writes it.
    Zulu,
    /// `+00:00`, as the Flagsmith environment document writes it.
    Offset,
}

/// Writes `2026-11-21T00:05:09.858003Z`; the fraction is left out when it is zero.
///
/// Years outside 0 to 9999 are written as the nearest time inside.
#[must_use]
pub fn iso(time: Timestamp, mark: UtcMark) -> String {
    let moment = moment(time);
    let mut text = String::with_capacity(32);
    let _ = write!(
        text,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        moment.year(),
        u8::from(moment.month()),
        moment.day(),
        moment.hour(),
        moment.minute(),
        moment.second(),
    );
    if moment.microsecond() != 0 {
        let _ = write!(text, ".{:06}", moment.microsecond());
    }
    text.push_str(match mark {
        UtcMark::Zulu => "Z",
        UtcMark::Offset => "+00:00",
    });
    text
}

/// Reads an ISO 8601 time: `T` or a space, up to nine digits of fraction, any offset; none means UTC.
#[must_use]
pub fn parse_iso(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.trim().split_at_checked(10)?;
    let date = parse_iso_date(date)?;
    if rest.is_empty() {
        return micros(date, Time::MIDNIGHT, UtcOffset::UTC);
    }
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let clock_end = rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len());
    let (clock, offset) = rest.split_at_checked(clock_end)?;
    micros(date, parse_clock(clock.trim_end())?, parse_offset(offset)?)
}

/// Writes `Sat, 21 Nov 2026 00:11:29 GMT`.
#[must_use]
pub fn http_date(time: Timestamp) -> String {
    let moment = moment(time);
    format!(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        WEEKDAYS[usize::from(moment.weekday().number_days_from_monday()) % 7],
        moment.day(),
        MONTHS[usize::from(u8::from(moment.month()) - 1) % 12],
        moment.year(),
        moment.hour(),
        moment.minute(),
        moment.second(),
    )
}

/// Reads an HTTP date in any of its three forms, as seconds since 1970.
#[must_use]
pub fn parse_http_date(text: &str) -> Option<i64> {
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .filter(|word| !word.is_empty())
        .collect();
    let (day, month, year, clock) = match words.as_slice() {
        // `Sat, 21 Nov 2026 00:11:29 GMT` and `Saturday, 21-Nov-26 00:11:29 GMT`.
        [_, day, month, year, clock, "GMT" | "UTC"] => (*day, *month, *year, *clock),
        // `Sat Nov 21 00:11:29 2026`.
        [_, month, day, clock, year] => (*day, *month, *year, *clock),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let month = Month::try_from(u8::try_from(month + 1).ok()?).ok()?;
    let year: i32 = match (year.len(), digits(year)?) {
        // RFC 9110, 5.6.7: two digits are of the past century when they would lie far ahead.
        (2, year) if year < 70 => year + 2000,
        (2, year) => year + 1900,
        (4, year) => year,
        _ => return None,
    }
    .try_into()
    .ok()?;
    let date = Date::from_calendar_date(year, month, digits(day)?.try_into().ok()?).ok()?;
    micros(date, parse_clock(clock)?, UtcOffset::UTC).map(Timestamp::seconds)
}

/// Writes seconds since 1970 as Python prints a float, such as `1795219702.12081`.
#[must_use]
pub fn unix_float(time: Timestamp) -> String {
    // Rust's shortest form has the same digits as Python's; within four-digit years neither uses an exponent.
    let seconds = unix_seconds(time);
    format!("{seconds:?}")
}

/// Seconds since 1970 as a double, rounded as a division of whole microseconds.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "a double is what the protocol carries"
)]
pub fn unix_seconds(time: Timestamp) -> f64 {
    time.micros() as f64 / 1_000_000.0
}

/// First and last microsecond of the years 0 to 9999.
const YEARS: (i64, i64) = (-62_167_219_200_000_000, 253_402_300_799_999_999);

fn moment(time: Timestamp) -> OffsetDateTime {
    let nanos = i128::from(time.micros().clamp(YEARS.0, YEARS.1)) * 1000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn micros(date: Date, clock: Time, offset: UtcOffset) -> Option<Timestamp> {
    let moment = OffsetDateTime::new_in_offset(date, clock, offset);
    i64::try_from(moment.unix_timestamp_nanos().div_euclid(1000))
        .ok()
        .map(Timestamp::from_micros)
}

fn digits(text: &str) -> Option<i64> {
    let fits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn parse_iso_date(text: &str) -> Option<Date> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let month = Month::try_from(u8::try_from(digits(month)?).ok()?).ok()?;
    Date::from_calendar_date(
        digits(year)?.try_into().ok()?,
        month,
        digits(day)?.try_into().ok()?,
    )
    .ok()
}

fn parse_clock(text: &str) -> Option<Time> {
    let (clock, fraction) = match text.split_once(['.', ',']) {
        Some((clock, fraction)) => (clock, fraction),
        None => (text, "0"),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let second = parts.next().map_or(Some(0), digits)?;
    if parts.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let scale = 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?);
    Time::from_hms_nano(
        hour.try_into().ok()?,
        minute.try_into().ok()?,
        second.try_into().ok()?,
        u32::try_from(digits(fraction)? * scale).ok()?,
    )
    .ok()
}

fn parse_offset(text: &str) -> Option<UtcOffset> {
    if text.is_empty() || text.eq_ignore_ascii_case("z") {
        return Some(UtcOffset::UTC);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let compact: String = rest.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match compact.len() {
        2 => (digits(&compact)?, 0),
        4 => {
            let (hours, minutes) = compact.split_at_checked(2)?;
            (digits(hours)?, digits(minutes)?)
        }
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    UtcOffset::from_whole_seconds(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RECORDED: Timestamp = Timestamp::from_micros(1_795_219_702_120_810);

    #[test]
    fn times_are_written_as_the_flagsmith_api_writes_them() {
        assert_eq!(iso(RECORDED, UtcMark::Zulu), "2026-11-21T00:08:22.120810Z");
        assert_eq!(
            iso(RECORDED, UtcMark::Offset),
            "2026-11-21T00:08:22.120810+00:00"
        );
        assert_eq!(
            iso(Timestamp::from_micros(0), UtcMark::Zulu),
            "1970-01-01T00:00:00Z"
        );
        assert_eq!(
            iso(Timestamp::from_micros(-1), UtcMark::Zulu),
            "1969-12-31T23:59:59.999999Z"
        );
    }

    #[test]
    fn the_document_header_is_a_python_float() {
        assert_eq!(unix_float(RECORDED), "1795219702.12081");
        assert_eq!(unix_float(Timestamp::from_micros(1_000_000)), "1.0");
    }

    #[test]
    fn http_dates_are_read_in_all_three_forms() {
        let seconds = 1_795_219_889;
        assert_eq!(
            http_date(Timestamp::from_micros(seconds * 1_000_000)),
            "Sat, 21 Nov 2026 00:11:29 GMT"
        );
        for text in [
            "Sat, 21 Nov 2026 00:11:29 GMT",
            "Saturday, 21-Nov-26 00:11:29 GMT",
            "Sat Nov 21 00:11:29 2026",
        ] {
            assert_eq!(parse_http_date(text), Some(seconds), "{text}");
        }
        for text in ["", "garbage", "Sat, 31 Feb 2026 00:11:29 GMT"] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }

    #[test]
    fn iso_times_are_read_with_any_offset() {
        let check = |text: &str| parse_iso(text).map(Timestamp::micros);

        assert_eq!(check("1970-01-01T00:00:01Z"), Some(1_000_000));
        assert_eq!(check("1970-01-01 01:00:01.5+01:00"), Some(1_500_000));
        assert_eq!(check("1970-01-01T00:00:01-0030"), Some(1_801_000_000));
        assert_eq!(check("1970-01-02"), Some(86_400_000_000));
        assert_eq!(check("1970-01-01T00:00:00.123456789"), Some(123_456));
        assert_eq!(check("1970-01-01T25:00:00Z"), None);
        assert_eq!(check("1970-13-01T00:00:00Z"), None);
        assert_eq!(check("é970-01-01T00:00:00Z"), None);
        assert_eq!(check("1970-01-01T00:00:00+0é"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micros in 0..253_402_300_800_000_000_i64) {
            let time = Timestamp::from_micros(micros);

            prop_assert_eq!(parse_iso(&iso(time, UtcMark::Zulu)), Some(time));
            prop_assert_eq!(parse_iso(&iso(time, UtcMark::Offset)), Some(time));
            prop_assert_eq!(parse_http_date(&http_date(time)), Some(time.seconds()));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}") {
            let _ = parse_iso(&text);
            let _ = parse_http_date(&text);
        }
    }
}
