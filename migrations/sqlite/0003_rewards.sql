-- The ledger of rewards. The laid table was never filled.
DROP TABLE reward_entry;

-- What is live: the definition as it was launched. Saving a file changes nothing here.
CREATE TABLE reward (
  name TEXT PRIMARY KEY,
  kind TEXT NOT NULL,                -- points, coupon, perk
  definition TEXT NOT NULL,          -- the file's text
  hash TEXT NOT NULL,
  currency TEXT NOT NULL,            -- of all costs
  live_since INTEGER NOT NULL,       -- orders from then on earn
  updated_at INTEGER NOT NULL
) STRICT;

-- Its tiers, where conditions can read them: by what was earned within so many milliseconds.
CREATE TABLE reward_tier (
  reward TEXT NOT NULL,
  name TEXT NOT NULL,
  from_points INTEGER NOT NULL,
  within_ms INTEGER NOT NULL,
  PRIMARY KEY (reward, name)
) STRICT;

-- A grant, and where its points stand now. granted = pending + active + spent + expired + reversed, always. Only active
-- can be negative: points of an order that was refunded after they were spent. A coupon or a perk is one point.
CREATE TABLE reward_lot (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL,
  reward TEXT NOT NULL,
  rule TEXT NOT NULL,                -- what granted it; `earn:NAME` for orders
  period TEXT NOT NULL,              -- once in this; `order:ID` for orders
  granted INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  active INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  reversed INTEGER NOT NULL,
  moves INTEGER NOT NULL,            -- how many lines it has
  unit INTEGER NOT NULL,             -- what one point of it costs, in minor units
  budget TEXT NOT NULL,              -- the period of the budget that it is charged to
  rate INTEGER,                      -- for orders: millionths of the amount
  order_id INTEGER,                  -- the order event
  message_id INTEGER,                -- the mail that carries it
  coupon TEXT,
  granted_at INTEGER NOT NULL,
  expires_at INTEGER,
  confirm_at INTEGER,                -- when a pending order counts as confirmed
  UNIQUE (customer_id, rule, period),
  CHECK (granted = pending + active + spent + expired + reversed),
  CHECK (pending >= 0 AND spent >= 0 AND expired >= 0 AND reversed >= 0)
) STRICT;
CREATE INDEX reward_lot_open ON reward_lot (customer_id, reward) WHERE pending <> 0 OR active <> 0;
CREATE INDEX reward_lot_granted ON reward_lot (customer_id, reward, granted_at);
CREATE INDEX reward_lot_due ON reward_lot (expires_at) WHERE pending > 0 OR active > 0;
CREATE INDEX reward_lot_confirm ON reward_lot (confirm_at) WHERE pending > 0;
CREATE INDEX reward_lot_message ON reward_lot (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX reward_lot_waiting ON reward_lot (id) WHERE pending > 0 AND message_id IS NOT NULL;
CREATE INDEX reward_lot_order ON reward_lot (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX reward_lot_rule ON reward_lot (rule);

-- The ledger: every movement is a line, none is ever changed. Each line balances by itself.
CREATE TABLE reward_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  customer_id INTEGER NOT NULL,
  reward TEXT NOT NULL,
  lot_id INTEGER NOT NULL,
  kind TEXT NOT NULL,                -- grant, activate, spend, expire, reverse, cover
  granted INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  active INTEGER NOT NULL,
  spent INTEGER NOT NULL,
  expired INTEGER NOT NULL,
  reversed INTEGER NOT NULL,
  cost INTEGER NOT NULL,             -- what it takes from the budget; negative: gives back
  budget TEXT NOT NULL,
  redemption_id INTEGER,
  at INTEGER NOT NULL,
  CHECK (granted = pending + active + spent + expired + reversed)
) STRICT;
CREATE INDEX reward_entry_customer ON reward_entry (customer_id, reward, id);
CREATE INDEX reward_entry_lot ON reward_entry (lot_id);

-- The sum of a customer's lines, kept in the transaction that writes them; its row is the account's lock.
CREATE TABLE reward_balance (
  customer_id INTEGER NOT NULL,
  reward TEXT NOT NULL,
  granted INTEGER NOT NULL DEFAULT 0,
  pending INTEGER NOT NULL DEFAULT 0,
  active INTEGER NOT NULL DEFAULT 0,
  spent INTEGER NOT NULL DEFAULT 0,
  expired INTEGER NOT NULL DEFAULT 0,
  reversed INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (customer_id, reward),
  CHECK (granted = pending + active + spent + expired + reversed)
) STRICT;

-- What was granted in a period less what of it was reversed since.
CREATE TABLE reward_budget (
  reward TEXT NOT NULL,
  period TEXT NOT NULL,              -- 2027-03, or `all`
  used INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (reward, period)
) STRICT;

-- Codes, from a pool or generated. An erased customer's is void: nobody gets it again.
CREATE TABLE reward_coupon (
  reward TEXT NOT NULL,
  code TEXT NOT NULL,
  state TEXT NOT NULL,               -- free, given, void
  lot_id INTEGER,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (reward, code)
) STRICT;
CREATE INDEX reward_coupon_free ON reward_coupon (reward, code) WHERE state = 'free';
CREATE INDEX reward_coupon_lot ON reward_coupon (lot_id) WHERE lot_id IS NOT NULL;

-- Redemptions by the shop's key, so that one is never taken twice.
CREATE TABLE reward_redemption (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  content TEXT NOT NULL,             -- a hash of what was asked for
  customer_id INTEGER NOT NULL,
  reward TEXT NOT NULL,
  points INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  balance INTEGER NOT NULL,          -- what was left: the answer that is given again
  at INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX reward_redemption_customer ON reward_redemption (customer_id, reward);
