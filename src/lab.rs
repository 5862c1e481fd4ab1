//! The lab: what a design does, done with bytes on a disk.
//!
//! The partition's [`Log`]s, the group's [`OffsetLog`] and the coordinator's [`TransactionLog`] are files
//! of a directory that the caller gives; the [sink] is a SQLite database there, or PostgreSQL, whose
//! rows a [judge] counts. A [`Run`] takes a whole design through its steps over them, as a [`Schedule`]
//! picks them.
//!
//! **Two kinds of crash.** The broker's process can die: what it wrote is in the page cache, and
//! nothing of it is lost ([`Log::kill`]). The machine can lose its power: what was not synced is
//! lost, in part or as a whole, and the last write is torn at any byte ([`Log::lose_power`]).
//! Either way the log is opened again with [`Log::open`], which finds the first frame that is not
//! as it was written and cuts there. The same holds when the process that runs the lab is killed:
//! no file is changed but by an append, a cut at its end, a rename or a removal, in an order that
//! recovers from every prefix.
//!
//! **Left out.** Timestamps, compression, headers, batches of several records, index files and tiered
//! storage.
//!
//! ```
//! use semel::lab::{Log, LogSettings, Offset, Produced, Record, Remains, Tear};
//!
//! let dir = tempfile::tempdir()?;
//! let settings = LogSettings { flush_messages: Some(2), ..LogSettings::default() };
//! let (mut log, _) = Log::open(dir.path(), settings.clone(), &Remains::default())?;
//! for id in 0..3 {
//!     assert_eq!(log.append(None, &Record::bare(id))?, Produced::Appended(Offset(id)));
//! }
//! assert_eq!(log.recovery_point(), Offset(2));
//!
//! // The third batch was not synced: one byte of it is missing after the power came back.
//! let remains = log.lose_power(|unsynced| Tear::keeping(unsynced - 1))?;
//! let (log, recovery) = Log::open(dir.path(), settings, &remains)?;
//! assert_eq!(log.log_end(), Offset(2));
//! assert_eq!(recovery.cut.expect("a torn tail").at, Offset(2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod coverage;
mod disk;
mod fields;
mod frame;
pub mod judge;
mod log;
mod offsets;
mod results;
mod rig;
pub mod run;
mod schedule;
pub mod sink;
mod topic;
mod transaction_log;
mod words;

pub use coverage::Coverage;
pub use disk::{Action, StorageError, Sync, Tear};
pub use frame::Flaw;
pub use log::{
    Batch, Cut, Fetched, Log, LogSettings, Produced, REMEMBERED_BATCHES, Record, Recovery, Remains,
};
pub use offsets::{Commit, OffsetLog, OffsetsCut};
pub use run::{Deviation, LabError, Remnant, Run};
pub use schedule::{Blow, Schedule};
pub use semel_models::broker::EntryKind;
pub(crate) use topic::{Replicas, Topic};
pub use transaction_log::{TransactionLog, TransactionalId};
pub use words::{
    Generation, LeaderEpoch, NextOffset, Offset, Position, ProducerEpoch, ProducerId, RecordId,
    Sequence, Stamp,
};
