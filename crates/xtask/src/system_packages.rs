//! Packages of the distribution: installed where the machine is ours to change, asked for where it is a person's.

use std::process::Command;

use anyhow::Result;

use crate::command::{succeed, works};
use crate::machine::Machine;

/// Something that a lane needs and this machine lacks.
#[derive(Debug)]
pub(crate) struct Missing {
    /// What is not there.
    pub(crate) what: String,
    /// The one line that would bring it.
    pub(crate) remedy: String,
}

/// Makes sure that `present` holds, by installing `packages` as root.
///
/// Anybody else is told the line that would do it: this tool asks nobody for a password.
pub(crate) fn ensure(
    machine: Machine,
    what: &str,
    packages: &[&str],
    present: impl Fn() -> bool,
) -> Result<Option<Missing>> {
    if present() {
        return Ok(None);
    }
    let has_apt = works(Command::new("apt-get").arg("--version"));
    if machine.root && has_apt {
        install(packages)?;
        if present() {
            return Ok(None);
        }
    }
    let names = packages.join(" ");
    let remedy = if has_apt {
        format!("sudo apt-get install {names}")
    } else {
        format!("install {what} with your system's package manager (on Debian: {names})")
    };
    Ok(Some(Missing {
        what: format!("{what} not found"),
        remedy,
    }))
}

/// Lists are refreshed first: a new machine has none, or old ones that name files which are gone.
fn install(packages: &[&str]) -> Result<()> {
    succeed(&mut apt(&["update", "--quiet=2"]))?;
    let mut arguments = vec!["install", "--yes", "--quiet=2", "--no-install-recommends"];
    arguments.extend(packages);
    succeed(&mut apt(&arguments))
}

fn apt(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .args(arguments);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: Machine = Machine {
        root: false,
        ci: false,
    };

    #[test]
    fn nothing_is_asked_for_when_it_is_there() {
        let missing = ensure(PERSON, "node", &["nodejs"], || true).expect("nothing to install");

        assert!(missing.is_none());
    }

    #[test]
    fn a_person_is_told_the_packages_that_are_missing() {
        let missing =
            ensure(PERSON, "node", &["nodejs", "npm"], || false).expect("nothing is installed");

        let missing = missing.expect("node is missing");
        assert_eq!(missing.what, "node not found");
        assert!(missing.remedy.contains("nodejs npm"), "{}", missing.remedy);
    }
}
