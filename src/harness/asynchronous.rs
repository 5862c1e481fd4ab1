//! Consumers written with async, on Tokio's current-thread runtime.
//!
//! Every start has a runtime of its own, which is dropped when it ends: tasks that the service
//! spawned end with it. An instance that stands still keeps its thread, and the one that takes over
//! runs on another.

use super::builder::Harness;
use super::error::{BoxError, KafkaError};
use super::kafka::{Kafka, Message, Record};
use super::service::{NO_EFFECTS, Side, Subject};
use crate::lab::{NextOffset, RecordId};
use std::path::Path;
use std::sync::Arc;

/// Your consumer, written with async: [`Service`](super::Service) in its async form.
///
/// ```
/// use semel::harness::{AsyncKafka, AsyncService, BoxError, RecordId, harness_async};
/// use std::path::Path;
///
/// struct Journal;
///
/// impl AsyncService for Journal {
///     async fn run(&self, dir: &Path, kafka: AsyncKafka) -> Result<(), BoxError> {
///         loop {
///             let records = kafka.poll().await?;
///             if records.is_empty() {
///                 return Ok(());
///             }
///             for record in &records {
///                 std::fs::write(dir.join(record.id.0.to_string()), "")?;
///                 kafka.point_of("written", record).await?;
///                 kafka.commit_record(record).await?;
///             }
///         }
///     }
///
///     fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
///         let names = std::fs::read_dir(dir)?.map(|file| Ok(file?.file_name()));
///         let names = names.collect::<Result<Vec<_>, std::io::Error>>()?;
///         let ids = names.iter().filter_map(|name| name.to_str()?.parse().ok());
///         Ok(ids.map(RecordId).collect())
///     }
/// }
///
/// harness_async(Journal)
///     .unordered_effects()
///     .records(1..=2)
///     .check(&[semel::Guarantee::ExactlyOnceEffect]);
/// ```
pub trait AsyncService: Send + Sync + 'static {
    /// One life of the process; see [`Service::run`](super::Service::run).
    fn run(&self, dir: &Path, kafka: AsyncKafka) -> impl Future<Output = Result<(), BoxError>>;

    /// Which records had their effect; see [`Service::effects`](super::Service::effects).
    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let _ = dir;
        Err(NO_EFFECTS.into())
    }
}

/// A check of your async consumer.
pub fn harness_async(service: impl AsyncService) -> Harness {
    Harness::of(Arc::new(Awaiting(service)))
}

/// [`Kafka`], whose calls are awaited: other tasks of the service get their turn before each.
#[derive(Clone, Debug)]
pub struct AsyncKafka(Kafka);

macro_rules! awaited {
    ($($name:ident($($argument:ident: $type:ty),*) -> $output:ty;)*) => {
        impl AsyncKafka {
            $(
                #[doc = concat!("See [`Kafka::", stringify!($name), "`].")]
                pub async fn $name(&self, $($argument: $type),*) -> Result<$output, KafkaError> {
                    tokio::task::yield_now().await;
                    self.0.$name($($argument),*)
                }
            )*
        }
    };
}

awaited! {
    poll() -> Vec<Record>;
    commit() -> ();
    commit_record(record: &Record) -> ();
    commit_offset(next: NextOffset) -> ();
    commit_async() -> ();
    point(name: &str) -> ();
    point_of(name: &str, record: &Record) -> ();
    point_in_transaction(name: &str, record: &Record) -> ();
    send(message: &Message) -> ();
    init_transactions(transactional_id: &str) -> ();
    begin_transaction() -> ();
    send_offsets(next: impl Into<NextOffset>) -> ();
    commit_transaction() -> ();
    abort_transaction() -> ();
}

impl AsyncKafka {
    /// See [`Kafka::instance`].
    pub fn instance(&self) -> usize {
        self.0.instance()
    }

    /// See [`Kafka::seek`].
    pub fn seek(&self, record: &Record) {
        self.0.seek(record);
    }

    /// See [`Kafka::on_assign`].
    pub fn on_assign(&self, callback: impl FnMut() -> Option<NextOffset> + Send + 'static) {
        self.0.on_assign(callback);
    }
}

struct Awaiting<S>(S);

impl<S: AsyncService> Subject for Awaiting<S> {
    fn side(&self) -> Side {
        Side::Consumer
    }

    fn prepare(&self, _: &Path, _: &[Message]) -> Result<(), BoxError> {
        Ok(())
    }

    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.0.run(dir, AsyncKafka(kafka)))
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        self.0.effects(dir)
    }
}
