//! Every document is valid by flagd's own schema.

use super::generate::Generator;
use crate::flagd::environments::options;
use flagstaff_core::{FlagdEvaluators, FlagdForm};
use flagstaff_testkit::evaluators::{say, schema};
use flagstaff_wire::flagd::{WarningReason, document};
use serde_json::Value as Json;

const SEED: u64 = 20_261_121;

#[test]
fn requirement_35_generated_documents_are_valid_by_flagds_schema() {
    let Some(mut schema) = schema() else {
        return;
    };
    let full = std::env::var("FLAGSTAFF_FULL").is_ok_and(|value| value == "1");
    let cases = if full { 5_000 } else { 2_000 };
    let mut generator = Generator::new(SEED);
    let (mut flags, mut targeted, mut mixed) = (0, 0, 0);
    for number in 0..cases {
        let snapshot = generator.snapshot();
        let evaluators = if number % 2 == 0 {
            FlagdEvaluators::Shared
        } else {
            FlagdEvaluators::Inline
        };
        let document = document(&snapshot, &options(FlagdForm::Typed, evaluators));
        let mut json: Json = serde_json::from_slice(&document.bytes).unwrap();

        // A flag with values of several types is none by the schema, and reported; all others are valid.
        let of_features = document.warnings.features.iter();
        for part in of_features {
            let mut reasons = part.warnings.iter().map(|warning| warning.reason);
            if reasons.any(|reason| reason == WarningReason::TypeMismatch) {
                let members = json["flags"].as_object_mut().unwrap();
                members.shift_remove(&*part.feature);
                mixed += 1;
            }
        }
        let errors = schema.errors(&json);
        assert_eq!(errors, Vec::<String>::new(), "{json}");
        let members = json["flags"].as_object().unwrap();
        flags += members.len();
        targeted += members
            .values()
            .filter(|flag| flag.get("targeting").is_some())
            .count();
    }
    say(&format!(
        "{cases} documents, {flags} flags, {targeted} with targeting, {mixed} of several types"
    ));
    assert!(targeted > cases && mixed > 0, "too little to be valid");
}
