-- Chats that are over. `record` is the whole record as JSON, with what was said; `version` counts the records of the same
-- chat, for its customer may say what he thinks of it after its end. Its call record and its queue visits are where those of
-- calls are, under the same id.

CREATE TABLE chat (
    chat_id  TEXT    NOT NULL PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    opened   INTEGER NOT NULL,
    closed   INTEGER NOT NULL,
    queue    TEXT    NOT NULL,
    agent    TEXT,
    customer TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    record   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX chat_by_time ON chat (tenant, opened, chat_id);
CREATE INDEX chat_by_agent ON chat (tenant, agent, opened, chat_id) WHERE agent IS NOT NULL;
CREATE INDEX chat_by_queue ON chat (tenant, queue, opened, chat_id);
CREATE INDEX chat_by_customer ON chat (tenant, customer, opened, chat_id);
