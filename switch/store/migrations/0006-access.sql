-- Keys that were made over the API, people who administrate, their sessions, and what they have changed. `record` is the
-- whole record as JSON; of keys and tokens it has hashes alone.

CREATE TABLE access_key (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    record  TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_user (
    tenant  TEXT NOT NULL,
    name    TEXT NOT NULL,
    record  TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE access_session (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    record  TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- Numbers rise and are never given twice, so that a gap in them is a deletion that somebody has to explain.
CREATE TABLE audit (
    id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant    TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    who       TEXT    NOT NULL,
    source    TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    resource  TEXT    NOT NULL,
    outcome   TEXT    NOT NULL,
    record    TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_time ON audit (tenant, at, id);
CREATE INDEX audit_by_who ON audit (tenant, who, at, id);
CREATE INDEX audit_by_action ON audit (tenant, action, at, id);
CREATE INDEX audit_by_resource ON audit (tenant, resource, at, id);

-- Until when a tenant's log was cut because it is kept no longer. What is later cannot be deleted.
CREATE TABLE audit_cut (
    tenant  TEXT    NOT NULL PRIMARY KEY,
    before  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
WHEN OLD.at >= coalesce((SELECT before FROM audit_cut WHERE tenant = OLD.tenant), -9223372036854775808)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only cut where it is kept no longer');
END;
