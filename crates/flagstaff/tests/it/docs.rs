//! The pages: their links lead somewhere, the table of contents names them all, and what they tell to do works.

use crate::clients::{CLIENT_KEY as KNOWN_KEY, folder};
use crate::database::Database;
use crate::guides::{block, page, shell};
use crate::server::{Server, flagstaff, succeed};
use crate::skipped::required;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Pages whose commands (blocks marked `sh`) are run by a test, here or elsewhere. Commands of programs that are not there
/// when tests run, such as docker and kubectl, are marked `shell`.
const RUN: &[&str] = &[
    // By `guides.rs` and by the tests of OFREP.
    "README.md",
    "docs/guides/first-steps.md",
    "docs/guides/flagd.md",
    "docs/guides/ofrep.md",
    // Here.
    "docs/guides/migrate-from-flagsmith.md",
    "docs/operate/backup.md",
    "docs/operate/deploy.md",
    "docs/operate/observe.md",
    "docs/operate/systemd.md",
    "docs/operate/upgrade.md",
    "docs/reference/api.md",
    "docs/reference/explain.md",
    // Tell how this repository is worked on: what they run is `cargo xtask test` itself.
    "CONTRIBUTING.md",
    "docs/reference/nodes-and-failures.md",
    "docs/reference/performance.md",
];

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every page of the repository with its name from the root.
fn pages() -> Vec<(String, String)> {
    let mut names = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned()];
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap().flatten() {
            let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type().unwrap().is_dir() {
                folders.push(name);
            } else if name.ends_with(".md") {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    let pages = names.into_iter();
    pages.map(|name| (name.clone(), page(&name))).collect()
}

/// A page without its blocks of code.
fn prose(text: &str) -> String {
    let parts = text.split("```").step_by(2);
    parts.collect::<Vec<_>>().join("\n")
}

/// Where the links of a page lead.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let ends = prose.split("](").skip(1);
    ends.filter_map(|rest| rest.split_once(')').map(|(link, _)| link.to_owned()))
        .filter(|link| !link.starts_with("https://") && !link.starts_with("http://"))
        .collect()
}

/// The part of a link that a heading is found by.
fn anchor(heading: &str) -> String {
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect()
}

#[test]
fn every_link_leads_to_something_that_is_there() {
    let mut broken = Vec::new();

    for (name, text) in pages() {
        for link in links(&text) {
            let (path, heading) = link.split_once('#').unwrap_or((&link, ""));
            let place = if path.is_empty() {
                root().join(&name)
            } else {
                root().join(&name).parent().unwrap().join(path)
            };
            let Ok(target) = fs::canonicalize(&place) else {
                broken.push(format!("{name}: {link} is not there"));
                continue;
            };
            // What the site is built from is `docs` alone.
            let leaves = !target.starts_with(fs::canonicalize(root().join("docs")).unwrap());
            if name.starts_with("docs/") && leaves {
                broken.push(format!("{name}: {link} is no page of the site"));
            }
            if !heading.is_empty()
                && !anchors(&fs::read_to_string(target).unwrap()).contains(heading)
            {
                broken.push(format!("{name}: {link} has no such heading"));
            }
        }
    }

    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_table_of_contents_names_every_page_once() {
    let mut listed = links(&page("docs/SUMMARY.md"));
    listed.sort_unstable();

    let known = pages().into_iter().filter_map(|(name, _)| {
        let name = name.strip_prefix("docs/")?.to_owned();
        (name != "SUMMARY.md").then_some(name)
    });

    let known: Vec<_> = known.collect();
    let missing: Vec<_> = known.iter().filter(|name| !listed.contains(name)).collect();
    assert!(missing.is_empty(), "docs/SUMMARY.md lacks {missing:?}");
    assert_eq!(listed, known);
}

#[test]
fn every_file_that_is_named_is_there() {
    let mut missing = Vec::new();

    for (name, text) in pages() {
        let words = text.split(|c: char| c.is_whitespace() || "`()\"',;|".contains(c));
        for word in words {
            let word = word.trim_end_matches(['.', ':']);
            let is_path = ["deploy/", "benches/", "book.toml"]
                .iter()
                .any(|start| word.starts_with(start));
            if is_path && !word.contains(['<', '*', '…', '{']) && !root().join(word).exists() {
                missing.push(format!("{name}: {word}"));
            }
        }
    }

    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn commands_stand_on_pages_that_are_run() {
    let pages = pages();
    let with_commands = pages.iter().filter(|(_, text)| text.contains("```sh\n"));

    let unknown: Vec<_> = with_commands
        .map(|(name, _)| name.as_str())
        .filter(|name| !RUN.contains(name))
        .collect();

    assert!(
        unknown.is_empty(),
        "no test runs the commands of {unknown:?}"
    );
}

/// All commands of a page, one after the other.
fn commands(name: &str) -> String {
    let text = page(name);
    let blocks = text.split("```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("```").next().unwrap());
    let commands: String = blocks.collect();
    assert!(!commands.is_empty(), "{name} has no commands");
    commands
}

/// Runs all commands of a page with a database that holds something.
fn run(name: &str, prepare: impl FnOnce(&Database)) -> String {
    let database = Database::sqlite();
    prepare(&database);
    let commands = commands(name);
    shell(
        &database,
        &format!("export FLAGSTAFF_SERVER__LISTEN=127.0.0.1:0\n{commands}"),
    )
}

fn bootstrap(database: &Database) {
    succeed(flagstaff(database).arg("bootstrap"));
}

#[test]
fn backups_are_made_and_restored_as_the_page_says() {
    let printed = run("docs/operate/backup.md", bootstrap);

    assert_eq!(printed.matches("\nrestored ").count(), 2, "{printed}");
    assert!(printed.contains("\ncopied "), "{printed}");
    assert!(printed.contains("ok       the installation"), "{printed}");
}

#[test]
fn an_upgrade_is_prepared_and_taken_back_as_the_page_says() {
    let printed = run("docs/operate/upgrade.md", bootstrap);

    assert!(printed.contains("ok       writing: possible"), "{printed}");
    assert!(printed.contains("\nrestored "), "{printed}");
}

#[test]
fn a_database_is_looked_at_as_the_pages_say() {
    for name in ["docs/operate/deploy.md", "docs/operate/systemd.md"] {
        let printed = run(name, |_| {});

        assert!(printed.contains("settings: all known"), "{printed}");
    }
}

#[test]
fn a_flagsmith_is_taken_over_as_the_guide_says() {
    let document = fs::read_to_string(folder().join("environment.json")).unwrap();

    let printed = run("docs/guides/migrate-from-flagsmith.md", |database| {
        let second = document.replace(KNOWN_KEY, "AnotherClientKey234567");
        assert_ne!(second, document);
        fs::write(database.folder().join("production.json"), &document).unwrap();
        fs::write(database.folder().join("staging.json"), second).unwrap();
    });

    assert!(printed.contains("Shop, staging"), "{printed}");
    assert!(printed.contains(KNOWN_KEY), "{printed}");
}

#[test]
fn a_running_server_is_asked_as_the_pages_say() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let listen = server.url.strip_prefix("http://").unwrap();
    let key = server.printed_after("client key").unwrap();
    let server_key = server.printed_after("server key").unwrap();
    let ask = |name: &str| {
        let commands = commands(name).replace("http://127.0.0.1:8000", &server.url);
        let script = format!("export FLAGSTAFF_SERVER__LISTEN={listen}\nKEY={key}\n{commands}");
        shell(&database, &script)
    };

    let flags = ask("docs/reference/api.md");
    let metrics = ask("docs/operate/observe.md");
    // The demo project has no checkout.
    let script = commands("docs/reference/explain.md").replace("/checkout/", "/dark_mode/");
    let script = script.replace("http://127.0.0.1:8000", &server.url);
    let explained = shell(&database, &format!("SERVER_KEY={server_key}\n{script}"));

    assert!(flags.contains(r#""name":"dark_mode""#), "{flags}");
    assert!(explained.contains("dark_mode"), "{explained}");
    assert!(
        metrics.contains("flagstaff_http_requests_total"),
        "{metrics}"
    );
}

#[test]
fn the_page_of_the_command_line_lists_every_command() {
    let reference = page("docs/reference/cli.md");
    let database = Database::sqlite();
    let help = succeed(flagstaff(&database).arg("--help"));
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let (listed, _) = listed.split_once("\n\n").unwrap();
    let listed = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let commands: Vec<_> = listed
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();

    assert!(commands.len() > 8, "{commands:?}");
    for command in &commands {
        assert!(
            reference.contains(&format!("`flagstaff {command}")),
            "docs/reference/cli.md lacks `{command}`"
        );
    }
    let named = reference.split("| `flagstaff ").skip(1);
    for rest in named {
        let name = rest.split(['`', ' ']).next().unwrap();
        assert!(commands.contains(&name), "there is no command `{name}`");
    }
}

/// Makes a browser's page of Node.js, in a program that goes on after it.
const JSDOM: &str = "
import { JSDOM } from 'jsdom';
const { window } = new JSDOM('', { url: 'http://shop.example/' });
globalThis.window = window;
globalThis.localStorage = window.localStorage;
globalThis.XMLHttpRequest = window.XMLHttpRequest;
";

/// A program of the page, asking a server with the demo project.
fn program(heading: &str, language: &str, server: &Server) -> String {
    let text = page("docs/guides/sdks.md");
    let key = server.printed_after("client key").unwrap();
    block(&text, heading, language)
        .replace("http://127.0.0.1:8000", &server.url)
        .replace("CLIENT_KEY", key)
}

#[test]
fn the_programs_of_the_sdks_say_what_the_demo_project_says() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let scratch = tempfile::tempdir().unwrap();

    if let Some(python) = required("FLAGSTAFF_CLIENTS_PYTHON") {
        let script = program("Python", "python", &server);
        assert_eq!(
            succeed(Command::new(python).args(["-c", &script])),
            "True 20\n"
        );
    }
    for (heading, variable) in [
        ("Node.js", "FLAGSTAFF_CLIENTS_NODE"),
        ("Browser", "FLAGSTAFF_CLIENTS_BROWSER"),
    ] {
        let Some(packages) = required(variable) else {
            continue;
        };
        // Packages are looked for beside the program.
        let modules = scratch.path().join("node_modules");
        std::os::unix::fs::symlink(Path::new(&packages).join("node_modules"), &modules).unwrap();
        let script = scratch.path().join("guide.mjs");
        // A browser has what Node.js has not, and its page stays open.
        let (before, after) = if heading == "Browser" {
            (JSDOM, "process.exit(0);\n")
        } else {
            ("", "")
        };
        let text = format!("{before}{}{after}", program(heading, "js", &server));
        fs::write(&script, text).unwrap();
        let printed = succeed(Command::new("node").arg(&script));
        assert_eq!(printed, "true 20\n", "{heading}");
        fs::remove_file(modules).unwrap();
    }
    if let Some(class_path) = required("FLAGSTAFF_CLIENTS_JAVA") {
        let script = scratch.path().join("Guide.java");
        fs::write(&script, program("Java", "java", &server)).unwrap();
        let mut java = Command::new("java");
        java.args(["-XX:TieredStopAtLevel=1", "-cp", &class_path]);
        let printed = succeed(java.arg(&script));
        assert_eq!(printed, "true 20\n");
    }
}

/// They take minutes to be built, and their calls are run by the client tests.
#[test]
fn the_calls_of_the_other_sdks_are_those_of_the_client_tests() {
    let text = page("docs/guides/sdks.md");
    let sources = |name: &str| {
        let files = fs::read_dir(folder().join(name)).unwrap().flatten();
        let files = files.filter(|entry| entry.file_type().unwrap().is_file());
        let files = files.map(|entry| fs::read_to_string(entry.path()).unwrap());
        files.collect::<String>()
    };
    let check = |heading: &str, language: &str, folder: &str, calls: &[&str]| {
        let program = block(&text, heading, language);
        let source = sources(folder);
        for call in calls {
            assert!(program.contains(call), "{heading} lacks {call}");
            assert!(
                source.contains(call),
                "the client tests of {heading} lack {call}"
            );
        }
    };

    check(
        "Rust",
        "rust",
        "rust/src",
        &[
            "use flagsmith::{Flagsmith, FlagsmithOptions};",
            "..FlagsmithOptions::default()",
            "Flagsmith::new(",
            "client.get_identity_flags(",
            "flags.is_feature_enabled(",
            "flags.get_feature_value_as_string(",
        ],
    );
    check(
        "Go",
        "go",
        "go",
        &[
            "flagsmith.NewClient(",
            "flagsmith.WithBaseURL(",
            ".GetIdentityFlags(context.Background(), ",
            "flags.IsFeatureEnabled(",
            "flags.GetFeatureValue(",
        ],
    );
}
