//! Which flags a caller may see.

use crate::environment_access::OpenEnvironment;
use flagstaff_core::Feature;

/// What of an environment's flags is shown to who opened it. The original forgets one filter where the other is on.
#[derive(Debug, Clone, Copy)]
pub struct Audience {
    is_server_side: bool,
    hides_disabled: bool,
}

impl Audience {
    /// False for a feature that only servers may know of, when no server asks.
    #[must_use]
    pub fn may_know(self, feature: &Feature) -> bool {
        self.is_server_side || !feature.is_server_key_only
    }

    /// False for a flag that is off where those are hidden.
    #[must_use]
    pub fn sees(self, is_enabled: bool) -> bool {
        is_enabled || !self.hides_disabled
    }
}

impl OpenEnvironment {
    /// Which of its flags whoever opened it may see.
    #[must_use]
    pub fn audience(&self) -> Audience {
        let snapshot = self.snapshot();
        let environment = snapshot.environment.hide_disabled_flags;
        Audience {
            is_server_side: self.server_side,
            hides_disabled: environment.unwrap_or(snapshot.project.hide_disabled_flags),
        }
    }
}
