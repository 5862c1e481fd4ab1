//! What the user implements, and the one face that it has to the harness.

use super::error::BoxError;
use super::kafka::{Kafka, Message};
use crate::lab::RecordId;
use std::path::Path;

/// What a service says that says nothing of its effects.
pub(super) const NO_EFFECTS: &str = "the service does not say which records had their effect: implement \
     effects(..), or take them from the output topic with .output_topic()";

/// Your consumer, over your code and your storage.
///
/// ```
/// use semel::harness::{BoxError, Kafka, RecordId, Service};
/// use std::fs::OpenOptions;
/// use std::io::Write;
/// use std::path::Path;
///
/// /// Appends each record's identity to a file, then commits.
/// struct Journal;
///
/// impl Service for Journal {
///     fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
///         loop {
///             let records = kafka.poll()?;
///             if records.is_empty() {
///                 return Ok(());
///             }
///             for record in &records {
///                 let mut options = OpenOptions::new();
///                 let mut journal = options.create(true).append(true).open(dir.join("journal"))?;
///                 journal.write_all(&[record.id.0 as u8])?;
///                 kafka.point_of("written", record)?;
///                 kafka.commit_record(record)?;
///             }
///         }
///     }
///
///     fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
///         let bytes = std::fs::read(dir.join("journal")).unwrap_or_default();
///         Ok(bytes.iter().map(|byte| RecordId(u64::from(*byte))).collect())
///     }
/// }
///
/// semel::harness(Journal).records(1..=2).check(&[semel::Guarantee::NoLoss]);
/// ```
pub trait Service: Send + Sync + 'static {
    /// One life of the process: opens the storage in `dir`, and handles records until a poll
    /// returns none. Every start of the process is a call of this function: what it keeps in `self`
    /// would survive a crash, so it keeps nothing there.
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError>;

    /// Which records had their effect, in that order; one that had it twice is there twice. Read
    /// from the storage in `dir`, which may not have been opened yet. Not asked for where the effects are
    /// results in the [output topic](super::Harness::output_topic).
    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let _ = dir;
        Err(NO_EFFECTS.into())
    }
}

/// Your producer: what it has to send is in your own storage, as the rows of an outbox are.
///
/// Effects are what the topic holds in the end.
pub trait Producer: Send + Sync + 'static {
    /// Puts `messages` into the storage in `dir`, before the first start.
    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), BoxError>;

    /// One life of the process: opens the storage in `dir`, and returns when there is nothing left
    /// to send.
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError>;
}

/// Where the records are before the first start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// In the topic; effects are in the service's storage.
    Consumer,
    /// In the service's storage; effects are in the output topic.
    Producer,
}

/// A service or a producer.
pub(super) trait Subject: Send + Sync + 'static {
    fn side(&self) -> Side;
    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), BoxError>;
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError>;
    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError>;
}

pub(super) struct Consuming<S>(pub(super) S);

impl<S: Service> Subject for Consuming<S> {
    fn side(&self) -> Side {
        Side::Consumer
    }

    fn prepare(&self, _: &Path, _: &[Message]) -> Result<(), BoxError> {
        Ok(())
    }

    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        self.0.run(dir, kafka)
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        self.0.effects(dir)
    }
}

pub(super) struct Producing<S>(pub(super) S);

impl<S: Producer> Subject for Producing<S> {
    fn side(&self) -> Side {
        Side::Producer
    }

    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), BoxError> {
        self.0.prepare(dir, messages)
    }

    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        self.0.run(dir, kafka)
    }

    /// They are in the topic.
    fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
        Ok(Vec::new())
    }
}
