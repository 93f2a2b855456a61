//! ROL-1 and ROL-12: what people ask on the command line.

use crate::fake::TOKEN;
use crate::flagsmith::{serve, world};
use crate::host::plugin;
use std::process::Output;

fn run(variables: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let Output {
        status,
        stdout,
        stderr,
    } = plugin(folder.path(), variables)
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (stdout, stderr) = (text(stdout), text(stderr));
    assert!(!stdout.contains(TOKEN) && !stderr.contains(TOKEN));
    (status.code().unwrap(), stdout, stderr)
}

#[test]
fn rol_1_version_help_and_manifest_are_printed() {
    let (code, version, _) = run(&[], &["--version"]);
    assert_eq!(code, 0);
    assert_eq!(
        version.trim(),
        concat!("rollops-plugin-flagsmith ", env!("CARGO_PKG_VERSION"))
    );

    let (code, help, _) = run(&[], &["--help"]);
    assert!(code == 0 && help.contains("--dry-run"), "{help}");

    let (code, manifest, _) = run(&[("FLAGSMITH_TOKEN", TOKEN)], &["--manifest-json"]);
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(code, 0);
    assert_eq!(
        manifest["safety"]["env_vars"],
        serde_json::json!(["FLAGSMITH_TOKEN"])
    );
}

#[test]
fn rol_1_wrong_usage_and_wrong_settings_end_with_two_and_a_sentence() {
    let (code, _, said) = run(&[], &["--nonsense"]);
    assert!(
        code == 2 && said.contains("unknown argument: `--nonsense`"),
        "{said}"
    );

    let (code, _, said) = run(&[], &["--check"]);
    assert!(
        code == 2 && said.contains("FLAGSMITH_TOKEN is not set"),
        "{said}"
    );
}

#[test]
fn rol_1_a_check_says_what_it_finds() {
    let (fake, _) = serve(world());
    let variables = fake.variables();

    let (code, said, _) = run(
        &variables,
        &[
            "--check",
            "--environment",
            "ENVKEY7890",
            "--flag",
            "checkout",
        ],
    );

    assert_eq!(code, 0);
    assert!(said.contains("project      found"), "{said}");
    assert!(
        said.contains("environment  Production: features change directly"),
        "{said}"
    );
    assert!(
        said.contains("flag         checkout: ") && said.contains("mode value"),
        "{said}"
    );
    assert!(fake.writes().is_empty());
    let (code, _, said) = run(&variables, &["--check", "--environment", "nowhere"]);
    assert!(
        code == 1 && said.contains("the environment was not found"),
        "{said}"
    );
}

#[test]
fn rol_12_a_dry_run_on_the_command_line_writes_nothing() {
    let (fake, _) = serve(world());
    let change = [
        "--dry-run",
        "--flag",
        "checkout",
        "--environment",
        "ENVKEY7890",
        "--percentage",
        "25",
    ];

    let (code, said, _) = run(&fake.variables(), &change);

    assert_eq!(code, 0);
    assert!(
        said.starts_with("planned: from ") && said.contains(r#""value":"25""#),
        "{said}"
    );
    assert!(fake.writes().is_empty());
}
