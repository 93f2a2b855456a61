//! The flag definition document of an environment, and its diagnostics.

use super::difference::{Difference, write_difference};
use super::flag::{Segments, write_flag};
use super::options::DocumentOptions;
use super::plan::{FlagPlan, Source, plan};
use super::segments::{Audience, Placement, audiences, placements};
use super::warning::{Warnings, write_warning};
use crate::json::{write_integer, write_list, write_text};
use crate::time::{UtcMark, iso};
use flagstaff_core::{Snapshot, SnapshotIdentity, Timestamp};
use std::sync::Arc;

/// Version of the rules by which documents are made; a client may see what it was made with.
pub const TRANSLATOR_VERSION: &str = "v1";

const SCHEMA: &str = "https://flagd.dev/schema/v0/flags.json";

/// A document and everything that it does not say as the server would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Compact JSON.
    pub bytes: Vec<u8>,
    /// Found while it was written.
    pub warnings: Warnings,
    /// Where it is answered otherwise than the server would, and for whom.
    pub differences: Vec<Difference>,
}

/// Renders the flag definition document of a snapshot; equal snapshots and options give equal bytes.
#[must_use]
pub fn document(snapshot: &Snapshot, options: &DocumentOptions) -> Document {
    let mut warnings = Warnings::default();
    let mut differences = Vec::new();
    let audiences = audiences(
        snapshot,
        options,
        &mut warnings.environment,
        &mut differences,
    );
    let mut plans = plans(snapshot, options, &audiences, &mut differences);
    let mut uses = vec![0; audiences.len()];
    for plan in &plans {
        for segment in plan.segments() {
            uses[segment] += 1;
        }
    }
    let placements = placements(
        snapshot,
        &audiences,
        &uses,
        options,
        &mut warnings.environment,
    );
    for plan in &mut plans {
        let feature = &snapshot.features[plan.feature].feature;
        warnings.push_feature(&feature.name, std::mem::take(&mut plan.warnings));
        differences.append(&mut plan.differences);
    }

    let segments = Segments {
        audiences: &audiences,
        placements: &placements,
    };
    let mut bytes = Vec::with_capacity(64 * 1024);
    bytes.extend_from_slice(b"{\"$schema\":");
    write_text(&mut bytes, SCHEMA);
    bytes.extend_from_slice(b",\"flags\":{");
    for (position, plan) in plans.iter().enumerate() {
        if position > 0 {
            bytes.push(b',');
        }
        write_text(&mut bytes, &snapshot.rules.features()[plan.feature].name);
        bytes.push(b':');
        write_flag(&mut bytes, plan, &segments);
    }
    bytes.push(b'}');
    write_evaluators(&mut bytes, &segments);
    write_metadata(&mut bytes, snapshot, &warnings);
    bytes.push(b'}');
    Document {
        bytes,
        warnings,
        differences,
    }
}

/// Renders what a document does not say as the server would.
#[must_use]
pub fn diagnostics(
    snapshot: &Snapshot,
    warnings: &Warnings,
    differences: &[Difference],
) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(b"{\"flagSetId\":");
    write_text(&mut out, &flag_set_id(snapshot));
    out.extend_from_slice(b",\"translatorVersion\":");
    write_text(&mut out, TRANSLATOR_VERSION);
    out.extend_from_slice(b",\"environmentWarnings\":");
    write_list(&mut out, &warnings.environment, write_warning);
    out.extend_from_slice(b",\"features\":");
    write_list(&mut out, &warnings.features, |out, part| {
        out.extend_from_slice(b"{\"name\":");
        write_text(out, &part.feature);
        out.extend_from_slice(b",\"warnings\":");
        write_list(out, &part.warnings, write_warning);
        out.push(b'}');
    });
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    out.extend_from_slice(b",\"summary\":{\"featuresWithWarnings\":");
    write_integer(&mut out, count(warnings.features.len()));
    out.extend_from_slice(b",\"totalWarnings\":");
    write_integer(&mut out, count(warnings.total()));
    out.extend_from_slice(b"},\"differences\":");
    write_list(&mut out, differences, write_difference);
    out.push(b'}');
    out
}

/// The name of an environment as a flag set: the slugs of its project and its own.
#[must_use]
pub fn flag_set_id(snapshot: &Snapshot) -> String {
    format!("{}/{}", snapshot.project.slug, snapshot.environment.slug)
}

fn plans<'s>(
    snapshot: &'s Snapshot,
    options: &DocumentOptions,
    audiences: &[Audience],
    differences: &mut Vec<Difference>,
) -> Vec<FlagPlan<'s>> {
    let mut identities: Vec<Vec<&Arc<SnapshotIdentity>>> =
        vec![Vec::new(); snapshot.features.len()];
    for identity in snapshot.identities.in_order() {
        for (name, _) in &identity.flags {
            if let Some(feature) = snapshot.rules.feature_index(name) {
                identities[feature].push(identity);
            }
        }
    }
    identities
        .iter()
        .enumerate()
        .filter_map(|(feature, identities)| {
            let source = Source {
                snapshot,
                feature,
                identities,
                audiences,
                options,
            };
            differences.extend(source.placed_otherwise());
            plan(&source)
        })
        .collect()
}

fn write_evaluators(out: &mut Vec<u8>, segments: &Segments<'_>) {
    let mut is_first = true;
    for (placement, audience) in segments.placements.iter().zip(segments.audiences) {
        let (Placement::Shared(name), Audience::Some { logic, .. }) = (placement, audience) else {
            continue;
        };
        out.extend_from_slice(if is_first {
            b",\"$evaluators\":{"
        } else {
            b","
        });
        is_first = false;
        write_text(out, name);
        out.push(b':');
        out.extend_from_slice(logic.as_bytes());
    }
    if !is_first {
        out.push(b'}');
    }
}

fn write_metadata(out: &mut Vec<u8>, snapshot: &Snapshot, warnings: &Warnings) {
    out.extend_from_slice(b",\"metadata\":{\"flagSetId\":");
    write_text(out, &flag_set_id(snapshot));
    out.extend_from_slice(b",\"version\":");
    write_text(out, &version(snapshot.updated_at));
    out.extend_from_slice(b",\"flagsmith.environmentId\":");
    write_integer(out, snapshot.environment.id.get());
    out.extend_from_slice(b",\"flagsmith.translatorVersion\":");
    write_text(out, TRANSLATOR_VERSION);
    if !warnings.is_empty() {
        // Metadata holds scalars only: the list goes in as text.
        let mut list = Vec::new();
        warnings.write_list(&mut list);
        out.extend_from_slice(b",\"flagsmith.warnings\":");
        write_text(out, &String::from_utf8_lossy(&list));
    }
    out.push(b'}');
}

/// The version of an environment as a set of flags: when it last changed; `0` where that was never.
#[must_use]
pub fn version(updated_at: Timestamp) -> String {
    if updated_at.micros() == 0 {
        "0".to_owned()
    } else {
        iso(updated_at, UtcMark::Zulu)
    }
}
