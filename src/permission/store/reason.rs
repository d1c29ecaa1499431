//! The rule of permission in SQL, for a whole audience at once. A test holds it and [`Rule::judge`] together.

use crate::args;
use crate::db::Args;
use crate::permission::Rule;
use crate::permission::rule::SOFT;

/// A piece of SQL with its parameters, in the order of their `?`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fragment {
    /// The text.
    pub sql: String,
    /// The parameters.
    pub args: Args,
}

impl Rule {
    /// The same judgement in SQL: a `CASE` over `c`, the alias of `customer`, that gives the reason's name, or null when
    /// the mail may go. It asks by `(SELECT 1 … LIMIT 1) IS NOT NULL` and not by `EXISTS`, for which PostgreSQL may gather
    /// a whole table to judge the few customers that are asked of.
    pub fn reason(&self) -> Fragment {
        let mut sql = String::from(
            "CASE WHEN c.erased_at IS NOT NULL THEN 'erased' WHEN c.email IS NULL THEN 'no address' \
             WHEN (SELECT 1 FROM suppression s WHERE s.address = c.email AND s.lifted_at IS NULL \
             AND (s.until IS NULL OR s.until > ?) LIMIT 1) IS NOT NULL THEN 'suppressed'",
        );
        let mut args = args![self.now];
        if !self.service {
            sql.push_str(
                " WHEN NOT ((SELECT 1 FROM consent_state k WHERE k.customer_id = c.id AND k.topic = ? \
                 AND k.state = 'granted' AND (k.basis IS NULL OR k.basis <> ?) LIMIT 1) IS NOT NULL",
            );
            args.extend(args![&self.topic, SOFT]);
            if let Some(since) = self.own_since {
                sql.push_str(
                    " OR ((SELECT 1 FROM purchase p WHERE p.customer_id = c.id AND p.at >= ? \
                     AND p.status NOT IN ('cancelled', 'returned') LIMIT 1) IS NOT NULL \
                     AND (SELECT 1 FROM consent_state k WHERE k.customer_id = c.id AND k.topic = ? \
                     AND k.state = 'withdrawn' LIMIT 1) IS NULL)",
                );
                args.extend(args![since, &self.topic]);
            }
            sql.push_str(") THEN 'no consent' WHEN c.paused_until > ? THEN 'paused'");
            args.extend(args![self.now]);
        }
        sql.push_str(" END");
        Fragment { sql, args }
    }
}
