//! Tags, by which people sort features.

use crate::{ProjectId, TagId};
use uuid::Uuid;

/// A tag of a project's features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Row id.
    pub id: TagId,
    /// Stable id across installations.
    pub uuid: Uuid,
    /// The project it belongs to.
    pub project_id: ProjectId,
    /// What people read; need not be unique.
    pub label: String,
    /// As style sheets write it, such as `#6837FC`.
    pub colour: String,
    /// Free text.
    pub description: Option<String>,
    /// Features that carry it are meant to stay.
    pub is_permanent: bool,
}
