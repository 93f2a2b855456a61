//! Bytes sent by hand, as no client library would.

use crate::server::Server;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Nothing a test sends by hand takes longer to be answered or cut off.
pub const LIMIT: Duration = Duration::from_secs(10);

/// A connection to a server.
pub async fn connect(server: &Server) -> TcpStream {
    let address = server.url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// A request with a body, after whose answer the connection ends.
pub fn request(path: &str, key: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Environment-Key: {key}\r\n\
        {headers}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends bytes and reads until the server ends the connection; fails when it does not in time. A server that refuses
/// early may close while there is still something to send.
pub async fn exchange(server: &Server, bytes: &[u8]) -> String {
    let mut stream = connect(server).await;
    let _ = stream.write_all(bytes).await;
    rest(&mut stream, &bytes[..bytes.len().min(200)]).await
}

/// Reads to the end.
pub async fn rest(stream: &mut TcpStream, what: &[u8]) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(LIMIT, stream.read_to_end(&mut answer)).await;
    let what = String::from_utf8_lossy(what);
    assert!(read.is_ok(), "neither answered nor closed: {what}");
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer; `None` when there was none.
pub fn status(answer: &str) -> Option<u16> {
    answer.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}
