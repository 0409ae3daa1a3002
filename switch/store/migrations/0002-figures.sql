-- What figures are made of: legs and queue visits, each a row of its own beside the call that it stands in, and stretches
-- of agents' work. Rows of legs and visits are made of the call's record by a trigger: in the same transaction, once, and
-- never without it. `record` is the whole record as JSON.

CREATE TABLE leg (
    row_id   TEXT    NOT NULL PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    call_id  TEXT    NOT NULL,
    agent    TEXT,
    trunk    TEXT,
    record   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leg_by_time ON leg (tenant, started, row_id);
CREATE INDEX leg_by_call ON leg (tenant, call_id);
CREATE INDEX leg_by_agent ON leg (tenant, agent, started, row_id) WHERE agent IS NOT NULL;

CREATE TABLE queue_visit (
    row_id   TEXT    NOT NULL PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    call_id  TEXT    NOT NULL,
    queue    TEXT    NOT NULL,
    agent    TEXT,
    outcome  TEXT    NOT NULL,
    record   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX queue_visit_by_time ON queue_visit (tenant, started, row_id);
CREATE INDEX queue_visit_by_call ON queue_visit (tenant, call_id);
CREATE INDEX queue_visit_by_queue ON queue_visit (tenant, queue, started, row_id);
CREATE INDEX queue_visit_by_agent ON queue_visit (tenant, agent, started, row_id) WHERE agent IS NOT NULL;

-- `visit` is when the call of this work entered the queue, for what an agent does after a call.
CREATE TABLE agent_interval (
    row_id   TEXT    NOT NULL PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    started  INTEGER NOT NULL,
    ended    INTEGER NOT NULL,
    call_id  TEXT,
    agent    TEXT    NOT NULL,
    queue    TEXT,
    status   TEXT    NOT NULL,
    visit    INTEGER,
    record   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_interval_by_time ON agent_interval (tenant, started, row_id);
CREATE INDEX agent_interval_by_agent ON agent_interval (tenant, agent, started, ended, row_id);
CREATE INDEX agent_interval_by_call ON agent_interval (tenant, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX agent_interval_by_visit ON agent_interval (tenant, visit, started) WHERE visit IS NOT NULL;

-- Every agent who has an interval: one who was something when a time began is found without looking at all of them.
CREATE TABLE interval_agent (
    tenant TEXT NOT NULL,
    agent  TEXT NOT NULL,
    PRIMARY KEY (tenant, agent)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER agent_of_interval AFTER INSERT ON agent_interval BEGIN
    INSERT INTO interval_agent (tenant, agent) VALUES (NEW.tenant, NEW.agent) ON CONFLICT DO NOTHING;
END;

CREATE TRIGGER rows_of_call AFTER INSERT ON cdr BEGIN
    INSERT INTO leg (row_id, tenant, started, ended, call_id, agent, trunk, record)
    SELECT NEW.call_id || '/' || json_extract(l.value, '$.leg'), NEW.tenant,
           json_extract(l.value, '$.started'), json_extract(l.value, '$.ended'), NEW.call_id,
           json_extract(l.value, '$.agent.name'), json_extract(l.value, '$.trunk.name'),
           json_set(l.value, '$.call', NEW.call_id)
    FROM json_each(NEW.record, '$.legs') AS l WHERE true
    ON CONFLICT DO NOTHING;
    INSERT INTO queue_visit (row_id, tenant, started, ended, call_id, queue, agent, outcome, record)
    SELECT NEW.call_id || '/' || v.key, NEW.tenant,
           json_extract(v.value, '$.entered'), json_extract(v.value, '$.left'), NEW.call_id,
           json_extract(v.value, '$.queue.name'), json_extract(v.value, '$.agent.name'),
           json_extract(v.value, '$.outcome'),
           json_set(v.value, '$.call', NEW.call_id, '$.number', v.key)
    FROM json_each(NEW.record, '$.queues') AS v WHERE true
    ON CONFLICT DO NOTHING;
END;

-- The calls that are there already.
INSERT INTO leg (row_id, tenant, started, ended, call_id, agent, trunk, record)
SELECT c.call_id || '/' || json_extract(l.value, '$.leg'), c.tenant,
       json_extract(l.value, '$.started'), json_extract(l.value, '$.ended'), c.call_id,
       json_extract(l.value, '$.agent.name'), json_extract(l.value, '$.trunk.name'),
       json_set(l.value, '$.call', c.call_id)
FROM cdr AS c, json_each(c.record, '$.legs') AS l WHERE true
ON CONFLICT DO NOTHING;

INSERT INTO queue_visit (row_id, tenant, started, ended, call_id, queue, agent, outcome, record)
SELECT c.call_id || '/' || v.key, c.tenant,
       json_extract(v.value, '$.entered'), json_extract(v.value, '$.left'), c.call_id,
       json_extract(v.value, '$.queue.name'), json_extract(v.value, '$.agent.name'),
       json_extract(v.value, '$.outcome'),
       json_set(v.value, '$.call', c.call_id, '$.number', v.key)
FROM cdr AS c, json_each(c.record, '$.queues') AS v WHERE true
ON CONFLICT DO NOTHING;
