//! The application's database upstream, and the relay of an outbox.
//!
//! **Modelled.** Each record is a row that a database transaction of its own inserts. Rows have
//! their ids in the order in which their transactions began, and up to two transactions are open
//! at once, so ids may become visible out of order. The relay works row by row: publish, wait for
//! the delivery report, mark; or mark, publish, wait. It finds the next row by the rows' status
//! (the first committed row that is not marked) or above the highest id that it has marked; with
//! the latter a row that commits below that id is never read.
//!
//! A failed publish leaves the row unmarked, and it is found again; where the row was marked
//! before, it is lost. `on-send-failure = "resend"` sends it again without going back to the table,
//! `"ignore"` marks it all the same. A crash ends the relay; the table survives, so whatever is not
//! marked is found again. The mark is the only record of what was sent: `on-restart` has nothing
//! to add. A relay whose client is in a fatal state (librdkafka) is started again, as
//! `rdkafka.h` demands of an application, and its next publish has a new producer id.
//!
//! **When a transaction begins** is no step of its own. With at most two open at once, a row's id
//! lies below one that committed before it exactly if the two overlapped as little as that
//! requires; any earlier beginning only makes more pairs of rows overlap, and asks less of their
//! order. So the commits alone say which rows have no defined send order
//! ([`crate::ledger::Ledger::overlaps`]).
//!
//! **The relay's read of the next row** is one step with what follows it (its publish, or its
//! mark). What happens between the two cannot change the row that was read, and only another
//! commit could change what a later read would find: that commit is the same just after the
//! publish, which does not look at the table. A crash in between is one before the read.
//!
//! **Left out.** A transaction of the application that rolls back: nobody ever saw its row, and a
//! missing id changes neither cursor. Batches of rows: a relay that publishes several before it
//! marks them repeats more of them after a crash, and none of them differently. A mark that fails:
//! its row is found again, as after a crash just before the mark.

use crate::codec::Codec;
use crate::limits::Limits;
use crate::pipeline::{OutboxCursor, OutboxOrder};
use crate::producer::{Producer, Sending};
use crate::set::Set;

/// The application's database upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Database {
    /// The records whose transaction committed.
    pub committed: Set,
    /// The rows of an outbox that the relay has marked.
    pub marked: Set,
}

impl Database {
    /// Whether the transaction of `record` committed.
    pub fn is_committed(&self, record: u16) -> bool {
        self.committed.contains(record)
    }

    /// Whether the relay has marked the row of `record`.
    pub fn is_marked(&self, record: u16) -> bool {
        self.marked.contains(record)
    }

    /// The transactions that may commit next: the two that have been open for longest.
    pub fn open(&self, records: u16) -> impl Iterator<Item = u16> + '_ {
        (0..records)
            .filter(|record| !self.is_committed(*record))
            .take(2)
    }

    /// The next row that the relay finds.
    pub fn next_row(&self, cursor: OutboxCursor, records: u16) -> Option<u16> {
        let first = match cursor {
            OutboxCursor::Status => 0,
            OutboxCursor::HighestId => self.marked.last().map_or(0, |last| last + 1),
        };
        (first..records).find(|row| self.is_committed(*row) && !self.is_marked(*row))
    }

    /// Whether this row commits below the relay's cursor: it will never be read.
    pub fn is_passed(&self, row: u16) -> bool {
        !self.is_marked(row) && self.marked.last() > Some(row)
    }

    /// Visits the fields.
    pub fn code(&mut self, codec: &mut impl Codec, limits: &Limits) {
        if limits.database {
            self.committed.code(codec, limits.records);
        }
        if limits.relay {
            self.marked.code(codec, limits.records);
        }
    }
}

/// The row that the relay holds between publishing and marking it, in either order.
pub fn row_in_hand(
    producer: &Producer,
    database: &Database,
    order: OutboxOrder,
    records: u16,
) -> Option<u16> {
    (0..records).find(|row| {
        let marked = database.is_marked(*row);
        match (order, producer.sending[usize::from(*row)]) {
            (OutboxOrder::PublishMark, Sending::Acknowledged | Sending::Failed) => !marked,
            (OutboxOrder::MarkPublish, Sending::Unsent) => marked,
            (
                OutboxOrder::PublishMark,
                Sending::Unsent | Sending::Pending | Sending::Forgotten | Sending::Aborted,
            )
            | (
                OutboxOrder::MarkPublish,
                Sending::Pending
                | Sending::Acknowledged
                | Sending::Failed
                | Sending::Forgotten
                | Sending::Aborted,
            ) => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_transactions_open_for_longest_may_commit() {
        let mut database = Database::default();
        let open = |database: &Database| database.open(4).collect::<Vec<_>>();
        assert_eq!(open(&database), [0, 1]);
        database.committed = [1].into_iter().collect();
        assert_eq!(open(&database), [0, 2]);
        database.committed = [0, 1, 3].into_iter().collect();
        assert_eq!(open(&database), [2]);
    }

    #[test]
    fn a_row_that_commits_below_the_highest_marked_id_is_not_found_by_it() {
        let database = Database {
            committed: Set::below(2),
            marked: [1].into_iter().collect(),
        };
        assert_eq!(database.next_row(OutboxCursor::Status, 2), Some(0));
        assert_eq!(database.next_row(OutboxCursor::HighestId, 2), None);
        assert!(database.is_passed(0));
    }
}
