//! The SDKs, each with the runtime that it needs; `cargo xtask test` sets them up and says where they are.

use crate::skipped::{left_out, required};
use std::path::{Path, PathBuf};
use std::process::Command;

/// One SDK; its scripts and the differences of its engine are in the folder of this name under `tests/clients`.
#[derive(Clone, Copy, Debug)]
pub enum Sdk {
    /// PyPI `flagsmith`, with the engine that all others are measured by.
    Python,
    /// npm `flagsmith-nodejs`.
    Node,
    /// npm `flagsmith`, the build for browsers; it has no engine.
    Browser,
    /// crates.io `flagsmith`.
    Rust,
    /// Maven `com.flagsmith:flagsmith-java-client`.
    Java,
    /// Go module `github.com/Flagsmith/flagsmith-go-client`, which not every module proxy offers.
    Go,
}

impl Sdk {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Browser => "browser",
            Self::Rust => "rust",
            Self::Java => "java",
            Self::Go => "go",
        }
    }

    pub fn folder(self) -> PathBuf {
        folder().join(self.name())
    }

    /// The command for a script; `None` when the SDK is not there.
    pub fn command(self, script: &str) -> Option<Command> {
        let variable = format!("FLAGSTAFF_CLIENTS_{}", self.name().to_uppercase());
        let place = match self {
            Self::Go => left_out(&variable)?,
            Self::Python | Self::Node | Self::Browser | Self::Rust | Self::Java => {
                required(&variable)?
            }
        };
        Some(match self {
            Self::Python => {
                let mut command = Command::new(place);
                command
                    .arg("-B")
                    .arg(self.folder().join(format!("{script}.py")));
                command
            }
            Self::Node | Self::Browser => {
                let mut command = Command::new("node");
                command
                    .env("NODE_FOLDER", place)
                    .arg(self.folder().join(format!("{script}.mjs")));
                command
            }
            Self::Rust | Self::Go => {
                let mut command = Command::new(place);
                command.arg(script);
                command
            }
            Self::Java => {
                let mut command = Command::new("java");
                // Most of a short program's time would go into the better compiler.
                command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
                command.args(["-cp", &place, "Journeys", script]);
                command
            }
        })
    }
}

/// The folder with everything that is not Rust.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}
