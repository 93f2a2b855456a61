//! ROL-10 and ROL-15: whatever is wrong, Rollops gets a code and one line, and nothing is half done.

use crate::fake::{Fake, Reply, TOKEN};
use crate::flagsmith::{World, answer, serve, world};
use crate::host::{Plugin, call, invocation, step};
use serde_json::json;
use std::net::TcpListener;
use std::time::{Duration, Instant};
use tonic::{Code, Status};

/// What a server says that must not be repeated.
const BODY: &str = "<html>internal: password hunter2</html>";

async fn refusal(fake: &Fake) -> Status {
    let plugin = Plugin::launch(&fake.variables());
    let status = plugin
        .apply(&step("checkout", 25, false))
        .await
        .unwrap_err();
    check(plugin, &status);
    status
}

fn check(plugin: Plugin, status: &Status) {
    let log = plugin.log();
    for text in [status.message(), &log] {
        assert!(!text.contains(TOKEN) && !text.contains("hunter2"), "{text}");
    }
    assert!(
        !status.message().contains('\n') && status.message().len() < 400,
        "{status}"
    );
    assert!(log.contains("failed: "), "{log}");
}

#[tokio::test]
async fn rol_15_each_answer_of_a_server_has_its_code_and_its_remedy() {
    let redirect = "http://elsewhere.example:81/api/v1/".to_owned();
    for (reply, code, words) in [
        (
            Reply::Text(401, BODY),
            Code::Unauthenticated,
            "check FLAGSMITH_TOKEN",
        ),
        (
            Reply::Text(403, BODY),
            Code::PermissionDenied,
            "the token may not do this",
        ),
        (
            Reply::Text(404, BODY),
            Code::NotFound,
            "the environment was not found",
        ),
        (
            Reply::Text(400, BODY),
            Code::FailedPrecondition,
            "status 400",
        ),
        (
            Reply::Text(409, BODY),
            Code::FailedPrecondition,
            "change request",
        ),
        (Reply::Text(500, BODY), Code::Unavailable, "status 500"),
        (Reply::Text(502, BODY), Code::Unavailable, "status 502"),
        (
            Reply::Header(503, "retry-after", "600".to_owned()),
            Code::Unavailable,
            "status 503",
        ),
        (
            Reply::Header(429, "retry-after", "600".to_owned()),
            Code::ResourceExhausted,
            "429",
        ),
        (
            Reply::Header(302, "location", redirect),
            Code::FailedPrecondition,
            "http://elsewhere.example:81",
        ),
        (
            Reply::Header(301, "location", "/login".to_owned()),
            Code::FailedPrecondition,
            "set FLAGSMITH_API_URL",
        ),
        (
            Reply::Text(200, BODY),
            Code::Internal,
            "the answer is not JSON",
        ),
        (
            Reply::Json(200, json!("hello")),
            Code::Internal,
            "the answer is not one of Flagsmith's",
        ),
        (Reply::Half, Code::Unavailable, "the answer broke off"),
        (Reply::HangUp, Code::Unavailable, "the answer broke off"),
    ] {
        let given = reply.clone();
        let fake = Fake::start(move |_| given.clone());

        let status = refusal(&fake).await;

        assert_eq!(status.code(), code, "{reply:?}: {status}");
        assert!(status.message().contains(words), "{reply:?}: {status}");
        assert!(fake.writes().is_empty());
    }
}

#[tokio::test]
async fn rol_15_a_refused_write_has_its_code_and_is_made_once() {
    for (reply, code, words) in [
        (
            Reply::Text(400, BODY),
            Code::FailedPrecondition,
            "writing the flag's state",
        ),
        (
            Reply::Text(403, BODY),
            Code::PermissionDenied,
            "writing the flag's state",
        ),
        (
            Reply::Text(409, BODY),
            Code::FailedPrecondition,
            "change request",
        ),
        (Reply::Text(401, BODY), Code::Unauthenticated, "token"),
    ] {
        let start = World {
            troubles: [(false, reply)].into(),
            ..world()
        };
        let (fake, shared) = serve(start);

        let status = refusal(&fake).await;

        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(words), "{status}");
        assert_eq!(fake.writes().len(), 1);
        assert_eq!(shared.lock().unwrap().value, json!("hello"));
    }
}

#[tokio::test]
async fn rol_10_a_redirect_gets_no_token() {
    let other = Fake::start(|_| Reply::Json(200, json!({})));
    let to = format!("{}/", other.url);
    let fake = Fake::start(move |_| Reply::Header(307, "location", to.clone()));

    let status = refusal(&fake).await;

    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn rol_10_a_server_that_is_away_is_said_so_after_three_attempts() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("http://127.0.0.1:{port}/api/v1");
    let variables = [
        ("FLAGSMITH_API_URL", url.as_str()),
        ("FLAGSMITH_TOKEN", TOKEN),
        ("FLAGSMITH_PROJECT_ID", "7"),
    ];
    let plugin = Plugin::launch(&variables);

    let status = plugin
        .apply(&step("checkout", 25, false))
        .await
        .unwrap_err();

    assert_eq!(status.code(), Code::Unavailable);
    assert!(
        status.message().starts_with("no connection to the server"),
        "{status}"
    );
    check(plugin, &status);
}

#[tokio::test]
async fn rol_10_a_slow_server_gets_no_more_time_than_the_host_gives() {
    let late = Reply::Late(
        Duration::from_secs(20),
        Box::new(Reply::Json(200, json!({}))),
    );
    let fake = Fake::start(move |_| late.clone());
    let plugin = Plugin::launch(&fake.variables());
    let message = invocation(&step("checkout", 25, false));
    let begin = Instant::now();

    let limit = Some(Duration::from_millis(1500));
    let answer = call(plugin.channel().await, "InvokeTool", &message, limit).await;

    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    // Ours, and not that of the library below, which comes without words.
    assert!(status.message().contains("no answer in time"), "{status}");
    assert!(
        begin.elapsed() < Duration::from_millis(1500),
        "{:?}",
        begin.elapsed()
    );
    check(plugin, &status);
}

#[tokio::test]
async fn what_is_not_there_or_not_the_only_one_is_named() {
    let (fake, _) = serve(world());
    let plugin = Plugin::launch(&fake.variables());
    let missing = plugin.apply(&step("pay", 25, false)).await.unwrap_err();
    assert_eq!(missing.code(), Code::NotFound);
    assert!(
        missing
            .message()
            .contains("the flag `pay` was not found in project 7"),
        "{missing}"
    );

    let start = World {
        project: 8,
        ..world()
    };
    let (fake, _) = serve(start);
    let plugin = Plugin::launch(&fake.variables());
    let foreign = plugin
        .apply(&step("checkout", 25, false))
        .await
        .unwrap_err();
    assert_eq!(foreign.code(), Code::FailedPrecondition);
    assert!(
        foreign.message().contains("belongs to project 8"),
        "{foreign}"
    );

    for (rows, code, words) in [
        (json!([]), Code::NotFound, "has no state"),
        (
            json!([{"id": 1}, {"id": 2}]),
            Code::FailedPrecondition,
            "several default states",
        ),
        (
            json!([{"id": 1, "feature_segment": 4}]),
            Code::NotFound,
            "has no state",
        ),
    ] {
        let mut held = world();
        let fake = Fake::start(move |asked| {
            if asked.path.contains("featurestates") {
                return Reply::Json(200, json!({"next": null, "results": rows.clone()}));
            }
            answer(&mut held, asked)
        });
        let status = refusal(&fake).await;
        assert_eq!(status.code(), code);
        assert!(status.message().contains(words), "{status}");
        assert!(fake.writes().is_empty());
    }
}

#[tokio::test]
async fn input_that_is_no_change_asks_nothing_of_the_server() {
    let (fake, _) = serve(world());
    let plugin = Plugin::launch(&fake.variables());

    for (input, words) in [
        ("", "is not JSON"),
        ("{}", "invalid flag: it is empty"),
        (&step("checkout", 101, false), "invalid percentage: 101"),
        (&step("checkout", -1, false), "invalid percentage: -1"),
        (
            r#"{"flag":"x","environment":"","percentage":5}"#,
            "invalid environment: it is empty",
        ),
        (
            r#"{"flag":"x","environment":"e","percentage":5.5}"#,
            "not a whole number",
        ),
    ] {
        let status = plugin.apply(input).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{input}");
        assert!(status.message().contains(words), "{status}");
    }
    assert!(fake.asked().is_empty());
}

#[tokio::test]
async fn settings_that_are_wrong_are_told_to_whoever_calls() {
    for (variables, words) in [
        (vec![], "FLAGSMITH_TOKEN is not set"),
        (
            vec![("FLAGSMITH_TOKEN", TOKEN)],
            "FLAGSMITH_PROJECT_ID is not set",
        ),
        (
            vec![("FLAGSMITH_TOKEN", TOKEN), ("FLAGSMITH_PROJECT_ID", "shop")],
            "invalid FLAGSMITH_PROJECT_ID",
        ),
    ] {
        let plugin = Plugin::launch(&variables);

        let status = plugin
            .apply(&step("checkout", 25, false))
            .await
            .unwrap_err();

        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains(words), "{status}");
        assert!(plugin.call("GetManifest", b"").await.is_ok());
        assert!(!plugin.log().contains(TOKEN));
    }
}
