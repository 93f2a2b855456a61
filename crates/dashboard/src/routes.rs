//! Where pages are registered: the path, who may ask for it, and with that its name in metrics.

use crate::Dashboard;
use crate::answer::{plain_refusal, see_other};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use std::time::Duration;

/// The most bytes that somebody who is not signed in may send.
const VISITOR_LIMIT: usize = 16 * 1024;
/// The most bytes a member's form may have: a value of 20,000 characters, percent-encoded, several times over.
const MEMBER_LIMIT: usize = 1024 * 1024;
/// How long a page may take, a form's arrival included. Checking a password takes the most.
const TIME_LIMIT: Duration = Duration::from_secs(20);

/// The most bytes of a plain refusal that are looked at.
const PLAIN_LIMIT: usize = 16 * 1024;

/// All pages, to be merged into what the server answers.
pub struct Pages {
    /// The routes. Requests carry the peer's address as `ConnectInfo<SocketAddr>`.
    pub router: Router,
    /// Their paths, for metrics.
    pub paths: Vec<&'static str>,
}

/// Pages that are being registered. Whoever registers one says who may ask for it.
pub(crate) struct Routes {
    dashboard: Dashboard,
    router: Router<Dashboard>,
    paths: Vec<&'static str>,
}

impl Routes {
    pub(crate) fn new(dashboard: Dashboard) -> Self {
        Self {
            dashboard,
            router: Router::new(),
            paths: Vec::new(),
        }
    }

    /// A page for everybody: the way in, and what pages load.
    pub(crate) fn visitor(mut self, path: &'static str, page: MethodRouter<Dashboard>) -> Self {
        let page = page.layer(DefaultBodyLimit::max(VISITOR_LIMIT));
        self.router = self.router.route(path, page);
        self.paths.push(path);
        self
    }

    /// A page for members. Its functions take a [`crate::visitor::SignedIn`]; others are sent to sign in.
    pub(crate) fn member(mut self, path: &'static str, page: MethodRouter<Dashboard>) -> Self {
        let guard = middleware::from_fn_with_state(self.dashboard.clone(), let_members_in);
        let page = page.layer(DefaultBodyLimit::max(MEMBER_LIMIT)).layer(guard);
        self.router = self.router.route(path, page);
        self.paths.push(path);
        self
    }

    pub(crate) fn finish(self) -> Pages {
        self.dashboard.remember_paths(self.paths.clone());
        Pages {
            router: self
                .router
                .layer(middleware::from_fn(in_time))
                .layer(middleware::map_response(as_page))
                .with_state(self.dashboard),
            paths: self.paths,
        }
    }
}

async fn let_members_in(
    State(dashboard): State<Dashboard>,
    mut request: Request,
    next: Next,
) -> Response {
    match dashboard.signed_in(request.headers(), request.uri()).await {
        Ok(Some(signed_in)) => {
            request.extensions_mut().insert(signed_in);
            next.run(request).await
        }
        Ok(None) => see_other(&sign_in_path(request.method(), request.uri())),
        Err(response) => response,
    }
}

/// Where one signs in, to come back to the page afterwards; what a form would have done is not repeated.
fn sign_in_path(method: &Method, uri: &Uri) -> String {
    if *method != Method::GET || uri.path() == "/" {
        return "/".to_owned();
    }
    let wanted = uri.path_and_query().map_or("/", |wanted| wanted.as_str());
    format!("/?next={}", crate::answer::encoded(wanted))
}

/// Says with a page what the framework refuses in plain words: an id that is none, a form that cannot be read, another method.
async fn as_page(response: Response) -> Response {
    let status = response.status();
    let headers = response.headers();
    let is_plain = match headers.get(header::CONTENT_TYPE) {
        Some(media_type) => media_type.as_bytes().starts_with(b"text/plain"),
        None => headers.get(header::LOCATION).is_none(),
    };
    if !status.is_client_error() || !is_plain {
        return response;
    }
    let allow = headers.get(header::ALLOW).cloned();
    let body = to_bytes(response.into_body(), PLAIN_LIMIT).await;
    // What the framework says of a part of the path that is no number.
    let is_no_path = body.is_ok_and(|text| text.starts_with(b"Invalid URL"));
    let mut page = plain_refusal(if is_no_path {
        StatusCode::NOT_FOUND
    } else {
        status
    });
    if let Some(allow) = allow {
        page.headers_mut().insert(header::ALLOW, allow);
    }
    page
}

/// Gives up on a form that does not arrive.
async fn in_time(request: Request, next: Next) -> Response {
    let answered = tokio::time::timeout(TIME_LIMIT, next.run(request)).await;
    answered.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response())
}
