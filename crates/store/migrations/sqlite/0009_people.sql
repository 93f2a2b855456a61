-- Who else comes in: programs with API keys, invited people; and what members may do.

-- What programs manage an organisation with: `<prefix>.<secret>`, stored as a hash.
CREATE TABLE api_keys (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id BIGINT NOT NULL REFERENCES organisations (id),
    prefix TEXT NOT NULL UNIQUE,
    key_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    is_admin BOOLEAN NOT NULL,
    revoked BOOLEAN NOT NULL DEFAULT FALSE,
    expires_at BIGINT,
    -- Null when another key made it.
    created_by BIGINT REFERENCES members (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX api_keys_organisation ON api_keys (organisation_id, id);

-- One person each, by e-mail address; what stands in the link is stored as a hash.
CREATE TABLE invites (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id BIGINT NOT NULL REFERENCES organisations (id),
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE,
    -- Null when an API key did.
    invited_by BIGINT REFERENCES members (id),
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invites_email ON invites (organisation_id, email_folded);

-- Whoever has the link may join; admins are shown it, so it is readable.
CREATE TABLE invite_links (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id BIGINT NOT NULL REFERENCES organisations (id),
    token TEXT NOT NULL UNIQUE,
    role TEXT NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX invite_links_organisation ON invite_links (organisation_id, id);

-- What a member may do in an organisation, a project (which is named then) or an environment (both are).
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    member_id BIGINT NOT NULL REFERENCES members (id),
    organisation_id BIGINT NOT NULL REFERENCES organisations (id),
    project_id BIGINT REFERENCES projects (id),
    environment_id BIGINT REFERENCES environments (id),
    -- May do everything there and below.
    is_admin BOOLEAN NOT NULL,
    -- Words of permissions, separated by spaces.
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CHECK (environment_id IS NULL OR project_id IS NOT NULL)
);
CREATE UNIQUE INDEX grants_organisation ON grants (organisation_id, member_id) WHERE project_id IS NULL;
CREATE UNIQUE INDEX grants_project ON grants (project_id, member_id)
    WHERE project_id IS NOT NULL AND environment_id IS NULL;
CREATE UNIQUE INDEX grants_environment ON grants (environment_id, member_id) WHERE environment_id IS NOT NULL;
CREATE INDEX grants_member ON grants (member_id);

-- What dashboards keep of a member's first steps, as JSON.
ALTER TABLE members ADD COLUMN onboarding TEXT;
