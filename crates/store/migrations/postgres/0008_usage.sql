-- Counts by 15 minutes, with the labels that SDKs send (empty text where they send none).

CREATE TABLE evaluation_counts (
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    bucket_start BIGINT NOT NULL,
    -- 'enabled', 'disabled' or 'unknown' (the first analytics protocol does not say).
    state TEXT COLLATE "C" NOT NULL,
    sdk_user_agent TEXT COLLATE "C" NOT NULL,
    application_name TEXT COLLATE "C" NOT NULL,
    application_version TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (environment_id, feature_id, bucket_start, state, sdk_user_agent, application_name, application_version)
);

CREATE TABLE request_counts (
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    kind TEXT COLLATE "C" NOT NULL,
    bucket_start BIGINT NOT NULL,
    sdk_user_agent TEXT COLLATE "C" NOT NULL,
    application_name TEXT COLLATE "C" NOT NULL,
    application_version TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (environment_id, bucket_start, kind, sdk_user_agent, application_name, application_version)
);

-- Flushes already counted, so that one sent again after a lost answer adds nothing.
CREATE TABLE usage_flushes (
    flush_id TEXT COLLATE "C" PRIMARY KEY,
    at BIGINT NOT NULL
);
CREATE INDEX usage_flushes_at ON usage_flushes (at);
