use super::desk::Desk;
use serde_json::{Value as Json, json};

/// Asks for flags so many times as an SDK, and reports evaluations of `checkout`.
async fn use_flags(desk: &Desk, times: usize, agent: &str) {
    for _ in 0..times {
        let ask = desk.face.keyless("GET", "/api/v1/flags/");
        let ask = ask.header("x-environment-key", &desk.key);
        ask.header("user-agent", agent).send().await;
    }
    let report = json!({ "evaluations": [
        { "feature_name": "checkout", "enabled_when_evaluated": true, "count": 5 },
        { "feature_name": "checkout", "enabled_when_evaluated": false, "count": 2 },
    ] });
    let ask = desk.face.keyless("POST", "/api/v2/analytics/flags/");
    let ask = ask.header("x-environment-key", &desk.key);
    let ask = ask.header("content-type", "application/json");
    let reply = ask
        .header("user-agent", agent)
        .body(report.to_string())
        .send()
        .await;
    assert_eq!(reply.status, 204, "{}", reply.text());
    desk.face.service.flush_usage().await.unwrap();
}

async fn environment_id(desk: &Desk) -> Json {
    desk.get(&desk.in_environment("")).await.json()["id"].clone()
}

#[tokio::test]
async fn requests_are_told_by_day_and_client() {
    let desk = Desk::open().await;
    desk.make_feature(json!({ "name": "checkout" })).await;
    use_flags(&desk, 3, "flagsmith-python-sdk/6.3.0").await;
    use_flags(&desk, 1, "flagsmith-go-sdk/4.0.0").await;
    let list = format!("/api/v1/organisations/{}/usage-data/", desk.organisation);
    let get = async |query: &str| desk.get(&format!("{list}{query}")).await.json();

    let rows = get("").await;
    let total = get("total-count/").await;

    assert_eq!(
        rows[1],
        json!({
            "flags": 3,
            "identities": 0,
            "traits": 0,
            "environment_document": 0,
            "day": "2026-11-21",
            "labels": {
                "client_application_name": null,
                "client_application_version": null,
                "user_agent": "flagsmith-python-sdk/6.3.0",
            },
        })
    );
    assert_eq!(rows.as_array().unwrap().len(), 2);
    assert_eq!(total, json!({ "count": 4 }));
    let id = environment_id(&desk).await;
    let of_both = get(&format!("?environment_id={id}&project_id={}", desk.project)).await;
    assert_eq!(of_both, rows);
    assert_eq!(get("?environment_id=999").await, json!([]));
    assert_eq!(
        get(&format!("?environment_id={id}&project_id=999")).await,
        json!([])
    );
    let go = get("?user_agent=flagsmith-go-sdk/4.0.0&period=90_day_period").await;
    assert_eq!(go, json!([rows[0]]));
    assert_eq!(get("?period=previous_billing_period").await, json!([]));
    let events = format!("/api/v1/organisations/{}/", desk.organisation);
    let usage = desk.get(&format!("{events}usage/")).await.json();
    let influx = desk.get(&format!("{events}influx-data/")).await.json();
    assert_eq!(usage, json!({ "events": 4 }));
    assert_eq!(
        influx,
        json!({ "events_list": [{ "Flags": 4, "name": "2026-11-21" }] })
    );
}

#[tokio::test]
async fn evaluations_of_a_feature_are_told_by_day_and_client() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "checkout" })).await;
    use_flags(&desk, 1, "flagsmith-python-sdk/6.3.0").await;
    let environment = environment_id(&desk).await;
    let path = desk.in_project(&format!("features/{feature}/"));

    let asked = format!("{path}evaluation-data/?environment_id={environment}");
    let rows = desk.get(&asked).await.json();
    let asked = format!("{path}influx-data/?environment_id={environment}&period=30d");
    let influx = desk.get(&asked).await.json();

    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!(
        (&rows[0]["day"], &rows[0]["count"]),
        (&json!("2026-11-21"), &json!(7))
    );
    assert_eq!(
        rows[0]["labels"]["user_agent"],
        "flagsmith-python-sdk/6.3.0"
    );
    let expected = json!([{ "checkout": 7, "datetime": "2026-11-21T00:00:00Z" }]);
    assert_eq!(influx["events_list"], expected);
    let other = desk
        .get(&format!("{path}evaluation-data/?environment_id=999"))
        .await;
    assert_eq!(other.status, 404);
    let none = desk.get(&format!("{path}evaluation-data/?period=0")).await;
    assert_eq!(none.status, 400);
    assert_eq!(
        none.json()["environment_id"],
        json!(["This field is required."])
    );
}

#[tokio::test]
async fn usage_is_nobody_elses_business() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "checkout" })).await;
    use_flags(&desk, 2, "flagsmith-python-sdk/6.3.0").await;
    let environment = environment_id(&desk).await;
    let organisation = format!("/api/v1/organisations/{}/", desk.organisation);
    let evaluations = desk.in_project(&format!(
        "features/{feature}/evaluation-data/?environment_id={environment}"
    ));

    let colleague = desk.colleague().await;
    let usage = colleague
        .ask("GET", &format!("{organisation}usage-data/"), None)
        .await;
    assert_eq!(usage.json(), json!([]), "sees no environment");
    drop(colleague);
    let stranger = desk.stranger().await;
    for path in [
        "usage-data/",
        "usage-data/total-count/",
        "usage/",
        "influx-data/",
    ] {
        let reply = stranger
            .ask("GET", &format!("{organisation}{path}"), None)
            .await;
        assert_eq!(reply.status, 403, "{path}");
    }
    assert_eq!(stranger.ask("GET", &evaluations, None).await.status, 404);
}
