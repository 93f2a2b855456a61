//! `rollops-plugin-flagsmith`: lets Rollops drive feature flags kept by Flagsmith, or by flagstaff, step by step.
//!
//! Rollops starts this program anew for each change, without arguments, reads one line from its standard output and calls
//! it over a socket. So nothing is kept between calls but what [`memory`] writes to a folder, and what it takes to start is
//! paid at each step. What the program wants to say goes to standard error; a pipe that nobody reads any more must not
//! end it, so nothing here prints with the macros that panic then.

mod apply;
mod budget;
mod change;
mod check;
mod command;
mod failure;
mod flagsmith;
mod log;
mod manifest;
mod memory;
mod mode;
mod plan;
mod plugin;
mod serve;
mod settings;
mod socket;
mod split;
mod tls;
mod token;

use command::{Command, USAGE};
use log::Log;
use settings::Settings;
use std::io::Write as _;
use std::process::ExitCode;

/// How the program ends, as the rest of flagstaff does.
const FAILED: u8 = 1;
const WRONG_USAGE: u8 = 2;

fn main() -> ExitCode {
    let command = match Command::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(problem) => {
            complain(&format!("{problem}\n\n{USAGE}"));
            return ExitCode::from(WRONG_USAGE);
        }
    };
    let variables = |name: &str| std::env::var(name).ok();
    match command {
        Command::Help => say(USAGE),
        Command::Version => say(concat!(
            "rollops-plugin-flagsmith ",
            env!("CARGO_PKG_VERSION")
        )),
        Command::ManifestJson => say(&manifest::to_json(&manifest::manifest(&variables))),
        Command::Serve => on_this_thread(serve::serve(&variables, Log::to_standard_error())),
        Command::Check(asked) => match Settings::read(&variables) {
            Ok(settings) => on_this_thread(check::check(settings, asked)),
            Err(problem) => {
                complain(&problem.to_string());
                ExitCode::from(WRONG_USAGE)
            }
        },
        Command::DryRun(change) => match Settings::read(&variables) {
            Ok(settings) => on_this_thread(check::dry_run(settings, change)),
            Err(problem) => {
                complain(&problem.to_string());
                ExitCode::from(WRONG_USAGE)
            }
        },
    }
}

/// One thread is enough for one call, and quicker to start than several.
fn on_this_thread(work: impl Future<Output = ExitCode>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let code = runtime.block_on(work);
            // A name that is being looked up holds a thread that nobody waits for.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

/// A line on standard output.
pub(crate) fn say(text: &str) -> ExitCode {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILED),
    }
}

/// A line on standard error.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
