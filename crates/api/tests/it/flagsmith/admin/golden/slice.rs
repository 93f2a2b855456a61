//! Which recorded rows are compared, and what was done between the recorded requests.

/// What becomes of a row.
pub enum Place {
    /// It is compared.
    Here,
    /// Its route is not there yet, and has to say so.
    NotYet,
    /// It speaks of something that is not there yet, or never will be, under a route that is.
    Elsewhere,
}

pub fn place(file: &str, row: u64) -> Place {
    match (file, row) {
        // The catalogue of permissions, the metrics of an environment.
        ("02-organisation-project-environment", 14 | 27) => Place::NotYet,
        // Somebody is there already when the comparison begins.
        ("01-auth", 1..=5 | 14)
        // No plan forbids a second project.
        | ("02-organisation-project-environment", 9) => Place::Elsewhere,
        _ => Place::Here,
    }
}

/// The recorded client key of the environment, which identities are hashed by.
pub const CLIENT_KEY: &str = "UBnd9LaJWZK8V94xe87cJc";

/// What has to be done in the database before a row: ids go on where the recorded ones did.
pub fn preparation(file: &str, row: u64) -> Option<&'static str> {
    match (file, row) {
        // Identities are hashed by this key too.
        ("02-organisation-project-environment", 19) => {
            Some("UPDATE environments SET api_key = 'UBnd9LaJWZK8V94xe87cJc' WHERE id = 1")
        }
        ("07-segments", 1) => Some(
            "INSERT INTO sqlite_sequence (name, seq) VALUES
                ('segments', 9), ('segment_rules', 18), ('segment_conditions', 9)",
        ),
        ("07-segments", 47) => {
            Some("UPDATE sqlite_sequence SET seq = 40 WHERE name = 'segment_conditions'")
        }
        ("07-segments", 51) => Some(
            "UPDATE sqlite_sequence SET seq = 42 WHERE name = 'segments';
            UPDATE sqlite_sequence SET seq = 83 WHERE name = 'segment_rules';
            UPDATE sqlite_sequence SET seq = 44 WHERE name = 'segment_conditions'",
        ),
        _ => None,
    }
}
