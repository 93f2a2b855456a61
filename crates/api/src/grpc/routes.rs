//! How gRPC methods are put among the routes: each is declared with its authentication.

use super::message::{decode, read_body};
use super::{CallAuth, is_call, refuse, timeout, within};
use crate::auth::Presented;
use crate::routes::Routes;
use crate::state::ApiState;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use axum::routing::post;
use bytes::Bytes;
use prost::Message;
use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use tonic::{Code, Status};
use tower::{Service, ServiceExt as _};

/// Says a refusal to whoever sent this content type.
pub(crate) type Refuse = fn(Option<&HeaderValue>, Status) -> Response;

/// What a method is asked with: the state, who asks, the message, and where it came from.
pub(crate) struct Call<S, M> {
    pub(crate) state: ApiState,
    pub(crate) subject: S,
    pub(crate) message: M,
    pub(crate) parts: Parts,
}

impl Routes {
    /// Adds one method whose request is one message of type `M`, and which answers by itself: with bytes that it
    /// shares, say.
    pub(crate) fn method<M, A, H, F>(self, path: &'static str, auth: A, handler: H) -> Self
    where
        M: Message + Default + Sync + 'static,
        A: CallAuth<M>,
        H: Fn(Call<A::Subject, M>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, Status>> + Send,
    {
        self.call_route(path, refuse, move |state, parts, body| {
            let (auth, handler) = (auth.clone(), handler.clone());
            async move {
                require_call(&parts)?;
                let message: M = decode(&read_body(&state, &parts.headers, body).await?)?;
                let presented = Presented::of(&parts, &[]);
                let subject = auth.authenticate(&state, presented, &message).await?;
                handler(Call {
                    state,
                    subject,
                    message,
                    parts,
                })
                .await
            }
        })
    }

    /// Adds methods of one face whose requests are one message each, whatever carries them.
    ///
    /// Whoever asks is authenticated before the handler sees anything. The body is complete, and no larger than a
    /// message may be, wherever its content type says that it is one. `refuse` says refusals.
    pub(crate) fn calls<A, H, F>(
        mut self,
        paths: &[&'static str],
        auth: A,
        refuse: Refuse,
        handler: H,
    ) -> Self
    where
        A: CallAuth,
        H: Fn(ApiState, A::Subject, Parts, Bytes) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, Status>> + Send,
    {
        for path in paths {
            let (auth, handler) = (auth.clone(), handler.clone());
            self = self.call_route(path, refuse, move |state, parts, body| {
                let (auth, handler) = (auth.clone(), handler.clone());
                async move {
                    let presented = Presented::of(&parts, &[]);
                    let subject = auth.authenticate(&state, presented, &()).await?;
                    let body = read_body(&state, &parts.headers, body).await?;
                    handler(state, subject, parts, body).await
                }
            });
        }
        self
    }

    /// Adds the methods of a service that anybody may ask, and that limits by itself what it reads.
    pub(crate) fn open_service<S, B>(mut self, paths: &[&'static str], service: S) -> Self
    where
        S: Service<Request, Response = http::Response<B>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        for path in paths {
            let service = service.clone();
            self = self.call_route(path, refuse, move |_, parts, body| {
                let service = service.clone();
                async move {
                    require_call(&parts)?;
                    let request = Request::from_parts(parts, body);
                    Ok(answered(service.oneshot(request).await))
                }
            });
        }
        self
    }

    fn call_route<H, F>(self, path: &'static str, refuse: Refuse, handler: H) -> Self
    where
        H: Fn(ApiState, Parts, Body) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, Status>> + Send,
    {
        let endpoint = move |State(state): State<ApiState>, request: Request| async move {
            let (parts, body) = request.into_parts();
            let kind = parts.headers.get(header::CONTENT_TYPE).cloned();
            // Other protocols have other headers, which those who speak them read.
            let limit = if is_call(&parts.headers) {
                timeout(&parts.headers)
            } else {
                Ok(None)
            };
            let answer = async { within(limit?, handler(state, parts, body)).await };
            match answer.await {
                Ok(response) => response,
                Err(status) => refuse(kind.as_ref(), status),
            }
        };
        self.route(path, post(endpoint))
    }
}

fn answered<B>(answer: Result<http::Response<B>, Infallible>) -> Response
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    match answer {
        Ok(response) => response.map(Body::new),
    }
}

/// What is no call is no question of ours.
fn require_call(parts: &Parts) -> Result<(), Status> {
    if is_call(&parts.headers) {
        Ok(())
    } else {
        Err(Status::invalid_argument("the content type is not gRPC's"))
    }
}

/// The answer to a call of a method that is not there.
pub(crate) fn unknown_method(headers: &HeaderMap) -> Option<Response> {
    let kind = headers.get(header::CONTENT_TYPE);
    is_call(headers).then(|| refuse(kind, Status::unimplemented("there is no such method")))
}

/// Counts an answer by its status. What ends a stream, or comes after a message, is not known yet and counts as good.
pub(crate) fn count(method: &str, answer: &HeaderMap) {
    let code = answer.get(Status::GRPC_STATUS);
    let code = code.map_or(Code::Ok, |code| Code::from_bytes(code.as_bytes()));
    metrics::counter!(
        "flagstaff_grpc_calls_total",
        "method" => method.to_owned(), "code" => format!("{code:?}")
    )
    .increment(1);
}
