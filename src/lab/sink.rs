//! The sink in a real database: SQLite, in one file, or with the feature `postgres` PostgreSQL, in a
//! schema of its own. The statements are the same.
//!
//! **What is real.** Transactions, their roll-back, and what a crash leaves of them; a unique
//! conflict, which the database finds; guards and fences, which are conditions of the statements that
//! write. Nothing is checked here that the database could check.
//!
//! **Between two writers.** SQLite lets one transaction write at a time, and tells the second one so.
//! PostgreSQL runs both, read committed: a look-up does not see what the other has not committed, and
//! does not wait for it; an insert of its unique key and a conditional write wait for its end.
//!
//! **What is not.** The provider of an external effect and a dedup store apart are tables of the
//! same database: no design has their writes in a database transaction, so each of them is a
//! transaction of its own, as it would be elsewhere.

mod connection;
mod database;
mod error;
#[cfg(feature = "postgres")]
mod postgres;
mod schema;
mod sqlite;
mod statements;
#[cfg(test)]
mod tests;

pub(super) use connection::{Using, small};
pub use database::Database;
pub use error::SinkError;
#[cfg(feature = "postgres")]
pub use postgres::{PostgresError, PostgresFailure};
pub(super) use statements::Contents;

use super::words::{ProducerEpoch, ProducerId};
use connection::Connection;
use semel_models::ledger::Ledger;
use semel_models::limits::Limits;
use semel_models::offset::NextOffset;
use semel_models::pipeline::Pipeline;
use semel_models::store::{NotDone, Over, Performed, Store, Write};

/// Whether a commit waits until the disk has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// `PRAGMA synchronous = FULL`.
    Full,
    /// `PRAGMA synchronous = OFF`: the process may die, the machine may not.
    Off,
}

/// A connection to the sink in a [`Database`]: what one process has of it.
///
/// Dropping it in the middle of a transaction is a crash: of the transaction nothing remains.
#[derive(Debug)]
pub struct SqlSink {
    connection: Box<dyn Connection>,
}

/// A transaction that is prepared: under which producer id and epoch its commit is to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prepared {
    pub(super) producer: ProducerId,
    pub(super) epoch: ProducerEpoch,
}

/// What came of the statements of one step.
type Step<T> = Result<T, NotDone<SinkError>>;

impl SqlSink {
    fn over(connection: impl Connection + 'static) -> SqlSink {
        SqlSink {
            connection: Box::new(connection),
        }
    }

    /// What is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn contents(&self) -> Result<Contents, SinkError> {
        statements::contents(self.to("read what is stored"))
    }

    /// The dedup store forgets its oldest entry.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_oldest(&mut self) -> Result<(), SinkError> {
        statements::forget_oldest(self.to("forget the oldest dedup key"))
    }

    /// The database says which transaction of a transactional id is prepared, or that none is.
    pub(super) fn prepare(&mut self, id: u16, prepared: Option<Prepared>) -> Result<(), SinkError> {
        statements::prepare(self.to("say what is prepared"), id, prepared)
    }

    /// Which transaction of a transactional id the database says is prepared.
    pub(super) fn prepared(&self, id: u16) -> Result<Option<Prepared>, SinkError> {
        let prepared = statements::prepared(self.to("read what is prepared"))?;
        let own = prepared.into_iter().find(|(own, _)| *own == id);
        Ok(own.map(|(_, prepared)| prepared))
    }

    fn to(&self, doing: &'static str) -> Using<'_> {
        Using::new(&*self.connection, doing)
    }

    /// Runs the statements of one step: as a part of the transaction that is open, or as one of
    /// their own. A step that is refused or fails writes nothing; where a transaction is open,
    /// whoever began it rolls it back.
    fn step<T>(
        &mut self,
        doing: &'static str,
        statements: impl FnOnce(Using<'_>) -> Step<T>,
    ) -> Step<T> {
        let using = self.to(doing);
        if using.in_transaction() {
            return statements(using);
        }
        using.begin()?;
        let done = statements(using);
        match &done {
            Ok(_) => using.commit()?,
            Err(NotDone::Refused) => using.roll_back()?,
            Err(NotDone::Failed(_)) => {
                // The failure says more than what may fail after it.
                let _ = using.roll_back();
            }
        }
        done
    }
}

impl Store for SqlSink {
    type Error = SinkError;
    /// The connection knows its transaction.
    type Begun = ();

    fn begin(&mut self) -> Result<(), SinkError> {
        self.to("begin a transaction").begin()
    }

    fn commit(&mut self, (): ()) -> Result<(), SinkError> {
        self.to("commit a transaction").commit()
    }

    fn roll_back(&mut self, (): ()) -> Result<(), SinkError> {
        self.to("roll a transaction back").roll_back()
    }

    fn knows(&self, key: u16) -> Result<bool, SinkError> {
        statements::knows(self.to("look a dedup key up"), key)
    }

    fn insert(
        &mut self,
        key: u16,
        fenced: Option<u16>,
        pipeline: &Pipeline,
        _: &Limits,
    ) -> Result<bool, NotDone<SinkError>> {
        self.step("insert a dedup key", |using| {
            statements::check_fence(using, fenced)?;
            Ok(statements::insert(using, key, &pipeline.sink)?)
        })
    }

    fn perform(
        &mut self,
        write: Write,
        pipeline: &Pipeline,
        _: &Ledger,
    ) -> Result<Performed, NotDone<SinkError>> {
        let fenced = pipeline.sink.fencing.then_some(write.generation);
        self.step("perform an effect", |using| {
            statements::check_fence(using, fenced)?;
            Ok(statements::perform(using, write, pipeline)?)
        })
    }

    fn saved(&self) -> Result<Option<NextOffset>, SinkError> {
        statements::saved(self.to("read the saved offset"))
    }

    fn save(
        &mut self,
        next: NextOffset,
        over: Over,
        fenced: Option<u16>,
    ) -> Result<(), NotDone<SinkError>> {
        self.step("save an offset", |using| {
            statements::check_fence(using, fenced)?;
            statements::save(using, next, over)
        })
    }

    fn fence(&mut self, generation: u16) -> Result<(), SinkError> {
        statements::fence(self.to("tell a new generation"), generation)
    }
}
