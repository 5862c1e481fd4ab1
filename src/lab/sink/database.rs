//! Where a run's sink is.

use super::connection::Using;
#[cfg(feature = "postgres")]
use super::postgres::{Postgres, Schema};
use super::sqlite::Sqlite;
use super::{SinkError, SqlSink, Synchronous};
use semel_models::pipeline::SinkSettings;
use std::path::{Path, PathBuf};
#[cfg(feature = "postgres")]
use std::rc::Rc;

/// The database of one run, to which each of its processes has a connection of its own.
///
/// ```
/// use semel::lab::judge::{Records, Sends, judge};
/// use semel::lab::sink::{Database, Synchronous};
/// use semel_models::ledger::Ledger;
/// use semel_models::offset::Offset;
/// use semel_models::store::{Store, Write};
///
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// let order = "client = 'java'\n[application]\norder = 'process -> commit'";
/// let design = semel::Design::parse("semel.toml", order.as_bytes())?;
/// let pipeline = design.pipeline();
/// let database = Database::sqlite(directory, &pipeline.sink, Synchronous::Full);
/// let mut sink = database.connect()?;
/// let write = Write { record: 0, offset: Offset(0), generation: 0 };
/// for _ in 0..2 {
///     sink.perform(write, pipeline, &Ledger::default()).expect("it takes place");
/// }
///
/// let sends = Sends { keys: 1, sent: Records::from([0]), ..Sends::default() };
/// assert_eq!(judge(&database, &sends)?.repeated, Records::from([0]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Database(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Sqlite {
        directory: PathBuf,
        settings: SinkSettings,
        synchronous: Synchronous,
    },
    #[cfg(feature = "postgres")]
    Postgres(Rc<Schema>),
}

impl Database {
    /// A SQLite file in `directory`. The first connection creates it.
    pub fn sqlite(directory: &Path, settings: &SinkSettings, synchronous: Synchronous) -> Database {
        Database(Kind::Sqlite {
            directory: directory.to_owned(),
            settings: settings.clone(),
            synchronous,
        })
    }

    /// A new schema of the PostgreSQL database at `url`, such as
    /// `postgres://user:password@host:5432/database`. It is dropped with the last value that needs it:
    /// this one, its clones and its connections. A process that is killed leaves it there, under a
    /// name that begins with `semel_`. TLS is not supported.
    ///
    /// # Errors
    /// When the URL cannot be read, the server cannot be reached or does not let this user in, and
    /// when the user may not create a schema.
    #[cfg(feature = "postgres")]
    pub fn postgres(url: &str, settings: &SinkSettings) -> Result<Database, SinkError> {
        Ok(Database(Kind::Postgres(Schema::create(url, settings)?)))
    }

    /// The name of the run's schema, unless this is SQLite.
    #[cfg(feature = "postgres")]
    pub fn schema(&self) -> Option<&str> {
        match &self.0 {
            Kind::Sqlite { .. } => None,
            Kind::Postgres(schema) => Some(schema.name()),
        }
    }

    /// Connects to the sink.
    ///
    /// # Errors
    /// Of SQLite, when the directory cannot be written, and when the file in it is no sink, or one
    /// of a design with other constraints. Of PostgreSQL, when the server cannot be reached.
    pub fn connect(&self) -> Result<SqlSink, SinkError> {
        let connection = match &self.0 {
            Kind::Sqlite {
                directory,
                settings,
                synchronous,
            } => SqlSink::over(Sqlite::open(directory, settings, *synchronous)?),
            #[cfg(feature = "postgres")]
            Kind::Postgres(schema) => SqlSink::over(Postgres::connect(schema)?),
        };
        Ok(connection)
    }

    /// Reads what is there, and creates nothing.
    pub(in crate::lab) fn read<T>(
        &self,
        doing: &'static str,
        read: impl FnOnce(Using<'_>) -> Result<T, SinkError>,
    ) -> Result<T, SinkError> {
        match &self.0 {
            Kind::Sqlite { directory, .. } => {
                read(Using::new(&Sqlite::existing(directory)?, doing))
            }
            #[cfg(feature = "postgres")]
            Kind::Postgres(schema) => read(Using::new(schema.control(), doing)),
        }
    }
}
