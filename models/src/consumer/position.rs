//! Where a consumer reads: starting points, and positions that are no longer valid.

use super::Consumer;
use crate::broker::Broker;
use crate::group_coordinator::GroupCoordinator;
use crate::offset::{NextOffset, Position};
use crate::pipeline::{Client, OffsetReset, Pipeline};
use crate::sink::Sink;

/// Where a consumer would read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// At this valid position.
    At(Position),
    /// Nowhere: the position is invalid and the policy is `none`.
    Nowhere,
}

impl Consumer {
    /// Where a consumer would read that gets the partition now.
    pub fn starting_point(
        pipeline: &Pipeline,
        broker: &Broker,
        group: &GroupCoordinator,
        sink: &Sink,
    ) -> Location {
        let saved = sink.saved.filter(|_| pipeline.consumer.seek_on_assign);
        let stored = saved.map(Position::bare).or(group.committed);
        Consumer::start_in(stored, pipeline, broker)
    }

    /// Where a consumer would read that gets a partition in which this is committed.
    pub fn start_in(committed: Option<Position>, pipeline: &Pipeline, broker: &Broker) -> Location {
        match committed {
            Some(position) => locate(position, pipeline, broker),
            None => reset(pipeline, broker),
        }
    }

    /// Where the next poll reads, if the position is no longer valid; `None` if it is.
    pub fn relocation(&self, pipeline: &Pipeline, broker: &Broker) -> Option<Location> {
        let here = self.position();
        let there = locate(here, pipeline, broker);
        (there != Location::At(here)).then_some(there)
    }
}

/// Where reading goes on from `position`.
fn locate(position: Position, pipeline: &Pipeline, broker: &Broker) -> Location {
    if position.next.0 < broker.log_start() {
        return reset(pipeline, broker);
    }
    let epoch = position.leader_epoch;
    if let Some(epoch) = epoch.filter(|_| pipeline.rules.truncation_noticed) {
        if epoch > broker.leader_epoch {
            // An epoch that this log does not know yet is answered UNDEFINED_EPOCH.
            return reset(pipeline, broker);
        }
        let end = broker.end_of_epoch(epoch);
        if position.next.0 > end {
            return match pipeline.consumer.offset_reset {
                OffsetReset::Earliest | OffsetReset::Latest => Location::At(Position {
                    next: NextOffset(end),
                    leader_epoch: Some(epoch_before(end, broker)),
                }),
                OffsetReset::None => Location::Nowhere,
            };
        }
    }
    if position.next.0 > broker.log_end() {
        reset(pipeline, broker)
    } else {
        Location::At(position)
    }
}

/// Where `auto.offset.reset` leads.
fn reset(pipeline: &Pipeline, broker: &Broker) -> Location {
    let next = match pipeline.consumer.offset_reset {
        OffsetReset::Earliest => broker.log_start(),
        OffsetReset::Latest => broker.readable_end(pipeline.isolation()),
        OffsetReset::None => return Location::Nowhere,
    };
    // The Java client's position after a reset carries no leader epoch
    // (`OffsetFetcherUtils.resetPositionIfNeeded`).
    let leader_epoch = match pipeline.client {
        Client::Java => None,
        Client::Librdkafka => Some(epoch_before(next, broker)),
    };
    Location::At(Position {
        next: NextOffset(next),
        leader_epoch,
    })
}

/// The position at the end of what can be read.
pub(super) fn end(broker: &Broker, pipeline: &Pipeline) -> Position {
    let next = broker.readable_end(pipeline.isolation());
    Position {
        next: NextOffset(next),
        leader_epoch: Some(epoch_before(next, broker)),
    }
}

fn epoch_before(next: u16, broker: &Broker) -> u16 {
    let before = usize::from(next).checked_sub(1);
    before
        .and_then(|offset| broker.log.get(offset))
        .map_or(0, |entry| entry.leader_epoch)
}
