//! A mail server that keeps what it is sent.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

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
    /// It came over an encrypted connection.
    pub was_encrypted: bool,
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

/// How a mail server is spoken to.
#[derive(Clone)]
pub enum SmtpEncryption {
    /// In the clear; it offers nothing else.
    None,
    /// Encrypted when the sender asks for it.
    StartTls(TlsAcceptor),
    /// Encrypted from the first byte.
    Tls(TlsAcceptor),
}

/// A mail server on a port of its own.
pub struct SmtpSink {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    letters: mpsc::UnboundedReceiver<ReceivedMail>,
    shared: Arc<Shared>,
}

/// What conversations leave behind, and what they are told to do.
#[derive(Default)]
struct Shared {
    /// What the next senders are answered instead.
    refusals: Mutex<VecDeque<&'static str>>,
    /// Lines that came in the clear.
    overheard: Mutex<Vec<String>>,
}

impl SmtpSink {
    /// Begins to listen, in the clear.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        Self::start_with(SmtpEncryption::None).await
    }

    /// Begins to listen.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start_with(encryption: SmtpEncryption) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, letters) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let of_all = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let conversation = Conversation {
                    letters: sender.clone(),
                    shared: Arc::clone(&of_all),
                };
                let encryption = encryption.clone();
                tokio::spawn(async move {
                    // A sender that hangs up is its own affair.
                    let _ = conversation.run(stream, encryption).await;
                });
            }
        });
        Self {
            port,
            letters,
            shared,
        }
    }

    /// The lines that senders sent in the clear so far.
    pub fn overheard(&self) -> Vec<String> {
        let overheard = self.shared.overheard.lock();
        overheard.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The next sender is answered this, such as `451 later`, when it names whom a letter is for.
    pub fn refuse_once(&self, answer: &'static str) {
        let refusals = self.shared.refusals.lock();
        refusals
            .unwrap_or_else(PoisonError::into_inner)
            .push_back(answer);
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

/// A sender and what is said to it.
struct Conversation {
    letters: mpsc::UnboundedSender<ReceivedMail>,
    shared: Arc<Shared>,
}

/// How a part of a conversation ended.
enum End {
    HungUp,
    /// The sender wants to go on encrypted.
    StartTls,
}

impl Conversation {
    async fn run(&self, mut stream: TcpStream, encryption: SmtpEncryption) -> io::Result<()> {
        let (offered, acceptor) = match &encryption {
            SmtpEncryption::None => (false, None),
            SmtpEncryption::StartTls(acceptor) => (true, Some(acceptor)),
            SmtpEncryption::Tls(acceptor) => (false, Some(acceptor)),
        };
        if !matches!(encryption, SmtpEncryption::Tls(_)) {
            stream.write_all(b"220 sink\r\n").await?;
            if matches!(self.listen(&mut stream, offered, true).await?, End::HungUp) {
                return Ok(());
            }
        }
        let Some(acceptor) = acceptor else {
            return Ok(());
        };
        let mut stream = acceptor.accept(stream).await?;
        if matches!(encryption, SmtpEncryption::Tls(_)) {
            stream.write_all(b"220 sink\r\n").await?;
        }
        self.listen(&mut stream, false, false).await.map(drop)
    }

    async fn listen<S>(&self, stream: &mut S, offered: bool, is_clear: bool) -> io::Result<End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = BufReader::new(stream);
        let (mut from, mut to) = (String::new(), Vec::new());
        while let Some(line) = self.line(&mut stream, is_clear).await? {
            let upper = line.to_ascii_uppercase();
            let answer = if upper.starts_with("EHLO") || upper.starts_with("HELO") {
                if offered {
                    "250-sink\r\n250-STARTTLS\r\n250 AUTH PLAIN"
                } else {
                    "250-sink\r\n250 AUTH PLAIN"
                }
            } else if upper == "STARTTLS" && offered {
                stream.write_all(b"220 go on\r\n").await?;
                return Ok(End::StartTls);
            } else if upper.starts_with("AUTH") {
                "235 welcome"
            } else if upper.starts_with("MAIL FROM:") {
                from = address(&line);
                "250 ok"
            } else if upper.starts_with("RCPT TO:") {
                to.push(address(&line));
                self.refusal().unwrap_or("250 ok")
            } else if upper == "DATA" {
                stream.write_all(b"354 go on\r\n").await?;
                let text = self.text(&mut stream, is_clear).await?;
                let letter = ReceivedMail {
                    from: std::mem::take(&mut from),
                    to: std::mem::take(&mut to),
                    text: text.replace("=\n", "").replace("=3D", "="),
                    was_encrypted: !is_clear,
                };
                // Nobody may wait for it any more.
                let _ = self.letters.send(letter);
                "250 taken"
            } else if upper == "QUIT" {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(End::HungUp);
            } else {
                "250 ok"
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
            stream.flush().await?;
        }
        Ok(End::HungUp)
    }

    fn refusal(&self) -> Option<&'static str> {
        let refusals = self.shared.refusals.lock();
        refusals.unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// The lines up to the one that is a full stop.
    async fn text<S>(&self, stream: &mut BufReader<S>, is_clear: bool) -> io::Result<String>
    where
        S: AsyncRead + Unpin,
    {
        let mut text = String::new();
        while let Some(line) = self.line(stream, is_clear).await? {
            if line == "." {
                break;
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
        }
        Ok(text)
    }

    async fn line<S>(&self, stream: &mut BufReader<S>, is_clear: bool) -> io::Result<Option<String>>
    where
        S: AsyncRead + Unpin,
    {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        if is_clear {
            let overheard = self.shared.overheard.lock();
            overheard
                .unwrap_or_else(PoisonError::into_inner)
                .push(line.clone());
        }
        Ok(Some(line))
    }
}

/// The address between the angle brackets.
fn address(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or_else(String::new, |(address, _)| address.to_owned())
}
