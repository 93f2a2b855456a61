//! Reads the output of `cargo test`.

use std::ops::AddAssign;

/// How many tests did what, and which ones failed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Tests {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    pub(crate) failures: Vec<String>,
}

impl Tests {
    /// Takes in one line of output; lines that are not about results change nothing.
    pub(crate) fn read_line(&mut self, line: &str) {
        let line = line.trim();
        if let Some(name) = line
            .strip_prefix("test ")
            .and_then(|rest| rest.strip_suffix(" ... FAILED"))
        {
            self.failures.push(name.to_owned());
        }
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        for part in counts.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what), None) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    /// Tests that were run to an end.
    pub(crate) fn run(&self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Tests {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.failures.extend(other.failures);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(output: &str, passed: u64, failed: u64, failures: &[&str]) {
        let mut tests = Tests::default();

        for line in output.lines() {
            tests.read_line(line);
        }

        assert_eq!((tests.passed, tests.failed), (passed, failed));
        assert_eq!(tests.failures, failures);
    }

    #[test]
    fn results_of_several_binaries_are_added_up() {
        check(
            "running 2 tests\n\
             test bucket::tests::the_same_input_gives_the_same_bucket ... ok\n\
             test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s\n\
             test result: ok. 11 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n",
            13,
            0,
            &[],
        );
    }

    #[test]
    fn failures_are_counted_and_named() {
        check(
            "test keys::an_unknown_key_is_refused ... FAILED\n\
             test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n",
            4,
            1,
            &["keys::an_unknown_key_is_refused"],
        );
    }

    #[test]
    fn a_test_that_prints_numbers_is_not_a_result() {
        check(
            "300 passed; the gate\nerror: test failed, to rerun pass `-p flagstaff`\n",
            0,
            0,
            &[],
        );
    }
}
