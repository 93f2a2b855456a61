//! A server of HTTP that answers as a test says, well or badly.

use serde_json::Value as Json;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With what follows the question mark.
    pub path: String,
    pub authorization: String,
    pub body: Json,
}

/// What the server does.
#[derive(Debug, Clone)]
pub enum Reply {
    Json(u16, Json),
    /// Not JSON.
    Text(u16, &'static str),
    Header(u16, &'static str, String),
    /// Announces more than it sends.
    Half,
    /// Says nothing for a while, then answers.
    Late(Duration, Box<Self>),
    /// Closes the connection without a word.
    HangUp,
}

/// A running server. It ends with the test's process.
pub struct Fake {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub fn start(answer: impl FnMut(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(Mutex::new(answer));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let Some(request) = read(&stream) else { return };
                    seen.lock().unwrap().push(request.clone());
                    let reply = (answer.lock().unwrap())(&request);
                    send(&stream, reply);
                });
            }
        });
        Self { url, asked }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The requests that would change something.
    pub fn writes(&self) -> Vec<Asked> {
        let mut asked = self.asked();
        asked.retain(|asked| asked.method != "GET");
        asked
    }

    /// The variables that lead the plugin here.
    pub fn variables(&self) -> [(&str, &str); 3] {
        [
            ("FLAGSMITH_API_URL", &self.url),
            ("FLAGSMITH_TOKEN", TOKEN),
            ("FLAGSMITH_PROJECT_ID", "7"),
        ]
    }
}

/// What must be nowhere but in the header.
pub const TOKEN: &str = "s3cret-t0ken-0123456789";

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (mut length, mut authorization) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => value.clone_into(&mut authorization),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        authorization,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

fn send(mut stream: &TcpStream, reply: Reply) {
    let (status, header, body) = match reply {
        Reply::Json(status, body) => (status, String::new(), body.to_string()),
        Reply::Text(status, text) => (status, String::new(), text.to_owned()),
        Reply::Header(status, name, value) => {
            (status, format!("{name}: {value}\r\n"), String::new())
        }
        Reply::Half => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":");
            return;
        }
        Reply::Late(pause, reply) => {
            std::thread::sleep(pause);
            return send(stream, *reply);
        }
        Reply::HangUp => return,
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status} X\r\n{header}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(text.as_bytes());
}
