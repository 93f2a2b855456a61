//! Flagsmith's Python engines, run in a process of their own.

use super::generate::Engine;
use serde_json::Value as Json;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const DRIVER: &str = include_str!("engine.py");

/// A Python process that evaluates contexts.
pub struct PythonEngine {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What the engine made of a context.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A result, with tagged numbers.
    Result(Json),
    /// An error that was not raised by a condition.
    Raised(String),
}

impl PythonEngine {
    /// Starts the engine, or says aloud that it is not there. With `CI=true` it must be there.
    pub fn start(engine: Engine) -> Option<Self> {
        let variable = match engine {
            Engine::Ten => "FLAGSTAFF_ENGINE10_PYTHON",
            Engine::Eleven => "FLAGSTAFF_ENGINE11_PYTHON",
        };
        let Some(python) = std::env::var_os(variable) else {
            assert_ne!(
                std::env::var("CI").as_deref(),
                Ok("true"),
                "{variable} is not set, so nothing can be compared"
            );
            say(&format!(
                "skipped: {variable} does not name a Python with flagsmith-flag-engine"
            ));
            return None;
        };
        Some(Self::spawn(&python))
    }

    fn spawn(python: &OsString) -> Self {
        let mut child = Command::new(python)
            .args(["-X", "utf8", "-c", DRIVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", python.display()));
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            input,
            output,
        }
    }

    pub fn evaluate(&mut self, context: &Json) -> Answer {
        let line = format!("{context}\n");
        self.input
            .as_mut()
            .unwrap()
            .write_all(line.as_bytes())
            .unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        let mut answer: Json = serde_json::from_str(&answer)
            .unwrap_or_else(|error| panic!("no answer from Python ({error}): {answer:?}"));
        match answer["raised"].as_str() {
            Some(error) => Answer::Raised(error.to_owned()),
            None => Answer::Result(answer["result"].take()),
        }
    }
}

impl Drop for PythonEngine {
    fn drop(&mut self) {
        // The process ends when its input does.
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

/// Says something that a person should see among the test's output.
pub fn say(text: &str) {
    // Not `eprintln!`: a test that passes would keep that to itself.
    std::io::stderr()
        .write_all(format!("{text}\n").as_bytes())
        .unwrap();
}
