//! ROL-5 to ROL-12: what is read and written, against a server that answers as Flagsmith does.

use crate::fake::{Fake, Reply, TOKEN};
use crate::flagsmith::{World, serve, world};
use crate::host::{Plugin, step};
use serde_json::json;
use std::collections::VecDeque;
use tonic::Code;

fn launch(fake: &Fake, more: &[(&str, &str)]) -> Plugin {
    let mut variables = fake.variables().to_vec();
    variables.extend_from_slice(more);
    Plugin::launch(&variables)
}

fn versioned() -> World {
    World {
        versioned: true,
        ..world()
    }
}

#[tokio::test]
async fn rol_5_what_is_written_by_default_is_what_the_first_plugin_wrote() {
    let (fake, _) = serve(world());
    let plugin = launch(&fake, &[]);

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    let writes = fake.writes();
    assert_eq!(writes[0].method, "PATCH");
    assert_eq!(
        writes[0].path,
        "/api/v1/environments/ENVKEY7890/featurestates/5/"
    );
    assert_eq!(
        writes[0].body,
        json!({"enabled": true, "feature_state_value": "25"})
    );
    assert_eq!(writes[0].authorization, format!("Token {TOKEN}"));
}

#[tokio::test]
async fn rol_5_a_server_that_answers_only_the_least_will_do() {
    // The least that the first plugin could work with.
    let fake = Fake::start(|asked| match asked.method.as_str() {
        "GET" => Reply::Json(200, json!({"results": [{"id": 7, "name": "checkout"}]})),
        _ => Reply::Json(200, json!({})),
    });
    let plugin = launch(&fake, &[]);

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    assert_eq!(fake.writes().len(), 1);
    assert!(plugin.log().contains("unverified"));
}

#[tokio::test]
async fn rol_5_a_key_of_an_organisation_is_shown_as_one() {
    let (fake, _) = serve(world());
    let plugin = launch(
        &fake,
        &[("FLAGSTAFF_ROLLOPS__TOKEN", "abcdefgh.0123456789")],
    );

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    let asked = fake.asked();
    assert!(
        asked
            .iter()
            .all(|each| each.authorization == "Api-Key abcdefgh.0123456789")
    );
}

#[tokio::test]
async fn rol_6_the_value_may_be_a_number() {
    let (fake, shared) = serve(world());
    let plugin = launch(&fake, &[("FLAGSTAFF_ROLLOPS__MODE", "value-int")]);

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    assert_eq!(shared.lock().unwrap().value, json!(25));
}

#[tokio::test]
async fn rol_6_the_weight_of_one_variant_is_the_share_and_the_value_stays() {
    for start in [world(), versioned()] {
        let (fake, shared) = serve(start);
        let mode = [
            ("FLAGSTAFF_ROLLOPS__MODE", "multivariate"),
            ("FLAGSTAFF_ROLLOPS__VARIANT", "blue"),
        ];
        let plugin = launch(&fake, &mode);

        plugin.apply(&step("checkout", 65, false)).await.unwrap();

        let now = shared.lock().unwrap().clone();
        assert_eq!(now.weights, [(1, 65.0), (2, 10.0)]);
        assert_eq!((now.enabled, now.value), (true, json!("hello")));
    }
}

#[tokio::test]
async fn rol_6_enabled_only_leaves_the_value_alone() {
    for start in [world(), versioned()] {
        let (fake, shared) = serve(start);
        let plugin = launch(&fake, &[("FLAGSTAFF_ROLLOPS__MODE", "enabled-only")]);

        plugin.apply(&step("checkout", 0, true)).await.unwrap();

        let now = shared.lock().unwrap().clone();
        assert_eq!((now.enabled, now.value), (false, json!("hello")));
    }
}

#[tokio::test]
async fn rol_6_a_map_gives_a_flag_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("modes.json");
    std::fs::write(&path, r#"{"checkout": {"mode": "value-int"}}"#).unwrap();
    let (fake, shared) = serve(world());
    let plugin = launch(
        &fake,
        &[("FLAGSTAFF_ROLLOPS__MODES_FILE", path.to_str().unwrap())],
    );

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    assert_eq!(shared.lock().unwrap().value, json!(25));
}

#[tokio::test]
async fn rol_7_with_versions_one_is_published_with_everything_in_it() {
    let (fake, _) = serve(versioned());
    let plugin = launch(&fake, &[]);

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    let writes = fake.writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(
        writes[0].path,
        "/api/v1/environments/3/features/11/versions/"
    );
    let expected = json!({
        "feature_states_to_update": [{
            "feature_segment": null,
            "enabled": true,
            "feature_state_value": {"type": "unicode", "string_value": "25"},
            "multivariate_feature_state_values": [
                {"multivariate_feature_option": 1, "percentage_allocation": 30.0},
                {"multivariate_feature_option": 2, "percentage_allocation": 20.0},
            ],
        }],
        "publish_immediately": true,
    });
    assert_eq!(writes[0].body, expected);
}

#[tokio::test]
async fn rol_7_approval_is_not_gone_around() {
    for approvals in [0, 2] {
        let start = World {
            approvals: approvals.into(),
            ..world()
        };
        let (fake, _) = serve(start);
        let plugin = launch(&fake, &[]);

        let status = plugin
            .apply(&step("checkout", 25, false))
            .await
            .unwrap_err();

        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(
            status
                .message()
                .contains("environment ENVKEY… requires approval"),
            "{status}"
        );
        assert!(fake.writes().is_empty());
    }
}

#[tokio::test]
async fn rol_8_nothing_is_written_where_nothing_would_change() {
    let start = World {
        value: json!("25"),
        ..world()
    };
    let (fake, _) = serve(start);
    let plugin = launch(&fake, &[]);

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    assert!(fake.writes().is_empty());
    assert!(plugin.log().contains(r#""outcome":"unchanged""#));
}

#[tokio::test]
async fn rol_8_what_is_not_found_again_is_reported() {
    let start = World {
        forgets: true,
        ..world()
    };
    let (fake, _) = serve(start);
    let plugin = launch(&fake, &[]);

    let status = plugin
        .apply(&step("checkout", 25, false))
        .await
        .unwrap_err();

    assert_eq!(status.code(), Code::Aborted);
    assert!(
        status.message().contains("somebody else changes it too"),
        "{status}"
    );
}

#[tokio::test]
async fn rol_9_a_rollback_brings_back_what_was_there_before_the_canary() {
    for start in [world(), versioned()] {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let (fake, shared) = serve(start);
        let restore = [("FLAGSTAFF_ROLLOPS__RESTORE_FOLDER", kept.to_str().unwrap())];
        // A program of its own for each step, as the host has it.
        for percentage in [10, 50] {
            let plugin = launch(&fake, &restore);
            plugin
                .apply(&step("checkout", percentage, false))
                .await
                .unwrap();
        }
        let before = fake.writes().len();

        launch(&fake, &restore)
            .apply(&step("checkout", 0, true))
            .await
            .unwrap();

        let now = shared.lock().unwrap().clone();
        assert_eq!((now.enabled, now.value), (false, json!("hello")));
        assert_eq!(fake.writes().len(), before + 1);
        assert_eq!(std::fs::read_dir(&kept).unwrap().count(), 0);
    }
}

#[tokio::test]
async fn rol_10_trouble_that_passes_is_waited_for() {
    for trouble in [
        Reply::Json(503, json!({})),
        Reply::Header(429, "retry-after", "0".to_owned()),
        Reply::HangUp,
        Reply::Half,
    ] {
        for start in [world(), versioned()] {
            let start = World {
                troubles: VecDeque::from([(false, trouble.clone()), (false, trouble.clone())]),
                ..start
            };
            let (fake, shared) = serve(start);
            let plugin = launch(&fake, &[]);

            plugin.apply(&step("checkout", 25, false)).await.unwrap();

            assert_eq!(fake.writes().len(), 3, "{trouble:?}");
            assert_eq!(shared.lock().unwrap().value, json!("25"));
        }
    }
}

#[tokio::test]
async fn rol_10_a_write_whose_answer_was_lost_is_not_made_again() {
    for start in [world(), versioned()] {
        let start = World {
            troubles: VecDeque::from([(true, Reply::HangUp)]),
            ..start
        };
        let (fake, shared) = serve(start);
        let plugin = launch(&fake, &[]);

        plugin.apply(&step("checkout", 25, false)).await.unwrap();

        assert_eq!(fake.writes().len(), 1);
        assert_eq!(shared.lock().unwrap().value, json!("25"));
    }
}

#[tokio::test]
async fn rol_11_the_log_says_what_was_done_and_no_secret() {
    let (fake, _) = serve(world());
    let plugin = launch(&fake, &[]);
    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    let log = plugin.log();

    assert!(!log.contains(TOKEN) && !log.contains("ENVKEY7890"), "{log}");
    let line: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(line["event"], "apply_flag");
    assert_eq!(line["environment"], "ENVKEY…");
    assert_eq!(line["from"]["value"], "hello");
    assert_eq!(line["to"]["value"], "25");
    assert_eq!(line["outcome"], "written");
    assert!(
        line["ms"].is_u64() && line["attempts"].as_u64() >= Some(5),
        "{line}"
    );
}

#[tokio::test]
async fn rol_12_a_dry_run_succeeds_and_writes_nothing() {
    let (fake, _) = serve(world());
    let plugin = launch(&fake, &[("FLAGSTAFF_ROLLOPS__DRY_RUN", "1")]);

    plugin.apply(&step("checkout", 25, false)).await.unwrap();

    assert!(fake.writes().is_empty());
    let log = plugin.log();
    assert!(log.contains(r#""outcome":"planned""#), "{log}");
}

#[tokio::test]
async fn a_name_in_another_case_is_found_where_one_flag_is_meant() {
    let (fake, shared) = serve(world());
    let plugin = launch(&fake, &[]);

    plugin.apply(&step("CheckOut", 25, false)).await.unwrap();

    assert_eq!(shared.lock().unwrap().value, json!("25"));
    assert!(plugin.log().contains("name_differs"));
}
