-- Segments with their trees of rules. Two segments of a project may have one name.

CREATE TABLE segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    -- The one feature that it may override.
    feature_id BIGINT REFERENCES features (id),
    name TEXT NOT NULL,
    -- Folded in Rust, for searching.
    name_folded TEXT NOT NULL,
    description TEXT,
    -- What percentage splits are hashed by; survives copies and imports, unlike the id.
    hash_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX segments_hash_key ON segments (project_id, hash_key) WHERE deleted_at IS NULL;
CREATE INDEX segments_project ON segments (project_id, id);
CREATE INDEX segments_feature ON segments (feature_id) WHERE feature_id IS NOT NULL;

CREATE TABLE segment_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    segment_id BIGINT NOT NULL REFERENCES segments (id),
    parent_id BIGINT REFERENCES segment_rules (id),
    kind TEXT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX segment_rules_segment ON segment_rules (segment_id);
CREATE INDEX segment_rules_parent ON segment_rules (parent_id) WHERE parent_id IS NOT NULL;

CREATE TABLE segment_conditions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    rule_id BIGINT NOT NULL REFERENCES segment_rules (id),
    operator TEXT NOT NULL,
    property TEXT,
    value TEXT,
    description TEXT,
    position BIGINT NOT NULL
);
CREATE INDEX segment_conditions_rule ON segment_conditions (rule_id);
