-- How many people a mail went to, for the next on its topic to be compared with: one that is suddenly ten times as large
-- asks before it goes. `occurrence.state` may be `large` from here on.
ALTER TABLE occurrence ADD COLUMN topic TEXT COLLATE "C";             -- of the revision that took the audience
ALTER TABLE occurrence ADD COLUMN audience BIGINT NOT NULL DEFAULT 0;  -- people taken so far who may get it, the holdout among them
ALTER TABLE occurrence ADD COLUMN agreed BIGINT;                       -- so many people somebody agreed to when launching it
UPDATE occurrence SET
  topic = (SELECT m.topic FROM message m WHERE m.campaign_id = occurrence.campaign_id AND m.occurrence_id = occurrence.id LIMIT 1),
  audience = (SELECT count(*) FROM enrolment e WHERE e.occurrence_id = occurrence.id AND e.arm <> 'none')
  WHERE state IN ('enrolling', 'enrolled');
CREATE INDEX occurrence_last ON occurrence (topic, finished_at) WHERE state = 'enrolled';
