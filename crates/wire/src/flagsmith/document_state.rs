//! Feature states as the environment document writes them.

use super::flag::feature_type;
use crate::json::{
    write_boolean, write_float, write_integer, write_list, write_optional_integer,
    write_optional_text, write_text, write_value,
};
use flagstaff_core::{
    FeatureState, MultivariateOption, SnapshotFeature, StateOwner, Value, VariantWeight,
};
use uuid::Uuid;

/// A state to be written.
pub(super) struct StateOutput<'a> {
    /// The feature it belongs to.
    pub(super) part: &'a SnapshotFeature,
    /// The state.
    pub(super) state: &'a FeatureState,
    /// Written instead of the state's own value.
    pub(super) value: Option<&'a Value>,
}

/// Writes a state; false where an SDK would hash its variants by another text than the server.
pub(super) fn write_state(out: &mut Vec<u8>, output: &StateOutput<'_>) -> bool {
    let StateOutput { part, state, value } = output;
    let feature = &part.feature;
    out.extend_from_slice(b"{\"feature\":{\"id\":");
    write_integer(out, feature.id.get());
    out.extend_from_slice(b",\"name\":");
    write_text(out, feature.name.as_str());
    out.extend_from_slice(b",\"type\":");
    write_text(out, feature_type(feature.kind));
    out.extend_from_slice(b"},\"enabled\":");
    write_boolean(out, state.enabled);
    let seed = Seed::of(state);
    out.extend_from_slice(b",\"django_id\":");
    write_optional_integer(out, seed.number);
    out.extend_from_slice(b",\"feature_segment\":");
    write_feature_segment(out, &state.owner);
    out.extend_from_slice(b",\"featurestate_uuid\":");
    write_text(out, &seed.uuid);
    out.extend_from_slice(b",\"feature_state_value\":");
    match value {
        Some(value) => write_value(out, value),
        None => write_value(out, &state.value.effective()),
    }
    out.extend_from_slice(b",\"multivariate_feature_state_values\":");
    let weighted = state.weights.iter().filter_map(|weight| {
        let option = part
            .options
            .iter()
            .find(|option| option.id == weight.option_id)?;
        Some((weight, option))
    });
    write_list(out, weighted, write_weight);
    out.push(b'}');
    seed.is_kept || state.weights.is_empty()
}

/// Without a priority nothing is written: Python's SDK fails on a `null` priority, but takes none as weakest.
fn write_feature_segment(out: &mut Vec<u8>, owner: &StateOwner) {
    let priority = match owner {
        StateOwner::Segment(link) => link.priority,
        StateOwner::Environment | StateOwner::Identity { .. } => None,
    };
    match priority {
        Some(priority) => {
            out.extend_from_slice(b"{\"priority\":");
            write_integer(out, priority);
            out.push(b'}');
        }
        None => out.extend_from_slice(b"null"),
    }
}

fn write_weight(out: &mut Vec<u8>, (weight, option): (&VariantWeight, &MultivariateOption)) {
    out.extend_from_slice(b"{\"multivariate_feature_option\":{\"value\":");
    write_value(out, &option.value.effective());
    out.extend_from_slice(b",\"id\":");
    write_integer(out, option.id.get());
    out.extend_from_slice(b",\"key\":");
    write_optional_text(out, option.key.as_deref());
    out.extend_from_slice(b"},\"percentage_allocation\":");
    write_float(out, weight.percentage_allocation);
    out.extend_from_slice(b",\"id\":");
    write_integer(out, weight.id.get());
    out.extend_from_slice(b",\"mv_fs_value_uuid\":");
    write_text(out, &weight.uuid.to_string());
    out.push(b'}');
}

/// How a document says what a state's variants are hashed by: `django_id`, else `featurestate_uuid`.
struct Seed {
    number: Option<i64>,
    uuid: String,
    /// False where neither can carry the seed.
    is_kept: bool,
}

impl Seed {
    fn of(state: &FeatureState) -> Self {
        let own_uuid = || state.uuid.to_string();
        // SDKs take an id of 0 for none.
        if let Some(number) = digits_as_number(&state.hash_seed).filter(|number| *number != 0) {
            return Self {
                number: Some(number),
                uuid: own_uuid(),
                is_kept: true,
            };
        }
        let is_kept = Uuid::try_parse(&state.hash_seed).is_ok();
        Self {
            number: None,
            uuid: if is_kept {
                state.hash_seed.to_string()
            } else {
                own_uuid()
            },
            is_kept,
        }
    }
}

/// The number whose decimal text is exactly this text.
///
/// SDKs turn ids back into text to hash them, so `007` must not go out as 7.
pub(super) fn digits_as_number(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok().filter(|number| *number >= 0)?;
    (number.to_string() == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_digits_are_numbers() {
        assert_eq!(digits_as_number("33"), Some(33));
        assert_eq!(digits_as_number("0"), Some(0));
        for text in ["", "007", "+7", "-7", "7.0", "٣", "99999999999999999999"] {
            assert_eq!(digits_as_number(text), None, "{text}");
        }
    }
}
