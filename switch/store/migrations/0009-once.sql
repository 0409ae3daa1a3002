-- What opens once: hashes of tokens and signatures that were shown, each as long as it would be taken.
CREATE TABLE once (
    mark   BLOB    NOT NULL PRIMARY KEY,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX once_by_time ON once (until);

-- Sessions that enterprises' pages have begun. `record` is the whole record as JSON; of tokens it has hashes alone.
CREATE TABLE page_session (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    record  TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
