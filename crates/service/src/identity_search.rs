//! Identities looked for by members among very many.

use crate::error::ServiceResult;
use crate::{Caller, Service};
use flagstaff_core::{EnvironmentPermission, Identity, IdentityId};

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityQuestion {
    /// Identifiers that begin with this, in their order; those after another.
    Beginning {
        /// Upper and lower case are told apart.
        text: String,
        /// The last one seen.
        after: Option<String>,
    },
    /// Identifiers that hold this anywhere, oldest first; those after another.
    Holding {
        /// Without regard to ASCII case.
        text: String,
        /// The last one seen.
        after: Option<IdentityId>,
    },
}

/// Some identities, and whether there are more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundIdentities {
    /// Up to as many as were asked for.
    pub identities: Vec<Identity>,
    /// True where more follow.
    pub has_more: bool,
}

impl Service {
    /// Looks for identities of an environment, a page at a time.
    ///
    /// # Errors
    /// As [`Service::identities`].
    pub async fn find_identities(
        &self,
        caller: &Caller,
        api_key: &str,
        question: &IdentityQuestion,
        limit: usize,
    ) -> ServiceResult<FoundIdentities> {
        let permission = EnvironmentPermission::ViewIdentities;
        let place = self.environment_for(caller, api_key, permission).await?;
        let id = place.environment.id;
        // One more than is shown says whether there are more.
        let mut identities = match question {
            IdentityQuestion::Beginning { text, after } => {
                self.store()
                    .identities_beginning(id, text, after.as_deref(), limit + 1)
                    .await?
            }
            IdentityQuestion::Holding { text, after } => {
                self.store()
                    .identities_holding(id, text, *after, limit + 1)
                    .await?
            }
        };
        let has_more = identities.len() > limit;
        identities.truncate(limit);
        Ok(FoundIdentities {
            identities,
            has_more,
        })
    }
}
