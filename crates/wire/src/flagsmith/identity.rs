//! What the SDK routes answer about an identity: flags, traits and, on the oldest route, segments.

use super::flag::{FlagForm, FlagFragments};
use crate::json::{
    write_boolean, write_list, write_optional_integer, write_optional_text, write_text, write_value,
};
use flagstaff_core::{Flag, IdentityTrait, Segment, TraitId, Value};

/// A trait as an answer shows it.
#[derive(Debug, Clone, Copy)]
pub struct TraitAnswer<'a> {
    /// Row id; `None` where it was not stored, or not stored yet.
    pub id: Option<TraitId>,
    /// Its name.
    pub key: &'a str,
    /// Its value.
    pub value: &'a Value,
    /// True where it was sent to be used once, or by an identity that is not stored.
    pub transient: bool,
}

impl<'a> TraitAnswer<'a> {
    /// A stored trait.
    #[must_use]
    pub fn stored(stored: &'a IdentityTrait) -> Self {
        Self {
            id: Some(stored.id),
            key: &stored.key,
            value: &stored.value,
            transient: false,
        }
    }

    /// Writes `{"id":4,"trait_key":"age","trait_value":20,"transient":false}`.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        write_optional_integer(out, self.id.map(TraitId::get));
        out.extend_from_slice(b",\"trait_key\":");
        write_text(out, self.key);
        out.extend_from_slice(b",\"trait_value\":");
        write_value(out, self.value);
        out.extend_from_slice(b",\"transient\":");
        write_boolean(out, self.transient);
        out.push(b'}');
    }
}

/// The answer of `identities/`.
#[derive(Debug, Clone, Copy)]
pub struct IdentityAnswer<'a> {
    /// Who.
    pub identifier: &'a str,
    /// Their traits; left out of the answer where the environment hides sensitive data.
    pub traits: &'a [TraitAnswer<'a>],
}

impl IdentityAnswer<'_> {
    /// Writes `{"identifier":…,"traits":[…],"flags":[…]}`. Flags are those that the caller may see; each is written
    /// as it comes, so they can be evaluated one by one.
    pub fn to_bytes<'s>(
        &self,
        fragments: &FlagFragments,
        flags: impl IntoIterator<Item = Flag<'s>>,
    ) -> Vec<u8> {
        let others = 256 + self.identifier.len() + 128 * self.traits.len();
        let mut bytes = Vec::with_capacity(others + fragments.usual_length());
        let out = &mut bytes;
        out.extend_from_slice(b"{\"identifier\":");
        write_text(out, self.identifier);
        out.extend_from_slice(b",\"traits\":");
        write_traits(fragments, self.traits, out);
        out.extend_from_slice(b",\"flags\":");
        fragments.write_list(flags, out);
        out.push(b'}');
        bytes
    }

    /// Writes the deprecated `{"flags":[…],"traits":[…],"segments":[…]}`, whose flags name no variant.
    pub fn write_deprecated<'s>(
        &self,
        fragments: &FlagFragments,
        flags: &[Flag<'s>],
        segments: impl IntoIterator<Item = &'s Segment>,
        out: &mut Vec<u8>,
    ) {
        out.extend_from_slice(b"{\"flags\":");
        write_list(out, flags, |out, flag| {
            fragments.write(flag, FlagForm::WithoutVariant, out);
        });
        out.extend_from_slice(b",\"traits\":");
        write_traits(fragments, self.traits, out);
        out.extend_from_slice(b",\"segments\":");
        write_list(out, segments, |out, segment| {
            out.extend_from_slice(b"{\"id\":");
            write_optional_integer(out, Some(segment.id.get()));
            out.extend_from_slice(b",\"name\":");
            write_text(out, &segment.name);
            out.extend_from_slice(b",\"description\":");
            write_optional_text(out, segment.description.as_deref());
            out.push(b'}');
        });
        out.push(b'}');
    }
}

/// Writes what `traits/` echoes: `{"identity":{"identifier":…},"trait_value":…,"trait_key":…}`.
pub fn write_set_trait(identifier: &str, key: &str, value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"identity\":{\"identifier\":");
    write_text(out, identifier);
    out.extend_from_slice(b"},\"trait_value\":");
    write_value(out, value);
    out.extend_from_slice(b",\"trait_key\":");
    write_text(out, key);
    out.push(b'}');
}

/// Writes what `traits/increment-value/` answers: `{"trait_key":…,"trait_value":…,"identifier":…}`.
pub fn write_incremented_trait(identifier: &str, key: &str, value: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"trait_key\":");
    write_text(out, key);
    out.extend_from_slice(b",\"trait_value\":");
    write_value(out, &Value::Integer(value));
    out.extend_from_slice(b",\"identifier\":");
    write_text(out, identifier);
    out.push(b'}');
}

fn write_traits(fragments: &FlagFragments, traits: &[TraitAnswer<'_>], out: &mut Vec<u8>) {
    if fragments.hides_sensitive_data() {
        out.extend_from_slice(b"[]");
        return;
    }
    write_list(out, traits, |out, each| each.write(out));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trait_is_answered_as_recorded() {
        let mut out = Vec::new();
        let answer = TraitAnswer {
            id: Some(TraitId::new(8)),
            key: "score",
            value: &Value::Float(1.5),
            transient: false,
        };

        answer.write(&mut out);

        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"{"id":8,"trait_key":"score","trait_value":1.5,"transient":false}"#
        );
    }

    #[test]
    fn a_set_trait_is_echoed_as_recorded() {
        let (mut set, mut incremented) = (Vec::new(), Vec::new());

        write_set_trait("gina", "plan", &Value::text("pro"), &mut set);
        write_incremented_trait("gina", "n", 5, &mut incremented);

        assert_eq!(
            String::from_utf8(set).unwrap(),
            r#"{"identity":{"identifier":"gina"},"trait_value":"pro","trait_key":"plan"}"#
        );
        assert_eq!(
            String::from_utf8(incremented).unwrap(),
            r#"{"trait_key":"n","trait_value":5,"identifier":"gina"}"#
        );
    }
}
