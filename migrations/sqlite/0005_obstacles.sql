-- What is in mail's way at this moment, as each sending process sees it: written by deliver, read by report.
CREATE TABLE obstacle (
  node_id INTEGER NOT NULL,
  what TEXT NOT NULL,                -- relay NAME, campaign ID
  why TEXT NOT NULL,
  since INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,          -- said again while it lasts: an old one is of a process that died
  PRIMARY KEY (node_id, what)
) STRICT;
