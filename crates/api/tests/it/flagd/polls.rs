//! Asking as flagd does.

use crate::face::{CLIENT_KEY, Face, Reply, SERVER_KEY};
use crate::flagsmith::admin::desk::Desk;
use flagstaff_core::Project;
use flagstaff_service::{FlagdIntegrationPatch, KeyNeed};
use serde_json::{Value as Json, json};
use std::sync::Arc;

pub const FLAGS: &str = "/api/v1/flagd/flags.json";
pub const DIAGNOSTICS: &str = "/api/v1/flagd/diagnostics.json";
/// Both documents.
pub const BOTH: [&str; 2] = [FLAGS, DIAGNOSTICS];

impl Face {
    /// A server whose project is served to flagd.
    pub async fn start_with_flagd() -> Self {
        let face = Self::start().await;
        face.set_flagd(true).await;
        face
    }

    pub async fn flagd_project(&self) -> Arc<Project> {
        let open = self
            .service
            .open_environment(Some(CLIENT_KEY), KeyNeed::Any);
        Arc::clone(&open.await.unwrap().snapshot().project)
    }

    pub async fn set_flagd(&self, enabled: bool) {
        let patch = FlagdIntegrationPatch {
            enabled: Some(enabled),
            ..FlagdIntegrationPatch::default()
        };
        self.pass_seconds(1);
        let project = self.flagd_project().await.id;
        let changed = self
            .service
            .update_flagd_integration(&self.caller, project, None, patch);
        changed.await.unwrap();
    }

    /// A poll with headers beside the key.
    pub async fn poll(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        let mut ask = self.get_with(SERVER_KEY, path);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        ask.send().await
    }

    /// A poll that has to be answered with a document; gives it with its tag.
    pub async fn polled(&self, path: &str) -> Reply {
        let reply = self.poll(path, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply
    }
}

impl Reply {
    pub fn tag(&self) -> &str {
        self.header("etag").unwrap()
    }

    pub fn last_modified(&self) -> &str {
        self.header("last-modified").unwrap()
    }

    /// Insists on "not modified" as it has to be: nothing in it but what the next question needs.
    pub fn assert_not_modified(&self) {
        assert_eq!(self.status, 304);
        assert!(self.body.is_empty());
        assert!(self.header("etag").is_some());
        assert!(self.header("last-modified").is_some());
        assert_eq!(self.header("content-type"), None);
    }
}

/// A desk whose project is served to flagd, with a feature `banner` that says `hello`.
pub struct Served {
    pub desk: Desk,
    key: String,
    pub feature: i64,
}

impl Served {
    pub async fn open() -> Self {
        let desk = Desk::open().await;
        let body = json!({ "name": "banner", "initial_value": "hello", "default_enabled": true });
        let feature = desk.make_feature(body).await;
        let path = desk.in_project("integrations/flagd/");
        desk.make(&path, json!({ "enabled": true })).await;
        let made = desk
            .post(
                &desk.in_environment("api-keys/"),
                json!({ "name": "poller" }),
            )
            .await;
        let key = made.json()["key"].as_str().unwrap().to_owned();
        Self { desk, key, feature }
    }

    /// A poll with headers beside the key.
    pub async fn poll(&self, headers: &[(&str, &str)]) -> Reply {
        let mut ask = self.desk.face.get_with(&self.key, FLAGS);
        for (name, value) in headers {
            ask = ask.header(name, value);
        }
        ask.send().await
    }

    /// Changes the feature's state in the environment.
    pub async fn set(&self, body: Json) {
        let state = self.desk.state_of(self.feature).await;
        let path = self.desk.in_environment(&format!("featurestates/{state}/"));
        let reply = self.desk.patch(&path, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}
