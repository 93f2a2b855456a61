//! What a percentage means for a flag.

use serde::Deserialize;
use serde_json::Value as Json;
use std::collections::HashMap;

/// What is written at each step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Mode {
    /// The value is the percentage as text, the same for everybody; the application draws the lots.
    Value,
    /// The same as a number.
    ValueInt,
    /// The weight of one variant is the percentage.
    Multivariate { variant: String, others: Others },
    /// The flag is on for a share of all identities, by a segment that belongs to the rollout.
    SegmentSplit {
        /// What those get who are in; without it the flag's own value.
        value: Option<Json>,
    },
    /// The flag is on above zero, and off at zero.
    EnabledOnly,
}

/// What becomes of the other variants of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Others {
    /// They share what is left as they shared it before.
    #[default]
    Scale,
    /// They get nothing; what is left goes to the flag's own value.
    Zero,
}

impl Others {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "scale" => Some(Self::Scale),
            "zero" => Some(Self::Zero),
            _ => None,
        }
    }
}

impl Mode {
    /// The word of the settings.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::ValueInt => "value-int",
            Self::Multivariate { .. } => "multivariate",
            Self::SegmentSplit { .. } => "segment-split",
            Self::EnabledOnly => "enabled-only",
        }
    }
}

/// A mode as settings write it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModeSetting {
    #[serde(default)]
    pub(crate) mode: Option<String>,
    #[serde(default)]
    pub(crate) variant: Option<String>,
    #[serde(default)]
    pub(crate) others: Option<Others>,
    #[serde(default)]
    pub(crate) value: Option<Json>,
}

impl ModeSetting {
    /// The mode it says, where what it leaves out is taken from `default`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn mode(&self, default: &Self) -> Result<Mode, String> {
        let word = self.mode.as_ref().or(default.mode.as_ref());
        let word = word.map_or("value", String::as_str);
        let value = self.value.as_ref().or(default.value.as_ref());
        match word {
            "value" => Ok(Mode::Value),
            "value-int" => Ok(Mode::ValueInt),
            "multivariate" => {
                let variant = self.variant.as_ref().or(default.variant.as_ref());
                let variant = variant
                    .filter(|variant| !variant.is_empty())
                    .ok_or("the mode `multivariate` needs the name of a variant")?;
                Ok(Mode::Multivariate {
                    variant: variant.clone(),
                    others: self.others.or(default.others).unwrap_or_default(),
                })
            }
            "segment-split" => match value {
                Some(Json::Array(_) | Json::Object(_)) => {
                    Err("the value of a split must be a text, a number or a boolean".to_owned())
                }
                Some(Json::Number(number)) if number.as_i64().is_none() => {
                    Err("a number that is a value of a split must be whole".to_owned())
                }
                value => Ok(Mode::SegmentSplit {
                    value: value.cloned(),
                }),
            },
            "enabled-only" => Ok(Mode::EnabledOnly),
            other => Err(format!(
                "`{other}` is none of value, value-int, multivariate, segment-split and enabled-only"
            )),
        }
    }
}

/// The mode of each flag.
#[derive(Debug)]
pub(crate) struct Modes {
    default: Mode,
    by_flag: HashMap<String, Mode>,
}

impl Modes {
    /// One mode for all flags but those that a map names. The map is JSON: an object with the names of flags.
    ///
    /// # Errors
    /// What is wrong, and with which flag.
    pub(crate) fn new(default: &ModeSetting, map: Option<&str>) -> Result<Self, String> {
        let none = ModeSetting::default();
        let map: HashMap<String, ModeSetting> = match map {
            Some(text) => serde_json::from_str(text)
                .map_err(|error| format!("the map of modes is not what it should be: {error}"))?,
            None => HashMap::new(),
        };
        let mut by_flag = HashMap::new();
        for (flag, setting) in map {
            let mode = setting
                .mode(default)
                .map_err(|problem| format!("the flag `{flag}`: {problem}"))?;
            by_flag.insert(flag, mode);
        }
        // A variant is a flag's own: a default without one is all right as long as the map says the rest.
        let needs_map = default.mode.as_deref() == Some("multivariate");
        let default = match default.mode(&none) {
            Ok(mode) => mode,
            Err(_) if needs_map && !by_flag.is_empty() => Mode::Value,
            Err(problem) => return Err(problem),
        };
        Ok(Self { default, by_flag })
    }

    /// The mode of a flag.
    pub(crate) fn of(&self, flag: &str) -> &Mode {
        self.by_flag.get(flag).unwrap_or(&self.default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(mode: &str) -> ModeSetting {
        ModeSetting {
            mode: Some(mode.to_owned()),
            ..ModeSetting::default()
        }
    }

    #[test]
    fn rol_6_a_flag_has_the_mode_of_the_map_or_the_default() {
        let map = r#"{
            "colour": {"mode": "multivariate", "variant": "blue", "others": "zero"},
            "beta": {"mode": "segment-split", "value": "new"},
            "same": {}
        }"#;

        let modes = Modes::new(&setting("value-int"), Some(map)).unwrap();

        let blue = Mode::Multivariate {
            variant: "blue".to_owned(),
            others: Others::Zero,
        };
        assert_eq!(modes.of("colour"), &blue);
        let value = Some("new".into());
        assert_eq!(modes.of("beta"), &Mode::SegmentSplit { value });
        assert_eq!(modes.of("same"), &Mode::ValueInt);
        assert_eq!(modes.of("another"), &Mode::ValueInt);
    }

    #[test]
    fn rol_6_without_a_setting_the_value_is_the_percentage_as_text() {
        let modes = Modes::new(&ModeSetting::default(), None).unwrap();

        assert_eq!(modes.of("x"), &Mode::Value);
    }

    #[test]
    fn what_a_map_gets_wrong_is_named() {
        for (default, map, problem) in [
            ("nonsense", None, "`nonsense` is none of value"),
            ("multivariate", None, "needs the name of a variant"),
            ("value", Some("[]"), "the map of modes"),
            (
                "value",
                Some(r#"{"a":{"mode":"multivariate"}}"#),
                "the flag `a`: the mode `multivariate` needs",
            ),
            ("value", Some(r#"{"a":{"moed":"value"}}"#), "moed"),
            (
                "value",
                Some(r#"{"a":{"mode":"segment-split","value":[1]}}"#),
                "a text, a number or a boolean",
            ),
            (
                "value",
                Some(r#"{"a":{"mode":"segment-split","value":1.5}}"#),
                "must be whole",
            ),
        ] {
            let said = Modes::new(&setting(default), map).unwrap_err();
            assert!(said.contains(problem), "{said}");
        }
    }
}
