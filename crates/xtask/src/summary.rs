//! What came of each lane, and what that means in the end.

use std::time::Duration;

use crate::machine::Machine;
use crate::system_packages::Missing;
use crate::test_output::Tests;

/// What a lane found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Individual tests, where the lane has such.
    pub(crate) tests: Option<Tests>,
    /// What is wrong; a lane without an entry has passed.
    pub(crate) problems: Vec<String>,
    /// Parts that this machine could not run.
    pub(crate) skipped: Vec<Missing>,
    /// Parts that not everybody can have, each with its reason: no failure, in CI neither.
    pub(crate) left_out: Vec<String>,
    /// True when nothing at all was run.
    pub(crate) skipped_all: bool,
}

impl Report {
    /// Nothing was run, for want of something.
    pub(crate) fn skipped(missing: Missing) -> Self {
        Self {
            skipped: vec![missing],
            skipped_all: true,
            ..Self::default()
        }
    }

    /// The lane could not do its work.
    pub(crate) fn broken(problem: String) -> Self {
        Self {
            problems: vec![problem],
            ..Self::default()
        }
    }
}

/// A lane that has been through.
pub(crate) struct Finished {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) report: Report,
}

impl Finished {
    fn has_failed(&self, machine: Machine) -> bool {
        let tests_failed = self
            .report
            .tests
            .as_ref()
            .is_some_and(|tests| tests.failed > 0);
        tests_failed
            || !self.report.problems.is_empty()
            || (machine.ci && !self.report.skipped.is_empty())
    }

    fn outcome(&self, machine: Machine) -> &'static str {
        if self.has_failed(machine) {
            "FAILED"
        } else if self.report.skipped_all {
            "skipped"
        } else if self.report.skipped.is_empty() {
            "passed"
        } else {
            "passed in part"
        }
    }

    /// Individual tests, or the lane itself as one, so that a failure of any kind shows in the sum.
    fn counts(&self, machine: Machine) -> (u64, u64) {
        let (passed, failed) = self
            .report
            .tests
            .as_ref()
            .map_or((0, 0), |tests| (tests.passed, tests.failed));
        match (
            self.has_failed(machine),
            self.report.tests.is_some() || self.report.skipped_all,
        ) {
            (true, _) => (passed, failed.max(1)),
            (false, true) => (passed, failed),
            (false, false) => (1, 0),
        }
    }
}

/// The whole run as text; its last line is `N passed, N failed`.
pub(crate) fn text(lanes: &[Finished], machine: Machine) -> String {
    let mut lines = vec![
        String::new(),
        "lane           outcome            time   passed   failed".to_owned(),
    ];
    let mut sum = (0, 0);
    for lane in lanes {
        let (passed, failed) = lane.counts(machine);
        sum = (sum.0 + passed, sum.1 + failed);
        lines.push(format!(
            "{:<14} {:<14} {:>6.1} s {passed:>8} {failed:>8}",
            lane.name,
            lane.outcome(machine),
            lane.took.as_secs_f64(),
        ));
    }
    lines.push(String::new());
    for lane in lanes {
        details(lane, machine, &mut lines);
    }
    lines.push(format!("{} passed, {} failed", sum.0, sum.1));
    lines.join("\n")
}

fn details(lane: &Finished, machine: Machine, lines: &mut Vec<String>) {
    for failure in lane.report.tests.iter().flat_map(|tests| &tests.failures) {
        lines.push(format!("failed in {}: {failure}", lane.name));
    }
    for problem in &lane.report.problems {
        lines.push(format!("failed in {}: {problem}", lane.name));
    }
    for missing in &lane.report.skipped {
        let word = if machine.ci { "failed" } else { "SKIPPED" };
        lines.push(format!(
            "{word} in {}: {}; to enable: {}",
            lane.name, missing.what, missing.remedy
        ));
    }
    for reason in &lane.report.left_out {
        lines.push(format!("left out in {}: {reason}", lane.name));
    }
}

/// True when nothing failed.
pub(crate) fn is_good(lanes: &[Finished], machine: Machine) -> bool {
    !lanes.iter().any(|lane| lane.has_failed(machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: Machine = Machine {
        root: false,
        ci: false,
    };
    const CI: Machine = Machine {
        root: true,
        ci: true,
    };

    fn check(report: Report, machine: Machine, good: bool, last_line: &str) {
        let lanes = [Finished {
            name: "tests",
            took: Duration::from_secs(3),
            report,
        }];

        let text = text(&lanes, machine);

        assert_eq!(text.lines().last(), Some(last_line));
        assert_eq!(is_good(&lanes, machine), good);
    }

    fn missing() -> Missing {
        Missing {
            what: "node not found".to_owned(),
            remedy: "sudo apt-get install nodejs".to_owned(),
        }
    }

    fn tests(passed: u64, failed: u64) -> Option<Tests> {
        Some(Tests {
            passed,
            failed,
            ..Tests::default()
        })
    }

    #[test]
    fn individual_tests_are_counted() {
        let report = Report {
            tests: tests(7, 0),
            ..Report::default()
        };
        check(report, CI, true, "7 passed, 0 failed");
    }

    #[test]
    fn a_lane_without_individual_tests_counts_as_one() {
        check(Report::default(), CI, true, "1 passed, 0 failed");
        check(
            Report::broken("not formatted".to_owned()),
            CI,
            false,
            "0 passed, 1 failed",
        );
    }

    #[test]
    fn a_build_that_breaks_after_green_tests_shows_in_the_sum() {
        let report = Report {
            tests: tests(7, 0),
            problems: vec!["cargo test: exit status: 101".to_owned()],
            ..Report::default()
        };
        check(report, PERSON, false, "7 passed, 1 failed");
    }

    #[test]
    fn a_skipped_lane_is_a_failure_in_ci_only() {
        check(
            Report::skipped(missing()),
            PERSON,
            true,
            "0 passed, 0 failed",
        );
        check(Report::skipped(missing()), CI, false, "0 passed, 1 failed");
    }

    #[test]
    fn what_not_everybody_can_have_is_said_and_no_failure() {
        let report = || Report {
            tests: tests(7, 0),
            left_out: vec!["flagd: not offered".to_owned()],
            ..Report::default()
        };
        check(report(), CI, true, "7 passed, 0 failed");

        let lanes = [Finished {
            name: "clients",
            took: Duration::from_secs(3),
            report: report(),
        }];
        let said = text(&lanes, CI);

        assert!(
            said.contains("\nleft out in clients: flagd: not offered\n"),
            "{said}"
        );
    }

    #[test]
    fn a_lane_that_runs_in_part_is_a_failure_in_ci_only() {
        let in_part = || Report {
            tests: tests(7, 0),
            skipped: vec![missing()],
            ..Report::default()
        };
        check(in_part(), PERSON, true, "7 passed, 0 failed");
        check(in_part(), CI, false, "7 passed, 1 failed");
    }
}
