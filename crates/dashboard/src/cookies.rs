//! The cookies: the session of a member, the token that ties a visitor's forms to their browser, what the last form had
//! to say, and the choice between light and dark.

use axum::http::{HeaderMap, HeaderValue, header};

/// A cookie of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Who is signed in.
    Session,
    /// Who is looking at a form without being signed in.
    Visitor,
    /// What the last form has to say.
    Notice,
    /// Light or dark.
    Theme,
    /// What a browser has to bring back from a service that it signs in with.
    Ticket,
}

impl Cookie {
    /// With https, the prefix makes browsers refuse a cookie that a neighbouring host has set.
    const fn name(self, is_secure: bool) -> &'static str {
        match (self, is_secure) {
            (Self::Session, true) => "__Host-flagstaff-session",
            (Self::Session, false) => "flagstaff-session",
            (Self::Visitor, true) => "__Host-flagstaff-visitor",
            (Self::Visitor, false) => "flagstaff-visitor",
            (Self::Notice, true) => "__Host-flagstaff-notice",
            (Self::Notice, false) => "flagstaff-notice",
            (Self::Theme, true) => "__Host-flagstaff-theme",
            (Self::Theme, false) => "flagstaff-theme",
            (Self::Ticket, true) => "__Host-flagstaff-ticket",
            (Self::Ticket, false) => "flagstaff-ticket",
        }
    }

    /// The cookie's value in a request.
    pub(crate) fn read(self, headers: &HeaderMap, is_secure: bool) -> Option<&str> {
        let name = self.name(is_secure);
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(key, value)| *key == name && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// The header that sets the cookie for some seconds; 0 takes it away, `None` keeps it while the browser runs.
    ///
    /// `None` for a value that fits into no header; ours are words, hexadecimal digits and dots.
    pub(crate) fn set(
        self,
        value: &str,
        seconds: Option<u64>,
        is_secure: bool,
    ) -> Option<HeaderValue> {
        let name = self.name(is_secure);
        let secure = if is_secure { "; Secure" } else { "" };
        let age = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
        let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
        let mut header = HeaderValue::from_str(&text).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("a=1; flagstaff-session=abc"),
        );
        headers.append(
            header::COOKIE,
            HeaderValue::from_static("flagstaff-visitor=def"),
        );

        assert_eq!(Cookie::Session.read(&headers, false), Some("abc"));
        assert_eq!(Cookie::Visitor.read(&headers, false), Some("def"));
        assert_eq!(Cookie::Session.read(&headers, true), None);
    }

    #[test]
    fn a_cookie_is_out_of_reach_of_scripts_and_other_sites() {
        let plain = Cookie::Session.set("abc", Some(60), false).unwrap();
        let secure = Cookie::Visitor.set("abc", None, true).unwrap();

        assert_eq!(
            plain,
            "flagstaff-session=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
        assert_eq!(
            secure,
            "__Host-flagstaff-visitor=abc; Path=/; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
