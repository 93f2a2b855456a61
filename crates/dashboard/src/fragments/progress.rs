//! A bar that says how many have something by now, with a mark where each stage ends.

use askama::filters::HtmlSafe;
use flagstaff_core::Percentage;
use std::fmt;

/// Writes `<svg>` with the bar, and what it shows in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    reached: Percentage,
    stages: Vec<Percentage>,
}

/// Nothing but numbers and our own words is written.
impl HtmlSafe for Progress {}

impl Progress {
    /// How many have it, and the stages there are.
    pub(crate) const fn new(reached: Percentage, stages: Vec<Percentage>) -> Self {
        Self { reached, stages }
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reached = self.reached;
        write!(
            f,
            "<svg class=\"progress\" role=\"img\" aria-label=\"{reached} % have it\" viewBox=\"0 0 100 8\" \
             preserveAspectRatio=\"none\"><rect class=\"none\" width=\"100\" height=\"8\"/>\
             <rect width=\"{reached}\" height=\"8\"/>"
        )?;
        for stage in self
            .stages
            .iter()
            .filter(|stage| **stage < Percentage::WHOLE)
        {
            let class = if *stage < reached { "passed" } else { "stage" };
            write!(
                f,
                "<line class=\"{class}\" x1=\"{stage}\" x2=\"{stage}\" y1=\"0\" y2=\"8\"/>"
            )?;
        }
        f.write_str("</svg>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_is_as_long_as_the_part_that_has_it_and_marks_stages() {
        let percent = |percent| Percentage::from_percent(percent).unwrap();

        let text = Progress::new(
            percent(12.5),
            vec![percent(1.0), percent(50.0), Percentage::WHOLE],
        )
        .to_string();

        assert!(text.contains("aria-label=\"12.5 % have it\""));
        assert!(text.contains("<rect width=\"12.5\" height=\"8\"/>"));
        assert!(text.contains("<line class=\"passed\" x1=\"1\" x2=\"1\""));
        assert!(text.contains("<line class=\"stage\" x1=\"50\" x2=\"50\""));
        assert_eq!(text.matches("<line").count(), 2);
    }
}
