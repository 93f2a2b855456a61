//! Settings laid over one another: each one remembers where it was given.

use super::value::{Given, TableProblem, deserialize_table};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What every environment variable that holds a setting begins with.
const PREFIX: &str = "FLAGSTAFF_";

/// Settings that are secrets: each can also be given as the name of a file that holds it.
pub(super) const SECRETS: [(&str, &str); 10] = [
    ("server", "database_url"),
    ("flagd", "sync_key"),
    ("flagd", "evaluation_key"),
    ("flagd", "ofrep_key"),
    ("mail", "password"),
    ("google", "client_secret"),
    ("github", "client_secret"),
    ("oidc.NAME", "client_secret"),
    ("prometheus.NAME", "password"),
    ("prometheus.NAME", "token"),
];

/// Variables that other products have too, and what they set here.
const COMMON: [(&str, &str, &str); 4] = [
    ("DATABASE_URL", "server", "database_url"),
    ("DATABASE_URL_FILE", "server", "database_url_file"),
    ("FLAGSMITH", "own_flags", "key"),
    ("FLAGSMITH_CLIENT_API", "own_flags", "api"),
];

/// Tables that there may be several of, each with a name of its own: `[oidc.acme]`, `FLAGSTAFF_OIDC__ACME__ISSUER`,
/// `--set oidc.acme.issuer=…`.
const NAMED: [&str; 2] = ["oidc", "prometheus"];

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A file, usually `flagstaff.toml`.
    File(PathBuf),
    /// An environment variable.
    Variable(String),
    /// An option of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::Flag(name) => write!(f, "option {name}"),
        }
    }
}

/// Why settings cannot be used. The text names the setting and where it was given, never its value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingError {
    #[error("cannot read {path}")]
    Unreadable {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{path} is not TOML, line {line}: {problem}")]
    NotToml {
        path: PathBuf,
        line: usize,
        problem: String,
    },
    #[error("unknown setting `{name}` ({origin}){hint}")]
    Unknown {
        name: String,
        origin: Origin,
        hint: String,
    },
    #[error("setting `{name}` needs `{needed}`: {why}")]
    Needed {
        name: String,
        needed: String,
        why: &'static str,
    },
    #[error("setting `{name}` ({origin}): {problem}")]
    Invalid {
        name: String,
        origin: Origin,
        problem: String,
    },
}

/// The settings of every table, the strongest layer on top.
#[derive(Debug, Default)]
pub(crate) struct Layers(BTreeMap<String, BTreeMap<String, Given>>);

impl Layers {
    /// Lays the tables of a TOML file over what is there.
    ///
    /// # Errors
    /// A file that cannot be read or is not TOML; a value outside a table.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<(), SettingError> {
        let text = std::fs::read_to_string(path).map_err(|source| SettingError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let tables: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let before = error.span().map_or(0, |span| span.start);
            SettingError::NotToml {
                path: path.to_owned(),
                line: text
                    .bytes()
                    .take(before)
                    .filter(|byte| *byte == b'\n')
                    .count()
                    + 1,
                problem: error.message().to_owned(),
            }
        })?;
        let origin = Origin::File(path.to_owned());
        for (table, fields) in tables {
            let toml::Value::Table(fields) = fields else {
                return Err(unknown(
                    &table,
                    origin,
                    ": it stands outside a table".to_owned(),
                ));
            };
            if NAMED.contains(&table.as_str()) {
                self.add_named(&table, fields, &origin)?;
                continue;
            }
            for (field, value) in fields {
                self.set(&table, &field, Given::from_toml(value, origin.clone()));
            }
        }
        self.read_secret_files()
    }

    /// Lays the tables within a table over what is there, each under both names.
    fn add_named(
        &mut self,
        table: &str,
        tables: toml::Table,
        origin: &Origin,
    ) -> Result<(), SettingError> {
        for (name, fields) in tables {
            let toml::Value::Table(fields) = fields else {
                let hint = format!("; such tables have a name of their own, as [{table}.acme]");
                return Err(unknown(&format!("{table}.{name}"), origin.clone(), hint));
            };
            for (field, value) in fields {
                let given = Given::from_toml(value, origin.clone());
                self.set(&format!("{table}.{name}"), &field, given);
            }
        }
        Ok(())
    }

    /// Lays the environment over what is there: `DATABASE_URL` and the like, then `FLAGSTAFF_<TABLE>__<FIELD>`.
    ///
    /// # Errors
    /// A secret's file that cannot be read; a name that only looks like a setting.
    pub(crate) fn add_environment(
        &mut self,
        variables: &[(String, String)],
        known: &[(String, String)],
    ) -> Result<(), SettingError> {
        for (name, table, field) in COMMON {
            if let Some((_, value)) = variables.iter().find(|(key, _)| key == name) {
                let origin = Origin::Variable(name.to_owned());
                self.set(table, field, Given::from_text(value, origin));
            }
        }
        self.read_secret_files()?;
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let origin = Origin::Variable(name.clone());
            let lower = rest.to_ascii_lowercase();
            match lower.split_once("__") {
                Some((table, rest)) => {
                    let (table, field) = with_name(table, rest, "__");
                    self.set(&table, field, Given::from_text(value, origin));
                }
                // Other variables of ours exist (tests read some); one that names a field of ours is a typing error.
                None => refuse_single_underscore(&lower, origin, known)?,
            }
        }
        self.read_secret_files()
    }

    /// Lays one option of the command line over what is there.
    ///
    /// # Errors
    /// A secret's file that cannot be read.
    pub(crate) fn add_flag(
        &mut self,
        flag: &str,
        table: &str,
        field: &str,
        value: &str,
    ) -> Result<(), SettingError> {
        let origin = Origin::Flag(flag.to_owned());
        let (table, field) = with_name(table, field, ".");
        self.set(&table, field, Given::from_text(value, origin));
        self.read_secret_files()
    }

    /// Takes a table out as its struct; what was not given has the struct's default.
    ///
    /// # Errors
    /// A field the struct does not have, or a value the field cannot have.
    pub(crate) fn take<T: DeserializeOwned>(&mut self, table: &str) -> Result<T, SettingError> {
        let fields = self.0.remove(table).unwrap_or_default();
        let origins: BTreeMap<String, Origin> = fields
            .iter()
            .map(|(field, given)| (field.clone(), given.origin.clone()))
            .collect();
        deserialize_table(fields).map_err(|problem| match problem {
            TableProblem::Unknown { field, expected } => {
                let hint = format!("; [{table}] has {}", expected.join(", "));
                let origin = origins.get(&field).cloned();
                let origin = origin.unwrap_or_else(|| Origin::Flag(table.to_owned()));
                unknown(&format!("{table}.{field}"), origin, hint)
            }
            TableProblem::Invalid {
                field,
                origin,
                problem,
            } => SettingError::Invalid {
                name: format!("{table}.{field}"),
                origin: origin.unwrap_or_else(|| Origin::Flag(table.to_owned())),
                problem,
            },
        })
    }

    /// Takes every table of a kind that there may be several of, by name.
    ///
    /// # Errors
    /// As [`Layers::take`].
    pub(crate) fn take_named<T: DeserializeOwned>(
        &mut self,
        kind: &str,
    ) -> Result<BTreeMap<String, T>, SettingError> {
        let prefix = format!("{kind}.");
        let tables: Vec<String> = self.0.keys().cloned().collect();
        let mut taken = BTreeMap::new();
        for table in tables {
            if let Some(name) = table.strip_prefix(&prefix) {
                taken.insert(name.to_owned(), self.take(&table)?);
            }
        }
        Ok(taken)
    }

    /// Refuses tables that nobody took.
    ///
    /// # Errors
    /// The first of them.
    pub(crate) fn finish(self, tables: &[&str]) -> Result<(), SettingError> {
        for (table, fields) in self.0 {
            if let Some((field, given)) = fields.into_iter().next() {
                let hint = format!("; the tables are {}", tables.join(", "));
                return Err(unknown(&format!("{table}.{field}"), given.origin, hint));
            }
        }
        Ok(())
    }

    fn set(&mut self, table: &str, field: &str, given: Given) {
        let fields = self.0.entry(table.to_owned()).or_default();
        fields.insert(field.to_owned(), given);
    }

    /// Replaces `…_file` by what the file holds, so that a stronger layer lies over it in either form.
    fn read_secret_files(&mut self) -> Result<(), SettingError> {
        for (table, fields) in &mut self.0 {
            let secrets = SECRETS.iter().filter(|(of, _)| is_table(of, table));
            for (_, field) in secrets {
                read_secret_file(table, fields, field)?;
            }
        }
        Ok(())
    }
}

/// True for a table of this name, or of this kind.
fn is_table(pattern: &str, table: &str) -> bool {
    match pattern.strip_suffix("NAME") {
        Some(kind) => table.starts_with(kind),
        None => table == pattern,
    }
}

/// The name of a table, and of the field in it, where the table may have a name of its own within the field.
fn with_name<'a>(table: &str, field: &'a str, between: &str) -> (String, &'a str) {
    if NAMED.contains(&table)
        && let Some((name, field)) = field.split_once(between)
    {
        return (format!("{table}.{name}"), field);
    }
    (table.to_owned(), field)
}

/// Replaces `…_file` of one secret by what the file holds.
fn read_secret_file(
    table: &str,
    fields: &mut BTreeMap<String, Given>,
    field: &str,
) -> Result<(), SettingError> {
    let Some(file) = fields.remove(&format!("{field}_file")) else {
        return Ok(());
    };
    let origin = file.origin.clone();
    let path = file.into_path().map_err(|problem| SettingError::Invalid {
        name: format!("{table}.{field}_file"),
        origin: origin.clone(),
        problem,
    })?;
    let text = read_secret(&path)?;
    fields.insert(field.to_owned(), Given::from_text(&text, origin));
    Ok(())
}

/// Reads a secret from its file: the text without the line end that editors leave.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn read_secret(path: &Path) -> Result<String, SettingError> {
    let text = std::fs::read_to_string(path).map_err(|source| SettingError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn unknown(name: &str, origin: Origin, hint: String) -> SettingError {
    SettingError::Unknown {
        name: name.to_owned(),
        origin,
        hint,
    }
}

fn refuse_single_underscore(
    lower: &str,
    origin: Origin,
    known: &[(String, String)],
) -> Result<(), SettingError> {
    let meant = known
        .iter()
        .find(|(table, field)| format!("{table}_{field}") == lower);
    let Some((table, field)) = meant else {
        return Ok(());
    };
    let right = format!("{PREFIX}{table}__{field}").to_ascii_uppercase();
    let hint = format!("; table and field are joined by two underscores: {right}");
    Err(unknown(lower, origin, hint))
}
