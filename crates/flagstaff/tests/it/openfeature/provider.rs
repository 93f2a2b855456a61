//! The providers, each with the language it is written in; `cargo xtask test` sets them up and says where they are.

use crate::clients;
use crate::skipped::{left_out, required};
use std::path::PathBuf;
use std::process::Command;

/// Scripts of one language are in the folder of this name under `tests/clients/openfeature`.
#[derive(Clone, Copy, Debug)]
pub enum Language {
    Python,
    Node,
    Rust,
    Java,
    /// Not every module proxy offers its modules.
    Go,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Rust => "rust",
            Self::Java => "java",
            Self::Go => "go",
        }
    }
}

/// One provider in one of its modes.
pub struct Provider {
    language: Language,
    pub script: &'static str,
    /// What the environment places people with: the hash of this provider where it evaluates for itself.
    pub hash: &'static str,
}

impl Provider {
    pub fn new(language: Language, script: &'static str, hash: &'static str) -> Self {
        Self {
            language,
            script,
            hash,
        }
    }

    /// What runs it; `None` when the provider is not there.
    pub fn command(&self) -> Option<Command> {
        let name = self.language.name();
        let variable = format!("FLAGSTAFF_OPENFEATURE_{}", name.to_uppercase());
        let place = match self.language {
            Language::Go => left_out(&variable)?,
            Language::Python | Language::Node | Language::Rust | Language::Java => {
                required(&variable)?
            }
        };
        let scripts = folder().join(name);
        let mut command = match self.language {
            Language::Python => {
                let mut command = Command::new(place);
                command
                    .arg("-B")
                    .arg(scripts.join(format!("{}.py", self.script)));
                command
            }
            Language::Node => {
                let mut command = Command::new("node");
                command
                    .env("NODE_FOLDER", place)
                    .arg(scripts.join(format!("{}.mjs", self.script)));
                command
            }
            Language::Rust | Language::Go => {
                let mut command = Command::new(place);
                command.arg(self.script);
                command
            }
            Language::Java => {
                let mut command = Command::new("java");
                // Most of a short program's time would go into the better compiler.
                command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
                command.args(["-cp", &place, "Journeys", self.script]);
                command
            }
        };
        command.env("CASES", cases());
        Some(command)
    }
}

/// What is asked, and the answers that are expected.
pub fn cases() -> PathBuf {
    folder().join("cases.json")
}

fn folder() -> PathBuf {
    clients::folder().join("openfeature")
}
