//! The documentation as a site, made by mdBook.

use std::process::Command;

use anyhow::{Result, bail};

use crate::command::{succeed, works};
use crate::workspace::Workspace;

/// Builds `target/book` from `docs`.
pub(crate) fn build(workspace: &Workspace) -> Result<()> {
    if !works(Command::new("mdbook").arg("--version")) {
        bail!("mdbook not found: cargo install mdbook --locked");
    }
    succeed(
        Command::new("mdbook")
            .current_dir(&workspace.root)
            .arg("build"),
    )?;
    let index = workspace.root.join("target/book/index.html");
    println!("{}", index.display());
    Ok(())
}
