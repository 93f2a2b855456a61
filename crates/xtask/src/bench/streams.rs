//! Thousands of streams of `flagd.sync.v1`: how soon a change has reached them all, what an idle one costs, and what a
//! reader of flags notices when all of them come back at once.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::server::{Server, http};
use crate::command::output;

const SERVER_KEY: &str = "ser.bench-streams";
const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "a pass phrase of the bench";
/// Flags in the document.
const FEATURES: usize = 50;
/// Open files of server and clients: a connection each, and some to spare.
const SPARE_FILES: usize = 500;
/// Changes whose slowest delivery counts.
const CHANGES: usize = 5;
/// Seconds that a reader reads while nothing else happens, and around the moment when all streams come back.
const READ_SECONDS: u64 = 6;
/// How long the machine is left alone before memory is looked at.
const SETTLING: Duration = Duration::from_secs(2);

/// Measures with so many streams; gives a table.
pub(super) fn run(flagstaff: &Path, clients: &Path, folder: &Path, count: usize) -> Result<String> {
    println!("streams: {count}");
    let mut server = start(flagstaff, folder, count)?;
    let desk = Desk::prepare(&server)?;
    let before = server.memory("VmRSS:")?;
    let mut crowd = Crowd::open(clients, &server.address, count)?;
    std::thread::sleep(SETTLING);
    let idle = server.memory("VmRSS:")?;
    let mut changes = Vec::new();
    for number in 0..CHANGES {
        changes.push(crowd.ask(&desk.change(number))?);
    }
    let alone = Reader::start(clients, &server.address, &desk.client_key)?.end()?;
    let reader = Reader::start(clients, &server.address, &desk.client_key)?;
    std::thread::sleep(Duration::from_secs(1));
    let returned = crowd.ask("reconnect")?;
    let beside = reader.end()?;
    std::thread::sleep(SETTLING);
    let after = server.memory("VmRSS:")?;
    drop(crowd);
    server.stop_gracefully()?;
    let per_stream = (idle - before) * 1024.0 / count as f64;
    Ok(report(&Figures {
        count,
        opened: &desk.opened(&returned),
        changes: &changes,
        alone: &alone,
        beside: &beside,
        per_stream,
        before,
        after,
    }))
}

struct Figures<'a> {
    count: usize,
    opened: &'a str,
    changes: &'a [Value],
    alone: &'a Value,
    beside: &'a Value,
    per_stream: f64,
    before: f64,
    after: f64,
}

fn report(figures: &Figures<'_>) -> String {
    let mut lines = vec![
        format!(
            "{} streams of `flagd.sync.v1`, a connection each, {FEATURES} flags; server on core 0, clients on core 1.\n",
            figures.count
        ),
        "| | p50 | p99 | last |".to_owned(),
        "|---|--:|--:|--:|".to_owned(),
    ];
    let row = |name: &str, value: &Value| {
        let number = |field: &str| value[field].as_f64().unwrap_or(f64::NAN);
        format!(
            "| {name} | {:.1} ms | {:.1} ms | {:.1} ms |",
            number("p50"),
            number("p99"),
            number("last")
        )
    };
    for (number, change) in figures.changes.iter().enumerate() {
        lines.push(row(
            &format!("change {} reaches a stream", number + 1),
            change,
        ));
    }
    lines.push(figures.opened.to_owned());
    lines.push(row("`GET flags/`, streams idle", figures.alone));
    lines.push(row("`GET flags/` while all come back", figures.beside));
    let (alone, beside) = (&figures.alone["p99"], &figures.beside["p99"]);
    let ratio = beside.as_f64().unwrap_or(f64::NAN) / alone.as_f64().unwrap_or(f64::NAN);
    lines.push(format!("\nRatio of the reader's p99: {ratio:.2}."));
    lines.push(format!(
        "Memory: {:.1} KiB for each idle stream; {:.1} MiB before the first, {:.1} MiB after all came back.",
        figures.per_stream, figures.before, figures.after
    ));
    lines.join("\n")
}

/// The server on a new database, with room for all connections.
fn start(flagstaff: &Path, folder: &Path, count: usize) -> Result<Server> {
    let database = format!("sqlite:{}", folder.join("streams.db").display());
    output(
        Command::new(flagstaff)
            .args(["bootstrap", "--api-key", SERVER_KEY])
            .args(["--admin-email", EMAIL, "--admin-password", PASSWORD])
            .current_dir(folder)
            .env("DATABASE_URL", &database),
    )?;
    let mut command = with_files(count);
    command
        .args(["taskset", "-c", "0"])
        .arg(flagstaff)
        .arg("serve")
        .current_dir(folder)
        .env("DATABASE_URL", &database)
        .env("FLAGSTAFF_SERVER__LISTEN", "127.0.0.1:0")
        .env(
            "FLAGSTAFF_CONNECTIONS__LIMIT",
            (count + SPARE_FILES).to_string(),
        )
        .stdin(Stdio::null())
        .stderr(File::create(folder.join("streams.log"))?);
    Server::start(command)
}

/// A command that may open a file for each of so many connections, and more.
fn with_files(count: usize) -> Command {
    let mut command = Command::new("prlimit");
    let files = count + SPARE_FILES;
    command.arg(format!("--nofile={files}:{files}"));
    command
}

/// Somebody who changes flags.
struct Desk {
    token: String,
    client_key: String,
    state: i64,
}

impl Desk {
    fn prepare(server: &Server) -> Result<Self> {
        let sign_in = json!({ "email": EMAIL, "password": PASSWORD });
        let token = http(server, "POST", "/api/v1/auth/login/", "", &sign_in)?;
        let token = text(&token["key"])?;
        let ask = |method, path: &str, body: &Value| http(server, method, path, &token, body);
        let projects = ask("GET", "/api/v1/projects/", &Value::Null)?;
        let project = &projects[0]["id"];
        let path = format!("/api/v1/environments/?project={project}");
        let environments = ask("GET", &path, &Value::Null)?;
        let client_key = text(&environments["results"][0]["api_key"])?;
        let mut first = Value::Null;
        for number in 0..FEATURES {
            let body = json!({
                "name": format!("feature-{number}"),
                "initial_value": format!("a value of some length for feature {number}"),
                "default_enabled": true,
            });
            let made = ask(
                "POST",
                &format!("/api/v1/projects/{project}/features/"),
                &body,
            )?;
            if number == 0 {
                first = made["id"].clone();
            }
        }
        let path = format!("/api/v1/environments/{client_key}/featurestates/?feature={first}");
        let states = ask("GET", &path, &Value::Null)?;
        let state = states["results"][0]["id"].as_i64();
        Ok(Self {
            state: state.context("the feature has no state")?,
            token,
            client_key,
        })
    }

    /// What the clients are told so that they make a change and wait for it.
    fn change(&self, number: usize) -> String {
        let Self {
            token,
            client_key,
            state,
        } = self;
        let body = json!({ "feature_state_value": format!("change {number}") });
        format!("change\t/api/v1/environments/{client_key}/featurestates/{state}/\t{token}\t{body}")
    }

    fn opened(&self, returned: &Value) -> String {
        let number = |field: &str| returned[field].as_f64().unwrap_or(f64::NAN);
        format!(
            "| all come back: first document | {:.0} ms | {:.0} ms | {:.0} ms |",
            number("p50"),
            number("p99"),
            number("last")
        )
    }
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().map(str::to_owned);
    text.with_context(|| format!("no text: {value}"))
}

/// The process with all clients.
struct Crowd {
    child: Child,
    input: Option<ChildStdin>,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    count: usize,
}

impl Crowd {
    fn open(clients: &Path, address: &str, count: usize) -> Result<Self> {
        let mut command = with_files(count);
        // The reader is to be held up by the server, not by its neighbours on this core.
        let mut child = command
            .args(["taskset", "-c", "1", "nice", "-n", "15"])
            .arg(clients)
            .args(["hold", address, SERVER_KEY, &count.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().context("no pipe to read from")?;
        let mut crowd = Self {
            input: child.stdin.take(),
            lines: BufReader::new(output).lines(),
            child,
            count,
        };
        crowd.answer()?;
        Ok(crowd)
    }

    fn ask(&mut self, line: &str) -> Result<Value> {
        let input = self.input.as_mut().context("no pipe to write to")?;
        writeln!(input, "{line}")?;
        self.answer()
    }

    /// Reads a report; streams that are missing are an error.
    fn answer(&mut self) -> Result<Value> {
        let line = self.lines.next().context("the clients ended")??;
        println!("{line}");
        let answer: Value = serde_json::from_str(&line)?;
        if answer["streams"].as_u64() != Some(self.count as u64) {
            bail!("not every stream was served: {line}");
        }
        Ok(answer)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        // The end of its input is the end of it.
        self.input = None;
        let _ = self.child.wait();
    }
}

/// A process that asks for flags.
struct Reader(Child);

impl Reader {
    fn start(clients: &Path, address: &str, key: &str) -> Result<Self> {
        let mut command = Command::new("taskset");
        command
            .args(["-c", "1"])
            .arg(clients)
            .args(["read", address, key, &READ_SECONDS.to_string()])
            .stdout(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    fn end(self) -> Result<Value> {
        let output = self.0.wait_with_output()?;
        let line = String::from_utf8(output.stdout)?;
        print!("{line}");
        serde_json::from_str(&line).context("the reader ended early")
    }
}
