//! Tickets: what a browser takes along to another service, signed, and has to bring back.

use crate::error::{ExternalProblem, ServiceError, ServiceResult};
use crate::{Service, secrets};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// The name under which the installation keeps the secret that tickets are signed with.
const SECRET: &str = "external_sign_in_secret";

/// What a ticket holds.
#[derive(Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) provider: String,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
    pub(crate) expires_at: i64,
    pub(crate) invite: Option<String>,
}

impl Service {
    pub(crate) async fn signed_ticket(&self, ticket: &Ticket) -> ServiceResult<SecretString> {
        let text =
            serde_json::to_vec(ticket).map_err(|error| ServiceError::Internal(error.into()))?;
        let signature = self.ticket_mac(&text).await?.finalize().into_bytes();
        Ok(format!("{}.{}", secrets::hex(&text), secrets::hex(&signature)).into())
    }

    /// What a ticket of ours holds.
    ///
    /// # Errors
    /// [`ExternalProblem::Stale`] for one that is not ours.
    pub(crate) async fn opened_ticket(&self, text: &str) -> ServiceResult<Ticket> {
        let stale = || ServiceError::External(ExternalProblem::Stale);
        let (text, signature) = text.split_once('.').ok_or_else(stale)?;
        let text = bytes_of(text).ok_or_else(stale)?;
        let signature = bytes_of(signature).ok_or_else(stale)?;
        let mac = self.ticket_mac(&text).await?;
        mac.verify_slice(&signature).map_err(|_| stale())?;
        serde_json::from_slice(&text).map_err(|_| stale())
    }

    async fn ticket_mac(&self, text: &[u8]) -> ServiceResult<Hmac<Sha256>> {
        let secret = match self.store().instance_value(SECRET).await? {
            Some(secret) => secret,
            None => {
                let fresh = secrets::random_key()? + &secrets::random_key()?;
                self.store().keep_instance_value(SECRET, &fresh).await?
            }
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .map_err(|error| ServiceError::Internal(error.into()))?;
        mac.update(text);
        Ok(mac)
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}
