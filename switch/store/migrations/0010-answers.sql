-- How requests with a key of the sender's own were answered, as long as they may come again. `request` is a hash of what was
-- asked; who asked and his key are in the mark, which `once` has from before it was carried out.
CREATE TABLE answer (
    mark     BLOB    NOT NULL PRIMARY KEY,
    until    INTEGER NOT NULL,
    request  BLOB    NOT NULL,
    answer   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX answer_by_time ON answer (until);
