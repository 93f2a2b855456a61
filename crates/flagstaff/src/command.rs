//! The command line.

use crate::settings::{SettingError, SettingFlag, Settings};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// One staff that flies every flag: a self-hosted feature-flag server.
#[derive(Debug, Parser)]
#[command(
    name = "flagstaff",
    version,
    about,
    args_conflicts_with_subcommands = false
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub(crate) struct SettingArgs {
    /// Settings file [default: flagstaff.toml, where there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Any setting, such as `--set log.level=debug`
    #[arg(long, global = true, value_name = "TABLE.FIELD=VALUE", value_parser = table_field_value)]
    set: Vec<SettingFlag>,
    /// Where the data is: `sqlite:<file>` or `postgres://…`
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// Address to listen on; port 0 picks a free one
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Address under which people reach the server
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
}

impl SettingArgs {
    /// The settings of this call.
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be what it is given as.
    pub(crate) fn load(&self) -> Result<Settings, SettingError> {
        let mut flags = self.set.clone();
        let own = [
            ("--database-url", "database_url", &self.database_url),
            ("--listen", "listen", &self.listen),
            ("--public-url", "public_url", &self.public_url),
        ];
        for (flag, field, value) in own {
            if let Some(value) = value {
                flags.push(SettingFlag {
                    flag,
                    table: "server".to_owned(),
                    field: field.to_owned(),
                    value: value.clone(),
                });
            }
        }
        Settings::load(self.config.as_deref(), &flags)
    }
}

fn table_field_value(text: &str) -> Result<SettingFlag, String> {
    let (name, value) = text.split_once('=').ok_or("has no `=`")?;
    let (table, field) = name.split_once('.').ok_or("has no `.` before its `=`")?;
    Ok(SettingFlag {
        flag: "--set",
        table: table.to_owned(),
        field: field.to_owned(),
        value: value.to_owned(),
    })
}

/// What to do. Without one: `serve`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the server; on an empty database, make a demo project and print how to use it
    Serve,
    /// First set-up for scripts; doing it again changes nothing that is there
    Bootstrap(BootstrapArgs),
    /// A server for one machine: `bootstrap` with a fixed key, then `serve`, and lines to paste
    Dev(BootstrapArgs),
    /// Bring the database to this version (`serve` does it too)
    Migrate,
    /// Write everything in the database to one file; a server may go on serving meanwhile
    Backup(BackupArgs),
    /// Fill an empty database with what a backup holds
    Restore(RestoreArgs),
    /// Copy everything into another, empty database: from SQLite to Postgres, or back
    Move(MoveArgs),
    /// Look through the audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Take over what another product has
    #[command(subcommand)]
    Import(ImportCommand),
    /// Evaluate contexts, one JSON object a line; needs neither server nor database
    Evaluate(EvaluateArgs),
    /// Check settings, database, clock and address
    Doctor,
    /// Ask the server that runs here whether it lives: a health check where there is neither shell nor curl
    Health(HealthArgs),
    /// Print the reference page of the settings
    #[command(hide = true)]
    Settings,
}

/// Options of `bootstrap` and `dev`.
#[derive(Debug, Args)]
pub(crate) struct BootstrapArgs {
    /// Name of the organisation
    #[arg(long, default_value = "local-dev")]
    pub(crate) organisation: String,
    /// Name of the project
    #[arg(long, default_value = "local-dev")]
    pub(crate) project: String,
    /// Name of the environment
    #[arg(long, default_value = "development")]
    pub(crate) environment: String,
    /// Name of the server key
    #[arg(long, default_value = "flagd-local")]
    pub(crate) api_key_name: String,
    /// The server key itself, beginning with `ser.`; replaces the one of that name [default: random; with `dev`
    /// `ser.local-dev-only`]
    #[arg(long, value_name = "KEY", conflicts_with = "api_key_file")]
    pub(crate) api_key: Option<String>,
    /// File that holds the server key
    #[arg(long, value_name = "FILE")]
    pub(crate) api_key_file: Option<PathBuf>,
    /// E-mail address of the first member
    #[arg(long, default_value = "admin@example.com", value_name = "EMAIL")]
    pub(crate) admin_email: String,
    /// Password of that member, set again each time it is given [default: random, printed once]
    #[arg(long, value_name = "PASSWORD", conflicts_with = "admin_password_file")]
    pub(crate) admin_password: Option<String>,
    /// File that holds the password
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// File that gets the line `FLAGSMITH_SERVER_KEY=<key>` too
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// Options of `backup`.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// File to write, which must not be there yet; `-` writes to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) to: PathBuf,
}

/// Options of `restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The backup; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

/// Options of `move`.
#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    /// Where the data is [default: the database of the settings]
    #[arg(long, value_name = "URL", conflicts_with = "from_file")]
    pub(crate) from: Option<String>,
    /// File that holds that address
    #[arg(long, value_name = "FILE")]
    pub(crate) from_file: Option<PathBuf>,
    /// Where it is to be: `sqlite:<file>` or `postgres://…`
    #[arg(
        long,
        value_name = "URL",
        conflicts_with = "to_file",
        required_unless_present = "to_file"
    )]
    pub(crate) to: Option<String>,
    /// File that holds that address
    #[arg(long, value_name = "FILE")]
    pub(crate) to_file: Option<PathBuf>,
}

/// What to do with the audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Follow each chain from its first entry to its last; a changed or missing entry is a failure
    Verify,
}

/// Options of `health`.
#[derive(Debug, Args)]
pub(crate) struct HealthArgs {
    /// Ask whether it is ready, with its database, instead of whether it lives
    #[arg(long)]
    pub(crate) ready: bool,
}

/// What to import from.
#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// An environment document, as Flagsmith's `/api/v1/environment-document/` answers it
    Flagsmith(ImportArgs),
}

/// Options of `import flagsmith`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The document; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Organisation to import into, made where it does not exist [default: as in the document]
    #[arg(long, value_name = "NAME")]
    pub(crate) organisation: Option<String>,
    /// Project to import into [default: a new one, named as in the document]
    #[arg(long, value_name = "NAME")]
    pub(crate) project: Option<String>,
    /// Name of the environment [default: as in the document]
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// A server key for the environment, beginning with `ser.`: documents hold none [default: random]
    #[arg(long, value_name = "KEY", conflicts_with = "server_key_file")]
    pub(crate) server_key: Option<String>,
    /// File that holds the server key
    #[arg(long, value_name = "FILE")]
    pub(crate) server_key_file: Option<PathBuf>,
}

/// Options of `evaluate`.
#[derive(Debug, Args)]
pub(crate) struct EvaluateArgs {
    /// Contexts, one a line; `-` reads standard input
    #[arg(value_name = "FILE", default_value = "-")]
    pub(crate) file: PathBuf,
    /// Add how each answer came about
    #[arg(long)]
    pub(crate) explain: bool,
    /// Words for reasons: those of Flagsmith's engine 10 or 11
    #[arg(long, value_enum, default_value = "10")]
    pub(crate) reasons: ReasonVersion,
}

/// Whose words reasons are given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReasonVersion {
    /// `DEFAULT` for every flag that nothing changed.
    #[value(name = "10")]
    Engine10,
    /// `STATIC` where no segment overrides the feature.
    #[value(name = "11")]
    Engine11,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn a_setting_needs_table_field_and_value() {
        assert!(table_field_value("log.level=debug").is_ok());
        assert!(table_field_value("log.level").is_err());
        assert!(table_field_value("level=debug").is_err());
    }
}
