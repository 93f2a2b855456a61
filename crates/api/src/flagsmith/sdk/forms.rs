//! What is rendered once per snapshot and kept with it.

use super::audience::Audience;
use super::rendered::Rendered;
use flagstaff_core::Snapshot;
use flagstaff_service::{Form, OpenEnvironment};
use flagstaff_wire::flagsmith::document::environment_document;
use flagstaff_wire::flagsmith::flag::FlagFragments;
use std::sync::OnceLock;

/// Pieces of flag objects, which answers join, and the lists of the environment's defaults.
pub(super) struct Flags {
    fragments: FlagFragments,
    for_clients: OnceLock<Rendered>,
    for_servers: OnceLock<Rendered>,
}

impl Form for Flags {
    fn render(snapshot: &Snapshot) -> Self {
        Self {
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
            let shown = shown_defaults(open.snapshot(), Audience::of(open));
            self.fragments.write_defaults(shown, &mut out);
            Rendered::new(out)
        })
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
pub(in super::super) struct Document(pub(in super::super) Rendered);

impl Form for Document {
    fn render(snapshot: &Snapshot) -> Self {
        let (bytes, warnings) = environment_document(snapshot);
        for warning in warnings {
            tracing::warn!(environment.id = snapshot.environment.id.get(), "{warning}");
        }
        Self(Rendered::new(bytes))
    }
}
