-- Who owns and who signs in. All times are microseconds UTC; JSON and UUIDs are text.

-- One row: this installation.
CREATE TABLE instance (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    uuid TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Numbers every change of an environment key, so that "keys newer than n" is one indexed query.
    key_sequence BIGINT NOT NULL DEFAULT 0,
    -- Head of the audit chain of what belongs to no organisation.
    audit_sequence BIGINT NOT NULL DEFAULT 0,
    audit_hash TEXT NOT NULL DEFAULT ''
);

CREATE TABLE instance_values (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE organisations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    webhook_notification_email TEXT,
    persist_trait_data BOOLEAN NOT NULL DEFAULT TRUE,
    restrict_project_create_to_admin BOOLEAN NOT NULL DEFAULT FALSE,
    force_2fa BOOLEAN NOT NULL DEFAULT FALSE,
    stop_serving_flags BOOLEAN NOT NULL DEFAULT FALSE,
    -- Head of the organisation's audit chain.
    audit_sequence BIGINT NOT NULL DEFAULT 0,
    audit_hash TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);

CREATE TABLE members (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    password_hash TEXT,
    is_superuser BOOLEAN NOT NULL DEFAULT FALSE,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    sign_up_type TEXT,
    created_at BIGINT NOT NULL,
    last_login BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX members_email ON members (email_folded) WHERE deleted_at IS NULL;

CREATE TABLE memberships (
    organisation_id BIGINT NOT NULL REFERENCES organisations (id),
    member_id BIGINT NOT NULL REFERENCES members (id),
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, member_id)
);
CREATE INDEX memberships_member ON memberships (member_id, organisation_id);

-- What a program presents for a member; many for each, stored hashed.
CREATE TABLE member_tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT
);
CREATE INDEX member_tokens_member ON member_tokens (member_id);

-- What a browser presents for a member, stored hashed.
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_member ON sessions (member_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Links that sign in once; without a member they make the first one.
CREATE TABLE sign_in_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT REFERENCES members (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX sign_in_links_expiry ON sign_in_links (expires_at);
