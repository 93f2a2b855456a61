//! What a script and the test say to each other while the script runs.
//!
//! The script writes a line for each thing it needs done; the answer is the line `done`:
//! `change <feature> <value in JSON>` sets what a feature says to everybody, `stop` and `start` are for the server.

use super::stage::Stage;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// No script takes a tenth of this, also on a busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// Runs a script to its end; an error says everything that there is to say.
pub fn hold(command: &mut Command, stage: &mut Stage<'_>) -> Result<(), String> {
    let errors = stage.file("script.log");
    let mut child = stage
        .tell(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(&errors).unwrap())
        .spawn()
        .unwrap();
    let result = talk(&mut child, stage);
    if result.is_err() {
        let _ = child.kill();
    }
    let status = child.wait().unwrap();
    if result.is_ok() && status.success() {
        return Ok(());
    }
    Err(format!(
        "{status} {}\n{}\nserver:\n{}",
        result.err().unwrap_or_default(),
        std::fs::read_to_string(errors).unwrap_or_default(),
        stage.log()
    ))
}

/// Carries out what the script asks for until it says nothing more.
fn talk(child: &mut Child, stage: &mut Stage<'_>) -> Result<(), String> {
    let mut answers = child.stdin.take().unwrap();
    let stdout = child.stdout.take().unwrap();
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let end = Instant::now() + LIMIT;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                carry_out(&line, stage)?;
                // A script that has gone meanwhile speaks by its status.
                let _ = answers.write_all(b"done\n");
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => return Err(format!("not done after {LIMIT:?}")),
        }
    }
}

fn carry_out(line: &str, stage: &mut Stage<'_>) -> Result<(), String> {
    let mut words = line.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("change"), Some(feature), Some(value)) => {
            let value = serde_json::from_str(value).map_err(|error| format!("{line}: {error}"))?;
            stage.change(feature, &value);
        }
        (Some("stop"), None, None) => stage.stop_server(),
        (Some("start"), None, None) => stage.start_server(),
        _ => return Err(format!("not understood: {line}")),
    }
    Ok(())
}
