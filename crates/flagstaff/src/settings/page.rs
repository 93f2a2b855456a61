//! The reference page of the settings, made from the doc comments of the structs that hold them.

use super::layers::SECRETS;
use super::{SOURCES, TABLES};
use std::fmt::Write;

const INTRODUCTION: &str = "\
# Settings

<!-- Written by `flagstaff settings > docs/reference/settings.md`; a test fails when it is stale. -->

A setting is looked for in this order; what is found later wins:

1. its default,
2. `flagstaff.toml` in the working directory, or the file named by `--config`,
3. `DATABASE_URL`, and `FLAGSMITH` and `FLAGSMITH_CLIENT_API` for the dashboard's own flags,
4. the environment variable `FLAGSTAFF_<TABLE>__<FIELD>` (two underscores between table and field),
5. the command line: an option of its own where there is one, or `--set TABLE.FIELD=VALUE`.

A name or value that is not known stops the program before it does anything, with exit code 2 and a line that
names the setting and where it was given. A secret can also be given as the name of a file that holds it: add
`_file` to the field, `_FILE` to the variable.
";

/// One field as its source describes it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) table: String,
    pub(super) name: String,
    pub(super) doc: String,
}

impl Field {
    /// The text before the default that the doc comment states, and that default: "Default `x`." or "Default 1,000."
    pub(super) fn stated_default(&self) -> Option<(&str, String)> {
        let (before, rest) = self.doc.rsplit_once("Default ")?;
        let default = match rest.strip_prefix('`') {
            Some(quoted) => quoted.split_once('`')?.0.to_owned(),
            None => {
                let digits = rest
                    .split(|c: char| !c.is_ascii_digit() && c != ',')
                    .next()?;
                digits.replace(',', "")
            }
        };
        (!default.is_empty()).then(|| (before.trim_end(), default))
    }
}

/// The whole page, as Markdown.
pub(crate) fn reference_page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let (tables, fields) = described();
    for table in TABLES {
        let about = tables.iter().find(|(name, _)| name == table);
        let about = about.map_or("", |(_, doc)| doc.as_str());
        let _ = write!(page, "\n## `[{table}]`\n\n{about}\n");
        for field in fields.iter().filter(|field| field.table == table) {
            write_field(&mut page, field);
        }
    }
    page
}

fn write_field(page: &mut String, field: &Field) {
    let (table, name) = (&field.table, &field.name);
    let variable = format!("FLAGSTAFF_{}__{name}", table.replace('.', "__"));
    let variable = variable.to_ascii_uppercase();
    let _ = write!(page, "\n### `{table}.{name}`\n\n");
    match field.stated_default() {
        Some((doc, default)) => {
            let _ = writeln!(page, "{doc}\n\n- Default: `{default}`");
        }
        None => {
            let _ = writeln!(page, "{}\n\n- Default: none", field.doc);
        }
    }
    let _ = writeln!(page, "- Variable: `{variable}`");
    if SECRETS.contains(&(table.as_str(), name.as_str())) {
        let _ = writeln!(page, "- From a file: `{name}_file`, `{variable}_FILE`");
    }
}

/// Tables with what they are for, and their fields, as the sources have them.
///
/// A struct is a table when its doc comment says so: "…: the `[name]` table of `flagstaff.toml`".
pub(super) fn described() -> (Vec<(String, String)>, Vec<Field>) {
    let mut tables = Vec::new();
    let mut fields = Vec::new();
    for source in SOURCES {
        let mut table: Option<String> = None;
        let mut doc = String::new();
        let mut is_set_elsewhere = false;
        for line in source.lines().map(str::trim) {
            if let Some(text) = line.strip_prefix("///") {
                doc.push_str(if doc.is_empty() { "" } else { " " });
                doc.push_str(text.trim());
            } else if line.starts_with('}') {
                table = None;
            } else if line.contains("struct ") {
                table = table_of(&doc);
                if let Some((name, about)) = &table.clone().zip(about(&doc)) {
                    tables.push((name.clone(), about.clone()));
                }
                doc.clear();
            } else if line == "#[serde(skip)]" {
                is_set_elsewhere = true;
            } else if let (Some(table), Some(name)) = (&table, field_of(line)) {
                let doc = std::mem::take(&mut doc);
                if std::mem::take(&mut is_set_elsewhere) {
                    continue;
                }
                fields.push(Field {
                    table: table.clone(),
                    name: name.to_owned(),
                    doc,
                });
            } else if !line.starts_with("#[") {
                doc.clear();
            }
        }
    }
    (tables, fields)
}

/// Table and name of every field there is.
pub(super) fn known_fields() -> Vec<(String, String)> {
    let (_, fields) = described();
    fields
        .into_iter()
        .map(|field| (field.table, field.name))
        .collect()
}

fn table_of(doc: &str) -> Option<String> {
    let (_, rest) = doc.split_once(": the `[")?;
    let (name, _) = rest.split_once("]`")?;
    Some(name.to_owned())
}

fn about(doc: &str) -> Option<String> {
    doc.split_once(": the `[")
        .map(|(about, _)| format!("{about}."))
}

/// Name of a field; `None` for any other line.
fn field_of(line: &str) -> Option<&str> {
    let (name, _) = line.strip_suffix(',')?.split_once(": ")?;
    name.rsplit(' ').next()
}

#[cfg(test)]
mod tests {
    use super::super::{SettingFlag, Settings};
    use super::*;

    #[test]
    fn the_committed_page_is_the_generated_one() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/settings.md"
        );
        let committed = std::fs::read_to_string(path).unwrap_or_default();

        assert!(
            committed == reference_page(),
            "docs/reference/settings.md is stale: run `cargo run -- settings > docs/reference/settings.md`"
        );
    }

    #[test]
    fn every_table_is_described_with_its_fields() {
        let (tables, fields) = described();

        for table in TABLES {
            assert!(tables.iter().any(|(name, _)| name == table), "{table}");
            assert!(fields.iter().any(|field| field.table == table), "{table}");
        }
        assert_eq!(tables.len(), TABLES.len());
        assert!(fields.iter().all(|field| !field.doc.is_empty()));
    }

    #[test]
    fn a_stated_default_is_the_real_one() {
        let (_, fields) = described();
        let stated: Vec<SettingFlag> = fields
            .iter()
            .filter_map(|field| {
                let (_, default) = field.stated_default()?;
                Some(SettingFlag {
                    flag: "--set",
                    table: field.table.clone(),
                    field: field.name.clone(),
                    value: default,
                })
            })
            .collect();

        let settings = Settings::from_layers(None, &[], &stated).unwrap();

        assert!(stated.len() > 5);
        assert_eq!(
            format!("{settings:?}"),
            format!("{:?}", Settings::default())
        );
    }
}
