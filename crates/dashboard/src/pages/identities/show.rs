//! One identity: traits, flags with their reasons, overrides, segments.

use super::{find, list_path, override_path, path, why_path};
use crate::Dashboard;
use crate::answer::{PageResult, encoded};
use crate::fragments::{Moment, Pages};
use crate::pages::segments;
use crate::rules::tree::{glance, number_text, value_text};
use crate::shell::Shell;
use crate::visitor::SignedIn;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use flagstaff_core::{
    EnvironmentPermission, Evaluator, Flag, FlagVariant, Identity, Origin, Reason, ReasonWords,
    Snapshot, fold,
};
use flagstaff_service::{PageRequest, TraitKind};
use serde::Deserialize;

/// Flags on one page.
const SIZE: u32 = 50;
/// Traits shown; an identity with more says so.
const TRAITS: u32 = 200;
/// Segments shown; who is in more is told.
const SEGMENTS: usize = 100;

/// Which flags are asked for.
#[derive(Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    /// `overridden`: only those that are another for this identity alone.
    #[serde(default)]
    only: String,
    page: Option<u32>,
}

#[derive(Template)]
#[template(path = "identities/show.html")]
struct IdentityPage<'a> {
    shell: &'a Shell,
    list_path: String,
    path: String,
    identity: &'a Identity,
    since: Moment,
    traits: Vec<TraitRow>,
    more_traits: i64,
    segments: Vec<(String, String)>,
    more_segments: usize,
    flags: Vec<FlagRow>,
    pages: Pages,
    query: &'a str,
    is_overridden_only: bool,
    may_manage: bool,
    may_override: bool,
}

struct TraitRow {
    key: String,
    value: String,
    kind: &'static str,
    path: String,
}

struct FlagRow {
    name: String,
    feature_path: String,
    enabled: bool,
    value: String,
    why: String,
    reason: String,
    is_override: bool,
    why_path: String,
    override_path: String,
}

/// `GET /environments/{client_key}/identities/{identity_id}`
pub(crate) async fn show(
    State(dashboard): State<Dashboard>,
    Path((client_key, id)): Path<(String, i64)>,
    Query(asked): Query<Asked>,
    signed_in: SignedIn,
) -> PageResult {
    let (shell, identity) = find(&dashboard, &signed_in, &client_key, id).await?;
    let (service, caller) = (&dashboard.service, &signed_in.caller);
    let first = PageRequest {
        page: 1,
        size: TRAITS,
    };
    let traits = service
        .identity_traits(caller, &client_key, identity.id, first)
        .await?;
    let (open, identified) = service
        .identity_to_evaluate(caller, &client_key, identity.id)
        .await?;
    let snapshot = open.snapshot();
    let context = identified.context();
    let mut evaluator = snapshot.rules.evaluator(&context);
    let address = path(&client_key, identity.id);
    let (flags, pages) = flags(snapshot, &mut evaluator, &asked, &identity, &address);
    let segments = segments_of(snapshot, &mut evaluator, &client_key);
    let shown = traits.items.len();
    let template = IdentityPage {
        shell: &shell,
        list_path: list_path(&client_key),
        since: Moment::new(identity.created_at, shell.now),
        more_traits: traits.total - i64::try_from(shown).unwrap_or(0),
        traits: traits
            .items
            .iter()
            .map(|each| TraitRow {
                key: each.key.to_string(),
                value: value_text(&each.value).unwrap_or_default(),
                kind: kind_word(TraitKind::of(&each.value)),
                path: format!("{address}/traits/{}", each.id.get()),
            })
            .collect(),
        more_segments: segments.len().saturating_sub(SEGMENTS),
        segments: segments.into_iter().take(SEGMENTS).collect(),
        flags,
        pages,
        query: &asked.q,
        is_overridden_only: asked.only == "overridden",
        may_manage: shell.may_in_environment(EnvironmentPermission::ManageIdentities),
        may_override: shell.may_in_environment(EnvironmentPermission::UpdateFeatureState),
        path: address,
        identity: &identity,
    };
    Ok(shell.page(StatusCode::OK, &template))
}

const fn kind_word(kind: TraitKind) -> &'static str {
    match kind {
        TraitKind::Text => "text",
        TraitKind::Integer => "whole number",
        TraitKind::Float => "number",
        TraitKind::Boolean => "true or false",
    }
}

/// The flags of one page, evaluated only as far as they are shown.
fn flags(
    snapshot: &Snapshot,
    evaluator: &mut Evaluator<'_>,
    asked: &Asked,
    identity: &Identity,
    address: &str,
) -> (Vec<FlagRow>, Pages) {
    let wanted = fold(asked.q.trim());
    let overrides = snapshot.identity(&identity.identifier);
    let is_overridden = |name: &str| {
        let flags = overrides.iter().flat_map(|overrides| &overrides.flags);
        flags.into_iter().any(|(each, _)| **each == *name)
    };
    let only = asked.only == "overridden";
    let features = snapshot.features.iter().enumerate();
    let found: Vec<usize> = features
        .filter(|(_, part)| {
            let name = part.feature.name.as_str();
            !part.feature.is_archived
                && fold(name).contains(&*wanted)
                && (!only || is_overridden(name))
        })
        .map(|(index, _)| index)
        .collect();
    let here = asked.page.unwrap_or(1).max(1);
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let pages = Pages::new(here, SIZE, total, |page| {
        let (query, only) = (encoded(asked.q.trim()), encoded(&asked.only));
        format!("{address}?q={query}&only={only}&page={page}")
    });
    let before = (here as usize - 1).saturating_mul(SIZE as usize);
    let shown = found.into_iter().skip(before).take(SIZE as usize);
    let rows = shown.map(|index| flag_row(snapshot, &evaluator.flag(index), identity));
    (rows.collect(), pages)
}

fn flag_row(snapshot: &Snapshot, flag: &Flag<'_>, identity: &Identity) -> FlagRow {
    let feature = &snapshot.features[flag.feature].feature;
    let client_key = &snapshot.environment.api_key;
    FlagRow {
        name: feature.name.as_str().to_owned(),
        feature_path: format!(
            "/environments/{}/features/{}",
            encoded(client_key),
            feature.id.get()
        ),
        enabled: flag.enabled,
        value: glance(flag.value),
        why: reason_words(snapshot, flag),
        reason: flag.reason.text(ReasonWords::Engine11).into_owned(),
        is_override: flag.origin == Origin::Identity,
        why_path: why_path(client_key, identity.id, feature.id),
        override_path: override_path(client_key, identity.id, feature.id),
    }
}

/// Why a flag is what it is, in a few words.
fn reason_words(snapshot: &Snapshot, flag: &Flag<'_>) -> String {
    let place = match flag.origin {
        Origin::Environment => "the environment's default".to_owned(),
        Origin::Identity => "an override for this identity".to_owned(),
        Origin::Segment { segment, .. } => {
            format!("segment {}", snapshot.rules.segments()[segment].name())
        }
    };
    match (flag.reason, flag.variant) {
        (Reason::CircularDependency, _) => "it depends on itself".to_owned(),
        (Reason::Split { .. }, FlagVariant::Option(variant)) => {
            let name = variant.key.as_deref().unwrap_or("a variant");
            let weight = number_text(variant.weight);
            format!("placed in {name} ({weight} %) by {place}")
        }
        _ => place,
    }
}

/// Name and address of each segment that the identity is in.
fn segments_of(
    snapshot: &Snapshot,
    evaluator: &mut Evaluator<'_>,
    client_key: &str,
) -> Vec<(String, String)> {
    let matching = evaluator.matching_segments().into_iter();
    let found = matching.filter_map(|index| snapshot.segments.get(index));
    found
        .map(|part| {
            let path = segments::path(client_key, part.segment.id);
            (part.segment.name.clone(), path)
        })
        .collect()
}
