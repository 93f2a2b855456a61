//! What was done between the recorded requests.

use super::comparison::Comparison;
use flagstaff_testkit::Database;

/// The recorded client key of the environment, which identities are hashed by.
const CLIENT_KEY: &str = "UBnd9LaJWZK8V94xe87cJc";

/// Brings the database to what it was when a row was recorded: ids go on where the recorded ones did.
pub async fn prepare(database: &Database, comparison: &mut Comparison, file: &str, row: u64) {
    if (file, row) == ("02-organisation-project-environment", 19) {
        // Identities are hashed by this key too.
        let statement = "UPDATE environments SET api_key = 'UBnd9LaJWZK8V94xe87cJc' WHERE id = 1";
        database.execute(statement).await;
        comparison.agree_on(CLIENT_KEY);
    }
    if (file, row) == ("19-clone-import-export", 1) {
        // Between the recordings the value of a flag was changed.
        let statement = "UPDATE feature_states SET string_value = 'fresh'
            WHERE environment_id = 1 AND feature_id = 2 AND feature_segment_id IS NULL
                AND identity_id IS NULL AND deleted_at IS NULL";
        database.execute(statement).await;
    }
    let last_ids: &[(&str, i64)] = match (file, row) {
        ("07-segments", 1) => &[
            ("segments", 9),
            ("segment_rules", 18),
            ("segment_conditions", 9),
        ],
        ("07-segments", 47) => &[("segment_conditions", 40)],
        ("07-segments", 51) => &[
            ("segments", 42),
            ("segment_rules", 83),
            ("segment_conditions", 44),
        ],
        ("19-clone-import-export", 2) => &[("feature_states", 56)],
        _ => &[],
    };
    for (table, id) in last_ids {
        database.set_last_id(table, *id).await;
    }
}
