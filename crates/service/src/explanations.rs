//! How flags came to their values, for people and for programs that may know rules.

use crate::error::{ServiceError, ServiceResult};
use crate::flag_resolution::{Recognised, SentContext, Wanted};
use crate::{Caller, OpenEnvironment, Service};
use flagstaff_core::EnvironmentPermission;
use flagstaff_core::explain::Trace;

/// How the flags of one context came to their values.
#[derive(Debug)]
pub struct Explanation {
    /// The revision that all of it comes from.
    pub open: OpenEnvironment,
    /// Who asked.
    pub recognised: Recognised,
    /// The flags asked for, in the order of the features, and every segment that could override one of them.
    pub trace: Trace,
}

impl Explanation {
    /// What compiling the explained segments found, with their names.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let snapshot = self.open.snapshot();
        let segments = self.trace.segments.iter().flat_map(|segment| {
            let warnings = snapshot.warnings.get(segment.segment);
            let warnings = warnings.into_iter().flat_map(|list| list.iter());
            warnings.map(|warning| format!("segment `{}`: {warning}", segment.name))
        });
        segments.collect()
    }
}

impl Service {
    /// Opens an environment for a member or an API key that wants an explanation.
    ///
    /// # Errors
    /// As [`Service::environment`]; [`ServiceError::Forbidden`] for who may not see identities and names one: stored
    /// traits are shown.
    pub async fn open_to_explain(
        &self,
        caller: &Caller,
        api_key: &str,
        sent: &SentContext,
    ) -> ServiceResult<OpenEnvironment> {
        let permission = if sent.names_somebody() {
            EnvironmentPermission::ViewIdentities
        } else {
            EnvironmentPermission::ViewEnvironment
        };
        let place = self.environment_for(caller, api_key, permission).await?;
        Ok(OpenEnvironment {
            published: self.published(place.environment.id).await?,
            server_side: true,
        })
    }

    /// Explains flags. Nothing is stored, and nothing is hidden: also features for servers only and flags that are off.
    ///
    /// # Errors
    /// [`ServiceError::Forbidden`] for an environment opened with a client key, and as [`Service::recognise`].
    pub async fn explain(
        &self,
        open: OpenEnvironment,
        sent: SentContext,
        wanted: Wanted<'_>,
    ) -> ServiceResult<Explanation> {
        if !open.server_side {
            return Err(ServiceError::Forbidden);
        }
        let recognised = self.recognise(&open, sent, wanted).await?;
        let snapshot = open.snapshot();
        let features: Vec<usize> = match wanted {
            Wanted::Flags => (0..snapshot.features.len()).collect(),
            Wanted::Flag(name) => snapshot.rules.feature_index(name).into_iter().collect(),
        };
        let trace = snapshot.explain(&features, &recognised.context());
        Ok(Explanation {
            trace,
            recognised,
            open,
        })
    }
}
