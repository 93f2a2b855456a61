-- The first microsecond (UTC) of the day by which a feature is expected to be gone from the code; null: nobody said.
ALTER TABLE features ADD COLUMN expected_removal BIGINT;
