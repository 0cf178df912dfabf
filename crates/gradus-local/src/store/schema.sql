-- Version 1. Every entry is one JSON document in `entries`; all other columns and
-- tables only find it, or hold what follows from it.

CREATE TABLE pipelines (
    id INTEGER PRIMARY KEY,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    UNIQUE (namespace, name)
) STRICT;

-- What an entry is about.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    pipeline INTEGER NOT NULL REFERENCES pipelines,
    kind TEXT NOT NULL CHECK (kind IN ('environment', 'artifact')),
    name TEXT NOT NULL,
    -- What was last written into an environment.
    promoted TEXT,
    UNIQUE (pipeline, kind, name)
) STRICT;

CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    pipeline INTEGER NOT NULL REFERENCES pipelines,
    subject INTEGER NOT NULL REFERENCES subjects,
    kind TEXT NOT NULL CHECK (
        kind IN ('report', 'approval', 'request', 'check', 'healthy', 'verdict', 'seen', 'wrote')
    ),
    -- What makes it the same entry as another, hashed.
    key BLOB NOT NULL,
    recorded TEXT NOT NULL,
    -- How far a healthy span has come. The one thing of an entry that moves.
    until TEXT,
    body TEXT NOT NULL,
    UNIQUE (pipeline, key)
) STRICT;

CREATE INDEX entries_of_pipeline ON entries (pipeline);
CREATE INDEX deeds_of_pipeline ON entries (pipeline) WHERE kind IN ('approval', 'request', 'wrote');
CREATE INDEX entries_of_subject ON entries (subject, kind);

CREATE TABLE targets (
    subject INTEGER NOT NULL REFERENCES subjects,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (subject, name)
) STRICT, WITHOUT ROWID;

-- Proposals in repositories that have no forge.
CREATE TABLE proposals (
    repository TEXT NOT NULL,
    number INTEGER NOT NULL,
    pipeline INTEGER NOT NULL REFERENCES pipelines,
    environment TEXT NOT NULL,
    base TEXT NOT NULL,
    branch TEXT NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    head TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'merged', 'closed')),
    merged TEXT,
    why TEXT,
    opened TEXT NOT NULL,
    changed TEXT NOT NULL,
    PRIMARY KEY (repository, number)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX open_proposals ON proposals (repository, branch) WHERE state = 'open';
CREATE INDEX proposals_of_branch ON proposals (repository, branch, number);
CREATE INDEX proposals_of_pipeline ON proposals (pipeline, opened);
