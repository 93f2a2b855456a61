//! The audit log as files: comma-separated values for spreadsheets, JSON lines for programs.

use crate::time::{UtcMark, iso};
use flagstaff_core::Timestamp;
use serde_json::{Value as Json, json};

/// An entry as a file tells it. Borrowed: files are written entry by entry.
#[derive(Debug, Clone, Copy)]
pub struct AuditLine<'a> {
    /// Place in its chain, from 1.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// `member`, `api key` or `system`.
    pub actor_kind: &'a str,
    /// Who.
    pub actor: &'a str,
    /// `create`, `update` or `delete`.
    pub action: &'a str,
    /// To what.
    pub noun: &'a str,
    /// Its row.
    pub object_id: Option<i64>,
    /// In words.
    pub summary: &'a str,
    /// The organisation's row; none for the installation itself.
    pub organisation: Option<i64>,
    /// The project's row.
    pub project: Option<i64>,
    /// The environment's row.
    pub environment: Option<i64>,
    /// More, as JSON.
    pub details: Option<&'a str>,
    /// Hash of the entry before; empty for the first.
    pub previous_hash: &'a str,
    /// Hash of this entry.
    pub hash: &'a str,
}

/// The first line of a file of comma-separated values.
pub const CSV_HEADER: &str = "sequence,at,actor_kind,actor,action,noun,object_id,summary,organisation,project,environment,details,previous_hash,hash\r\n";

impl AuditLine<'_> {
    /// A line of comma-separated values (RFC 4180), with its end.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let number = |number: Option<i64>| number.map_or_else(String::new, |n| n.to_string());
        let fields = [
            self.sequence.to_string(),
            iso(self.at, UtcMark::Zulu),
            csv_text(self.actor_kind),
            csv_text(self.actor),
            csv_text(self.action),
            csv_text(self.noun),
            number(self.object_id),
            csv_text(self.summary),
            number(self.organisation),
            number(self.project),
            number(self.environment),
            csv_text(self.details.unwrap_or_default()),
            self.previous_hash.to_owned(),
            self.hash.to_owned(),
        ];
        let mut line = fields.join(",");
        line.push_str("\r\n");
        line
    }

    /// A line of JSON, with its end. Details that are JSON stand there as such.
    #[must_use]
    pub fn to_json_line(&self) -> String {
        let details = self.details.map(|text| {
            serde_json::from_str(text).unwrap_or_else(|_| Json::String(text.to_owned()))
        });
        let mut line = json!({
            "sequence": self.sequence,
            "at": iso(self.at, UtcMark::Zulu),
            "actor_kind": self.actor_kind,
            "actor": self.actor,
            "action": self.action,
            "noun": self.noun,
            "object_id": self.object_id,
            "summary": self.summary,
            "organisation": self.organisation,
            "project": self.project,
            "environment": self.environment,
            "details": details,
            "previous_hash": self.previous_hash,
            "hash": self.hash,
        })
        .to_string();
        line.push('\n');
        line
    }
}

/// A text as a field: quoted where it has to be, and never a formula to a spreadsheet that opens it.
fn csv_text(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    if is_formula || text.contains(['"', ',', '\n', '\r']) {
        return format!("\"{guard}{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(summary: &str) -> AuditLine<'_> {
        AuditLine {
            sequence: 7,
            at: Timestamp::from_micros(1_795_219_702_000_000),
            actor_kind: "member",
            actor: "ada@example.com",
            action: "update",
            noun: "feature",
            object_id: Some(3),
            summary,
            organisation: Some(1),
            project: None,
            environment: Some(2),
            details: Some(r#"{"changes":[]}"#),
            previous_hash: "",
            hash: "ab",
        }
    }

    #[test]
    fn a_line_of_values_has_a_field_for_each_name() {
        let csv = line("Flag updated: a, \"b\"").to_csv();

        assert_eq!(
            csv,
            "7,2026-11-21T00:08:22Z,member,ada@example.com,update,feature,3,\"Flag updated: a, \"\"b\"\"\",1,,2,\
            \"{\"\"changes\"\":[]}\",,ab\r\n"
        );
        assert_eq!(CSV_HEADER.matches(',').count(), 13);
    }

    #[test]
    fn a_formula_is_a_text_to_spreadsheets() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)"] {
            let csv = line(formula).to_csv();

            assert!(csv.contains(&format!(",\"'{formula}\",")), "{csv}");
        }
    }

    #[test]
    fn a_line_of_json_holds_details_as_json() {
        let text = line("größe\n").to_json_line();

        assert_eq!(text.matches('\n').count(), 1, "one line");
        let json: Json = serde_json::from_str(&text).unwrap();
        assert_eq!(json["summary"], "größe\n");
        assert_eq!(json["details"], json!({ "changes": [] }));
        assert_eq!(json["project"], Json::Null);
    }
}
