//! Serving the host: from the line it waits for until it lets go of our standard input.

use crate::log::Log;
use crate::manifest::manifest;
use crate::plugin::Service;
use crate::settings::{Settings, Variables};
use crate::socket::Socket;
use crate::{FAILED, complain, say};
use flagstaff_proto::rollops::plugin::v1::plugin_server::PluginServer;
use std::io::Read as _;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::Server;

/// How long calls that are under way may go on: the host kills after three seconds.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until standard input ends, or a signal says so.
pub(crate) async fn serve(variables: Variables<'_>, log: Log) -> ExitCode {
    match run(variables, log).await {
        Ok(code) => code,
        Err(problem) => {
            complain(&problem);
            ExitCode::from(FAILED)
        }
    }
}

async fn run(variables: Variables<'_>, log: Log) -> Result<ExitCode, String> {
    // Before anybody can know of the socket: a signal must find somebody who takes it away.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    let input_ends = input_ends().map_err(|error| format!("cannot start a thread: {error}"))?;
    let (socket, listener) = Socket::bind(&std::env::temp_dir())
        .map_err(|error| format!("cannot listen on a socket: {error}"))?;
    let settings = Settings::read(variables);
    if let Err(failure) = &settings {
        log.warn("settings", [("problem", failure.to_string().into())]);
    }
    let service = PluginServer::new(Service {
        manifest: manifest(variables),
        settings,
        log,
    });
    if say(&socket.handshake()) != ExitCode::SUCCESS {
        return Err("nobody reads the handshake on standard output".to_owned());
    }
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = Server::builder()
        .add_service(service)
        .serve_with_incoming_shutdown(UnixListenerStream::new(listener), async {
            let _ = stopped.await;
        });
    tokio::pin!(serving);
    tokio::select! {
        result = &mut serving => result.map_err(|error| error.to_string())?,
        _ = input_ends => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    let _ = stop.send(());
    let _ = tokio::time::timeout(GRACE, serving).await;
    drop(socket);
    Ok(ExitCode::SUCCESS)
}

/// The host never writes to our standard input; that it ends is how it says goodbye. A thread of its own reads it: it
/// may be anything, a terminal and a file too.
fn input_ends() -> std::io::Result<oneshot::Receiver<()>> {
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new().spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut dropped = [0; 256];
        while input.read(&mut dropped).is_ok_and(|read| read > 0) {}
        let _ = end.send(());
    })?;
    Ok(ended)
}
