//! From topic to topic: a consumer that sends the result of each order in a Kafka transaction.
//!
//! `cargo run --example transactions` shows what is found; `cargo test --example transactions`
//! checks it.

use semel::Guarantee::{ExactlyOnceEffect, NoLoss, NoPhantom};
use semel::harness::{BoxError, Error, Harness, Kafka, Message, Record, Report, Service};
use std::path::Path;

/// Where the offset of an order is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offsets {
    /// In the transaction of its result.
    InTransaction,
    /// With the consumer, after the transaction.
    After,
    /// With the consumer, before the transaction.
    Before,
}

/// Prices orders.
#[derive(Clone, Copy, Debug)]
struct Prices(Offsets);

impl Prices {
    fn handle(&self, kafka: &Kafka, order: &Record) -> Result<(), BoxError> {
        if self.0 == Offsets::Before {
            kafka.commit_record(order)?;
        }
        kafka.begin_transaction()?;
        kafka.send(&Message::result_of(order, "9.99 EUR"))?;
        if self.0 == Offsets::InTransaction {
            kafka.send_offsets(order)?;
        }
        kafka.commit_transaction()?;
        if self.0 == Offsets::After {
            kafka.commit_record(order)?;
        }
        Ok(())
    }
}

impl Service for Prices {
    fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
        // Each instance has an id of its own, which its next start takes again.
        kafka.init_transactions(&format!("prices-{}", kafka.instance()))?;
        loop {
            let orders = kafka.poll()?;
            if orders.is_empty() {
                return Ok(());
            }
            for order in &orders {
                // An error ends the process: its next start aborts what it left open, and reads on
                // from the committed offset.
                self.handle(&kafka, order)?;
            }
        }
    }
}

/// What is judged is the output topic.
fn prices(offsets: Offsets) -> Harness {
    semel::harness(Prices(offsets))
        .records(1..=2)
        .output_topic()
}

fn check(harness: Harness) -> Result<Report, Error> {
    harness.try_check(&[NoLoss, ExactlyOnceEffect, NoPhantom])
}

fn main() -> Result<(), Error> {
    for offsets in [Offsets::InTransaction, Offsets::After, Offsets::Before] {
        println!("offsets: {offsets:?}\n{}", check(prices(offsets))?);
    }
    let uncommitted = check(prices(Offsets::InTransaction).read_uncommitted())?;
    println!("read uncommitted\n{uncommitted}");
    Ok(())
}

#[test]
fn result_and_offset_in_one_transaction_are_exactly_once() -> Result<(), Error> {
    use semel::harness::Situation;
    let report = check(prices(Offsets::InTransaction))?;
    assert!(report.holds(), "{report}");
    // It met what the others fail at.
    let coverage = report.coverage();
    for call in ["send", "send-offsets", "commit-transaction"] {
        assert!(coverage.point(call).crashed_before > 0, "{call}");
        assert!(coverage.point(call).crashed_after > 0, "{call}");
        assert!(coverage.point(call).other_faults > 0, "{call}");
    }
    assert!(coverage.reached(Situation::TransactionEnded) > 0);
    assert!(coverage.reached(Situation::ProducerFenced) > 0);
    assert!(coverage.reached(Situation::CommitRefused) > 0);
    assert!(coverage.reached(Situation::Redelivered) > 0);
    Ok(())
}

#[test]
fn an_offset_after_the_transaction_repeats_a_result() -> Result<(), Error> {
    let report = check(prices(Offsets::After))?;
    assert!(report.violation(NoLoss).is_none());
    let twice = report.violation(ExactlyOnceEffect).expect("a repeat");
    let calls = [
        "        The service starts.",
        "    1   The transactional id \"prices-0\" is initialised.",
        "        It joins the group and reads from offset 0 (no offset is committed).",
        "    2   A poll returns r0 (offset 0).",
        "    3   A transaction begins.",
        "    4   Send of r0: the broker appends it to the transaction.",
        "    5 ! Commit of the transaction: done; the process dies before it learns of that. [crash-after@5]",
        "        The service starts again.",
        "    6   The transactional id \"prices-0\" is initialised.",
        "        It joins the group and reads from offset 0 (no offset is committed).",
        "    7   A poll returns r0 (offset 0; its effect already took place).",
        "    8   A transaction begins.",
        "    9   Send of r0: the broker appends it to the transaction.",
        "   10   Commit of the transaction: done.",
        "   11   Commit: the group's committed offset is 1.",
        "   12   A poll returns nothing.",
    ];
    assert_eq!(twice.story, calls.join("\n"));
    assert_eq!(twice.wrong, ["r0: the effect took place twice"]);
    Ok(())
}

#[test]
fn an_offset_before_the_transaction_loses_a_result() -> Result<(), Error> {
    let report = check(prices(Offsets::Before))?;
    let lost = report.violation(NoLoss).expect("an order without a price");
    assert_eq!(lost.schedule, "records=1 crash-after@3");
    assert!(report.violation(NoPhantom).is_none());
    Ok(())
}

#[test]
fn a_reader_that_does_not_wait_for_the_commit_sees_an_aborted_result() -> Result<(), Error> {
    let report = check(prices(Offsets::InTransaction).read_uncommitted())?;
    assert!(report.violation(NoLoss).is_none());
    let twice = report.violation(ExactlyOnceEffect).expect("a repeat");
    assert_eq!(twice.schedule, "records=1 crash-after@4");
    assert!(twice.advice.contains("read_committed"), "{}", twice.advice);
    let aborted = "The transactional id \"prices-0\" is initialised; the transaction that was open is aborted.";
    assert!(twice.story.contains(aborted), "{}", twice.story);
    // With its offset committed before, nothing makes the aborted result good.
    let report = check(prices(Offsets::Before).read_uncommitted())?;
    let phantom = report.violation(NoPhantom).expect("a price of nothing");
    assert_eq!(phantom.wrong, ["r0: its only result was aborted"]);
    assert_eq!(phantom.schedule, "records=1 crash-after@5");
    Ok(())
}

/// The coordinator's log and the epochs are in files: the next process finds them.
#[cfg(unix)]
#[test]
fn result_and_offset_in_one_transaction_survive_kill_9() -> Result<(), Error> {
    let harness = prices(Offsets::InTransaction)
        .named("result_and_offset_in_one_transaction_survive_kill_9")
        .in_child_process()
        .runs(60);
    let report = check(harness)?;
    assert!(report.holds(), "{report}");
    assert!(report.coverage().point("send-offsets").crashed_after > 0);
    Ok(())
}
