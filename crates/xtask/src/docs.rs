//! Refreshes the reference pages that are made from the code.

use std::fs;

use anyhow::{Context as _, Result};

use crate::command::output;
use crate::workspace::Workspace;

/// Each page, and the arguments with which the server prints it.
const PAGES: &[(&str, &[&str])] = &[("docs/reference/settings.md", &["settings"])];

/// A page whose table comes of the last run of the lane `agreement`.
const DIFFERENCES: &str = "docs/reference/where-answers-differ.md";

/// Between these, the table stands.
const MARKS: [&str; 2] = ["<!-- table -->\n", "<!-- end of the table -->"];

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
    differences(workspace)
}

/// Puts the table of the last run into its page.
fn differences(workspace: &Workspace) -> Result<()> {
    let made = workspace.target.join("agreement/table.md");
    let Ok(table) = fs::read_to_string(&made) else {
        println!(
            "{DIFFERENCES}: as it was; `cargo xtask test --full --lane agreement` makes its table"
        );
        return Ok(());
    };
    let before = workspace.read(DIFFERENCES)?;
    let after = with_table(&before, &table)
        .with_context(|| format!("{DIFFERENCES} has no place for the table"))?;
    fs::write(workspace.root.join(DIFFERENCES), &after)
        .with_context(|| format!("cannot write {DIFFERENCES}"))?;
    let word = if before == after {
        "unchanged"
    } else {
        "written"
    };
    println!("{DIFFERENCES}: {word}");
    Ok(())
}

fn with_table(page: &str, table: &str) -> Option<String> {
    let [start, end] = MARKS;
    let (head, rest) = page.split_once(start)?;
    let (_, tail) = rest.split_once(end)?;
    Some(format!("{head}{start}{table}{end}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::with_table;

    #[test]
    fn a_table_is_put_between_its_marks_and_nowhere_else() {
        let page = "before\n<!-- table -->\nold\n<!-- end of the table -->\nafter\n";
        let expected = "before\n<!-- table -->\nnew\n<!-- end of the table -->\nafter\n";

        assert_eq!(with_table(page, "new\n").as_deref(), Some(expected));
        assert_eq!(with_table("no marks", "new\n"), None);
    }
}
