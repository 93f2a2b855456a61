-- Features and the options of multivariate ones.

CREATE TABLE features (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    -- Folded in Rust, because SQL folds only ASCII on SQLite.
    name_folded TEXT NOT NULL,
    kind TEXT NOT NULL,
    default_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    initial_value TEXT,
    description TEXT,
    is_archived BOOLEAN NOT NULL DEFAULT FALSE,
    is_server_key_only BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX features_name ON features (project_id, name_folded) WHERE deleted_at IS NULL;
CREATE INDEX features_project ON features (project_id, id);

CREATE TABLE multivariate_options (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    feature_id BIGINT NOT NULL REFERENCES features (id),
    key TEXT,
    value_type TEXT NOT NULL,
    string_value TEXT,
    integer_value BIGINT,
    boolean_value BOOLEAN,
    default_percentage_allocation DOUBLE PRECISION NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX multivariate_options_key ON multivariate_options (feature_id, key)
    WHERE key IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX multivariate_options_feature ON multivariate_options (feature_id, id);

-- Who looks after a feature.
CREATE TABLE feature_owners (
    feature_id BIGINT NOT NULL REFERENCES features (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    PRIMARY KEY (feature_id, member_id)
);
