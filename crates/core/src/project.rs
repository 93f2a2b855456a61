//! Projects: what holds features and segments.

use crate::{OrganisationId, ProjectId, Timestamp};
use uuid::Uuid;

/// A project of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Row id.
    pub id: ProjectId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// Owner.
    pub organisation_id: OrganisationId,
    /// Shown name, 1 to 2,000 characters.
    pub name: String,
    /// Short name for other protocols; unique within the organisation.
    pub slug: String,
    /// True: disabled flags are left out of answers, unless the environment says otherwise.
    pub hide_disabled_flags: bool,
    /// True: a new feature starts off and without value in every environment.
    pub prevent_flag_defaults: bool,
    /// Kept for dashboards, which enforce it.
    pub only_allow_lower_case_feature_names: bool,
    /// Pattern that whole feature names must match.
    pub feature_name_regex: Option<String>,
    /// Days without change after which a flag counts as stale.
    pub stale_flags_limit_days: i64,
    /// Approvals a change of the project needs; `None` when none are asked for.
    pub minimum_change_request_approvals: Option<i64>,
    /// True: a feature cannot be made without an owner.
    pub enforce_feature_owners: bool,
    /// Shown to SDKs in the environment document. Streaming works either way.
    pub enable_realtime_updates: bool,
    /// Kept for dashboards.
    pub show_edge_identity_overrides_for_feature: bool,
    /// Counts changes that touch every environment of the project.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
}
