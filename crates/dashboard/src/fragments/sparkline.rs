//! A row of small bars: how a count went from day to day.

use askama::filters::HtmlSafe;
use std::fmt;

const WIDTH: usize = 4;
const GAP: usize = 1;
const HEIGHT: i64 = 20;

/// Writes `<svg>` with one bar for each count, and what it shows in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sparkline {
    counts: Vec<i64>,
    /// What is counted, in our own words: `evaluations in 14 days`.
    what: &'static str,
}

/// Nothing but numbers and our own words is written.
impl HtmlSafe for Sparkline {}

impl Sparkline {
    /// Counts from the oldest to the newest.
    pub(crate) const fn new(counts: Vec<i64>, what: &'static str) -> Self {
        Self { counts, what }
    }
}

impl fmt::Display for Sparkline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.counts.len() * (WIDTH + GAP);
        let total: i64 = self.counts.iter().sum();
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1);
        write!(
            f,
            "<svg class=\"sparkline\" role=\"img\" aria-label=\"{total} {}\" viewBox=\"0 0 {width} {HEIGHT}\" \
             width=\"{width}\" height=\"{HEIGHT}\">",
            self.what
        )?;
        for (position, count) in self.counts.iter().enumerate() {
            let count = (*count).max(0);
            // A day with anything at all is told from a day with nothing.
            let height = (count * HEIGHT / most).max(i64::from(count > 0)).max(1);
            let (x, y) = (position * (WIDTH + GAP), HEIGHT - height);
            let kind = if count == 0 { " class=\"none\"" } else { "" };
            write!(
                f,
                "<rect{kind} x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{height}\"/>"
            )?;
        }
        f.write_str("</svg>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_counts_and_say_their_sum() {
        let text = Sparkline::new(vec![0, 1, 1000], "evaluations in 3 days").to_string();

        assert!(text.contains("aria-label=\"1001 evaluations in 3 days\""));
        assert!(text.contains("<rect class=\"none\" x=\"0\" y=\"19\" width=\"4\" height=\"1\"/>"));
        assert!(text.contains("<rect x=\"5\" y=\"19\" width=\"4\" height=\"1\"/>"));
        assert!(text.contains("<rect x=\"10\" y=\"0\" width=\"4\" height=\"20\"/>"));
    }
}
