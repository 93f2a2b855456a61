//! Compares an answer with the recorded one: order and names of members, values, and what stands for what.
//!
//! Ids are compared as they are, because the databases are brought to the same numbers, save for those of
//! weights, which are given in another order.

use crate::face::Reply;
use crate::flagsmith::golden::recording::{Expected, named_differences};
use flagstaff_wire::time::parse_iso;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Members whose values are made up by each server.
const MADE_UP: [&str; 6] = ["uuid", "api_key", "key", "prefix", "hash", "id"];
const TIMES: [&str; 7] = [
    "created",
    "created_date",
    "created_at",
    "updated_at",
    "live_from",
    "date_joined",
    "last_login",
];

/// What stands for what, as far as the replay has come.
#[derive(Default)]
pub struct Comparison {
    /// Made-up texts and times: recorded, ours.
    texts: HashMap<String, String>,
    /// Ids of weights: recorded, ours.
    weights: HashMap<String, String>,
    /// Members that only our answers have, each with what it says where nobody changed it.
    additional: Json,
}

impl Comparison {
    /// A comparison in which nothing stands for anything yet.
    pub fn new() -> Self {
        Self {
            additional: named_differences()["members"].clone(),
            ..Self::default()
        }
    }

    /// True for a member of ours that says what holds where nobody changed it.
    fn is_additional(&self, name: &str, value: &Json) -> bool {
        let values = self.additional[name].as_array();
        values.is_some_and(|values| values.contains(value))
    }

    /// A recorded text with the made-up texts of this server.
    pub fn in_our_words(&self, text: &str) -> String {
        let known = self.texts.iter();
        let mut long: Vec<_> = known.filter(|(recorded, _)| recorded.len() >= 8).collect();
        // A key begins with its prefix: the longer first.
        long.sort_by_key(|(recorded, _)| std::cmp::Reverse(recorded.len()));
        long.into_iter()
            .fold(text.to_owned(), |text, (recorded, ours)| {
                text.replace(recorded, ours)
            })
    }

    /// From now on a made-up text is the same on both servers.
    pub fn agree_on(&mut self, text: &str) {
        self.texts.insert(text.to_owned(), text.to_owned());
    }

    /// Says everything that differs; nothing where all is as expected.
    pub fn problems(&mut self, expected: &Expected, reply: &Reply) -> Vec<String> {
        let mut problems = Vec::new();
        if expected.status != u64::from(reply.status) {
            problems.push(format!("status {} is {}", expected.status, reply.status));
        }
        for name in ["Allow", "Content-Type"] {
            let recorded = expected.headers.get(name).and_then(Json::as_str);
            let ours = reply.header(&name.to_ascii_lowercase());
            if recorded != ours {
                problems.push(format!("{name}: {recorded:?} is {ours:?}"));
            }
        }
        let ours = if reply.body.is_empty() {
            Json::String(String::new())
        } else {
            reply.json()
        };
        self.value("", None, &expected.body, &ours, &mut problems);
        problems
    }

    fn value(
        &mut self,
        path: &str,
        parent: Option<&Map<String, Json>>,
        recorded: &Json,
        ours: &Json,
        problems: &mut Vec<String>,
    ) {
        if recorded.get("__any__").is_some() {
            return;
        }
        if let (Some(head), Json::Object(ours)) = (recorded.get("head"), ours) {
            let names = ours
                .iter()
                .filter(|(name, value)| !self.is_additional(name, value));
            let names: Vec<&str> = names.map(|(name, _)| name.as_str()).collect();
            if *head != Json::from(names) {
                problems.push(format!("{path}: other members than {head}"));
            }
            return;
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let is_same = match (recorded, ours) {
            (Json::Object(recorded), Json::Object(ours)) => {
                return self.members(path, recorded, ours, problems);
            }
            (Json::Array(recorded), Json::Array(ours)) if recorded.len() == ours.len() => {
                for (position, (recorded, ours)) in recorded.iter().zip(ours).enumerate() {
                    let path = format!("{path}/{position}");
                    self.value(&path, None, recorded, ours, problems);
                }
                return;
            }
            (Json::Number(recorded), Json::Number(ours)) if is_weight_id(name, parent) => {
                stands_for(&mut self.weights, recorded.as_str(), ours.as_str())
            }
            (Json::String(recorded), Json::String(ours)) => self.text(name, recorded, ours),
            _ => recorded == ours,
        };
        if !is_same {
            problems.push(format!("{path}: {recorded} is {ours}"));
        }
    }

    fn members(
        &mut self,
        path: &str,
        recorded: &Map<String, Json>,
        ours: &Map<String, Json>,
        problems: &mut Vec<String>,
    ) {
        let recorded_names: Vec<&String> = recorded.keys().collect();
        let names = ours.iter().filter(|(name, value)| {
            recorded.contains_key(*name) || !self.is_additional(name, value)
        });
        let names: Vec<&String> = names.map(|(name, _)| name).collect();
        if recorded_names != names {
            problems.push(format!("{path}: members {recorded_names:?} are {names:?}"));
        }
        for (name, value) in recorded {
            if let Some(our_value) = ours.get(name) {
                let path = format!("{path}/{name}");
                self.value(&path, Some(recorded), value, our_value, problems);
            }
        }
    }

    fn text(&mut self, name: &str, recorded: &str, ours: &str) -> bool {
        let is_time = parse_iso(recorded).is_some();
        if TIMES.contains(&name) {
            is_time && shape(recorded) == shape(ours) && stands_for(&mut self.texts, recorded, ours)
        } else if name == "name" && recorded.ends_with(" UTC") {
            // An export is named after the minute in which it was asked for.
            shape(recorded) == shape(ours)
        } else if MADE_UP.contains(&name) {
            // Prefixes such as `ser.` mean something; what follows does not.
            let is_alike = recorded.get(..4) == Some("ser.") || !ours.starts_with("ser.");
            // One who signs in twice gets a second token, where the recorded server shows the first again.
            let is_known = name == "key" || stands_for(&mut self.texts, recorded, ours);
            self.texts.insert(recorded.to_owned(), ours.to_owned());
            is_alike && !ours.is_empty() && is_known
        } else {
            self.in_our_words(recorded) == ours
        }
    }
}

fn is_weight_id(name: &str, parent: Option<&Map<String, Json>>) -> bool {
    name == "id" && parent.is_some_and(|parent| parent.contains_key("percentage_allocation"))
}

/// True where `ours` has stood for `recorded` so far.
fn stands_for(known: &mut HashMap<String, String>, recorded: &str, ours: &str) -> bool {
    let known = known
        .entry(recorded.to_owned())
        .or_insert_with(|| ours.to_owned());
    known == ours
}

/// A text with its digits made equal.
fn shape(text: &str) -> String {
    let zero = |c: char| if c.is_ascii_digit() { '0' } else { c };
    text.chars().map(zero).collect()
}
