//! Programs that evaluate for themselves, and what they make of an environment.

use flagstaff_testkit::evaluators::{Process, Runtime, flagsmith};
use serde_json::Value as Json;

/// One of flagd's evaluators.
pub struct Evaluator {
    pub runtime: Runtime,
    process: Process,
}

impl Evaluator {
    /// Those that are there.
    pub fn all() -> Vec<Self> {
        let started = Runtime::ALL
            .into_iter()
            .map(|runtime| Some((runtime, runtime.start()?)));
        started
            .flatten()
            .map(|(runtime, process)| Self { runtime, process })
            .collect()
    }

    /// As diagnostics call it.
    pub const fn name(&self) -> &'static str {
        match self.runtime {
            Runtime::JavaScript => "flagd-javascript",
            Runtime::Python => "flagd-python",
            Runtime::Rust => "flagd-rust",
            Runtime::Go => "flagd-go",
        }
    }

    pub fn evaluate(&mut self, document: &str, contexts: &[Json]) -> Vec<Json> {
        self.process.evaluate(document.as_bytes(), contexts)
    }
}

/// Flagsmith's SDK with local evaluation.
pub const FLAGSMITH: &str = "flagsmith-local";

pub fn local() -> Option<Process> {
    flagsmith()
}
