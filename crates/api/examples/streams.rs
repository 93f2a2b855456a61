//! Thousands of clients of `flagd.sync.v1` in one process, and a reader of flags beside them.
//!
//! `cargo xtask bench --part streams` starts both and tells the first what to do. HTTP/2 is spoken here by hand, as
//! little of it as it takes, so that a client costs a few kilobytes and what is measured is the server.

#![expect(clippy::print_stdout, reason = "results are lines on standard output")]

use std::error::Error;
use std::io::{BufRead as _, BufReader as StdReader, Read as _, Write as _};
use std::net::TcpStream as StdStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Longest that anything is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two questions of the reader.
const PAUSE: Duration = Duration::from_millis(2);
const OPENING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PATH: &str = "/flagd.sync.v1.FlagSyncService/SyncFlags";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["hold", address, key, count] => hold(address, key, count.parse()?).await,
        ["read", address, key, seconds] => read(address, key, seconds.parse()?),
        _ => Err("usage: streams hold ADDRESS KEY COUNT | streams read ADDRESS KEY SECONDS".into()),
    }
}

/// Opens streams and does as standard input says: `change` with a request, or `reconnect`.
async fn hold(address: &str, key: &str, count: usize) -> Outcome<()> {
    let mut crowd = Crowd::open(address, key, count).await?;
    let lines = std::io::stdin().lines();
    for line in lines {
        let line = line?;
        match line.split('\t').collect::<Vec<_>>().as_slice() {
            ["change", path, token, body] => crowd.change(path, token, body).await?,
            ["reconnect"] => {
                crowd.streams.abort_all();
                crowd = Crowd::open(address, key, count).await?;
            }
            _ => return Err("a line is neither `change` nor `reconnect`".into()),
        }
    }
    Ok(())
}

/// Streams that are open, and what arrives on them.
struct Crowd {
    address: String,
    streams: JoinSet<()>,
    arrivals: mpsc::UnboundedReceiver<Instant>,
    count: usize,
    failures: Arc<AtomicUsize>,
}

impl Crowd {
    async fn open(address: &str, key: &str, count: usize) -> Outcome<Self> {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let opening: Arc<[u8]> = opening(address, key).into();
        let failures = Arc::new(AtomicUsize::new(0));
        let mut streams = JoinSet::new();
        let begun = Instant::now();
        for _ in 0..count {
            let (address, opening, sender, failures) = (
                address.to_owned(),
                Arc::clone(&opening),
                sender.clone(),
                Arc::clone(&failures),
            );
            streams.spawn(async move {
                if let Err(error) = follow(&address, &opening, &sender).await
                    && failures.fetch_add(1, Ordering::Relaxed) < 3
                {
                    let _ = writeln!(std::io::stderr(), "a stream ended: {error}");
                }
            });
        }
        let mut crowd = Self {
            address: address.to_owned(),
            streams,
            arrivals,
            count,
            failures,
        };
        crowd.report("opened", begun).await;
        Ok(crowd)
    }

    async fn change(&mut self, path: &str, token: &str, body: &str) -> Outcome<()> {
        let length = body.len();
        let address = self.address.clone();
        let request = format!(
            "PATCH {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Token {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let begun = Instant::now();
        let changing = tokio::task::spawn_blocking(move || -> std::io::Result<String> {
            let mut stream = StdStream::connect(address)?;
            stream.write_all(request.as_bytes())?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        });
        self.report("changed", begun).await;
        let answer = changing.await??;
        if answer.starts_with("HTTP/1.1 200") {
            Ok(())
        } else {
            Err(format!("the change was refused: {answer}").into())
        }
    }

    /// Waits for a message on every stream and prints how long that took, in milliseconds.
    async fn report(&mut self, what: &str, begun: Instant) {
        let mut took = Vec::with_capacity(self.count);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while took.len() < self.count {
            match tokio::time::timeout_at(deadline, self.arrivals.recv()).await {
                Ok(Some(arrived)) => took.push(arrived.duration_since(begun)),
                Ok(None) | Err(_) => break,
            }
        }
        let failed = self.failures.load(Ordering::Relaxed);
        let (p50, p99, last) = percentiles(took.clone());
        println!(
            "{}",
            json!({ "what": what, "streams": took.len(), "failed": failed, "p50": p50, "p99": p99, "last": last })
        );
    }
}

/// Asks for flags on one connection, at a steady pace, and prints how long answers took.
fn read(address: &str, key: &str, seconds: u64) -> Outcome<()> {
    let stream = StdStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut writer = stream.try_clone()?;
    let mut reader = StdReader::new(stream);
    let request = format!(
        "GET /api/v1/flags/ HTTP/1.1\r\nHost: {address}\r\nX-Environment-Key: {key}\r\n\r\n"
    );
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut took = Vec::new();
    while Instant::now() < end {
        let begun = Instant::now();
        writer.write_all(request.as_bytes())?;
        skip_answer(&mut reader)?;
        took.push(begun.elapsed());
        std::thread::sleep(PAUSE);
    }
    let count = took.len();
    let (p50, p99, last) = percentiles(took);
    println!(
        "{}",
        json!({ "what": "read", "requests": count, "p50": p50, "p99": p99, "last": last })
    );
    Ok(())
}

fn skip_answer(reader: &mut StdReader<StdStream>) -> Outcome<()> {
    let mut length = 0;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if !line.starts_with("HTTP/1.1 200") {
        return Err(format!("no flags: {line}").into());
    }
    while !line.trim_end().is_empty() {
        line.clear();
        reader.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse()?;
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    Ok(())
}

/// Median, 99th of 100 and last, in milliseconds.
fn percentiles(mut took: Vec<Duration>) -> (f64, f64, f64) {
    took.sort();
    let at = |share: f64| {
        let position = (took.len() as f64 * share) as usize;
        let found = took.get(position).or(took.last());
        found.map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    };
    (at(0.5), at(0.99), at(1.0))
}

/// Follows the documents of one stream and tells when each has arrived whole.
async fn follow(
    address: &str,
    opening: &[u8],
    arrivals: &mpsc::UnboundedSender<Instant>,
) -> Outcome<()> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(4096, stream);
    stream.get_mut().write_all(opening).await?;
    let mut messages = Messages::default();
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).await?;
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]);
        let (kind, flags) = (header[3], header[4]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await?;
        let mut reply = Vec::new();
        match kind {
            DATA => {
                for _ in 0..messages.complete_with(&payload) {
                    arrivals.send(Instant::now())?;
                }
                if length > 0 {
                    frame(&mut reply, WINDOW_UPDATE, 0, 0, &length.to_be_bytes());
                    frame(&mut reply, WINDOW_UPDATE, 0, 1, &length.to_be_bytes());
                }
            }
            SETTINGS if flags & ACK == 0 => frame(&mut reply, SETTINGS, ACK, 0, &[]),
            PING if flags & ACK == 0 => frame(&mut reply, PING, ACK, 0, &payload),
            HEADERS if flags & END_STREAM != 0 => return Err("by the server".into()),
            RESET | GO_AWAY => return Err(format!("by frame {kind}").into()),
            _ => {}
        }
        if !reply.is_empty() {
            stream.get_mut().write_all(&reply).await?;
        }
    }
}

/// Where in its frame a message stands.
#[derive(Default)]
struct Messages {
    header: Vec<u8>,
    left: usize,
}

impl Messages {
    /// How many messages end within these bytes.
    fn complete_with(&mut self, mut bytes: &[u8]) -> usize {
        let mut complete = 0;
        while !bytes.is_empty() {
            if self.left == 0 && self.header.len() < 5 {
                let part = bytes.len().min(5 - self.header.len());
                self.header.extend_from_slice(&bytes[..part]);
                bytes = &bytes[part..];
                if let [_, a, b, c, d] = self.header[..] {
                    self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                }
                continue;
            }
            let part = bytes.len().min(self.left);
            self.left -= part;
            bytes = &bytes[part..];
            if self.left == 0 {
                self.header.clear();
                complete += 1;
            }
        }
        complete
    }
}

/// Everything that a client says of its own accord.
fn opening(address: &str, key: &str) -> Vec<u8> {
    let mut block = vec![0x83, 0x86];
    // Names from the static table: `:path`, `:authority`, `content-type`.
    for (name, value) in [
        (&[0x04][..], PATH),
        (&[0x01], address),
        (&[0x0f, 0x10], "application/grpc"),
    ] {
        block.extend_from_slice(name);
        text(&mut block, value);
    }
    for (name, value) in [("te", "trailers"), ("x-environment-key", key)] {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    }
    let mut bytes = OPENING.to_vec();
    frame(&mut bytes, SETTINGS, 0, 0, &[]);
    frame(&mut bytes, HEADERS, END_HEADERS, 1, &block);
    frame(&mut bytes, DATA, END_STREAM, 1, &[0; 5]);
    bytes
}

/// A text of fewer than 127 bytes, as it is.
fn text(block: &mut Vec<u8>, value: &str) {
    block.push(u8::try_from(value.len()).unwrap_or(0) & 0x7f);
    block.extend_from_slice(value.as_bytes());
}

fn frame(bytes: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = u32::try_from(payload.len()).unwrap_or(0).to_be_bytes();
    bytes.extend_from_slice(&length[1..]);
    bytes.extend_from_slice(&[kind, flags]);
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
}
