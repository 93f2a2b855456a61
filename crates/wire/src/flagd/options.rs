//! How flagd documents are written.

use flagstaff_core::{FlagdEvaluators, FlagdForm, FlagdIntegration};

/// How a flagd document is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DocumentOptions {
    /// How conditions are said.
    pub form: FlagdForm,
    /// Where segments stand that several features use.
    pub evaluators: FlagdEvaluators,
    /// The most identities a flag names; those beyond it are left out, with a warning.
    pub identity_override_limit: usize,
}

impl DocumentOptions {
    /// The most identities a flag names, unless told otherwise.
    pub const IDENTITY_OVERRIDE_LIMIT: usize = 10_000;

    /// What a project chose.
    #[must_use]
    pub const fn of(integration: &FlagdIntegration, identity_override_limit: usize) -> Self {
        Self {
            form: integration.form,
            evaluators: integration.evaluators,
            identity_override_limit,
        }
    }
}

impl Default for DocumentOptions {
    fn default() -> Self {
        Self {
            form: FlagdForm::default(),
            evaluators: FlagdEvaluators::default(),
            identity_override_limit: Self::IDENTITY_OVERRIDE_LIMIT,
        }
    }
}
