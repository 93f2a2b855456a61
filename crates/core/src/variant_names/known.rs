//! What is worked out once for a feature of a snapshot: names and readings of its variants.

use super::{
    CONTROL, KnownOption, KnownOverride, KnownVariants, Variants, in_order, named_override,
    natural_names_of_options, natural_names_of_segments, numbered,
};
use crate::snapshot::Snapshot;
use crate::typed_value::Reading;
use std::sync::Arc;

pub(super) fn know(snapshot: &Snapshot, feature: usize) -> KnownVariants {
    let part = &snapshot.features[feature];
    let rules = &snapshot.rules.features()[feature];
    let value_type = part.feature.value_type;
    let overrides = snapshot.rules.candidates(feature).iter().map(|candidate| {
        let segment = &snapshot.rules.segments()[candidate.segment];
        let state = &segment.overrides()[candidate.position].state;
        KnownOverride {
            segment: candidate.segment,
            position: candidate.position,
            name: None,
            reading: Reading::of(&state.value, value_type, state.enabled),
        }
    });
    let overrides: Box<[_]> = overrides.collect();
    let is_on = |known: &KnownOverride| named_override(snapshot, known).state.enabled;
    let of_identities = snapshot.identities.effect(&rules.name);
    let mut known = KnownVariants {
        control: Reading::of(&rules.state.value, value_type, true),
        options: part
            .options
            .iter()
            .map(|option| KnownOption {
                name: Arc::from(""),
                reading: Reading::of(&option.value.effective(), value_type, true),
            })
            .collect(),
        is_overridden: !overrides.is_empty() || of_identities.overrides,
        is_enabled_by_override: overrides.iter().any(is_on) || of_identities.enables,
        overrides,
    };
    name_all(snapshot, feature, &mut known);
    known
}

/// Gives options and segments their names.
fn name_all(snapshot: &Snapshot, feature: usize, known: &mut KnownVariants) {
    let variants = Variants {
        snapshot,
        feature,
        known,
    };
    let is_natural = |name: &str| variants.is_natural(name);
    let mut seen = vec![CONTROL.to_owned()];
    let mut name = |natural: String| {
        let before = seen.iter().filter(|other| **other == natural).count();
        seen.push(natural.clone());
        Arc::<str>::from(numbered(natural, before, is_natural))
    };
    let options = natural_names_of_options(&snapshot.features[feature].options);
    let options: Vec<_> = options.map(|natural| name(natural.into_owned())).collect();
    let places = in_order(variants.known).into_iter().filter(|place| {
        let state = named_override(snapshot, &variants.known.overrides[*place]).state;
        variants.is_other_than_control(state)
    });
    let segments: Vec<_> = places
        .zip(natural_names_of_segments(variants))
        .map(|(place, natural)| (place, name(natural)))
        .collect();
    for (option, name) in known.options.iter_mut().zip(options) {
        option.name = name;
    }
    for (place, name) in segments {
        known.overrides[place].name = Some(name);
    }
}
