//! The harness: your own consumer or producer, under every crash within a bound.
//!
//! You implement [`Service`] over your code and your storage; the harness gives it a [`Kafka`] whose
//! broker keeps the model's rules over real files, and runs it again and again, each time on a fresh
//! directory and with other things going wrong: the process dies at a poll, at a commit or at a point
//! that you named; a commit's request or answer is lost; the process stands still while another
//! instance takes over; the broker dies that leads the topic which it sends to. After the last fault it
//! is started until nothing more comes. Then the effects that your storage reports are judged, or the
//! results in the output topic ([`Harness::output_topic`]), which may be sent in
//! [transactions](Kafka::begin_transaction).
//!
//! ```
//! use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
//! use semel::harness::{BoxError, Kafka, RecordId, Service};
//! use std::path::Path;
//!
//! /// Adds up payments in a file, and commits after each.
//! struct Total;
//!
//! impl Service for Total {
//!     fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
//!         loop {
//!             let payments = kafka.poll()?;
//!             if payments.is_empty() {
//!                 return Ok(());
//!             }
//!             for payment in &payments {
//!                 let mut booked = self.effects(dir)?;
//!                 booked.push(payment.id);
//!                 let text: Vec<String> = booked.iter().map(|id| id.0.to_string()).collect();
//!                 std::fs::write(dir.join("booked"), text.join(" "))?;
//!                 kafka.point_of("booked", payment)?;
//!                 kafka.commit_record(payment)?;
//!             }
//!         }
//!     }
//!
//!     fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
//!         let text = std::fs::read_to_string(dir.join("booked")).unwrap_or_default();
//!         let ids = text.split_whitespace().map(str::parse);
//!         Ok(ids.map(|id| id.map(RecordId)).collect::<Result<_, _>>()?)
//!     }
//! }
//!
//! let report = semel::harness(Total)
//!     .records(1..=2)
//!     .crashes(0..=1)
//!     .try_check(&[NoLoss, ExactlyOnceEffect])?;
//! assert!(report.violation(NoLoss).is_none());
//! let twice = report.violation(ExactlyOnceEffect).expect("a crash repeats a payment");
//! assert_eq!(twice.schedule, "records=1 crash@2");
//! assert_eq!(twice.wrong, ["r0: the effect took place twice"]);
//! # Ok::<(), semel::harness::Error>(())
//! ```
//!
//! **A crash** reaches the service as [`KafkaError::Crashed`], which it passes up; from then on every
//! call of that start does nothing. What is dropped on the way up still runs its destructors, and a
//! buffer that is flushed when it is dropped is flushed. [`Harness::in_child_process`] spares nothing:
//! there each start is a process, which dies by SIGKILL.
//!
//! **Where it can die.** At each call, before it acts and, where it acts on the broker, after. Code
//! between two calls happens as a whole: put a [`Kafka::point`] between steps that could happen one
//! without the other.

#[cfg(feature = "tokio")]
mod asynchronous;
mod broker;
mod builder;
mod child;
mod chooser;
mod coverage;
mod error;
mod explore;
mod judge;
mod kafka;
mod life;
mod report;
mod rerun;
mod run;
mod schedule;
mod service;
mod story;
mod world;

pub use crate::lab::{NextOffset, Offset, RecordId};
#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncKafka, AsyncService, harness_async};
pub use builder::{Harness, Reset, harness, harness_producer};
pub use coverage::{Coverage, PointCoverage, Situation};
pub use error::{BoxError, Error, KafkaError};
pub use kafka::{Kafka, Message, Record};
pub use report::{Extent, Report, Violation};
pub use semel_models::pipeline::Acks;
pub use service::{Producer, Service};
