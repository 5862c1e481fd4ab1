//! Why the sink's database failed, and what to do.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// A failure of the sink's database.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The directory or the file cannot be written.
    #[error(
        "{}: cannot {doing}: the file or its directory is missing or cannot be written; name a directory that exists and that this user may write to",
        path.display()
    )]
    ReadOnly {
        /// The database's file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The disk is full.
    #[error(
        "{}: cannot {doing}: the disk is full; free some space and run again, what was committed is still there",
        path.display()
    )]
    Full {
        /// The database's file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The file is no database, or a damaged one.
    #[error(
        "{}: cannot {doing}: the file is no SQLite database or a damaged one; move it away, or name an empty directory",
        path.display()
    )]
    Corrupt {
        /// The database's file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Another connection holds the database.
    #[error(
        "{}: cannot {doing}: another connection is in the middle of a transaction; end it, or name a directory of this run's own",
        path.display()
    )]
    Locked {
        /// The database's file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The database has other tables or constraints than the design asks for.
    #[error(
        "{}: the database was written for another design: its tables are of kind {found}, the design's of kind {needed}; name an empty directory",
        path.display()
    )]
    OtherDesign {
        /// The database's file.
        path: PathBuf,
        /// The kind of its tables (`PRAGMA user_version`).
        found: i64,
        /// The kind that the design needs.
        needed: i64,
    },
    /// PostgreSQL failed.
    #[cfg(feature = "postgres")]
    #[error(transparent)]
    Postgres(Box<super::PostgresError>),
    /// Anything else.
    #[error("{}: cannot {doing}: {source}; if it comes again, run in an empty directory", path.display())]
    Failed {
        /// The database's file.
        path: PathBuf,
        /// What was to be done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

/// The file in which a failure takes place.
#[derive(Clone, Debug)]
pub(crate) struct At(PathBuf);

impl At {
    /// The sink's file in `directory`.
    pub(crate) fn directory(directory: &Path) -> At {
        At(directory.join("sink.db"))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The failure to do something.
    pub(crate) fn told(&self, doing: &'static str, source: rusqlite::Error) -> SinkError {
        let path = self.0.clone();
        match source.sqlite_error_code() {
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                SinkError::ReadOnly {
                    path,
                    doing,
                    source,
                }
            }
            Some(ErrorCode::DiskFull) => SinkError::Full {
                path,
                doing,
                source,
            },
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => SinkError::Corrupt {
                path,
                doing,
                source,
            },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => SinkError::Locked {
                path,
                doing,
                source,
            },
            Some(_) | None => SinkError::Failed {
                path,
                doing,
                source,
            },
        }
    }
}
