//! Somebody anonymous has a random identifier, and with it random variants: which ones is worked out anew.

use super::recording::Expected;
use super::roles::is_made_up;
use flagstaff_core::bucket;
use serde_json::{Value as Json, json};

use crate::face::CLIENT_KEY;

/// A multivariate feature of the recorded environment.
struct Split {
    feature: &'static str,
    /// What identities are hashed with, in the recorded document.
    seed: &'static str,
    weights: &'static [(&'static str, f64)],
}

const SPLITS: [Split; 2] = [
    Split {
        feature: "colour",
        seed: "19",
        weights: &[("blue", 30.0), ("green", 20.0)],
    },
    Split {
        feature: "colour2",
        seed: "21",
        weights: &[("blue", 10.0)],
    },
];

/// Puts the variants of our identifier in the place of those of the recorded one, after having checked that
/// the same rule gives those.
pub fn expect_variants_of(ours: &Json, expected: &mut Expected) {
    let identifier = |body: &Json| body["identifier"].as_str().map(str::to_owned);
    let (Some(recorded), Some(ours)) = (identifier(&expected.body), identifier(ours)) else {
        return;
    };
    if !is_made_up(&recorded) {
        return;
    }
    for flag in expected.body["flags"].as_array_mut().unwrap() {
        let name = flag["feature"]["name"].as_str().unwrap();
        if let Some(split) = SPLITS.iter().find(|split| split.feature == name) {
            let shown = (flag["feature_state_value"].clone(), flag["variant"].clone());
            assert_eq!(variant(split, &recorded), shown, "{recorded} {name}");
            (flag["feature_state_value"], flag["variant"]) = variant(split, &ours);
        }
    }
}

fn variant(split: &Split, identifier: &str) -> (Json, Json) {
    let key = format!("{CLIENT_KEY}_{identifier}");
    let percentage = bucket::percentage(&[split.seed, &key]);
    let mut limit = 0.0;
    for (value, weight) in split.weights {
        limit += weight;
        if percentage < limit {
            return (json!(value), Json::Null);
        }
    }
    (json!("red"), json!("control"))
}
