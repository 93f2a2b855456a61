//! The dashboard's own flags, asked for where the operator keeps them: on another server.

use super::Stop;
use crate::Service;
use crate::error::BoxError;
use crate::outbound::OutboundClient;
use http::Request;
use std::time::Duration;
use tracing::warn;

/// How often is asked.
const INTERVAL: Duration = Duration::from_secs(15);

pub(super) async fn run(service: Service, mut stop: Stop) {
    // The address is the operator's own.
    let client = match OutboundClient::trusted(&service.config().outbound) {
        Ok(client) => client,
        Err(problem) => {
            warn!(%problem, "the dashboard's own flags are not asked for");
            return;
        }
    };
    let mut is_away = false;
    loop {
        let asked = stop
            .unless_stopped(service.ask_for_own_flags(&client))
            .await;
        match asked {
            None => return,
            Some(Ok(())) => is_away = false,
            Some(Err(problem)) => {
                // Said once, not every time: what was known before still counts.
                if !is_away {
                    warn!(%problem, "the dashboard's own flags cannot be asked for");
                }
                is_away = true;
            }
        }
        if !stop.sleep(INTERVAL).await {
            return;
        }
    }
}

impl Service {
    async fn ask_for_own_flags(&self, client: &OutboundClient) -> Result<(), BoxError> {
        let source = &self.config().own_flags;
        let api = source.api.as_deref().unwrap_or_default();
        let key = source.key.as_deref().unwrap_or_default();
        let request = Request::get(format!("{}/flags/", api.trim_end_matches('/')))
            .header("x-environment-key", key)
            .body(Vec::new())?;
        let answer = client.send(request).await?;
        if !answer.status().is_success() {
            return Err(format!("the server answers {}", answer.status()).into());
        }
        Ok(self.keep_distant_flags(answer.body())?)
    }
}
