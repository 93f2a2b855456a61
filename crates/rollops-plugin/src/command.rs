//! What a person asks on the command line. Rollops itself gives no arguments.

use crate::change::Change;

pub(crate) const USAGE: &str = "\
rollops-plugin-flagsmith: drives feature flags of Flagsmith or flagstaff for Rollops

Without arguments it serves the plugin, as Rollops starts it. For people:
  --check [--environment KEY] [--flag NAME]
                     look whether settings, token, environment and flag are usable
  --dry-run --flag NAME --environment KEY --percentage N [--disabled]
                     say what a change would write, and write nothing
  --manifest-json    what the plugin tells Rollops about itself
  --version
  --help

Settings are environment variables: FLAGSMITH_API_URL, FLAGSMITH_TOKEN, FLAGSMITH_PROJECT_ID, and
FLAGSTAFF_ROLLOPS__… for the rest.";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Serve,
    Check(Asked),
    DryRun(Change),
    ManifestJson,
    Version,
    Help,
}

/// What `--check` looks at beyond the settings.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Asked {
    pub(crate) environment: Option<String>,
    pub(crate) flag: Option<String>,
}

#[derive(Default)]
struct Options {
    flag: Option<String>,
    environment: Option<String>,
    percentage: Option<String>,
    disabled: bool,
}

impl Command {
    /// Reads the arguments that follow the name of the program.
    ///
    /// # Errors
    /// A sentence about what is wrong.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments;
        let Some(first) = arguments.next() else {
            return Ok(Self::Serve);
        };
        let options = Options::parse(&mut arguments)?;
        match first.as_str() {
            "--check" => options.into_check().map(Self::Check),
            "--dry-run" => options.into_change().map(Self::DryRun),
            "--manifest-json" => options.none(Self::ManifestJson),
            "--version" | "-V" => options.none(Self::Version),
            "--help" | "-h" => options.none(Self::Help),
            other => Err(format!("unknown argument: `{other}`")),
        }
    }
}

impl Options {
    fn parse(arguments: &mut impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        while let Some(name) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("`{name}` needs a value"))
            };
            match name.as_str() {
                "--flag" => options.flag = Some(value()?),
                "--environment" => options.environment = Some(value()?),
                "--percentage" => options.percentage = Some(value()?),
                "--disabled" => options.disabled = true,
                other => return Err(format!("unknown argument: `{other}`")),
            }
        }
        Ok(options)
    }

    fn into_check(self) -> Result<Asked, String> {
        if self.percentage.is_some() || self.disabled {
            return Err("`--check` changes nothing: it takes no percentage".to_owned());
        }
        if self.flag.is_some() && self.environment.is_none() {
            return Err("`--flag` needs `--environment` too".to_owned());
        }
        Ok(Asked {
            environment: self.environment,
            flag: self.flag,
        })
    }

    fn into_change(self) -> Result<Change, String> {
        let percentage = self.percentage.unwrap_or_default();
        let percentage = percentage
            .parse()
            .map_err(|_| "`--percentage` must be a whole number from 0 to 100".to_owned())?;
        Change::checked(
            self.flag.unwrap_or_default(),
            self.environment.unwrap_or_default(),
            percentage,
            self.disabled,
        )
        .map_err(|failure| failure.to_string())
    }

    fn none(self, command: Command) -> Result<Command, String> {
        let is_empty = self.flag.is_none()
            && self.environment.is_none()
            && self.percentage.is_none()
            && !self.disabled;
        if is_empty {
            Ok(command)
        } else {
            Err("nothing may follow this argument".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, String> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn without_arguments_the_plugin_is_served() {
        assert_eq!(parse(""), Ok(Command::Serve));
    }

    #[test]
    fn a_dry_run_names_a_change() {
        let change = Change {
            flag: "checkout".to_owned(),
            environment: "KEY".to_owned(),
            percentage: 25,
            disabled: false,
        };

        let parsed = parse("--dry-run --flag checkout --environment KEY --percentage 25");

        assert_eq!(parsed, Ok(Command::DryRun(change)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_in_a_sentence() {
        for (line, problem) in [
            ("serve", "unknown argument: `serve`"),
            ("--check --flag x", "`--flag` needs `--environment` too"),
            (
                "--check --percentage 4",
                "`--check` changes nothing: it takes no percentage",
            ),
            ("--check --flag", "`--flag` needs a value"),
            ("--version --disabled", "nothing may follow this argument"),
            (
                "--dry-run --flag x --environment y",
                "`--percentage` must be a whole number from 0 to 100",
            ),
            (
                "--dry-run --flag x --environment y --percentage 101",
                "invalid percentage: 101 is not between 0 and 100",
            ),
        ] {
            assert_eq!(parse(line), Err(problem.to_owned()), "{line}");
        }
    }
}
