//! What is rendered once per snapshot and kept with it.

use super::super::answer::Answer;
use crate::rendered::Rendered;
use axum::http::{HeaderName, HeaderValue};
use flagstaff_core::Snapshot;
use flagstaff_service::{Audience, Form, OpenEnvironment};
use flagstaff_wire::flagsmith::document::environment_document;
use flagstaff_wire::flagsmith::flag::FlagFragments;
use flagstaff_wire::time::unix_float;
use std::sync::OnceLock;

const AGE: HeaderName = HeaderName::from_static("x-flagsmith-document-updated-at");

/// What decides about an answer that is the same for everybody with the same kind of key.
pub(super) const VARY: &str = "Accept, Accept-Encoding, Origin, X-Environment-Key";

/// Pieces of flag objects, which answers join, and the lists of the environment's defaults.
pub(super) struct Flags {
    fragments: FlagFragments,
    for_clients: OnceLock<Rendered>,
    for_servers: OnceLock<Rendered>,
    pub(super) age: Age,
}

impl Form for Flags {
    fn render(snapshot: &Snapshot) -> Self {
        Self {
            age: Age::of(snapshot),
            fragments: FlagFragments::new(snapshot),
            for_clients: OnceLock::new(),
            for_servers: OnceLock::new(),
        }
    }
}

impl Flags {
    pub(super) fn fragments(&self) -> &FlagFragments {
        &self.fragments
    }

    /// The list of defaults as the keys of this kind see it.
    pub(super) fn list(&self, open: &OpenEnvironment) -> &Rendered {
        let list = if open.server_side {
            &self.for_servers
        } else {
            &self.for_clients
        };
        list.get_or_init(|| {
            let mut out = Vec::with_capacity(self.fragments.weight());
            let shown = shown_defaults(open.snapshot(), open.audience());
            self.fragments.write_defaults(shown, &mut out);
            Rendered::new(out)
        })
    }
}

/// The header that says when an environment last changed, in seconds since 1970.
pub(super) struct Age(Option<HeaderValue>);

impl Age {
    fn of(snapshot: &Snapshot) -> Self {
        Self(HeaderValue::from_str(&unix_float(snapshot.updated_at)).ok())
    }

    /// Adds it to an answer.
    pub(super) fn add_to(&self, answer: Answer) -> Answer {
        match &self.0 {
            Some(age) => answer.with_header(AGE, age.clone()),
            None => answer,
        }
    }
}

/// Indices of the features whose defaults are shown.
pub(super) fn shown_defaults(
    snapshot: &Snapshot,
    audience: Audience,
) -> impl Iterator<Item = usize> + '_ {
    let parts = snapshot.features.iter().zip(snapshot.rules.features());
    parts
        .enumerate()
        .filter(move |(_, (part, rules))| {
            audience.may_know(&part.feature) && audience.sees(rules.state.enabled)
        })
        .map(|(index, _)| index)
}

/// The environment document.
pub(in super::super) struct Document {
    pub(in super::super) rendered: Rendered,
    pub(super) age: Age,
}

impl Form for Document {
    fn render(snapshot: &Snapshot) -> Self {
        let (bytes, warnings) = environment_document(snapshot);
        for warning in warnings {
            tracing::warn!(environment.id = snapshot.environment.id.get(), "{warning}");
        }
        Self {
            rendered: Rendered::new(bytes),
            age: Age::of(snapshot),
        }
    }
}
