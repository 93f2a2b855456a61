-- How often each variant of a feature was given out, by day (UTC, its first microsecond): as far as the protocol tells.
CREATE TABLE variant_days (
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    day BIGINT NOT NULL,
    feature_id BIGINT NOT NULL REFERENCES features (id),
    variant TEXT COLLATE "C" NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (environment_id, feature_id, day, variant)
);
