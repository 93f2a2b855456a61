//! `flagd.sync.v1`: whole documents for programs that evaluate for themselves.

use super::credentials::{FlagdKey, FlagdKeyInMetadata, is_served, not_served};
use super::ends::status_of_end;
use crate::auth::KeyedEnvironment;
use crate::flagd::document::FlagdDocument;
use crate::follower::{End, Follower, News};
use crate::grpc::{
    Call, StreamPart, answer_framed, answer_message, answer_stream, frame_header, too_many_streams,
};
use crate::routes::Routes;
use crate::state::ApiState;
use crate::streams::Protocol;
use axum::http::HeaderValue;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use flagstaff_proto::flagd::sync::v1::{
    FetchAllFlagsRequest, GetMetadataRequest, GetMetadataResponse, SyncFlagsRequest,
};
use flagstaff_service::Published;
use futures::stream;
use prost::encoding::{WireType, encode_key, encode_varint};
use std::sync::Arc;
use tonic::Status;

/// The field of both answers that holds the document.
const FLAG_CONFIGURATION: u32 = 1;

pub(crate) fn routes(routes: Routes) -> Routes {
    routes
        .method(
            "/flagd.sync.v1.FlagSyncService/SyncFlags",
            FlagdKey,
            sync_flags,
        )
        .method(
            "/flagd.sync.v1.FlagSyncService/FetchAllFlags",
            FlagdKey,
            fetch_all_flags,
        )
        .method(
            "/flagd.sync.v1.FlagSyncService/GetMetadata",
            FlagdKeyInMetadata,
            metadata,
        )
}

/// The document now, and another one whenever it changes.
async fn sync_flags(call: Call<KeyedEnvironment, SyncFlagsRequest>) -> Result<Response, Status> {
    let connection = call.parts.extensions.get().cloned();
    let follower = Follower::open(call.state, call.subject, Protocol::FlagdSync, connection);
    let documents = Documents {
        follower: follower.ok_or_else(too_many_streams)?,
        pieces: None,
        told: None,
        has_ended: false,
    };
    Ok(answer_stream(stream::unfold(
        documents,
        |mut documents| async move {
            let part = documents.next().await?;
            Some((part, documents))
        },
    )))
}

/// The document once.
async fn fetch_all_flags(
    call: Call<KeyedEnvironment, FetchAllFlagsRequest>,
) -> Result<Response, Status> {
    let open = call.state.service().up_to_now(call.subject.open).await;
    let document = document(&call.state, &open.published).await;
    let document = document.ok_or_else(not_served)?;
    Ok(answer_framed(pieces(document.flags.bytes(), Bytes::new())))
}

/// What newer clients read from `sync_context`.
async fn metadata(call: Call<KeyedEnvironment, GetMetadataRequest>) -> Result<Response, Status> {
    let context = &call.state.config().flagd.sync_context;
    Ok(answer_message(&GetMetadataResponse {
        metadata: Some(context.to_struct()),
    }))
}

/// The document of what is published; `None` where the project is not served to flagd.
async fn document(state: &ApiState, published: &Arc<Published>) -> Option<Arc<FlagdDocument>> {
    let integration = published.snapshot.enabled_flagd()?;
    Some(FlagdDocument::of(state, published, integration).await)
}

/// The pieces of a framed message: a header, the document, and what follows it. The bytes of the document are the very
/// ones that everybody else is sent.
fn pieces(document: Bytes, rest: Bytes) -> [Bytes; 3] {
    let mut field = BytesMut::new();
    encode_key(FLAG_CONFIGURATION, WireType::LengthDelimited, &mut field);
    encode_varint(document.len() as u64, &mut field);
    let length = field.len() + document.len() + rest.len();
    let mut header = BytesMut::from(&frame_header(length)[..]);
    header.extend_from_slice(&field);
    [header.freeze(), document, rest]
}

/// A stream of documents.
struct Documents {
    follower: Follower,
    /// What is left of the message under way. Boxed: most of the time there is none.
    pieces: Option<Box<std::array::IntoIter<Bytes, 3>>>,
    /// The tag of the document that was sent last.
    told: Option<HeaderValue>,
    has_ended: bool,
}

impl Documents {
    async fn next(&mut self) -> Option<StreamPart> {
        loop {
            if self.has_ended {
                return None;
            }
            let mut pieces = self.pieces.iter_mut().flatten();
            if let Some(piece) = pieces.find(|piece| !piece.is_empty()) {
                return Some(StreamPart::Bytes(piece));
            }
            self.pieces = None;
            if self.follower.was_too_slow() {
                return Some(self.end(End::TooSlow));
            }
            // Nothing is said while nothing changes: pings of HTTP/2 keep connections alive.
            match self.follower.next(None).await {
                // Boxed, both, so that a stream that waits holds no room for them.
                News::Changed(_) => match Box::pin(self.follower.published(is_served)).await {
                    Ok(published) => Box::pin(self.prepare(&published)).await,
                    Err(end) => return Some(self.end(end)),
                },
                News::Silence => {}
                News::Ended(end) => return Some(self.end(end)),
            }
        }
    }

    /// Makes a message of what is published, unless it is what was sent last.
    async fn prepare(&mut self, published: &Arc<Published>) {
        let state = self.follower.state();
        let Some(document) = document(state, published).await else {
            return;
        };
        let tag = document.flags.tag();
        if self.told.as_ref() == Some(tag) {
            return;
        }
        let context = state.config().flagd.sync_context.as_field();
        self.told = Some(tag.clone());
        let pieces = pieces(document.flags.bytes(), context);
        self.pieces = Some(Box::new(pieces.into_iter()));
        self.follower.sent();
    }

    fn end(&mut self, end: End) -> StreamPart {
        self.has_ended = true;
        StreamPart::End(status_of_end(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flagstaff_proto::flagd::sync::v1::SyncFlagsResponse;
    use prost::Message as _;

    #[test]
    fn the_pieces_are_the_message_that_the_library_would_write() {
        let document = "{\"flags\":{}}".repeat(100);
        let context: crate::SyncContext =
            r#"{"tier":"gold","n":1.5}"#.to_owned().try_into().unwrap();
        let expected = SyncFlagsResponse {
            flag_configuration: document.clone(),
            sync_context: Some(context.to_struct()),
        };

        let pieces = pieces(document.into(), context.as_field()).concat();

        assert_eq!(pieces[..5], frame_header(pieces.len() - 5));
        assert_eq!(SyncFlagsResponse::decode(&pieces[5..]).unwrap(), expected);
    }
}
