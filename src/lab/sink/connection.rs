//! What the sink asks of a database: statements over whole numbers, in transactions.

use super::error::SinkError;
use std::fmt::Debug;

/// A value of a row or of a parameter; nothing else is stored.
pub(in crate::lab) type Value = Option<i64>;

/// A connection to a database. `doing` says in a failure what could not be done.
///
/// Statements name their parameters `?1`, `?2`, ..., in this order.
pub(in crate::lab) trait Connection: Debug {
    /// Begins a transaction.
    fn begin(&self, doing: &'static str) -> Result<(), SinkError>;

    /// Commits it; one that cannot be committed is rolled back.
    fn commit(&self, doing: &'static str) -> Result<(), SinkError>;

    /// Rolls it back.
    fn roll_back(&self, doing: &'static str) -> Result<(), SinkError>;

    /// Whether a transaction is open.
    fn in_transaction(&self) -> bool;

    /// Runs a statement; how many rows it changed.
    fn run(
        &self,
        doing: &'static str,
        statement: &'static str,
        values: &[Value],
    ) -> Result<u64, SinkError>;

    /// The rows that a query returns.
    fn rows(
        &self,
        doing: &'static str,
        query: &'static str,
        values: &[Value],
    ) -> Result<Vec<Vec<Value>>, SinkError>;
}

/// A connection, and for what it is used now.
#[derive(Clone, Copy, Debug)]
pub(in crate::lab) struct Using<'a> {
    connection: &'a dyn Connection,
    doing: &'static str,
}

impl<'a> Using<'a> {
    pub(super) fn new(connection: &'a dyn Connection, doing: &'static str) -> Using<'a> {
        Using { connection, doing }
    }

    pub(super) fn begin(self) -> Result<(), SinkError> {
        self.connection.begin(self.doing)
    }

    pub(super) fn commit(self) -> Result<(), SinkError> {
        self.connection.commit(self.doing)
    }

    pub(super) fn roll_back(self) -> Result<(), SinkError> {
        self.connection.roll_back(self.doing)
    }

    pub(super) fn in_transaction(self) -> bool {
        self.connection.in_transaction()
    }

    /// Runs a statement; how many rows it changed.
    pub(super) fn run(self, statement: &'static str, values: &[Value]) -> Result<u64, SinkError> {
        self.connection.run(self.doing, statement, values)
    }

    /// The rows of a query, each with `N` columns.
    pub(in crate::lab) fn rows<const N: usize>(
        self,
        query: &'static str,
        values: &[Value],
    ) -> Result<Vec<[Value; N]>, SinkError> {
        let rows = self.connection.rows(self.doing, query, values)?;
        let columns = |row: Vec<Value>| row.try_into().expect("as many columns as the query has");
        Ok(rows.into_iter().map(columns).collect())
    }
}

/// A number as the sink's statements write it.
pub(in crate::lab) fn small(value: Value) -> u16 {
    let small = value.and_then(|value| u16::try_from(value).ok());
    small.expect("the sink writes small numbers only")
}
