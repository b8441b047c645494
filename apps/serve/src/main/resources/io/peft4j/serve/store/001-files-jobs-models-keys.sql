-- {{sequence}} is a number that rises with each row; all times are seconds since 1970.
CREATE TABLE files (
    seq {{sequence}},
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    filename TEXT NOT NULL,
    purpose TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    status TEXT NOT NULL,
    status_details TEXT
);
CREATE TABLE jobs (
    seq {{sequence}},
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    base TEXT NOT NULL,
    status TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    request TEXT NOT NULL,
    hyperparameters TEXT NOT NULL,
    error TEXT,
    fine_tuned_model TEXT,
    trained_tokens BIGINT,
    result_files TEXT NOT NULL DEFAULT '[]',
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    estimated_finish BIGINT,
    wanted TEXT,
    worker TEXT,
    lease_until DOUBLE PRECISION NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_status ON jobs (status, seq);
CREATE TABLE events (
    seq {{sequence}},
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL REFERENCES jobs (id),
    -- What it is about: a job that goes on after a crash comes to the same events again, and each is kept once.
    topic TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    level TEXT NOT NULL,
    type TEXT NOT NULL,
    message TEXT NOT NULL,
    data TEXT NOT NULL,
    UNIQUE (job, topic)
);
CREATE TABLE checkpoints (
    seq {{sequence}},
    id TEXT NOT NULL UNIQUE,
    job TEXT NOT NULL REFERENCES jobs (id),
    step BIGINT NOT NULL,
    model TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    metrics TEXT NOT NULL,
    UNIQUE (job, step)
);
CREATE TABLE models (
    seq {{sequence}},
    name TEXT NOT NULL UNIQUE,
    base TEXT NOT NULL,
    owner TEXT NOT NULL,
    job TEXT NOT NULL,
    -- Relative to the data folder.
    folder TEXT NOT NULL,
    checkpoint INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
);
CREATE TABLE api_keys (
    seq {{sequence}},
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    requests_per_minute BIGINT,
    tokens_per_day BIGINT,
    jobs_per_day BIGINT,
    stored_bytes BIGINT
);
