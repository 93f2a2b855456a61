PRAGMA journal_mode = WAL;
-- What `cargo xtask bench --part pages` measures on; new ids are written into it where their braces are.
PRAGMA synchronous = OFF;
PRAGMA cache_size = -200000;
BEGIN;
CREATE TEMP TABLE now AS SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000000 AS micros;
INSERT INTO features (uuid, project_id, name, name_folded, kind, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
SELECT {uuid}, 1, 'feature-' || i, 'feature-' || i, 'standard',
    (SELECT micros FROM now) - 8640000000000 FROM n;
INSERT INTO feature_states (uuid, feature_id, environment_id, enabled, value_type, string_value, hash_seed, version,
    live_from, created_at, updated_at)
SELECT {uuid}, f.id, e.id, f.id % 2, 'unicode', 'value ' || f.id,
    CAST(f.id AS TEXT), 1, f.created_at, f.created_at, f.created_at
FROM features f CROSS JOIN environments e WHERE f.name LIKE 'feature-%';
INSERT INTO segments (uuid, project_id, name, name_folded, hash_key, created_at, updated_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
SELECT {uuid}, 1, 'segment-' || i, 'segment-' || i, 'key-' || i,
    (SELECT micros FROM now), (SELECT micros FROM now) FROM n;
INSERT INTO segment_rules (uuid, segment_id, kind, position)
SELECT {uuid}, id, 'all', 0 FROM segments WHERE name LIKE 'segment-%';
INSERT INTO segment_conditions (uuid, rule_id, operator, property, value, position)
SELECT {uuid}, id, 'EQUAL', 'plan', 'pro-' || id, 0
FROM segment_rules;
INSERT INTO identities (environment_id, identifier, identifier_key, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT 1, 'user-' || i || '@example.com', 'user-' || i || '@example.com', (SELECT micros FROM now) FROM n;
INSERT INTO tags (uuid, project_id, label, colour, is_permanent, created_at)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
SELECT {uuid}, 1, 'tag ' || i, '#3388ff', i = 20, (SELECT micros FROM now) FROM n;
INSERT INTO feature_tags (feature_id, tag_id)
SELECT f.id, t.id FROM features f JOIN tags t ON f.id % 20 = t.id % 20 OR f.id % 7 = t.id WHERE f.name LIKE 'feature-%';
INSERT INTO feature_owners (feature_id, member_id) SELECT id, 1 FROM features WHERE name LIKE 'feature-%' AND id % 3 > 0;
-- Each segment decides about two features, and a thousand identities about one each.
INSERT INTO feature_segments (uuid, feature_id, segment_id, environment_id, priority, created_at)
SELECT {uuid}, f.id, g.id, 1, g.id, (SELECT micros FROM now)
FROM segments g JOIN features f ON f.id IN (g.id * 7, g.id * 3 + 5000) WHERE g.name LIKE 'segment-%' AND f.name LIKE 'feature-%';
INSERT INTO feature_states (uuid, feature_id, environment_id, feature_segment_id, enabled, value_type, string_value, hash_seed,
    version, live_from, created_at, updated_at)
SELECT {uuid}, feature_id, 1, id, TRUE, 'unicode', 'by segment', 'o' || id, 1, created_at, created_at, created_at
FROM feature_segments WHERE environment_id = 1 AND priority IS NOT NULL;
INSERT INTO feature_states (uuid, feature_id, environment_id, identity_id, enabled, value_type, string_value, hash_seed, version,
    live_from, created_at, updated_at)
SELECT {uuid}, i.id / 1000 * 9 % 10000 + 1, 1, i.id, TRUE, 'unicode', 'by identity', 'i' || i.id, 1, i.created_at, i.created_at,
    i.created_at
FROM identities i WHERE i.environment_id = 1 AND i.id % 1000 = 0 AND i.identifier LIKE 'user-%';
INSERT INTO identity_traits (identity_id, key, value_type, string_value, created_at, updated_at)
SELECT i.id, k.value, 'unicode', 'pro-' || i.id / 1000, i.created_at, i.created_at
FROM identities i, json_each('["plan", "country", "browser", "team", "language"]') k WHERE i.identifier LIKE 'user-%' AND i.id % 10 = 0;
INSERT INTO audit_entries (organisation_id, sequence, previous_hash, hash, at, project_id, environment_id, actor_kind,
    actor_id, actor_name, action, noun, object_id, summary, feature_id, words_folded)
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT 1, i + 1000, '', '', (SELECT micros FROM now) - (1000000 - i) * 60000000, 1,
    CASE WHEN i % 3 = 0 THEN NULL ELSE 1 END, CASE WHEN i % 1000 = 0 THEN 'system' ELSE 'member' END,
    CASE WHEN i % 1000 = 0 THEN NULL ELSE 1 END,
    CASE WHEN i % 1000 = 0 THEN 'schedule' ELSE 'admin@example.com' END, 'update', 'feature state', i % 10000 + 1,
    'Flag state updated for feature: feature-' || (i % 10000 + 1), i % 10000 + 1,
    'flag state updated for feature: feature-' || (i % 10000 + 1) || ' admin@example.com' FROM n;
UPDATE organisations SET audit_sequence = 1001000 WHERE id = 1;
INSERT INTO evaluation_counts (environment_id, feature_id, bucket_start, state, sdk_user_agent, application_name,
    application_version, count)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119)
SELECT 1, f.id, (SELECT micros FROM now) / 900000000 * 900000000 - i * 21600000000, 'enabled', 'flagsmith-python-sdk/6.3.0', '', '',
    f.id % 97 + i FROM n CROSS JOIN features f WHERE f.name LIKE 'feature-%' AND f.id % 10 < 9;
INSERT INTO evaluation_days (environment_id, day, feature_id, count)
SELECT environment_id, bucket_start / 86400000000 * 86400000000, feature_id, SUM(count) FROM evaluation_counts
GROUP BY 1, 2, 3;
INSERT INTO request_counts (environment_id, kind, bucket_start, sdk_user_agent, application_name, application_version, count)
WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 8639)
SELECT 1, k.kind, (SELECT micros FROM now) / 900000000 * 900000000 - i * 900000000, a.agent, 'web', '1.0', 100 + i % 50
FROM n CROSS JOIN (SELECT 'flags' AS kind UNION ALL SELECT 'identities' UNION ALL SELECT 'environment_document') k
CROSS JOIN (SELECT 'flagsmith-python-sdk/6.3.0' AS agent UNION ALL SELECT 'flagsmith-js-sdk/9.0.0'
    UNION ALL SELECT 'flagsmith-go-sdk/4.0.0') a;
INSERT INTO request_days (environment_id, day, kind, sdk_user_agent, application_name, application_version, count)
SELECT environment_id, bucket_start / 86400000000 * 86400000000, kind, sdk_user_agent, application_name,
    application_version, SUM(count) FROM request_counts GROUP BY 1, 2, 3, 4, 5, 6;
COMMIT;
PRAGMA wal_checkpoint(TRUNCATE);
