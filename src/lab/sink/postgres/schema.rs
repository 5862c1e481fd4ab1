//! The schema of one run: created for it, and dropped after it.

use super::Postgres;
use super::error::Server;
use crate::lab::sink::SinkError;
use crate::lab::sink::connection::Connection;
use crate::lab::sink::schema::{POSTGRES, tables_of};
use semel_models::pipeline::SinkSettings;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A schema with the sink's tables.
#[derive(Debug)]
pub(in crate::lab::sink) struct Schema {
    name: String,
    /// The connection that belongs to no process of the run.
    control: Postgres,
    server: Rc<Server>,
}

impl Schema {
    pub(in crate::lab::sink) fn create(
        url: &str,
        settings: &SinkSettings,
    ) -> Result<Rc<Schema>, SinkError> {
        let name = new_name();
        let server = Rc::new(Server::at(url, &name)?);
        let control = Postgres::open(&server)?;
        // One round trip, and one transaction: it is there with its tables, or it is not there.
        let tables = tables_of(settings, &POSTGRES);
        control.change(
            "create a schema",
            &format!("BEGIN; CREATE SCHEMA {name}; {tables} COMMIT"),
        )?;
        Ok(Rc::new(Schema {
            name,
            control,
            server,
        }))
    }

    pub(in crate::lab::sink) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::lab::sink) fn control(&self) -> &Postgres {
        &self.control
    }

    pub(super) fn server(&self) -> &Rc<Server> {
        &self.server
    }

    /// Waits until the server has ended this process of its own, and the transaction with it.
    fn wait_for_the_end_of(&self, backend: i64) -> Result<(), SinkError> {
        let alive = "SELECT pid::bigint FROM pg_stat_activity WHERE pid = ?1";
        let mut pause = Duration::from_micros(100);
        for _ in 0..PATIENCE {
            let rows = self
                .control
                .rows("wait for the server", alive, &[Some(backend)])?;
            if rows.is_empty() {
                return Ok(());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
        // Whoever needs its locks is told so.
        Ok(())
    }
}

/// How often it is asked whether a server process has ended: some five seconds in all.
const PATIENCE: u32 = 500;

impl Drop for Schema {
    fn drop(&mut self) {
        // A server that is gone keeps the schema; nobody is there to be told.
        let drop_it = format!("DROP SCHEMA {} CASCADE", self.name);
        let _ = self.control.change("drop the schema", &drop_it);
    }
}

/// A name that no other run has, of letters, digits and `_`.
fn new_name() -> String {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let run = RUNS.fetch_add(1, Ordering::Relaxed);
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since.map_or(0, |since| since.as_micros());
    format!("semel_{micros}_{}_{run}", std::process::id())
}

/// A connection that is being closed: dropped after it, this waits until the server has noticed.
#[derive(Debug)]
pub(super) struct Leaving {
    backend: i64,
    schema: Rc<Schema>,
}

impl Leaving {
    pub(super) fn of(backend: i64, schema: &Rc<Schema>) -> Leaving {
        Leaving {
            backend,
            schema: Rc::clone(schema),
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // A failure is met by the next statement as well.
        let _ = self.schema.wait_for_the_end_of(self.backend);
    }
}
