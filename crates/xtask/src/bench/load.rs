//! The load: wrk on core 1, over connections that stay open, for a bounded time.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::requests::Request;
use crate::command::output;

/// Open connections: enough to keep one core busy, few enough that the load generator's core keeps up.
const CONNECTIONS: &str = "-c64";

/// Sends requests in turn for a while and returns how many were answered; an answer that is an error is an error here.
pub(super) fn run(address: &str, script: &Path, time: Duration) -> Result<u64> {
    let mut command = Command::new("taskset");
    command
        .args(["-c", "1", "wrk", "-t1", CONNECTIONS])
        .arg(format!("-d{}s", time.as_secs()))
        .arg("-s")
        .arg(script)
        .arg(format!("http://{address}"));
    answered(&output(&mut command)?)
}

/// Reads wrk's report.
fn answered(report: &str) -> Result<u64> {
    for trouble in ["Non-2xx or 3xx responses:", "Socket errors:"] {
        if let Some(line) = report.lines().find(|line| line.trim().starts_with(trouble)) {
            bail!("the server answers with errors: {}", line.trim());
        }
    }
    let line = report.lines().find(|line| line.contains(" requests in "));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .filter(|count| *count > 0)
        .with_context(|| format!("no request was answered:\n{report}"))
}

/// A script for wrk that sends these requests one after the other.
pub(super) fn script(requests: &[Request], host: &str) -> String {
    let mut lines = vec!["local requests = {".to_owned()];
    for request in requests {
        lines.push(format!("  {},", quoted(&request.to_http(host))));
    }
    lines.push("}\nlocal sent = 0\nfunction request()".to_owned());
    lines.push("  sent = sent % #requests + 1\n  return requests[sent]\nend\n".to_owned());
    lines.join("\n")
}

/// A string as Lua writes it; everything sent here is ASCII.
fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\r', "\\r")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_answers_is_read() {
        let report = "  2 threads and 10 connections\n  56213 requests in 5.00s, 41.2MB read\nRequests/sec:  11242.1\n";

        assert_eq!(answered(report).ok(), Some(56213));
    }

    #[test]
    fn answers_that_are_errors_do_not_count() {
        let report = "  56213 requests in 5.00s, 41.2MB read\n  Non-2xx or 3xx responses: 56213\n";

        assert!(answered(report).is_err());
    }

    #[test]
    fn line_ends_survive_lua() {
        assert_eq!(quoted("a \"b\"\r\n"), "\"a \\\"b\\\"\\r\\n\"");
    }
}
