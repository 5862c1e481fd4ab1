use super::*;
use crate::pipeline::ReplicationSettings;

const TOPIC: TopicSettings = TopicSettings {
    replication: ReplicationSettings::ONE,
    flush_messages: None,
    flushes_internal_topics: false,
    retention: true,
    compacted: false,
    cleaned: false,
};

fn stamp(epoch: u16, sequence: u16) -> Option<Stamp> {
    Some(Stamp {
        session: 0,
        epoch,
        sequence,
    })
}

#[test]
fn a_repeat_is_a_success_without_an_append() {
    let mut broker = Broker::default();
    assert_eq!(
        broker.append(0, stamp(0, 0), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::Appended
    );
    assert_eq!(
        broker.append(0, stamp(0, 0), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::Duplicate
    );
    assert_eq!(broker.log_end(), 1);
}

#[test]
fn a_repeat_older_than_five_batches_is_out_of_order() {
    let mut broker = Broker::default();
    for sequence in 0..6 {
        broker.append(sequence, stamp(0, sequence), &TOPIC, &KafkaRules::CURRENT);
    }
    assert_eq!(
        broker.append(1, stamp(0, 1), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::Duplicate
    );
    assert_eq!(
        broker.append(0, stamp(0, 0), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::OutOfOrder
    );
}

#[test]
fn after_a_recovery_only_the_last_batch_of_a_producer_id_is_remembered() {
    let mut broker = Broker::default();
    for sequence in 0..3 {
        broker.append(sequence, stamp(0, sequence), &TOPIC, &KafkaRules::CURRENT);
    }
    broker.restart(3, Synced::AsBefore);
    let mut sent_again =
        |sequence| broker.append(sequence, stamp(0, sequence), &TOPIC, &KafkaRules::CURRENT);
    assert_eq!(sent_again(1), AppendResult::OutOfOrder);
    assert_eq!(sent_again(2), AppendResult::Duplicate);
    assert_eq!(sent_again(3), AppendResult::Appended);
    assert_eq!(
        sent_again(2),
        AppendResult::Duplicate,
        "what was recovered is remembered beside what came later"
    );
    assert_eq!(sent_again(1), AppendResult::OutOfOrder);
}

#[test]
fn an_unknown_producer_id_may_start_at_any_sequence_number() {
    let mut broker = Broker::default();
    assert_eq!(
        broker.append(1, stamp(0, 1), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::Appended
    );
    assert_eq!(
        broker.append(0, stamp(0, 0), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::OutOfOrder
    );
}

#[test]
fn a_new_epoch_starts_at_zero_and_fences_the_old_one() {
    let mut broker = Broker::default();
    broker.append(0, stamp(0, 0), &TOPIC, &KafkaRules::CURRENT);
    assert_eq!(
        broker.append(1, stamp(1, 1), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::OutOfOrder
    );
    assert_eq!(
        broker.append(1, stamp(1, 0), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::Appended
    );
    assert_eq!(
        broker.append(1, stamp(0, 1), &TOPIC, &KafkaRules::CURRENT),
        AppendResult::StaleEpoch
    );
}

#[test]
fn a_flush_interval_bounds_what_power_loss_can_take() {
    let every_second = TopicSettings {
        replication: ReplicationSettings::ONE,
        flush_messages: Some(2),
        flushes_internal_topics: false,
        retention: true,
        compacted: false,
        cleaned: false,
    };
    let mut broker = Broker::default();
    broker.append(0, None, &every_second, &KafkaRules::CURRENT);
    assert_eq!(broker.flushed, 0);
    broker.append(1, None, &every_second, &KafkaRules::CURRENT);
    assert_eq!(broker.flushed, 2);
}

#[test]
fn an_old_leader_epoch_ends_where_the_log_was_cut() {
    let mut broker = Broker::default();
    for record in 0..3 {
        broker.append(record, None, &TOPIC, &KafkaRules::CURRENT);
    }
    broker.restart(1, Synced::WhatIsLeft);
    assert_eq!(broker.end_of_epoch(0), 1);
    broker.append(2, None, &TOPIC, &KafkaRules::CURRENT);
    assert_eq!(broker.end_of_epoch(0), 1);
    assert_eq!(broker.end_of_epoch(1), 2);
    broker.restart(0, Synced::WhatIsLeft);
    assert_eq!(broker.end_of_epoch(1), 0);
}

mod transactions {
    use super::{TOPIC, stamp};
    use crate::broker::{AppendResult, Broker, NotInTransaction, Standing};
    use crate::pipeline::{Isolation, KafkaRules};
    use crate::transaction_coordinator::{
        CoordinatorAnswer, Marker, Outcome, Part, Transaction, TransactionRules, TransactionVersion,
    };

    const TWO: KafkaRules = KafkaRules::CURRENT;
    const ONE: KafkaRules = with(TransactionRules {
        version: TransactionVersion::One,
        ..TransactionRules::CURRENT
    });
    const UNVERIFIED: KafkaRules = with(TransactionRules {
        version: TransactionVersion::One,
        verifies: false,
        ..TransactionRules::CURRENT
    });

    const fn with(transactions: TransactionRules) -> KafkaRules {
        KafkaRules {
            transactions,
            ..KafkaRules::CURRENT
        }
    }

    /// A partition and the coordinator of its only transactional producer.
    struct Side {
        broker: Broker,
        transaction: Transaction,
        rules: KafkaRules,
    }

    impl Side {
        fn new(rules: KafkaRules) -> Side {
            let mut transaction = Transaction::default();
            transaction.initialize(None, &rules.transactions);
            Side {
                broker: Broker::default(),
                transaction,
                rules,
            }
        }

        fn add(&mut self, epoch: u16) {
            assert_eq!(
                self.transaction.add(epoch, Part::Input),
                CoordinatorAnswer::Done
            );
        }

        fn append(
            &mut self,
            record: u16,
            epoch: u16,
            sequence: u16,
        ) -> Result<AppendResult, NotInTransaction> {
            let stamp = stamp(epoch, sequence).expect("it has one");
            let id = (&mut self.transaction, Part::Input);
            self.broker
                .append_in_transaction(record, stamp, id, &TOPIC, &self.rules)
        }

        fn end(&mut self, epoch: u16, outcome: Outcome) {
            let version = self.rules.transactions.version;
            let answer = self.transaction.end(epoch, outcome, version);
            assert_eq!(answer, CoordinatorAnswer::Done);
            self.write_markers();
        }

        fn write_markers(&mut self) {
            for marker in self.transaction.markers().collect::<Vec<_>>() {
                let written = self.broker.append_marker(0, marker, &TOPIC, &self.rules);
                assert_eq!(written, AppendResult::Appended);
                self.transaction.marker_is_written(marker.part);
            }
        }

        fn shown(&self, isolation: Isolation) -> Vec<u16> {
            let offsets = 0..self.broker.readable_end(isolation);
            offsets
                .filter(|offset| self.broker.shows(*offset, isolation))
                .map(|offset| self.broker.log[usize::from(offset)].record)
                .collect()
        }
    }

    #[test]
    fn a_committed_reader_stops_at_the_last_stable_offset_and_skips_what_was_aborted() {
        let mut side = Side::new(TWO);
        for (epoch, outcome) in [(0, Outcome::Abort), (1, Outcome::Commit)] {
            assert_eq!(side.append(epoch, epoch, 0), Ok(AppendResult::Appended));
            side.end(epoch, outcome);
        }
        side.broker.append(2, None, &TOPIC, &TWO);
        assert_eq!(side.append(3, 2, 0), Ok(AppendResult::Appended));
        side.broker.append(4, None, &TOPIC, &TWO);
        assert_eq!(side.broker.last_stable_offset(), 5);
        assert_eq!(side.shown(Isolation::ReadCommitted), [1, 2]);
        assert_eq!(side.shown(Isolation::ReadUncommitted), [0, 1, 2, 3, 4]);
        side.end(2, Outcome::Commit);
        assert_eq!(side.shown(Isolation::ReadCommitted), [1, 2, 3, 4]);
        assert_eq!(side.broker.standing(1), Standing::Marker);
        assert_eq!(side.broker.standing(0), Standing::Ended(Outcome::Abort));
    }

    #[test]
    fn a_late_record_opens_a_transaction_that_nobody_ends_unless_it_is_verified() {
        for (rules, expected) in [
            (UNVERIFIED, Ok(AppendResult::Appended)),
            (ONE, Err(NotInTransaction::NotAdded)),
        ] {
            let mut side = Side::new(rules);
            side.add(0);
            side.end(0, Outcome::Abort);
            assert_eq!(side.append(0, 0, 0), expected);
            let hangs = expected == Ok(AppendResult::Appended);
            assert_eq!(side.broker.is_open(0), hangs);
            assert_eq!(side.broker.last_stable_offset(), 1);
            assert_eq!(side.broker.log_end(), 1 + u16::from(hangs));
        }
    }

    #[test]
    fn under_version_1_a_late_record_joins_the_next_transaction_of_its_epoch() {
        let mut side = Side::new(ONE);
        side.add(0);
        side.end(0, Outcome::Abort);
        side.add(0);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Appended));
        side.end(0, Outcome::Commit);
        assert_eq!(side.shown(Isolation::ReadCommitted), [0]);
    }

    #[test]
    fn under_version_2_a_late_record_is_refused_as_soon_as_its_transaction_has_ended() {
        let mut side = Side::new(TWO);
        side.add(0);
        side.end(0, Outcome::Abort);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::StaleEpoch));
        assert_eq!(side.append(1, 1, 0), Ok(AppendResult::Appended));
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::StaleEpoch));
    }

    #[test]
    fn a_marker_of_a_fenced_epoch_fences_the_partition() {
        let mut side = Side::new(ONE);
        side.add(0);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Appended));
        side.transaction.time_out(&ONE.transactions);
        assert_eq!(side.append(1, 0, 1), Ok(AppendResult::Appended));
        side.write_markers();
        assert_eq!(side.append(2, 0, 2), Ok(AppendResult::StaleEpoch));
        assert_eq!(side.shown(Isolation::ReadCommitted), [0; 0]);
        assert_eq!(side.broker.last_stable_offset(), side.broker.log_end());
    }

    #[test]
    fn while_the_end_is_prepared_the_next_transaction_waits() {
        let mut side = Side::new(TWO);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Appended));
        let version = TWO.transactions.version;
        side.transaction.end(0, Outcome::Commit, version);
        assert_eq!(side.append(1, 1, 0), Err(NotInTransaction::Concurrent));
        side.write_markers();
        assert_eq!(side.append(1, 1, 0), Ok(AppendResult::Appended));
    }

    #[test]
    fn under_version_1_sequence_numbers_go_on_across_a_marker_and_under_version_2_they_start_anew()
    {
        let mut side = Side::new(ONE);
        side.add(0);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Appended));
        side.end(0, Outcome::Commit);
        side.add(0);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Duplicate));
        assert_eq!(side.append(1, 0, 1), Ok(AppendResult::Appended));

        let mut side = Side::new(TWO);
        assert_eq!(side.append(0, 0, 1), Ok(AppendResult::OutOfOrder));
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Appended));
        side.end(0, Outcome::Commit);
        assert_eq!(side.append(1, 1, 1), Ok(AppendResult::OutOfOrder));
        assert_eq!(side.append(1, 1, 0), Ok(AppendResult::Appended));
    }

    #[test]
    fn a_repeated_marker_is_taken_under_version_2_unless_it_would_end_the_next_transaction() {
        let mut side = Side::new(TWO);
        assert_eq!(side.append(0, 0, 0), Ok(AppendResult::Appended));
        side.end(0, Outcome::Commit);
        let again = Marker {
            part: Part::Input,
            outcome: Outcome::Commit,
            epoch: 1,
        };
        let write = |side: &mut Side| side.broker.append_marker(0, again, &TOPIC, &TWO);
        assert_eq!(write(&mut side), AppendResult::Appended);
        assert_eq!(side.append(1, 1, 0), Ok(AppendResult::Appended));
        assert_eq!(write(&mut side), AppendResult::StaleEpoch);
    }
}
