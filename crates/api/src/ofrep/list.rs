//! All flags at once.

use super::entity_tag::Content;
use super::evaluation::{kind, read_context, reader};
use super::freshness;
use super::items::Items;
use super::refusal::{Refusal, json};
use super::stream;
use crate::auth::KeyedEnvironment;
use crate::routes::Arrived;
use crate::state::ApiState;
use crate::{rendered, sdk_labels};
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use flagstaff_core::Snapshot;
use flagstaff_service::{Form, OpenEnvironment, Recognised, StreamToken, Wanted};
use flagstaff_wire::ofrep::{LIST_START, Reader, write_list_end};
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// Keys whose ends of lists are kept with a snapshot; environments have few.
const KEYS: usize = 64;

/// `POST /ofrep/v1/evaluate/flags`
pub(super) async fn flags(state: ApiState, keyed: KeyedEnvironment, arrived: Arrived) -> Response {
    let Arrived { parts, body, .. } = arrived;
    match answer(&state, keyed, &parts, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.respond(None),
    }
}

async fn answer(
    state: &ApiState,
    mut keyed: KeyedEnvironment,
    parts: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let sent = read_context(state, &keyed, parts, body).await?;
    let service = state.service();
    if let Some(at_least) = freshness::hinted(parts.uri.query(), service.clock().now()) {
        // Boxed: what asks the database is large, and every request would carry room for it.
        keyed.open = Box::pin(service.caught_up(keyed.open, at_least)).await;
    }
    let open = &keyed.open;
    let recognised = service.recognise(open, sent, Wanted::Flags).await?;
    let labels = sdk_labels::of(&parts.headers);
    service.count_request(open, kind(&recognised), &labels);
    let lists = open.published.form_off_thread::<Lists>().await;
    let end = lists.end(state, &keyed).await;
    if recognised.is_nobody() {
        let kept = lists.of_nobody(open, &recognised, &end);
        let body = || kept.body.clone();
        return Ok(tagged(parts, kept.tag.clone(), body));
    }
    let tag = lists.content.tag(open, &recognised, end.period);
    Ok(tagged(parts, tag, || {
        lists.write(open, &recognised, &end).into()
    }))
}

/// The list with its tag, or just that nothing changed: then it is not even made.
fn tagged(parts: &Parts, tag: HeaderValue, body: impl FnOnce() -> Bytes) -> Response {
    let mut response = if rendered::holds(&parts.headers, &tag) {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        json(StatusCode::OK, body())
    };
    response.headers_mut().insert(header::ETAG, tag);
    response
}

/// What is kept with a snapshot.
pub(super) struct Lists {
    content: Content,
    for_clients: OnceLock<Items>,
    for_servers: OnceLock<Items>,
    /// By the text of the key.
    ends: RwLock<HashMap<Box<str>, Arc<End>>>,
    /// Bytes of the last list that was written.
    length: AtomicUsize,
}

/// How lists end for who holds one key, as long as the same token is given out for it.
struct End {
    period: Option<i64>,
    bytes: Vec<u8>,
    of_nobody: OnceLock<Kept>,
}

/// A list that is the same for everybody, ready to be sent.
struct Kept {
    body: Bytes,
    tag: HeaderValue,
}

impl Form for Lists {
    fn render(snapshot: &Snapshot) -> Self {
        Self {
            content: Content::of(snapshot),
            for_clients: OnceLock::new(),
            for_servers: OnceLock::new(),
            ends: RwLock::default(),
            length: AtomicUsize::new(0),
        }
    }
}

impl Lists {
    /// The end for a key. Without a way to the stream where none can be signed just now.
    async fn end(&self, state: &ApiState, keyed: &KeyedEnvironment) -> Arc<End> {
        let service = state.service();
        let period = service.stream_token_period();
        if let Some(end) = self.known_end(keyed.key.expose_secret(), period) {
            return end;
        }
        let token = Box::pin(service.stream_token(&keyed.open, &keyed.key)).await;
        let token = token.ok();
        let end = Arc::new(End::new(token.as_ref()));
        if token.is_some() {
            self.keep_end(keyed.key.expose_secret(), Arc::clone(&end));
        }
        end
    }

    fn known_end(&self, key: &str, period: i64) -> Option<Arc<End>> {
        let ends = self.ends.read().unwrap_or_else(PoisonError::into_inner);
        let end = ends.get(key)?;
        (end.period == Some(period)).then(|| Arc::clone(end))
    }

    fn keep_end(&self, key: &str, end: Arc<End>) {
        let mut ends = self.ends.write().unwrap_or_else(PoisonError::into_inner);
        if ends.len() < KEYS || ends.contains_key(key) {
            ends.insert(key.into(), end);
        }
    }

    fn of_nobody<'e>(&self, open: &OpenEnvironment, nobody: &Recognised, end: &'e End) -> &'e Kept {
        end.of_nobody.get_or_init(|| Kept {
            body: self.write(open, nobody, end).into(),
            tag: self.content.tag(open, nobody, end.period),
        })
    }

    fn write(&self, open: &OpenEnvironment, recognised: &Recognised, end: &End) -> Vec<u8> {
        let items = self.items(open);
        let has_identifier = recognised.identifier().is_some();
        let mut out = Vec::with_capacity(self.length.load(Ordering::Relaxed) + 256);
        out.extend_from_slice(LIST_START);
        open.for_each_flag(recognised, |resolver, flag| {
            if out.len() > LIST_START.len() {
                out.push(b',');
            }
            items.write(resolver, &flag, has_identifier, &mut out);
        });
        out.extend_from_slice(&end.bytes);
        self.length.store(out.len(), Ordering::Relaxed);
        out
    }

    fn items(&self, open: &OpenEnvironment) -> &Items {
        let (items, reader) = match reader(open) {
            Reader::Client => (&self.for_clients, Reader::Client),
            Reader::Server => (&self.for_servers, Reader::Server),
        };
        items.get_or_init(|| Items::new(open.snapshot(), reader))
    }
}

impl End {
    fn new(token: Option<&StreamToken>) -> Self {
        let path = token.map(|token| stream::path(&token.text));
        let mut bytes = Vec::new();
        write_list_end(path.as_deref(), &mut bytes);
        Self {
            period: token.map(|token| token.period),
            bytes,
            of_nobody: OnceLock::new(),
        }
    }
}
