-- Tags of features; exports and imports of features.

CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    -- Need not be unique.
    label TEXT NOT NULL,
    colour TEXT NOT NULL,
    description TEXT,
    -- Features that carry it are never called stale.
    is_permanent BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX tags_project ON tags (project_id, id);

CREATE TABLE feature_tags (
    feature_id BIGINT NOT NULL REFERENCES features (id),
    tag_id BIGINT NOT NULL REFERENCES tags (id),
    PRIMARY KEY (feature_id, tag_id)
);
CREATE INDEX feature_tags_tag ON feature_tags (tag_id, feature_id);

CREATE INDEX feature_owners_member ON feature_owners (member_id, feature_id);

-- Made in the background; rows are deleted after 14 days.
CREATE TABLE feature_exports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    -- Ids of the tags whose features are asked for, with commas between; empty for all features.
    tag_ids TEXT NOT NULL,
    -- The features as JSON, once they are there.
    document TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX feature_exports_environment ON feature_exports (environment_id, id);
CREATE INDEX feature_exports_waiting ON feature_exports (id) WHERE status = 'processing';
CREATE INDEX feature_exports_created ON feature_exports (created_at);

CREATE TABLE feature_imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    strategy TEXT NOT NULL,
    status TEXT NOT NULL,
    -- The features as JSON, until they are there.
    document TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX feature_imports_environment ON feature_imports (environment_id, id);
CREATE INDEX feature_imports_waiting ON feature_imports (id) WHERE status = 'processing';
CREATE INDEX feature_imports_created ON feature_imports (created_at);
