//! How long the server takes for each page of the dashboard on a large SQLite database.
//!
//! The database is filled by statements (`pages.sql`): 10,000 features, 1,000 segments, a million identities, a million
//! audit entries, thirty days of usage. Pages are asked for by curl, one after the other; its time to the first byte is the
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
/// The one page that may take longer, and how long: every identifier is looked at.
const BY_A_PART: &str = "identities, by a part";
const AIM_BY_A_PART: f64 = 1000.0;
/// The most KiB that a page may weigh.
const WEIGHT: f64 = 200.0;

/// Pages by what they are called, with `{key}`, `{project}` and `{organisation}` for what was made.
const PAGES: &[(&str, &str)] = &[
    ("start", "/"),
    ("account", "/account"),
    ("features", "/environments/{key}/features"),
    (
        "features, the last",
        "/environments/{key}/features?page=200",
    ),
    ("features, searched", "/environments/{key}/features?q=77"),
    (
        "features, by tag, owner and value",
        "/environments/{key}/features?tag=5&owner=1&value=value&sort=changed",
    ),
    (
        "features, stale",
        "/environments/{key}/features?state=stale",
    ),
    ("feature", "/environments/{key}/features/4200"),
    (
        "feature, another override",
        "/environments/{key}/features/4200/overrides/new",
    ),
    (
        "feature, schedule",
        "/environments/{key}/features/4200/schedule",
    ),
    (
        "feature, versions",
        "/environments/{key}/features/4200/versions",
    ),
    (
        "feature, compared",
        "/environments/{key}/features/4200/compare",
    ),
    (
        "feature, history",
        "/environments/{key}/features/4200/history",
    ),
    ("feature, code", "/environments/{key}/features/4200/code"),
    (
        "feature, settings",
        "/environments/{key}/features/4200/settings",
    ),
    ("segments", "/environments/{key}/segments"),
    ("segment", "/environments/{key}/segments/500"),
    ("identities", "/environments/{key}/identities"),
    (
        "identities, by a beginning",
        "/environments/{key}/identities?q=user-77",
    ),
    (
        "identities, exactly",
        "/environments/{key}/identities?q=user-777777@example.com",
    ),
    (
        BY_A_PART,
        "/environments/{key}/identities?q=99999@&anywhere=on",
    ),
    ("identity", "/environments/{key}/identities/500000"),
    (
        "identity, why",
        "/environments/{key}/identities/500000/why/4200",
    ),
    ("scheduled", "/environments/{key}/scheduled"),
    ("rollouts", "/environments/{key}/rollouts"),
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
    ("environment permissions", "/environments/{key}/permissions"),
    ("project settings", "/projects/{project}/settings"),
    ("project permissions", "/projects/{project}/permissions"),
    ("flagd", "/projects/{project}/flagd"),
    ("organisation", "/organisations/{organisation}"),
    ("members", "/organisations/{organisation}/members"),
    ("API keys", "/organisations/{organisation}/api-keys"),
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
    sql(&database, &SEED.replace("{uuid}", UUID))?;
    let find =
        |statement: &str| Ok::<_, anyhow::Error>(sql(&database, statement)?.trim().to_owned());
    let key = find("SELECT api_key FROM environments ORDER BY id LIMIT 1;")?;
    let project = find("SELECT id FROM projects ORDER BY id LIMIT 1;")?;
    let organisation = find("SELECT id FROM organisations ORDER BY id LIMIT 1;")?;
    let server = Server::flagstaff(binary, folder)?;
    let jar = folder.join("cookies");
    sign_in(&server, &jar)?;
    let mut lines = vec![
        "| page | median, ms | longest, ms | KiB |".to_owned(),
        "|---|---|---|---|".to_owned(),
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
    let (status, kibibytes) = last;
    if status != "200" {
        bail!("{path} was answered with {status}");
    }
    let aim = if name == BY_A_PART {
        AIM_BY_A_PART
    } else {
        AIM
    };
    let mark = if median > aim || kibibytes > WEIGHT {
        " (over the aim)"
    } else {
        ""
    };
    Ok(format!(
        "| {name} | {median:.1}{mark} | {longest:.1} | {kibibytes:.0} |"
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
const SEED: &str = include_str!("pages.sql");

/// A random version 4.
const UUID: &str = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8' ||
    substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";
