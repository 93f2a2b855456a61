//! What the environment says: the variables of the plugin that this one can take the place of, and further ones of ours.

use crate::failure::Failure;
use crate::mode::{ModeSetting, Modes, Others};
use crate::token::{Scheme, Token};
use std::path::PathBuf;
use url::Url;

/// Every variable that is read; those that are there are declared to the host.
pub(crate) const VARIABLES: [&str; 18] = [
    "FLAGSMITH_API_URL",
    "FLAGSMITH_TOKEN",
    "FLAGSMITH_TOKEN_FILE",
    "FLAGSMITH_PROJECT_ID",
    API_URL,
    TOKEN,
    TOKEN_FILE,
    PROJECT_ID,
    TOKEN_SCHEME,
    CA_FILE,
    MODE,
    MODES_FILE,
    VARIANT,
    OTHERS,
    SPLIT_VALUE,
    RESTORE_FOLDER,
    DRY_RUN,
    DECLARE_HOSTS,
];

const API_URL: &str = "FLAGSTAFF_ROLLOPS__API_URL";
const TOKEN: &str = "FLAGSTAFF_ROLLOPS__TOKEN";
const TOKEN_FILE: &str = "FLAGSTAFF_ROLLOPS__TOKEN_FILE";
const PROJECT_ID: &str = "FLAGSTAFF_ROLLOPS__PROJECT_ID";
const TOKEN_SCHEME: &str = "FLAGSTAFF_ROLLOPS__TOKEN_SCHEME";
const CA_FILE: &str = "FLAGSTAFF_ROLLOPS__CA_FILE";
const MODE: &str = "FLAGSTAFF_ROLLOPS__MODE";
const MODES_FILE: &str = "FLAGSTAFF_ROLLOPS__MODES_FILE";
const VARIANT: &str = "FLAGSTAFF_ROLLOPS__VARIANT";
const OTHERS: &str = "FLAGSTAFF_ROLLOPS__OTHERS";
const SPLIT_VALUE: &str = "FLAGSTAFF_ROLLOPS__SPLIT_VALUE";
const RESTORE_FOLDER: &str = "FLAGSTAFF_ROLLOPS__RESTORE_FOLDER";
const DRY_RUN: &str = "FLAGSTAFF_ROLLOPS__DRY_RUN";
/// Hosts that the manifest declares, for Rollops daemons that allow some.
pub(crate) const DECLARE_HOSTS: &str = "FLAGSTAFF_ROLLOPS__DECLARE_HOSTS";

/// The address of Flagsmith's own service.
const FLAGSMITH: &str = "https://api.flagsmith.com/api/v1";

/// Says what a variable holds.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Everything that is settled before a flag is touched.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Without a slash at its end.
    pub(crate) api_url: String,
    pub(crate) token: Token,
    pub(crate) project_id: u64,
    /// A file of further certificates to trust.
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) modes: Modes,
    /// Where the values before a rollout are kept, for its rollback; `None` where they are not brought back.
    pub(crate) restore_folder: Option<PathBuf>,
    pub(crate) dry_run: bool,
}

impl Settings {
    /// Reads and checks all of them; nothing is asked of anybody.
    ///
    /// # Errors
    /// [`Failure::Setting`] with the name of the variable.
    pub(crate) fn read(variables: Variables<'_>) -> Result<Self, Failure> {
        let restore_folder = one_of(variables, &[RESTORE_FOLDER]).map(|(_, text)| text.into());
        Ok(Self {
            api_url: api_url(variables)?,
            token: token(variables)?,
            project_id: project_id(variables)?,
            ca_file: one_of(variables, &[CA_FILE]).map(|(_, text)| text.into()),
            modes: modes(variables)?,
            restore_folder,
            dry_run: is_on(variables, DRY_RUN)?,
        })
    }
}

/// The first of these variables that is set; ours come first. An empty one counts as absent.
fn one_of(variables: Variables<'_>, names: &[&'static str]) -> Option<(&'static str, String)> {
    names.iter().find_map(|name| {
        let text = variables(name).filter(|text| !text.trim().is_empty())?;
        Some((*name, text))
    })
}

fn wrong(name: &str, problem: &str) -> Failure {
    Failure::Setting(format!("invalid {name}: {problem}"))
}

fn api_url(variables: Variables<'_>) -> Result<String, Failure> {
    let names = [API_URL, "FLAGSMITH_API_URL"];
    let Some((name, text)) = one_of(variables, &names) else {
        return Ok(FLAGSMITH.to_owned());
    };
    let text = text.trim().trim_end_matches('/');
    let url = Url::parse(text).map_err(|_| wrong(name, "it is not an address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong(name, "it has to begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(name, "it must not hold a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(name, "nothing may follow its path"));
    }
    Ok(text.to_owned())
}

fn token(variables: Variables<'_>) -> Result<Token, Failure> {
    let scheme = match one_of(variables, &[TOKEN_SCHEME]) {
        Some((name, word)) => Some(
            Scheme::parse(word.trim())
                .ok_or_else(|| wrong(name, "it is none of token, api-key and bearer"))?,
        ),
        None => None,
    };
    let names = [TOKEN, TOKEN_FILE, "FLAGSMITH_TOKEN", "FLAGSMITH_TOKEN_FILE"];
    let Some((name, text)) = one_of(variables, &names) else {
        return Err(missing("FLAGSMITH_TOKEN"));
    };
    let text = if name.ends_with("_FILE") {
        std::fs::read_to_string(&text)
            .map_err(|error| wrong(name, &format!("the file cannot be read: {}", error.kind())))?
    } else {
        text
    };
    Token::new(&text, scheme).ok_or_else(|| wrong(name, "it is empty, or holds more than a token"))
}

fn project_id(variables: Variables<'_>) -> Result<u64, Failure> {
    let names = [PROJECT_ID, "FLAGSMITH_PROJECT_ID"];
    let Some((name, text)) = one_of(variables, &names) else {
        return Err(missing("FLAGSMITH_PROJECT_ID"));
    };
    let problem = "it is not the number of a project, as in the address of its page";
    text.trim().parse().map_err(|_| wrong(name, problem))
}

/// A daemon hands down no variable that it was not told to.
fn missing(name: &str) -> Failure {
    Failure::Setting(format!(
        "{name} is not set: set it where the Rollops daemon runs, and name it in ROLLOPS_PLUGIN_ALLOWED_ENV"
    ))
}

fn modes(variables: Variables<'_>) -> Result<Modes, Failure> {
    let text = |name| one_of(variables, &[name]).map(|(_, text)| text);
    let others = match text(OTHERS) {
        Some(word) => Some(
            Others::parse(word.trim())
                .ok_or_else(|| wrong(OTHERS, "it is neither scale nor zero"))?,
        ),
        None => None,
    };
    let default = ModeSetting {
        mode: text(MODE).map(|word| word.trim().to_owned()),
        variant: text(VARIANT),
        others,
        value: text(SPLIT_VALUE).map(serde_json::Value::String),
    };
    let Some(path) = text(MODES_FILE) else {
        return Modes::new(&default, None).map_err(|problem| wrong(MODE, &problem));
    };
    let map = std::fs::read_to_string(path).map_err(|error| {
        let problem = format!("the file cannot be read: {}", error.kind());
        wrong(MODES_FILE, &problem)
    })?;
    Modes::new(&default, Some(&map)).map_err(|problem| wrong(MODES_FILE, &problem))
}

fn is_on(variables: Variables<'_>, name: &'static str) -> Result<bool, Failure> {
    let Some((_, word)) = one_of(variables, &[name]) else {
        return Ok(false);
    };
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        // Somebody who asks for a dry run in other words must not get a wet one.
        _ => Err(wrong(name, "it is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: [(&str, &str); 2] = [("FLAGSMITH_TOKEN", "t0ken"), ("FLAGSMITH_PROJECT_ID", "7")];

    fn read(more: &[(&str, &str)]) -> Result<Settings, String> {
        let variables = |name: &str| {
            let mut all = more.iter().chain(&NEEDED);
            let found = all.find(|(each, _)| *each == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::read(&variables).map_err(|failure| failure.to_string())
    }

    #[test]
    fn rol_5_the_variables_of_the_first_plugin_are_enough() {
        let settings = read(&[]).unwrap();

        assert_eq!(settings.api_url, "https://api.flagsmith.com/api/v1");
        assert_eq!(settings.project_id, 7);
        assert_eq!(settings.token.header().unwrap(), "Token t0ken");
        assert!(!settings.dry_run && settings.restore_folder.is_none());
    }

    #[test]
    fn rol_5_our_names_win() {
        let settings = read(&[
            ("FLAGSMITH_API_URL", "http://other/api/v1"),
            ("FLAGSTAFF_ROLLOPS__API_URL", "http://flags:8000/api/v1//"),
            ("FLAGSTAFF_ROLLOPS__TOKEN", "abc.def"),
            ("FLAGSTAFF_ROLLOPS__PROJECT_ID", " 12 "),
        ])
        .unwrap();

        assert_eq!(settings.api_url, "http://flags:8000/api/v1");
        assert_eq!(settings.project_id, 12);
        assert_eq!(settings.token.header().unwrap(), "Api-Key abc.def");
    }

    #[test]
    fn rol_5_a_token_may_be_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "from-a-file\n").unwrap();

        let path = path.to_str().unwrap();
        let settings = read(&[("FLAGSTAFF_ROLLOPS__TOKEN_FILE", path)]).unwrap();

        assert_eq!(settings.token.header().unwrap(), "Token from-a-file");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_name_of_the_variable() {
        for (name, value, problem) in [
            ("FLAGSMITH_API_URL", "flags", "it is not an address"),
            (
                "FLAGSMITH_API_URL",
                "ftp://flags",
                "it has to begin with http:// or https://",
            ),
            (
                "FLAGSMITH_API_URL",
                "http://a:b@flags",
                "it must not hold a password",
            ),
            (
                "FLAGSMITH_API_URL",
                "http://flags/?x",
                "nothing may follow its path",
            ),
            (
                "FLAGSTAFF_ROLLOPS__PROJECT_ID",
                "shop",
                "it is not the number of a project, as in the address of its page",
            ),
            (
                "FLAGSTAFF_ROLLOPS__TOKEN",
                "a b",
                "it is empty, or holds more than a token",
            ),
            (
                "FLAGSTAFF_ROLLOPS__TOKEN_FILE",
                "/nowhere/token",
                "the file cannot be read: entity not found",
            ),
            (
                "FLAGSTAFF_ROLLOPS__TOKEN_SCHEME",
                "basic",
                "it is none of token, api-key and bearer",
            ),
            (
                "FLAGSTAFF_ROLLOPS__DRY_RUN",
                "maybe",
                "it is neither true nor false",
            ),
            (
                "FLAGSTAFF_ROLLOPS__OTHERS",
                "half",
                "it is neither scale nor zero",
            ),
        ] {
            let said = read(&[(name, value)]).unwrap_err();
            assert_eq!(said, format!("invalid {name}: {problem}"));
        }
    }

    #[test]
    fn what_is_missing_is_said_with_the_daemons_variable() {
        let said = Settings::read(&|_| None).unwrap_err().to_string();

        assert!(said.starts_with("FLAGSMITH_TOKEN is not set"), "{said}");
        assert!(said.contains("ROLLOPS_PLUGIN_ALLOWED_ENV"), "{said}");
    }
}
