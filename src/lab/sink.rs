//! The sink in a real database: SQLite, in one file.
//!
//! **What is real.** Transactions, their roll-back, and what a crash leaves of them; a unique
//! conflict, which SQLite reports; guards and fences, which are conditions of the statements that
//! write. Nothing is checked here that the database could check.
//!
//! **What is not.** The provider of an external effect and a dedup store apart are tables of the
//! same file: no design has their writes in a database transaction, so each of them is a
//! transaction of its own, as it would be elsewhere.

mod error;
mod schema;
mod statements;
#[cfg(test)]
mod tests;

pub(crate) use error::At;
pub use error::SinkError;
pub(super) use statements::Contents;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use semel_models::ledger::Ledger;
use semel_models::limits::Limits;
use semel_models::offset::NextOffset;
use semel_models::pipeline::{Pipeline, SinkSettings};
use semel_models::store::{NotDone, Over, Performed, Store, Write};
use std::path::Path;

/// Whether a commit waits until the disk has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// `PRAGMA synchronous = FULL`.
    Full,
    /// `PRAGMA synchronous = OFF`: the process may die, the machine may not.
    Off,
}

/// A sink in a SQLite database.
///
/// Dropping it in the middle of a transaction is a crash: of the transaction nothing remains.
///
/// ```
/// use semel::lab::judge::{Records, Sends, judge};
/// use semel::lab::sink::{SqliteSink, Synchronous};
/// use semel_models::ledger::Ledger;
/// use semel_models::offset::Offset;
/// use semel_models::store::{Store, Write};
///
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let order = "client = 'java'\n[application]\norder = 'process -> commit'";
/// let design = semel::Design::parse("semel.toml", order.as_bytes())?;
/// let pipeline = design.pipeline();
/// let mut sink = SqliteSink::open(directory, &pipeline.sink, Synchronous::Full)?;
/// let write = Write { record: 0, offset: Offset(0), generation: 0 };
/// for _ in 0..2 {
///     sink.perform(write, pipeline, &Ledger::default()).expect("it takes place");
/// }
///
/// let sends = Sends { keys: 1, sent: Records::from([0]), ..Sends::default() };
/// assert_eq!(judge(directory, &sends)?.repeated, Records::from([0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SqliteSink {
    connection: Connection,
    at: At,
}

/// Connects to the sink that is in `directory`.
pub(crate) fn existing(directory: &Path) -> Result<(Connection, At), SinkError> {
    let at = At::directory(directory);
    // Opened for reading only, a transaction that a crash interrupted could not be rolled back.
    let connection = schema::connect(&at, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    Ok((connection, at))
}

/// What came of the statements of one step.
type Step<T> = Result<T, NotDone<rusqlite::Error>>;

impl SqliteSink {
    /// Opens the sink in `directory`, or creates it there.
    ///
    /// # Errors
    /// When the directory cannot be written, and when the file in it is no sink, or one of a
    /// design with other constraints.
    pub fn open(
        directory: &Path,
        settings: &SinkSettings,
        synchronous: Synchronous,
    ) -> Result<SqliteSink, SinkError> {
        let at = At::directory(directory);
        let connection = schema::open(&at, settings, synchronous)?;
        Ok(SqliteSink { connection, at })
    }

    /// The database's file.
    pub fn path(&self) -> &Path {
        self.at.path()
    }

    /// What is stored.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) fn contents(&self) -> Result<Contents, SinkError> {
        let contents = statements::contents(&self.connection);
        contents.map_err(|error| self.at.told("read what is stored", error))
    }

    /// The dedup store forgets its oldest entry.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_oldest(&mut self) -> Result<(), SinkError> {
        let forget = "DELETE FROM seen WHERE id = (SELECT min(id) FROM seen)";
        self.change("forget the oldest dedup key", forget)
    }

    /// Runs the statements of one step: as a part of the transaction that is open, or as one of
    /// their own. A step that is refused or fails writes nothing; where a transaction is open,
    /// whoever began it rolls it back.
    fn step<T>(
        &mut self,
        doing: &'static str,
        statements: impl FnOnce(&Connection) -> Step<T>,
    ) -> Result<T, NotDone<SinkError>> {
        let at = &self.at;
        let told = |error| at.told(doing, error);
        if !self.connection.is_autocommit() {
            return statements(&self.connection).map_err(|not_done| match not_done {
                NotDone::Refused => NotDone::Refused,
                NotDone::Failed(error) => NotDone::Failed(told(error)),
            });
        }
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new(&mut self.connection, behavior).map_err(told)?;
        match statements(&transaction) {
            Ok(value) => {
                transaction.commit().map_err(told)?;
                Ok(value)
            }
            Err(NotDone::Refused) => {
                transaction.rollback().map_err(told)?;
                Err(NotDone::Refused)
            }
            // Dropping the transaction rolls it back.
            Err(NotDone::Failed(error)) => Err(NotDone::Failed(told(error))),
        }
    }

    /// Runs statements without parameters.
    fn change(&self, doing: &'static str, statements: &str) -> Result<(), SinkError> {
        let done = self.connection.execute_batch(statements);
        done.map_err(|error| self.at.told(doing, error))
    }
}

impl Store for SqliteSink {
    type Error = SinkError;
    /// The connection knows its transaction.
    type Begun = ();

    fn begin(&mut self) -> Result<(), SinkError> {
        // Waiting to write until the first statement writes could end in a conflict between two
        // transactions that have both read.
        self.change("begin a transaction", "BEGIN IMMEDIATE")
    }

    fn commit(&mut self, (): ()) -> Result<(), SinkError> {
        let done = self.change("commit a transaction", "COMMIT");
        if done.is_err() {
            self.roll_back(())?;
        }
        done
    }

    fn roll_back(&mut self, (): ()) -> Result<(), SinkError> {
        // After some failures, a full disk for one, SQLite has rolled back by itself.
        if self.connection.is_autocommit() {
            return Ok(());
        }
        self.change("roll a transaction back", "ROLLBACK")
    }

    fn knows(&self, key: u16) -> Result<bool, SinkError> {
        let found = statements::knows(&self.connection, key);
        found.map_err(|error| self.at.told("look a dedup key up", error))
    }

    fn insert(
        &mut self,
        key: u16,
        fenced: Option<u16>,
        pipeline: &Pipeline,
        _: &Limits,
    ) -> Result<bool, NotDone<SinkError>> {
        self.step("insert a dedup key", |connection| {
            statements::check_fence(connection, fenced)?;
            Ok(statements::insert(connection, key, &pipeline.sink)?)
        })
    }

    fn perform(
        &mut self,
        write: Write,
        pipeline: &Pipeline,
        _: &Ledger,
    ) -> Result<Performed, NotDone<SinkError>> {
        let fenced = pipeline.sink.fencing.then_some(write.generation);
        self.step("perform an effect", |connection| {
            statements::check_fence(connection, fenced)?;
            Ok(statements::perform(connection, write, pipeline)?)
        })
    }

    fn saved(&self) -> Result<Option<NextOffset>, SinkError> {
        let saved = statements::saved(&self.connection);
        saved.map_err(|error| self.at.told("read the saved offset", error))
    }

    fn save(
        &mut self,
        next: NextOffset,
        over: Over,
        fenced: Option<u16>,
    ) -> Result<(), NotDone<SinkError>> {
        self.step("save an offset", |connection| {
            statements::check_fence(connection, fenced)?;
            statements::save(connection, next, over)
        })
    }

    fn fence(&mut self, generation: u16) -> Result<(), SinkError> {
        let told = statements::fence(&self.connection, generation);
        told.map_err(|error| self.at.told("tell a new generation", error))
    }
}
