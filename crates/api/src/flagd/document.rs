//! The flagd document of an environment and its diagnostics, made once per snapshot.

use super::meters;
use crate::rendered::Rendered;
use crate::state::ApiState;
use flagstaff_core::{FlagdIntegration, Snapshot};
use flagstaff_service::Published;
use flagstaff_wire::flagd::{DocumentOptions, diagnostics, document};
use std::sync::Arc;
use std::time::Instant;

/// Both, with the tags and encodings they are served by.
pub(crate) struct FlagdDocument {
    /// The flags: what every flagd client evaluates.
    pub(crate) flags: Rendered,
    /// What the document cannot say.
    pub(crate) diagnostics: Rendered,
}

impl FlagdDocument {
    /// The document of a published snapshot, made on first use and off the async threads.
    pub(crate) async fn of(
        state: &ApiState,
        published: &Arc<Published>,
        integration: &FlagdIntegration,
    ) -> Arc<Self> {
        let limit = state.config().flagd.identity_override_limit;
        let options = DocumentOptions::of(integration, limit);
        published
            .form_off_thread_by(move |snapshot| Self::render(snapshot, &options))
            .await
    }

    fn render(snapshot: &Snapshot, options: &DocumentOptions) -> Self {
        let started = Instant::now();
        let made = document(snapshot, options);
        meters::measure(started.elapsed(), made.bytes.len());
        let warnings = made.warnings;
        for warning in warnings.iter() {
            meters::count_warning(warning.reason.as_str());
        }
        if !warnings.is_empty() {
            tracing::warn!(
                environment.id = snapshot.environment.id.get(),
                flagd.warnings = warnings.total(),
                "translation.warnings"
            );
        }
        Self {
            flags: Rendered::new(made.bytes),
            diagnostics: Rendered::new(diagnostics(snapshot, &warnings, &made.differences)),
        }
    }
}
