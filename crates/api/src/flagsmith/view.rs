//! A path of the Flagsmith API: its methods, each with its authentication, and the behaviour common to all.

use super::answer::Answer;
use super::call::Call;
use super::error::Failure;
use super::negotiation;
use crate::auth::{Auth, Presented};
use crate::routes;
use crate::state::ApiState;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, any};
use futures::future::BoxFuture;
use serde_json::json;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

/// In which order `Allow` lists the methods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AllowOrder {
    /// As the original's classes list them: `GET, POST, HEAD, OPTIONS`.
    Class,
    /// As its functions do: `OPTIONS, GET`, without `HEAD`.
    Function,
}

/// How far a request is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Authentication,
    Handler,
}

struct Incoming {
    state: ApiState,
    peer: IpAddr,
    parts: Parts,
    path_parameters: Vec<(String, String)>,
    body: Body,
}

/// A declared method; `None` where only authentication was asked for.
type Endpoint = Arc<
    dyn Fn(Incoming, Reach) -> BoxFuture<'static, Result<Option<Answer>, Failure>> + Send + Sync,
>;

/// One path. A method cannot be added without saying how its callers authenticate.
pub(crate) struct View {
    name: &'static str,
    order: AllowOrder,
    endpoints: Vec<(Method, Endpoint)>,
    vary: Vec<&'static str>,
}

impl View {
    /// A view by the name that `OPTIONS` answers.
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            order: AllowOrder::Class,
            endpoints: Vec::new(),
            vary: vec!["Accept", "Origin"],
        }
    }

    /// The same with `Allow` in the order of the original's functions.
    #[expect(
        clippy::wrong_self_convention,
        reason = "part of a declaration that reads like a sentence"
    )]
    pub(crate) fn as_function(mut self) -> Self {
        self.order = AllowOrder::Function;
        self
    }

    pub(crate) fn get<A, H, F>(self, auth: A, handler: H) -> Self
    where
        A: Auth,
        H: Fn(Call<A::Subject>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Failure>> + Send,
    {
        self.method(Method::GET, auth, handler)
    }

    pub(crate) fn post<A, H, F>(self, auth: A, handler: H) -> Self
    where
        A: Auth,
        H: Fn(Call<A::Subject>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Failure>> + Send,
    {
        self.method(Method::POST, auth, handler)
    }

    pub(crate) fn put<A, H, F>(self, auth: A, handler: H) -> Self
    where
        A: Auth,
        H: Fn(Call<A::Subject>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Failure>> + Send,
    {
        self.method(Method::PUT, auth, handler)
    }

    pub(crate) fn patch<A, H, F>(self, auth: A, handler: H) -> Self
    where
        A: Auth,
        H: Fn(Call<A::Subject>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Failure>> + Send,
    {
        self.method(Method::PATCH, auth, handler)
    }

    pub(crate) fn delete<A, H, F>(self, auth: A, handler: H) -> Self
    where
        A: Auth,
        H: Fn(Call<A::Subject>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Failure>> + Send,
    {
        self.method(Method::DELETE, auth, handler)
    }

    fn method<A, H, F>(mut self, method: Method, auth: A, handler: H) -> Self
    where
        A: Auth,
        H: Fn(Call<A::Subject>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Answer, Failure>> + Send,
    {
        let endpoint: Endpoint = Arc::new(move |incoming: Incoming, reach| {
            let (auth, handler) = (auth.clone(), handler.clone());
            Box::pin(async move {
                let presented = Presented::of(&incoming.parts, &incoming.path_parameters);
                let subject = auth.authenticate(&incoming.state, presented).await?;
                if reach == Reach::Authentication {
                    return Ok(None);
                }
                let call = Call {
                    state: incoming.state,
                    subject,
                    peer: incoming.peer,
                    parts: incoming.parts,
                    path_parameters: incoming.path_parameters,
                    body: Mutex::new(Some(incoming.body)),
                };
                handler(call).await.map(Some)
            })
        });
        self.endpoints.push((method, endpoint));
        if let Some(name) = A::HEADER
            && !self.vary.contains(&name)
        {
            self.vary.push(name);
        }
        self
    }

    /// Made ready to answer at a path.
    pub(crate) fn at(self, path: &'static str) -> Arc<Ready> {
        Arc::new(Ready {
            allow: header_value(&self.allow()),
            vary: header_value(&self.vary.join(", ")),
            has_parameters: path.contains('{'),
            view: self,
        })
    }

    fn allow(&self) -> String {
        let known = [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        let declared = known
            .iter()
            .filter(|method| self.endpoint(method).is_some());
        let mut names: Vec<&str> = declared.map(Method::as_str).collect();
        match self.order {
            AllowOrder::Function => names.insert(0, "OPTIONS"),
            AllowOrder::Class => {
                if names.contains(&"GET") {
                    names.push("HEAD");
                }
                names.push("OPTIONS");
            }
        }
        names.join(", ")
    }

    fn endpoint(&self, method: &Method) -> Option<&Endpoint> {
        // Every path that can be read can be read without its body.
        let method = if *method == Method::HEAD {
            &Method::GET
        } else {
            method
        };
        let mut declared = self.endpoints.iter().filter(|(each, _)| each == method);
        declared.next().map(|(_, endpoint)| endpoint)
    }
}

fn header_value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// A view with what it repeats in every answer.
pub(crate) struct Ready {
    view: View,
    allow: HeaderValue,
    vary: HeaderValue,
    has_parameters: bool,
}

impl Ready {
    /// The same as a route of a router.
    pub(crate) fn into_route(self: Arc<Self>) -> MethodRouter<ApiState> {
        any(
            move |State(state): State<ApiState>, request: Request| async move {
                let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
                let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
                self.respond(state, request, peer).await
            },
        )
    }

    /// Answers a request that comes from `peer`.
    pub(crate) async fn respond(
        &self,
        state: ApiState,
        request: Request,
        peer: IpAddr,
    ) -> Response {
        let mut response = match self.answer(state, request, peer).await {
            Ok(answer) => answer.into_response(),
            Err(failure) => failure.into_response(),
        };
        let headers = response.headers_mut();
        headers.insert(header::ALLOW, self.allow.clone());
        // A handler that knows more than the view has said so already.
        if !headers.contains_key(header::VARY) {
            headers.insert(header::VARY, self.vary.clone());
        }
        response
    }

    /// The order is the original's: what is accepted, who asks, whether the method exists.
    async fn answer(
        &self,
        state: ApiState,
        request: Request,
        peer: IpAddr,
    ) -> Result<Answer, Failure> {
        if !negotiation::takes_json(request.headers()) {
            return Err(Failure::NotAcceptable);
        }
        let (mut parts, body) = request.into_parts();
        let method = parts.method.clone();
        let path_parameters = if self.has_parameters {
            routes::path_parameters(&mut parts).await
        } else {
            Vec::new()
        };
        let incoming = Incoming {
            state,
            peer,
            parts,
            path_parameters,
            body,
        };
        if let Some(endpoint) = self.view.endpoint(&method) {
            let answer = endpoint(incoming, Reach::Handler).await?;
            return answer.ok_or(Failure::NoSuchPath);
        }
        if let Some((_, first)) = self.view.endpoints.first() {
            first(incoming, Reach::Authentication).await?;
        }
        if method == Method::OPTIONS {
            return Ok(self.description());
        }
        Err(Failure::MethodNotAllowed(method))
    }

    fn description(&self) -> Answer {
        Answer::of(&json!({
            "name": self.view.name,
            "description": "",
            "renders": ["application/json"],
            "parses": [
                "application/json",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ],
        }))
    }
}
