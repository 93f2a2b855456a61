-- Identities and their stored traits.

CREATE TABLE identities (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    -- Emptied when the identity is deleted: the row only keeps its id from being given again.
    identifier TEXT NOT NULL,
    -- The identifier itself when short, else its beginning and a hash: Postgres indexes at most 2,704 bytes.
    identifier_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX identities_identifier ON identities (environment_id, identifier_key) WHERE deleted_at IS NULL;
CREATE INDEX identities_environment ON identities (environment_id, id) WHERE deleted_at IS NULL;

CREATE TABLE identity_traits (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    identity_id BIGINT NOT NULL REFERENCES identities (id),
    key TEXT NOT NULL,
    value_type TEXT NOT NULL,
    string_value TEXT,
    integer_value BIGINT,
    float_value DOUBLE PRECISION,
    boolean_value BOOLEAN,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX identity_traits_key ON identity_traits (identity_id, key);
