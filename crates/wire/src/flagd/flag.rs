//! One flag of a document.

use super::branches::{Branch, Target, Whom};
use super::logic::number;
use super::plan::FlagPlan;
use super::segments::{Audience, Placement};
use crate::json::{write_integer, write_list, write_text};
use flagstaff_core::TypedValue;

/// The most branches of one `if`: JavaScript's client makes nested code of them and runs out of stack beyond about 2,000.
const BRANCHES_LIMIT: usize = 500;

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
    out.extend_from_slice(b",\"targeting\":");
    let chunks: Vec<_> = plan.branches.chunks(BRANCHES_LIMIT).collect();
    if let [branches] = chunks.as_slice() {
        write_branches(out, plan, branches, Some(&plan.fallback), segments);
        return;
    }
    out.extend_from_slice(b"{\"if\":[");
    for branches in chunks {
        write_guard(out, branches, segments);
        out.push(b',');
        write_branches(out, plan, branches, None, segments);
        out.push(b',');
    }
    write_target(out, plan, &plan.fallback);
    out.extend_from_slice(b"]}");
}

/// Writes who is in any of some branches.
fn write_guard(out: &mut Vec<u8>, branches: &[Branch<'_>], segments: &Segments<'_>) {
    let mut identifiers = Vec::new();
    let mut audiences = Vec::new();
    for branch in branches {
        match &branch.whom {
            Whom::Identities(of_branch) => identifiers.extend_from_slice(of_branch),
            Whom::Segment(segment) => audiences.push(*segment),
        }
    }
    out.extend_from_slice(b"{\"or\":[");
    if !identifiers.is_empty() {
        write_identities(out, &identifiers);
    }
    for (position, segment) in audiences.into_iter().enumerate() {
        if position > 0 || !identifiers.is_empty() {
            out.push(b',');
        }
        write_audience(out, segment, segments);
    }
    out.extend_from_slice(b"]}");
}

/// Writes one `if`; without anything for the others where they do not come here.
fn write_branches(
    out: &mut Vec<u8>,
    plan: &FlagPlan<'_>,
    branches: &[Branch<'_>],
    otherwise: Option<&Target>,
    segments: &Segments<'_>,
) {
    out.extend_from_slice(b"{\"if\":[");
    for (position, branch) in branches.iter().enumerate() {
        if position > 0 {
            out.push(b',');
        }
        match &branch.whom {
            Whom::Identities(identifiers) => write_identities(out, identifiers),
            Whom::Segment(segment) => write_audience(out, *segment, segments),
        }
        out.push(b',');
        write_target(out, plan, &branch.target);
    }
    if let Some(target) = otherwise {
        out.push(b',');
        write_target(out, plan, target);
    }
    out.extend_from_slice(b"]}");
}

fn write_identities(out: &mut Vec<u8>, identifiers: &[&str]) {
    out.extend_from_slice(b"{\"in\":[{\"var\":\"targetingKey\"},");
    write_list(out, identifiers, |out, identifier| {
        write_text(out, identifier);
    });
    out.extend_from_slice(b"]}");
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
