//! Exports and imports of features: files that are made, or read, after they are asked for.

use crate::{EnvironmentId, FeatureExportId, FeatureImportId, Timestamp};

/// How far an export or an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileStatus {
    /// Asked for; not begun, or under way.
    Processing,
    /// Done.
    Success,
    /// Given up; the audit log says why.
    Failed,
}

/// What an import does with a feature whose name the project knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ImportStrategy {
    /// Leaves it alone.
    Skip,
    /// Deletes it with its overrides and makes it anew.
    Overwrite,
}

/// The features of an environment, written into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureExport {
    /// Row id.
    pub id: FeatureExportId,
    /// The environment whose values it holds.
    pub environment_id: EnvironmentId,
    /// Shown name.
    pub name: String,
    /// How far it is.
    pub status: FileStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
}

/// A file of features, brought into a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureImport {
    /// Row id.
    pub id: FeatureImportId,
    /// The environment that gets the values of the file; others get what the features start with.
    pub environment_id: EnvironmentId,
    /// What happens to features that are there already.
    pub strategy: ImportStrategy,
    /// How far it is.
    pub status: FileStatus,
    /// When it was asked for.
    pub created_at: Timestamp,
}
