//! What a request inherits from where it came in: the listener, and the connection.

use secrecy::SecretString;
use std::sync::Arc;
use tokio::sync::Notify;

/// A listener of one protocol, which may stand for one environment. Without one, a request came in by the port that
/// speaks everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listener {
    key: Option<Arc<SecretString>>,
}

impl Listener {
    /// A listener whose callers need no key where they bring none.
    pub(crate) fn new(key: Option<SecretString>) -> Self {
        Self {
            key: key.map(Arc::new),
        }
    }

    /// The server-side key it stands for.
    pub(crate) fn key(&self) -> Option<&SecretString> {
        self.key.as_deref()
    }
}

/// A connection that can be closed from within a request: the last resort against a peer that takes nothing of what
/// it is sent, because nothing that is said on a stream of HTTP/2 can reach it.
///
/// Whoever accepts connections puts it into the extensions of each request.
#[derive(Debug, Clone, Default)]
pub struct Connection(Arc<Notify>);

impl Connection {
    /// Asks for the end of the connection.
    pub(crate) fn close(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asks for the end.
    pub async fn closed(&self) {
        self.0.notified().await;
    }
}
