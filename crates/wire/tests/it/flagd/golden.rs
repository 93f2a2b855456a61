//! Whole documents, kept as files.

use super::environments::{Translated, options, snapshot};
use flagstaff_core::{FlagdEvaluators, FlagdForm};
use serde_json::Value as Json;

const RECORDED: &str = include_str!("../../golden/recorded_document.json");

/// Compares with a file in the folder of golden files.
fn check(name: &str, json: &Json) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../golden");
    settings.set_prepend_module_to_snapshot(false);
    let text = serde_json::to_string_pretty(json).unwrap();
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn recorded(form: FlagdForm, evaluators: FlagdEvaluators) -> Translated {
    let environment: Json = serde_json::from_str(RECORDED).unwrap();
    Translated::of(&snapshot(&environment), &options(form, evaluators))
}

#[test]
fn the_recorded_environment_in_the_typed_form() {
    let translated = recorded(FlagdForm::Typed, FlagdEvaluators::Shared);

    check("flagd_typed", &translated.json);
    check("flagd_diagnostics", &translated.diagnostics);
}

#[test]
fn the_recorded_environment_in_the_lean_form() {
    let translated = recorded(FlagdForm::Lean, FlagdEvaluators::Inline);

    check("flagd_lean", &translated.json);
}
