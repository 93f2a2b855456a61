//! The length of source files, without their tests.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::workspace::Workspace;

/// House style: over this many lines a file is split by noun or by step.
const LONGEST: usize = 400;

/// Names each Rust file under a `src` or `examples` folder that is too long.
pub(crate) fn too_long(workspace: &Workspace) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let crates = workspace.root.join("crates");
    for entry in fs::read_dir(&crates).context("cannot list crates")? {
        for folder in ["src", "examples"] {
            visit(
                &entry
                    .as_ref()
                    .map_err(|error| anyhow::anyhow!("{error}"))?
                    .path()
                    .join(folder),
                &mut found,
            )?;
        }
    }
    found.sort();
    Ok(found
        .into_iter()
        .map(|(path, lines)| {
            let path = path
                .strip_prefix(&workspace.root)
                .unwrap_or(&path)
                .display()
                .to_string();
            format!("{path}: {lines} lines without tests, at most {LONGEST} allowed")
        })
        .collect())
}

fn visit(folder: &Path, found: &mut Vec<(std::path::PathBuf, usize)>) -> Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "tests") {
                visit(&path, found)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let lines = lines_without_tests(&text);
            if lines > LONGEST {
                found.push((path, lines));
            }
        }
    }
    Ok(())
}

/// Counts lines outside test modules: from `#[cfg(test)]` to the brace in the first column that rustfmt ends them with.
fn lines_without_tests(text: &str) -> usize {
    let mut count = 0;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let opens_tests = line == "#[cfg(test)]"
            && lines
                .peek()
                .is_some_and(|next| next.contains("mod ") && next.ends_with('{'));
        if opens_tests {
            lines.by_ref().find(|line| *line == "}");
        } else {
            count += 1;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_module_does_not_count() {
        let text =
            "fn one() {}\n\n#[cfg(test)]\nmod tests {\n    fn two() {\n    }\n}\nfn three() {}\n";

        assert_eq!(lines_without_tests(text), 3);
    }

    #[test]
    fn an_item_for_tests_only_counts() {
        let text = "#[cfg(test)]\nfn one() {\n}\n";

        assert_eq!(lines_without_tests(text), 3);
    }
}
