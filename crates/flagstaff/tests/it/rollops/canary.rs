//! ROL-5 to ROL-9 and ROL-15 against our own server, changed directly and by versions.

use super::host::Host;
use crate::database::Database;
use crate::desk::Desk;
use crate::http::block_on;
use crate::server::Server;
use reqwest::Method;
use serde_json::{Value as Json, json};

/// A server with a flag `checkout` that says `0` and is off.
struct Stage {
    server: Server,
    desk: Desk,
}

impl Stage {
    async fn prepare(database: &Database, versioned: bool) -> Self {
        let prepared = Desk::prepare(database);
        let server = Server::start(database);
        let desk = prepared.sign_in(&server).await;
        desk.feature(&server, "checkout").await;
        let stage = Self { server, desk };
        if versioned {
            let path = format!(
                "environments/{}/enable-v2-versioning/",
                stage.desk.client_key
            );
            stage.ask(Method::POST, &path, Json::Null).await;
        }
        stage
    }

    async fn ask(&self, method: Method, path: &str, body: Json) -> Json {
        let answer = self.desk.manage(&self.server, method, path, body).await;
        assert!(answer.status < 300, "{path}: {answer:?}");
        answer.json
    }

    /// Enabled and value, as an SDK gets them.
    async fn served(&self) -> (Json, Json) {
        let flags = self
            .desk
            .ask(&self.server, &self.desk.client_key, "/api/v1/flags/")
            .await;
        let flag = flags.json[0].clone();
        (flag["enabled"].clone(), flag["feature_state_value"].clone())
    }

    /// How many of so many identities have the flag.
    async fn having(&self, identities: u32) -> u32 {
        let mut having = 0;
        for number in 0..identities {
            let path = format!("/api/v1/identities/?identifier=person-{number}&transient=true");
            let key = &self.desk.client_key;
            let answer = self.desk.ask(&self.server, key, &path).await;
            having += u32::from(answer.json["flags"][0]["enabled"] == true);
        }
        having
    }

    async fn audit(&self) -> usize {
        let projects = self.ask(Method::GET, "projects/", Json::Null).await;
        let path = format!("audit/?project={}", projects[0]["id"]);
        let entries = self.ask(Method::GET, &path, Json::Null).await;
        usize::try_from(entries["count"].as_u64().unwrap()).unwrap()
    }
}

async fn a_canary_and_its_rollback(database: &Database, versioned: bool) {
    let stage = Stage::prepare(database, versioned).await;
    let Some(host) = Host::of(&stage.desk, &stage.server).await else {
        return;
    };

    for percentage in [0, 1, 10, 25, 50, 100] {
        host.apply("checkout", percentage, false).await.unwrap();
        let value = json!(percentage.to_string());
        assert_eq!(stage.served().await, (json!(true), value));
    }
    let before = stage.audit().await;
    host.apply("checkout", 100, false).await.unwrap();
    assert_eq!(
        stage.audit().await,
        before,
        "nothing changed, so nothing is told"
    );

    host.apply("checkout", 0, true).await.unwrap();

    assert_eq!(stage.served().await, (json!(false), json!("0")));
}

#[test]
fn rol_7_a_canary_and_its_rollback_where_features_change_directly() {
    block_on(a_canary_and_its_rollback(&Database::sqlite(), false));
}

#[test]
fn rol_7_a_canary_and_its_rollback_where_features_change_by_versions() {
    block_on(a_canary_and_its_rollback(&Database::sqlite(), true));
}

async fn a_split(database: &Database, versioned: bool) {
    let stage = Stage::prepare(database, versioned).await;
    let Some(host) = Host::of(&stage.desk, &stage.server).await else {
        return;
    };
    let host = host.with("FLAGSTAFF_ROLLOPS__MODE", "segment-split");

    let mut last = 0;
    for percentage in [10, 50, 100] {
        host.apply("checkout", percentage, false).await.unwrap();
        let having = stage.having(200).await;
        let expected = u32::from(percentage) * 2;
        assert!(
            having.abs_diff(expected) <= 25 && having >= last,
            "{percentage}: {having}"
        );
        last = having;
    }
    assert_eq!(last, 200);
    assert_eq!(
        stage.served().await.0,
        json!(false),
        "nobody in particular is in no share"
    );

    host.apply("checkout", 0, true).await.unwrap();
    assert_eq!(stage.having(50).await, 0);
    // The next canary begins where it says, and not where the last one ended.
    host.apply("checkout", 10, false).await.unwrap();
    assert!(stage.having(200).await < 50);
}

#[test]
fn rol_6_a_split_gives_the_flag_to_a_share_of_people_directly() {
    block_on(a_split(&Database::sqlite(), false));
}

#[test]
fn rol_6_a_split_gives_the_flag_to_a_share_of_people_by_versions() {
    block_on(a_split(&Database::sqlite(), true));
}

async fn weights(database: &Database, versioned: bool) {
    let stage = Stage::prepare(database, versioned).await;
    let Some(host) = Host::of(&stage.desk, &stage.server).await else {
        return;
    };
    let projects = stage.ask(Method::GET, "projects/", Json::Null).await;
    let path = format!("projects/{}/features/", projects[0]["id"]);
    let options = json!([
        {"type": "unicode", "string_value": "blue", "default_percentage_allocation": 0},
        {"type": "unicode", "string_value": "green", "default_percentage_allocation": 20},
    ]);
    let body = json!({"name": "colour", "initial_value": "red", "multivariate_options": options});
    let made = stage.ask(Method::POST, &path, body).await;
    let host = host
        .with("FLAGSTAFF_ROLLOPS__MODE", "multivariate")
        .with("FLAGSTAFF_ROLLOPS__VARIANT", "blue");

    host.apply("colour", 50, false).await.unwrap();

    let path = format!(
        "environments/{}/featurestates/?feature={}",
        stage.desk.client_key, made["id"]
    );
    let rows = stage.ask(Method::GET, &path, Json::Null).await;
    let row = &rows["results"][0];
    let weights = row["multivariate_feature_state_values"].as_array().unwrap();
    let weights: Vec<_> = weights
        .iter()
        .map(|weight| weight["percentage_allocation"].as_f64().unwrap())
        .collect();
    assert_eq!(weights, [50.0, 10.0]);
    assert_eq!(
        (&row["enabled"], &row["feature_state_value"]),
        (&json!(true), &json!("red"))
    );
}

#[test]
fn rol_6_the_weight_of_a_variant_is_raised_directly() {
    block_on(weights(&Database::sqlite(), false));
}

#[test]
fn rol_6_the_weight_of_a_variant_is_raised_by_versions() {
    block_on(weights(&Database::sqlite(), true));
}

#[test]
fn rol_15_what_is_wrong_is_said_by_our_server_as_by_flagsmith() {
    block_on(async {
        let database = Database::sqlite();
        let stage = Stage::prepare(&database, false).await;
        let of = async |name: &str, value: &str, flag: &str| {
            let host = Host::of(&stage.desk, &stage.server).await?;
            Some(
                host.with(name, value)
                    .apply(flag, 5, false)
                    .await
                    .unwrap_err(),
            )
        };

        let Some(token) = of("FLAGSTAFF_ROLLOPS__TOKEN", "wrong", "checkout").await else {
            return;
        };
        assert_eq!(token.code(), tonic::Code::Unauthenticated, "{token}");
        let key = of("FLAGSTAFF_ROLLOPS__TOKEN", "abcdefgh.wrong", "checkout")
            .await
            .unwrap();
        assert_eq!(key.code(), tonic::Code::Unauthenticated, "{key}");
        let flag = of("FLAGSTAFF_ROLLOPS__MODE", "value", "nothing")
            .await
            .unwrap();
        assert_eq!(flag.code(), tonic::Code::NotFound, "{flag}");
        let project = of("FLAGSTAFF_ROLLOPS__PROJECT_ID", "4711", "checkout")
            .await
            .unwrap();
        assert_eq!(project.code(), tonic::Code::FailedPrecondition, "{project}");
        assert_eq!(stage.served().await.0, json!(false));
    });
}
