//! What Jepsen's checker of Kafka would call what a run shows.
//!
//! The names and their meaning are those of `jepsen.tests.kafka`. It sees what clients see: values
//! that were acknowledged, and the offsets at which values were polled; of the output topic, which of
//! its reader's values were aborted. An effect that a consumer
//! repeats after a crash is therefore no anomaly of the log, and has no name there.

use super::tell::Run;
use semel_models::action::{Action, ConsumerStep};
use semel_models::broker::Standing;
use semel_models::cluster::{Cluster, State};
use semel_models::pipeline::{Assignment, Source};
use semel_models::producer::Sending;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// An anomaly that Jepsen's checker of Kafka tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Anomaly {
    /// One value at more than one offset.
    Duplicate,
    /// An acknowledged value below what was read, which nobody ever read.
    LostWrite,
    /// An acknowledged value that nobody has read by the end.
    Unseen,
    /// Two values at one offset.
    InconsistentOffsets,
    /// A value that was read although its transaction was aborted.
    #[serde(rename = "G1a")]
    AbortedRead,
    /// A process polled past values that it had not read.
    PollSkip,
    /// A process polled a lower offset than before.
    NonmonotonicPoll,
    /// A process sent two values, and the later one has the lower offset.
    NonmonotonicSend,
}

impl Anomaly {
    /// Jepsen's name.
    pub fn name(self) -> &'static str {
        match self {
            Anomaly::Duplicate => "duplicate",
            Anomaly::LostWrite => "lost-write",
            Anomaly::Unseen => "unseen",
            Anomaly::InconsistentOffsets => "inconsistent-offsets",
            Anomaly::AbortedRead => "G1a",
            Anomaly::PollSkip => "poll-skip",
            Anomaly::NonmonotonicPoll => "nonmonotonic-poll",
            Anomaly::NonmonotonicSend => "nonmonotonic-send",
        }
    }
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The anomalies that a run shows, in the order of [`Anomaly`].
pub(super) fn anomalies(cluster: &Cluster, run: &Run) -> Vec<Anomaly> {
    let mut found = in_first(cluster, run);
    // Jepsen looks at each partition by itself.
    if cluster.limits().second_partition {
        let turned = |(action, after): &(Action, State)| {
            let action = match *action {
                Action::Consumer {
                    who,
                    does: ConsumerStep::PollOther(count),
                } => Action::Consumer {
                    who,
                    does: ConsumerStep::Poll(count),
                },
                Action::Consumer {
                    who,
                    does: ConsumerStep::Poll(count),
                } => Action::Consumer {
                    who,
                    does: ConsumerStep::PollOther(count),
                },
                action => action,
            };
            (action, after.turned())
        };
        let steps = run.steps.iter().map(turned).collect();
        found.extend(in_first(cluster, &run.with(steps)));
    }
    found.into_iter().collect()
}

/// The anomalies that the first partition shows.
fn in_first(cluster: &Cluster, run: &Run) -> BTreeSet<Anomaly> {
    let mut seen = Seen::default();
    seen.look_at(&run.start);
    let mut before = &run.start;
    for (action, after) in &run.steps {
        if let Action::Consumer {
            who,
            does: ConsumerStep::Poll(_) | ConsumerStep::PollBoth(_),
        } = *action
        {
            seen.poll(cluster, before, after, who);
        }
        seen.results(before, after);
        seen.forget_dead(before, after);
        seen.look_at(after);
        before = after;
    }
    seen.judge(cluster, before)
}

/// What clients have seen so far.
#[derive(Default)]
struct Seen {
    /// Which values were ever to be read at an offset.
    at: BTreeMap<u16, BTreeSet<u16>>,
    /// The values that were polled, each with its offsets.
    polled: BTreeMap<u16, BTreeSet<u16>>,
    /// Where each running process read on after its last poll.
    next: BTreeMap<u16, u16>,
    /// What polls showed.
    found: BTreeSet<Anomaly>,
}

impl Seen {
    fn look_at(&mut self, state: &State) {
        for offset in state.broker.log_start()..state.broker.log_end() {
            if let Some(record) = value(state, offset) {
                self.at.entry(offset).or_default().insert(record);
            }
        }
    }

    fn poll(&mut self, cluster: &Cluster, before: &State, after: &State, who: u16) {
        let position = |state: &State| {
            let [first, _] = state.positions(who);
            first.map_or(0, |position| position.next.0)
        };
        let (first, next) = (position(before), position(after));
        match self.next.insert(who, next) {
            Some(expected) if first > expected => {
                self.found.insert(Anomaly::PollSkip);
            }
            Some(expected) if first < expected => {
                self.found.insert(Anomaly::NonmonotonicPoll);
            }
            Some(_) | None => {}
        }
        let isolation = cluster.pipeline().isolation();
        let shown = (first..next).filter(|offset| before.broker.shows(*offset, isolation));
        for offset in shown {
            if let Some(record) = value(before, offset) {
                self.polled.entry(record).or_default().insert(offset);
            }
        }
    }

    /// A result that the reader of the output topic took, and whose transaction aborts in this step.
    fn results(&mut self, before: &State, after: &State) {
        let (Some(before), Some(after)) = (&before.output, &after.output) else {
            return;
        };
        let aborted = |record: u16| {
            before.is_in_doubt(record)
                && !after.is_in_doubt(record)
                && !after.made_good.contains(record)
        };
        if before.read_early.iter().any(|early| aborted(early.record)) {
            self.found.insert(Anomaly::AbortedRead);
        }
    }

    /// Jepsen compares the polls of one process; a restart is another one.
    fn forget_dead(&mut self, before: &State, after: &State) {
        for (who, consumer) in after.consumers.iter().enumerate() {
            if before.consumers[who].is_running() && !consumer.is_running() {
                self.next.remove(&(who as u16));
            }
        }
    }

    fn judge(mut self, cluster: &Cluster, end: &State) -> BTreeSet<Anomaly> {
        let mut found = std::mem::take(&mut self.found);
        if cluster.pipeline().group.assignment == Assignment::Subscribe {
            // A rebalance may do both: Jepsen allows them there.
            found.remove(&Anomaly::PollSkip);
            found.remove(&Anomaly::NonmonotonicPoll);
        }
        if self.at.values().any(|values| values.len() > 1) {
            found.insert(Anomaly::InconsistentOffsets);
        }
        let records = 0..cluster.pipeline().bounds.records;
        // Before the end, what was not read may still be.
        let ends = cluster.is_quiescent(end);
        let offsets = |record: u16| -> Vec<u16> {
            let log = end.broker.log_start()..end.broker.log_end();
            log.filter(|offset| value(end, *offset) == Some(record))
                .collect()
        };
        let highest = self.polled.values().flatten().max().copied();
        let mut last = None;
        for record in records {
            let now = offsets(record);
            let ever = self.at.iter();
            let ever = ever.filter(|(_, values)| values.contains(&record));
            let ever: Vec<u16> = ever.map(|(offset, _)| *offset).collect();
            let polled = self.polled.get(&record);
            if now.len() > 1 || polled.is_some_and(|offsets| offsets.len() > 1) {
                found.insert(Anomaly::Duplicate);
            }
            let acknowledged = end.producer.sending[usize::from(record)] == Sending::Acknowledged;
            let is_below = |offset: &u16| highest.is_some_and(|highest| *offset <= highest);
            // Of two partitions, the one in which it lay says whether it was read.
            let lay = !ever.is_empty() || !cluster.limits().second_partition;
            if ends && acknowledged && polled.is_none() && lay {
                found.insert(match ever.last() {
                    Some(offset) if is_below(offset) => Anomaly::LostWrite,
                    Some(_) | None => Anomaly::Unseen,
                });
            }
            if polled.is_some() && end.ledger.is_aborted(record) && aborts_in_kafka(cluster) {
                found.insert(Anomaly::AbortedRead);
            }
            let told = acknowledged || polled.is_some();
            let first = now.first().copied().filter(|_| told);
            if first < last && first.is_some() {
                found.insert(Anomaly::NonmonotonicSend);
            }
            last = first.or(last);
        }
        found
    }
}

/// The value at an offset; a marker has none.
fn value(state: &State, offset: u16) -> Option<u16> {
    let is_marker = state.broker.standing(offset) == Standing::Marker;
    (!is_marker).then(|| state.broker.log[usize::from(offset)].record)
}

/// Whether it is a Kafka transaction that aborts, not one of a database.
fn aborts_in_kafka(cluster: &Cluster) -> bool {
    match cluster.pipeline().producer.source {
        Source::Transaction { .. } => true,
        Source::Memory | Source::Outbox { .. } | Source::DualWrite(_) => false,
    }
}
