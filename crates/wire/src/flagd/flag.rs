//! One flag of a document.

use super::branches::{Branch, Target, Whom};
use super::logic::number;
use super::plan::FlagPlan;
use super::segments::{Audience, Placement};
use crate::json::{write_integer, write_list, write_text};
use flagstaff_core::TypedValue;

/// What the flags of a document refer to, by index of the segment.
pub(super) struct Segments<'d> {
    pub(super) audiences: &'d [Audience],
    pub(super) placements: &'d [Placement],
}

/// Writes a flag. Whatever is ours stands in its metadata: Python's client refuses a document with a flag that has any
/// other member.
pub(super) fn write_flag(out: &mut Vec<u8>, plan: &FlagPlan<'_>, segments: &Segments<'_>) {
    out.extend_from_slice(b"{\"state\":");
    write_text(
        out,
        if plan.is_enabled {
            "ENABLED"
        } else {
            "DISABLED"
        },
    );
    out.extend_from_slice(b",\"variants\":{");
    for (position, (name, value)) in plan.variants.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        write_text(out, name);
        out.push(b':');
        write_typed(out, value);
    }
    out.extend_from_slice(b"},\"defaultVariant\":");
    // Empty means none to every client; the Rust one refuses a document with a null here, or with nothing.
    write_text(out, plan.default_variant.unwrap_or_default());
    write_targeting(out, plan, segments);
    out.extend_from_slice(b",\"metadata\":{\"flagstaff.parity\":");
    write_text(
        out,
        if plan.is_exact {
            "exact"
        } else {
            "approximate"
        },
    );
    out.extend_from_slice(b"}}");
}

fn write_targeting(out: &mut Vec<u8>, plan: &FlagPlan<'_>, segments: &Segments<'_>) {
    if plan.branches.is_empty() {
        if plan.fallback != Target::Default {
            out.extend_from_slice(b",\"targeting\":");
            write_target(out, plan, &plan.fallback);
        }
        return;
    }
    out.extend_from_slice(b",\"targeting\":{\"if\":[");
    for branch in &plan.branches {
        write_branch(out, plan, branch, segments);
        out.push(b',');
    }
    write_target(out, plan, &plan.fallback);
    out.extend_from_slice(b"]}");
}

fn write_branch(
    out: &mut Vec<u8>,
    plan: &FlagPlan<'_>,
    branch: &Branch<'_>,
    segments: &Segments<'_>,
) {
    match &branch.whom {
        Whom::Identities(identifiers) => {
            out.extend_from_slice(b"{\"in\":[{\"var\":\"targetingKey\"},");
            write_list(out, identifiers, |out, identifier| {
                write_text(out, identifier)
            });
            out.extend_from_slice(b"]}");
        }
        Whom::Segment(segment) => write_audience(out, *segment, segments),
    }
    out.push(b',');
    write_target(out, plan, &branch.target);
}

fn write_audience(out: &mut Vec<u8>, segment: usize, segments: &Segments<'_>) {
    match (&segments.placements[segment], &segments.audiences[segment]) {
        (Placement::Shared(name), _) => {
            out.extend_from_slice(b"{\"$ref\":");
            write_text(out, name);
            out.push(b'}');
        }
        (Placement::Inline, Audience::Some { logic, .. }) => {
            out.extend_from_slice(logic.as_bytes());
        }
        (Placement::Inline, Audience::Nobody { .. }) => {
            debug_assert!(false, "no branch is for nobody");
            out.extend_from_slice(b"{\"===\":[1,0]}");
        }
    }
}

fn write_target(out: &mut Vec<u8>, plan: &FlagPlan<'_>, target: &Target) {
    match target {
        Target::Default => out.extend_from_slice(b"null"),
        Target::Variant(name) => write_text(out, name),
        Target::Split { entries, rest } => {
            // A split gives those without identifier the default variant; where theirs is another, it has to be said.
            let is_default = plan.default_variant == Some(rest);
            if !is_default {
                out.extend_from_slice(b"{\"if\":[{\"!!\":[{\"var\":\"targetingKey\"}]},");
            }
            out.extend_from_slice(b"{\"fractional\":");
            write_list(out, entries, |out, (name, weight)| {
                out.push(b'[');
                write_text(out, name);
                out.push(b',');
                write_integer(out, i64::from(*weight));
                out.push(b']');
            });
            out.push(b'}');
            if !is_default {
                out.push(b',');
                write_text(out, rest);
                out.extend_from_slice(b"]}");
            }
        }
    }
}

/// Writes a value with its type; whole numbers have no decimal point.
fn write_typed(out: &mut Vec<u8>, value: &TypedValue<'_>) {
    match value {
        TypedValue::Boolean(boolean) => crate::json::write_boolean(out, *boolean),
        TypedValue::Integer(integer) => write_integer(out, *integer),
        TypedValue::Number(float) => crate::json::write_json(out, &number(*float)),
        TypedValue::String(text) => write_text(out, text),
        TypedValue::Json(text) => match serde_json::from_str(text) {
            Ok(json) => crate::json::write_json(out, &json),
            Err(_) => {
                debug_assert!(false, "checked when it was read");
                write_text(out, text);
            }
        },
    }
}
