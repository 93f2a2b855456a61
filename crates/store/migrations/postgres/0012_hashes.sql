-- What places identities, what kind of values features have, and what off means to OFREP and flagd.

-- Null: as the environment has it.
ALTER TABLE features ADD COLUMN hash TEXT COLLATE "C";
ALTER TABLE features ADD COLUMN value_type TEXT COLLATE "C" NOT NULL DEFAULT 'auto';
ALTER TABLE segments ADD COLUMN hash TEXT COLLATE "C";

ALTER TABLE environments ADD COLUMN hash TEXT COLLATE "C" NOT NULL DEFAULT 'flagsmith';
ALTER TABLE environments ADD COLUMN disabled_as TEXT COLLATE "C" NOT NULL DEFAULT 'auto';
