//! A canary and its rollback as a Flagsmith SDK and an OpenFeature client see each step.

use super::host::Host;
use crate::clients::folder;
use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use crate::skipped::required;
use serde_json::json;
use std::process::Command;

#[test]
fn each_step_is_seen_by_a_flagsmith_sdk_and_by_an_openfeature_client() {
    let (Some(flagsmith), Some(openfeature)) = (
        required("FLAGSTAFF_CLIENTS_PYTHON"),
        required("FLAGSTAFF_OPENFEATURE_PYTHON"),
    ) else {
        return;
    };
    block_on(async {
        let database = Database::sqlite();
        let prepared = Desk::prepare(&database);
        let server = Server::start(&database);
        let desk = prepared.sign_in(&server).await;
        desk.feature(&server, "checkout").await;
        let Some(host) = Host::of(&desk, &server).await else {
            return;
        };

        for (percentage, disabled) in [(10, false), (50, false), (100, false), (0, true)] {
            host.apply("checkout", percentage, disabled).await.unwrap();

            let expected = json!({ "enabled": !disabled, "value": percentage.to_string() });
            for (python, script) in [
                (&flagsmith, "python/rollout_step.py"),
                (&openfeature, "openfeature/python/rollout_step.py"),
            ] {
                let mut command = Command::new(python);
                let output = command
                    .arg("-B")
                    .arg(folder().join(script))
                    .env("SERVER_URL", &server.url)
                    .env("SERVER_KEY", &desk.server_key)
                    .env("EXPECTED", expected.to_string())
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{script} at {percentage}: {said}");
            }
        }
    });
}
