//! What is going to change by itself in an environment.

use crate::error::ServiceResult;
use crate::{Caller, Service};
use flagstaff_core::{Feature, FeatureVersion, Member};

/// A version that was published for a time to come.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledVersion {
    /// The version.
    pub version: FeatureVersion,
    /// Whose.
    pub feature: Feature,
    /// Who published it; `None` for a program, and for somebody who is gone.
    pub published_by: Option<Member>,
}

impl Service {
    /// Versions of features that become true in an environment later on, the next one first. They are taken back by
    /// [`Service::delete_feature_version`].
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn scheduled_versions(
        &self,
        caller: &Caller,
        api_key: &str,
    ) -> ServiceResult<Vec<ScheduledVersion>> {
        let environment = self.environment(caller, api_key).await?;
        let store = self.store();
        let now = self.clock().now();
        let mut scheduled = Vec::new();
        for version in store.scheduled_versions(environment.id, now).await? {
            let Some(feature) = store.feature(version.feature_id).await? else {
                continue;
            };
            let published_by = match version.published_by {
                Some(id) => store.member(id).await?,
                None => None,
            };
            scheduled.push(ScheduledVersion {
                version,
                feature,
                published_by,
            });
        }
        Ok(scheduled)
    }
}
