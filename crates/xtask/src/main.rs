//! The project's task runner: `cargo xtask` lists what it can do.
//!
//! Whatever a person or a CI machine does to this repository beyond `cargo build` and `cargo run` lives here, in Rust.
//! Nothing here is needed by `cargo build`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool"
)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod bench;
mod cargo_program;
mod command;
mod dist;
mod docs;
mod flagd;
mod go_program;
mod java;
mod lanes;
mod layers;
mod machine;
mod metadata;
mod node;
mod postgres;
mod processes;
mod python;
mod rust_program;
mod site;
mod source_files;
mod summary;
mod system_packages;
mod test_output;
mod workspace;

use workspace::Workspace;

/// Tasks of the flagstaff repository.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Before a commit: formatting, clippy, layers and the tests that need nothing but the compiler.
    Check,
    /// Set up what the test lanes need and run them all.
    Test {
        /// Run the long versions of the generated tests.
        #[arg(long)]
        full: bool,
        /// Run only these lanes.
        #[arg(long = "lane", value_name = "NAME", num_args = 1.., value_parser = lanes::names())]
        lanes: Vec<String>,
    },
    /// Check which crate uses which, that the map names every crate, and the length of source files.
    Layers,
    /// How fast it is, beside a bare axum handler and Flagsmith's own engines.
    Bench {
        /// Measure only these parts.
        #[arg(long = "part", value_name = "NAME", num_args = 1..)]
        parts: Vec<bench::Part>,
        /// Length of one measurement.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
        seconds: u64,
        /// Requests after which memory is measured last.
        #[arg(long, default_value_t = 1_000_000)]
        requests: u64,
        /// Document streams at once.
        #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
        streams: u32,
    },
    /// Build released programs into `target/dist`, with what they hash to and the index that Rollops installs from.
    Dist {
        /// Build only these.
        #[arg(long = "part", value_name = "NAME", num_args = 1..)]
        parts: Vec<dist::Part>,
        /// Where the files will be downloaded from.
        #[arg(long)]
        url: Option<String>,
    },
    /// Refresh the reference pages that are made from the code.
    Docs,
    /// Build the documentation as a site in `target/book`, with mdBook.
    Site,
}

fn main() -> ExitCode {
    match run(&Arguments::parse().task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match task {
        Task::Check => lanes::run(&workspace, &lanes::before_a_commit(), false),
        Task::Test { full, lanes } => lanes::run(&workspace, &lanes::chosen(lanes), *full),
        Task::Layers => {
            let violations = layers::check(&workspace)?;
            for violation in &violations {
                eprintln!("{violation}");
            }
            Ok(ExitCode::from(u8::from(!violations.is_empty())))
        }
        Task::Bench {
            parts,
            seconds,
            requests,
            streams,
        } => {
            let options = bench::Options {
                parts: parts.clone(),
                seconds: *seconds,
                requests: *requests,
                streams: *streams as usize,
            };
            bench::run(&workspace, &options).map(|()| ExitCode::SUCCESS)
        }
        Task::Dist { parts, url } => {
            let options = dist::Options {
                parts: parts.clone(),
                url: url.clone(),
            };
            dist::make(&workspace, &options).map(|()| ExitCode::SUCCESS)
        }
        Task::Docs => docs::refresh(&workspace).map(|()| ExitCode::SUCCESS),
        Task::Site => lanes::run(&workspace, &lanes::chosen(&["site".to_owned()]), false),
    }
}
