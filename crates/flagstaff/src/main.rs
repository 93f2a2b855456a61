//! The binary: command line, configuration, wiring, start and stop. No domain logic lives here.

mod command;
mod config;
mod evaluate;
mod failure;
mod logging;
mod settings;

use clap::Parser;
use command::{Command, CommandLine};
use failure::Failure;
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
    match line.command.as_ref().unwrap_or(&Command::Serve) {
        Command::Evaluate(args) => evaluate::run(args),
        Command::Settings => {
            std::io::stdout().write_all(settings::reference_page().as_bytes())?;
            Ok(())
        }
        _ => {
            let settings = line.settings.load().map_err(Failure::usage)?;
            logging::start(&settings.log);
            Err(Failure::Failed(anyhow::anyhow!(
                "this command is still to come"
            )))
        }
    }
}
