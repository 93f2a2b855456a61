//! How fast it is, beside something that runs in the same minutes: machines differ, ratios hardly.
//!
//! Servers under test have core 0 to themselves, the load generator core 1. Requests are counted per CPU-second
//! rather than per second: that says the same on a machine that is busy with something else.

mod context;
mod document;
mod evaluation;
mod flagd;
mod http;
mod instructions;
mod load;
mod memory;
mod pages;
mod requests;
mod server;
mod size;
mod streams;
mod table;
mod writes;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;

use crate::command::{output, succeed};
use crate::flagd::program;
use crate::machine::Machine;
use crate::system_packages::ensure;
use crate::workspace::Workspace;
use server::Server;
use size::Size;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Requests per CPU-second, beside a bare axum handler.
    Http,
    /// The same for all flags by OFREP.
    Ofrep,
    /// Durable writes of new traits a second.
    Writes,
    /// Evaluation, beside the engines of Flagsmith.
    Evaluation,
    /// Instructions of requests and evaluations, counted by valgrind.
    Instructions,
    /// Memory after many requests, and how soon a start answers.
    Memory,
    /// Pages of the dashboard on a large database.
    Pages,
    /// Thousands of document streams at once: a change, memory, and all of them coming back.
    Streams,
}

/// How long and how much.
#[derive(Debug)]
pub(crate) struct Options {
    /// All of them where none is named.
    pub(crate) parts: Vec<Part>,
    /// Seconds of one measurement.
    pub(crate) seconds: u64,
    /// Requests after which memory is measured last.
    pub(crate) requests: u64,
    /// Streams at once.
    pub(crate) streams: usize,
}

/// Name of organisation, project and environment that are measured.
const NAME: &str = "bench";

/// What is built and where it works.
struct Bench<'w> {
    workspace: &'w Workspace,
    folder: Folder,
    flagstaff: PathBuf,
}

/// Measures what was asked for and prints it in Markdown.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    check_machine()?;
    let bench = Bench {
        workspace,
        folder: Folder::new(workspace)?,
        flagstaff: workspace.target.join("release/flagstaff"),
    };
    let asked = |part| options.parts.is_empty() || options.parts.contains(&part);
    let time = Duration::from_secs(options.seconds);
    let mut report = Vec::new();
    // Evaluation alone does without the server.
    if options.parts.is_empty() || options.parts.iter().any(|part| *part != Part::Evaluation) {
        build(workspace, "flagstaff", None)?;
    }
    if asked(Part::Http) || asked(Part::Ofrep) {
        build(workspace, "flagstaff-api", Some("bare"))?;
    }
    if asked(Part::Http) {
        report.push(bench.http(time)?);
    }
    if asked(Part::Ofrep) {
        report.push(bench.ofrep(time)?);
    }
    if asked(Part::Writes) {
        report.push(bench.writes(time)?);
    }
    if asked(Part::Memory) {
        report.extend(bench.memory(options.requests)?);
    }
    if asked(Part::Pages) {
        println!("pages of the dashboard");
        report.push(pages::run(&bench.flagstaff, &bench.folder.0.join("pages"))?);
    }
    if asked(Part::Streams) {
        build(workspace, "flagstaff-api", Some("streams"))?;
        report.push(bench.streams(options.streams)?);
    }
    if asked(Part::Evaluation) || asked(Part::Instructions) {
        let programs = evaluation::build(workspace)?;
        if asked(Part::Evaluation) {
            report.push(evaluation::run(workspace, &programs, &bench.folder.0)?);
        }
        if asked(Part::Instructions) {
            report.push(instructions::of_evaluations(&programs, &bench.folder.0)?);
            report.push(bench.instructions_of_requests()?);
        }
    }
    println!("\n{}", report.join("\n\n"));
    Ok(())
}

impl Bench<'_> {
    fn http(&self, time: Duration) -> Result<String> {
        let bare = self.workspace.target.join("release/examples/bare");
        let mut rows = Vec::new();
        for size in [Size::SMALL, Size::MANY_SEGMENTS] {
            let folder = self.project("http", size)?;
            let ours = Server::flagstaff(&self.flagstaff, &folder)?;
            let scenarios = requests::scenarios(size);
            rows.extend(http::run(&ours, &bare, &scenarios, time, &folder)?);
        }
        Ok(table::text(&rows))
    }

    fn ofrep(&self, time: Duration) -> Result<String> {
        let bare = self.workspace.target.join("release/examples/bare");
        let folder = self.project("ofrep", Size::SMALL)?;
        serve_to_flagd(&self.flagstaff, &folder)?;
        let ours = Server::flagstaff(&self.flagstaff, &folder)?;
        let scenarios = requests::ofrep(Size::SMALL);
        let rows = http::run(&ours, &bare, &scenarios, time, &folder)?;
        let beside = match program(self.workspace)? {
            Ok(binary) => flagd::run(&binary, &ours, &scenarios, time, &folder)?,
            Err(reason) => format!("Not beside flagd: {reason}."),
        };
        Ok(format!("{}\n\n{beside}", table::text(&rows)))
    }

    fn writes(&self, time: Duration) -> Result<String> {
        println!("writes of new traits");
        let folder = self.project("writes", Size::SMALL)?;
        let server = Server::flagstaff(&self.flagstaff, &folder)?;
        writes::run(&server, &folder, time)
    }

    fn memory(&self, requests: u64) -> Result<[String; 2]> {
        println!("memory");
        let folder = self.project("memory", Size::LARGE)?;
        let start = memory::cold_start(&self.flagstaff, &folder)?;
        let server = Server::flagstaff(&self.flagstaff, &folder)?;
        Ok([start, memory::resident(&server, &folder, requests)?])
    }

    fn streams(&self, count: usize) -> Result<String> {
        let clients = self.workspace.target.join("release/examples/streams");
        streams::run(&self.flagstaff, &clients, &self.folder.0, count)
    }

    fn instructions_of_requests(&self) -> Result<String> {
        let mut lines = instructions::heading("request");
        let folder = self.project("instructions", Size::SMALL)?;
        let few = [requests::flags(), requests::unchanged(Size::SMALL)];
        lines.extend(instructions::of_requests(&self.flagstaff, &folder, &few)?);
        let folder = self.project("instructions", Size::MANY_SEGMENTS)?;
        let many = [requests::unchanged(Size::MANY_SEGMENTS)];
        lines.extend(instructions::of_requests(&self.flagstaff, &folder, &many)?);
        Ok(lines.join("\n"))
    }

    /// A folder with a database of its own, made from a document as by somebody who comes from Flagsmith.
    fn project(&self, part: &str, size: Size) -> Result<PathBuf> {
        let Size {
            features, segments, ..
        } = size;
        let folder = self.folder.0.join(format!("{part}-{features}-{segments}"));
        fs::create_dir_all(&folder)?;
        let file = folder.join("document.json");
        fs::write(&file, document::environment(size).to_string())?;
        let mut command = server::flagstaff_command(&self.flagstaff, &folder);
        output(
            command
                .args(["import", "flagsmith", "--server-key", document::SERVER_KEY])
                .args(["--organisation", NAME, "--project", NAME])
                .args(["--environment", NAME])
                .arg(&file),
        )?;
        Ok(folder)
    }
}

/// Switches flagd's integration on for the project that was imported.
fn serve_to_flagd(flagstaff: &Path, folder: &Path) -> Result<()> {
    let mut command = server::flagstaff_command(flagstaff, folder);
    command.arg("bootstrap");
    for option in ["--organisation", "--project", "--environment"] {
        command.args([option, NAME]);
    }
    output(&mut command).map(drop)
}

fn build(workspace: &Workspace, package: &str, example: Option<&str>) -> Result<()> {
    let mut build = workspace.cargo(&["build", "--release", "--locked", "--package", package]);
    if let Some(example) = example {
        build.args(["--example", example]);
    }
    succeed(&mut build)
}

fn check_machine() -> Result<()> {
    let cores = std::thread::available_parallelism()?.get();
    if cores < 2 {
        bail!(
            "two cores are needed, one for the server and one for the load, but {cores} is there"
        );
    }
    let wanted = [
        ("sqlite3", "sqlite3"),
        ("curl", "curl"),
        ("wrk", "wrk"),
        ("taskset", "util-linux"),
        ("valgrind", "valgrind"),
    ];
    for (program, package) in wanted {
        let present = || {
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .any(|folder| folder.join(program).is_file())
        };
        if let Some(missing) = ensure(Machine::look(), program, &[package], present)? {
            bail!("{}; to enable: {}", missing.what, missing.remedy);
        }
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A folder for this run, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(workspace: &Workspace) -> Result<Self> {
        let path = workspace
            .target
            .join(format!("bench/run-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
