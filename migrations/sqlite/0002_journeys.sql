-- Campaigns with triggers and steps, and counters for the safety stops.

-- What has gone wrong in a lane since it was opened, counted by the transactions that make it known.
ALTER TABLE lane ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN hard INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN complaints INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN unrendered INTEGER NOT NULL DEFAULT 0;

-- Membership is a campaign's own: what it has seen of the segment that it waits for. The laid tables were never filled.
DROP TABLE segment_member;
DROP TABLE segment;

-- The segment that a campaign waits for, and how far the sweep over all customers is.
CREATE TABLE watch (
  campaign_id INTEGER PRIMARY KEY,
  segment TEXT NOT NULL,
  position INTEGER NOT NULL DEFAULT 0,   -- the last customer id of this sweep
  swept_at INTEGER,                      -- when the last sweep ended
  next_at INTEGER NOT NULL               -- when the next begins
) STRICT;

CREATE TABLE segment_member (
  campaign_id INTEGER NOT NULL,
  customer_id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (campaign_id, customer_id)
) STRICT;

-- When the first step falls due, in both arms: the goal's window opens then.
ALTER TABLE enrolment ADD COLUMN opens_at INTEGER;
UPDATE enrolment SET opens_at = (SELECT min(m.due_at) FROM message m WHERE m.enrolment_id = enrolment.id);
-- The event that began the pass, when one did.
ALTER TABLE enrolment ADD COLUMN event_id INTEGER;
-- Whether a reward hangs on the mail: its state moves the ledger.
ALTER TABLE message ADD COLUMN rewarded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX enrolment_due_of ON enrolment (campaign_id, next_at, customer_id) WHERE state = 'active';
DROP INDEX enrolment_due;
