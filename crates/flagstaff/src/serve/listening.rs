//! Sockets that listen.

use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};

/// Connections that may wait to be accepted. With fewer places, most of thousands who come back at once would be turned
/// away and try again only after seconds. The system may grant less.
const WAITING: u32 = 16_384;

/// Listens on an address.
///
/// # Errors
/// When it is taken, or not one of this machine.
pub(super) fn on(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A restart takes the address over from connections that are still closing.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING)
}
