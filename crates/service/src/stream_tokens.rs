//! Short-lived tokens that open a notification stream where no header can be sent, as in browsers.
//!
//! A token names an environment, an end and a fingerprint of the key it was given out for, signed with a secret of the
//! installation: it holds no key, every node can check it, and it is worth nothing once the key is withdrawn. All tokens
//! given out in one hour for one key are the same text, so that answers which carry them can be kept.

use crate::environment_access::{KeyNeed, OpenEnvironment};
use crate::error::{ServiceError, ServiceResult};
use crate::{Service, secrets};
use flagstaff_core::{EnvironmentId, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The name under which the installation keeps the secret.
const SECRET: &str = "stream_token_secret";
/// Seconds in which the same token is given out. It can be used until as much time again has passed.
const PERIOD: i64 = 3600;
/// Bytes of a fingerprint.
const FINGERPRINT: usize = 8;
/// Bytes of a signature.
const SIGNATURE: usize = 16;

/// A token, and the hour in which it is given out.
#[derive(Debug, Clone)]
pub struct StreamToken {
    /// Fit for the query of a URL as it is. Whoever has it can follow the environment: it belongs in no log.
    pub text: SecretString,
    /// Counts hours since 1970: another one means another token.
    pub period: i64,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Claims {
    environment: EnvironmentId,
    /// Seconds since 1970.
    expires_at: i64,
    fingerprint: [u8; FINGERPRINT],
}

impl Service {
    /// The hour that tokens are given out in now.
    #[must_use]
    pub fn stream_token_period(&self) -> i64 {
        period(self.clock().now())
    }

    /// A token to follow an environment with, for who holds the key that opened it.
    ///
    /// # Errors
    /// When the secret is not in memory yet and the database does not answer.
    pub async fn stream_token(
        &self,
        open: &OpenEnvironment,
        key: &SecretString,
    ) -> ServiceResult<StreamToken> {
        let secret = self.stream_secret().await?;
        let period = self.stream_token_period();
        let claims = Claims {
            environment: open.snapshot().environment.id,
            expires_at: (period + 2) * PERIOD,
            fingerprint: fingerprint(secret, key.expose_secret()),
        };
        Ok(StreamToken {
            text: signed(secret, claims).into(),
            period,
        })
    }

    /// The environment a token opens, and the key it was given out for.
    ///
    /// # Errors
    /// [`ServiceError::KeyMissing`] without a token; [`ServiceError::KeyUnknown`] for one that is not ours, has had its
    /// time or whose key was withdrawn; and whatever opening an environment fails with.
    pub async fn open_by_stream_token(
        &self,
        token: Option<&str>,
    ) -> ServiceResult<(OpenEnvironment, SecretString)> {
        let token = token.filter(|token| !token.is_empty());
        let token = token.ok_or(ServiceError::KeyMissing)?;
        let secret = self.stream_secret().await?;
        let claims = verified(secret, token).ok_or(ServiceError::KeyUnknown)?;
        if self.clock().now().seconds() >= claims.expires_at {
            return Err(ServiceError::KeyUnknown);
        }
        let key = match self.key_of(secret, claims) {
            Some(key) => key,
            None if self.is_shared() => {
                // Another node may have given it out for a key that is not known here yet.
                self.keys().reload(self, claims.environment).await?;
                self.key_of(secret, claims)
                    .ok_or(ServiceError::KeyUnknown)?
            }
            None => return Err(ServiceError::KeyUnknown),
        };
        let open = self.open_environment(Some(key.expose_secret()), KeyNeed::Any);
        Ok((open.await?, key))
    }

    fn key_of(&self, secret: &Secret, claims: Claims) -> Option<SecretString> {
        let keys = self
            .keys()
            .usable_of(claims.environment, self.clock().now());
        let mut keys = keys.into_iter();
        let key = keys.find(|key| fingerprint(secret, key.expose()) == claims.fingerprint);
        key.map(|key| key.expose().into())
    }

    /// What tokens are signed with, made where there is none yet.
    pub(crate) async fn stream_secret(&self) -> ServiceResult<&Secret> {
        let kept = self.stream_secret_cell().get_or_try_init(|| async {
            let fresh = secrets::random_token()?;
            let store = self.store();
            let kept = store.keep_instance_value(SECRET, fresh.expose_secret());
            self.ask(kept).await.map(Secret::from)
        });
        kept.await
    }
}

/// What tokens are signed with: the same for all nodes of an installation.
pub(crate) type Secret = SecretString;

fn period(now: Timestamp) -> i64 {
    now.seconds().div_euclid(PERIOD)
}

fn digest(secret: &Secret, purpose: &str, text: &str) -> Hmac<Sha256> {
    // A key of any length will do, so this cannot fail; without one nothing would match.
    let key = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes());
    let mut mac = key.unwrap_or_else(|_| Hmac::<Sha256>::new(&Default::default()));
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(text.as_bytes());
    mac
}

fn fingerprint(secret: &Secret, key: &str) -> [u8; FINGERPRINT] {
    let mut first = [0; FINGERPRINT];
    let bytes = digest(secret, "key", key.trim()).finalize().into_bytes();
    first.copy_from_slice(&bytes[..FINGERPRINT]);
    first
}

fn signed(secret: &Secret, claims: Claims) -> String {
    let Claims {
        environment,
        expires_at,
        fingerprint,
    } = claims;
    let text = format!("{environment}.{expires_at}.{}", secrets::hex(&fingerprint));
    let signature = digest(secret, "stream", &text).finalize().into_bytes();
    format!("{text}.{}", secrets::hex(&signature[..SIGNATURE]))
}

fn verified(secret: &Secret, token: &str) -> Option<Claims> {
    let (text, signature) = token.rsplit_once('.')?;
    let signature = bytes::<SIGNATURE>(signature)?;
    digest(secret, "stream", text)
        .verify_truncated_left(&signature)
        .ok()?;
    let mut parts = text.split('.');
    let claims = Claims {
        environment: EnvironmentId::new(parts.next()?.parse().ok()?),
        expires_at: parts.next()?.parse().ok()?,
        fingerprint: bytes(parts.next()?)?,
    };
    parts.next().is_none().then_some(claims)
}

/// The bytes that hexadecimal digits stand for.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> Claims {
        Claims {
            environment: EnvironmentId::new(7),
            expires_at: 1_795_222_800,
            fingerprint: [1, 2, 3, 4, 5, 6, 7, 255],
        }
    }

    #[test]
    fn what_was_signed_is_read_back() {
        let secret: Secret = "s".into();

        let token = signed(&secret, claims());

        assert_eq!(verified(&secret, &token), Some(claims()));
        assert!(
            token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'),
            "{token} stands in a URL as it is"
        );
    }

    #[test]
    fn no_character_of_a_token_can_be_another() {
        let secret: Secret = "s".into();
        let token = signed(&secret, claims());

        for (place, character) in token.char_indices() {
            let mut changed = token.clone();
            let other = if character == '1' { "2" } else { "1" };
            changed.replace_range(place..=place, other);
            assert_eq!(verified(&secret, &changed), None, "{changed}");
        }
        for end in 0..token.len() {
            assert_eq!(verified(&secret, &token[..end]), None);
        }
        assert_eq!(verified(&secret, &format!("{token}0")), None);
        assert_eq!(verified(&"other".into(), &token), None);
    }

    #[test]
    fn anything_can_be_tried_as_a_token() {
        let secret: Secret = "s".into();
        for text in ["", ".", "...", "é.é.é.é", "1.2.3", "0.0..", "\0"] {
            assert_eq!(verified(&secret, text), None, "{text:?}");
        }
    }

    #[test]
    fn a_fingerprint_is_of_one_key_and_one_secret() {
        let secret: Secret = "s".into();
        let of_key = fingerprint(&secret, "ser.a");

        assert_eq!(fingerprint(&secret, " ser.a "), of_key);
        assert_ne!(fingerprint(&secret, "ser.b"), of_key);
        assert_ne!(fingerprint(&"t".into(), "ser.a"), of_key);
    }
}
