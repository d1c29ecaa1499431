//! The closed list of what the two databases say differently. Everything else is one SQL text.

/// Which database is underneath.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// The embedded default.
    Sqlite,
    /// For many nodes.
    Postgres,
}

impl Dialect {
    /// At the end of a `SELECT` of rows that this transaction is to change: leaves out rows that another node is
    /// changing. SQLite has one writer and needs nothing.
    pub fn skip_locked(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// The same, but waits for the other.
    pub fn for_update(self) -> &'static str {
        match self {
            Dialect::Sqlite => "",
            Dialect::Postgres => "FOR UPDATE",
        }
    }

    /// The larger of expressions, none of them null.
    pub fn greatest(self, expressions: &[&str]) -> String {
        let name = match self {
            Dialect::Sqlite => "max",
            Dialect::Postgres => "greatest",
        };
        format!("{name}({})", expressions.join(", "))
    }

    /// A member of a JSON object kept as text, as text compared by bytes: a text as it is, a number as written, `true`
    /// or `false`; null where it is not, or is null, a list or an object. The key is the parameter `?`.
    pub fn json_text(self, column: &str) -> String {
        match self {
            // a quoted path, because a key may hold dots; a row of its own, because it is read more than once
            Dialect::Sqlite => format!(
                "(SELECT CASE json_type({column}, j.k) WHEN 'text' THEN {column} ->> j.k WHEN 'array' THEN NULL WHEN 'object' THEN NULL WHEN 'null' THEN NULL ELSE {column} -> j.k END FROM (SELECT '$.\"' || ? || '\"' AS k) AS j)"
            ),
            Dialect::Postgres => format!(
                "(SELECT CASE WHEN jsonb_typeof(j.v) NOT IN ('array', 'object') THEN (j.v #>> '{{}}') COLLATE \"C\" END FROM (SELECT ({column})::jsonb -> ?::text AS v) AS j)"
            ),
        }
    }

    /// A member of a JSON object as a number; null where it is not there or no number. The key is the parameter `?`, twice.
    pub fn json_number(self, column: &str) -> String {
        match self {
            Dialect::Sqlite => format!(
                "CASE WHEN json_type({column}, '$.\"' || ? || '\"') IN ('integer', 'real') THEN CAST(json_extract({column}, '$.\"' || ? || '\"') AS REAL) END"
            ),
            Dialect::Postgres => format!(
                "CASE WHEN jsonb_typeof(({column})::jsonb -> ?::text) = 'number' THEN (({column})::jsonb ->> ?::text)::double precision END"
            ),
        }
    }

    /// `text LIKE pattern`, ignoring the case of ASCII letters on both databases, `\` escaping.
    pub fn like(self, text: &str, pattern: &str) -> String {
        match self {
            Dialect::Sqlite => format!("{text} LIKE {pattern} ESCAPE '\\'"),
            Dialect::Postgres => {
                format!(r#"lower(({text}) COLLATE "C") LIKE lower(({pattern})::text COLLATE "C") ESCAPE '\'"#)
            }
        }
    }

    /// An integer expression as a real number.
    pub fn real(self, expression: &str) -> String {
        match self {
            Dialect::Sqlite => format!("CAST({expression} AS REAL)"),
            Dialect::Postgres => format!("({expression})::double precision"),
        }
    }

    /// The statement with its parameters as this database wants them: `?` stays on SQLite, where `$1` is quadratic, and
    /// becomes `$1` on PostgreSQL. A `?` inside quotes is left alone.
    pub(super) fn placeholders(self, sql: &str) -> std::borrow::Cow<'_, str> {
        if self == Dialect::Sqlite || !sql.contains('?') {
            return sql.into();
        }
        let mut out = String::with_capacity(sql.len() + 16);
        let mut quote = None;
        let mut n = 0;
        for c in sql.chars() {
            match (quote, c) {
                (None, '?') => {
                    n += 1;
                    out.push('$');
                    out.push_str(&n.to_string());
                    continue;
                }
                (None, '\'' | '"') => quote = Some(c),
                (Some(q), c) if q == c => quote = None,
                _ => {}
            }
            out.push(c);
        }
        out.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_mark_in_quotes_is_no_parameter() {
        let sql = "SELECT '?', \"a?\" FROM t WHERE a = ? AND b = ?";
        assert_eq!(Dialect::Postgres.placeholders(sql), "SELECT '?', \"a?\" FROM t WHERE a = $1 AND b = $2");
        assert_eq!(Dialect::Sqlite.placeholders(sql), sql);
    }
}
