//! With the hash of a generation of flagd, its evaluators place everybody as the server does.

use super::conditions::server_says;
use crate::flagd::environments::{
    condition, environment, feature, options, rules, segment, snapshot_with, split,
};
use flagstaff_core::{FlagdEvaluators, FlagdForm, Hash, Snapshot};
use flagstaff_testkit::Random;
use flagstaff_testkit::evaluators::{Runtime, say};
use flagstaff_wire::flagd::document;
use serde_json::{Value as Json, json};

const SEED: u64 = 20_261_122;
const SPLITS: i64 = 60;
const SEGMENTS: i64 = 40;
const USERS: usize = 400;

/// What is in names and identifiers.
type Pieces = &'static [&'static str];
const ASCII: Pieces = &["a", "B", "7", "0", "-", "_", "@", ".", " ", "/", "'", "\""];
/// Also what takes more than one byte.
const ALL: Pieces = &["a", "B", "7", "0", "-", "_", "@", ".", " ", "ü", "日", "😀"];

/// The same without blanks: Go cuts them off where a text is put together of parts.
const UNBROKEN: Pieces = &["a", "B", "7", "0", "-", "_", "@", ".", "/", "ü", "日", "😀"];

fn text(random: &mut Random, pieces: Pieces) -> String {
    let length = *random.pick(&[1, 3, 8, 12, 23, 24, 40, 90, 256]);
    (0..length).map(|_| *random.pick(pieces)).collect()
}

/// Up to seven decimals, and some that no number of decimals can say.
fn percent(random: &mut Random, limit: f64) -> f64 {
    let part = random.below(10_000_001) as f64 / 1e7;
    let digits = *random.pick(&[0, 0, 1, 2, 3, 7, 20]);
    let scale = 10_f64.powi(digits);
    let percent = part * limit;
    if digits > 7 {
        percent / 3.0
    } else {
        (percent * scale).floor() / scale
    }
}

/// Features that are split by weight, and features that are overridden for a percentage.
fn snapshot(hash: Hash, pieces: Pieces) -> Snapshot {
    let mut random = Random::new(SEED);
    let (mut features, mut segments) = (Vec::new(), Vec::new());
    for id in 1..=SPLITS {
        let name = format!("{} {id}", text(&mut random, pieces));
        let (mut left, mut weighted) = (100.0, Vec::new());
        for option in 0..=random.below(5) as i64 {
            let weight = percent(&mut random, left);
            left -= weight;
            weighted.push((10 * id + option, None, json!("o"), weight));
        }
        features.push(split(feature(id, &name, true, "c"), &weighted));
    }
    for id in SPLITS + 1..=SPLITS + SEGMENTS {
        let name = format!("percentage {id}");
        features.push(feature(id, &name, true, "out"));
        let property = *random.pick(&[None, Some("$.identity.identifier"), Some("company")]);
        let percent = percent(&mut random, 100.0).to_string();
        let part = rules(&[condition("PERCENTAGE_SPLIT", json!(property), percent)]);
        let overrides = json!([feature(id, &name, true, "in")]);
        segments.push(segment(id, &format!("s{id}"), part, overrides));
    }
    let environment = environment(json!(features), json!(segments), json!([]));
    snapshot_with(&environment, |rows| rows.environment.hash = hash)
}

fn users(pieces: Pieces) -> Vec<Json> {
    let mut random = Random::new(SEED + 1);
    let mut text = || text(&mut random, pieces);
    let user = |_| json!({"targetingKey": text(), "company": text()});
    (0..USERS).map(user).collect()
}

/// How many of all placements differ between the server with a hash and an evaluator; `None` where it is missing.
fn differences(runtime: Runtime, hash: Hash, pieces: Pieces) -> Option<usize> {
    let mut evaluator = runtime.start()?;
    let snapshot = snapshot(hash, pieces);
    let form = options(FlagdForm::Typed, FlagdEvaluators::Inline);
    let users = users(pieces);
    let answers = evaluator.evaluate(&document(&snapshot, &form).bytes, &users);
    let (mut differences, mut placed) = (0, 0);
    for (user, answer) in users.iter().zip(&answers) {
        let server = server_says(&snapshot, user);
        for (part, server) in snapshot.features.iter().zip(&server) {
            let flag = &answer[part.feature.name.as_str()];
            assert_eq!(
                flag.get("error"),
                None,
                "{} for {user}: {flag}",
                part.feature.name
            );
            differences += usize::from(flag["variant"].as_str() != server.as_deref());
            placed += usize::from(server.as_deref() != Some("control"));
        }
    }
    let total = users.len() * snapshot.features.len();
    assert!(
        (total / 5..total * 4 / 5).contains(&placed),
        "{placed} of {total} say nothing"
    );
    say(&format!(
        "{} in {runtime:?}: {differences} of {total} placed differently",
        hash.name()
    ));
    Some(differences)
}

#[track_caller]
fn check(runtime: Runtime, same: Hash, other: Hash, pieces: Pieces) {
    let Some(found) = differences(runtime, same, pieces) else {
        return;
    };
    assert_eq!(found, 0, "{runtime:?} has the hash {}", same.name());
    // What cannot tell two hashes apart would prove nothing.
    let others = differences(runtime, other, pieces).unwrap_or_default();
    assert!(
        others > 1_000,
        "{runtime:?} has not the hash {}",
        other.name()
    );
}

#[test]
fn with_flagd_v2_everybody_is_placed_as_by_flagds_javascript_evaluator() {
    check(Runtime::JavaScript, Hash::FlagdV2, Hash::FlagdV3, ASCII);
}

#[test]
fn with_flagd_v2_everybody_is_placed_as_by_flagd_itself() {
    check(Runtime::Go, Hash::FlagdV2, Hash::FlagdV3, UNBROKEN);
}

/// It hashes units of UTF-16, where flagd itself hashes bytes of UTF-8, as `flagd-v2` does.
#[test]
fn flagds_javascript_evaluator_has_a_hash_of_its_own_beyond_ascii() {
    let Some(found) = differences(Runtime::JavaScript, Hash::FlagdV2, ALL) else {
        return;
    };
    assert!(
        found > 1_000,
        "it hashes all texts alike now: say so in hashes-and-types.md"
    );
}

#[test]
fn with_flagd_v3_everybody_is_placed_as_by_flagds_python_evaluator() {
    check(Runtime::Python, Hash::FlagdV3, Hash::FlagdV2, ALL);
}

#[test]
fn with_flagd_v3_everybody_is_placed_as_by_flagds_rust_evaluator() {
    check(Runtime::Rust, Hash::FlagdV3, Hash::FlagdV2, ALL);
}
