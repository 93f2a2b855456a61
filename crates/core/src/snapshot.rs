//! One environment at one revision, compiled for reading.

mod build;
mod changes;
mod identities;
mod states;
#[cfg(test)]
mod tests;

use crate::ruleset::{FlagState, Ruleset};
use crate::variant_names::KnownVariants;
use crate::{
    CompileWarning, Environment, Feature, FeatureId, FeatureState, FlagdIntegration, Identity,
    MultivariateOption, Organisation, Project, Segment, SegmentId, Timestamp,
};
use std::sync::{Arc, OnceLock};

pub use changes::{FlagChange, FlagChanges};
pub use identities::IdentityOverrides;
pub(crate) use identities::NAMELESS;

/// A feature as one environment has it.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotFeature {
    /// The definition.
    pub feature: Arc<Feature>,
    /// Its options, in order of their ids; empty for a standard feature.
    pub options: Vec<MultivariateOption>,
    /// The environment's default.
    pub state: FeatureState,
}

/// A segment and the states that override features for it in one environment.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotSegment {
    /// The definition.
    pub segment: Arc<Segment>,
    /// Overrides in order of their ids.
    pub overrides: Vec<FeatureState>,
}

/// Everything that holds for one identity alone.
#[derive(Debug, Clone, PartialEq)]
pub struct SnapshotIdentity {
    /// Who.
    pub identity: Identity,
    /// The overriding states, in order of their ids.
    pub states: Vec<FeatureState>,
    /// The same, ready to be evaluated: name of the feature and what holds. [`Snapshot::build`] fills it.
    pub flags: Vec<(Arc<str>, FlagState)>,
}

impl SnapshotIdentity {
    /// An identity with its states, to be handed to [`Snapshot::build`].
    #[must_use]
    pub fn new(identity: Identity, states: Vec<FeatureState>) -> Self {
        Self {
            identity,
            states,
            flags: Vec::new(),
        }
    }
}

/// One environment at one revision: immutable, shared by `Arc`, made of parts that later snapshots reuse.
#[derive(Debug)]
pub struct Snapshot {
    /// Revision of the project plus revision of the environment.
    pub revision: i64,
    /// When the last change was made; grows with the revision.
    pub updated_at: Timestamp,
    /// Who owns the project.
    pub organisation: Arc<Organisation>,
    /// The project.
    pub project: Arc<Project>,
    /// The environment.
    pub environment: Arc<Environment>,
    /// How the project is served to flagd; `None` where nobody ever said.
    pub flagd: Option<Arc<FlagdIntegration>>,
    /// Features in order of their ids; same order as in `rules`.
    pub features: Vec<Arc<SnapshotFeature>>,
    /// Segments in order of their ids; same order as in `rules`.
    pub segments: Vec<Arc<SnapshotSegment>>,
    /// Identities for which something holds that does not hold for others.
    pub identities: IdentityOverrides,
    /// What compiling each segment found; same order as `segments`.
    pub warnings: Vec<Arc<[CompileWarning]>>,
    /// What evaluation reads.
    pub rules: Arc<Ruleset>,
    /// What is found out about the variants of each feature when it is first asked for.
    pub(crate) known_variants: Box<[OnceLock<KnownVariants>]>,
}

impl Snapshot {
    /// Index of a feature in `features` and in `rules`.
    #[must_use]
    pub fn feature_index_by_id(&self, id: FeatureId) -> Option<usize> {
        self.features
            .binary_search_by_key(&id, |part| part.feature.id)
            .ok()
    }

    /// Index of a segment in `segments` and in `rules`.
    #[must_use]
    pub fn segment_index_by_id(&self, id: SegmentId) -> Option<usize> {
        self.segments
            .binary_search_by_key(&id, |part| part.segment.id)
            .ok()
    }

    /// How the project is served to flagd; `None` where it is not.
    #[must_use]
    pub fn enabled_flagd(&self) -> Option<&FlagdIntegration> {
        self.flagd
            .as_deref()
            .filter(|integration| integration.enabled)
    }

    /// What holds for one identity alone, if anything does.
    #[must_use]
    pub fn identity(&self, identifier: &str) -> Option<&Arc<SnapshotIdentity>> {
        self.identities.get(identifier)
    }
}

/// The rows a snapshot is built from, all read in one consistent transaction.
#[derive(Debug, Clone)]
pub struct SnapshotRows {
    /// Who owns the project.
    pub organisation: Organisation,
    /// The project.
    pub project: Project,
    /// The environment.
    pub environment: Environment,
    /// The project's integration with flagd.
    pub flagd: Option<FlagdIntegration>,
    /// Features of the project, in order of their ids.
    pub features: Vec<Feature>,
    /// Multivariate options of the project, in order of their ids.
    pub options: Vec<MultivariateOption>,
    /// Live states of the environment: defaults and segment overrides, in order of their ids.
    pub states: Vec<FeatureState>,
    /// Segments of the project, in order of their ids; those of one feature only where they override.
    pub segments: Vec<Segment>,
}
