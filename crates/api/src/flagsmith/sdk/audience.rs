//! Which flags a caller may see.

use flagstaff_core::Feature;
use flagstaff_service::OpenEnvironment;

/// What of an environment's flags is shown. The original forgets one filter where the other is on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audience {
    is_server_side: bool,
    hides_disabled: bool,
}

impl Audience {
    pub(super) fn of(open: &OpenEnvironment) -> Self {
        let snapshot = open.snapshot();
        let environment = snapshot.environment.hide_disabled_flags;
        Self {
            is_server_side: open.server_side,
            hides_disabled: environment.unwrap_or(snapshot.project.hide_disabled_flags),
        }
    }

    /// False for a feature that only servers may know of, when no server asks.
    pub(super) fn may_know(self, feature: &Feature) -> bool {
        self.is_server_side || !feature.is_server_key_only
    }

    /// False for a flag that is off where those are hidden.
    pub(super) fn sees(self, is_enabled: bool) -> bool {
        is_enabled || !self.hides_disabled
    }
}
