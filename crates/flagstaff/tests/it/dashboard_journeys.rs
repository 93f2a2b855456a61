//! Journeys through the dashboard in a real browser. What happens is in `crates/dashboard/tests/browser/journeys`; all of them
//! share one server and one browser, and each makes a project of its own.

use crate::database::Database;
use crate::server::Server;
use crate::skipped::required;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

/// Runs journeys, all of them where none is named, against a server that nobody has signed in to yet.
fn travel(server: &Server, names: &[&str]) {
    let Some(packages) = required("FLAGSTAFF_DASHBOARD_BROWSER") else {
        return;
    };
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dashboard/tests/browser");
    let link = server.printed_after("sign in once").unwrap();
    let output = Command::new("node")
        .arg(scripts.join("run.mjs"))
        .args(names)
        .env("NODE_FOLDER", packages)
        .env("SERVER_URL", &server.url)
        .env("SIGN_IN_LINK", link)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let _ = writeln!(std::io::stderr(), "{told}");
    assert!(
        output.status.success(),
        "{told}\n{}\nserver:\n{}",
        String::from_utf8_lossy(&output.stderr),
        server.log()
    );
}

#[test]
fn people_find_their_way_through_the_dashboard_with_script_and_without() {
    let database = Database::sqlite();
    // Journeys sign in again and again.
    let variables = [("FLAGSTAFF_SIGN_IN__ATTEMPTS_PER_MINUTE", "200")];
    let server = Server::start_with(&database, &variables);

    travel(&server, &[]);
}
