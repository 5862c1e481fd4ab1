//! A connection that semel knows nothing of.

use std::path::Path;

/// A client of the database.
pub enum Client {
    Sqlite(rusqlite::Connection),
    #[cfg(feature = "postgres")]
    Postgres(Box<postgres::Client>),
}

/// Why a statement failed, as its database names it.
#[derive(Debug, PartialEq, Eq)]
pub enum Failure {
    /// A row with the same unique key is there.
    Conflict,
    Other(String),
}

impl Client {
    pub fn sqlite(file: &Path) -> Client {
        Client::Sqlite(rusqlite::Connection::open(file).expect("it can be opened"))
    }

    /// A client that sees the tables of `schema`.
    #[cfg(feature = "postgres")]
    pub fn postgres(schema: &str) -> Client {
        let url = crate::databases::postgres().expect("it is skipped otherwise");
        let mut client = postgres::Client::connect(&url, postgres::NoTls).expect("it is there");
        let see = client.batch_execute(&format!("SET search_path = {schema}"));
        see.expect("it can be set");
        Client::Postgres(Box::new(client))
    }

    /// The rows of a query of whole numbers.
    pub fn rows(&mut self, query: &str) -> Vec<Vec<Option<i64>>> {
        match self {
            Client::Sqlite(connection) => {
                let mut statement = connection.prepare(query).expect("it can be read");
                let columns = statement.column_count();
                let row = |row: &rusqlite::Row<'_>| (0..columns).map(|at| row.get(at)).collect();
                let rows = statement.query_map([], row).expect("it can be read");
                rows.collect::<Result<_, _>>().expect("numbers")
            }
            #[cfg(feature = "postgres")]
            Client::Postgres(client) => {
                // One round trip: the queries are many.
                let answer = client.simple_query(query).expect("it can be read");
                let number = |text: &str| text.parse().expect("a number");
                let values = |message| match message {
                    postgres::SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|at| row.get(at).map(number)).collect())
                    }
                    _ => None,
                };
                answer.into_iter().filter_map(values).collect()
            }
        }
    }

    /// Runs statements.
    pub fn run(&mut self, statements: &str) -> Result<(), Failure> {
        match self {
            Client::Sqlite(connection) => {
                let done = connection.execute_batch(statements);
                done.map_err(|error| match error.sqlite_error() {
                    Some(it) if it.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE => {
                        Failure::Conflict
                    }
                    _ => Failure::Other(error.to_string()),
                })
            }
            #[cfg(feature = "postgres")]
            Client::Postgres(client) => {
                let done = client.batch_execute(statements);
                done.map_err(|error| match error.code() {
                    Some(code) if *code == postgres::error::SqlState::UNIQUE_VIOLATION => {
                        Failure::Conflict
                    }
                    _ => Failure::Other(error.to_string()),
                })
            }
        }
    }
}
