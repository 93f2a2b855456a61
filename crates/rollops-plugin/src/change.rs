//! A change that Rollops asks for: the input of the tool `apply_flag`.

use crate::failure::Failure;
use serde_json::Value as Json;

/// Far more than the names that Flagsmith keeps.
const FLAG_LIMIT: usize = 2000;
const ENVIRONMENT_LIMIT: usize = 100;

/// How far a flag is to be rolled out in an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) flag: String,
    /// The key of the environment.
    pub(crate) environment: String,
    /// 0 to 100.
    pub(crate) percentage: u8,
    /// A rollback: the flag is off whatever the percentage.
    pub(crate) disabled: bool,
}

impl Change {
    /// Reads JSON as the Rollops SDK does: names of members in any case, absent ones empty, others passed over.
    ///
    /// # Errors
    /// [`Failure::Input`] for what is no change.
    pub(crate) fn parse(input: &[u8]) -> Result<Self, Failure> {
        let body: Json = serde_json::from_slice(input)
            .map_err(|_| Failure::input("the input of apply_flag is not JSON"))?;
        let Json::Object(members) = body else {
            return Err(Failure::input("the input of apply_flag is not an object"));
        };
        let (mut flag, mut environment) = (String::new(), String::new());
        let (mut percentage, mut disabled) = (0, false);
        for (name, value) in members {
            if value.is_null() {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "flag" => flag = text(value, "flag")?,
                "environment" => environment = text(value, "environment")?,
                "percentage" => {
                    percentage = value.as_i64().ok_or_else(|| {
                        Failure::input("invalid percentage: it is not a whole number")
                    })?;
                }
                "disabled" => {
                    disabled = value
                        .as_bool()
                        .ok_or_else(|| Failure::input("invalid disabled: it is not a boolean"))?;
                }
                _ => {}
            }
        }
        Self::checked(flag, environment, percentage, disabled)
    }

    /// A change that can be made.
    ///
    /// # Errors
    /// [`Failure::Input`].
    pub(crate) fn checked(
        flag: String,
        environment: String,
        percentage: i64,
        disabled: bool,
    ) -> Result<Self, Failure> {
        if flag.is_empty() {
            return Err(Failure::input("invalid flag: it is empty"));
        }
        if flag.len() > FLAG_LIMIT || flag.chars().any(char::is_control) {
            return Err(Failure::input(
                "invalid flag: not a name of at most 2000 bytes",
            ));
        }
        if environment.is_empty() {
            return Err(Failure::input(
                "invalid environment: it is empty; it has to be the key of a Flagsmith environment",
            ));
        }
        let is_key = environment.bytes().all(|byte| byte.is_ascii_graphic());
        if environment.len() > ENVIRONMENT_LIMIT || !is_key {
            return Err(Failure::input(
                "invalid environment: not the key of a Flagsmith environment",
            ));
        }
        let percentage = u8::try_from(percentage)
            .ok()
            .filter(|percentage| *percentage <= 100)
            .ok_or_else(|| {
                Failure::input(format!(
                    "invalid percentage: {percentage} is not between 0 and 100"
                ))
            })?;
        Ok(Self {
            flag,
            environment,
            percentage,
            disabled,
        })
    }

    /// The environment, as logs and errors name it: its key opens what client-side programs may see.
    pub(crate) fn short_environment(&self) -> String {
        shortened(&self.environment)
    }
}

/// The beginning of a key.
pub(crate) fn shortened(key: &str) -> String {
    match key.char_indices().nth(6) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}

fn text(value: Json, name: &str) -> Result<String, Failure> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(Failure::input(format!("invalid {name}: it is not a text"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(input: &str) -> Result<Change, String> {
        Change::parse(input.as_bytes()).map_err(|failure| failure.to_string())
    }

    #[test]
    fn what_rollops_sends_is_read() {
        let change = parse(
            r#"{"flag":"a\u003cb\u003e\u0026c","environment":"KEY","percentage":25,"disabled":true}"#,
        )
        .unwrap();

        let expected = Change {
            flag: "a<b>&c".to_owned(),
            environment: "KEY".to_owned(),
            percentage: 25,
            disabled: true,
        };
        assert_eq!(change, expected);
    }

    #[test]
    fn members_in_another_case_absent_and_unknown_ones_are_put_up_with() {
        let change = parse(r#"{"Flag":"x","ENVIRONMENT":"y","later":[1],"disabled":null}"#);

        let change = change.unwrap();
        assert_eq!((change.percentage, change.disabled), (0, false));
    }

    #[test]
    fn what_is_no_change_is_named() {
        for (input, problem) in [
            ("", "the input of apply_flag is not JSON"),
            ("[]", "the input of apply_flag is not an object"),
            ("{}", "invalid flag: it is empty"),
            (r#"{"flag":7}"#, "invalid flag: it is not a text"),
            (
                r#"{"flag":"x"}"#,
                "invalid environment: it is empty; it has to be the key of a Flagsmith environment",
            ),
            (
                r#"{"flag":"x","environment":"a b"}"#,
                "invalid environment: not the key of a Flagsmith environment",
            ),
            (
                r#"{"flag":"x","environment":"e","percentage":12.5}"#,
                "invalid percentage: it is not a whole number",
            ),
            (
                r#"{"flag":"x","environment":"e","percentage":-1}"#,
                "invalid percentage: -1 is not between 0 and 100",
            ),
            (
                r#"{"flag":"x","environment":"e","percentage":101}"#,
                "invalid percentage: 101 is not between 0 and 100",
            ),
            (
                r#"{"flag":"x","environment":"e","disabled":"yes"}"#,
                "invalid disabled: it is not a boolean",
            ),
            (
                "{\"flag\":\"x\\n\",\"environment\":\"e\"}",
                "invalid flag: not a name of at most 2000 bytes",
            ),
        ] {
            assert_eq!(parse(input), Err(problem.to_owned()), "{input}");
        }
    }

    #[test]
    fn of_a_key_only_the_beginning_is_shown() {
        assert_eq!(shortened("UBnd9LaJWZK8V94xe87cJc"), "UBnd9L…");
        assert_eq!(shortened("short"), "short");
    }
}
