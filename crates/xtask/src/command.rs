//! Runs other programs: for their output, for their success, or line by line within a time limit.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::processes;

/// How a program that was watched line by line came to its end.
pub(crate) enum End {
    Exited(ExitStatus),
    /// It ran into its time limit and was stopped with everything it had started.
    TimedOut,
}

/// Runs a program and returns its standard output; a failure shows what it said on standard error.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let name = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name}: {}: {}", output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name}: output is not UTF-8"))
}

/// Runs a program whose output a person should see; anything but success is an error.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let name = shown(command);
    println!("$ {name}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!("{name}: {status}");
    }
    Ok(())
}

/// True when a program can be started and succeeds; its output is dropped.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a program, passes on each line of its standard output as it comes, and lets `on_line` read it.
pub(crate) fn watch(
    command: &mut Command,
    limit: Duration,
    mut on_line: impl FnMut(&str),
) -> Result<End> {
    let name = shown(command);
    println!("$ {name}");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let stdout = child.stdout.take().context("no pipe to read from")?;
    let (sender, lines) = channel();
    // Not joined: after a time-out, something that escaped may still hold the pipe open.
    thread::spawn(move || {
        let mut reader = BufReader::new(stdout);
        let mut line = Vec::new();
        while reader
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            if sender
                .send(String::from_utf8_lossy(&line).into_owned())
                .is_err()
            {
                return;
            }
            line.clear();
        }
    });

    let deadline = Instant::now() + limit;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                print!("{line}");
                let _ = std::io::stdout().flush();
                on_line(line.trim_end());
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(End::Exited(child.wait()?)),
            Err(RecvTimeoutError::Timeout) => {
                processes::stop_tree(child.id());
                let _ = child.wait();
                return Ok(End::TimedOut);
            }
        }
    }
}

/// A command as a person would type it.
fn shown(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let mut text = program.rsplit('/').next().unwrap_or_default().to_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_passed_on_in_order() {
        let mut seen = Vec::new();

        let end = watch(
            Command::new("printf").arg("one\\ntwo\\n"),
            Duration::from_secs(10),
            |line| seen.push(line.to_owned()),
        );

        assert!(matches!(end, Ok(End::Exited(status)) if status.success()));
        assert_eq!(seen, ["one", "two"]);
    }

    #[test]
    fn a_program_that_hangs_is_stopped_with_what_it_started() {
        let mut inner = None;

        let end = watch(
            Command::new("sh").args(["-c", "sleep 60 & echo $!; wait"]),
            Duration::from_millis(500),
            |line| inner = line.parse::<u32>().ok(),
        );

        assert!(matches!(end, Ok(End::TimedOut)));
        let inner = inner.expect("the shell names its child");
        assert!(
            !processes::is_running(inner),
            "process {inner} is left over"
        );
    }

    #[test]
    fn a_failure_says_what_the_program_said() {
        let error = output(Command::new("sh").args(["-c", "echo no such luck >&2; exit 3"]));

        let text = format!("{:#}", error.expect_err("exit 3 is a failure"));
        assert!(
            text.contains("no such luck") && text.contains('3'),
            "{text}"
        );
    }
}
