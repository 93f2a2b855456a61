//! What diagnostics say of differences, as excuses for them.

use flagstaff_wire::flagd::AttributeClass;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// Why, and for what kind of attribute.
pub type Kind = (String, AttributeClass);

/// One entry of the diagnostics: a place where a client may answer otherwise.
#[derive(Debug)]
pub struct Excuse {
    pub reason: String,
    pub class: AttributeClass,
    /// Empty where it is no condition that differs.
    pub operator: String,
    features: BTreeSet<String>,
    attribute: String,
    clients: BTreeSet<String>,
}

impl Excuse {
    pub fn kind(&self) -> Kind {
        (self.reason.clone(), self.class)
    }

    /// True where nothing may differ for any other reason: what every attribute is does not matter.
    pub fn holds_for_well_typed(&self) -> bool {
        matches!(
            self.reason.as_str(),
            "regex_unsupported" | "bucketing_differs"
        )
    }

    /// True where diagnostics name this feature, this client and what this very caller has for the attribute.
    fn excuses(&self, feature: &str, client: &str, context: &Json) -> bool {
        let value = &context[self.attribute.as_str()];
        // Nobody is placed anywhere by what is not there.
        let is_missing = value.is_null() || (self.attribute == "targetingKey" && *value == "");
        let is_placed = self.reason != "bucketing_differs" || !is_missing;
        is_placed
            && self.features.contains(feature)
            && self.clients.contains(client)
            && self.class.holds(value)
    }
}

/// The excuses of one environment.
pub struct Excuses(pub Vec<Excuse>);

impl Excuses {
    pub fn read(diagnostics: &Json) -> Self {
        let mut excuses = Vec::new();
        for difference in diagnostics["differences"].as_array().unwrap() {
            let text = |name: &str| difference[name].as_str().unwrap_or_default().to_owned();
            let is_complete =
                difference.get("segment").is_some() == difference.get("condition").is_some();
            assert!(is_complete, "{difference}");
            for seen in difference["attributes"].as_array().unwrap() {
                let class = AttributeClass::ALL
                    .into_iter()
                    .find(|class| seen["is"] == class.as_str());
                excuses.push(Excuse {
                    reason: text("reason"),
                    class: class.unwrap(),
                    operator: text("operator"),
                    features: names(&difference["features"]),
                    attribute: text("attribute"),
                    clients: names(&seen["clients"]),
                });
            }
        }
        Self(excuses)
    }

    /// All that diagnostics say of this feature, this client and this caller.
    pub fn of<'e>(
        &'e self,
        feature: &'e str,
        client: &'e str,
        context: &'e Json,
    ) -> impl Iterator<Item = &'e Excuse> {
        let excuses = self.0.iter();
        excuses.filter(move |excuse| excuse.excuses(feature, client, context))
    }
}

fn names(list: &Json) -> BTreeSet<String> {
    let list = list.as_array().unwrap().iter();
    list.map(|name| name.as_str().unwrap().to_owned()).collect()
}
