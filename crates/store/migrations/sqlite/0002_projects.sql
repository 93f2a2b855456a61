-- Projects, their environments and the keys that open those.

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    organisation_id BIGINT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    hide_disabled_flags BOOLEAN NOT NULL DEFAULT FALSE,
    prevent_flag_defaults BOOLEAN NOT NULL DEFAULT FALSE,
    only_allow_lower_case_feature_names BOOLEAN NOT NULL DEFAULT TRUE,
    feature_name_regex TEXT,
    stale_flags_limit_days BIGINT NOT NULL DEFAULT 30,
    minimum_change_request_approvals BIGINT,
    enforce_feature_owners BOOLEAN NOT NULL DEFAULT FALSE,
    enable_realtime_updates BOOLEAN NOT NULL DEFAULT FALSE,
    show_edge_identity_overrides_for_feature BOOLEAN NOT NULL DEFAULT FALSE,
    -- Counts changes of all environments at once; an environment's own are counted there.
    revision BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX projects_slug ON projects (organisation_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX projects_organisation ON projects (organisation_id, id);

CREATE TABLE environments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    name_folded TEXT NOT NULL,
    slug TEXT NOT NULL,
    api_key TEXT NOT NULL,
    -- Number of the last change of the key, see instance.key_sequence.
    key_sequence BIGINT NOT NULL,
    description TEXT,
    minimum_change_request_approvals BIGINT,
    allow_client_traits BOOLEAN NOT NULL DEFAULT TRUE,
    banner_text TEXT,
    banner_colour TEXT,
    hide_disabled_flags BOOLEAN,
    use_identity_composite_key_for_hashing BOOLEAN NOT NULL DEFAULT TRUE,
    hide_sensitive_data BOOLEAN NOT NULL DEFAULT FALSE,
    use_v2_feature_versioning BOOLEAN NOT NULL DEFAULT FALSE,
    use_identity_overrides_in_local_eval BOOLEAN NOT NULL DEFAULT TRUE,
    revision BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL,
    -- When the next scheduled state becomes true.
    next_change_at BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX environments_api_key ON environments (api_key) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX environments_name ON environments (project_id, name_folded) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX environments_slug ON environments (project_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX environments_key_sequence ON environments (key_sequence);
CREATE INDEX environments_schedule ON environments (next_change_at) WHERE next_change_at IS NOT NULL;

-- Server-side keys; readable, because the API lists them.
CREATE TABLE server_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    name TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE,
    key_sequence BIGINT NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX server_keys_environment ON server_keys (environment_id, id);
CREATE INDEX server_keys_key_sequence ON server_keys (key_sequence);
