//! What is on the disk of a run, wherever it was broken off.

use super::{LabError, SEGMENT_BYTES, sqlite};
use crate::lab::disk::Sync;
use crate::lab::judge::{Records, Sends, judge};
use crate::lab::rig::{LogOf, Rig, Side};
use crate::lab::sink::Prepared;
use crate::lab::words::{ProducerEpoch, ProducerId};
use semel_models::pipeline::Pipeline;
use std::path::Path;

/// What the files and the database of a run hold once they are recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remnant {
    /// The records in the log of the first partition's first replica, from its start to its end.
    pub log: Vec<u16>,
    /// The records in the log of the second partition; `None`: there is none.
    pub second_log: Option<Vec<u16>>,
    /// The offset that the group has committed in each partition.
    pub committed: [Option<u64>; 2],
    /// Records without an effect.
    pub without_effect: Records,
    /// Records with several effects.
    pub repeated: Records,
    /// The keys in the dedup store.
    pub seen: Vec<u16>,
    /// The offset that is saved beside the effects.
    pub saved: Option<u16>,
    /// Of each transactional id what the database says is prepared.
    pub prepared: Vec<(u16, ProducerId, ProducerEpoch)>,
}

impl Remnant {
    /// Opens what a run of `pipeline` left in `directory`, whether it came to its end or its process
    /// was killed: torn tails are cut, a transaction under way is rolled back.
    ///
    /// # Errors
    /// When the files cannot be read or recovered.
    pub fn recover(directory: &Path, pipeline: &Pipeline) -> Result<Remnant, LabError> {
        let sync = Sync::Simulated;
        let database = sqlite(directory, pipeline, sync);
        let mut rig = Rig::open(directory, pipeline, sync, SEGMENT_BYTES, database.clone())?;
        let log = records(&rig, LogOf::Replica(Side::Input, 0))?;
        let second = rig.second().map(|_| records(&rig, LogOf::Second));
        let second_log = second.transpose()?;
        let contents = rig.sink(0).contents()?;
        let committed = rig.committed().map(|position| Some(position?.next.0));
        drop(rig);
        let sends = Sends {
            keys: pipeline.bounds.keys,
            confirmed: (0..pipeline.bounds.records).collect(),
            ..Sends::default()
        };
        let judgement = judge(&database, &sends)?;
        Ok(Remnant {
            log,
            second_log,
            committed,
            without_effect: judgement.lost,
            repeated: judgement.repeated,
            seen: contents.seen,
            saved: contents.saved,
            prepared: contents.prepared.into_iter().map(told).collect(),
        })
    }
}

/// The records in a log.
fn records(rig: &Rig, of: LogOf) -> Result<Vec<u16>, LabError> {
    let (start, end) = (rig.log_of(of).log_start(), rig.log_of(of).log_end());
    let fetched = rig.fetch(of, start.0 as u16, u16::MAX, end)?;
    Ok(fetched.into_iter().map(|polled| polled.record).collect())
}

fn told((id, prepared): (u16, Prepared)) -> (u16, ProducerId, ProducerEpoch) {
    (id, prepared.producer, prepared.epoch)
}
