//! Somebody at work: signed in, with an organisation, a project and an environment of their own.

use crate::face::{Face, Reply};
use flagstaff_core::OrganisationId;
use flagstaff_testkit::sql;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value as Json, json};

pub const EMAIL: &str = "ada@example.com";
pub const PASSWORD: &str = "a-long-enough-Passw0rd";
const STRANGER: &str = "eve@example.com";

pub struct Desk {
    pub face: Face,
    token: String,
    pub organisation: i64,
    pub project: i64,
    /// The client key of the environment.
    pub key: String,
}

impl Desk {
    /// Signs up the first member, as no superuser, and makes what they work with.
    pub async fn open() -> Self {
        let face = Face::start_empty().await;
        let link = face.service.waiting_sign_in_link().await.unwrap().unwrap();
        let redeemed = face.service.redeem_sign_in_link(
            link.expose_secret(),
            EMAIL,
            SecretString::from(PASSWORD),
        );
        redeemed.await.unwrap();
        sql::execute(&face.store, "UPDATE members SET is_superuser = FALSE").await;
        let mut desk = Self {
            token: token(&face, EMAIL).await,
            face,
            organisation: 0,
            project: 0,
            key: String::new(),
        };
        desk.organisation = desk
            .make("/api/v1/organisations/", json!({ "name": "Acme" }))
            .await;
        let shop = json!({ "name": "Shop", "organisation": desk.organisation });
        desk.project = desk.make("/api/v1/projects/", shop).await;
        desk.key = desk.make_environment("Development").await;
        desk
    }

    /// Makes an environment of the project; gives its client key.
    pub async fn make_environment(&self, name: &str) -> String {
        let body = json!({ "name": name, "project": self.project });
        let reply = self.post("/api/v1/environments/", body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["api_key"].as_str().unwrap().to_owned()
    }

    /// Makes something; gives its id.
    pub async fn make(&self, path: &str, body: Json) -> i64 {
        let reply = self.post(path, body).await;
        assert_eq!(reply.status, 201, "{path}: {}", reply.text());
        reply.json()["id"].as_i64().unwrap()
    }

    /// Makes a feature; gives its id.
    pub async fn make_feature(&self, body: Json) -> i64 {
        self.make(&self.in_project("features/"), body).await
    }

    /// Makes a segment of everybody whose `plan` is `pro`; gives its id.
    pub async fn make_segment(&self, name: &str) -> i64 {
        let body = json!({ "name": name, "rules": [is_pro()] });
        self.make(&self.in_project("segments/"), body).await
    }

    /// The default state of a feature in the environment.
    pub async fn state_of(&self, feature: i64) -> i64 {
        let path = self.in_environment(&format!("featurestates/?feature={feature}"));
        self.get(&path).await.json()["results"][0]["id"]
            .as_i64()
            .unwrap()
    }

    /// From now on features of the environment change by published versions only.
    pub async fn use_versions(&self) {
        let service = &self.face.service;
        let caller = service.caller_by_token(&self.token).await.unwrap();
        service.enable_versions(&caller, &self.key).await.unwrap();
    }

    /// What the audit log says last, newest first.
    pub async fn last_audited(&self, count: usize) -> Vec<String> {
        let organisation = Some(OrganisationId::new(self.organisation));
        let store = &self.face.store;
        let entries = store.audit_entries(organisation, 0, 1_000).await.unwrap();
        let summaries = entries.into_iter().rev().map(|entry| entry.summary);
        summaries.take(count).collect()
    }

    pub fn in_project(&self, path: &str) -> String {
        format!("/api/v1/projects/{}/{path}", self.project)
    }

    pub fn in_environment(&self, path: &str) -> String {
        format!("/api/v1/environments/{}/{path}", self.key)
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path, None).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.ask("DELETE", path, None).await
    }

    pub async fn post(&self, path: &str, body: Json) -> Reply {
        self.ask("POST", path, Some(body.to_string())).await
    }

    pub async fn put(&self, path: &str, body: Json) -> Reply {
        self.ask("PUT", path, Some(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: Json) -> Reply {
        self.ask("PATCH", path, Some(body.to_string())).await
    }

    /// Sends a request as the member; the clock goes on between two of them.
    pub async fn ask(&self, method: &str, path: &str, body: Option<String>) -> Reply {
        self.face.pass_seconds(1);
        ask_as(&self.face, &self.token, method, path, body).await
    }

    /// Somebody who is signed in and belongs to another organisation.
    pub async fn stranger(&self) -> Stranger<'_> {
        let token = self.join(STRANGER).await;
        let body = Some(json!({ "name": "Elsewhere" }).to_string());
        let reply = ask_as(&self.face, &token, "POST", "/api/v1/organisations/", body).await;
        assert_eq!(reply.status, 201, "{}", reply.text());
        sql::execute(
            &self.face.store,
            "DELETE FROM memberships WHERE organisation_id = 1
                AND member_id = (SELECT id FROM members WHERE email LIKE 'eve%')",
        )
        .await;
        Stranger {
            face: &self.face,
            token,
        }
    }

    /// Somebody who belongs to the organisation, but is none of its admins.
    pub async fn colleague(&self) -> Stranger<'_> {
        let token = self.join(STRANGER).await;
        sql::execute(
            &self.face.store,
            "UPDATE memberships SET role = 'user'
                WHERE member_id = (SELECT id FROM members WHERE email LIKE 'eve%')",
        )
        .await;
        Stranger {
            face: &self.face,
            token,
        }
    }

    async fn join(&self, email: &str) -> String {
        let id = OrganisationId::new(self.organisation);
        let password = Some(SecretString::from(PASSWORD));
        self.face
            .service
            .ensure_admin(id, email, password)
            .await
            .unwrap();
        sql::execute(&self.face.store, "UPDATE members SET is_superuser = FALSE").await;
        token(&self.face, email).await
    }

    /// Flags as an SDK with the client key gets them, for an identity where one is given.
    pub async fn flag(&self, feature: &str, identity: Option<(&str, Json)>) -> Json {
        let (method, path, body) = match identity {
            Some((identifier, traits)) => {
                let body = json!({ "identifier": identifier, "traits": traits });
                ("POST", "/api/v1/identities/", body.to_string())
            }
            None => ("GET", "/api/v1/flags/", String::new()),
        };
        let ask = self.face.keyless(method, path);
        let ask = ask.header("x-environment-key", &self.key);
        let ask = ask.header("content-type", "application/json").body(body);
        let answer = ask.send().await.json();
        let flags = answer.get("flags").unwrap_or(&answer);
        let mut flags = flags.as_array().unwrap().iter();
        let flag = flags.find(|flag| flag["feature"]["name"] == feature);
        flag.unwrap_or_else(|| panic!("there is no flag {feature}"))
            .clone()
    }
}

/// Another member.
pub struct Stranger<'a> {
    face: &'a Face,
    token: String,
}

impl Stranger<'_> {
    pub async fn ask(&self, method: &str, path: &str, body: Option<Json>) -> Reply {
        let body = body.map(|body| body.to_string());
        ask_as(self.face, &self.token, method, path, body).await
    }
}

/// Everybody whose `plan` is `pro`.
pub fn is_pro() -> Json {
    let condition = json!({ "operator": "EQUAL", "property": "plan", "value": "pro" });
    json!({ "type": "ALL", "rules": [{ "type": "ANY", "conditions": [condition] }] })
}

/// Signs in over HTTP.
pub async fn token(face: &Face, email: &str) -> String {
    let ask = face.keyless("POST", "/api/v1/auth/login/");
    let body = json!({ "email": email, "password": PASSWORD }).to_string();
    let ask = ask.header("content-type", "application/json").body(body);
    let reply = ask.send().await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["key"].as_str().unwrap().to_owned()
}

pub async fn ask_as(
    face: &Face,
    token: &str,
    method: &str,
    path: &str,
    body: Option<String>,
) -> Reply {
    let ask = face.keyless(method, path);
    let ask = ask.header("authorization", &format!("Token {token}"));
    match body {
        Some(body) => {
            let ask = ask.header("content-type", "application/json");
            ask.body(body).send().await
        }
        None => ask.send().await,
    }
}

/// Compares status and body of a refusal.
pub fn check_refusal(reply: &Reply, status: u16, expected: &Json) {
    assert_eq!((reply.status, &reply.json()), (status, expected));
}
