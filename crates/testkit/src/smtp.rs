//! A mail server that keeps what it is sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// How long a test waits for a letter.
const PATIENCE: Duration = Duration::from_secs(20);

/// A letter as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Who it is from, by the envelope.
    pub from: String,
    /// Whom it is for, by the envelope.
    pub to: Vec<String>,
    /// Headers and text, line ends as `\n`; soft line ends of quoted-printable are joined.
    pub text: String,
}

impl ReceivedMail {
    /// What follows this in the letter, up to the next white space.
    ///
    /// # Panics
    /// When it is not there.
    #[must_use]
    pub fn after(&self, what: &str) -> &str {
        let (_, rest) = self.text.split_once(what).unwrap_or_else(|| {
            panic!("`{what}` is not in the letter:\n{}", self.text);
        });
        rest.split_whitespace().next().unwrap_or_default()
    }
}

/// A mail server on a port of its own. It speaks no TLS.
pub struct SmtpSink {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    letters: mpsc::UnboundedReceiver<ReceivedMail>,
    /// What the next senders are answered instead.
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
}

impl SmtpSink {
    /// Begins to listen.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, letters) = mpsc::unbounded_channel();
        let refusals = Arc::new(Mutex::new(VecDeque::new()));
        let waiting = Arc::clone(&refusals);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, refusals) = (sender.clone(), Arc::clone(&waiting));
                tokio::spawn(async move {
                    // A sender that hangs up is its own affair.
                    let _ = converse(stream, sender, refusals).await;
                });
            }
        });
        Self {
            port,
            letters,
            refusals,
        }
    }

    /// The next sender is answered this, such as `451 later`, when it names whom a letter is for.
    pub fn refuse_once(&self, answer: &'static str) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        refusals.push_back(answer);
    }

    /// The next letter.
    ///
    /// # Panics
    /// When none comes within 20 seconds.
    pub async fn next(&mut self) -> ReceivedMail {
        let next = tokio::time::timeout(PATIENCE, self.letters.recv()).await;
        next.expect("a letter in time").expect("a listening server")
    }

    /// True while no letter has come that was not taken.
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }
}

async fn converse(
    stream: TcpStream,
    letters: mpsc::UnboundedSender<ReceivedMail>,
    refusals: Arc<Mutex<VecDeque<&'static str>>>,
) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    writer.write_all(b"220 sink\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = lines.next_line().await? {
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO") || upper.starts_with("HELO") {
            "250 sink"
        } else if upper.starts_with("MAIL FROM:") {
            from = address(&line);
            "250 ok"
        } else if upper.starts_with("RCPT TO:") {
            let refusal = {
                let mut refusals = refusals.lock().unwrap_or_else(PoisonError::into_inner);
                refusals.pop_front()
            };
            to.push(address(&line));
            refusal.unwrap_or("250 ok")
        } else if upper == "DATA" {
            writer.write_all(b"354 go on\r\n").await?;
            let mut text = String::new();
            while let Some(line) = lines.next_line().await? {
                if line == "." {
                    break;
                }
                text.push_str(line.strip_prefix('.').unwrap_or(&line));
                text.push('\n');
            }
            let letter = ReceivedMail {
                from: std::mem::take(&mut from),
                to: std::mem::take(&mut to),
                text: text.replace("=\n", "").replace("=3D", "="),
            };
            // Nobody may wait for it any more.
            let _ = letters.send(letter);
            "250 taken"
        } else if upper == "QUIT" {
            writer.write_all(b"221 bye\r\n").await?;
            return Ok(());
        } else {
            "250 ok"
        };
        writer.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

/// The address between the angle brackets.
fn address(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}
