//! The least that axum can do: an answer that was made elsewhere, sent again and again.
//!
//! `cargo xtask bench` holds the server against it. It is given the address of a running flagstaff and one request,
//! fetches that answer once, listens on a free port and repeats status, headers and bytes.

#![expect(clippy::print_stdout, reason = "says where it listens")]

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;

/// As flagstaff has it: an allocator is not what is compared.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize)]
struct Request {
    method: String,
    path: String,
    key: String,
    body: String,
    if_none_match: Option<String>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, request] = arguments.as_slice() else {
        return Err("usage: bare HOST:PORT '{\"method\", \"path\", \"key\", \"body\"}'".into());
    };
    let request: Request = serde_json::from_str(request)?;
    let answer = fetch(address, &request)?;
    let router = Router::new()
        .route(&request.path, any(repeat))
        .with_state(answer);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// Reads and parses a body, as any handler of a POST has to, and looks at nothing.
async fn repeat(State(answer): State<Answer>, body: Bytes) -> Response {
    if !body.is_empty() && serde_json::from_slice::<serde_json::Value>(&body).is_err() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let is_typed = answer.headers.contains_key(CONTENT_TYPE);
    let mut response = (answer.status, answer.headers, answer.body).into_response();
    if !is_typed {
        // `into_response` gives every body a type, also the missing one of a 304.
        response.headers_mut().remove(CONTENT_TYPE);
    }
    response
}

fn fetch(address: &str, request: &Request) -> Result<Answer, Box<dyn Error>> {
    let Request {
        method,
        path,
        key,
        body,
        if_none_match,
    } = request;
    let length = body.len();
    let held = if_none_match.as_ref();
    let held = held.map(|tag| format!("If-None-Match: {tag}\r\n"));
    let held = held.unwrap_or_default();
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Environment-Key: {key}\r\n{held}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Answer, Box<dyn Error>> {
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or("an answer without a header")?;
    let head = std::str::from_utf8(&bytes[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .ok_or("an answer without a status")?;
    let status: StatusCode = status.parse()?;
    if !status.is_success() && status != StatusCode::NOT_MODIFIED {
        return Err(format!("the answer to repeat is an error: {status}").into());
    }
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
        let name: HeaderName = name.parse()?;
        // Hyper writes these by itself, for each answer anew.
        if name != http::header::DATE && name != http::header::CONNECTION {
            headers.append(name, HeaderValue::from_str(value.trim())?);
        }
    }
    if headers.contains_key(http::header::TRANSFER_ENCODING) {
        return Err("the answer to repeat comes in chunks".into());
    }
    Ok(Answer {
        status,
        headers,
        body: Bytes::copy_from_slice(&bytes[end + 4..]),
    })
}
