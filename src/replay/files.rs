//! A replayed run on real files and in a real database.

use super::{Ledger, Replay};
use crate::lab::{Deviation, LabError, Run, Sync};
use std::path::Path;

/// How a replayed run goes on real files and in a real database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFiles {
    /// Every step could be taken, and after each the rows came to the ledger of the model.
    Agrees,
    /// After some step the disk and the model differ.
    Deviates(Box<Deviation>),
}

/// Takes the steps of a replayed run once more, in `directory`: on the log's files, on those of the
/// group's offsets, and in the SQLite database of the sink. After each step the rows of the database
/// are counted and compared with the ledger. The files stay.
///
/// # Errors
/// When the directory cannot be written, or the disk fails otherwise.
///
/// ```
/// use semel::replay::{OnFiles, on_files, replay};
/// use semel::{CheckOptions, Design, Guarantee, check};
///
/// let design = Design::parse("counter.toml", b"
///     [consumer]
///     enable.auto.commit = false
///     auto.offset.reset = 'earliest'
///     [application]
///     order = 'process -> commit'
///     [faults]
///     consumer-crash = 1
///     [bounds]
///     records = 1
/// ")?;
/// let verdicts = check(&design, &CheckOptions::default())?;
/// let twice = verdicts.of(Guarantee::NoDuplicates).trace().expect("a crash repeats the effect");
/// let dir = tempfile::tempdir()?;
/// assert_eq!(on_files(&replay(twice)?, dir.path())?, OnFiles::Agrees);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn on_files(replay: &Replay, directory: &Path) -> Result<OnFiles, LabError> {
    match take(replay, directory) {
        Ok(()) => Ok(OnFiles::Agrees),
        Err(LabError::Deviation(deviation)) => Ok(OnFiles::Deviates(deviation)),
        Err(error) => Err(error),
    }
}

fn take(replay: &Replay, directory: &Path) -> Result<(), LabError> {
    let mut run = Run::start(directory, replay.pipeline.clone(), Sync::Simulated)?;
    for step in replay.steps() {
        run.take(step.action())?;
        run.judge()?;
        let ledger = Ledger::of(run.ledger(), &replay.pipeline);
        run.agree("the ledger", step.ledger(), &ledger)?;
    }
    Ok(())
}
