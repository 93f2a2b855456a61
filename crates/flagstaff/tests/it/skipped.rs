//! What a test needs and may not find: on a person's machine it is left out aloud, in CI that is a failure.

use std::io::Write;

/// The value of a variable that says where something is.
pub fn required(variable: &str) -> Option<String> {
    if let Ok(value) = std::env::var(variable) {
        return Some(value);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{variable} is not set, and in CI nothing may be left out"
    );
    // Written past the test runner, which keeps to itself what passing tests print.
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {variable} is not set; `cargo xtask test` sets it"
    );
    None
}
