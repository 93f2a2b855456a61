//! Who looks at a page: a member with a session, or somebody who is not signed in.

use crate::Dashboard;
use crate::answer::refusal;
use crate::cookies::Cookie;
use crate::forms::{form_token, is_ours};
use axum::http::HeaderMap;
use axum::response::Response;
use flagstaff_service::{Caller, ServiceError};

/// A member who is signed in.
pub(crate) struct SignedIn {
    /// Who.
    pub(crate) caller: Caller,
    /// What the cookie holds.
    pub(crate) session: String,
}

impl SignedIn {
    /// The token of this member's forms.
    pub(crate) fn form_token(&self) -> String {
        form_token(&self.session)
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
    ) -> Result<Option<SignedIn>, Response> {
        let Some(session) = Cookie::Session.read(headers, self.is_secure()) else {
            return Ok(None);
        };
        match self.service.caller_by_session(session).await {
            Ok(caller) => Ok(Some(SignedIn {
                caller,
                session: session.to_owned(),
            })),
            Err(ServiceError::Unauthenticated(_)) => Ok(None),
            Err(error) => Err(refusal(&error)),
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
