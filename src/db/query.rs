//! The calls that read: the same on a [`Db`](super::Db) and inside a [`Tx`](super::Tx).

use super::{Args, DbError, FromRow, Type, Value, dialect::Dialect};
use std::future::Future;

/// Anything that can be asked: `&Db`, or `&mut Tx`. A store function that only reads takes `&mut impl Query`.
pub trait Query: Send {
    /// Which database is underneath.
    fn dialect(&self) -> Dialect;

    /// All rows.
    fn all<R: FromRow>(&mut self, sql: &str, args: Args) -> impl Future<Output = Result<Vec<R>, DbError>> + Send;

    /// The first row, if there is one.
    fn optional<R: FromRow>(
        &mut self,
        sql: &str,
        args: Args,
    ) -> impl Future<Output = Result<Option<R>, DbError>> + Send;

    /// The one row.
    fn one<R: FromRow>(&mut self, sql: &str, args: Args) -> impl Future<Output = Result<R, DbError>> + Send {
        async {
            let row = self.optional(sql, args).await?;
            row.ok_or_else(|| DbError::Sql(sqlx::Error::RowNotFound))
        }
    }

    /// Runs `sql`, in which `{rows}` stands for `rows` as a source of rows, and gives what it returns. `rest` are the
    /// parameters of the `?` after it.
    fn all_with_rows<R: FromRow>(
        &mut self,
        sql: &str,
        rows: Rows,
        rest: Args,
    ) -> impl Future<Output = Result<Vec<R>, DbError>> + Send {
        async move {
            let (sql, args) = rows.bind(self.dialect(), sql, rest);
            if args.is_empty() {
                return Ok(Vec::new());
            }
            self.all(&sql, args).await
        }
    }
}

/// Many rows for one statement: `VALUES` on SQLite, `UNNEST` on PostgreSQL. Keep each to some 500 rows: the statement
/// is then short for the writer, and SQLite takes at most 32,766 values.
///
/// In the statement, `{rows}` is where they go:
/// `WITH input(id, name) AS ({rows}) UPDATE customer SET name = input.name FROM input WHERE customer.id = input.id`.
/// It must come before any other parameter. Where a join is sorted, write `FROM input CROSS JOIN t WHERE t.a = input.a`:
/// asked for `t`'s own order, SQLite else reads all of `t` and looks for each row among these.
#[derive(Debug, Clone)]
pub struct Rows {
    types: Vec<Type>,
    values: Vec<Value>,
    padded: bool,
}

impl Rows {
    /// No rows yet, of columns of these types.
    pub fn new(types: &[Type]) -> Rows {
        Rows { types: types.to_vec(), values: Vec::new(), padded: false }
    }

    /// A row for each of these ids.
    pub fn ids<'a>(ids: impl IntoIterator<Item = &'a i64>) -> Rows {
        Rows { types: vec![Type::Int], values: ids.into_iter().map(|id| Value::from(*id)).collect(), padded: false }
    }

    /// A row for each of these texts.
    pub fn texts<'a>(texts: impl IntoIterator<Item = &'a (impl AsRef<str> + 'a)>) -> Rows {
        let values = texts.into_iter().map(|text| Value::from(text.as_ref())).collect();
        Rows { types: vec![Type::Text], values, padded: false }
    }

    /// Adds a row.
    ///
    /// # Panics
    /// When the row has another number of columns than the types: a mistake of the programmer.
    pub fn push(&mut self, row: Args) {
        assert_eq!(row.len(), self.types.len(), "a row has as many values as there are columns");
        self.values.extend(row);
    }

    /// Adds rows of nulls up to a power of two, for a statement in which a row of nulls does nothing: each number of rows
    /// is a statement of its own for SQLite to compile and keep, and so there are only a few of them. PostgreSQL has one
    /// for all.
    #[must_use]
    pub fn padded(mut self) -> Rows {
        self.padded = true;
        self
    }

    /// Cuts `items` into pieces of `most`, a power of two, and what is left into smaller powers of two: each number of
    /// rows is a statement of its own for SQLite to compile and keep, and so there are only a few of them.
    pub fn pieces<T>(items: &[T], most: usize) -> impl Iterator<Item = &[T]> {
        let mut rest = items;
        std::iter::from_fn(move || {
            let n = most.min(1 << rest.len().checked_ilog2()?);
            let (piece, after) = rest.split_at(n);
            rest = after;
            Some(piece)
        })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.types.len().max(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The statement and its parameters; no parameters at all when there are no rows.
    pub(super) fn bind(self, dialect: Dialect, sql: &str, rest: Args) -> (String, Args) {
        if self.is_empty() {
            return (String::new(), Args::new());
        }
        let rows = self.len();
        match dialect {
            Dialect::Sqlite => {
                let rows = if self.padded { rows.next_power_of_two() } else { rows };
                let one = format!("({})", vec!["?"; self.types.len()].join(","));
                let source = format!("VALUES {}", vec![one.as_str(); rows].join(","));
                let mut args = self.values;
                args.resize(rows * self.types.len(), Value::Null(Type::Int));
                args.extend(rest);
                (sql.replace("{rows}", &source), args)
            }
            Dialect::Postgres => {
                let arrays: Vec<String> = self.types.iter().map(|t| format!("?::{}[]", t.postgres())).collect();
                let source = format!("SELECT * FROM UNNEST({})", arrays.join(","));
                let width = self.types.len();
                let mut columns: Vec<Vec<Value>> = (0..width).map(|_| Vec::with_capacity(rows)).collect();
                for (i, value) in self.values.into_iter().enumerate() {
                    columns[i % width].push(value);
                }
                let mut args: Args =
                    self.types.iter().zip(columns).map(|(kind, column)| Value::Array(*kind, column)).collect();
                args.extend(rest);
                (sql.replace("{rows}", &source), args)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_hold_everything_in_order_and_have_few_sizes() {
        let items: Vec<usize> = (0..1_335).collect();
        let pieces: Vec<&[usize]> = Rows::pieces(&items, 512).collect();
        assert_eq!(pieces.iter().map(|p| p.len()).collect::<Vec<_>>(), [512, 512, 256, 32, 16, 4, 2, 1]);
        assert_eq!(pieces.concat(), items);
        assert_eq!(Rows::pieces(&items[..0], 512).count(), 0);
    }
}
