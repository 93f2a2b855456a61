//! One environment at one revision, compiled for reading.

use crate::ruleset::{FlagState, Ruleset};
use crate::{
    Environment, Feature, FeatureState, Identity, MultivariateOption, Organisation, Project,
    Segment, Timestamp,
};
use std::sync::Arc;

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
    /// The same, ready to be evaluated: name of the feature and what holds.
    pub flags: Vec<(Arc<str>, FlagState)>,
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
    /// Features in order of their ids; same order as in `rules`.
    pub features: Vec<Arc<SnapshotFeature>>,
    /// Segments in order of their ids; same order as in `rules`.
    pub segments: Vec<Arc<SnapshotSegment>>,
    /// What evaluation reads.
    pub rules: Ruleset,
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
    /// Features of the project, in order of their ids.
    pub features: Vec<Feature>,
    /// Multivariate options of the project, in order of their ids.
    pub options: Vec<MultivariateOption>,
    /// Live states of the environment: defaults and segment overrides, in order of their ids.
    pub states: Vec<FeatureState>,
    /// Segments of the project, in order of their ids; those of one feature only where they override.
    pub segments: Vec<Segment>,
}
