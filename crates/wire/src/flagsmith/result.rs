//! Evaluation results as Flagsmith's engines give them.

use super::context::{EvaluationContext, Untouched};
use crate::json::{
    write_boolean, write_json, write_list, write_optional_text, write_text, write_value,
};
use flagstaff_core::{Flag, FlagVariant, Origin, ReasonWords, Variant};
use serde_json::Value as Json;

impl EvaluationContext {
    /// Evaluates all flags and segments and writes the result as one line of JSON, without line end.
    ///
    /// `{"flags": {name: {name, enabled, value, reason, variant, metadata?}}, "segments": [{name, metadata?}]}`
    pub fn write_result(&self, words: ReasonWords, out: &mut Vec<u8>) {
        let mut evaluator = self.rules.evaluator(&self.context());
        let flags = evaluator.flags();
        let matching = evaluator.matching_segments();
        out.extend_from_slice(b"{\"flags\":{");
        for (position, flag) in flags.iter().enumerate() {
            if position > 0 {
                out.push(b',');
            }
            self.write_flag(flag, words, out);
        }
        out.extend_from_slice(b"},\"segments\":");
        write_list(out, matching, |out, segment| {
            out.extend_from_slice(b"{\"name\":");
            write_text(out, self.rules.segments()[segment].name());
            write_metadata(out, self.segments[segment].metadata.as_ref());
            out.push(b'}');
        });
        out.push(b'}');
    }

    fn write_flag(&self, flag: &Flag<'_>, words: ReasonWords, out: &mut Vec<u8>) {
        let untouched = self.untouched(flag);
        let name = &self.rules.features()[flag.feature].name;
        write_text(out, name);
        out.extend_from_slice(b":{\"name\":");
        write_text(out, name);
        out.extend_from_slice(b",\"enabled\":");
        write_boolean(out, flag.enabled);
        out.extend_from_slice(b",\"value\":");
        match untouched.and_then(|untouched| composite_value(flag, untouched)) {
            Some(json) => write_json(out, json),
            None => write_value(out, flag.value),
        }
        out.extend_from_slice(b",\"reason\":");
        write_text(out, &flag.reason.text(words));
        out.extend_from_slice(b",\"variant\":");
        write_optional_text(out, variant_key(&flag.variant));
        write_metadata(
            out,
            untouched.and_then(|untouched| untouched.metadata.as_ref()),
        );
        out.push(b'}');
    }

    fn untouched(&self, flag: &Flag<'_>) -> Option<&Untouched> {
        match flag.origin {
            Origin::Environment => self.features.get(flag.feature),
            Origin::Segment { segment, position } => {
                self.segments.get(segment)?.overrides.get(position)
            }
            Origin::Identity => None,
        }
    }
}

/// The variant as Flagsmith names it: an option without key has none, as has a flag without variants.
pub(super) fn variant_key<'s>(variant: &FlagVariant<'s>) -> Option<&'s str> {
    match variant {
        FlagVariant::None => None,
        FlagVariant::Control => Some("control"),
        FlagVariant::Option(variant) => variant.key.as_deref(),
    }
}

/// The position of a flag's variant among those of its state.
pub(super) fn variant_position(variants: &[Variant], variant: &Variant) -> Option<usize> {
    variants
        .iter()
        .position(|other| std::ptr::eq(other, variant))
}

fn composite_value<'a>(flag: &Flag<'_>, untouched: &'a Untouched) -> Option<&'a Json> {
    let FlagVariant::Option(variant) = flag.variant else {
        return untouched.value.as_ref();
    };
    let position = variant_position(&flag.state.variants, variant)?;
    untouched.variants.get(position)?.as_ref()
}

fn write_metadata(out: &mut Vec<u8>, metadata: Option<&Json>) {
    if let Some(metadata) = metadata {
        out.extend_from_slice(b",\"metadata\":");
        write_json(out, metadata);
    }
}
