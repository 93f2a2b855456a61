//! Whether a form was sent from one of our pages.
//!
//! Two things have to hold. The browser says that it is (`Sec-Fetch-Site`, or `Origin` where it is too old for
//! that), and the form carries a token made from a cookie that other sites can neither read nor set.

use axum::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

/// The token that forms carry, made from the cookie that the browser holds.
pub(crate) fn form_token(cookie: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"flagstaff form\0");
    hash.update(cookie.as_bytes());
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// True for a form that one of our pages sent.
pub(crate) fn is_ours(headers: &HeaderMap, public_url: &str, cookie: &str, token: &str) -> bool {
    comes_from_here(headers, public_url) && same_text(&form_token(cookie), token)
}

fn comes_from_here(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        // `none`: the person sent it again by hand, from the address line say.
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else {
        // Neither header: no browser of these years. The token decides.
        return true;
    };
    let host = text(header::HOST.as_str());
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    origin == public_url || (authority.is_some() && authority == host)
}

/// Compares without telling by its duration where the first difference is.
fn same_text(one: &str, other: &str) -> bool {
    let difference = one
        .bytes()
        .zip(other.bytes())
        .fold(0, |difference, (a, b)| difference | (a ^ b));
    one.len() == other.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const PUBLIC: &str = "https://flags.example.com";

    fn check(list: &[(&'static str, &'static str)], expected: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.insert(*name, HeaderValue::from_static(value));
        }
        let token = form_token("cookie");
        assert_eq!(
            is_ours(&headers, PUBLIC, "cookie", &token),
            expected,
            "{list:?}"
        );
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("origin", "https://flags.example.com")], true);
        check(
            &[
                ("origin", "http://127.0.0.1:8000"),
                ("host", "127.0.0.1:8000"),
            ],
            true,
        );
        check(
            &[
                ("origin", "https://evil.example"),
                ("host", "127.0.0.1:8000"),
            ],
            false,
        );
        check(&[("origin", "null"), ("host", "127.0.0.1:8000")], false);
        check(&[], true);
    }

    #[test]
    fn a_form_without_the_token_of_its_cookie_is_refused() {
        let headers = HeaderMap::new();
        let token = form_token("cookie");

        assert!(is_ours(&headers, PUBLIC, "cookie", &token));
        assert!(!is_ours(&headers, PUBLIC, "other", &token));
        assert!(!is_ours(&headers, PUBLIC, "cookie", ""));
    }
}
