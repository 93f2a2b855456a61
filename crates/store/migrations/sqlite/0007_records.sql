-- What was done, what is to be told, and who does what.

-- References nothing: an entry outlives what it tells of.
CREATE TABLE audit_entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Null: the chain of the installation itself.
    organisation_id BIGINT,
    sequence BIGINT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    project_id BIGINT,
    environment_id BIGINT,
    actor_kind TEXT NOT NULL,
    actor_id BIGINT,
    actor_name TEXT NOT NULL,
    action TEXT NOT NULL,
    noun TEXT NOT NULL,
    object_id BIGINT,
    object_uuid TEXT,
    summary TEXT NOT NULL,
    details TEXT
);
CREATE UNIQUE INDEX audit_entries_sequence ON audit_entries (organisation_id, sequence)
    WHERE organisation_id IS NOT NULL;
CREATE UNIQUE INDEX audit_entries_instance_sequence ON audit_entries (sequence) WHERE organisation_id IS NULL;
CREATE INDEX audit_entries_project ON audit_entries (project_id, id) WHERE project_id IS NOT NULL;
CREATE INDEX audit_entries_environment ON audit_entries (environment_id, id) WHERE environment_id IS NOT NULL;

-- Events to be delivered, written in the transaction that caused them.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    organisation_id BIGINT,
    environment_id BIGINT,
    payload TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Not before then: the time it was written, the end of a worker's lease or the next attempt.
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    claimed_by TEXT,
    last_error TEXT
);
CREATE INDEX outbox_due ON outbox (due_at, id);

-- Work that one node at a time does.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
