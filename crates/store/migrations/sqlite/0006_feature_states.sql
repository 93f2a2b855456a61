-- Enabled and value of features: an environment's defaults, overrides for segments and for identities.

-- The link that gives a segment override its priority.
CREATE TABLE feature_segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id),
    segment_id BIGINT NOT NULL REFERENCES segments (id),
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    priority BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX feature_segments_feature ON feature_segments (environment_id, feature_id);
CREATE INDEX feature_segments_segment ON feature_segments (segment_id);

CREATE TABLE feature_states (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id),
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    -- Both null: the environment's default.
    feature_segment_id BIGINT REFERENCES feature_segments (id),
    identity_id BIGINT REFERENCES identities (id),
    -- Null is kept for overrides that inherit; nothing writes it yet.
    enabled BOOLEAN,
    value_type TEXT NOT NULL,
    string_value TEXT,
    integer_value BIGINT,
    boolean_value BOOLEAN,
    -- What variants are hashed by; carried along by copies and new versions, not necessarily unique.
    hash_seed TEXT NOT NULL,
    -- Null: a draft.
    version BIGINT,
    live_from BIGINT,
    change_request_id BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT,
    CHECK (feature_segment_id IS NULL OR identity_id IS NULL)
);
CREATE UNIQUE INDEX feature_states_default ON feature_states (environment_id, feature_id, version)
    WHERE feature_segment_id IS NULL AND identity_id IS NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX feature_states_segment ON feature_states (feature_segment_id, version)
    WHERE feature_segment_id IS NOT NULL AND deleted_at IS NULL;
CREATE UNIQUE INDEX feature_states_identity ON feature_states (identity_id, feature_id, version)
    WHERE identity_id IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX feature_states_feature ON feature_states (feature_id, environment_id);
CREATE INDEX feature_states_environment ON feature_states (environment_id, id) WHERE deleted_at IS NULL;
CREATE INDEX feature_states_schedule ON feature_states (environment_id, live_from)
    WHERE version IS NOT NULL AND deleted_at IS NULL;

-- Share of each option in one state; variants are ordered by these ids.
CREATE TABLE variant_weights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    feature_state_id BIGINT NOT NULL REFERENCES feature_states (id),
    option_id BIGINT NOT NULL REFERENCES multivariate_options (id),
    percentage_allocation DOUBLE PRECISION NOT NULL
);
CREATE UNIQUE INDEX variant_weights_option ON variant_weights (feature_state_id, option_id);
CREATE INDEX variant_weights_by_option ON variant_weights (option_id);
