//! The pages for newcomers: every command on them is run as it stands there, but for address, keys and folder.

use crate::database::Database;
use crate::server::{Server, flagstaff, succeed};
use crate::skipped::required;
use std::path::Path;
use std::process::Command;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse battery";

pub fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    std::fs::read_to_string(path).unwrap()
}

/// The first block of code in a language after a heading.
pub fn block<'a>(page: &'a str, heading: &str, language: &str) -> &'a str {
    blocks(page, heading, language).remove(0)
}

/// All blocks of code in a language under a heading.
fn blocks<'a>(page: &'a str, heading: &str, language: &str) -> Vec<&'a str> {
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let fence = format!("```{language}\n");
    let rest = section.split(&fence).skip(1);
    rest.map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Runs lines of a shell; a failing one fails the test.
pub fn shell(database: &Database, script: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_flagstaff")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("bash");
    command
        .current_dir(database.folder())
        .env("PATH", path)
        .env("FLAGSTAFF_SERVER__DATABASE_URL", database.url())
        .args(["-euo", "pipefail", "-c", script]);
    succeed(&mut command)
}

#[test]
fn the_commands_of_the_first_five_minutes_work() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let readme = page("README.md");
    let key = server.printed_after("client key").unwrap();

    let script = block(&readme, "The first five minutes", "sh")
        .replace("http://127.0.0.1:8000", &server.url)
        .replace("UBnd9LaJWZK8V94xe87cJc", key)
        // The stream goes on for ever: two seconds of it are enough, which curl calls a failure.
        .replace("curl -N ", "! curl -N --max-time 2 ")
        .replace("curl -H", "curl -sf -H");
    let printed = shell(&database, &script);

    assert!(printed.contains(r#""name":"dark_mode""#), "{printed}");
    assert!(printed.contains(r#""identifier":"grace""#), "{printed}");
    assert!(printed.contains(r#""variant":"#), "{printed}");
}

#[test]
fn what_a_start_prints_looks_like_the_readme_says() {
    let database = Database::sqlite();
    let server = Server::start(&database);
    let readme = page("README.md");
    let shape = |text: &str| -> Vec<String> {
        let words = text
            .lines()
            .map(|line| line.split(['/', ':', '\'']).next().unwrap());
        let words = words.map(|line| line.split("  ").next().unwrap().to_owned());
        words.collect()
    };

    let documented = block(&readme, "The first five minutes", "text");
    let printed = format!("{}\nlistening on {}", server.printed.join("\n"), server.url);

    assert_eq!(shape(&printed), shape(documented.trim_end()));
}

#[test]
fn the_python_of_the_first_five_minutes_works() {
    let Some(python) = required("FLAGSTAFF_CLIENTS_PYTHON") else {
        return;
    };
    let database = Database::sqlite();
    let server = Server::start(&database);
    let readme = page("README.md");
    let key = server.printed_after("client key").unwrap();

    let script = block(&readme, "The first five minutes", "python")
        .replace("http://127.0.0.1:8000", &server.url)
        .replace("UBnd9LaJWZK8V94xe87cJc", key);
    let printed = succeed(Command::new(python).args(["-c", &script]));

    assert!(printed.contains("offline_mode True"), "{printed}");
    assert!(printed.contains("cart_limit True 20"), "{printed}");
}

#[test]
fn the_first_steps_lead_to_a_flag_of_ones_own() {
    let database = Database::sqlite();
    let guide = page("docs/guides/first-steps.md");
    std::fs::write(
        database.folder().join("password.txt"),
        format!("{PASSWORD}\n"),
    )
    .unwrap();
    let bootstrap = block(&guide, "Sign in", "sh");
    assert!(bootstrap.contains(EMAIL));
    assert!(shell(&database, bootstrap).contains("FLAGSMITH_SERVER_KEY=ser."));
    let server = Server::start(&database);

    let script = block(&guide, "Change a flag through the API", "sh")
        .replace("http://127.0.0.1:8000", &server.url);
    assert!(script.contains(PASSWORD));
    let printed = shell(&database, &script);

    assert!(
        printed.contains(r#""feature_state_value":"v2""#),
        "{printed}"
    );
}

#[test]
fn the_contexts_of_the_first_steps_are_explained() {
    let database = Database::sqlite();
    let guide = page("docs/guides/first-steps.md");

    let printed = shell(&database, block(&guide, "Evaluate without a server", "sh"));

    assert!(printed.contains(r#""explanation""#), "{printed}");
    // Nothing of a server was needed.
    assert!(!database.folder().join("flagstaff.db").exists());
}

#[test]
fn the_settings_of_the_first_steps_are_settings() {
    let database = Database::sqlite();
    let guide = page("docs/guides/first-steps.md");
    let url = database.folder().join("database_url");
    std::fs::write(&url, database.url()).unwrap();

    let settings = block(&guide, "Run it for real", "toml")
        .replace("/run/secrets/database_url", url.to_str().unwrap())
        .replace("0.0.0.0:8000", "127.0.0.1:0");
    std::fs::write(database.folder().join("flagstaff.toml"), settings).unwrap();
    let mut doctor = flagstaff(&database);
    doctor
        .env_remove("FLAGSTAFF_SERVER__DATABASE_URL")
        .env_remove("FLAGSTAFF_SERVER__LISTEN");
    let printed = succeed(doctor.arg("doctor"));

    assert!(printed.contains("settings: all known"), "{printed}");
}

#[test]
fn requirement_34_one_command_serves_flags_to_flagd_and_says_how() {
    let database = Database::sqlite();
    let guide = page("docs/guides/flagd.md");
    let command = block(&guide, "On one machine", "sh").trim();
    let arguments: Vec<&str> = command
        .strip_prefix("flagstaff ")
        .unwrap()
        .split(' ')
        .collect();
    // Its listener has a fixed port, which tests cannot share.
    let ports = [
        ("FLAGSTAFF_FLAGD__SYNC_LISTEN", "127.0.0.1:0"),
        ("FLAGSTAFF_FLAGD__EVALUATION_LISTEN", "127.0.0.1:0"),
    ];
    let server = Server::start_as(&arguments, &database, &ports);

    let question = server
        .printed
        .iter()
        .find(|line| line.starts_with("curl "))
        .unwrap();
    let answer = shell(&database, &question.replace("curl ", "curl -sf "));
    let flagd = server
        .printed
        .iter()
        .find(|line| line.starts_with("flagd start "))
        .unwrap();

    assert!(answer.contains(r#""flags":{"#), "{answer}");
    assert!(flagd.contains(&server.url), "{flagd}");
    assert!(flagd.contains("Bearer ser.local-dev-only"), "{flagd}");
}

#[test]
fn the_document_is_asked_for_as_the_flagd_guide_says() {
    let database = Database::sqlite();
    let guide = page("docs/guides/flagd.md");
    let password = database.folder().join("password.txt");
    std::fs::write(password, format!("{PASSWORD}\n")).unwrap();
    let [set_up, questions] = blocks(&guide, "From a shell", "sh")[..] else {
        panic!("the guide has other blocks");
    };
    assert!(shell(&database, set_up).contains("FLAGSMITH_SERVER_KEY=ser."));
    let server = Server::start(&database);

    let answers = shell(
        &database,
        &questions.replace("http://127.0.0.1:8000", &server.url),
    );

    assert!(answers.contains(r#""flags":{"#), "{answers}");
    assert!(answers.contains("304\n"), "{answers}");
    assert!(answers.contains(r#""totalWarnings":0"#), "{answers}");
    let held = std::fs::read(database.folder().join("run/flags.json")).unwrap();
    assert!(!held.is_empty());

    let switch = block(&guide, "For a project that is there already", "sh");
    let switched = shell(
        &database,
        &switch.replace("http://127.0.0.1:8000", &server.url),
    );
    assert!(switched.contains(r#""enabled":true"#), "{switched}");
}

/// Compose itself is not run: its commands are, by hand and in its order.
#[test]
fn requirement_34_the_commands_of_the_compose_file_serve_flags_to_flagd() {
    let database = Database::sqlite();
    let compose = page("deploy/compose/flagd.yaml");
    let key = "ser.local-dev-only";
    let pinned = format!("${{FLAGSMITH_SERVER_KEY:-{key}}}");
    let commands: Vec<Vec<String>> = compose
        .lines()
        .filter_map(|line| line.trim().strip_prefix("command: "))
        .map(|line| serde_json::from_str(&line.replace(&pinned, key)).unwrap())
        .collect();
    let [set_up, serve, flagd] = &commands[..] else {
        panic!("{commands:?}");
    };

    let printed = succeed(flagstaff(&database).args(set_up));
    let serve: Vec<&str> = serve.iter().map(String::as_str).collect();
    let server = Server::start_as(&serve, &database, &[]);
    let sources: serde_json::Value = serde_json::from_str(&flagd[2]).unwrap();
    let text = |name: &str| sources[0][name].as_str().unwrap().to_owned();
    let uri = text("uri").replace("http://flagstaff:8000", &server.url);
    let question = format!("curl -sf -H 'Authorization: {}' {uri}", text("authHeader"));
    let answer = shell(&database, &question);

    assert!(
        printed.contains(&format!("FLAGSMITH_SERVER_KEY={key}")),
        "{printed}"
    );
    assert_eq!(flagd[..2], ["start", "--sources"]);
    assert!(answer.contains(r#""flags":{"#), "{answer}");
    assert!(
        !compose.contains("healthcheck:"),
        "flagd's image has nothing to run one with"
    );
}
