//! What may be done to the machine this runs on.

use std::process::Command;

use crate::command::output;

/// Whose machine it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    /// A container or a machine that is ours to change: system packages may be installed.
    pub(crate) root: bool,
    /// A machine whose verdict counts: nothing may be skipped.
    pub(crate) ci: bool,
}

impl Machine {
    /// Looks at the user's id and at `CI`.
    pub(crate) fn look() -> Self {
        let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
        let ci = std::env::var("CI").is_ok_and(|ci| !matches!(ci.as_str(), "" | "0" | "false"));
        Self { root, ci }
    }
}
