-- Call records and recordings. Times are UTC milliseconds since 1970. `record` is the whole record
-- as JSON; the columns beside it are what queries select and sort by.

CREATE TABLE cdr (
    call_id   TEXT    NOT NULL PRIMARY KEY,
    tenant    TEXT    NOT NULL,
    started   INTEGER NOT NULL,
    answered  INTEGER,
    bridged   INTEGER,
    ended     INTEGER NOT NULL,
    from_user TEXT    NOT NULL,
    to_user   TEXT    NOT NULL,
    cause     TEXT    NOT NULL,
    agent     TEXT,
    record    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX cdr_by_time ON cdr (tenant, started, call_id);
CREATE INDEX cdr_by_agent ON cdr (tenant, agent, started, call_id) WHERE agent IS NOT NULL;

-- One row for each queue that a call waited in, however often.
CREATE TABLE cdr_queue (
    tenant  TEXT    NOT NULL,
    queue   TEXT    NOT NULL,
    started INTEGER NOT NULL,
    call_id TEXT    NOT NULL,
    PRIMARY KEY (tenant, queue, started, call_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE recording (
    recording_id TEXT    NOT NULL PRIMARY KEY,
    tenant       TEXT    NOT NULL,
    call_id      TEXT    NOT NULL,
    started      INTEGER NOT NULL,
    length_ms    INTEGER NOT NULL,
    dropped_ms   INTEGER NOT NULL,
    record       TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX recording_by_time ON recording (tenant, started, recording_id);
CREATE INDEX recording_by_call ON recording (tenant, call_id);
