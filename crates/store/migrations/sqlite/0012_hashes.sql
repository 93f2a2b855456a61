-- What places identities, what kind of values features have, and what off means to OFREP and flagd.

-- Null: as the environment has it.
ALTER TABLE features ADD COLUMN hash TEXT;
ALTER TABLE features ADD COLUMN value_type TEXT NOT NULL DEFAULT 'auto';
ALTER TABLE segments ADD COLUMN hash TEXT;

ALTER TABLE environments ADD COLUMN hash TEXT NOT NULL DEFAULT 'flagsmith';
ALTER TABLE environments ADD COLUMN disabled_as TEXT NOT NULL DEFAULT 'auto';
