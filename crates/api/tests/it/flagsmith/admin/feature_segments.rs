use super::desk::{Desk, check_refusal, is_pro};
use serde_json::{Value as Json, json};

const LINKS: &str = "/api/v1/features/feature-segments/";

struct Links {
    desk: Desk,
    feature: i64,
    environment: i64,
    /// One for each segment, strongest first.
    links: Vec<i64>,
    segments: Vec<i64>,
}

/// A feature with overrides for three segments that everybody on the plan `pro` is in.
async fn three_links() -> Links {
    let desk = Desk::open().await;
    let feature = desk.make_feature(json!({ "name": "banner" })).await;
    let environment = desk.get(&desk.in_environment("")).await.json()["id"]
        .as_i64()
        .unwrap();
    let (mut links, mut segments) = (Vec::new(), Vec::new());
    for name in ["a", "b", "c"] {
        let segment = desk.make_segment(name).await;
        let path = desk.in_environment(&format!("features/{feature}/create-segment-override/"));
        let value = json!({ "type": "unicode", "string_value": name });
        let body = json!({ "feature_segment": { "segment": segment }, "enabled": true,
            "feature_state_value": value });
        let made = desk.post(&path, body).await.json();
        links.push(made["feature_segment"]["id"].as_i64().unwrap());
        segments.push(segment);
    }
    Links {
        desk,
        feature,
        environment,
        links,
        segments,
    }
}

impl Links {
    async fn list(&self) -> Vec<(i64, i64)> {
        let path = format!(
            "{LINKS}?environment={}&feature={}",
            self.environment, self.feature
        );
        let list = self.desk.get(&path).await.json();
        let links = list["results"].as_array().unwrap().iter();
        let pair = |link: &Json| {
            (
                link["id"].as_i64().unwrap(),
                link["priority"].as_i64().unwrap(),
            )
        };
        links.map(pair).collect()
    }

    async fn value_for_pros(&self) -> Json {
        let traits = json!([{ "trait_key": "plan", "trait_value": "pro" }]);
        let flag = self.desk.flag("banner", Some(("pia", traits))).await;
        flag["feature_state_value"].clone()
    }

    fn body(&self, segment: i64) -> Json {
        json!({ "feature": self.feature, "segment": segment, "environment": self.environment })
    }

    async fn reorder(&self, body: Json) -> crate::face::Reply {
        let path = format!("{LINKS}update-priorities/");
        self.desk.post(&path, body).await
    }
}

#[tokio::test]
async fn a_deleted_override_is_served_no_more_and_weaker_ones_move_up() {
    let links = three_links().await;
    let [first, second, third] = links.links[..] else {
        panic!("not three")
    };
    assert_eq!(links.value_for_pros().await, "a");

    let reply = links.desk.delete(&format!("{LINKS}{first}/")).await;

    assert_eq!((reply.status, reply.text().as_str()), (204, ""));
    assert_eq!(links.value_for_pros().await, "b");
    assert_eq!(links.list().await, [(second, 0), (third, 1)]);
    let again = links.desk.delete(&format!("{LINKS}{first}/")).await;
    let missing = json!({ "detail": "No FeatureSegment matches the given query." });
    check_refusal(&again, 404, &missing);
}

#[tokio::test]
async fn the_order_decides_what_is_served_and_others_give_way() {
    let links = three_links().await;
    let [first, second, third] = links.links[..] else {
        panic!("not three")
    };

    let reply = links.reorder(json!([{ "id": third, "priority": 0 }])).await;

    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.json()[0]["priority"], 0);
    assert_eq!(reply.json().as_array().unwrap().len(), 1);
    assert_eq!(links.list().await, [(third, 0), (first, 1), (second, 2)]);
    assert_eq!(links.value_for_pros().await, "c");
}

#[tokio::test]
async fn an_order_has_to_be_one_of_links_of_one_feature() {
    let links = three_links().await;
    let other = links.desk.make_feature(json!({ "name": "other" })).await;
    let mut body = links.body(links.segments[0]);
    body["feature"] = other.into();
    let foreign = links.desk.make(LINKS, body).await;
    let first = links.links[0];
    let check = async |body: Json, expected: Json| {
        check_refusal(&links.reorder(body).await, 400, &expected);
    };
    let non_field = |text: &str| json!({ "non_field_errors": [text] });
    let unknown = "Some of the provided ids were not found.";
    let entry = |id: i64| json!({ "id": id, "priority": 0 });

    check(json!([entry(first), entry(99_999)]), non_field(unknown)).await;
    check(json!([entry(first), entry(first)]), non_field(unknown)).await;
    let several = "All feature segments must belong to the same feature & environment.";
    check(json!([entry(first), entry(foreign)]), non_field(several)).await;
    let no_list = "Expected a list of items but got type \"dict\".";
    check(json!({}), non_field(no_list)).await;
    let required = json!(["This field is required."]);
    let too_low = json!(["Ensure this value is greater than or equal to 0."]);
    check(
        json!([{ "id": first, "priority": -1 }, {}]),
        json!([{ "priority": too_low }, { "priority": required, "id": required }]),
    )
    .await;
    let empty = links.reorder(json!([])).await;
    assert_eq!((empty.status, empty.json()), (200, json!([])));
}

#[tokio::test]
async fn a_link_changes_its_segment_and_nothing_else() {
    let links = three_links().await;
    let free = links.desk.make_segment("free").await;
    let path = format!("{LINKS}{}/", links.links[0]);

    let put = links.desk.put(&path, links.body(free)).await;
    let patched = links.desk.patch(&path, json!({})).await;
    let empty = links.desk.put(&path, json!({})).await;
    let moved = links.desk.patch(&path, json!({ "feature": 99 })).await;
    let away = links.desk.patch(&path, json!({ "environment": 99 })).await;

    assert_eq!(
        (put.status, put.json()["segment"].as_i64()),
        (200, Some(free))
    );
    assert_eq!(put.json(), patched.json());
    let required = json!(["This field is required."]);
    let all = json!({ "feature": required, "segment": required, "environment": required });
    check_refusal(&empty, 400, &all);
    let fixed = json!(["This field cannot be changed."]);
    check_refusal(&moved, 400, &json!({ "feature": fixed }));
    check_refusal(&away, 400, &json!({ "environment": fixed }));
}

#[tokio::test]
async fn a_link_needs_a_feature_and_a_segment_that_fit() {
    let links = three_links().await;
    let other = links.desk.make_feature(json!({ "name": "other" })).await;
    let own = json!({ "name": "own", "feature": other, "rules": [is_pro()] });
    let own = links
        .desk
        .make(&links.desk.in_project("segments/"), own)
        .await;
    let check = async |name: &str, value: Json, status: u16, expected: Json| {
        let mut body = links.body(links.segments[0]);
        body[name] = value;
        let reply = links.desk.post(LINKS, body).await;
        check_refusal(&reply, status, &expected);
    };
    let no_row = |name: &str| json!({ name: ["Invalid pk \"99\" - object does not exist."] });

    check("segment", json!(99), 400, no_row("segment")).await;
    check("feature", json!(99), 400, no_row("feature")).await;
    let text = format!("Can only create segment override(using this segment) for feature {other}");
    check("segment", json!(own), 400, json!({ "feature": [text] })).await;
    let forbidden = json!({ "detail": "You do not have permission to perform this action." });
    check("environment", json!(99), 403, forbidden.clone()).await;
    check("environment", json!([]), 403, forbidden).await;
}

#[tokio::test]
async fn links_of_others_are_out_of_reach() {
    let links = three_links().await;
    let path = format!("{LINKS}{}/", links.links[0]);
    let own = links.desk.get(&path).await;
    let by_uuid = format!(
        "{LINKS}get-by-uuid/{}/",
        own.json()["uuid"].as_str().unwrap()
    );
    let found = links.desk.get(&by_uuid).await;
    let stranger = links.desk.stranger().await;
    let body = || Some(links.body(links.segments[0]));
    let check = async |method: &str, path: &str, body: Option<Json>, status: u16| {
        let reply = stranger.ask(method, path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
        reply.json()
    };

    assert_eq!((found.status, found.json()), (200, own.json()));
    check("GET", &path, None, 404).await;
    check("GET", &by_uuid, None, 404).await;
    check("PUT", &path, body(), 404).await;
    check("DELETE", &path, None, 404).await;
    check("POST", LINKS, body(), 403).await;
    let order = json!([{ "id": links.links[0], "priority": 0 }]);
    let order_path = format!("{LINKS}update-priorities/");
    check("POST", &order_path, Some(order), 400).await;
    let list = format!(
        "{LINKS}?environment={}&feature={}",
        links.environment, links.feature
    );
    assert_eq!(check("GET", &list, None, 200).await["count"], 0);
    assert_eq!(links.list().await.len(), 3);
}
