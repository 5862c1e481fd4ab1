//! A check as one test of a user's own crate.

use super::{CheckError, CheckOptions, check, find_mends};
use crate::design::{Design, DesignError};
use crate::verdict::{Outcome, Verdicts};
use std::fmt;
use std::path::Path;
use std::time::Instant;

/// A design that cannot be read, or not be checked. Debugging it shows what is wrong with the lines
/// that it is about, for that is what a test prints that returns it.
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It cannot be read.
    #[error(transparent)]
    Design(#[from] DesignError),
    /// It cannot be explored.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl fmt::Debug for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileError::Design(error) => write!(f, "\n{}", error.rendered(false)),
            FileError::Check(error) => write!(f, "{error}"),
        }
    }
}

/// Judges every guarantee of the design in a file. Where it does not keep what it requires, changes
/// that would mend it are looked for, too.
///
/// ```no_run
/// #[test]
/// fn payments_are_booked_once() -> Result<(), semel::check::FileError> {
///     semel::check_file("semel.toml")?.assert();
///     Ok(())
/// }
/// ```
pub fn check_file(file: impl AsRef<Path>) -> Result<Verdicts, FileError> {
    let started = Instant::now();
    let options = CheckOptions::default();
    let design = Design::read(file.as_ref())?;
    let mut verdicts = check(&design, &options)?;
    if verdicts.outcome() == Outcome::NotAsAsked {
        find_mends(&design, &mut verdicts, &options, started);
    }
    Ok(verdicts)
}

impl Verdicts {
    /// Fails the test that calls it unless all that the design requires or expects is so, and prints
    /// the verdicts with their shortest runs.
    ///
    /// # Panics
    /// When something is not as required or expected, when a limit left it undecided, or when the
    /// design asks for nothing.
    #[track_caller]
    pub fn assert(&self) {
        let why = match self.outcome() {
            Outcome::AsAsked if self.asks() => return,
            Outcome::AsAsked => {
                "the design asks for nothing: name guarantees in `require`, or verdicts in [expect]"
            }
            Outcome::NotAsAsked => "not every guarantee is as the design asks for",
            Outcome::Undecided => "a limit was met before all was decided",
        };
        panic!("{}: {why}\n\n{self}", self.file());
    }
}
