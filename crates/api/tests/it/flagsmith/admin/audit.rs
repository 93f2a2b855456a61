use super::desk::{Desk, check_refusal};
use serde_json::{Value as Json, json};

fn logs(list: &Json) -> Vec<&str> {
    let results = list["results"].as_array().unwrap().iter();
    results
        .map(|entry| entry["log"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_log_tells_who_did_what_and_where() {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "checkout" })).await;
    let state = desk.state_of(feature).await;
    let path = desk.in_environment(&format!("featurestates/{state}/"));
    desk.put(
        &path,
        json!({ "enabled": true, "feature_state_value": "blue" }),
    )
    .await;

    let list = desk.get("/api/v1/audit/?search=FLAG%20STATE").await.json();
    let entry = &list["results"][0];
    let one = desk
        .get(&format!("/api/v1/audit/{}/", entry["id"]))
        .await
        .json();

    assert_eq!(list["count"], 1);
    assert_eq!(entry["log"], "Flag state updated for feature: checkout");
    assert_eq!(entry["author"]["email"], "ada@example.com");
    assert_eq!(entry["environment"]["api_key"], desk.key.as_str());
    assert_eq!(entry["project"]["name"], "Shop");
    assert_eq!(entry["related_object_id"], state);
    assert_eq!(entry["related_object_type"], "FEATURE_STATE");
    assert_eq!(entry["is_system_event"], false);
    assert_eq!(entry.get("change_details"), None, "a list is short");
    assert_eq!(one["change_type"], "UPDATE");
    let changes = json!([
        { "field": "enabled", "old": false, "new": true },
        { "field": "value", "old": null, "new": "blue" },
    ]);
    assert_eq!(one["change_details"], changes);
}

#[tokio::test]
async fn lists_are_cut_and_filtered() {
    let desk = Desk::open().await;
    let other = desk.make_environment("Production").await;
    desk.make_segment("pro").await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"].clone();
    let other = desk
        .get(&format!("/api/v1/environments/{other}/"))
        .await
        .json()["id"]
        .clone();
    let list = async |path: &str| desk.get(&format!("/api/v1/{path}")).await.json();
    let organisation = format!("organisations/{}/audit/", desk.organisation);
    let project = format!("projects/{}/audit/", desk.project);

    let all = list("audit/").await;
    let second = list("audit/?page_size=1&page=2").await;
    let of_project = list(&project).await;
    let segments = list(&format!("{project}?related_object_type=SEGMENT")).await;
    let one = list(&format!("audit/?environments={environment}")).await;
    let both = list(&format!(
        "audit/?environments={environment}&environments={other}"
    ))
    .await;

    assert_eq!(logs(&list(&organisation).await), logs(&all));
    assert_eq!(logs(&second), [logs(&all)[1]]);
    assert_eq!(second["count"], all["count"]);
    assert_eq!(logs(&of_project)[0], "New Segment created: pro");
    assert!(!logs(&of_project).contains(&"New Organisation created: Acme"));
    assert_eq!(logs(&segments), ["New Segment created: pro"]);
    assert_eq!(logs(&one), ["New Environment created: Development"]);
    assert_eq!(logs(&both).len(), 2);
    let system = list("audit/?is_system_event=true").await;
    assert_eq!(system["count"], 0);
    let elsewhere = list("audit/?project=999").await;
    assert_eq!(elsewhere["count"], 0);
}

#[tokio::test]
async fn others_see_nothing_of_the_log() {
    let desk = Desk::open().await;
    let entry = desk.get("/api/v1/audit/").await.json()["results"][0]["id"].clone();
    let stranger = desk.stranger().await;
    let organisation = format!("/api/v1/organisations/{}/audit/", desk.organisation);
    let project = format!("/api/v1/projects/{}/audit/", desk.project);
    let missing = json!({ "detail": "No AuditLog matches the given query." });

    let own = stranger.ask("GET", "/api/v1/audit/", None).await.json();
    let refused = stranger.ask("GET", &organisation, None).await;
    let hidden = stranger.ask("GET", &project, None).await;
    let one = stranger
        .ask("GET", &format!("/api/v1/audit/{entry}/"), None)
        .await;

    assert_eq!(logs(&own), ["New Organisation created: Elsewhere"]);
    assert_eq!(refused.status, 403);
    assert_eq!(hidden.status, 404);
    check_refusal(&one, 404, &missing);
}

#[tokio::test]
async fn a_colleague_reads_the_projects_they_may() {
    let desk = Desk::open().await;
    let colleague = desk.colleague().await;
    let project = desk.in_project("audit/");
    let before = colleague.ask("GET", &project, None).await;
    let grant = desk.in_project("user-permissions/");
    let body = json!({ "user": 2, "permissions": ["VIEW_PROJECT"], "admin": false });
    let id = desk.make(&grant, body).await;
    let viewer = colleague.ask("GET", &project, None).await;
    let body =
        json!({ "user": 2, "permissions": ["VIEW_PROJECT", "VIEW_AUDIT_LOG"], "admin": false });
    desk.put(&format!("{grant}{id}/"), body).await;

    let reader = colleague.ask("GET", &project, None).await.json();
    let all = colleague.ask("GET", "/api/v1/audit/", None).await.json();

    assert_eq!((before.status, viewer.status), (404, 403));
    assert_eq!(logs(&all), logs(&reader));
    assert!(logs(&reader).contains(&"New Environment created: Development"));
    let organisation = format!("/api/v1/organisations/{}/audit/", desk.organisation);
    assert_eq!(colleague.ask("GET", &organisation, None).await.status, 403);
}

#[tokio::test]
async fn an_entry_stands_only_below_its_own_place() {
    let desk = Desk::open().await;
    let list = desk.get(&desk.in_project("audit/")).await.json();
    let id = &list["results"][0]["id"];
    let status = async |path: String| desk.get(&path).await.status;

    assert_eq!(status(desk.in_project(&format!("audit/{id}/"))).await, 200);
    assert_eq!(
        status(format!("/api/v1/projects/999/audit/{id}/")).await,
        404
    );
    assert_eq!(
        status(format!(
            "/api/v1/organisations/{}/audit/{id}/",
            desk.organisation
        ))
        .await,
        200
    );
    assert_eq!(
        status(format!("/api/v1/organisations/999/audit/{id}/")).await,
        404
    );
    assert_eq!(status("/api/v1/audit/nope/".to_owned()).await, 404);
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused() {
    let desk = Desk::open().await;
    let reply = desk
        .get("/api/v1/audit/?project=x&is_system_event=maybe&related_object_type=NOPE")
        .await;

    assert_eq!(reply.status, 400);
    let problems = reply.json();
    assert_eq!(problems["project"], json!(["A valid integer is required."]));
    assert_eq!(
        problems["is_system_event"],
        json!(["Must be a valid boolean."])
    );
    assert_eq!(
        problems["related_object_type"],
        json!(["\"NOPE\" is not a valid choice."])
    );
}
