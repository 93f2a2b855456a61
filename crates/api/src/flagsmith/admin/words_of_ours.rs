//! Members that Flagsmith's bodies do not have: hashes, types of values, what off means, when a feature is to go.

use super::super::fields::{Fields, Need, Sent, Text};
use super::times;
use flagstaff_core::{DisabledAs, Hash, Timestamp, ValueType};

/// The longest word that is looked at.
const WORD: Text = Text::up_to(100);

/// Reads the hash of a feature, a segment or an environment.
pub(super) fn read_hash(fields: &mut Fields<'_>, need: Need) -> Sent<Hash> {
    read_word(
        fields,
        "hash",
        need,
        &Hash::ALL.map(|each| (each.name(), each)),
    )
}

/// Reads the type of a feature's values.
pub(super) fn read_value_type(fields: &mut Fields<'_>) -> Option<ValueType> {
    let words = ValueType::ALL.map(|each| (each.name(), each));
    read_word(fields, "value_type", Need::Optional, &words).value()
}

/// Reads the day by which a feature is expected to be gone from the code.
pub(super) fn read_expected_removal(fields: &mut Fields<'_>) -> Sent<Timestamp> {
    times::read_day(fields, "expected_removal_date")
}

/// Reads what a feature that is off means in an environment.
pub(super) fn read_disabled_as(fields: &mut Fields<'_>) -> Option<DisabledAs> {
    let words = DisabledAs::ALL.map(|each| (each.name(), each));
    read_word(fields, "disabled_as", Need::Optional, &words).value()
}

/// Reads one of the words of a closed list; the refusal of another names them all.
fn read_word<T: Copy>(
    fields: &mut Fields<'_>,
    name: &'static str,
    need: Need,
    words: &[(&str, T)],
) -> Sent<T> {
    let word = match fields.text(name, need, WORD) {
        Sent::Absent => return Sent::Absent,
        Sent::Null => return Sent::Null,
        Sent::Given(word) => word,
    };
    if let Some((_, meaning)) = words.iter().find(|(known, _)| *known == word) {
        return Sent::Given(*meaning);
    }
    let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
    let problem = format!(
        "\"{word}\" is not a valid choice: one of {}.",
        known.join(", ")
    );
    fields.fail(name, problem);
    Sent::Absent
}
