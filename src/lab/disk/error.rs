//! What the disk refuses: what was done to which path, why it failed, and what to do.

use crate::lab::frame::Flaw;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// What was to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Create a file or a directory.
    Create,
    /// Open a file.
    Open,
    /// List a directory.
    List,
    /// Read from a file.
    Read,
    /// Write to a file.
    Write,
    /// Sync a file or a directory to the disk.
    Sync,
    /// Cut a file.
    Cut,
    /// Put a file in the place of another.
    Rename,
    /// Remove a file.
    Remove,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::Create => "create",
            Action::Open => "open",
            Action::List => "list",
            Action::Read => "read from",
            Action::Write => "write to",
            Action::Sync => "sync",
            Action::Cut => "cut",
            Action::Rename => "rename",
            Action::Remove => "remove",
        })
    }
}

/// The disk did not do what the lab needs. The lab's own faults never end in one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// No space, or no quota, is left.
    #[error(
        "cannot {action} {path}: the disk or the quota is full; \
         free space, or give the lab a directory on another disk (TMPDIR)"
    )]
    Full {
        /// What was to be done.
        action: Action,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file system is read-only, or the user has no right to do it.
    #[error(
        "cannot {action} {path}: the directory is read-only or not this user's; \
         give the lab a directory that it may write to (TMPDIR)"
    )]
    Refused {
        /// What was to be done.
        action: Action,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Something else removed the file or its directory.
    #[error(
        "cannot {action} {path}: it is missing; \
         nothing but the lab may touch the lab's directory, so start the run again in a new one"
    )]
    Missing {
        /// What was to be done.
        action: Action,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A file changed after it was recovered.
    #[error(
        "cannot read from {path}: at byte {position}, {flaw}; \
         nothing but the lab may touch the lab's directory, so start the run again in a new one"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        position: u64,
        /// What is wrong there.
        flaw: Flaw,
    },
    /// Anything else.
    #[error(
        "cannot {action} {path}: {source}; mend that, or give the lab another directory (TMPDIR)"
    )]
    Failed {
        /// What was to be done.
        action: Action,
        /// To what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl StorageError {
    /// Names what failed; for `map_err`.
    pub(crate) fn at(action: Action, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageError::Full {
                action,
                path,
                source,
            },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                StorageError::Refused {
                    action,
                    path,
                    source,
                }
            }
            io::ErrorKind::NotFound => StorageError::Missing {
                action,
                path,
                source,
            },
            // The kinds are the standard library's and may grow.
            _ => StorageError::Failed {
                action,
                path,
                source,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: io::ErrorKind) -> String {
        StorageError::at(Action::Write, Path::new("lab/0.log"))(kind.into()).to_string()
    }

    #[test]
    fn an_error_says_what_failed_why_and_what_to_do() {
        assert_eq!(
            told(io::ErrorKind::StorageFull),
            "cannot write to lab/0.log: the disk or the quota is full; \
             free space, or give the lab a directory on another disk (TMPDIR)"
        );
        assert_eq!(
            told(io::ErrorKind::ReadOnlyFilesystem),
            "cannot write to lab/0.log: the directory is read-only or not this user's; \
             give the lab a directory that it may write to (TMPDIR)"
        );
        assert_eq!(
            told(io::ErrorKind::NotFound),
            "cannot write to lab/0.log: it is missing; nothing but the lab may touch the lab's \
             directory, so start the run again in a new one"
        );
        assert_eq!(
            told(io::ErrorKind::Interrupted),
            "cannot write to lab/0.log: operation interrupted; \
             mend that, or give the lab another directory (TMPDIR)"
        );
    }
}
