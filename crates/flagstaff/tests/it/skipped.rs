//! What a test needs and may not find: on a person's machine it is left out aloud, in CI that is a failure.

use std::io::Write;

/// The value of a variable that says where something is.
pub fn required(variable: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable) {
        return Some(value);
    }
    skip(&format!(
        "{variable} is not set; `cargo xtask test` sets it"
    ));
    None
}

/// The value of a variable that says where something is that not everybody can have, since not every module proxy
/// offers it. A test without it is left out aloud: no failure, in CI neither.
pub fn left_out(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok();
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "left out: {variable} is not set");
    }
    found
}

/// Says that a test is left out, and why.
pub fn skip(reason: &str) {
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{reason}, and in CI nothing may be left out"
    );
    // Written past the test runner, which keeps to itself what passing tests print.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}

/// Whether the long versions of tests are asked for.
pub fn is_full() -> bool {
    std::env::var("FLAGSTAFF_FULL").is_ok()
}
