//! What a form has to say on the page it leads to: a sentence, and perhaps the way back.
//!
//! It travels in a cookie for a minute, sealed with the session, so that nobody else can put words or forms there.

use crate::Dashboard;
use crate::answer::see_other;
use crate::cookies::Cookie;
use crate::visitor::SignedIn;
use axum::http::header;
use axum::response::Response;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The most characters a notice says: it has to fit into a cookie, and into one glance.
const LENGTH: usize = 240;
/// How long a notice waits for its page, in seconds.
const SECONDS: u64 = 60;

/// A sentence for the next page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// What happened.
    pub(crate) text: String,
    /// True where something did not.
    pub(crate) is_problem: bool,
    /// The form that takes it back.
    pub(crate) undo: Option<Undo>,
}

/// A form that takes something back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Undo {
    /// Where it is sent; a path of ours.
    pub(crate) path: String,
    /// What it sends.
    pub(crate) fields: Vec<(String, String)>,
}

impl Notice {
    /// Something was done.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        let text: String = text.into();
        let is_long = text.chars().count() > LENGTH;
        let mut text: String = text.chars().take(LENGTH).collect();
        if is_long {
            text.push('…');
        }
        Self {
            text,
            is_problem: false,
            undo: None,
        }
    }

    /// Something was not done.
    pub(crate) fn problem(text: impl Into<String>) -> Self {
        Self {
            is_problem: true,
            ..Self::done(text)
        }
    }

    /// The same with the form that takes it back.
    pub(crate) fn with_undo(self, path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let undo = Undo {
            path: path.into(),
            fields: fields.iter().map(owned).collect(),
        };
        Self {
            undo: Some(undo),
            ..self
        }
    }

    /// The answer to a form: the browser goes on to a page, which says this.
    pub(crate) fn on(&self, path: &str, dashboard: &Dashboard, signed_in: &SignedIn) -> Response {
        let mut response = see_other(path);
        let sealed = self.sealed(&signed_in.session);
        let cookie =
            sealed.and_then(|text| Cookie::Notice.set(&text, Some(SECONDS), dashboard.is_secure()));
        if let Some(cookie) = cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn sealed(&self, session: &str) -> Option<String> {
        let text = hexadecimal(&serde_json::to_vec(self).ok()?);
        let seal = hexadecimal(&sealer(session, &text)?.finalize().into_bytes());
        Some(format!("{text}.{seal}"))
    }

    /// Reads what [`Notice::on`] wrote for the same session.
    pub(crate) fn opened(sealed: &str, session: &str) -> Option<Self> {
        let (text, seal) = sealed.split_once('.')?;
        let seal = from_hexadecimal(seal)?;
        sealer(session, text)?.verify_slice(&seal).ok()?;
        serde_json::from_slice(&from_hexadecimal(text)?).ok()
    }
}

fn sealer(session: &str, text: &str) -> Option<Hmac<Sha256>> {
    let mut sealer = Hmac::<Sha256>::new_from_slice(session.as_bytes()).ok()?;
    sealer.update(b"flagstaff notice\0");
    sealer.update(text.as_bytes());
    Some(sealer)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_by_the_session_it_was_written_for_and_by_no_other() {
        let notice = Notice::done("checkout is on").with_undo("/x", &[("enabled", "false")]);
        let sealed = notice.sealed("session").unwrap();

        assert_eq!(Notice::opened(&sealed, "session"), Some(notice));
        assert_eq!(Notice::opened(&sealed, "another"), None);
        assert_eq!(Notice::opened(&sealed[2..], "session"), None);
        assert_eq!(Notice::opened("7b7d.00", "session"), None);
        assert_eq!(Notice::opened("", "session"), None);
    }

    #[test]
    fn a_long_notice_is_cut_where_a_character_ends() {
        let notice = Notice::done("ä".repeat(500));

        assert_eq!(notice.text.chars().count(), LENGTH + 1);
        assert!(notice.sealed("session").unwrap().len() < 3000);
    }
}
