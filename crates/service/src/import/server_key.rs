//! The server-side key of an imported environment.

use super::Import;
use crate::error::ServiceResult;
use crate::secrets;
use flagstaff_core::{EnvironmentId, EnvironmentKey, ServerKey};
use flagstaff_store::NewServerKey;

impl Import {
    /// The key that was asked for, or a new one.
    pub(super) async fn server_key(
        &mut self,
        environment_id: EnvironmentId,
        key: Option<EnvironmentKey>,
    ) -> ServiceResult<ServerKey> {
        let key = match key {
            Some(key) => key.expose().to_owned(),
            None => format!(
                "{}{}",
                EnvironmentKey::SERVER_PREFIX,
                secrets::random_key()?
            ),
        };
        let new = NewServerKey {
            environment_id,
            name: "imported".to_owned(),
            key: key.into(),
            active: true,
            expires_at: None,
        };
        Ok(self.write.insert_server_key(&new, self.now).await?)
    }
}
