//! What the service sees as an error, and what stops the harness without a verdict.

use crate::lab::StorageError;
use rusqlite::ErrorCode;
use semel_models::guarantee::Guarantee;
use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

/// Any error of your own code. `?` makes one of every error type, `anyhow::Error` among them.
pub type BoxError = Box<dyn StdError>;

/// What a call to [`Kafka`](super::Kafka) may end in.
///
/// [`Crashed`](KafkaError::Crashed) is the end of the process: pass it up with `?` and do nothing
/// more. The others are what Kafka's clients report, and your code may handle them as it does
/// there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// The process died. Every later call of this start returns the same and does nothing.
    #[error("the process died here; pass this error up and do nothing more")]
    Crashed,
    /// The commit was refused: the partition belongs to another member (Java's
    /// `CommitFailedException`). The next poll joins the group again; a transaction that the offsets
    /// were sent to can only be aborted.
    #[error("the commit was refused: the partition belongs to another member of the group")]
    CommitFailed,
    /// The producer is fenced (Java's `ProducerFencedException`): another one has its transactional id
    /// by now, or the coordinator has ended its transaction. It can only be closed; a new start of the
    /// process goes on.
    #[error(
        "the producer is fenced: another one has its transactional id, or its transaction was ended"
    )]
    Fenced,
    /// The transaction has failed, and can only be aborted (Java's `InvalidProducerEpochException`, and
    /// the `KafkaException` of every call that follows).
    #[error("the transaction has failed, and can only be aborted")]
    MustAbort,
    /// The call does not fit where the producer stands (Java's `IllegalStateException`): the transactional
    /// id is initialised once, sends come between the begin and the end of a transaction, and after a
    /// commit or an abort that timed out nothing comes but the same call.
    #[error("the call does not fit where the producer's transaction stands")]
    IllegalState,
    /// No answer came in time. Whether the request took effect is not known.
    #[error("no answer came in time; whether the request took effect is not known")]
    TimedOut,
}

/// Why there is no verdict.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk did not do what the harness needs.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// No directory for a run could be made, or it could not be used.
    #[error(
        "cannot use the directory {path} for a run: {source}; free space there, or give the \
         harness another directory (TMPDIR, or .directory(..))"
    )]
    Directory {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk does not do what the service needs.
    #[error(
        "the service met a disk that is full or read-only: {message}; free space, or give the \
         harness another directory (TMPDIR, or .directory(..))"
    )]
    Disk {
        /// The service's error.
        message: String,
    },
    /// The service ends in an error of its own although nothing went wrong.
    #[error("the service fails although nothing went wrong:\n{story}\n  => {message}")]
    Service {
        /// The run until then.
        story: String,
        /// The service's error.
        message: String,
    },
    /// The service went on after it had died.
    #[error(
        "the service went on after its process had died:\n{story}\n  => {what}.\n\
         KafkaError::Crashed stands for kill -9: pass it up with '?' and do nothing more, \
         or use .in_child_process(), where the process really dies."
    )]
    Swallowed {
        /// The run until then.
        story: String,
        /// What it did.
        what: String,
    },
    /// The same schedule led to other calls.
    #[error(
        "the service is not deterministic: under the schedule '{schedule}' call {step} was {expected} \
         before, and is {met} now. Take clocks, random numbers, threads and what earlier runs left \
         outside of the directory out of what decides its calls."
    )]
    Nondeterministic {
        /// The schedule.
        schedule: String,
        /// At which call.
        step: u32,
        /// What was called there before.
        expected: String,
        /// What is called now.
        met: String,
    },
    /// The same schedule led to other effects.
    #[error(
        "the service is not deterministic: the schedule '{schedule}' led to these effects: {first}; and \
         when it was run again to these: {second}. Take clocks, random numbers, threads and what earlier \
         runs left outside of the directory out of what decides its effects."
    )]
    OtherEffects {
        /// The schedule.
        schedule: String,
        /// The effects in one run.
        first: String,
        /// The effects in another.
        second: String,
    },
    /// A schedule from outside cannot be read, or does not fit this service.
    #[error("SEMEL_SCHEDULE='{schedule}': {problem}")]
    Schedule {
        /// The schedule.
        schedule: String,
        /// What is wrong.
        problem: String,
    },
    /// The effects could not be read after a run.
    #[error("the effects cannot be read after the run:\n{story}\n  => {message}")]
    Effects {
        /// The run.
        story: String,
        /// The service's error.
        message: String,
    },
    /// A guarantee cannot be judged from what the service reports.
    #[error("{guarantee} cannot be judged: {reason}")]
    CannotJudge {
        /// Which one.
        guarantee: Guarantee,
        /// Why.
        reason: &'static str,
    },
    /// The harness was told something that cannot be.
    #[error("{0}")]
    Settings(String),
    /// The child process did something else than to run the service and end.
    #[error("the child process that runs the service {what}")]
    Child {
        /// What it did.
        what: String,
    },
}

/// Whether an error of the service, or what it stems from, is a disk that is full or read-only.
pub(super) fn is_of_the_disk(error: &(dyn StdError + 'static)) -> bool {
    let of_io = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::StorageFull
                | io::ErrorKind::QuotaExceeded
                | io::ErrorKind::ReadOnlyFilesystem
        )
    };
    let of_sqlite = |error: &rusqlite::Error| {
        let code = error.sqlite_error_code();
        matches!(code, Some(ErrorCode::DiskFull | ErrorCode::ReadOnly))
    };
    let is = |error: &(dyn StdError + 'static)| {
        error.downcast_ref().is_some_and(of_io) || error.downcast_ref().is_some_and(of_sqlite)
    };
    let mut next = Some(error);
    while let Some(error) = next {
        if is(error) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether `dir` can still be written to: an error of the service may come from a full disk, and
/// that is no verdict.
pub(super) fn probe(dir: &Path) -> Result<(), Error> {
    let path = dir.join("probe");
    std::fs::write(&path, [0; 1 << 16])
        .and_then(|()| std::fs::remove_file(&path))
        .map_err(|source| Error::Directory {
            path: dir.to_owned(),
            source,
        })
}
