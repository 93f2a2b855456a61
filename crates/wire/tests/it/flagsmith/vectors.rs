//! The vectors of Flagsmith's engines, one test per file and named after it.
//!
//! They are not part of this repository (they have no licence): `FLAGSTAFF_ENGINE_TEST_DATA` names the
//! folder. The folder may grow, so it is listed at run time; that is why this test has its own `main`.

use flagstaff_core::ReasonWords;
use flagstaff_wire::flagsmith::context::EvaluationContext;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const DEFAULT_FOLDER: &str = "../../../shared/reference/engine-test-data/test_cases";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let folder = std::env::var_os("FLAGSTAFF_ENGINE_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(DEFAULT_FOLDER),
        PathBuf::from,
    );
    let trials = match trials(&folder) {
        Ok(trials) => trials,
        Err(error) => {
            say_skipped(&folder, &error);
            Vec::new()
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

#[expect(clippy::print_stderr, reason = "a skipped test is said aloud")]
fn say_skipped(folder: &Path, error: &std::io::Error) {
    eprintln!(
        "skipped: the engine vectors are not at {} ({error}); set FLAGSTAFF_ENGINE_TEST_DATA to their folder",
        folder.display()
    );
}

fn trials(folder: &Path) -> std::io::Result<Vec<Trial>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|end| end == "json" || end == "jsonc")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths
        .into_iter()
        .map(|path| {
            let name = path.file_stem().unwrap_or_default();
            Trial::test(name.to_string_lossy().into_owned(), move || check(&path))
        })
        .collect())
}

fn check(path: &Path) -> Result<(), Failed> {
    let text = std::fs::read_to_string(path)?;
    let vector: Json = serde_json::from_str(&without_comments(&text))?;
    let context = EvaluationContext::read(&vector["context"])?;

    let mut out = Vec::new();
    context.write_result(ReasonWords::Engine10, &mut out);

    let result: Json = serde_json::from_slice(&out)?;
    if same(&result, &vector["result"]) {
        return Ok(());
    }
    Err(format!("expected {}\n but got {result}", vector["result"]).into())
}

/// Equal as JSON, with numbers compared by value.
fn same(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => left.as_f64() == right.as_f64(),
        (Json::Array(left), Json::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Json::Object(left), Json::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, member)| right.get(name).is_some_and(|r| same(member, r)))
        }
        _ => left == right,
    }
}

/// Takes `//` comments out of JSON, except inside texts (`$schema` holds a URL).
fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut inside_text = false;
    while let Some(character) = characters.next() {
        match character {
            '"' => inside_text = !inside_text,
            '\\' if inside_text => {
                kept.push('\\');
                kept.extend(characters.next());
                continue;
            }
            '/' if !inside_text && characters.peek() == Some(&'/') => {
                characters.by_ref().find(|next| *next == '\n');
                kept.push('\n');
                continue;
            }
            _ => {}
        }
        kept.push(character);
    }
    kept
}
