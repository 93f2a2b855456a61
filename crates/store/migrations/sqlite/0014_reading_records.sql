-- Audit entries by what they tell of, and usage by day.

-- What an entry tells of beside its own row, so that a reader can ask for it. No part of an entry's hash: it is found
-- for older entries from what is hashed.
ALTER TABLE audit_entries ADD COLUMN feature_id BIGINT;
ALTER TABLE audit_entries ADD COLUMN segment_id BIGINT;
ALTER TABLE audit_entries ADD COLUMN identity_id BIGINT;
-- Summary and actor without regard to case, folded in Rust; older entries only as far as the database can.
ALTER TABLE audit_entries ADD COLUMN words_folded TEXT NOT NULL DEFAULT '';
UPDATE audit_entries SET words_folded = LOWER(summary || ' ' || actor_name);
UPDATE audit_entries SET feature_id = object_id WHERE noun = 'feature';
UPDATE audit_entries SET segment_id = object_id WHERE noun = 'segment';
UPDATE audit_entries SET identity_id = object_id WHERE noun = 'identity';
UPDATE audit_entries
SET feature_id = (SELECT v.feature_id FROM feature_versions v WHERE v.id = audit_entries.object_id)
WHERE noun = 'feature version';
UPDATE audit_entries
SET feature_id = (SELECT l.feature_id FROM feature_segments l WHERE l.id = audit_entries.object_id),
    segment_id = (SELECT l.segment_id FROM feature_segments l WHERE l.id = audit_entries.object_id)
WHERE noun = 'segment override';
UPDATE audit_entries
SET feature_id = (SELECT s.feature_id FROM feature_states s WHERE s.id = audit_entries.object_id),
    identity_id = (SELECT s.identity_id FROM feature_states s WHERE s.id = audit_entries.object_id),
    segment_id = (SELECT l.segment_id FROM feature_states s JOIN feature_segments l ON l.id = s.feature_segment_id
        WHERE s.id = audit_entries.object_id)
WHERE noun = 'feature state';

-- Each question reads its part of the log from the newest entry on.
DROP INDEX audit_entries_project;
DROP INDEX audit_entries_environment;
CREATE INDEX audit_entries_project ON audit_entries (project_id, sequence) WHERE project_id IS NOT NULL;
CREATE INDEX audit_entries_environment ON audit_entries (environment_id, sequence) WHERE environment_id IS NOT NULL;
CREATE INDEX audit_entries_feature ON audit_entries (feature_id, sequence) WHERE feature_id IS NOT NULL;
CREATE INDEX audit_entries_segment ON audit_entries (segment_id, sequence) WHERE segment_id IS NOT NULL;
CREATE INDEX audit_entries_identity ON audit_entries (identity_id, sequence) WHERE identity_id IS NOT NULL;
CREATE INDEX audit_entries_actor ON audit_entries (organisation_id, actor_kind, actor_id, sequence);
CREATE INDEX audit_entries_at ON audit_entries (organisation_id, at);

-- Sums by day (UTC, its first microsecond), for charts over months: with the labels for requests, without for features.
CREATE TABLE request_days (
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    day BIGINT NOT NULL,
    kind TEXT NOT NULL,
    sdk_user_agent TEXT NOT NULL,
    application_name TEXT NOT NULL,
    application_version TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (environment_id, day, kind, sdk_user_agent, application_name, application_version)
) WITHOUT ROWID;
INSERT INTO request_days (environment_id, day, kind, sdk_user_agent, application_name, application_version, count)
SELECT environment_id, bucket_start / 86400000000 * 86400000000, kind, sdk_user_agent, application_name,
    application_version, CAST(SUM(count) AS BIGINT)
FROM request_counts
GROUP BY environment_id, bucket_start / 86400000000 * 86400000000, kind, sdk_user_agent, application_name,
    application_version;

CREATE TABLE evaluation_days (
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    day BIGINT NOT NULL,
    feature_id BIGINT NOT NULL REFERENCES features (id),
    count BIGINT NOT NULL,
    PRIMARY KEY (environment_id, day, feature_id)
) WITHOUT ROWID;
INSERT INTO evaluation_days (environment_id, day, feature_id, count)
SELECT environment_id, bucket_start / 86400000000 * 86400000000, feature_id, CAST(SUM(count) AS BIGINT)
FROM evaluation_counts
GROUP BY environment_id, bucket_start / 86400000000 * 86400000000, feature_id;
