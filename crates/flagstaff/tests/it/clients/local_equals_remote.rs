//! An SDK that evaluates by itself gives the answers that the server gives, but for its named differences.

use super::differences::{self, Difference};
use super::environments::{self, Environment, Identity};
use super::sdk::Sdk;
use crate::database::Database;
use crate::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Asks the SDK in its two ways about each identity of each environment.
///
/// A script writes, for each environment and identity, what its engine says (`local`), what the server says to the
/// traits that are sent (`sent`), and what it says without them afterwards (`stored`).
pub fn check(sdk: Sdk, database: Option<Database>) {
    let (Some(database), Some(mut command)) = (database, sdk.command("local_equals_remote")) else {
        return;
    };
    super::prepare(&database);
    let environments = [
        environments::known(),
        environments::ordinary(),
        environments::mixed(),
        environments::broken(),
    ];
    for environment in &environments[1..] {
        super::import(
            &database,
            &environment.file(&database),
            &environment.server_key,
        );
    }
    let server = Server::start(&database);
    let input = database.folder().join("cases.json");
    let output = database.folder().join("answers.json");
    let cases: Vec<_> = environments.iter().map(Environment::case).collect();
    std::fs::write(&input, Value::from(cases).to_string()).unwrap();
    super::run(
        "local_equals_remote",
        &server,
        command.env("CASES", &input).env("ANSWERS", &output),
    );
    server.stop();

    let answers: Vec<Vec<Value>> =
        serde_json::from_str(&std::fs::read_to_string(output).unwrap()).unwrap();
    let differences = differences::of(sdk);
    let mut comparison = Comparison {
        differences: &differences,
        needed: BTreeSet::new(),
        problems: Vec::new(),
        compared: 0,
    };
    for (environment, answers) in environments.iter().zip(&answers) {
        assert_eq!(answers.len(), environment.identities.len());
        for (identity, answer) in environment.identities.iter().zip(answers) {
            comparison.identity(environment, identity, answer);
        }
    }
    comparison.finish(sdk);
}

struct Comparison<'a> {
    differences: &'a [Difference],
    needed: BTreeSet<&'a str>,
    problems: Vec<String>,
    /// Flags that both sides were asked for.
    compared: usize,
}

impl Comparison<'_> {
    fn identity(&mut self, environment: &Environment, identity: &Identity, answer: &Value) {
        let who = || {
            let traits = json!(identity.traits);
            format!("{}, {} {traits}", environment.name, identity.identifier)
        };
        let (local, sent) = (&answer["local"], &answer["sent"]);
        let features = environment.document["feature_states"].as_array().unwrap();
        let flags = sent.as_object().map_or(0, serde_json::Map::len);
        if flags != features.len() || *sent != answer["stored"] {
            let stored = &answer["stored"];
            self.problems.push(format!(
                "{}: {flags} flags when traits are sent\n  {sent}\n  and afterwards\n  {stored}",
                who()
            ));
            return;
        }
        if let Some(error) = local["error"].as_str() {
            let mut excuses = self.differences.iter();
            match excuses.find(|entry| entry.excuses_failure(environment, identity, error)) {
                Some(entry) => _ = self.needed.insert(&entry.name),
                None => self.problems.push(format!("{}: {error}", who())),
            }
            return;
        }
        for (name, sent) in sent.as_object().unwrap() {
            self.compared += 1;
            if local[name] == *sent {
                continue;
            }
            let mut excuses = self.differences.iter();
            match excuses.find(|entry| entry.excuses(environment, identity, name)) {
                Some(entry) => _ = self.needed.insert(&entry.name),
                None => self.problems.push(format!(
                    "{}: {name} is {sent} remotely and {} locally; {}",
                    who(),
                    local[name],
                    segments_of(environment, name),
                )),
            }
        }
    }

    fn finish(self, sdk: Sdk) {
        let count = self.problems.len();
        let first: Vec<_> = self.problems.into_iter().take(20).collect();
        assert!(
            count == 0,
            "{sdk:?}: {count} unexplained, {} compared\n{}",
            self.compared,
            first.join("\n")
        );
        assert!(self.compared > 10_000, "only {} flags", self.compared);
        let all = self.differences.iter().map(|entry| entry.name.as_str());
        let idle: Vec<_> = all.filter(|name| !self.needed.contains(name)).collect();
        assert!(idle.is_empty(), "{sdk:?}: never needed: {idle:?}");
    }
}

/// The rules that decide over a feature, for a person who reads a failure.
fn segments_of(environment: &Environment, feature: &str) -> String {
    let segments = environment.document["project"]["segments"].as_array();
    let rules = segments.unwrap().iter().filter_map(|segment| {
        let mut states = segment["feature_states"].as_array()?.iter();
        let is_touched = states.any(|state| state["feature"]["name"] == feature);
        is_touched.then(|| format!("{} {}", segment["name"], segment["rules"]))
    });
    rules.collect::<Vec<_>>().join("\n  ")
}
