-- How projects are served to flagd; a project without a row is not.

CREATE TABLE flagd_integrations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL UNIQUE REFERENCES projects (id),
    enabled BOOLEAN NOT NULL,
    -- `inline` or `shared`.
    evaluators TEXT NOT NULL,
    -- `typed` or `lean`.
    form TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
