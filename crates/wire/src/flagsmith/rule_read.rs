//! Rules of segments, as evaluation contexts and environment documents have them.

use crate::malformed::{Malformed, Problem, quoted};
use crate::node::Node;
use flagstaff_core::{Condition, Rule, RuleKind};
use serde_json::Value as Json;

type Read<T> = Result<T, Malformed>;

/// Reads a rule and those inside it. The JSON parser has bounded the nesting.
pub(super) fn rule(node: &Node<'_>) -> Read<Rule> {
    let kind_node = node.required("type")?;
    let kind = match kind_node.text()? {
        "ALL" => RuleKind::All,
        "ANY" => RuleKind::Any,
        "NONE" => RuleKind::None,
        other => {
            return Err(kind_node.malformed(Problem::Word {
                expected: "ALL, ANY, NONE",
                found: quoted(other),
            }));
        }
    };
    let (mut rules, mut conditions) = (Vec::new(), Vec::new());
    if let Some(list) = node.optional("rules")? {
        for item in list.items()? {
            rules.push(rule(&item)?);
        }
    }
    if let Some(list) = node.optional("conditions")? {
        for item in list.items()? {
            conditions.push(condition(&item)?);
        }
    }
    Ok(Rule {
        id: None,
        kind,
        rules,
        conditions,
    })
}

fn condition(node: &Node<'_>) -> Read<Condition> {
    let operator = node.required("operator")?.text()?.to_owned();
    // Contexts say `property`, environment documents `property_`.
    let property = match node.optional("property")? {
        Some(property) => Some(property),
        None => node.optional("property_")?,
    };
    let property = match property {
        Some(property) => Some(property.text()?.to_owned()),
        None => None,
    };
    let value = match node.optional("value")? {
        Some(value) => Some(condition_value(&operator, &value)?),
        None => None,
    };
    Ok(Condition {
        id: None,
        operator,
        property,
        value,
        description: None,
    })
}

fn condition_value(operator: &str, node: &Node<'_>) -> Read<String> {
    if operator == "IN" && node.json.is_array() {
        // Python compares the text form of every item.
        let items: Vec<Json> = node
            .list()?
            .iter()
            .map(|item| Json::String(crate::python::text(item)))
            .collect();
        return Ok(Json::Array(items).to_string());
    }
    node.text().map(str::to_owned)
}
