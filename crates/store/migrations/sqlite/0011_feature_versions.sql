-- Versions of features, in environments where features change by published versions only.

CREATE TABLE feature_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    description TEXT,
    created_by BIGINT REFERENCES members (id),
    published_by BIGINT REFERENCES members (id),
    -- Null: a draft.
    published_at BIGINT,
    -- When it becomes true once it is published.
    live_from BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
-- Finds the live one of a feature from its end.
CREATE INDEX feature_versions_live ON feature_versions (environment_id, feature_id, live_from, id)
    WHERE published_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX feature_versions_feature ON feature_versions (feature_id, environment_id);
CREATE INDEX feature_versions_schedule ON feature_versions (environment_id, live_from)
    WHERE published_at IS NOT NULL AND deleted_at IS NULL;

-- Null: the state, or the link of an override, stands for itself.
ALTER TABLE feature_states ADD COLUMN feature_version_id BIGINT REFERENCES feature_versions (id);
ALTER TABLE feature_segments ADD COLUMN feature_version_id BIGINT REFERENCES feature_versions (id);
CREATE INDEX feature_states_feature_version ON feature_states (feature_version_id)
    WHERE feature_version_id IS NOT NULL;
CREATE INDEX feature_segments_feature_version ON feature_segments (feature_version_id)
    WHERE feature_version_id IS NOT NULL;

-- Each version of a feature has a default of its own.
DROP INDEX feature_states_default;
CREATE UNIQUE INDEX feature_states_default ON feature_states (environment_id, feature_id, version)
    WHERE feature_segment_id IS NULL AND identity_id IS NULL AND feature_version_id IS NULL
        AND deleted_at IS NULL;
CREATE UNIQUE INDEX feature_states_version_default ON feature_states (feature_version_id)
    WHERE feature_version_id IS NOT NULL AND feature_segment_id IS NULL AND deleted_at IS NULL;
-- Snapshots read what stands for itself here, without walking over the history of versions.
CREATE INDEX feature_states_own ON feature_states (environment_id, id)
    WHERE feature_version_id IS NULL AND deleted_at IS NULL;
