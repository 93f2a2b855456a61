//! A server key given on the command line, or in a file that the command line names.

use crate::failure::Failure;
use crate::settings::read_secret;
use anyhow::anyhow;
use flagstaff_core::EnvironmentKey;
use std::path::Path;

/// The key that was given; `None` when none was.
///
/// # Errors
/// A file that cannot be read, or a text that can be no server key. The text is a secret, so it is not repeated.
pub(crate) fn given_server_key(
    option: &str,
    text: Option<&str>,
    file: Option<&Path>,
) -> Result<Option<EnvironmentKey>, Failure> {
    let text = match (text, file) {
        (Some(text), _) => text.to_owned(),
        (None, Some(path)) => read_secret(path).map_err(Failure::usage)?,
        (None, None) => return Ok(None),
    };
    EnvironmentKey::parse(&text)
        .filter(EnvironmentKey::is_server_side)
        .map(Some)
        .ok_or_else(|| {
            Failure::usage(anyhow!(
                "{option}: a server key begins with `ser.` and has at most {} visible ASCII characters",
                EnvironmentKey::LIMIT
            ))
        })
}
