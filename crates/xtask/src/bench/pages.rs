//! How long the server takes for each page of the dashboard on a large SQLite database.
//!
//! The database is filled by statements: 10,000 features, 1,000 segments, a million identities, a million audit
//! entries, thirty days of usage. Pages are asked for by curl, one after the other; its time to the first byte is the
//! server's, on one machine.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::server::{Server, flagstaff_command};
use crate::command::output;

const PASSWORD: &str = "a-long-enough-Passw0rd";
/// How often each page is asked for.
const TIMES: usize = 15;
/// The most milliseconds that a page may take.
const AIM: f64 = 100.0;

/// Pages by what they are called, with `{key}`, `{project}` and `{organisation}` for what was made.
const PAGES: &[(&str, &str)] = &[
    ("start", "/"),
    ("features", "/environments/{key}/features"),
    (
        "features, searched",
        "/environments/{key}/features?search=77",
    ),
    ("feature", "/environments/{key}/features/5000"),
    ("segments", "/environments/{key}/segments"),
    ("segment", "/environments/{key}/segments/500"),
    ("identities", "/environments/{key}/identities"),
    (
        "identities, searched",
        "/environments/{key}/identities?search=user-77",
    ),
    ("identity", "/environments/{key}/identities/500000"),
    ("scheduled", "/environments/{key}/scheduled"),
    ("lifecycle", "/environments/{key}/lifecycle"),
    ("usage", "/environments/{key}/usage"),
    ("usage, 90 days", "/environments/{key}/usage?period=90d"),
    ("usage of a feature", "/environments/{key}/usage?feature=77"),
    ("audit log", "/projects/{project}/audit"),
    (
        "audit log, searched",
        "/projects/{project}/audit?search=feature-4242",
    ),
    (
        "audit log, a rare noun",
        "/projects/{project}/audit?noun=tag",
    ),
    (
        "audit log, a day",
        "/projects/{project}/audit?since=2025-06-01&until=2025-06-01",
    ),
    (
        "audit log, a feature",
        "/projects/{project}/audit?feature=77",
    ),
    (
        "audit log, a member",
        "/organisations/{organisation}/audit?actor=member-1",
    ),
    ("environment settings", "/environments/{key}/settings"),
    ("environment keys", "/environments/{key}/keys"),
    ("project settings", "/projects/{project}/settings"),
    ("flagd", "/projects/{project}/flagd"),
    ("organisation", "/organisations/{organisation}"),
    ("members", "/organisations/{organisation}/members"),
    ("permissions", "/projects/{project}/permissions"),
    ("about", "/about"),
];

/// Makes the database, asks for every page and tells how long each took.
pub(super) fn run(binary: &Path, folder: &Path) -> Result<String> {
    fs::create_dir_all(folder)?;
    let mut bootstrap = flagstaff_command(binary, folder);
    let made = output(bootstrap.args([
        "bootstrap",
        "--organisation",
        "Acme",
        "--project",
        "shop",
        "--environment",
        "production",
        "--admin-password",
        PASSWORD,
    ]))?;
    drop(made);
    let database = folder.join("bench.db");
    sql(&database, SEED)?;
    let find =
        |statement: &str| Ok::<_, anyhow::Error>(sql(&database, statement)?.trim().to_owned());
    let key = find("SELECT api_key FROM environments ORDER BY id LIMIT 1;")?;
    let project = find("SELECT id FROM projects ORDER BY id LIMIT 1;")?;
    let organisation = find("SELECT id FROM organisations ORDER BY id LIMIT 1;")?;
    let server = Server::flagstaff(binary, folder)?;
    let jar = folder.join("cookies");
    sign_in(&server, &jar)?;
    let mut lines = vec![
        "| page | status | median, ms | longest, ms | KiB |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    for (name, path) in PAGES {
        let path = path
            .replace("{key}", &key)
            .replace("{project}", &project)
            .replace("{organisation}", &organisation);
        lines.push(measure(&server, &jar, name, &path)?);
    }
    Ok(lines.join("\n"))
}

/// One page: asked for once to warm up, then measured.
fn measure(server: &Server, jar: &Path, name: &str, path: &str) -> Result<String> {
    let url = format!("http://{}{path}", server.address);
    let mut times = Vec::with_capacity(TIMES);
    let mut last = (String::new(), 0.0);
    for round in 0..=TIMES {
        let form = "%{http_code} %{time_starttransfer} %{size_download}";
        let told = output(curl(jar).args(["-o", "/dev/null", "-w", form, &url]))?;
        let mut parts = told.split_whitespace();
        let status = parts.next().unwrap_or_default().to_owned();
        let seconds: f64 = parts.next().unwrap_or_default().parse()?;
        let bytes: f64 = parts.next().unwrap_or_default().parse()?;
        if round > 0 {
            times.push(seconds * 1000.0);
        }
        last = (status, bytes / 1024.0);
        thread::sleep(Duration::from_millis(5));
    }
    let longest = times.iter().copied().fold(0.0, f64::max);
    let median = super::median(times);
    let mark = if median > AIM { " (over the aim)" } else { "" };
    let (status, kibibytes) = last;
    Ok(format!(
        "| {name} | {status} | {median:.1}{mark} | {longest:.1} | {kibibytes:.0} |"
    ))
}

/// Signs in through the form, as a browser does.
fn sign_in(server: &Server, jar: &Path) -> Result<()> {
    let url = format!("http://{}/", server.address);
    let page = output(curl(jar).arg(&url))?;
    let token = page
        .split("name=\"form_token\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .context("the sign-in form has no token")?;
    let fields = [
        format!("form_token={token}"),
        "email=admin@example.com".to_owned(),
        format!("password={PASSWORD}"),
    ];
    let mut command = curl(jar);
    for field in &fields {
        command.args(["--data-urlencode", field]);
    }
    let form = "%{http_code}";
    let status = output(command.args(["-o", "/dev/null", "-w", form, &format!("{url}sign-in")]))?;
    if status.trim() != "303" {
        bail!("signing in was answered with {status}");
    }
    Ok(())
}

fn curl(jar: &Path) -> Command {
    let mut command = Command::new("curl");
    command.args(["-s", "--max-time", "60", "-b"]);
    command.arg(jar).arg("-c").arg(jar);
    command
}

/// Runs statements on the file; nobody else has it open.
fn sql(database: &Path, statements: &str) -> Result<String> {
    output(Command::new("sqlite3").arg(database).arg(statements))
}

/// Ids begin where `bootstrap` left off; the first of each is 1.
const SEED: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -200000;
BEGIN;
CREATE TEMP TABLE now AS SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 AS micros;
INSERT INTO features (uuid, project_id, name, name_folded, kind, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), 1, 'feature-' || i, 'feature-' || i, 'standard',
    (SELECT micros FROM now) - 8640000000000 FROM n;
INSERT INTO feature_states (uuid, feature_id, environment_id, enabled, value_type, string_value, hash_seed, version,
    live_from, created_at, updated_at)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), f.id, e.id, f.id % 2, 'unicode', 'value ' || f.id,
    CAST(f.id AS TEXT), 1, f.created_at, f.created_at, f.created_at
FROM features f CROSS JOIN environments e WHERE f.name LIKE 'feature-%';
INSERT INTO segments (uuid, project_id, name, name_folded, hash_key, created_at, updated_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), 1, 'segment-' || i, 'segment-' || i, 'key-' || i,
    (SELECT micros FROM now), (SELECT micros FROM now) FROM n;
INSERT INTO segment_rules (uuid, segment_id, kind, position)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), id, 'all', 0 FROM segments WHERE name LIKE 'segment-%';
INSERT INTO segment_conditions (uuid, rule_id, operator, property, value, position)
SELECT lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6))), id, 'EQUAL', 'plan', 'pro-' || id, 0
FROM segment_rules;
INSERT INTO identities (environment_id, identifier, identifier_key, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT 1, 'user-' || i || '@example.com', 'user-' || i || '@example.com', (SELECT micros FROM now) FROM n;
INSERT INTO audit_entries (organisation_id, sequence, previous_hash, hash, at, project_id, environment_id, actor_kind,
    actor_id, actor_name, action, noun, object_id, summary, feature_id, words_folded)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT 1, i + 1000, '', '', (SELECT micros FROM now) - (1000000 - i) * 60000000, 1,
    CASE WHEN i % 3 = 0 THEN NULL ELSE 1 END, CASE WHEN i % 1000 = 0 THEN 'system' ELSE 'member' END,
    CASE WHEN i % 1000 = 0 THEN NULL ELSE 1 END,
    CASE WHEN i % 1000 = 0 THEN 'schedule' ELSE 'admin@example.com' END, 'update', 'feature state', i % 10000 + 1,
    'Flag state updated for feature: feature-' || (i % 10000 + 1), i % 10000 + 1,
    'flag state updated for feature: feature-' || (i % 10000 + 1) || ' admin@example.com' FROM n;
UPDATE organisations SET audit_sequence = 1001000 WHERE id = 1;
INSERT INTO evaluation_counts (environment_id, feature_id, bucket_start, state, sdk_user_agent, application_name,
    application_version, count)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119)
SELECT 1, f.id, (SELECT micros FROM now) / 900000000 * 900000000 - i * 21600000000, 'enabled', 'flagsmith-python-sdk/6.3.0', '', '',
    f.id % 97 + i FROM n CROSS JOIN features f WHERE f.name LIKE 'feature-%' AND f.id % 10 < 9;
INSERT INTO evaluation_days (environment_id, day, feature_id, count)
SELECT environment_id, bucket_start / 86400000000 * 86400000000, feature_id, SUM(count) FROM evaluation_counts
GROUP BY 1, 2, 3;
INSERT INTO request_counts (environment_id, kind, bucket_start, sdk_user_agent, application_name, application_version, count)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 8639)
SELECT 1, k.kind, (SELECT micros FROM now) / 900000000 * 900000000 - i * 900000000, a.agent, 'web', '1.0', 100 + i % 50
FROM n CROSS JOIN (SELECT 'flags' AS kind UNION ALL SELECT 'identities' UNION ALL SELECT 'environment_document') k
CROSS JOIN (SELECT 'flagsmith-python-sdk/6.3.0' AS agent UNION ALL SELECT 'flagsmith-js-sdk/9.0.0'
    UNION ALL SELECT 'flagsmith-go-sdk/4.0.0') a;
INSERT INTO request_days (environment_id, day, kind, sdk_user_agent, application_name, application_version, count)
SELECT environment_id, bucket_start / 86400000000 * 86400000000, kind, sdk_user_agent, application_name,
    application_version, SUM(count) FROM request_counts GROUP BY 1, 2, 3, 4, 5, 6;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
";
