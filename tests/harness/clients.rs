//! The clients behave as Kafka's do.

use super::script::Script;
use semel::Guarantee::{ExactlyOnceEffect, NoDuplicates, NoLoss, NoPhantom};
use semel::harness::{
    BoxError, Kafka, KafkaError, Message, NextOffset, Producer, RecordId, Reset, Service, Situation,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A service that is one function, and says that nothing took effect.
struct Only<F>(F);

impl<F> Service for Only<F>
where
    F: Fn(&Path, &Kafka) -> Result<(), BoxError> + Send + Sync + 'static,
{
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        (self.0)(dir, &kafka)
    }

    fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
        Ok(Vec::new())
    }
}

/// Runs `service` once with `records` records and nothing going wrong.
fn calm(
    records: u32,
    service: impl Fn(&Path, &Kafka) -> Result<(), BoxError> + Send + Sync + 'static,
) {
    semel::harness(Only(service))
        .records(records..=records)
        .faults(0)
        .runs(1)
        .check(&[]);
}

fn offsets(kafka: &Kafka) -> Result<Vec<u64>, KafkaError> {
    Ok(kafka.poll()?.iter().map(|record| record.offset.0).collect())
}

#[test]
fn the_position_advances_by_polling_and_not_by_committing() {
    calm(2, |_, kafka| {
        assert_eq!(offsets(kafka)?, [0, 1]);
        kafka.commit_offset(NextOffset(0))?;
        assert!(offsets(kafka)?.is_empty());
        Ok(())
    });
}

#[test]
fn a_start_reads_on_from_the_last_commit_even_if_it_went_back() {
    calm(3, |dir, kafka| {
        let marker = dir.join("second");
        if marker.exists() {
            assert_eq!(offsets(kafka)?, [1, 2]);
            assert!(offsets(kafka)?.is_empty());
            return Ok(());
        }
        std::fs::write(marker, "")?;
        let records = kafka.poll()?;
        kafka.commit()?;
        kafka.commit_record(&records[0])?;
        // It has not polled to the end: it is started again.
        Ok(())
    });
}

#[test]
fn records_carry_their_keys_and_payloads() {
    let service = |_: &Path, kafka: &Kafka| -> Result<(), BoxError> {
        let keys: Vec<Vec<u8>> = kafka.poll()?.into_iter().map(|record| record.key).collect();
        assert!(keys.is_empty() || keys == [b"k0", b"k1", b"k0"]);
        assert!(kafka.poll()?.is_empty());
        Ok(())
    };
    semel::harness(Only(service))
        .records(3..=3)
        .keys(2)
        .faults(0)
        .runs(1)
        .check(&[]);
}

#[test]
fn latest_reads_nothing_that_was_sent_before_the_first_start() {
    let report = semel::harness(Script("process -> commit"))
        .auto_offset_reset(Reset::Latest)
        .records(1..=1)
        .try_check(&[NoLoss])
        .expect("a verdict");
    let lost = report.violation(NoLoss).expect("it is never delivered");
    assert_eq!(lost.schedule, "records=1");
}

#[test]
fn a_poll_returns_any_beginning_up_to_its_maximum() {
    let order = "each(process) -> commit";
    let harness = || semel::harness(Script(order)).records(3..=3).faults(0);
    let runs = |harness: semel::harness::Harness| harness.check(&[ExactlyOnceEffect]).runs();
    assert_eq!(runs(harness()), 4, "3, 2+1, 1+2, 1+1+1");
    assert_eq!(runs(harness().max_poll_records(2)), 3, "2+1, 1+2, 1+1+1");
    assert_eq!(runs(harness().max_poll_records(1)), 1);
}

#[test]
fn the_commit_of_a_zombie_is_refused_and_its_next_poll_joins_again() {
    let service = |_: &Path, kafka: &Kafka| -> Result<(), BoxError> {
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            match kafka.commit() {
                Ok(()) | Err(KafkaError::CommitFailed) => {}
                Err(error) => return Err(error.into()),
            }
        }
    };
    let report = semel::harness(Only(service))
        .records(1..=1)
        .crashes(0..=0)
        .lost_requests(0..=0)
        .lost_answers(0..=0)
        .check(&[]);
    assert_eq!(report.coverage().reached(Situation::CommitRefused), 1);
}

#[test]
fn a_member_that_joins_again_reads_on_from_the_commit_which_its_late_one_does_not_move() {
    let read_again = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read_again);
    // Where it stands still with a record in its hands, the other instance reads and commits all;
    // then its own commit, of less, is on its way while it joins again.
    let service = move |dir: &Path, kafka: &Kafka| -> Result<(), BoxError> {
        let all_is_committed = dir.join("all-is-committed");
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                std::fs::write(&all_is_committed, "")?;
                kafka.point("at the end")?;
                return Ok(());
            }
            if all_is_committed.exists() {
                counter.fetch_add(records.len(), Ordering::Relaxed);
            }
            kafka.commit_async()?;
        }
    };
    let report = semel::harness(Only(service))
        .records(2..=2)
        .max_poll_records(1)
        .faults(2)
        .lost_requests(0..=0)
        .check(&[]);
    assert!(report.coverage().reached(Situation::OwnerBeside) > 0);
    assert_eq!(read_again.load(Ordering::Relaxed), 0);
}

/// Remembers that a record has its effect until it has sent the commit, and forgets it before that
/// arrives.
struct Closing;

impl Service for Closing {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                let open = dir.join("open");
                let mut effects = std::fs::read(dir.join("effects")).unwrap_or_default();
                if !open.exists() {
                    effects.push(record.id.0 as u8);
                    // No call lies between the two: they happen as one step.
                    std::fs::write(dir.join("effects"), effects)?;
                    std::fs::write(&open, "")?;
                }
                kafka.commit_async()?;
                std::fs::remove_file(open)?;
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let ids = std::fs::read(dir.join("effects")).unwrap_or_default();
        Ok(ids.into_iter().map(|id| RecordId(u64::from(id))).collect())
    }
}

#[test]
fn a_crash_may_lose_the_commit_that_nobody_waited_for() {
    let report = semel::harness(Closing)
        .records(1..=1)
        .crashes(0..=1)
        .lost_requests(0..=0)
        .pauses(0..=0)
        .try_check(&[NoDuplicates]);
    let report = report.expect("a verdict");
    let twice = report
        .violation(NoDuplicates)
        .expect("it is delivered again");
    assert_eq!(twice.schedule, "records=1 crash-unsent@3");
}

#[test]
fn a_lost_answer_leaves_the_commit_and_a_lost_request_does_not() {
    let committed_at_the_second_start = |harness: semel::harness::Harness| {
        let report = harness.try_check(&[NoLoss]).expect("a verdict");
        report
            .violation(NoLoss)
            .map(|violation| violation.schedule.clone())
    };
    // The commit is made before the effect: only one that counts loses it.
    let harness = || {
        semel::harness(Script("commit -> process"))
            .records(1..=1)
            .crashes(0..=0)
            .pauses(0..=0)
    };
    assert_eq!(
        committed_at_the_second_start(harness().lost_requests(0..=0)).as_deref(),
        Some("records=1 lost-answer@2")
    );
    assert_eq!(
        committed_at_the_second_start(harness().lost_answers(0..=0)),
        None
    );
}

/// Keeps the offset in its own storage, together with the effect.
struct OffsetKeeper;

impl Service for OffsetKeeper {
    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let at = dir.to_owned();
        let kept = move || std::fs::read(at.join("effects")).map_or(0, |ids| ids.len() as u64);
        kafka.on_assign(move || Some(NextOffset(kept())));
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                let mut effects = std::fs::read(dir.join("effects")).unwrap_or_default();
                effects.push(record.id.0 as u8);
                // The number of effects is the offset: both are written at once.
                std::fs::write(dir.join("effects"), effects)?;
                kafka.point_of("written", record)?;
            }
        }
    }

    fn effects(&self, dir: &Path) -> Result<Vec<RecordId>, BoxError> {
        let ids = std::fs::read(dir.join("effects")).unwrap_or_default();
        Ok(ids.into_iter().map(|id| RecordId(u64::from(id))).collect())
    }
}

#[test]
fn a_service_may_seek_to_the_offset_that_it_kept() {
    let harness = || semel::harness(OffsetKeeper).records(1..=3);
    harness().pauses(0..=0).check(&[NoLoss, ExactlyOnceEffect]);
    // Nothing keeps two instances apart, as in the preset 'offsets-in-database-two-instances'.
    let report = harness()
        .crashes(0..=0)
        .try_check(&[ExactlyOnceEffect])
        .expect("a verdict");
    assert!(!report.holds());
}

/// Sends as many messages as a file says.
struct Sender {
    /// Whether it takes a timeout for a failure, and sends again; or else for a success.
    sends_again: bool,
}

impl Producer for Sender {
    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), BoxError> {
        std::fs::write(dir.join("rows"), [messages.len() as u8])?;
        Ok(())
    }

    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        let rows = std::fs::read(dir.join("rows"))?[0];
        let sent = std::fs::read(dir.join("sent")).map_or(0, |sent| sent[0]);
        for row in sent..rows {
            loop {
                match kafka.send(&Message::bare(u64::from(row))) {
                    Err(KafkaError::TimedOut) if self.sends_again => {}
                    Ok(()) | Err(KafkaError::TimedOut) => break,
                    Err(error) => return Err(error.into()),
                }
            }
            std::fs::write(dir.join("sent"), [row + 1])?;
        }
        Ok(())
    }
}

#[test]
fn idempotence_covers_what_the_client_repeats_and_not_what_the_application_does() {
    let smallest = |sends_again: bool, has_idempotence: bool| {
        let harness = semel::harness::harness_producer(Sender { sends_again });
        let harness = harness
            .records(1..=1)
            .crashes(0..=0)
            .pauses(0..=0)
            .lost_requests(0..=0);
        let harness = match has_idempotence {
            true => harness,
            false => harness.without_idempotence(),
        };
        let report = harness
            .try_check(&[NoLoss, NoDuplicates])
            .expect("a verdict");
        assert!(report.violation(NoLoss).is_none());
        let twice = report.violation(NoDuplicates);
        twice.map_or(String::new(), |violation| violation.schedule.clone())
    };
    assert_eq!(smallest(false, true), "");
    assert_eq!(smallest(false, false), "records=1 retried@1");
    assert_eq!(smallest(true, true), "records=1 lost-answer@1");
}

#[test]
fn no_message_is_taken_for_a_repeat_of_another_one_or_of_an_earlier_start() {
    semel::harness::harness_producer(Sender { sends_again: true })
        .records(1..=2)
        .crashes(0..=1)
        .pauses(0..=1)
        .check(&[NoLoss]);
}

/// Sends what it was never asked for, once a send of its message was acknowledged.
struct Inventor;

impl Producer for Inventor {
    fn prepare(&self, _: &Path, _: &[Message]) -> Result<(), BoxError> {
        Ok(())
    }

    fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
        match kafka.send(&Message::bare(0)) {
            Err(KafkaError::TimedOut) => return Ok(()),
            answer => answer?,
        }
        Ok(kafka.send(&Message::bare(9))?)
    }
}

#[test]
fn a_run_tells_whether_the_broker_recognised_what_the_client_repeated() {
    let told = |harness: semel::harness::Harness| {
        let harness = harness.records(1..=1).lost_answers(1..=1);
        let report = harness.try_check(&[NoPhantom]).expect("a verdict");
        let violation = report.violation(NoPhantom).expect("it sends r9");
        assert_eq!(violation.schedule, "records=1 retried@1");
        violation.story.clone()
    };
    let story = told(semel::harness::harness_producer(Inventor));
    assert!(story.contains("the broker recognises it"), "{story}");
    let story = told(semel::harness::harness_producer(Inventor).without_idempotence());
    assert!(story.contains("the broker appends it again"), "{story}");
}
