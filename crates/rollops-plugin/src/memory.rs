//! What a flag said before its rollout, kept in a folder, so that a rollback can bring it back.
//!
//! One file a flag and environment. It is replaced when the flag says something that this plugin did not write: then
//! somebody has set it anew since, and that is what a rollback goes back to.

use crate::change::Change;
use crate::failure::Failure;
use crate::flagsmith::{State, Weight};
use crate::plan::{Comparison, Target};
use serde_json::{Value as Json, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the file of a flag in an environment is.
pub(crate) struct Memory {
    folder: PathBuf,
    path: PathBuf,
}

/// What the file says.
struct Kept {
    before: Target,
    written: Target,
}

impl Memory {
    pub(crate) fn of(folder: &Path, change: &Change) -> Self {
        let told_apart = digest(&change.environment, &change.flag);
        let is_plain = |character: &char| character.is_ascii_alphanumeric();
        let name: String = change.flag.chars().filter(is_plain).take(40).collect();
        Self {
            folder: folder.to_owned(),
            path: folder.join(format!("{name}-{told_apart:016x}.json")),
        }
    }

    /// What a rollback writes: off, and what was there before. `None` where nothing is known of it.
    pub(crate) fn before(&self) -> Option<Target> {
        let kept = self.read()?;
        Some(Target {
            enabled: false,
            ..kept.before
        })
    }

    /// Keeps what a flag says before `target` is written.
    ///
    /// # Errors
    /// [`Failure::Setting`] where nothing can be kept: better no step than one without a way back.
    pub(crate) fn keep(&self, state: &State, target: &Target) -> Result<(), Failure> {
        let kept = self.read();
        let before = match kept {
            Some(kept) if kept.written.compare(state) == Comparison::Same => kept.before,
            _ => said(state),
        };
        let text = json!({ "before": to_json(&before), "written": to_json(target) }).to_string();
        let next = self
            .path
            .with_extension(format!("{}.new", std::process::id()));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&next, text))
            .and_then(|()| fs::rename(&next, &self.path));
        written.map_err(|error| {
            Failure::Setting(format!(
                "FLAGSTAFF_ROLLOPS__RESTORE_FOLDER cannot be written to: {}",
                error.kind()
            ))
        })
    }

    /// A rollback is done; the next rollout begins anew.
    pub(crate) fn forget(&self) {
        let _ = fs::remove_file(&self.path);
    }

    fn read(&self) -> Option<Kept> {
        let text = fs::read_to_string(&self.path).ok()?;
        let body: Json = serde_json::from_str(&text).ok()?;
        Some(Kept {
            before: from_json(&body["before"])?,
            written: from_json(&body["written"])?,
        })
    }
}

/// FNV-1a of both: the same in every version of this program, unlike what the standard library hashes with.
fn digest(environment: &str, flag: &str) -> u64 {
    let bytes = environment.bytes().chain([0]).chain(flag.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn said(state: &State) -> Target {
    let weights = &state.multivariate_feature_state_values;
    Target {
        enabled: state.enabled.unwrap_or_default(),
        value: state.feature_state_value.clone(),
        weights: (!weights.is_empty()).then(|| weights.clone()),
    }
}

fn to_json(target: &Target) -> Json {
    let mut body = json!({ "enabled": target.enabled });
    if let Some(value) = &target.value {
        body["value"] = value.clone();
    }
    if let Some(weights) = &target.weights {
        let shape = |weight: &Weight| json!([weight.option, weight.percentage]);
        body["weights"] = weights.iter().map(shape).collect();
    }
    body
}

fn from_json(body: &Json) -> Option<Target> {
    let weights = body.get("weights").and_then(Json::as_array);
    let weight = |pair: &Json| {
        Some(Weight {
            id: None,
            option: pair[0].as_u64()?,
            percentage: pair[1].as_f64()?,
        })
    };
    Some(Target {
        enabled: body["enabled"].as_bool()?,
        value: body.get("value").cloned(),
        weights: weights.map(|list| list.iter().filter_map(weight).collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(enabled: bool, value: &str) -> State {
        serde_json::from_value(json!({"id": 1, "enabled": enabled, "feature_state_value": value}))
            .unwrap()
    }

    fn target(value: &str) -> Target {
        Target {
            enabled: true,
            value: Some(value.into()),
            weights: None,
        }
    }

    fn memory(folder: &Path) -> Memory {
        let change = Change {
            flag: "a/b".to_owned(),
            environment: "e".to_owned(),
            percentage: 1,
            disabled: false,
        };
        Memory::of(folder, &change)
    }

    #[test]
    fn rol_9_steps_of_one_rollout_keep_what_was_there_before_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        assert_eq!(memory.before(), None);

        memory.keep(&state(true, "hello"), &target("10")).unwrap();
        memory.keep(&state(true, "10"), &target("50")).unwrap();

        let before = memory.before().unwrap();
        assert_eq!(
            (before.enabled, before.value),
            (false, Some("hello".into()))
        );
        memory.forget();
        assert_eq!(memory.before(), None);
    }

    #[test]
    fn rol_9_what_somebody_set_since_is_what_a_rollback_goes_back_to() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());

        memory.keep(&state(true, "hello"), &target("10")).unwrap();
        memory.keep(&state(true, "new"), &target("50")).unwrap();

        assert_eq!(memory.before().unwrap().value, Some("new".into()));
    }

    #[test]
    fn a_folder_that_cannot_be_written_to_is_named() {
        let memory = memory(Path::new("/proc/nowhere"));

        let failure = memory.keep(&state(true, "x"), &target("1")).unwrap_err();

        assert!(
            failure
                .to_string()
                .contains("FLAGSTAFF_ROLLOPS__RESTORE_FOLDER")
        );
    }

    #[test]
    fn a_file_that_is_broken_is_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(folder.path());
        fs::write(&memory.path, "{").unwrap();

        assert_eq!(memory.before(), None);
    }
}
