//! Which guarantees a state violates.

use super::{Cluster, State};
use crate::broker::Broker;
use crate::consumer::{Consumer, Location};
use crate::guarantee::Guarantee;
use crate::ledger::Ledger;
use crate::partitions::OtherPartition;
use crate::partitions::reader::Reader;
use crate::pipeline::{Effect, Isolation};
use crate::subject::Observation;

/// Bit of [`Observation::counted`]: a state in which a run can end.
pub const FINAL: u32 = 1 << 0;
/// Bit of [`Observation::counted`]: a final state in which a record was reported failed.
pub const FINAL_WITH_FAILED: u32 = 1 << 1;

/// Bit of [`Observation::counted`]: a final state in which this many records are lost, at least one;
/// the last bit stands for all numbers that have none of their own.
pub const fn final_losing(records: u16) -> u32 {
    let own = (u32::BITS - 2) as u16;
    FINAL_WITH_FAILED << if records < own { records } else { own }
}

pub(super) fn observe(cluster: &Cluster, state: &State, quiescent: bool) -> Observation {
    let violated: u32 = Guarantee::ALL
        .into_iter()
        .filter(|guarantee| violates(cluster, state, *guarantee, quiescent))
        .map(Guarantee::bit)
        .sum();
    let mut counted = 0;
    if quiescent {
        counted |= FINAL;
        if !state.ledger.failed.is_empty() {
            counted |= FINAL_WITH_FAILED;
        }
        if violated & Guarantee::NoLoss.bit() != 0 {
            counted |= final_losing(lost(cluster, state));
        }
    }
    Observation {
        violated,
        reached: 0,
        counted,
        weight: cluster.budget.spent(state),
    }
}

fn violates(cluster: &Cluster, state: &State, guarantee: Guarantee, quiescent: bool) -> bool {
    let ledger = &state.ledger;
    let records = 0..cluster.pipeline.bounds.records;
    let confirmed = || {
        records
            .clone()
            .filter(|record| ledger.is_confirmed(*record))
    };
    match guarantee {
        Guarantee::NoLoss => quiescent && lost(cluster, state) > 0,
        Guarantee::NoDuplicates => records.clone().any(|record| state.times(record) > 1),
        Guarantee::ExactlyOnceEffect => quiescent && !is_exactly_once(cluster, state),
        Guarantee::InOrder => match &state.output {
            Some(output) if !output.produced.is_empty() => output.disordered,
            Some(_) | None => ledger.disordered,
        },
        Guarantee::NoPhantom => records.clone().any(|record| {
            state.times(record) > 0 && !may_have_effect(ledger, record)
                || quiescent && cluster.has_aborted_result(state, record)
        }),
        Guarantee::Progress => {
            quiescent && {
                let read_on = ReadOn::of(cluster, state);
                // Without a leader nobody reads what may well be in a log.
                let readable = cluster.is_readable(state) && cluster.output_is_readable(state);
                confirmed().any(|record| {
                    !readable && !state.ledger.is_settled(record)
                        || read_on.reaches(record)
                        || !state.is_settled(record) && cluster.output_holds(state, record)
                        || cluster.is_to_be_retried(state, record)
                })
            }
        }
    }
}

impl State {
    /// How often the record's effect took place, or one of its effects where there are two, up to two.
    pub fn times(&self, record: u16) -> u16 {
        let produced = self.output.as_ref().and_then(|output| {
            let times = output.produced.get(usize::from(record));
            times.copied()
        });
        self.ledger.handled[usize::from(record)].max(produced.unwrap_or(0))
    }

    /// Whether the record has its effect, both where there are two, or something stands for it.
    pub fn is_settled(&self, record: u16) -> bool {
        let output = self.output.as_ref();
        let has_result = output.is_none_or(|output| output.has_result(record));
        self.ledger.is_settled(record) && (has_result || self.ledger.dead_lettered.contains(record))
    }
}

impl Cluster {
    /// Whether the reader of the output topic acted on a result of the record that was aborted, and so
    /// was every other one. Until the end another one may still be committed: then the record has its
    /// effect, and has had it once too often.
    pub fn has_aborted_result(&self, state: &State, record: u16) -> bool {
        let Some(output) = state.output.as_deref().filter(|_| self.limits.reads_early) else {
            return false;
        };
        let times = match output.produced.get(usize::from(record)) {
            Some(times) => *times,
            None => state.ledger.handled[usize::from(record)],
        };
        times > 0 && !output.made_good.contains(record) && !output.is_in_doubt(record)
    }
}

/// How many records are lost in a quiescent state: confirmed, not settled, and not to be read any
/// more. On a compacted topic one does not count for which a later record of its key stands.
fn lost(cluster: &Cluster, state: &State) -> u16 {
    if !cluster.is_readable(state) || !cluster.output_is_readable(state) {
        return 0;
    }
    let read_on = ReadOn::of(cluster, state);
    let compacted = cluster.pipeline.topic.compacted;
    let counts = |record: &u16| !compacted || !is_replaced(cluster, state, *record);
    let is_lost = |record: &u16| {
        state.ledger.is_confirmed(*record)
            && !state.is_settled(*record)
            && !cluster.is_to_be_retried(state, *record)
            && !cluster.output_holds(state, *record)
            && !read_on.reaches(*record)
    };
    let lost = (0..cluster.pipeline.bounds.records)
        .filter(counts)
        .filter(is_lost);
    lost.map(|_| 1).sum()
}

/// Whether a record of the same key that was sent later is confirmed, has its effect, or can be read:
/// who relies on a compacted topic relies on a key's newest record.
fn is_replaced(cluster: &Cluster, state: &State, record: u16) -> bool {
    let bounds = &cluster.pipeline.bounds;
    let mut later = (record..bounds.records)
        .step_by(usize::from(bounds.keys))
        .skip(1);
    later.any(|later| {
        state.ledger.is_confirmed(later)
            || state.ledger.is_settled(later)
            || state
                .broker
                .holds_from(later, 0, cluster.pipeline.isolation())
    })
}

fn may_have_effect(ledger: &Ledger, record: u16) -> bool {
    ledger.sent.contains(record) && !ledger.is_aborted(record)
}

/// Where reading goes on, by partition.
struct ReadOn<'a> {
    isolation: Isolation,
    /// The logs, each with the group's position in it.
    partitions: [Option<(&'a Broker, u16)>; 2],
}

impl<'a> ReadOn<'a> {
    fn of(cluster: &Cluster, state: &'a State) -> ReadOn<'a> {
        let other = state.other.as_deref();
        let there = other.map(|other| (&other.broker, position_in_other(cluster, state, other)));
        ReadOn {
            isolation: cluster.pipeline.isolation(),
            partitions: [Some((&state.broker, group_position(cluster, state))), there],
        }
    }

    /// Whether the record may still be read.
    fn reaches(&self, record: u16) -> bool {
        let mut partitions = self.partitions.iter().flatten();
        partitions.any(|(log, position)| log.holds_from(record, *position, self.isolation))
    }
}

/// The same as [`group_position`] in the second partition.
fn position_in_other(cluster: &Cluster, state: &State, other: &OtherPartition) -> u16 {
    let reading = cluster.reading_owners(state).filter_map(|who| {
        let consumer = &state.consumers[usize::from(who)];
        let reader = &other.readers[usize::from(who)];
        match reader.in_hand {
            true => Some(consumer.first_undone(&cluster.program)),
            false => position_behind(cluster, consumer, reader),
        }
    });
    if let Some(position) = reading.min() {
        return position;
    }
    match cluster.start_in_other(other) {
        Location::At(position) => position.next.0,
        Location::Nowhere => other.committed.map_or(0, |committed| committed.next.0),
    }
}

/// Where a consumer reads on in the partition that it has nothing in hand of, or only behind what it has
/// of another.
fn position_behind(cluster: &Cluster, consumer: &Consumer, reader: &Reader) -> Option<u16> {
    let position = reader.position?;
    Some(position.0 - consumer.undone_behind(&cluster.program))
}

/// Where the group's owner reads on, or would if it ever started. A record in hand, or in a
/// worker's hands, is not below it.
fn group_position(cluster: &Cluster, state: &State) -> u16 {
    let pipeline = &cluster.pipeline;
    let reading = cluster.reading_owners(state).filter_map(|who| {
        let consumer = &state.consumers[usize::from(who)];
        match state.reader(who) {
            Some(reader) if reader.in_hand => position_behind(cluster, consumer, reader),
            Some(reader) if reader.without_first => None,
            Some(_) | None => Some(consumer.first_undone(&cluster.program)),
        }
    });
    if let Some(position) = reading.min() {
        return position;
    }
    match cluster.start_of_owner(state) {
        Location::At(position) => position.next.0,
        Location::Nowhere => state
            .sink
            .saved
            .filter(|_| pipeline.consumer.seek_on_assign)
            .or(state.group.committed.map(|committed| committed.next))
            .map_or(0, |next| next.0),
    }
}

/// Whether the sink is what applying some set of records once each, in send order per key, gives:
/// every confirmed record is in the set, and nothing that was not sent or was aborted.
fn is_exactly_once(cluster: &Cluster, state: &State) -> bool {
    let pipeline = &cluster.pipeline;
    let ledger = &state.ledger;
    let mut records = 0..pipeline.bounds.records;
    let needed =
        |record: u16| ledger.is_confirmed(record) && !ledger.dead_lettered.contains(record);
    let once = |times: u16, record: u16| {
        times <= u16::from(!ledger.is_aborted(record)) && (times == 1 || !needed(record))
    };
    let undone = |record| cluster.has_aborted_result(state, record);
    if records.clone().any(undone) || !are_results_exactly_once(state, once) {
        return false;
    }
    let effect = match pipeline.consumer.only_produces() {
        true => Effect::Topic,
        false => pipeline.sink.effect,
    };
    match effect {
        Effect::Add | Effect::External { .. } | Effect::Topic => {
            records.all(|record| once(ledger.handled[usize::from(record)], record))
        }
        // The row of a key is its last record of the set: the set may be any that ends with it.
        Effect::Upsert => records.all(|record| {
            let row = state.sink.rows[usize::from(record % pipeline.bounds.keys)];
            let may_be_last = |last: u16| last >= record || !ledger.is_before(last, record);
            row.is_none_or(|row| !ledger.is_aborted(row.record))
                && (!needed(record) || row.is_some_and(|row| may_be_last(row.record)))
        }),
    }
}

/// Whether the output topic, where it is not the only effect, holds what the sink does: the result of
/// each record of one set, once.
fn are_results_exactly_once(state: &State, once: impl Fn(u16, u16) -> bool) -> bool {
    let Some(output) = &state.output else {
        return true;
    };
    (0..).zip(output.produced.iter()).all(|(record, times)| {
        let ledger = &state.ledger;
        let of_both = (*times > 0) == ledger.is_handled(record);
        once(*times, record) && (of_both || ledger.dead_lettered.contains(record))
    })
}
