//! Why a run could not go on.

use crate::lab::disk::StorageError;
use crate::lab::sink::SinkError;
use semel_models::limits::TooLarge;
use std::fmt::Debug;
use std::path::PathBuf;
use thiserror::Error;

/// A failure of a run in the lab.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LabError {
    /// A file of the log or of the offsets failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The sink's database failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// The directory cannot be made.
    #[error("{}: cannot create the directory: {source}; name one that this user may write to", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The design is beyond what a run can keep apart.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The disk does not do what the model says.
    #[error(transparent)]
    Deviation(#[from] Box<Deviation>),
}

/// A step after which the disk and the model differ: one of them is wrong about Kafka or about
/// the database, and that is an error of semel.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "step {step} ({action}): {what} is {real} on the disk and {model} in the model; this is an error of semel: please report it with the design and these steps"
)]
pub struct Deviation {
    /// The number of the step, from 1.
    pub step: usize,
    /// The step.
    pub action: String,
    /// What differs.
    pub what: &'static str,
    /// What the model says.
    pub model: String,
    /// What the disk says.
    pub real: String,
}

impl super::Run {
    /// Ends the run unless the disk says what the model says.
    pub(crate) fn agree<T: PartialEq + Debug>(
        &self,
        what: &'static str,
        model: T,
        real: T,
    ) -> Result<(), LabError> {
        if model == real {
            return Ok(());
        }
        Err(LabError::Deviation(Box::new(Deviation {
            step: self.taken.len(),
            action: format!("{:?}", self.taken.last()),
            what,
            model: format!("{model:?}"),
            real: format!("{real:?}"),
        })))
    }
}
