//! Variants that callers are placed in by weight.

use super::branches::Target;
use flagstaff_core::FlagState;
use flagstaff_core::bucket::WholeWeights;
use flagstaff_core::variant_names::Variants;

/// How a state is split, `rest` being the variant of those who are in none of the options; `None` where it is not.
pub(super) fn split(state: &FlagState, variants: Variants<'_>, rest: &str) -> Option<Target> {
    let weights = WholeWeights::of(&state.variants);
    let left = weights.control();
    let names: Vec<_> = variants.options().map(|option| option.name).collect();
    let mut entries = Vec::new();
    for (variant, weight) in state.variants.iter().zip(weights.weights()) {
        if let Some(name) = names.get(variant.option)
            && weight > 0
        {
            entries.push(((*name).to_owned(), weight));
        }
    }
    if entries.is_empty() {
        return None;
    }
    // flagd's schema asks for two entries at least.
    if left > 0 || entries.len() < 2 {
        entries.push((rest.to_owned(), left));
    }
    Some(Target::Split {
        entries,
        rest: rest.to_owned(),
    })
}
