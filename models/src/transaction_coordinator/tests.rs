use super::*;
use CoordinatorAnswer::{
    ConcurrentTransactions, Done, InvalidTransactionState, ProducerFenced, TransactionAbortable,
};

const ONE: TransactionRules = TransactionRules {
    version: TransactionVersion::One,
    ..TransactionRules::CURRENT
};
const TWO: TransactionRules = TransactionRules::CURRENT;

/// An id that was initialised once and has a transaction open.
fn open(rules: &TransactionRules) -> Transaction {
    let mut transaction = Transaction::default();
    assert_eq!(transaction.initialize(None, rules), Done);
    assert_eq!(transaction.add(0, Part::Input), Done);
    transaction
}

fn write_markers(transaction: &mut Transaction) -> Vec<(Outcome, u16)> {
    let markers: Vec<Marker> = transaction.markers().collect();
    let told = markers.iter().map(|marker| (marker.outcome, marker.epoch));
    let told = told.collect();
    for marker in markers {
        transaction.marker_is_written(marker.part);
    }
    told
}

#[test]
fn a_new_start_fences_and_aborts_what_it_finds_open_and_waits_for_it() {
    for rules in [ONE, TWO] {
        let mut transaction = open(&rules);
        assert_eq!(transaction.initialize(None, &rules), ConcurrentTransactions);
        assert_eq!(transaction.initialize(None, &rules), ConcurrentTransactions);
        assert_eq!(transaction.epoch, 1, "raised once, however often it asks");
        assert_eq!(transaction.add(0, Part::Input), ProducerFenced);
        assert_eq!(write_markers(&mut transaction), [(Outcome::Abort, 1)]);
        assert_eq!(transaction.initialize(None, &rules), Done);
        assert_eq!((transaction.phase, transaction.epoch), (Phase::Empty, 2));
    }
}

#[test]
fn a_client_that_has_its_own_transaction_aborted_is_given_an_epoch_by_brokers_of_2_5_only() {
    for (knows, answer) in [(true, Done), (false, ProducerFenced)] {
        let rules = TransactionRules {
            fenced_epoch_is_known: knows,
            ..ONE
        };
        let mut transaction = open(&rules);
        let asks = |transaction: &mut Transaction| transaction.initialize(Some(0), &rules);
        assert_eq!(asks(&mut transaction), ConcurrentTransactions);
        assert_eq!(write_markers(&mut transaction), [(Outcome::Abort, 1)]);
        assert_eq!(asks(&mut transaction), answer);
        assert_eq!(transaction.epoch, 1, "the one that fenced it");
    }
}

#[test]
fn a_repeat_of_an_expected_epoch_is_recognised_until_someone_else_starts() {
    let mut transaction = Transaction::default();
    transaction.initialize(None, &ONE);
    assert_eq!(transaction.initialize(Some(0), &ONE), Done);
    assert_eq!(transaction.initialize(Some(0), &ONE), Done);
    assert_eq!(transaction.epoch, 1, "the second was a repeat");
    assert_eq!(transaction.initialize(None, &ONE), Done);
    assert_eq!(transaction.initialize(Some(1), &ONE), ProducerFenced);
    let before_2_5 = TransactionRules {
        epoch_can_be_expected: false,
        ..ONE
    };
    assert_eq!(transaction.initialize(Some(1), &before_2_5), Done);
}

#[test]
fn under_version_1_an_end_keeps_the_epoch_and_is_repeated_by_its_state() {
    let mut transaction = open(&ONE);
    let version = ONE.version;
    assert_eq!(transaction.end(0, Outcome::Commit, version), Done);
    assert_eq!(
        transaction.end(0, Outcome::Commit, version),
        ConcurrentTransactions
    );
    assert_eq!(transaction.add(0, Part::Input), ConcurrentTransactions);
    assert_eq!(write_markers(&mut transaction), [(Outcome::Commit, 0)]);
    assert_eq!(transaction.end(0, Outcome::Commit, version), Done);
    assert_eq!(
        transaction.end(0, Outcome::Abort, version),
        InvalidTransactionState
    );
    assert_eq!(transaction.add(0, Part::Input), Done);
    assert_eq!(
        transaction.end(0, Outcome::Abort, version),
        Done,
        "a delayed end of the last transaction ends the next one"
    );
}

#[test]
fn under_version_2_a_delayed_end_does_not_end_the_next_transaction() {
    let mut transaction = open(&TWO);
    let version = TWO.version;
    assert_eq!(transaction.end(0, Outcome::Commit, version), Done);
    assert_eq!(transaction.epoch, 1);
    assert_eq!(
        transaction.end(0, Outcome::Commit, version),
        ConcurrentTransactions
    );
    assert_eq!(
        transaction.end(0, Outcome::Abort, version),
        InvalidTransactionState
    );
    assert_eq!(write_markers(&mut transaction), [(Outcome::Commit, 1)]);
    assert_eq!(transaction.end(0, Outcome::Commit, version), Done);
    assert_eq!(
        transaction.end(0, Outcome::Abort, version),
        InvalidTransactionState
    );
    assert_eq!(transaction.add(1, Part::Input), Done);
    assert_eq!(transaction.end(0, Outcome::Commit, version), ProducerFenced);
    assert_eq!(transaction.phase, Phase::Ongoing);
}

#[test]
fn only_version_2_aborts_what_nothing_was_added_to() {
    let mut transaction = Transaction::default();
    transaction.initialize(None, &ONE);
    assert_eq!(
        transaction.end(0, Outcome::Abort, ONE.version),
        InvalidTransactionState
    );
    assert_eq!(transaction.end(0, Outcome::Abort, TWO.version), Done);
    assert_eq!(transaction.epoch, 1);
    assert_eq!(transaction.phase, Phase::Complete(Outcome::Abort));
    assert_eq!(transaction.end(1, Outcome::Abort, TWO.version), Done);
    assert_eq!(transaction.epoch, 2, "that was no repeat");
    assert_eq!(
        transaction.end(2, Outcome::Commit, TWO.version),
        InvalidTransactionState
    );
}

#[test]
fn after_a_timeout_an_abort_succeeds_under_version_2_and_is_fenced_under_version_1() {
    let mut transaction = open(&ONE);
    transaction.time_out(&ONE);
    assert_eq!(write_markers(&mut transaction), [(Outcome::Abort, 1)]);
    for outcome in [Outcome::Commit, Outcome::Abort] {
        assert_eq!(transaction.end(0, outcome, ONE.version), ProducerFenced);
    }
    assert_eq!(transaction.initialize(Some(0), &ONE), ProducerFenced);

    let mut transaction = open(&TWO);
    transaction.time_out(&TWO);
    assert_eq!(write_markers(&mut transaction), [(Outcome::Abort, 1)]);
    assert_eq!(
        transaction.end(0, Outcome::Commit, TWO.version),
        InvalidTransactionState
    );
    assert_eq!(transaction.end(0, Outcome::Abort, TWO.version), Done);
    assert_eq!(transaction.epoch, 1);
}

/// What librdkafka before 1.8.2 does after a refused sequence number (#3575).
#[test]
fn a_commit_after_an_epoch_raised_in_the_middle_is_refused_unless_something_is_added_anew() {
    for (adds, answer) in [(false, InvalidTransactionState), (true, Done)] {
        let mut transaction = open(&ONE);
        assert_eq!(transaction.initialize(None, &ONE), ConcurrentTransactions);
        assert_eq!(write_markers(&mut transaction), [(Outcome::Abort, 1)]);
        assert_eq!(transaction.initialize(None, &ONE), Done);
        let epoch = transaction.epoch;
        if adds {
            assert_eq!(transaction.add(epoch, Part::Offsets), Done);
        }
        let end = transaction.end(epoch, Outcome::Commit, ONE.version);
        assert_eq!(end, answer);
    }
    // From 1.7 on it says which epoch it expects, and fences itself.
    let mut transaction = open(&ONE);
    assert_eq!(
        transaction.initialize(Some(0), &ONE),
        ConcurrentTransactions
    );
    write_markers(&mut transaction);
    assert_eq!(transaction.initialize(Some(0), &ONE), ProducerFenced);
}

#[test]
fn before_kafka_6119_a_timeout_left_the_epoch() {
    let rules = TransactionRules {
        timeout_fences: false,
        ..ONE
    };
    let mut transaction = open(&rules);
    transaction.time_out(&rules);
    assert_eq!(write_markers(&mut transaction), [(Outcome::Abort, 0)]);
    assert_eq!(transaction.add(0, Part::Output), Done);
    assert_eq!(transaction.end(0, Outcome::Commit, rules.version), Done);
}

#[test]
fn a_partition_leader_is_told_what_was_added() {
    let mut transaction = open(&ONE);
    assert_eq!(transaction.verify(0, Part::Input), Done);
    assert_eq!(transaction.verify(0, Part::Output), TransactionAbortable);
    assert_eq!(transaction.verify(1, Part::Input), ProducerFenced);
    transaction.add(0, Part::Offsets);
    transaction.end(0, Outcome::Commit, ONE.version);
    assert_eq!(transaction.verify(0, Part::Input), ConcurrentTransactions);
    transaction.marker_is_written(Part::Input);
    assert_eq!(transaction.phase, Phase::Prepared(Outcome::Commit));
    transaction.marker_is_written(Part::Offsets);
    assert_eq!(transaction.phase, Phase::Complete(Outcome::Commit));
    assert_eq!(transaction.verify(0, Part::Input), TransactionAbortable);
}
