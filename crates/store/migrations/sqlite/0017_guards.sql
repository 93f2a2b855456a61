-- Guards of rollouts: what they watch, what they saw, and what they are told.

CREATE TABLE rollout_guards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    rollout_id BIGINT NOT NULL REFERENCES rollouts (id),
    name TEXT NOT NULL,
    folded_name TEXT NOT NULL,
    -- `metric`, `failure_rate`, `comparison` or `health`; each has some of the columns up to `harmful`.
    kind TEXT NOT NULL,
    source TEXT,
    query TEXT,
    -- `above` or `below`: where the harm is.
    harm TEXT,
    -- Of a metric in its unit; of a failure rate from 0 to 1.
    limit_value DOUBLE PRECISION,
    minimum BIGINT,
    alpha DOUBLE PRECISION,
    tolerated DOUBLE PRECISION,
    harmful DOUBLE PRECISION,
    -- `hold`, `roll_back` or `nothing`.
    on_harm TEXT NOT NULL,
    on_silence TEXT NOT NULL,
    grace_seconds BIGINT NOT NULL,
    every_seconds BIGINT NOT NULL,
    looks BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- What it saw so far.
    verdict TEXT NOT NULL,
    detail TEXT NOT NULL,
    -- A number as text: it may be infinite.
    measured TEXT,
    looked_at BIGINT,
    quiet_since BIGINT,
    harmful_looks BIGINT NOT NULL,
    step BIGINT,
    -- Successes and failures of the treated and of the others: up to where all is judged, and at the last look.
    counted TEXT NOT NULL,
    evidence TEXT NOT NULL,
    -- When it looks next; null once its rollout has ended. While a node looks, when another one may.
    due_at BIGINT,
    claimed_by TEXT
);
CREATE UNIQUE INDEX rollout_guards_name ON rollout_guards (rollout_id, folded_name);
CREATE INDEX rollout_guards_due ON rollout_guards (due_at) WHERE due_at IS NOT NULL;

-- All successes and failures that were reported of a rollout.
CREATE TABLE rollout_signals (
    rollout_id BIGINT NOT NULL REFERENCES rollouts (id),
    -- `treated` or `control`.
    arm TEXT NOT NULL,
    successes BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, arm)
);

-- Reports that counted, so that one that is sent twice counts once.
CREATE TABLE rollout_signal_keys (
    rollout_id BIGINT NOT NULL REFERENCES rollouts (id),
    idempotency_key TEXT NOT NULL,
    -- Of what was reported.
    digest TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, idempotency_key)
);
CREATE INDEX rollout_signal_keys_at ON rollout_signal_keys (at);

-- What others last reported of the feature's health.
CREATE TABLE rollout_health (
    rollout_id BIGINT NOT NULL REFERENCES rollouts (id),
    source TEXT NOT NULL,
    is_healthy BOOLEAN NOT NULL,
    reason TEXT,
    at BIGINT NOT NULL,
    PRIMARY KEY (rollout_id, source)
);

-- The address by which programs that send no headers drive a rollout; what stands in it is kept as a hash.
CREATE TABLE rollout_hooks (
    rollout_id BIGINT NOT NULL PRIMARY KEY REFERENCES rollouts (id),
    token_hash TEXT NOT NULL UNIQUE,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
