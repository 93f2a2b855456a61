//! `flagstaff evaluate` as a program sees it: lines in, lines out, exit code.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_flagstaff");

fn context(identifier: &str) -> Value {
    json!({
        "environment": {"key": "env", "name": "Test"},
        "identity": {"identifier": identifier, "traits": {"plan": "pro"}},
        "features": {"f": {"key": "1", "name": "f", "enabled": false, "value": "no"}},
        "segments": {"1": {
            "key": "1",
            "name": "pro",
            "rules": [{"type": "ALL", "conditions": [{"operator": "EQUAL", "property": "plan", "value": "pro"}]}],
            "overrides": [{"key": "2", "name": "f", "enabled": true, "value": "yes"}],
        }},
    })
}

/// Runs the command with some input; gives exit code, lines and standard error.
fn evaluate(arguments: &[&str], input: &[u8]) -> (Option<i32>, Vec<String>, String) {
    let mut child = Command::new(BINARY)
        .arg("evaluate")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _ = writer.join().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines = lines.lines().map(str::to_owned).collect();
    (
        output.status.code(),
        lines,
        String::from_utf8(output.stderr).unwrap(),
    )
}

#[test]
fn each_line_is_answered_by_one_line_and_nothing_else_is_said() {
    let input = format!("{}\n{}\n", context("a"), context("b"));

    let (code, lines, errors) = evaluate(&[], input.as_bytes());

    assert_eq!(code, Some(0));
    assert_eq!(errors, "");
    assert_eq!(lines.len(), 2);
    let result: Value = serde_json::from_str(&lines[0]).unwrap();
    let expected = json!({
        "flags": {"f": {"name": "f", "enabled": true, "value": "yes", "reason": "TARGETING_MATCH; segment=pro", "variant": null}},
        "segments": [{"name": "pro"}],
    });
    assert_eq!(result, expected);
}

#[test]
fn a_bad_line_is_answered_in_its_place_and_fails_the_command_at_the_end() {
    let good = context("a");
    let input = format!("{good}\n{{\n\n{good}");

    let (code, lines, _) = evaluate(&[], input.as_bytes());

    assert_eq!(code, Some(1));
    assert_eq!(lines.len(), 4);
    assert!(lines[1].starts_with(r#"{"error":"#), "{}", lines[1]);
    assert_eq!(lines[2], r#"{"error":"the line is empty"}"#);
    assert_eq!(lines[0], lines[3]);
}

#[test]
fn input_that_is_not_text_is_a_bad_line() {
    let mut input = b"\xff\xfe\x00\n".to_vec();
    input.extend_from_slice(context("a").to_string().as_bytes());

    let (code, lines, _) = evaluate(&[], &input);

    assert_eq!(code, Some(1));
    assert!(lines[0].starts_with(r#"{"error":"#));
    assert!(lines[1].starts_with(r#"{"flags":"#));
}

#[test]
fn a_line_of_several_megabytes_is_evaluated_and_one_over_the_limit_refused() {
    let mut big = context("a");
    big["identity"]["traits"]["note"] = Value::from("x".repeat(5_000_000));
    let mut huge = context("a");
    huge["identity"]["traits"]["note"] = Value::from("x".repeat(17_000_000));
    let input = format!("{big}\n{huge}\n{}\n", context("a"));

    let (code, lines, _) = evaluate(&[], input.as_bytes());

    assert_eq!(code, Some(1));
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], lines[2]);
    assert_eq!(
        lines[1],
        r#"{"error":"the line has more than 16777216 bytes"}"#
    );
}

#[test]
fn an_answer_comes_before_the_next_question_is_asked() {
    let mut child = Command::new(BINARY)
        .args(["evaluate", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());

    for identifier in ["a", "b", "c"] {
        writeln!(stdin, "{}", context(identifier)).unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(r#"{"flags":"#), "{line}");
    }

    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn reasons_are_told_in_the_words_of_either_engine() {
    let mut input = context("a");
    input["segments"] = json!({});

    let (_, ten, _) = evaluate(&["--reasons", "10"], input.to_string().as_bytes());
    let (_, eleven, _) = evaluate(&["--reasons", "11"], input.to_string().as_bytes());

    assert!(ten[0].contains(r#""reason":"DEFAULT""#), "{}", ten[0]);
    assert!(eleven[0].contains(r#""reason":"STATIC""#), "{}", eleven[0]);
}

#[test]
fn a_file_is_read_and_a_missing_one_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("contexts.jsonl");
    std::fs::write(&path, format!("{}\n", context("a"))).unwrap();

    let (code, lines, _) = evaluate(&[path.to_str().unwrap()], b"");
    let (missing, none, errors) = evaluate(&["/does/not/exist"], b"");

    assert_eq!((code, lines.len()), (Some(0), 1));
    assert_eq!((missing, none.len()), (Some(2), 0));
    assert!(errors.contains("/does/not/exist"), "{errors}");
}

#[test]
fn no_input_is_no_mistake() {
    assert_eq!(evaluate(&[], b""), (Some(0), Vec::new(), String::new()));
}
