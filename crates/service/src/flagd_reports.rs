//! What flagd's clients are told of an environment, and what cannot be said to them: for people.

use crate::error::ServiceResult;
use crate::{Caller, Service};
use flagstaff_core::{FlagdIntegration, Snapshot};
use flagstaff_wire::flagd::{DocumentOptions, Warning, document, flag_set_id};
use std::sync::Arc;

/// Warnings that a report tells one by one; the others are counted.
const TOLD: usize = 500;

/// One thing that a document cannot say, or says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagdFinding {
    /// The feature; `None` for what concerns every feature that uses a segment.
    pub feature: Option<Arc<str>>,
    /// Its kind, as programs read it.
    pub reason: &'static str,
    /// Where it is, as `name=value` pairs.
    pub detail: String,
}

/// A flagd document, looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagdReport {
    /// What selectors name the environment by.
    pub flag_set_id: String,
    /// Flags in the document.
    pub flags: usize,
    /// Its size.
    pub bytes: usize,
    /// All that was found.
    pub total: usize,
    /// The first of them.
    pub findings: Vec<FlagdFinding>,
}

impl FlagdReport {
    fn of(snapshot: &Snapshot, options: &DocumentOptions) -> Self {
        let made = document(snapshot, options);
        let finding = |feature: Option<&Arc<str>>, warning: &Warning| FlagdFinding {
            feature: feature.cloned(),
            reason: warning.reason.as_str(),
            detail: warning.detail.clone(),
        };
        let of_segments = made.warnings.environment.iter();
        let mut findings: Vec<_> = of_segments.map(|warning| finding(None, warning)).collect();
        for part in &made.warnings.features {
            let of_feature = part.warnings.iter();
            findings.extend(of_feature.map(|warning| finding(Some(&part.feature), warning)));
        }
        findings.truncate(TOLD);
        Self {
            flag_set_id: flag_set_id(snapshot),
            flags: snapshot.features.len(),
            bytes: made.bytes.len(),
            total: made.warnings.total(),
            findings,
        }
    }
}

impl Service {
    /// What flagd's clients get of an environment, as the project is served to flagd or would be by default. A flag
    /// names `identity_limit` identities at most.
    ///
    /// # Errors
    /// As [`Service::environment`].
    pub async fn flagd_report(
        &self,
        caller: &Caller,
        api_key: &str,
        identity_limit: usize,
    ) -> ServiceResult<Arc<FlagdReport>> {
        let environment = self.environment(caller, api_key).await?;
        let integration = self
            .store()
            .flagd_integration(environment.project_id)
            .await?;
        let options = options(integration.as_ref(), identity_limit);
        let published = self.published(environment.id).await?;
        Ok(published
            .form_off_thread_by(move |snapshot| FlagdReport::of(snapshot, &options))
            .await)
    }
}

fn options(integration: Option<&FlagdIntegration>, identity_limit: usize) -> DocumentOptions {
    match integration {
        Some(integration) => DocumentOptions::of(integration, identity_limit),
        None => DocumentOptions {
            identity_override_limit: identity_limit,
            ..DocumentOptions::default()
        },
    }
}
