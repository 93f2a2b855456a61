//! Evaluators of other projects and flagd's schema, in processes of their own that speak JSON lines.

use flagstaff_core::Hash;
use serde_json::{Value as Json, json};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// An evaluator that clients of flagd bring along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runtime {
    /// npm `@openfeature/flagd-core`.
    JavaScript,
    /// PyPI `openfeature-flagd-core`.
    Python,
    /// The crate `flagd-evaluation-engine`.
    Rust,
    /// flagd itself, where it can be had.
    Go,
}

impl Runtime {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::JavaScript, Self::Python, Self::Rust, Self::Go];

    /// The hash of its `fractional`.
    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Self::JavaScript | Self::Go => Hash::FlagdV2,
            Self::Python | Self::Rust => Hash::FlagdV3,
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::JavaScript => "FLAGSTAFF_EVALUATOR_NODE",
            Self::Python => "FLAGSTAFF_EVALUATOR_PYTHON",
            Self::Rust => "FLAGSTAFF_EVALUATOR_RUST",
            Self::Go => "FLAGSTAFF_FLAGD_BINARY",
        }
    }

    /// As people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::Go => "Go",
        }
    }

    /// Starts it, or says aloud that it is not there. With `CI=true` it must be there, but for flagd itself: not every
    /// module proxy offers it.
    #[must_use]
    pub fn start(self) -> Option<Process> {
        let place = if self == Self::Go && std::env::var_os(self.variable()).is_none() {
            say(&format!("left out: {} names no flagd", self.variable()));
            return None;
        } else {
            place(self.variable())?
        };
        let mut command = match self {
            Self::JavaScript => {
                let mut node = Command::new("node");
                node.arg(script("node/evaluate.mjs"))
                    .env("NODE_FOLDER", place);
                node
            }
            Self::Python => {
                let mut python = Command::new(place);
                python
                    .args(["-X", "utf8"])
                    .arg(script("python/evaluate.py"));
                python
            }
            Self::Rust => Command::new(place),
            Self::Go => {
                let mut python = Command::new("python3");
                python.args(["-X", "utf8"]).arg(script("go/evaluate.py"));
                python
            }
        };
        Some(Process::spawn(&mut command))
    }
}

/// Starts Flagsmith's own SDK, which evaluates environment documents of Flagsmith by itself.
#[must_use]
pub fn flagsmith() -> Option<Process> {
    let python = place("FLAGSTAFF_CLIENTS_PYTHON")?;
    let mut command = Command::new(python);
    command
        .args(["-X", "utf8"])
        .arg(script("flagsmith/evaluate.py"));
    Some(Process::spawn(&mut command))
}

/// Starts the check of documents with flagd's JSON schemas.
#[must_use]
pub fn schema() -> Option<Process> {
    let python = place(Runtime::Python.variable())?;
    let schemas = place("FLAGSTAFF_FLAGD_SCHEMAS")?;
    let mut command = Command::new(python);
    command
        .args(["-X", "utf8"])
        .arg(script("python/validate.py"))
        .arg(schemas);
    Some(Process::spawn(&mut command))
}

fn place(variable: &str) -> Option<OsString> {
    let place = std::env::var_os(variable);
    if place.is_none() {
        assert_ne!(
            std::env::var("CI").as_deref(),
            Ok("true"),
            "{variable} is not set, so nothing can be compared"
        );
        say(&format!("skipped: {variable} is not set"));
    }
    place
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../flagstaff/tests/clients/evaluators")
        .join(name)
}

/// Says something that a person should see among the test's output.
pub fn say(text: &str) {
    // Not `eprintln!`: a test that passes would keep that to itself.
    std::io::stderr()
        .write_all(format!("{text}\n").as_bytes())
        .expect("an evaluator that answers");
}

/// A program that answers each line with one line.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn spawn(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("an evaluator that answers"));
        Self {
            child,
            input,
            output,
        }
    }

    fn ask(&mut self, line: &str) -> Json {
        let input = self.input.as_mut().expect("an evaluator that answers");
        input
            .write_all(line.as_bytes())
            .expect("an evaluator that answers");
        input.write_all(b"\n").expect("an evaluator that answers");
        let mut answer = String::new();
        self.output
            .read_line(&mut answer)
            .expect("an evaluator that answers");
        serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("no answer ({error}): {answer:?}"))
    }

    /// Every flag for each context, by its name: `value`, `variant`, `reason`, and `error` if it is one.
    pub fn evaluate(&mut self, document: &[u8], contexts: &[Json]) -> Vec<Json> {
        let document = std::str::from_utf8(document).expect("an evaluator that answers");
        let answer = self.ask(&json!({"document": document, "contexts": contexts}).to_string());
        match answer["answers"].as_array() {
            Some(answers) => answers.clone(),
            None => panic!("refused: {answer}\n{document}"),
        }
    }

    /// What is wrong with a document by flagd's schema, in words.
    pub fn errors(&mut self, document: &Json) -> Vec<String> {
        let answer = self.ask(&document.to_string());
        let words = answer["first"]
            .as_array()
            .expect("an evaluator that answers");
        words.iter().map(|word| word.to_string()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process ends when its input does.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}
