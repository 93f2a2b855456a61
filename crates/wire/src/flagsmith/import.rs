//! What an environment document of a Flagsmith says, as plain parts to be stored.

use flagstaff_core::{
    FeatureKind, FeatureName, Identifier, Rule, StateValue, Timestamp, Value, fold,
};
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

/// An environment with its project, read from an environment document.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedEnvironment {
    /// Row id in the other installation.
    pub row_id: Option<i64>,
    /// The client key.
    pub api_key: Arc<str>,
    /// Shown name.
    pub name: String,
    /// When it was last changed there.
    pub updated_at: Option<Timestamp>,
    /// See [`flagstaff_core::Environment::allow_client_traits`].
    pub allow_client_traits: bool,
    /// See [`flagstaff_core::Environment::hide_sensitive_data`].
    pub hide_sensitive_data: bool,
    /// See [`flagstaff_core::Environment::hide_disabled_flags`].
    pub hide_disabled_flags: Option<bool>,
    /// False: identities are hashed by row ids of the other installation.
    pub use_identity_composite_key_for_hashing: bool,
    /// See [`flagstaff_core::Environment::use_identity_overrides_in_local_eval`].
    pub use_identity_overrides_in_local_eval: bool,
    /// The project.
    pub project: ImportedProject,
    /// Features in the order of the document.
    pub features: Vec<ImportedFeature>,
    /// Segments in the order of the document.
    pub segments: Vec<ImportedSegment>,
    /// Identities with overrides or traits.
    pub identities: Vec<ImportedIdentity>,
}

/// The project of an imported environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedProject {
    /// Row id in the other installation.
    pub row_id: Option<i64>,
    /// Shown name.
    pub name: String,
    /// See [`flagstaff_core::Project::hide_disabled_flags`].
    pub hide_disabled_flags: bool,
    /// See [`flagstaff_core::Project::enable_realtime_updates`].
    pub enable_realtime_updates: bool,
    /// Name of the organisation.
    pub organisation_name: Option<String>,
    /// See [`flagstaff_core::Organisation::persist_trait_data`].
    pub persist_trait_data: bool,
    /// See [`flagstaff_core::Organisation::stop_serving_flags`].
    pub stop_serving_flags: bool,
}

/// A feature and its default in the environment.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedFeature {
    /// Row id in the other installation.
    pub row_id: Option<i64>,
    /// Its name; unique in the document without regard to case.
    pub name: FeatureName,
    /// Whether it has options.
    pub kind: FeatureKind,
    /// True: not for client-side keys.
    pub is_server_key_only: bool,
    /// All options that any state gives a weight to.
    pub options: Vec<ImportedOption>,
    /// The environment's default.
    pub state: ImportedState,
}

/// An option of a multivariate feature.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedOption {
    /// Row id in the other installation.
    pub row_id: Option<i64>,
    /// Its name, where it has one.
    pub key: Option<String>,
    /// What a caller in this variant gets.
    pub value: StateValue,
    /// Its weight in the environment's default, in percent.
    pub percentage_allocation: f64,
}

/// Enabled, value and weights.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedState {
    /// What variants are hashed by; `None` where the document says nothing.
    pub hash_seed: Option<Arc<str>>,
    /// Its UUID in the other installation.
    pub uuid: Option<Uuid>,
    /// On or off.
    pub enabled: bool,
    /// Its value.
    pub value: StateValue,
    /// Weights in the order in which buckets are laid out: rows made in this order keep it.
    pub weights: Vec<ImportedWeight>,
}

/// The weight of an option in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedWeight {
    /// Index among the feature's options.
    pub option: usize,
    /// Its UUID in the other installation.
    pub uuid: Option<Uuid>,
    /// Percent, 0 to 100.
    pub percentage_allocation: f64,
}

/// A segment with what it overrides.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedSegment {
    /// What percentage splits are hashed by: its id in the other installation.
    pub hash_key: Arc<str>,
    /// Shown name.
    pub name: String,
    /// All of them must hold.
    pub rules: Vec<Rule>,
    /// In the order of the document.
    pub overrides: Vec<ImportedOverride>,
}

/// A state that overrides a feature's default.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedOverride {
    /// Index among the imported features.
    pub feature: usize,
    /// Lower is stronger; `None` for identities and where the document says nothing.
    pub priority: Option<i64>,
    /// What holds instead.
    pub state: ImportedState,
}

/// An identity with what holds for it alone.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedIdentity {
    /// Row id in the other installation.
    pub row_id: Option<i64>,
    /// Who.
    pub identifier: Identifier,
    /// When it was first seen there.
    pub created_at: Option<Timestamp>,
    /// Traits; hosted installations list them, others never do.
    pub traits: Vec<(Arc<str>, Value)>,
    /// At most one per feature.
    pub overrides: Vec<ImportedOverride>,
}

/// What an import cannot keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportWarning {
    /// Identities are hashed by row ids; those without overrides are not in the document.
    IdentitiesHashedByRowId,
    /// A state with weights says not what they are hashed by.
    MissingSeed {
        /// Name of the feature.
        feature: String,
    },
    /// An override of a feature that has no default in this environment; it is left out.
    UnknownFeature {
        /// Name of the feature.
        feature: String,
        /// Whose override it is: the name of a segment, or an identifier.
        owner: String,
    },
    /// A second override of the same feature for the same identity; it is left out.
    SecondOverride {
        /// Name of the feature.
        feature: String,
        /// Identifier of the identity.
        owner: String,
    },
    /// A number that no feature state can hold; it is kept as text.
    NumberAsText {
        /// Where it stands in the document.
        path: String,
    },
}

impl fmt::Display for ImportWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdentitiesHashedByRowId => f.write_str(
                "identities are hashed by row ids that the document lacks: some may change their variant",
            ),
            Self::MissingSeed { feature } => write!(
                f,
                "feature `{feature}`: the document lacks what its variants are hashed by: identities may change their variant"
            ),
            Self::UnknownFeature { feature, owner } => write!(
                f,
                "override of `{feature}` for `{owner}` is left out: the feature has no default in this environment"
            ),
            Self::SecondOverride { feature, owner } => write!(
                f,
                "second override of `{feature}` for `{owner}` is left out"
            ),
            Self::NumberAsText { path } => {
                write!(f, "{path}: kept as text, because values are 32-bit whole numbers")
            }
        }
    }
}

impl ImportedEnvironment {
    /// Index of the feature with this name, compared without regard to case.
    #[must_use]
    pub fn feature_index(&self, name: &str) -> Option<usize> {
        let folded = fold(name);
        self.features
            .iter()
            .position(|feature| fold(feature.name.as_str()) == folded)
    }
}
