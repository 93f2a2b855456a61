//! The text by which flagd's clients say which flags they mean.
//!
//! `flagSetId=<project>/<environment>`, `source=<name>` or a bare name; a server-side key stands wherever a name may,
//! because most clients can send nothing else. Several, separated by commas, all have to hold.

use flagstaff_core::Snapshot;
use flagstaff_wire::flagd::flag_set_id;
use tonic::Status;

/// More is no selector of anybody.
const LIMIT: usize = 1024;
/// What begins a server-side key.
const SERVER_KEY: &str = flagstaff_core::EnvironmentKey::SERVER_PREFIX;
/// The name of whatever the key opens.
const DEFAULT: &str = "default";

/// A selector that was understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Selector<'a> {
    /// A server-side key.
    pub(super) key: Option<&'a str>,
    names: Vec<&'a str>,
}

impl<'a> Selector<'a> {
    /// # Errors
    /// `INVALID_ARGUMENT` for what is no selector. The text is not repeated: a key may be in it.
    pub(super) fn parse(text: &'a str) -> Result<Self, Status> {
        let mut selector = Self::default();
        if text.len() > LIMIT {
            return Err(Status::invalid_argument(format!(
                "the selector has more than {LIMIT} bytes"
            )));
        }
        if text.trim().is_empty() {
            return Ok(selector);
        }
        for part in text.split(',') {
            let name = name(part)?;
            if name.starts_with(SERVER_KEY) {
                selector.key = Some(name);
            } else {
                selector.names.push(name);
            }
        }
        Ok(selector)
    }

    /// Whether every name is one of the environment that was opened.
    ///
    /// # Errors
    /// `NOT_FOUND` otherwise: a key opens one environment, and the names of others are none of its business.
    pub(super) fn require(&self, snapshot: &Snapshot) -> Result<(), Status> {
        let own = flag_set_id(snapshot);
        let (_, own_slug) = own.split_once('/').unwrap_or_default();
        let is_own = |name: &&str| *name == own || *name == own_slug || *name == DEFAULT;
        if self.names.iter().all(is_own) {
            Ok(())
        } else {
            Err(Status::not_found("the key opens no flag set of this name"))
        }
    }
}

fn name(part: &str) -> Result<&str, Status> {
    let name = match part.split_once('=') {
        Some((kind, name)) => match kind.trim() {
            "flagSetId" | "source" => name,
            _ => {
                return Err(Status::invalid_argument(
                    "a selector is `flagSetId=<project>/<environment>`, `source=<name>` or a server-side key",
                ));
            }
        },
        None => part,
    };
    match name.trim() {
        // The original means flags without a set by it, and every flag here has one.
        "" => Err(Status::invalid_argument("the selector names no flag set")),
        name => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_names_are_told_apart() {
        let check = |text: &str, key: Option<&str>, names: &[&str]| {
            let selector = Selector::parse(text).unwrap();
            assert_eq!(
                (selector.key, selector.names.as_slice()),
                (key, names),
                "{text}"
            );
        };

        check("", None, &[]);
        check("  ", None, &[]);
        check("ser.abc", Some("ser.abc"), &[]);
        check("source=ser.abc", Some("ser.abc"), &[]);
        check("flagSetId=ser.abc", Some("ser.abc"), &[]);
        check("flagSetId=shop/production", None, &["shop/production"]);
        check(" source = shop/production ", None, &["shop/production"]);
        check("shop/production", None, &["shop/production"]);
        check(
            "flagSetId=shop/production,source=ser.abc",
            Some("ser.abc"),
            &["shop/production"],
        );
    }

    #[test]
    fn what_is_no_selector_is_refused_without_being_repeated() {
        let check = |text: &str| {
            let status = Selector::parse(text).unwrap_err();
            assert_eq!(status.code(), tonic::Code::InvalidArgument, "{text}");
            assert!(!status.message().contains("secret"), "{}", status.message());
        };

        check("flagSetId=");
        check("project=secret");
        check("a,,b");
        check(&"secret".repeat(200));
    }
}
