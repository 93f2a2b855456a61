//! Fresh secrets, and the digests under which they are kept.

use crate::error::{ServiceError, ServiceResult};
use secrecy::SecretString;
use sha2::{Digest, Sha256};

/// Digits and letters that nobody takes for one another.
const ALPHABET: &[u8; 57] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Characters of a key: 57²² is more than 2¹²⁸.
const KEY_LENGTH: usize = 22;

/// A random text of 22 letters and digits: a client key, or what follows `ser.` in a server key.
pub(crate) fn random_key() -> ServiceResult<String> {
    let mut key = String::with_capacity(KEY_LENGTH);
    while key.len() < KEY_LENGTH {
        for byte in random_bytes::<32>()? {
            // Bytes from 228 on would favour the first letters.
            let index = usize::from(byte);
            if index < 57 * 4 && key.len() < KEY_LENGTH {
                key.push(char::from(ALPHABET[index % 57]));
            }
        }
    }
    Ok(key)
}

/// A random token of 40 hexadecimal digits, as the Flagsmith API gives them.
pub(crate) fn random_token() -> ServiceResult<SecretString> {
    Ok(hex(&random_bytes::<20>()?).into())
}

/// An API key `<prefix>.<secret>`: its prefix of 8 letters and digits, and the whole of it, with a secret of 44.
pub(crate) fn random_api_key() -> ServiceResult<(String, SecretString)> {
    let mut prefix = random_key()?;
    prefix.truncate(8);
    let secret = random_key()? + &random_key()?;
    let key = format!("{prefix}.{secret}").into();
    Ok((prefix, key))
}

/// What is stored of a token: its SHA-256, in hexadecimal digits. Tokens are random, so no salt is needed.
pub(crate) fn digest(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

fn random_bytes<const N: usize>() -> ServiceResult<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| ServiceError::Internal(error.to_string().into()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_readable_and_never_the_same() {
        let first = random_key().unwrap();
        let second = random_key().unwrap();

        assert_eq!(first.len(), KEY_LENGTH);
        assert!(first.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(first, second);
    }
}
