//! What a first start puts into an empty database: a project that shows what the product can do.

use crate::error::{ServiceError, ServiceResult};
use crate::import::ImportRequest;
use crate::{Service, secrets};
use flagstaff_wire::flagsmith::document::parse_environment_document;
use secrecy::SecretString;
use std::sync::Arc;

/// The demo as an environment document: booleans, remote config, a multivariate feature, a segment with a version
/// comparison, a percentage rollout and an identity override. Its client key is replaced by a random one.
const DOCUMENT: &[u8] = include_bytes!("demo/environment.json");

/// The keys of a demo that was just made.
#[derive(Debug, Clone)]
pub struct Demo {
    /// For browsers and apps; no secret.
    pub client_key: Arc<str>,
    /// For servers.
    pub server_key: SecretString,
}

impl Service {
    /// Makes the demo project when the database holds neither a member nor an organisation; of several processes
    /// that start together, one makes it.
    ///
    /// # Errors
    /// Failures of the database.
    pub async fn create_demo(&self) -> ServiceResult<Option<Demo>> {
        if !self.store().is_empty().await? {
            return Ok(None);
        }
        let (mut document, _) = parse_environment_document(DOCUMENT)
            .map_err(|error| ServiceError::Internal(error.to_string().into()))?;
        document.api_key = secrets::random_key()?.into();
        let mut write = self.store().write().await?;
        if !write.is_first().await? {
            return Ok(None);
        }
        let imported = self
            .import_into(write, document, ImportRequest::default())
            .await?;
        Ok(Some(Demo {
            client_key: imported.environment.api_key,
            server_key: SecretString::from(&*imported.server_key.key),
        }))
    }
}
