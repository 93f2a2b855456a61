//! `flagstaff health`: asks the server that runs here, over HTTP, as whoever watches it would.

use crate::command::HealthArgs;
use crate::failure::Failure;
use crate::serve::reachable;
use crate::settings::Settings;
use anyhow::{Context as _, anyhow};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Whoever runs health checks grants about this much.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks at the address of the settings.
///
/// # Errors
/// When nobody answers there, or says that it is not well.
pub(crate) fn run(args: &HealthArgs, settings: &Settings) -> Result<(), Failure> {
    let listen = settings.server.listen;
    if listen.port() == 0 {
        return Err(Failure::usage(anyhow!(
            "`server.listen` names no port: nobody knows which one the server picked"
        )));
    }
    let address = reachable(listen);
    let path = if args.ready {
        "/health/readiness"
    } else {
        "/health/liveness"
    };
    let status = ask(address, path).with_context(|| format!("{address} does not answer"))?;
    if status != 200 {
        return Err(Failure::Failed(anyhow!(
            "{address}{path} answers with {status}"
        )));
    }
    Ok(())
}

/// The status of an answer.
fn ask(address: SocketAddr, path: &str) -> Result<u16, anyhow::Error> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    // `HTTP/1.1 200`
    let mut beginning = [0; 12];
    stream.read_exact(&mut beginning)?;
    let beginning = std::str::from_utf8(&beginning)?;
    let status = beginning.split(' ').nth(1).unwrap_or_default();
    status
        .parse()
        .map_err(|_| anyhow!("`{beginning}` does not begin an answer"))
}
