-- What readers may search by and had to be looked for among all that a tenant has.

CREATE INDEX agent_interval_by_queue ON agent_interval (tenant, queue, started, row_id) WHERE queue IS NOT NULL;
CREATE INDEX recording_by_label ON recording (tenant, json_extract(record, '$.label'), started, recording_id);
