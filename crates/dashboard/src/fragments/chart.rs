//! A chart of counts over time: stacked bars with a scale, drawn here, readable without script.

use askama::filters::HtmlSafe;
use std::fmt::{self, Write as _};

const WIDTH: i64 = 720;
const HEIGHT: i64 = 200;
/// Room for the scale at the left and the times below.
const LEFT: i64 = 56;
const BELOW: i64 = 24;
const ABOVE: i64 = 8;
/// Times that are written below, at most.
const TIMES: usize = 8;

/// Counts of one kind, from the oldest to the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    /// What is counted, in our own words.
    pub(crate) label: &'static str,
    /// One count for each time.
    pub(crate) counts: Vec<i64>,
}

/// Writes `<svg>`: bars of up to four kinds upon one another, a title for each bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chart {
    /// What a screen reader says, in our own words.
    what: &'static str,
    /// When each bar is, as we write times.
    times: Vec<String>,
    series: Vec<Series>,
}

/// What a colour stands for.
pub(crate) struct LegendEntry {
    /// Its place in the order of colours, from 1.
    pub(crate) place: usize,
    /// What is counted.
    pub(crate) label: &'static str,
    /// All of it.
    pub(crate) total: String,
}

/// Nothing but numbers, times and our own words is written.
impl HtmlSafe for Chart {}

impl Chart {
    /// Every series has as many counts as there are times.
    pub(crate) const fn new(what: &'static str, times: Vec<String>, series: Vec<Series>) -> Self {
        Self {
            what,
            times,
            series,
        }
    }

    /// All counts together.
    pub(crate) fn total(&self) -> i64 {
        self.series.iter().flat_map(|series| &series.counts).sum()
    }

    /// The kinds, as a legend tells them.
    pub(crate) fn legend(&self) -> Vec<LegendEntry> {
        let entry = |(place, series): (usize, &Series)| LegendEntry {
            place: place + 1,
            label: series.label,
            total: grouped(series.counts.iter().sum()),
        };
        self.series.iter().enumerate().map(entry).collect()
    }

    fn sum_at(&self, position: usize) -> i64 {
        let counts = self
            .series
            .iter()
            .filter_map(|series| series.counts.get(position));
        counts.sum()
    }

    fn highest(&self) -> i64 {
        let sums = (0..self.times.len()).map(|position| self.sum_at(position));
        round_up(sums.max().unwrap_or(0))
    }

    fn write_scale(&self, f: &mut fmt::Formatter<'_>, highest: i64) -> fmt::Result {
        for quarter in [0, 2, 4] {
            let y = ABOVE + HEIGHT - HEIGHT * quarter / 4;
            let label = grouped(highest * quarter / 4);
            write!(
                f,
                "<line class=\"scale\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>\
                 <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{label}</text>",
                LEFT + WIDTH,
                LEFT - 6,
                y + 4,
            )?;
        }
        Ok(())
    }

    fn write_bar(&self, f: &mut fmt::Formatter<'_>, position: usize, highest: i64) -> fmt::Result {
        let count = i64::try_from(self.times.len()).unwrap_or(1).max(1);
        let place = i64::try_from(position).unwrap_or(0);
        let (x, end) = (
            LEFT + WIDTH * place / count,
            LEFT + WIDTH * (place + 1) / count,
        );
        let gap = if count > 60 { 1 } else { 2 };
        let width = (end - x - gap).max(1);
        let mut title = self.times[position].clone();
        let mut y = ABOVE + HEIGHT;
        f.write_str("<g>")?;
        for (number, series) in self.series.iter().enumerate() {
            let count = series.counts.get(position).copied().unwrap_or(0).max(0);
            if count == 0 {
                continue;
            }
            // Writing to a string cannot fail.
            let _ = write!(title, ", {} {}", grouped(count), series.label);
            // What there is can be seen, however little it is.
            let height = scaled(count, highest).max(1);
            y -= height;
            let kind = number + 1;
            write!(
                f,
                "<rect class=\"series-{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
            )?;
        }
        write!(f, "<title>{title}</title></g>")?;
        let step = self.times.len().div_ceil(TIMES).max(1);
        if position.is_multiple_of(step) {
            let y = ABOVE + HEIGHT + BELOW - 7;
            write!(
                f,
                "<text x=\"{x}\" y=\"{y}\">{}</text>",
                self.times[position]
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let highest = self.highest();
        write!(
            f,
            "<svg class=\"chart\" role=\"img\" aria-label=\"{}: {} in all\" viewBox=\"0 0 {} {}\">",
            self.what,
            grouped(self.total()),
            LEFT + WIDTH,
            ABOVE + HEIGHT + BELOW,
        )?;
        self.write_scale(f, highest)?;
        for position in 0..self.times.len() {
            self.write_bar(f, position, highest)?;
        }
        f.write_str("</svg>")
    }
}

fn scaled(count: i64, highest: i64) -> i64 {
    let height = i128::from(count) * i128::from(HEIGHT) / i128::from(highest.max(1));
    i64::try_from(height).unwrap_or(HEIGHT)
}

/// The next number that halves well: 4, 6, 8, 10, 12, 16, 20, 24, 30, 40, 60 …
fn round_up(most: i64) -> i64 {
    let mut step: i64 = 1;
    loop {
        for factor in [4, 6, 8, 10, 12, 16, 20, 24, 30] {
            let limit = step.saturating_mul(factor);
            if most <= limit || limit == i64::MAX {
                return limit;
            }
        }
        step = step.saturating_mul(10);
    }
}

/// A number with thin spaces between its thousands.
pub(crate) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 {
        "-".to_owned()
    } else {
        String::new()
    };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_scales_are_round() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(
            (grouped(0), grouped(-1_000)),
            ("0".to_owned(), "-1\u{202f}000".to_owned())
        );
        assert_eq!(
            (round_up(0), round_up(5), round_up(101), round_up(399)),
            (4, 6, 120, 400)
        );
        assert_eq!(round_up(i64::MAX), i64::MAX);
    }

    #[test]
    fn bars_stand_upon_one_another_and_say_what_they_are() {
        let series = |label, counts: &[i64]| Series {
            label,
            counts: counts.to_vec(),
        };
        let times = vec!["20 Nov".to_owned(), "21 Nov".to_owned()];
        let list = vec![series("flags", &[0, 20]), series("identities", &[0, 20])];

        let chart = Chart::new("Requests by day", times, list);
        let text = chart.to_string();

        assert_eq!(chart.total(), 40);
        assert!(text.contains("aria-label=\"Requests by day: 40 in all\""));
        assert!(text.contains("<g><title>20 Nov</title></g>"), "{text}");
        assert!(
            text.contains(
                "<rect class=\"series-1\" x=\"416\" y=\"108\" width=\"358\" height=\"100\"/>"
            ),
            "{text}"
        );
        assert!(
            text.contains(
                "<rect class=\"series-2\" x=\"416\" y=\"8\" width=\"358\" height=\"100\"/>"
            ),
            "{text}"
        );
        assert!(text.contains("<title>21 Nov, 20 flags, 20 identities</title>"));
    }
}
