//! A member at work through the API, and an SDK beside them: on any of the servers of one database.

use crate::database::Database;
use crate::server::{Server, flagstaff, succeed};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value as Json, json};
use std::time::Duration;

const EMAIL: &str = "admin@example.com";
const PASSWORD: &str = "a long pass phrase";

/// Keys of an environment that `bootstrap` made, and a member's token.
pub struct Desk {
    pub client: Client,
    pub client_key: String,
    pub server_key: String,
    token: String,
}

/// An answer with its JSON; null where it is none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub json: Json,
}

impl Desk {
    /// Makes a project with an environment and an admin, without any server.
    pub fn prepare(database: &Database) -> Prepared {
        let arguments = ["bootstrap", "--admin-password", PASSWORD];
        let printed = succeed(flagstaff(database).args(arguments));
        let after = |word: &str| {
            let mut lines = printed.lines();
            let value = lines.find_map(|line| line.strip_prefix(word));
            value.unwrap().trim().to_owned()
        };
        Prepared {
            client_key: after("client key"),
            server_key: after("FLAGSMITH_SERVER_KEY="),
        }
    }

    /// The member's token.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Sends and takes whatever comes back; status 0 when nothing did.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        match request.send().await {
            Ok(answer) => {
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap_or_default();
                let json = serde_json::from_str(&text).unwrap_or(Json::Null);
                Answer { status, json }
            }
            Err(_) => Answer {
                status: 0,
                json: Json::Null,
            },
        }
    }

    /// What a member asks for.
    pub async fn manage(&self, server: &Server, method: Method, path: &str, body: Json) -> Answer {
        let url = format!("{}/api/v1/{path}", server.url);
        let token = format!("Token {}", self.token);
        let request = self
            .client
            .request(method, url)
            .header("Authorization", token);
        self.send(request.json(&body)).await
    }

    /// Makes a feature and gives the id of its state in the environment.
    pub async fn feature(&self, server: &Server, name: &str) -> i64 {
        let projects = self
            .manage(server, Method::GET, "projects/", Json::Null)
            .await;
        let project = &projects.json[0]["id"];
        let path = format!("projects/{project}/features/");
        let body = json!({ "name": name, "initial_value": "0" });
        let made = self.manage(server, Method::POST, &path, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let path = format!("{}?feature={}", self.states(), made.json["id"]);
        let states = self.manage(server, Method::GET, &path, Json::Null).await;
        states.json["results"][0]["id"].as_i64().unwrap()
    }

    /// Gives a state a value.
    pub async fn set(&self, server: &Server, state: i64, value: impl Into<Json>) -> Answer {
        let path = format!("{}{state}/", self.states());
        let body = json!({ "feature_state_value": value.into() });
        self.manage(server, Method::PATCH, &path, body).await
    }

    fn states(&self) -> String {
        format!("environments/{}/featurestates/", self.client_key)
    }

    /// What an SDK asks for with a key.
    pub async fn ask(&self, server: &Server, key: &str, path: &str) -> Answer {
        let url = format!("{}{path}", server.url);
        let request = self.client.get(url).header("X-Environment-Key", key);
        self.send(request).await
    }

    /// The value of a flag as everybody gets it.
    pub async fn flag(&self, server: &Server, name: &str) -> Json {
        let flags = self.ask(server, &self.client_key, "/api/v1/flags/").await;
        value_of(&flags.json, name)
    }

    /// Stores traits of an identity.
    pub async fn identify(&self, server: &Server, identifier: &str, traits: Json) -> Answer {
        let url = format!("{}/api/v1/identities/", server.url);
        let key = &self.client_key;
        let request = self.client.post(url).header("X-Environment-Key", key);
        let body = json!({ "identifier": identifier, "traits": traits });
        self.send(request.json(&body)).await
    }

    /// A trait of an identity as it is read.
    pub async fn trait_value(&self, server: &Server, identifier: &str, key: &str) -> Json {
        let path = format!("/api/v1/identities/?identifier={identifier}");
        let answer = self.ask(server, &self.client_key, &path).await;
        let traits = answer.json["traits"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let found = traits.into_iter().find(|each| each["trait_key"] == key);
        found.map_or(Json::Null, |found| found["trait_value"].clone())
    }

    /// The sum of a counter over all its labels, among those lines that hold a text.
    pub async fn metric(&self, server: &Server, name: &str, label: &str) -> f64 {
        let url = format!("{}/metrics", server.url);
        let text = self.client.get(url).send().await.unwrap();
        let text = text.text().await.unwrap();
        let lines = text.lines();
        let lines = lines.filter(|line| line.starts_with(name) && line.contains(label));
        let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
        values.sum()
    }
}

/// What `bootstrap` printed.
pub struct Prepared {
    client_key: String,
    server_key: String,
}

impl Prepared {
    pub fn server_key(&self) -> &str {
        &self.server_key
    }

    /// Signs in; the token counts on every server of the database.
    pub async fn sign_in(self, server: &Server) -> Desk {
        let limit = Duration::from_secs(40);
        let client = crate::http::builder().timeout(limit).build().unwrap();
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let url = format!("{}/api/v1/auth/login/", server.url);
        let answer = client.post(url).json(&body).send().await.unwrap();
        let answer: Json = answer.json().await.unwrap();
        Desk {
            client,
            client_key: self.client_key,
            server_key: self.server_key,
            token: answer["key"].as_str().unwrap().to_owned(),
        }
    }
}

/// The value of a flag in a list of flags.
pub fn value_of(flags: &Json, name: &str) -> Json {
    let mut flags = flags.as_array().into_iter().flatten();
    let found = flags.find(|flag| flag["feature"]["name"] == name);
    found.map_or(Json::Null, |flag| flag["feature_state_value"].clone())
}
