//! A time as people say it, with the exact one behind it.

use askama::filters::HtmlSafe;
use flagstaff_core::Timestamp;
use std::fmt;
use time::OffsetDateTime;
use time::macros::format_description;

/// Writes `<time>`: how long ago, or how soon; exact to the second for whoever points at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    at: Timestamp,
    now: Timestamp,
}

/// Nothing but digits and our own words is written.
impl HtmlSafe for Moment {}

impl Moment {
    pub(crate) const fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// `5 min ago`, `in 3 d`, `now`.
    pub(crate) fn relative(&self) -> String {
        let seconds = self.now.seconds() - self.at.seconds();
        let text = match seconds.unsigned_abs() {
            0..=9 => return "now".to_owned(),
            count @ 10..60 => format!("{count} s"),
            count @ 60..3_600 => format!("{} min", count / 60),
            count @ 3_600..86_400 => format!("{} h", count / 3_600),
            count @ 86_400..5_184_000 => format!("{} d", count / 86_400),
            count @ 5_184_000..63_072_000 => format!("{} months", count / 2_592_000),
            count => format!("{} years", count / 31_536_000),
        };
        if seconds < 0 {
            format!("in {text}")
        } else {
            format!("{text} ago")
        }
    }

    /// `2026-11-21 11:30:05 UTC`
    pub(crate) fn exact(&self) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
        self.date()
            .and_then(|date| date.format(format).ok())
            .unwrap_or_default()
    }

    /// As an `<input type="datetime-local">` has it, in UTC.
    pub(crate) fn for_input(&self) -> String {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]");
        self.date()
            .and_then(|date| date.format(format).ok())
            .unwrap_or_default()
    }

    fn date(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.at.seconds()).ok()
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let machine = self.date().and_then(|date| date.format(format).ok());
        let (machine, exact) = (machine.unwrap_or_default(), self.exact());
        let relative = self.relative();
        write!(
            f,
            "<time datetime=\"{machine}\" title=\"{exact}\">{relative}</time>"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn relative(seconds_ago: i64) -> String {
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        Moment::new(at(NOW - seconds_ago), at(NOW)).relative()
    }

    #[test]
    fn times_are_said_as_people_say_them() {
        for (seconds_ago, expected) in [
            (0, "now"),
            (30, "30 s ago"),
            (150, "2 min ago"),
            (7_300, "2 h ago"),
            (86_400 * 3, "3 d ago"),
            (86_400 * 90, "3 months ago"),
            (86_400 * 800, "2 years ago"),
            (-3_700, "in 1 h"),
        ] {
            assert_eq!(relative(seconds_ago), expected);
        }
    }

    #[test]
    fn the_exact_time_stands_behind() {
        let at = Timestamp::from_micros(1_700_000_000_000_000);

        let text = Moment::new(at, at).to_string();

        assert_eq!(
            text,
            "<time datetime=\"2023-11-14T22:13:20Z\" title=\"2023-11-14 22:13:20 UTC\">now</time>"
        );
    }
}
