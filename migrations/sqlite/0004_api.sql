-- Tokens of the API, and answers that are given again.

-- Who may use the API. The secret is in nobody's hands but theirs: here is its hash.
CREATE TABLE api_token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,              -- with commas between
  lookup TEXT NOT NULL UNIQUE,       -- the beginning of the hash, by which the row is found
  hash TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  used_on INTEGER                    -- midnight (UTC) of the last day of use
) STRICT;
CREATE UNIQUE INDEX api_token_name ON api_token (name) WHERE revoked_at IS NULL;

-- What was answered under an Idempotency-Key, for a day.
CREATE TABLE api_answer (
  token_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,             -- hash of the route and the body
  claim TEXT NOT NULL,               -- of whoever is, or was, at work on it
  at INTEGER NOT NULL,
  status INTEGER,                    -- none while somebody is at work
  answer TEXT,
  PRIMARY KEY (token_id, key)
) STRICT;
CREATE INDEX api_answer_at ON api_answer (at);
