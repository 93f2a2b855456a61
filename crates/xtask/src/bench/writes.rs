//! New traits, stored durably: how many requests a second are answered, beside how often the disk can be told to write.

use std::fs::{self, OpenOptions};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::document::CLIENT_KEY;
use super::load;
use super::server::Server;

/// Length of one measurement of the disk.
const PROBE: Duration = Duration::from_secs(2);
/// What the probe writes each time: a page of the database.
const PAGE: [u8; 4096] = [7; 4096];

/// Sends requests of which each changes a trait, and gives a paragraph with the rates.
pub(super) fn run(server: &Server, folder: &Path, time: Duration) -> Result<String> {
    let before = syncs_per_second(folder)?;
    let script = folder.join("writes.lua");
    fs::write(&script, changing_traits(&server.address))?;
    load::run(&server.address, &script, Duration::from_secs(1))?;
    let answered = load::run(&server.address, &script, time)?;
    let after = syncs_per_second(folder)?;
    let rate = answered as f64 / time.as_secs_f64();
    Ok(format!(
        "New traits on SQLite, 64 connections: {rate:.0} durable writes a second. The disk of that folder: {before:.0} writes \
         of 4 KiB with fdatasync a second before, {after:.0} after.",
    ))
}

/// How often a page can be written and flushed to the disk within a second.
fn syncs_per_second(folder: &Path) -> Result<f64> {
    let path = folder.join("probe");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .open(&path)?;
    let (start, mut syncs) = (Instant::now(), 0_u32);
    while start.elapsed() < PROBE {
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&PAGE)?;
        file.sync_data()?;
        syncs += 1;
    }
    let rate = f64::from(syncs) / start.elapsed().as_secs_f64();
    fs::remove_file(&path)?;
    Ok(rate)
}

/// A script for wrk: a thousand people in turn, and with each request a value that was never sent before.
fn changing_traits(host: &str) -> String {
    format!(
        r#"local head = "POST /api/v1/identities/ HTTP/1.1\r\nHost: {host}\r\nX-Environment-Key: {CLIENT_KEY}\r\nContent-Type: application/json\r\n"
local run = os.time()
local sent = 0
function request()
  sent = sent + 1
  local body = string.format('{{"identifier": "writer-%04d", "traits": [{{"trait_key": "seen", "trait_value": "%d-%d"}}]}}', sent % 1000, run, sent)
  return head .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end
"#
    )
}
