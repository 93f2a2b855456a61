//! What came of a run: for people, for programs, and for the page about differences.

use super::excuses::{Excuse, Excuses, Kind};
use flagstaff_wire::flagd::AttributeClass;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

/// The first problems of a run are told in full.
const TOLD: usize = 20;

#[derive(Default)]
pub struct Report {
    /// A flag for a caller.
    pub evaluations: usize,
    pub well_typed: usize,
    /// By protocol or client: compared, and of these excused.
    pub compared: BTreeMap<&'static str, (usize, usize)>,
    pub reasons: BTreeMap<String, usize>,
    problems: usize,
    first: Vec<String>,
    rows: BTreeMap<Kind, Row>,
    named: BTreeSet<Kind>,
    warned: BTreeSet<String>,
}

#[derive(Default)]
struct Row {
    excused: usize,
    operators: BTreeSet<String>,
    clients: BTreeSet<&'static str>,
    example: String,
}

impl Report {
    pub fn name(&mut self, excuses: &Excuses, diagnostics: &Json) {
        self.named.extend(excuses.0.iter().map(Excuse::kind));
        let of_features = diagnostics["features"].as_array().unwrap().iter();
        let mut lists: Vec<&Json> = of_features.map(|feature| &feature["warnings"]).collect();
        lists.push(&diagnostics["environmentWarnings"]);
        for warning in lists.into_iter().flat_map(|list| list.as_array().unwrap()) {
            self.warned
                .insert(warning["reason"].as_str().unwrap().to_owned());
        }
    }

    pub fn agree(&mut self, who: &'static str) {
        self.compared.entry(who).or_default().0 += 1;
    }

    /// Counts an excused difference for each excuse that it has.
    pub fn excuse(&mut self, who: &'static str, excuses: &[&Excuse], example: &str) {
        let counted = self.compared.entry(who).or_default();
        counted.0 += 1;
        counted.1 += 1;
        for excuse in excuses {
            let row = self.rows.entry(excuse.kind()).or_default();
            row.excused += 1;
            row.operators.insert(excuse.operator.clone());
            row.clients.insert(who);
            if row.example.is_empty() {
                example.clone_into(&mut row.example);
            }
        }
    }

    pub fn fail(&mut self, problem: impl FnOnce() -> String) {
        self.problems += 1;
        if self.first.len() < TOLD {
            self.first.push(problem());
        }
    }

    /// The kinds of excuses that were needed.
    pub fn kinds(&self) -> BTreeSet<Kind> {
        self.rows.keys().cloned().collect()
    }

    /// The kinds of excuses that diagnostics speak of.
    pub const fn named(&self) -> &BTreeSet<Kind> {
        &self.named
    }

    /// Kinds of which diagnostics spoke, and which excused nothing.
    fn idle(&self) -> Vec<String> {
        let idle = self
            .named
            .iter()
            .filter(|kind| !self.rows.contains_key(*kind));
        idle.map(|(reason, class)| format!("{reason} of {}", class.as_str()))
            .collect()
    }

    /// Reasons of warnings that never stood behind a difference.
    fn idle_warnings(&self) -> Vec<&str> {
        let used: BTreeSet<&str> = self
            .rows
            .keys()
            .map(|(reason, _)| reason.as_str())
            .collect();
        let warned = self.warned.iter().map(String::as_str);
        warned.filter(|reason| !used.contains(reason)).collect()
    }

    /// Writes everything below `target/agreement` and says the most important of it.
    pub fn write(&self, seeds: &[u64]) -> String {
        let folder = folder();
        std::fs::create_dir_all(&folder).unwrap();
        let markdown = self.markdown(seeds);
        std::fs::write(
            folder.join("report.json"),
            format!("{:#}\n", self.json(seeds)),
        )
        .unwrap();
        std::fs::write(folder.join("report.md"), &markdown).unwrap();
        std::fs::write(folder.join("table.md"), self.table()).unwrap();
        markdown
    }

    pub fn check(&self) {
        let first = self.first.join("\n");
        assert_eq!(
            self.problems, 0,
            "answers differ without an excuse; the first:\n{first}"
        );
    }

    fn json(&self, seeds: &[u64]) -> Json {
        let compared: BTreeMap<_, _> = self
            .compared
            .iter()
            .map(|(who, (all, excused))| (*who, json!({"compared": all, "excused": excused})))
            .collect();
        let rows = self.rows.iter().map(|((reason, class), row)| {
            json!({
                "reason": reason, "attribute": class.as_str(), "excused": row.excused,
                "operators": row.operators, "clients": row.clients, "example": row.example,
            })
        });
        json!({
            "seeds": seeds, "evaluations": self.evaluations, "wellTyped": self.well_typed,
            "unexcused": self.problems, "firstUnexcused": self.first, "compared": compared, "reasons": self.reasons,
            "excuses": rows.collect::<Vec<_>>(), "neverNeeded": self.idle(), "warningsNeverNeeded": self.idle_warnings(),
        })
    }

    fn markdown(&self, seeds: &[u64]) -> String {
        let mut text = format!(
            "# Answers compared across protocols\n\n{} flags for callers, {} of them well typed, seeds {seeds:?}; reasons \
             {:?}.\n**{} differ without an excuse.**\n\n| asked | compared | excused |\n|---|---|---|\n",
            self.evaluations, self.well_typed, self.reasons, self.problems
        );
        for (who, (all, excused)) in &self.compared {
            let _ = writeln!(text, "| {who} | {all} | {excused} |");
        }
        let _ = write!(text, "\n{}", self.table());
        let _ = writeln!(
            text,
            "\nNamed by diagnostics and never needed: {}.",
            self.idle().join(", ")
        );
        let _ = writeln!(
            text,
            "Warnings that never excused anything: {}.",
            self.idle_warnings().join(", ")
        );
        for problem in &self.first {
            let _ = writeln!(text, "\n- {problem}");
        }
        text
    }

    /// The table of the page; without counts, so that it changes only where answers do.
    fn table(&self) -> String {
        let mut text =
            "| reason | attribute | conditions | clients | why |\n|---|---|---|---|---|\n"
                .to_owned();
        for ((reason, class), row) in &self.rows {
            let operators = row.operators.iter().filter(|operator| !operator.is_empty());
            let operators: Vec<&str> = operators.map(String::as_str).collect();
            let operators = if operators.is_empty() {
                "–".to_owned()
            } else {
                operators.join(", ")
            };
            let clients: Vec<&str> = row.clients.iter().copied().collect();
            let _ = writeln!(
                text,
                "| `{reason}` | `{}` | {operators} | {} | {} |",
                class.as_str(),
                clients.join(", "),
                why(reason, *class)
            );
        }
        text
    }
}

/// Where reports go.
fn folder() -> PathBuf {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    target.parent().unwrap().join("agreement")
}

fn why(reason: &str, class: AttributeClass) -> &'static str {
    match (reason, class) {
        ("bucketing_differs", AttributeClass::Anything) => {
            "the client hashes otherwise than the feature or segment"
        }
        ("bucketing_differs", _) => "JavaScript hashes units of UTF-16",
        ("regex_unsupported", _) => {
            "flagd has no patterns; the segment is left out with its overrides"
        }
        ("unknown_operator" | "malformed_value" | "property_unsupported" | "reserved_trait", _) => {
            "flagd cannot say the condition; the segment is left out with its overrides"
        }
        ("dotted_trait", _) => "clients look inside an object for a name with a dot",
        ("type_mismatch", _) => {
            "a caller who asks for one type gets an error for values of another"
        }
        ("attribute_type", AttributeClass::Boolean) => {
            "any text but `false` is true to this server where it compares booleans"
        }
        ("attribute_type", AttributeClass::NumberInText) => {
            "text that reads as a number is a number to this server"
        }
        ("attribute_type", AttributeClass::UnusualNumber) => {
            "languages write such numbers differently, and cannot tell 5.0 from 5"
        }
        ("attribute_type", AttributeClass::List | AttributeClass::Object) => {
            "this server knows no lists, and objects by their members: the attribute is missing"
        }
        ("attribute_type", AttributeClass::VersionInText) => {
            "flagd's language reads digits in text as versions"
        }
        ("attribute_type", AttributeClass::LooseVersion) => "clients read versions less strictly",
        ("attribute_type", AttributeClass::BlankAtAnEnd) => {
            "flagd cuts blanks off where it puts a text together"
        }
        ("attribute_type", AttributeClass::BeyondTheBasicPlane) => {
            "JavaScript orders text by units of UTF-16"
        }
        ("attribute_type", AttributeClass::LineBreak) => "`.` matches no line break",
        _ => "see the diagnostics",
    }
}
