//! All flags by OFREP, beside the real flagd with the same flags in a file.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Result, bail};

use super::document::SERVER_KEY;
use super::http::per_cpu_second;
use super::requests::{Request, Scenario, get};
use super::server::{Server, pinned};

/// Measures what flagd answers too: everything but 304, for flagd's OFREP knows no tags.
pub(super) fn run(
    flagd: &Path,
    ours: &Server,
    scenarios: &[Scenario],
    time: Duration,
    folder: &Path,
) -> Result<String> {
    let flags = folder.join("flags.json");
    let document = ours.answer(&get("/api/v1/flagd/flags.json", SERVER_KEY))?;
    fs::write(&flags, document.body)?;
    let theirs = start(flagd, &flags, folder)?;
    let mut lines = vec![
        "| request | flagstaff, per CPU-second | flagd, per CPU-second | times |".to_owned(),
        "|---|--:|--:|--:|".to_owned(),
    ];
    for scenario in scenarios {
        let Some(first) = scenario.requests.first() else {
            continue;
        };
        if first.if_none_match.is_some() {
            continue;
        }
        println!("{}: beside flagd", scenario.name);
        let (here, there) = (flags_of(ours, first)?, flags_of(&theirs, first)?);
        if here != there {
            bail!("{}: {here} flags here, {there} in flagd", scenario.name);
        }
        let (here, there) = per_cpu_second([ours, &theirs], scenario, time, folder)?;
        let times = here / there;
        lines.push(format!(
            "| {} | {here:.0} | {there:.0} | {times:.1} |",
            scenario.name
        ));
    }
    Ok(lines.join("\n"))
}

/// How many flags an answer has. flagd sends its own in chunks, so the text is looked at as it came.
fn flags_of(server: &Server, request: &Request) -> Result<usize> {
    let answer = server.answer(request)?;
    let text = String::from_utf8_lossy(&answer.body);
    match text.matches("\"key\":").count() {
        0 => bail!("an answer without flags: {text}"),
        flags => Ok(flags),
    }
}

/// flagd on core 0, on ports of its own.
fn start(flagd: &Path, flags: &Path, folder: &Path) -> Result<Server> {
    // All four are held until all are known, so that they differ.
    let held: Vec<TcpListener> = (0..4)
        .map(|_| TcpListener::bind("127.0.0.1:0"))
        .collect::<Result<_, _>>()?;
    let ports: Vec<u16> = held
        .iter()
        .map(|listener| Ok(listener.local_addr()?.port()))
        .collect::<Result<_>>()?;
    drop(held);
    let mut command = pinned(flagd);
    command
        .arg("start")
        .arg("--uri")
        .arg(format!("file:{}", flags.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(folder.join("flagd.log"))?);
    let options = ["--ofrep-port", "--port", "--sync-port", "--management-port"];
    for (option, port) in options.iter().zip(&ports) {
        command.args([*option, &port.to_string()]);
    }
    Server::reached(command, format!("127.0.0.1:{}", ports[0]))
}
