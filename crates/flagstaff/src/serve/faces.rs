//! Listeners of single faces, beside the port that speaks everything.

use super::listening;
use crate::failure::Failure;
use anyhow::Context as _;
use flagstaff_api::{ApiState, Entrance, Face, FlagdConfig, face_entrance};
use secrecy::SecretString;
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tracing::info;

/// A listener that is open, and what it will serve.
pub(super) struct FaceListener {
    listener: TcpListener,
    address: SocketAddr,
    face: Face,
    key: Option<SecretString>,
}

/// Opens every listener that is switched on.
///
/// # Errors
/// The first address that cannot be listened on.
pub(super) fn bind(config: &FlagdConfig) -> Result<Vec<FaceListener>, Failure> {
    let wanted = [
        (Face::FlagdSync, config.sync_listen, &config.sync_key),
        (
            Face::FlagdEvaluation,
            config.evaluation_listen,
            &config.evaluation_key,
        ),
        (Face::Ofrep, config.ofrep_listen, &config.ofrep_key),
    ];
    let mut listeners = Vec::new();
    for (face, address, key) in wanted {
        let Some(address) = address else {
            continue;
        };
        let listener =
            listening::on(address).with_context(|| format!("cannot listen on {address}"))?;
        let address = listener
            .local_addr()
            .context("the listener has no address")?;
        listeners.push(FaceListener {
            listener,
            address,
            face,
            key: key.clone(),
        });
    }
    Ok(listeners)
}

impl FaceListener {
    /// What is served where.
    pub(super) fn place(&self) -> (Face, SocketAddr) {
        (self.face, self.address)
    }

    /// Says where it listens, and gives what is needed to serve it.
    pub(super) fn announce(self, state: &ApiState) -> (TcpListener, Entrance) {
        info!(
            face = ?self.face,
            address = %self.address,
            is_bound = self.key.is_some(),
            "listening on http://{}",
            self.address
        );
        let entrance = face_entrance(state.clone(), self.face, self.key);
        (self.listener, entrance)
    }
}
