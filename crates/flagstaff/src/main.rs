//! The binary: command line, configuration, wiring, start and stop. No domain logic lives here.

mod audit;
mod backup;
mod bootstrap;
mod clock;
mod command;
mod config;
mod dev;
mod doctor;
mod evaluate;
mod failure;
mod health;
mod import;
mod lock;
mod logging;
mod migrate;
mod product;
mod serve;
mod server_key;
mod settings;

use anyhow::Context as _;
use clap::Parser;
use command::{AuditCommand, Command, CommandLine, ImportCommand};
use failure::Failure;
use settings::Settings;
use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let line = CommandLine::parse();
    match run(&line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Usage(error) | Failure::Failed(error) = &failure {
                // Nothing is left to be done about a broken standard error.
                let _ = writeln!(std::io::stderr(), "flagstaff: {error:#}");
            }
            failure.exit_code()
        }
    }
}

fn run(line: &CommandLine) -> Result<(), Failure> {
    let settings = || line.settings.load().map_err(Failure::usage);
    match line.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Serve => {
            let settings = settings()?;
            logging::start(&settings.log);
            serve::run(settings, None)
        }
        Command::Dev(args) => {
            let settings = settings()?;
            logging::start(&settings.log);
            dev::run(args, settings)
        }
        Command::Bootstrap(args) => run_once(&settings()?, async |settings| {
            bootstrap::run(args, settings).await
        }),
        Command::Migrate => run_once(&settings()?, migrate::run),
        Command::Backup(args) => run_once(&settings()?, async |settings| {
            backup::back_up(args, settings).await
        }),
        Command::Restore(args) => run_once(&settings()?, async |settings| {
            backup::restore(args, settings).await
        }),
        Command::Move(args) => run_once(&settings()?, async |settings| {
            backup::copy(args, settings).await
        }),
        Command::Audit(AuditCommand::Verify) => run_once(&settings()?, audit::verify),
        Command::Health(args) => health::run(args, &settings()?),
        Command::Import(ImportCommand::Flagsmith(args)) => {
            run_once(&settings()?, async |settings| {
                import::run(args, settings).await
            })
        }
        Command::Doctor => run_once(&settings()?, doctor::run),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Settings => {
            std::io::stdout().write_all(settings::reference_page().as_bytes())?;
            Ok(())
        }
    }
}

/// Runs a command that ends by itself. It has something to say on its own, so only trouble is logged.
fn run_once<'s>(
    settings: &'s Settings,
    command: impl AsyncFnOnce(&'s Settings) -> Result<(), Failure>,
) -> Result<(), Failure> {
    logging::start(&settings.log);
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(command(settings))
}
