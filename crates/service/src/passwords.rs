//! Passwords: what is accepted, and how they are kept.

use crate::error::{BoxError, PasswordProblem, Problem, ServiceError, ServiceResult};
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use secrecy::{ExposeSecret, SecretString};
use std::sync::LazyLock;
use tokio::sync::Semaphore;

/// Hashing takes tens of megabytes and milliseconds on purpose; two at a time leave room for serving flags.
static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// Characters of the longest password: longer ones cost time and add nothing.
const LIMIT: usize = 128;
/// The most bytes that many characters have.
const BYTE_LIMIT: usize = LIMIT * 4;

/// Passwords that everybody tries first and that pass the other rules.
const COMMON: &[&str] = &[
    "12345678",
    "123456789",
    "1234567890",
    "password",
    "password1",
    "password123",
    "qwerty123",
    "qwertyuiop",
    "iloveyou",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "trustno1",
    "starwars",
    "welcome1",
    "passw0rd",
    "letmein1",
    "abcd1234",
    "1q2w3e4r",
    "admin123",
    "changeme",
    "11111111",
    "00000000",
    "87654321",
    "computer",
    "internet",
    "whatever",
    "michelle",
    "jennifer",
    "1qaz2wsx",
    "zaq12wsx",
    "asdfghjkl",
];

/// Names everything that is wrong with a new password; `field` is what the caller calls it.
pub(crate) fn check_new_password(
    field: &'static str,
    password: &SecretString,
) -> ServiceResult<()> {
    let text = password.expose_secret();
    let length = text.chars().count();
    let mut problems = Vec::new();
    if length < 8 {
        problems.push(PasswordProblem::TooShort);
    }
    let folded = text.to_lowercase();
    // A short run of digits is as common as the listed ones.
    let is_short_number = text.len() < 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_short_number || COMMON.contains(&folded.as_str()) {
        problems.push(PasswordProblem::TooCommon);
    }
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.push(PasswordProblem::EntirelyNumeric);
    }
    if length > LIMIT {
        problems.push(PasswordProblem::TooLong);
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(ServiceError::invalid(
        field,
        Problem::WeakPassword(problems),
    ))
}

/// Hashes a password with Argon2id and a fresh salt, off the async threads.
pub(crate) async fn hash(password: SecretString) -> ServiceResult<String> {
    in_turn(move || {
        Argon2::default()
            .hash_password(password.expose_secret().as_bytes())
            .map(|hash| hash.to_string())
            .map_err(|error| ServiceError::Internal(error.to_string().into()))
    })
    .await?
}

/// Compares a password with a stored hash. Without a hash the same time is spent, so that nobody learns
/// from the clock who signs in here.
pub(crate) async fn matches(password: SecretString, hash: Option<String>) -> ServiceResult<bool> {
    if password.expose_secret().len() > BYTE_LIMIT {
        return Ok(false);
    }
    in_turn(move || {
        let Some(hash) = hash else {
            let _ = Argon2::default().hash_password(password.expose_secret().as_bytes());
            return false;
        };
        PasswordHash::new(&hash).is_ok_and(|hash| {
            Argon2::default()
                .verify_password(password.expose_secret().as_bytes(), &hash)
                .is_ok()
        })
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> ServiceResult<T> {
    let failed = |error: BoxError| ServiceError::Internal(error);
    let _turn = TURNS
        .acquire()
        .await
        .map_err(|error| failed(error.into()))?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| failed(error.into()))
}
