//! Other processes: who started whom, and how to stop them by their ids.

use std::collections::HashMap;
use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

/// Stops a process and everything it has started: politely first, after two seconds for good.
///
/// Without `/proc` (not Linux) only the process itself is found.
pub(crate) fn stop_tree(root: u32) {
    let family = family(root);
    for signal in ["-TERM", "-KILL"] {
        let left: Vec<u32> = family
            .iter()
            .copied()
            .filter(|id| is_running(*id))
            .collect();
        if left.is_empty() {
            return;
        }
        let ids: Vec<String> = left.iter().map(u32::to_string).collect();
        let _ = Command::new("kill")
            .arg(signal)
            .args(&ids)
            .stderr(Stdio::null())
            .status();
        for _ in 0..20 {
            if !left.iter().any(|id| is_running(*id)) {
                return;
            }
            thread::sleep(Duration::from_millis(100));
        }
    }
}

/// True while a process does something; one that has ended and waits for its parent does not.
pub(crate) fn is_running(id: u32) -> bool {
    stat(id).is_some_and(|(_, state)| state != "Z")
}

/// A process and its descendants.
fn family(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        if let Some((parent, _)) = stat(id) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(id) = found.get(next) {
        found.extend(children.remove(id).unwrap_or_default());
        next += 1;
    }
    found
}

/// The parent and the state letter of a process.
fn stat(id: u32) -> Option<(u32, String)> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, even a parenthesis.
    let mut fields = text.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.to_owned();
    Some((fields.next()?.parse().ok()?, state))
}
