//! What was answered, as flagd's metrics count it: impressions of flags, and reasons.

use crate::state::ApiState;
use flagstaff_core::Resolution;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// Flags that are told apart; what comes after them is counted together.
const FLAG_LIMIT: usize = 500;
/// What counts for everything beyond the limit.
const OTHER: &str = "other";

/// The flags whose names are labels, where names may be labels at all.
#[derive(Default)]
pub(crate) struct FlagLabels(RwLock<HashSet<Arc<str>>>);

impl FlagLabels {
    /// The label of a flag.
    fn label(&self, name: &str) -> Arc<str> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Arc::clone(known);
        }
        let is_full = known.len() >= FLAG_LIMIT;
        drop(known);
        if is_full {
            return OTHER.into();
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let label: Arc<str> = name.into();
        known.insert(Arc::clone(&label));
        label
    }
}

/// Counts one answer.
pub(super) fn count(state: &ApiState, resolution: &Resolution<'_>) {
    let reason = resolution.reason.name();
    let Some(labels) = state.flag_labels() else {
        metrics::counter!("flagstaff_flagd_impressions_total").increment(1);
        metrics::counter!("flagstaff_flagd_reasons_total", "reason" => reason).increment(1);
        return;
    };
    let feature = labels.label(resolution.key);
    let variant = match &resolution.variant {
        Some(_) if &*feature == OTHER => OTHER.to_owned(),
        Some(variant) => variant.name().to_owned(),
        None => String::new(),
    };
    metrics::counter!(
        "flagstaff_flagd_impressions_total",
        "feature" => Arc::clone(&feature), "variant" => variant
    )
    .increment(1);
    metrics::counter!("flagstaff_flagd_reasons_total", "feature" => feature, "reason" => reason)
        .increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_beyond_the_limit_are_counted_together() {
        let labels = FlagLabels::default();
        for number in 0..FLAG_LIMIT {
            assert_eq!(
                &*labels.label(&format!("flag {number}")),
                format!("flag {number}")
            );
        }

        assert_eq!(&*labels.label("one more"), OTHER);
        assert_eq!(&*labels.label("flag 7"), "flag 7");
    }
}
