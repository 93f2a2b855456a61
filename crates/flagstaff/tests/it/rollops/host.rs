//! What Rollops does: starts the plugin anew for each change, calls it once and lets go of it.

use crate::desk::Desk;
use crate::server::Server;
use crate::skipped::required;
use flagstaff_proto::rollops::plugin::v1::InvokeToolRequest;
use flagstaff_proto::rollops::plugin::v1::plugin_client::PluginClient;
use hyper_util::rt::TokioIo;
use reqwest::Method;
use serde_json::{Value as Json, json};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use tokio::net::UnixStream;
use tonic::Status;
use tonic::transport::Endpoint;

/// Says where the plugin is.
const VARIABLE: &str = "FLAGSTAFF_ROLLOPS_PLUGIN";

/// A daemon that drives one flag of one environment.
pub struct Host {
    plugin: String,
    variables: Vec<(String, String)>,
    environment: String,
}

impl Host {
    /// `None` where there is no plugin.
    pub async fn of(desk: &Desk, server: &Server) -> Option<Self> {
        let plugin = required(VARIABLE)?;
        let projects = desk
            .manage(server, Method::GET, "projects/", Json::Null)
            .await;
        let project = projects.json[0]["id"].to_string();
        let variables = [
            ("FLAGSMITH_API_URL", format!("{}/api/v1", server.url)),
            ("FLAGSMITH_TOKEN", desk.token().to_owned()),
            ("FLAGSMITH_PROJECT_ID", project),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Some(Self {
            plugin,
            variables: variables.into(),
            environment: desk.client_key.clone(),
        })
    }

    /// The same with more of the plugin's variables.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One change, by a process of its own.
    pub async fn apply(&self, flag: &str, percentage: u8, disabled: bool) -> Result<(), Status> {
        let mut child = Command::new(&self.plugin)
            .env_clear()
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().split('|').nth(3).unwrap().to_owned();
        let connector = tower::service_fn(move |_| {
            let address = address.clone();
            async move { UnixStream::connect(address).await.map(TokioIo::new) }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        let channel = endpoint.connect_with_connector(connector).await.unwrap();
        let input = json!({
            "flag": flag,
            "environment": self.environment,
            "percentage": percentage,
            "disabled": disabled,
        });
        let call = InvokeToolRequest {
            capability: "featureflag".to_owned(),
            tool: "apply_flag".to_owned(),
            input: input.to_string().into_bytes(),
        };
        let answer = PluginClient::new(channel).invoke_tool(call).await;
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
        answer.map(|answer| assert_eq!(answer.into_inner().output, b"{}"))
    }
}
