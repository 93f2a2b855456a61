//! The host's side: starts the binary with an environment of its own, reads the handshake, and calls over the socket with
//! bytes that nothing of ours has encoded.

use bytes::{Buf as _, BufMut as _, Bytes};
use hyper_util::rt::TokioIo;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::UnixStream;
use tonic::client::Grpc;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

pub const BINARY: &str = env!("CARGO_BIN_EXE_rollops-plugin-flagsmith");
/// The host gives ten seconds.
const START: Duration = Duration::from_secs(10);

/// A running plugin.
pub struct Plugin {
    pub child: Child,
    stdin: Option<ChildStdin>,
    pub line: String,
    /// From the start to the handshake.
    pub took: Duration,
    pub temporary: TempDir,
    stderr: Option<std::thread::JoinHandle<String>>,
}

/// The binary with nothing in its environment but what a daemon hands down, and these variables.
pub fn plugin(temporary: &Path, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/")
        .env("TMPDIR", temporary)
        .envs(variables.iter().copied());
    command
}

impl Plugin {
    pub fn launch(variables: &[(&str, &str)]) -> Self {
        // Below /tmp whatever TMPDIR is here: the address of a socket must be short.
        let temporary = tempfile::Builder::new()
            .prefix("p")
            .tempdir_in("/tmp")
            .unwrap();
        let started = Instant::now();
        let mut child = plugin(temporary.path(), variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut pipe = child.stderr.take().unwrap();
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        });
        let line = lines.recv_timeout(START).unwrap();
        Self {
            stdin: child.stdin.take(),
            child,
            line,
            took: started.elapsed(),
            temporary,
            stderr: Some(stderr),
        }
    }

    pub fn address(&self) -> PathBuf {
        self.line.split('|').nth(3).unwrap().into()
    }

    pub async fn channel(&self) -> Channel {
        let address = self.address();
        let connector = tower::service_fn(move |_| {
            let address = address.clone();
            async move { UnixStream::connect(address).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        endpoint.connect_with_connector(connector).await.unwrap()
    }

    /// Calls a method with these bytes and gives those of the answer.
    pub async fn call(&self, method: &'static str, message: &[u8]) -> Result<Vec<u8>, Status> {
        call(self.channel().await, method, message, None).await
    }

    /// Calls the tool.
    pub async fn apply(&self, input: &str) -> Result<(), Status> {
        let answer = self.call("InvokeTool", &invocation(input)).await?;
        assert_eq!(answer, [0x0a, 0x02, 0x7b, 0x7d]);
        Ok(())
    }

    /// Lets go of standard input, and says how it ended and how long that took.
    pub fn close(&mut self) -> (ExitStatus, Duration) {
        drop(self.stdin.take());
        self.wait()
    }

    pub fn signal(&mut self, name: &str) -> (ExitStatus, Duration) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &id])
                .status()
                .unwrap()
                .success()
        );
        self.wait()
    }

    fn wait(&mut self) -> (ExitStatus, Duration) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, started.elapsed());
            }
            assert!(started.elapsed() < Duration::from_secs(5), "still running");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it, and gives what it wrote on standard error.
    pub fn log(mut self) -> String {
        self.close();
        self.stderr.take().unwrap().join().unwrap()
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub async fn call(
    channel: Channel,
    method: &'static str,
    message: &[u8],
    timeout: Option<Duration>,
) -> Result<Vec<u8>, Status> {
    let mut client = Grpc::new(channel);
    client.ready().await.unwrap();
    let mut request = Request::new(Bytes::copy_from_slice(message));
    if let Some(timeout) = timeout {
        request.set_timeout(timeout);
    }
    let path = format!("/rollops.plugin.v1.Plugin/{method}");
    let path = PathAndQuery::try_from(path).unwrap();
    let answer = client.unary(request, path, Raw).await?;
    Ok(answer.into_inner().to_vec())
}

/// `InvokeToolRequest` for `featureflag/apply_flag`, by hand: numbers 1, 2 and 3, each with a length.
pub fn invocation(input: &str) -> Vec<u8> {
    invocation_of("featureflag", "apply_flag", input)
}

pub fn invocation_of(capability: &str, tool: &str, input: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, text) in [(0x0a, capability), (0x12, tool), (0x1a, input)] {
        bytes.push(tag);
        let mut length = text.len();
        while length >= 0x80 {
            bytes.push(u8::try_from(length % 0x80).unwrap() | 0x80);
            length /= 0x80;
        }
        bytes.push(u8::try_from(length).unwrap());
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// The input as the host writes it.
pub fn step(flag: &str, percentage: i64, disabled: bool) -> String {
    format!(
        r#"{{"flag":"{flag}","environment":"ENVKEY7890","percentage":{percentage},"disabled":{disabled}}}"#
    )
}

struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}
