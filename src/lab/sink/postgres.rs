//! A connection to PostgreSQL, and the schema that a run has there.
//!
//! Transactions are read committed, PostgreSQL's default and what the order language promises.
//!
//! **A crash** drops the connection. The server notices, and rolls back; until it has, the locks of
//! the transaction are still held. So a connection is gone only when its server process is.

mod error;
mod schema;

pub use error::{PostgresError, PostgresFailure};
pub(super) use schema::Schema;

use super::connection::{Connection, Value};
use super::error::SinkError;
use error::Server;
use postgres::types::{ToSql, Type};
use postgres::{Client, NoTls, Statement};
use schema::Leaving;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// A connection to the server.
pub(super) struct Postgres {
    client: RefCell<Client>,
    prepared: RefCell<HashMap<&'static str, Statement>>,
    in_transaction: Cell<bool>,
    server: Rc<Server>,
    /// After `client`: what is closed first.
    leaving: Option<Leaving>,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("server", &self.server)
            .field("in_transaction", &self.in_transaction)
            .finish_non_exhaustive()
    }
}

impl Postgres {
    fn open(server: &Rc<Server>) -> Result<Postgres, SinkError> {
        let client = server.config().connect(NoTls);
        let client = client.map_err(|error| server.told("connect", error))?;
        Ok(Postgres {
            client: RefCell::new(client),
            prepared: RefCell::default(),
            in_transaction: Cell::new(false),
            server: Rc::clone(server),
            leaving: None,
        })
    }

    /// Connects a process to its run's schema.
    pub(super) fn connect(schema: &Rc<Schema>) -> Result<Postgres, SinkError> {
        let mut connection = Postgres::open(schema.server())?;
        let rows = connection.rows("connect", "SELECT pg_backend_pid()::bigint", &[])?;
        let backend = rows.first().and_then(|row| row[0]);
        let backend = backend.expect("each connection has a process of the server's");
        connection.leaving = Some(Leaving::of(backend, schema));
        Ok(connection)
    }

    /// Runs statements without parameters.
    fn change(&self, doing: &'static str, statements: &str) -> Result<(), SinkError> {
        let done = self.client.borrow_mut().batch_execute(statements);
        done.map_err(|error| self.server.told(doing, error))
    }

    /// The statement as the server knows it.
    fn prepare(
        &self,
        client: &mut Client,
        statement: &'static str,
        parameters: usize,
    ) -> Result<Statement, postgres::Error> {
        if let Some(known) = self.prepared.borrow().get(statement) {
            return Ok(known.clone());
        }
        let numbered = statement.replace('?', "$");
        let prepared = client.prepare_typed(&numbered, &vec![Type::INT8; parameters])?;
        let mut known = self.prepared.borrow_mut();
        Ok(known.entry(statement).or_insert(prepared).clone())
    }

    fn with<T>(
        &self,
        doing: &'static str,
        statement: &'static str,
        values: &[Value],
        run: impl FnOnce(&mut Client, &Statement, &[&(dyn ToSql + Sync)]) -> Result<T, postgres::Error>,
    ) -> Result<T, SinkError> {
        let client = &mut *self.client.borrow_mut();
        let parameters: Vec<_> = values.iter().map(|value| value as _).collect();
        let prepared = self.prepare(client, statement, values.len());
        let done = prepared.and_then(|prepared| run(client, &prepared, &parameters));
        done.map_err(|error| self.server.told(doing, error))
    }
}

impl Connection for Postgres {
    fn begin(&self, doing: &'static str) -> Result<(), SinkError> {
        self.change(doing, "BEGIN ISOLATION LEVEL READ COMMITTED")?;
        self.in_transaction.set(true);
        Ok(())
    }

    fn commit(&self, doing: &'static str) -> Result<(), SinkError> {
        // Of a transaction in which a statement failed, COMMIT alone would be a roll-back without a
        // word; any other statement is refused there.
        let done = self.change(doing, "SELECT; COMMIT");
        match done {
            Ok(()) => self.in_transaction.set(false),
            // The failure says more than what may fail after it.
            Err(_) => drop(self.roll_back(doing)),
        }
        done
    }

    fn roll_back(&self, doing: &'static str) -> Result<(), SinkError> {
        self.in_transaction.set(false);
        self.change(doing, "ROLLBACK")
    }

    fn in_transaction(&self) -> bool {
        self.in_transaction.get()
    }

    fn run(
        &self,
        doing: &'static str,
        statement: &'static str,
        values: &[Value],
    ) -> Result<u64, SinkError> {
        self.with(doing, statement, values, |client, prepared, parameters| {
            client.execute(prepared, parameters)
        })
    }

    fn rows(
        &self,
        doing: &'static str,
        query: &'static str,
        values: &[Value],
    ) -> Result<Vec<Vec<Value>>, SinkError> {
        self.with(doing, query, values, |client, prepared, parameters| {
            let rows = client.query(prepared, parameters)?;
            let values = |row: &postgres::Row| (0..row.len()).map(|at| row.try_get(at)).collect();
            rows.iter().map(values).collect()
        })
    }
}
