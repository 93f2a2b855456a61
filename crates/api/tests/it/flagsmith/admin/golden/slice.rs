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
        ("02-organisation-project-environment", 14 | 27)
        // Copies, lookup by uuid, the features of a segment.
        | ("07-segments", 51 | 52 | 55)
        // The features of a segment.
        | ("08-segment-overrides", 22)
        // Traits, copies of overrides, identities of Edge.
        | ("09-identities-admin", 10..=18 | 31 | 34 | 35 | 39) => Place::NotYet,
        // Somebody is there already when the comparison begins.
        ("01-auth", 1..=5 | 14) => Place::Elsewhere,
        // No plan forbids a second project.
        ("02-organisation-project-environment", 9)
        // The copy of a segment.
        | ("07-segments", 53)
        // A copied override, the segments of an identity.
        | ("09-identities-admin", 33 | 38) => Place::Elsewhere,
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
        _ => None,
    }
}

/// The methods that a route does not have yet.
pub fn absent_methods(path: &str) -> &'static [&'static str] {
    let path = path.split('?').next().unwrap_or_default();
    let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
    match steps.as_slice() {
        [_, _, "environments", _, "identities", _] => &["PUT", "PATCH"],
        _ => &[],
    }
}
