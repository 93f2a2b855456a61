//! A server under test: started on core 0, asked for what it has used, stopped.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::requests::{Request, Scenario};
use crate::command::output;
use crate::processes;

/// A running server; dropping it stops it.
pub(super) struct Server {
    /// Host and port.
    pub(super) address: String,
    child: Child,
}

/// An answer, as far as the two servers must agree.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Answer {
    status_line: String,
    /// Sorted, without what names the moment or the request.
    headers: Vec<String>,
    pub(super) body: Vec<u8>,
}

impl Server {
    /// The real binary on the database in `folder`.
    pub(super) fn flagstaff(binary: &Path, folder: &Path) -> Result<Self> {
        let mut command = flagstaff_command(binary, folder);
        command
            .arg("serve")
            .stdin(Stdio::null())
            .stderr(File::create(folder.join("log"))?);
        Self::start(command)
    }

    /// The bare handler, which first asks the real server what to answer.
    pub(super) fn bare(binary: &Path, original: &str, scenario: &Scenario) -> Result<Self> {
        let request = scenario
            .requests
            .first()
            .context("a scenario without requests")?;
        let mut command = pinned(binary);
        command
            .arg(original)
            .arg(serde_json::to_string(request)?)
            .stdin(Stdio::null());
        Self::start(command)
    }

    /// Starts a program and waits for the line with its address.
    pub(super) fn start(mut command: Command) -> Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the server")?;
        let stdout = child.stdout.take().context("no pipe to read from")?;
        let mut server = Self {
            address: String::new(),
            child,
        };
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next() {
            if let Some(address) = line?.strip_prefix("listening on ") {
                server.address = address
                    .trim()
                    .trim_start_matches("http://")
                    .trim_end_matches('/')
                    .to_owned();
                // Read on, so that a server that says more is not held up by a full pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(server);
            }
        }
        bail!(
            "the server ended before it listened: {}",
            server.child.wait()?
        )
    }

    /// Starts a program that does not say when it listens, and waits until it does.
    pub(super) fn reached(mut command: Command, address: String) -> Result<Self> {
        let child = command.spawn().context("cannot start the server")?;
        let mut server = Self { address, child };
        for _ in 0..100 {
            if TcpStream::connect(&server.address).is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended before it listened: {status}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("nothing listens on {} after ten seconds", server.address)
    }

    /// CPU time of the whole process so far, in seconds.
    pub(super) fn cpu_seconds(&self) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let ticks = output(Command::new("getconf").arg("CLK_TCK"))?
            .trim()
            .parse::<f64>()?;
        // Fields 14 and 15 of the line, counted from the state (field 3), which follows the name in parentheses.
        let fields: Vec<&str> = text
            .rsplit_once(')')
            .map(|(_, rest)| rest.split_whitespace().collect())
            .unwrap_or_default();
        let field = |number: usize| {
            fields
                .get(number - 3)
                .and_then(|field| field.parse::<f64>().ok())
        };
        let (user, system) = (
            field(14).context("no user time")?,
            field(15).context("no system time")?,
        );
        Ok((user + system) / ticks)
    }

    /// Memory in use, in MiB: `VmRSS:` is now, `VmHWM:` the most there ever was.
    pub(super) fn memory(&self, field: &str) -> Result<f64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        Ok(kibibytes.with_context(|| format!("no {field} in /proc"))? / 1024.0)
    }

    /// Asks one after the other on one connection; an answer that is an error is an error here.
    pub(super) fn answer_all<'r>(&self, requests: impl Iterator<Item = &'r Request>) -> Result<()> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let mut answers = BufReader::new(stream.try_clone()?);
        for request in requests {
            stream.write_all(request.to_http(&self.address).as_bytes())?;
            skip_answer(&mut answers)?;
        }
        Ok(())
    }

    /// Ends the server as whoever runs it does, and waits until it is gone.
    pub(super) fn stop_gracefully(&mut self) -> Result<()> {
        output(Command::new("kill").args(["-TERM", &self.child.id().to_string()]))?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }

    /// Asks once, on a connection of its own.
    pub(super) fn answer(&self, request: &Request) -> Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let text = request
            .to_http(&self.address)
            .replacen("\r\n", "\r\nConnection: close\r\n", 1);
        stream.write_all(text.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        parse(&bytes)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        processes::stop_tree(self.child.id());
        let _ = self.child.wait();
    }
}

/// Asks for JSON with a member's token, where there is one.
pub(super) fn http(
    server: &Server,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Result<Value> {
    let mut stream = TcpStream::connect(&server.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let (host, length) = (&server.address, body.len());
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    if !token.is_empty() {
        head.push_str(&format!("Authorization: Token {token}\r\n"));
    }
    if length > 0 {
        head.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {length}\r\n"
        ));
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let answer = parse(&bytes)?;
    if !answer.status_line.contains(" 20") {
        bail!("{method} {path}: {}", answer.status_line);
    }
    serde_json::from_slice(&answer.body).with_context(|| format!("{method} {path}: no JSON"))
}

/// The real binary with its data in `folder`, on a port of its own, with the settings that it has by default.
pub(super) fn flagstaff_command(binary: &Path, folder: &Path) -> Command {
    let mut command = pinned(binary);
    command
        .current_dir(folder)
        .env("FLAGSTAFF_SERVER__LISTEN", "127.0.0.1:0")
        .env(
            "DATABASE_URL",
            format!("sqlite:{}", folder.join("bench.db").display()),
        );
    command
}

/// A program that runs on core 0.
pub(super) fn pinned(binary: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(binary);
    command
}

/// Reads one answer with a length, up to its end.
fn skip_answer(answers: &mut impl BufRead) -> Result<()> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        bail!("the server answers with an error: {}", line.trim());
    }
    let mut length = 0;
    while !line.trim_end().is_empty() {
        line.clear();
        answers.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    std::io::copy(&mut answers.take(length), &mut std::io::sink())?;
    Ok(())
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .context("an answer without a header")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.lines().map(str::to_owned);
    let status_line = lines.next().unwrap_or_default();
    let mut headers: Vec<String> = lines
        .map(|line| {
            line.split_once(':')
                .map(|(name, rest)| format!("{}:{rest}", name.to_lowercase()))
                .unwrap_or(line)
        })
        .filter(|line| {
            !["date:", "x-request-id:"]
                .iter()
                .any(|name| line.starts_with(name))
        })
        .collect();
    headers.sort();
    Ok(Answer {
        status_line,
        headers,
        body: bytes[end + 4..].to_vec(),
    })
}
