//! Refreshes the reference pages that are made from the code.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::output;
use crate::workspace::Workspace;

/// Each page, and the arguments with which the server prints it.
const PAGES: &[(&str, &[&str])] = &[("docs/reference/settings.md", &["settings"])];

/// Writes every page anew.
pub(crate) fn refresh(workspace: &Workspace) -> Result<()> {
    for (page, arguments) in PAGES {
        let mut command =
            workspace.cargo(&["run", "--quiet", "--locked", "--package", "flagstaff", "--"]);
        let text = output(command.args(*arguments))?;
        let path = workspace.root.join(page);
        let changed = fs::read_to_string(&path).is_ok_and(|before| before == text);
        fs::write(&path, text).with_context(|| format!("cannot write {page}"))?;
        println!("{page}: {}", if changed { "unchanged" } else { "written" });
    }
    Ok(())
}
