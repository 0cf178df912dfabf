-- Version 3. Which entries say that somebody else's automation was asked, so that it is not asked twice.

CREATE TABLE dispatched (
    subject INTEGER NOT NULL REFERENCES subjects,
    entry INTEGER NOT NULL REFERENCES entries,
    PRIMARY KEY (subject, entry)
) STRICT, WITHOUT ROWID;
