-- Another value of `limit`, true from 2026-11-21 00:21:00 on.
INSERT INTO feature_states (
    uuid, feature_id, environment_id, enabled, value_type, integer_value, hash_seed, version, live_from, created_at,
    updated_at)
SELECT
    '7f0c1f4e-7d52-4b4b-9a53-3a8f0d0f6f11', states.feature_id, states.environment_id, TRUE, 'int', 99, states.hash_seed,
    states.version + 1, 1795220460000000, states.created_at, states.updated_at
FROM feature_states AS states JOIN features ON features.id = states.feature_id
WHERE features.name = 'limit' AND states.feature_segment_id IS NULL AND states.identity_id IS NULL;
UPDATE environments SET next_change_at = 1795220460000000;
