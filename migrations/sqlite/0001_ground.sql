-- The ground on which every stage stands. See "Tables" in ARCHITECTURE.md.
-- Times are UTC milliseconds. Booleans are 0/1. JSON is TEXT. Money is minor units beside an ISO 4217 code.
-- The file of the same name under the other database differs in types only.

CREATE TABLE meta (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

CREATE TABLE import_batch (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  file TEXT NOT NULL,
  state TEXT NOT NULL,               -- running, done, undone
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  total INTEGER NOT NULL DEFAULT 0,
  inserted INTEGER NOT NULL DEFAULT 0,
  updated INTEGER NOT NULL DEFAULT 0,
  unchanged INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Who. Known by external_id, else by address. An erased customer keeps only id, bucket and the times.
CREATE TABLE customer (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  bucket INTEGER NOT NULL,           -- hash of the id, 0..2^31-2: arms are integer arithmetic on it
  external_id TEXT UNIQUE,
  email TEXT,                        -- normalised: local part case-folded, domain as A-labels
  email_domain TEXT,
  name TEXT,
  first_name TEXT,
  last_name TEXT,
  locale TEXT,
  timezone TEXT,
  birthday TEXT,                     -- YYYY-MM-DD
  source TEXT,
  attributes TEXT NOT NULL DEFAULT '{}',
  tracking_off INTEGER NOT NULL DEFAULT 0,
  paused_until INTEGER,
  batch_id INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  erased_at INTEGER
) STRICT;
CREATE INDEX customer_email ON customer (email);
CREATE UNIQUE INDEX customer_address_only ON customer (email) WHERE external_id IS NULL AND email IS NOT NULL;

-- Keyed hashes of erased people, so that an import cannot bring them back.
CREATE TABLE erased (
  hash TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT;

-- What happened. Append only; ids become visible in order, so a cursor on the id misses nothing.
CREATE TABLE event (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  source TEXT NOT NULL,
  dedupe_key TEXT NOT NULL UNIQUE,
  value INTEGER,
  currency TEXT,
  campaign_id INTEGER,
  message_id INTEGER,
  batch_id INTEGER,
  data TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX event_customer ON event (customer_id, kind, at);
CREATE INDEX event_campaign ON event (campaign_id, kind) WHERE campaign_id IS NOT NULL;

-- The present state of each order that the log tells of: the log says "paid, then returned", this says "returned".
CREATE TABLE purchase (
  event_id INTEGER PRIMARY KEY,      -- the order event that opened it
  order_key TEXT NOT NULL UNIQUE,
  customer_id INTEGER NOT NULL,
  at INTEGER NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  margin INTEGER,
  discount INTEGER,
  refunded INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  batch_id INTEGER,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX purchase_customer ON purchase (customer_id, at);

CREATE TABLE order_item (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id INTEGER NOT NULL,         -- of the purchase
  sku TEXT,
  name TEXT,
  category TEXT,
  quantity REAL NOT NULL DEFAULT 1,
  amount INTEGER
) STRICT;
CREATE INDEX order_item_event ON order_item (event_id);

-- Permission: the ledger, and where it stands now.
CREATE TABLE consent (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL,
  topic TEXT NOT NULL,
  state TEXT NOT NULL,               -- granted, pending, withdrawn
  basis TEXT,
  text_version TEXT,
  source TEXT NOT NULL,
  address TEXT,
  at INTEGER NOT NULL,
  own_act INTEGER NOT NULL DEFAULT 1,   -- 0: the row had no time of its own, so it never overrides a withdrawal
  recorded_at INTEGER NOT NULL,
  batch_id INTEGER
) STRICT;
CREATE INDEX consent_customer ON consent (customer_id, topic, at);

CREATE TABLE consent_state (
  customer_id INTEGER NOT NULL,
  topic TEXT NOT NULL,
  state TEXT NOT NULL,
  basis TEXT,
  at INTEGER NOT NULL,
  consent_id INTEGER NOT NULL,
  PRIMARY KEY (customer_id, topic)
) STRICT;
CREATE INDEX consent_state_topic ON consent_state (topic, state, customer_id);

CREATE TABLE suppression (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL,
  reason TEXT NOT NULL,              -- hard-bounce, soft-bounce, complaint, manual, import
  source TEXT NOT NULL,
  message_id INTEGER,
  batch_id INTEGER,
  created_at INTEGER NOT NULL,
  until INTEGER,
  lifted_at INTEGER,
  lifted_by TEXT,
  note TEXT
) STRICT;
CREATE UNIQUE INDEX suppression_standing ON suppression (address, reason) WHERE lifted_at IS NULL;

-- The relationship: sums that each event moves, and figures as of a time.
CREATE TABLE calibration (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  as_of INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  data TEXT NOT NULL
) STRICT;

CREATE TABLE relationship (
  customer_id INTEGER PRIMARY KEY,
  -- buying: sum over repeat purchases of 2^(-age/h) at buy_at
  purchases INTEGER NOT NULL DEFAULT 0,
  first_purchase_at INTEGER,
  previous_purchase_at INTEGER,      -- the last on an earlier day than the last
  last_purchase_at INTEGER,
  buy_sum REAL NOT NULL DEFAULT 0,
  buy_at INTEGER,
  revenue INTEGER NOT NULL DEFAULT 0,
  margin INTEGER NOT NULL DEFAULT 0,
  discounted INTEGER NOT NULL DEFAULT 0,
  -- engagement: discounted trials and credit at engage_at
  engage_trials REAL NOT NULL DEFAULT 0,
  engage_credit REAL NOT NULL DEFAULT 0,
  engage_at INTEGER,
  delivered INTEGER NOT NULL DEFAULT 0,
  last_human_at INTEGER,
  -- attitude: discounted weight and sum at attitude_at
  attitude_weight REAL NOT NULL DEFAULT 0,
  attitude_sum REAL NOT NULL DEFAULT 0,
  attitude_at INTEGER,
  -- figures as of as_of, under calibration_id
  as_of INTEGER NOT NULL DEFAULT 0,
  refresh_at INTEGER,
  calibration_id INTEGER,
  score REAL,
  buying REAL,                       -- 1 - exp(-rate * horizon): orders people, is not a probability to show
  buying_points REAL,
  buying_rank REAL,                  -- percentile among buyers, 0..1
  engagement REAL,
  engagement_points REAL,
  attitude REAL,
  attitude_points REAL,
  lifecycle TEXT,
  loyalty TEXT,
  value_tier TEXT,
  churn_risk REAL,
  clv REAL,
  p_alive REAL,
  expected_purchases REAL
) STRICT;
CREATE INDEX relationship_refresh ON relationship (refresh_at);
CREATE INDEX relationship_score ON relationship (score);

CREATE TABLE segment (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  content_hash TEXT NOT NULL,
  refreshed_at INTEGER,
  size INTEGER
) STRICT;

CREATE TABLE segment_member (
  segment_id INTEGER NOT NULL,
  customer_id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (segment_id, customer_id)
) STRICT;

-- Files by content: what is live is stored, never read from the disk again.
CREATE TABLE blob (
  hash TEXT PRIMARY KEY,
  content BLOB NOT NULL
) STRICT;

CREATE TABLE campaign (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,         -- the id in the file, or the file's stem
  state TEXT NOT NULL,               -- running, paused, closed, cancelled, finished
  revision_id INTEGER,
  launched_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE revision (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  hash TEXT NOT NULL,
  manifest TEXT NOT NULL,            -- path -> blob hash
  created_at INTEGER NOT NULL,
  UNIQUE (campaign_id, number)
) STRICT;

-- Whether a campaign's mail may flow. Owned by delivery, set by campaign and by the safety stops.
CREATE TABLE lane (
  campaign_id INTEGER PRIMARY KEY,
  service INTEGER NOT NULL DEFAULT 0, -- goes before marketing
  state TEXT NOT NULL,               -- open, held
  reason TEXT,
  since INTEGER NOT NULL
) STRICT;

-- One time that a campaign goes out: its audience is taken in slices by customer id, position is where it stands.
CREATE TABLE occurrence (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign_id INTEGER NOT NULL,
  revision_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  due_at INTEGER NOT NULL,           -- when enrolment begins
  state TEXT NOT NULL,               -- waiting, enrolling, enrolled, stale, cancelled
  position INTEGER NOT NULL DEFAULT 0,
  last_id INTEGER,                   -- the highest customer id when enrolment began
  finished_at INTEGER,
  UNIQUE (campaign_id, key)
) STRICT;
CREATE INDEX occurrence_due ON occurrence (state, due_at);

-- One customer's pass through one campaign.
CREATE TABLE enrolment (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  campaign_id INTEGER NOT NULL,
  revision_id INTEGER NOT NULL,
  occurrence_id INTEGER NOT NULL,
  customer_id INTEGER NOT NULL,
  arm TEXT NOT NULL,                 -- treated, holdout, none (not eligible)
  variant TEXT,
  step TEXT,
  next_at INTEGER,
  state TEXT NOT NULL,               -- active, done, exited, cancelled, skipped
  reason TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (occurrence_id, customer_id)
) STRICT;
CREATE INDEX enrolment_due ON enrolment (next_at) WHERE state = 'active';
CREATE INDEX enrolment_customer ON enrolment (customer_id, campaign_id);
CREATE INDEX enrolment_campaign ON enrolment (campaign_id, arm);

-- One mail of one step. States: src/deliver/state.rs. The two unique keys are why the queue cannot hold a duplicate.
CREATE TABLE message (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  enrolment_id INTEGER NOT NULL,
  campaign_id INTEGER NOT NULL,
  revision_id INTEGER NOT NULL,
  occurrence_id INTEGER NOT NULL,
  step TEXT NOT NULL,
  customer_id INTEGER NOT NULL,
  address TEXT,                      -- null when it was never to be sent
  state TEXT NOT NULL,
  reason TEXT,
  topic TEXT NOT NULL,
  service INTEGER NOT NULL DEFAULT 0,
  variant TEXT,
  due_at INTEGER NOT NULL,           -- when the step falls due
  next_at INTEGER NOT NULL,          -- when it is next tried
  expires_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  node_id INTEGER,
  token INTEGER,                     -- of the claim
  relay TEXT,
  sent_at INTEGER,                   -- transmitting began
  settled_at INTEGER,                -- accepted, refused, bounced
  reply TEXT,                        -- the server's last words
  credit REAL NOT NULL DEFAULT 0,    -- best engagement over its hits
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (enrolment_id, step),
  UNIQUE (campaign_id, occurrence_id, step, address)
) STRICT;
CREATE INDEX message_due ON message (campaign_id, next_at, id) WHERE state IN ('queued', 'deferred');
CREATE INDEX message_held ON message (node_id, state) WHERE state IN ('claimed', 'transmitting');
CREATE INDEX message_customer ON message (customer_id, sent_at);
CREATE INDEX message_campaign ON message (campaign_id, state);
CREATE INDEX message_address ON message (address);

-- Evidence, as it came in; classed, then settled into the log.
CREATE TABLE hit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL,
  kind TEXT NOT NULL,                -- open, click, view
  link INTEGER,
  links INTEGER,                     -- how many the mail has
  url TEXT,
  at INTEGER NOT NULL,
  method TEXT NOT NULL,
  ip TEXT,
  agent TEXT,
  prefetch INTEGER NOT NULL DEFAULT 0,
  spool_key TEXT UNIQUE,             -- set when it was replayed from the disk
  class TEXT,                        -- human, proxy, machine, unknown
  reason TEXT,
  settle_at INTEGER NOT NULL,
  settled_at INTEGER
) STRICT;
CREATE INDEX hit_message ON hit (message_id, at);
CREATE INDEX hit_open ON hit (settle_at) WHERE settled_at IS NULL;
CREATE INDEX hit_ip ON hit (ip, at);

CREATE TABLE survey_answer (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  survey TEXT NOT NULL,
  question TEXT NOT NULL,
  customer_id INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  answer TEXT NOT NULL,
  comment TEXT,
  at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (message_id, survey, question)
) STRICT;
CREATE INDEX survey_answer_customer ON survey_answer (customer_id);

-- The reward ledger: every movement is a line, none is ever changed.
CREATE TABLE reward_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL,
  reward TEXT NOT NULL,
  rule TEXT NOT NULL,
  period TEXT NOT NULL,
  kind TEXT NOT NULL,                -- grant, activate, spend, expire, reverse
  points INTEGER NOT NULL DEFAULT 0,
  cost INTEGER NOT NULL DEFAULT 0,
  currency TEXT,
  coupon TEXT,
  message_id INTEGER,
  event_id INTEGER,
  entry_id INTEGER,                  -- the line that this one moves
  at INTEGER NOT NULL,
  expires_at INTEGER,
  UNIQUE (customer_id, rule, period, kind)
) STRICT;
CREATE INDEX reward_entry_reward ON reward_entry (reward, at);

-- A running process that sends.
CREATE TABLE node (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  stopped_at INTEGER,
  recovered_at INTEGER
) STRICT;

-- How much each relay has sent in a day: a quota survives a restart.
CREATE TABLE relay_day (
  relay TEXT NOT NULL,
  day TEXT NOT NULL,
  sent INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (relay, day)
) STRICT;

-- How far each reader of the log has come.
CREATE TABLE cursor (
  name TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT;

-- Who changed what by hand.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT
) STRICT;

-- What has to survive a restore, in the order in which it became visible: the engine's keeper copies it into a file
-- outside the database. A line names the row that says more; an erasure, whose row says nothing any more, its hashes.
CREATE TABLE journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,                -- withdrawal, suppression, erasure, undone
  subject INTEGER NOT NULL,          -- of consent, suppression, customer, consent
  data TEXT,
  at INTEGER NOT NULL
) STRICT;
