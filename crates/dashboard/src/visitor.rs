//! Who looks at a page: a member with a session, or somebody who is not signed in.

use crate::Dashboard;
use crate::answer::refusal;
use crate::cookies::Cookie;
use crate::forms::{form_token, is_ours};
use crate::notices::Notice;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use flagstaff_service::{Caller, ServiceError};
use std::sync::Arc;

/// A member who is signed in, and how they look at pages. Taken as an argument by pages for members.
#[derive(Clone)]
pub(crate) struct SignedIn {
    /// Who.
    pub(crate) caller: Arc<Caller>,
    /// What the cookie holds.
    pub(crate) session: Arc<str>,
    /// How the page was asked for.
    pub(crate) request: Arc<Asked>,
}

/// How a page was asked for.
pub(crate) struct Asked {
    /// The path with its query.
    pub(crate) path: String,
    /// The environment that the query names, for pages that belong to none.
    pub(crate) environment: Option<String>,
    /// What the script wants of it, when it is the script that asks.
    pub(crate) wanted: Wanted,
    /// Light or dark, when the member chose.
    pub(crate) theme: Option<Theme>,
    /// What the last form had to say.
    pub(crate) notice: Option<Notice>,
}

/// How much of a page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: the browser shows it.
    Page,
    /// What is within the shell: the script puts it into the page that is there.
    Fragment,
    /// The same, because of what somebody else did: notices are kept for the next page.
    Live,
}

/// A choice between light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

impl Theme {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        [Self::Light, Self::Dark]
            .into_iter()
            .find(|theme| theme.word() == word)
    }
}

impl SignedIn {
    /// The token of this member's forms.
    pub(crate) fn form_token(&self) -> String {
        form_token(&self.session)
    }
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let found = parts.extensions.get::<Self>().cloned();
        // Only a page registered for visitors comes here without one.
        found.ok_or_else(|| refusal(&ServiceError::Forbidden))
    }
}

impl Dashboard {
    /// The member whose session the request carries; `None` when there is none or it is over.
    ///
    /// # Errors
    /// The page that says why this cannot be found out.
    pub(crate) async fn signed_in(
        &self,
        headers: &HeaderMap,
        uri: &Uri,
    ) -> Result<Option<SignedIn>, Response> {
        let Some(session) = Cookie::Session.read(headers, self.is_secure()) else {
            return Ok(None);
        };
        match self.service.caller_by_session(session).await {
            Ok(caller) => Ok(Some(SignedIn {
                caller: Arc::new(caller),
                session: session.into(),
                request: Arc::new(self.asked(headers, uri, session)),
            })),
            Err(ServiceError::Unauthenticated(_)) => Ok(None),
            Err(error) => Err(refusal(&error)),
        }
    }

    fn asked(&self, headers: &HeaderMap, uri: &Uri, session: &str) -> Asked {
        let cookie = |cookie: Cookie| cookie.read(headers, self.is_secure());
        let environment = uri.query().and_then(|query| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            let found = pairs.find(|(name, _)| *name == "environment");
            found.map(|(_, key)| key.to_owned())
        });
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Asked {
            path: path.to_owned(),
            environment,
            wanted: wanted(headers),
            theme: cookie(Cookie::Theme).and_then(Theme::parse),
            notice: cookie(Cookie::Notice).and_then(|text| Notice::opened(text, session)),
        }
    }

    /// True for a form that this dashboard gave to the browser that sent it.
    pub(crate) fn is_own_form(
        &self,
        headers: &HeaderMap,
        cookie: Option<&str>,
        token: &str,
    ) -> bool {
        cookie.is_some_and(|cookie| is_ours(headers, &self.config.public_url, cookie, token))
    }

    /// The visitor's cookie of a request.
    pub(crate) fn visitor<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        Cookie::Visitor.read(headers, self.is_secure())
    }
}

/// The header by which the script says what it wants. No other site can send it: it would have to ask first.
pub(crate) const FRAGMENT: &str = "x-flagstaff-fragment";

fn wanted(headers: &HeaderMap) -> Wanted {
    match headers.get(FRAGMENT).map(|value| value.as_bytes()) {
        None => Wanted::Page,
        Some(b"live") => Wanted::Live,
        Some(_) => Wanted::Fragment,
    }
}
