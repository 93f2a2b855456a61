-- Rollouts of features: one option, or the feature itself, given to more and more people.

CREATE TABLE rollouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid TEXT NOT NULL UNIQUE,
    project_id BIGINT NOT NULL REFERENCES projects (id),
    environment_id BIGINT NOT NULL REFERENCES environments (id),
    feature_id BIGINT NOT NULL REFERENCES features (id),
    -- What is raised; null: the feature is switched on.
    option_id BIGINT REFERENCES multivariate_options (id),
    -- Whom a part of it is given to; null: everybody.
    segment_id BIGINT REFERENCES segments (id),
    -- Holds the percentage; made and deleted with the rollout.
    managed_segment_id BIGINT REFERENCES segments (id),
    description TEXT,
    -- The program outside that says each percentage, instead of steps.
    driver TEXT,
    -- `scheduled`, `running`, `held`, `promoted`, `aborted` or `rolled_back`.
    state TEXT NOT NULL,
    -- Position of the step it is at; null before the first.
    step BIGINT,
    -- Hundredths of a percent.
    percentage BIGINT NOT NULL,
    reached_at BIGINT,
    is_approved BOOLEAN NOT NULL,
    -- When it goes on by itself; null where it waits for somebody.
    due_at BIGINT,
    -- While it is held: microseconds that were left of the step.
    remaining_micros BIGINT,
    reason TEXT,
    -- JSON: the state it began from.
    state_before TEXT,
    -- The approval of the plan, once environments ask for one.
    change_request_id BIGINT,
    -- Counts changes: each is made to what was read before, or not at all.
    changes BIGINT NOT NULL,
    created_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at BIGINT
);
-- No two live ones of a feature in an environment.
CREATE UNIQUE INDEX rollouts_live ON rollouts (environment_id, feature_id) WHERE ended_at IS NULL;
CREATE INDEX rollouts_due ON rollouts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX rollouts_environment ON rollouts (environment_id, id);
CREATE INDEX rollouts_project ON rollouts (project_id, id);
CREATE INDEX rollouts_managed ON rollouts (managed_segment_id) WHERE managed_segment_id IS NOT NULL;
CREATE INDEX rollouts_segment ON rollouts (segment_id) WHERE segment_id IS NOT NULL;

CREATE TABLE rollout_steps (
    rollout_id BIGINT NOT NULL REFERENCES rollouts (id),
    position BIGINT NOT NULL,
    -- Hundredths of a percent.
    percentage BIGINT NOT NULL,
    starts_at BIGINT,
    hold_seconds BIGINT NOT NULL,
    needs_approval BOOLEAN NOT NULL,
    PRIMARY KEY (rollout_id, position)
);

-- The timeline.
CREATE TABLE rollout_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    rollout_id BIGINT NOT NULL REFERENCES rollouts (id),
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    step BIGINT,
    percentage BIGINT NOT NULL,
    actor TEXT NOT NULL,
    is_system BOOLEAN NOT NULL,
    reason TEXT
);
CREATE INDEX rollout_events_rollout ON rollout_events (rollout_id, id);
