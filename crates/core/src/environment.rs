//! Environments: where a project runs, and the keys that open them.

use crate::{EnvironmentId, Hash, ProjectId, ServerKeyId, Timestamp};
use std::borrow::Borrow;
use std::sync::Arc;
use uuid::Uuid;

/// What a feature that is off means to protocols that know a disabled flag: OFREP and flagd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DisabledAs {
    /// Off is disabled, but where an override is on: those in it get its value, others the default of their code.
    #[default]
    Auto,
    /// The environment's state alone decides; overrides neither enable nor disable.
    State,
}

impl DisabledAs {
    /// Every meaning, in the order in which they are offered.
    pub const ALL: [Self; 2] = [Self::Auto, Self::State];

    /// The word it goes by in the API and in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::State => "state",
        }
    }

    /// The meaning of a word; `None` for any other text.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name() == name)
    }
}

/// An environment of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Row id.
    pub id: EnvironmentId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// Shown name, 1 to 2,000 characters.
    pub name: String,
    /// Short name for other protocols; unique within the organisation's project.
    pub slug: String,
    /// The public client key; also part of the composite key that identities are hashed by.
    pub api_key: Arc<str>,
    /// Free text.
    pub description: Option<String>,
    /// Approvals a change needs; `None` when none are asked for.
    pub minimum_change_request_approvals: Option<i64>,
    /// False: traits sent with a client key are ignored.
    pub allow_client_traits: bool,
    /// Text of the banner that dashboards show.
    pub banner_text: Option<String>,
    /// Colour of that banner.
    pub banner_colour: Option<String>,
    /// Overrides the project's setting when given.
    pub hide_disabled_flags: Option<bool>,
    /// True: identities are hashed by `<api_key>_<identifier>`; false: by their row id.
    pub use_identity_composite_key_for_hashing: bool,
    /// True: SDK answers show neither ids, descriptions nor traits.
    pub hide_sensitive_data: bool,
    /// True: features change by published versions only.
    pub use_v2_feature_versioning: bool,
    /// False: the environment document lists no identity overrides.
    pub use_identity_overrides_in_local_eval: bool,
    /// Hash of features and segments that have none of their own.
    pub hash: Hash,
    /// What a feature that is off means to OFREP and flagd.
    pub disabled_as: DisabledAs,
    /// Counts changes of this environment alone.
    pub revision: i64,
    /// Time of the last change; grows with every one.
    pub updated_at: Timestamp,
    /// The next instant at which a scheduled state becomes true.
    pub next_change_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A server-side key of an environment. Its text is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerKey {
    /// Row id.
    pub id: ServerKeyId,
    /// The environment it opens.
    pub environment_id: EnvironmentId,
    /// Shown name.
    pub name: String,
    /// `ser.` and more: 5 to 100 visible ASCII characters.
    pub key: Arc<str>,
    /// False: refused.
    pub active: bool,
    /// Refused from then on.
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerKey")
            .field("id", &self.id)
            .field("environment_id", &self.environment_id)
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}

/// The text of an environment key as a caller presents it: 1 to 100 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EnvironmentKey(Arc<str>);

impl EnvironmentKey {
    /// The most characters a key may have.
    pub const LIMIT: usize = 100;
    /// What every server-side key begins with; the only part of a key that means something.
    pub const SERVER_PREFIX: &str = "ser.";

    /// Wraps a key, or gives `None` for a text that can be no key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty()
            && text.len() <= Self::LIMIT
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self(text.into()))
    }

    /// The key itself: a secret when it is a server-side key.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// True for a key that begins with `ser.`.
    #[must_use]
    pub fn is_server_side(&self) -> bool {
        self.0.starts_with(Self::SERVER_PREFIX)
    }
}

/// Lets maps be searched for a text that was presented.
impl Borrow<str> for EnvironmentKey {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for EnvironmentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EnvironmentKey(…)")
    }
}
