-- Campaigns and their numbers. `record` is the whole record as JSON; the columns are what is asked for.
CREATE TABLE campaign (
    tenant  TEXT    NOT NULL,
    id      INTEGER NOT NULL,
    record  TEXT    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- state: 0 to be called, 1 being called, 2 done. `due`: not called before. `owed`: when its result is posted next, if it has to be.
CREATE TABLE campaign_number (
    tenant    TEXT    NOT NULL,
    id        INTEGER NOT NULL,
    campaign  INTEGER NOT NULL,
    state     INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    owed      INTEGER,
    record    TEXT    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX campaign_number_by_turn ON campaign_number (tenant, campaign, state, due, id);
CREATE INDEX campaign_number_by_campaign ON campaign_number (tenant, campaign, id);
CREATE INDEX campaign_number_owed ON campaign_number (tenant, campaign, owed) WHERE owed IS NOT NULL;
