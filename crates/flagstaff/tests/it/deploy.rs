//! The files under `deploy/`: what they name is there, in the program, in its settings and in its metrics. No container
//! engine is needed: their commands are run by hand.

use crate::database::Database;
use crate::docs::root;
use crate::guides::page;
use crate::http::{block_on, client, get};
use crate::server::{Server, flagstaff, succeed};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Every file below a folder of the repository.
fn files(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                found.push((entry.path().display().to_string(), text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

/// Words that begin like this.
fn words(text: &str, start: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_part(c));
    words
        .filter(|word| word.starts_with(start) && word.len() > start.len())
        .map(str::to_owned)
        .collect()
}

/// Metrics by the names that the code gives them.
fn metrics() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in [
        "crates/api/src",
        "crates/service/src",
        "crates/flagstaff/src",
    ] {
        for (path, text) in files(folder) {
            if Path::new(&path).extension().is_none_or(|end| end != "rs") {
                continue;
            }
            let quoted = text.split("\"flagstaff_").skip(1);
            let quoted = quoted.filter_map(|rest| rest.split_once('"'));
            let is_name = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            names.extend(
                quoted
                    .filter(|(name, _)| is_name(name))
                    .map(|(name, _)| format!("flagstaff_{name}")),
            );
        }
    }
    names.retain(|name| {
        let ends = ["_total", "_seconds", "_bytes", "_up", "_heard", "_open"];
        ends.iter().any(|end| name.ends_with(end))
            || name.contains("_resident_")
            || name.ends_with("_active_streams")
    });
    names
}

/// The name of a metric, of which this is a series.
fn family(series: &str) -> &str {
    let ends = ["_bucket", "_sum", "_count"];
    let mut ends = ends.iter().filter_map(|end| series.strip_suffix(end));
    ends.next().unwrap_or(series)
}

#[test]
fn dashboard_and_alerts_ask_for_metrics_that_there_are() {
    let known = metrics();
    assert!(known.len() > 15, "{known:?}");

    for (path, text) in files("deploy/observability") {
        for name in words(&text, "flagstaff_") {
            assert!(known.contains(family(&name)), "{path}: {name}");
        }
    }
    let dashboard = page("deploy/observability/dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 10);
}

#[test]
fn the_page_lists_every_metric() {
    let text = page("docs/operate/observe.md");
    let (_, section) = text.split_once("\n## Metrics\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let listed: BTreeSet<_> = rows
        .filter_map(|row| row.split_once('`').map(|(name, _)| name.to_owned()))
        .collect();

    assert_eq!(listed, metrics());
}

#[test]
fn the_page_lists_every_alert() {
    let text = page("docs/operate/observe.md");
    let alerts = page("deploy/observability/alerts.yaml");
    let names = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));

    let names: Vec<_> = names.collect();

    assert!(names.len() > 4);
    for name in names {
        assert!(text.contains(&format!("| `{name}` |")), "{name}");
    }
}

#[test]
fn a_server_measures_what_the_page_lists() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let key = server.printed_after("client key").unwrap();
    let server_key = server.printed_after("server key").unwrap();
    let ask = |path: &str, key: &str| get(&format!("{}{path}", server.url), key);
    assert_eq!(ask("/api/v1/flags/", key).0, 200);
    assert_eq!(ask("/api/v1/identities/?identifier=grace", key).0, 200);
    let _ = ask("/api/v1/flagd/flags.json", server_key);

    let text = block_on(async {
        let stream = format!("{}/sse/environments/{key}/stream", server.url);
        let stream = client().get(stream).send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let answer = client().get(format!("{}/metrics", server.url));
        answer.send().await.unwrap().text().await.unwrap()
    });

    let measured = words(&text, "flagstaff_");
    let measured: BTreeSet<_> = measured
        .iter()
        .map(|name| family(name).to_owned())
        .collect();
    let known = metrics();
    let unknown: Vec<_> = measured.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for name in [
        "flagstaff_http_requests_total",
        "flagstaff_http_request_seconds",
        "flagstaff_streams_open",
        "flagstaff_flagd_sync_requests_total",
        "flagstaff_resident_environments",
        "flagstaff_resident_identities",
    ] {
        assert!(measured.contains(name), "{name} is not among {measured:?}");
    }
    assert!(!text.contains(key), "a key stands in the metrics");
}

#[test]
fn every_variable_is_one_of_a_setting() {
    let settings = page("docs/reference/settings.md");
    // Those of Compose files themselves, and of the build.
    let others = ["FLAGSTAFF_PUBLIC_URL", "FLAGSTAFF_COMMIT"];
    let mut checked = 0;

    let operate = files("docs/operate");
    for (path, text) in files("deploy").into_iter().chain(operate) {
        for name in words(&text, "FLAGSTAFF_") {
            // Names that a template puts together.
            if others.contains(&name.as_str()) || name.ends_with("__") || name == "FLAGSTAFF_" {
                continue;
            }
            checked += 1;
            assert!(settings.contains(&format!("`{name}`")), "{path}: {name}");
        }
    }

    assert!(checked > 20, "{checked}");
}

#[test]
fn every_probe_asks_for_a_path_that_answers() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let mut paths = BTreeSet::new();
    for (_, text) in files("deploy") {
        let ends = text.split("path: /health").skip(1);
        let ends = ends.map(|rest| rest.split([',', '}', '\n']).next().unwrap());
        paths.extend(ends.map(|end| format!("/health{end}")));
    }

    assert!(paths.len() > 1, "{paths:?}");
    for path in paths {
        let (status, _) = get(&format!("{}{path}", server.url), "none");
        assert_eq!(status, 200, "{path}");
    }
}

/// The arguments in the brackets after a word of the Dockerfile.
fn arguments(word: &str) -> Vec<String> {
    let file = page("deploy/Dockerfile");
    let line = file
        .lines()
        .find_map(|line| line.trim().strip_prefix(&format!("{word} [")))
        .unwrap();
    serde_json::from_str(&format!("[{line}")).unwrap()
}

#[test]
fn the_image_starts_and_asks_a_program_that_understands() {
    let database = Database::sqlite();
    let entry = arguments("ENTRYPOINT");
    let serve = arguments("CMD");
    assert_eq!(
        serve,
        [entry[0].as_str(), "health"],
        "the first is the health check"
    );

    succeed(flagstaff(&database).args(["health", "--help"]));
    let file = page("deploy/Dockerfile");
    assert!(file.trim_end().ends_with("CMD [\"serve\"]"));
    assert!(file.contains("COPY --from=build /out/flagstaff /usr/local/bin/flagstaff"));
    assert!(file.contains("\nUSER 65532:0\n"));
    let version = page("Cargo.toml");
    let version = version
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap();
    let image = format!("FROM rust:{}-bookworm", version.trim_matches('"'));
    assert!(
        file.contains(&image),
        "the Dockerfile builds with another Rust"
    );
}

/// Commands of the Compose files that start this program, with the settings that they give it.
#[test]
fn the_services_of_compose_files_start() {
    for file in ["sqlite", "postgres"] {
        let text = page(&format!("deploy/compose/{file}.yaml"));
        assert!(text.contains("command: [\"serve\"]"), "{file}");
        assert!(text.contains("dockerfile: deploy/Dockerfile"), "{file}");
        assert!(text.contains("read_only: true"), "{file}");
    }
    // A root that nothing is written to: only the folder of the database is there.
    let database = Database::sqlite();
    let variables = [
        ("FLAGSTAFF_SERVER__PUBLIC_URL", "http://127.0.0.1:8000"),
        ("FLAGSTAFF_SERVER__DEMO", "false"),
    ];
    let server = Server::start_with(&database, &variables);

    let (status, _) = get(&format!("{}/health/readiness", server.url), "none");

    assert_eq!(status, 200);
    server.stop();
    let allowed = [
        "flagstaff.db",
        "flagstaff.db.lock",
        "flagstaff.db-wal",
        "flagstaff.db-shm",
    ];
    for entry in fs::read_dir(database.folder()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert!(
            allowed.contains(&name.as_str()) || name.starts_with("server-"),
            "{name} was written beside the database"
        );
    }
}

#[test]
fn the_chart_has_the_version_of_the_program() {
    let chart = page("deploy/helm/flagstaff/Chart.yaml");
    let version = env!("CARGO_PKG_VERSION");

    assert!(
        chart.contains(&format!("appVersion: \"{version}\"")),
        "{chart}"
    );
}
