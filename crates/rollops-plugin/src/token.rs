//! The token, and the way in which a server wants to be shown it.

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

/// The word before the token in the header `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// The token of a person.
    Token,
    /// The key of an organisation.
    ApiKey,
    /// A token for a short time, from a provider of identities.
    Bearer,
}

impl Scheme {
    /// Reads the word of a setting.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "token" => Some(Self::Token),
            "api-key" => Some(Self::ApiKey),
            "bearer" => Some(Self::Bearer),
            _ => None,
        }
    }

    /// What a token looks like: a key of an organisation is a prefix, a dot and a secret; a signed token has two dots.
    pub(crate) fn of(token: &str) -> Self {
        match token.matches('.').count() {
            1 => Self::ApiKey,
            2 => Self::Bearer,
            _ => Self::Token,
        }
    }

    /// The word itself.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Token => "Token",
            Self::ApiKey => "Api-Key",
            Self::Bearer => "Bearer",
        }
    }
}

/// What is shown to the server.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    secret: SecretString,
    pub(crate) scheme: Scheme,
}

impl Token {
    /// `None` for what cannot stand in a header.
    pub(crate) fn new(text: &str, scheme: Option<Scheme>) -> Option<Self> {
        let text = text.trim();
        let is_visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_visible.then(|| Self {
            secret: text.into(),
            scheme: scheme.unwrap_or_else(|| Scheme::of(text)),
        })
    }

    /// The value of `Authorization`; it does not print either.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let text = format!("{} {}", self.scheme.word(), self.secret.expose_secret());
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rol_5_the_kind_of_a_token_is_seen_by_its_shape() {
        for (token, word) in [
            ("3919341c161732277b66a40e88da3fcaa54aafe6", "Token"),
            ("Ab3dEf7h.Zx9QkLmNoPqRsTuVwXyZ0123456789ab", "Api-Key"),
            ("eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl", "Bearer"),
        ] {
            assert_eq!(Token::new(token, None).unwrap().scheme.word(), word);
        }
        let told = Token::new("a.b", Some(Scheme::Token)).unwrap();
        assert_eq!(told.header().unwrap(), "Token a.b");
    }

    #[test]
    fn rol_11_a_token_does_not_print() {
        let token = Token::new("  very-secret\n", None).unwrap();

        let shown = format!("{token:?} {:?}", token.header().unwrap());

        assert!(!shown.contains("very-secret"), "{shown}");
        assert_eq!(token.header().unwrap(), "Token very-secret");
    }

    #[test]
    fn what_cannot_stand_in_a_header_is_no_token() {
        for text in ["", "  ", "a b", "a\nb", "schlüssel"] {
            assert!(Token::new(text, None).is_none(), "{text}");
        }
    }
}
