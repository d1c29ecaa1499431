//! A real Postfix between us and the recipient: what it rewrites breaks no signature.
