-- Version 2. What was told to whom, so that nothing is told twice.

CREATE TABLE told (
    notification TEXT NOT NULL,
    id TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    -- What has to be looked at to know whether it still is so.
    scope TEXT,
    kind TEXT,
    at TEXT NOT NULL,
    title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('begun', 'past', 'pending', 'sent', 'undelivered')),
    -- What is to be told while it is pending, and why nobody took it.
    body TEXT,
    PRIMARY KEY (notification, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX told_by_time ON told (at) WHERE state IN ('pending', 'sent', 'undelivered');

-- Where what belongs together is shown.
CREATE TABLE threads (
    notification TEXT NOT NULL,
    id TEXT NOT NULL,
    thread TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (notification, id)
) STRICT, WITHOUT ROWID;
