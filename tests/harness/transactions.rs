//! Transactions of a consumer's producer: what the client refuses, what it repeats, and that the model
//! says the same of the same designs.

use semel::Guarantee::{ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss, NoPhantom};
use semel::harness::{
    BoxError, Error, Extent, Harness, Kafka, KafkaError, Message, Record, Report, Service,
    Situation,
};
use semel::{CheckOptions, Design, Guarantee, Verdict, check};
use std::path::Path;

const JUDGED: [Guarantee; 5] = [NoLoss, NoDuplicates, ExactlyOnceEffect, InOrder, NoPhantom];

/// From topic to topic, in this order of a design, with this id.
struct Results {
    order: &'static str,
    /// `stable`: an id of each instance; `per-partition`: one for all.
    ids: &'static str,
}

impl Results {
    fn in_transaction(steps: &str, kafka: &Kafka, record: &Record) -> Result<(), KafkaError> {
        kafka.begin_transaction()?;
        for step in steps.split(", ") {
            match step {
                "produce" => kafka.send(&Message::result_of(record, ""))?,
                "commit" => kafka.send_offsets(record)?,
                _ => panic!("no such step: {step}"),
            }
        }
        kafka.commit_transaction()
    }

    fn step(step: &str, kafka: &Kafka, record: &Record) -> Result<(), KafkaError> {
        let within = step.strip_prefix("kafka[");
        match (step, within.and_then(|steps| steps.strip_suffix(']'))) {
            (_, Some(steps)) => Results::in_transaction(steps, kafka, record),
            ("produce", None) => kafka.send(&Message::result_of(record, "")),
            ("commit", None) => kafka.commit_record(record),
            (_, None) => panic!("no such step: {step}"),
        }
    }
}

impl Service for Results {
    fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
        if self.order.contains("kafka[") {
            let own = kafka.instance();
            kafka.init_transactions(&match self.ids {
                "stable" => format!("results-{own}"),
                _ => "results".into(),
            })?;
        }
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                for step in self.order.split(" -> ") {
                    Results::step(step, &kafka, record)?;
                }
            }
        }
    }
}

/// What is violated with one crash, or with one pause.
fn violated_in_the_model(results: &Results, pauses: u32, isolation: &str) -> Vec<Guarantee> {
    let Results { order, ids } = results;
    let (faults, instances) = match pauses {
        0 => ("consumer-crash = 1", 1),
        _ => ("consumer-pause = 1", 2),
    };
    let (transactions, id) = match order.contains("kafka[") {
        true => (
            format!("transactional-id = \"{ids}\"\non-abort = \"seek\"\n"),
            "transactional.id = \"results\"",
        ),
        false => (String::new(), "enable.idempotence = true"),
    };
    let metadata = match order.contains(", commit]") {
        true => "group-metadata = true\n",
        false => "",
    };
    let design = format!(
        "[producer]\nacks = \"all\"\nenable.idempotence = true\n\
         [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"{order}\"\ninstances = {instances}\n{transactions}{metadata}\
         [sink]\neffect = \"topic\"\n[output.producer]\nacks = \"all\"\n{id}\n\
         [output.consumer]\nisolation.level = \"{isolation}\"\n\
         [faults]\n{faults}\n[bounds]\nrecords = 2\n"
    );
    let design = Design::parse("results.toml", design.as_bytes()).expect("a design");
    let verdicts = check(&design, &CheckOptions::default()).expect("within the limits");
    let mut violated = JUDGED.to_vec();
    violated.retain(|guarantee| verdicts.of(*guarantee) != &Verdict::Holds);
    violated
}

fn violated_in_the_harness(results: Results, pauses: u32, isolation: &str) -> Vec<Guarantee> {
    let harness = semel::harness(results)
        .records(1..=2)
        .output_topic()
        .crashes(0..=1 - pauses)
        .pauses(0..=pauses)
        .lost_requests(0..=0)
        .lost_answers(0..=0);
    let harness = match isolation {
        "read_committed" => harness,
        _ => harness.read_uncommitted(),
    };
    let report = harness.try_check(&JUDGED).expect("a verdict");
    assert_eq!(report.extent(), &Extent::All);
    let mut violated = JUDGED.to_vec();
    violated.retain(|guarantee| report.violation(*guarantee).is_some());
    violated
}

const ORDERS: [&str; 5] = [
    "kafka[produce, commit]",
    "produce -> commit",
    "commit -> produce",
    "kafka[produce] -> commit",
    "commit -> kafka[produce]",
];

/// What the harness cannot find: in the model a pause may outlast the delivery timeout of a result, which
/// fails then; a pause of the harness outlasts the session only. Where the offset is committed first, such a
/// result is lost.
fn misses(order: &str, pauses: u32) -> &'static [Guarantee] {
    match pauses > 0 && order.starts_with("commit") {
        true => &[NoLoss, ExactlyOnceEffect],
        false => &[],
    }
}

fn agrees_with_the_model(pauses: u32, ids: &'static str) {
    let mut differences = Vec::new();
    for order in ORDERS {
        for isolation in ["read_committed", "read_uncommitted"] {
            let results = Results { order, ids };
            let mut model = violated_in_the_model(&results, pauses, isolation);
            let harness = violated_in_the_harness(results, pauses, isolation);
            let may_miss = misses(order, pauses);
            model.retain(|guarantee| harness.contains(guarantee) || !may_miss.contains(guarantee));
            if harness != model {
                let what = format!("{order}, {isolation}: {harness:?}, in the model {model:?}");
                differences.push(what);
            }
        }
    }
    assert_eq!(differences, Vec::<String>::new(), "{ids}");
}

#[test]
fn a_crash_breaks_what_it_breaks_in_the_model() {
    agrees_with_the_model(0, "stable");
}

#[test]
fn a_zombie_breaks_what_it_breaks_in_the_model() {
    agrees_with_the_model(1, "stable");
}

#[test]
fn a_zombie_whose_id_is_taken_over_breaks_what_it_breaks_in_the_model() {
    agrees_with_the_model(1, "per-partition");
}

/// The presets, with the faults of both.
#[test]
fn the_presets_have_the_verdicts_of_the_harness() {
    for (preset, order) in [
        ("exactly-once-topic-to-topic", "kafka[produce, commit]"),
        ("consume-transform-produce", "produce -> commit"),
    ] {
        let named = semel::presets::named(preset).expect("a preset");
        let design = semel::presets::design(named).expect("a design");
        let verdicts = check(&design, &CheckOptions::default()).expect("within the limits");
        let ids = "stable";
        let report = semel::harness(Results { order, ids })
            .records(1..=2)
            .output_topic()
            .runs(1_500)
            .try_check(&JUDGED)
            .expect("a verdict");
        for guarantee in JUDGED {
            let holds = report.violation(guarantee).is_none();
            let model = verdicts.of(guarantee) == &Verdict::Holds;
            assert_eq!(holds, model, "{preset}: {guarantee}");
        }
    }
}

/// A consumer that is a function, over the output topic.
struct By<F>(F);

impl<F> Service for By<F>
where
    F: Fn(&Kafka, &Record) -> Result<(), KafkaError> + Send + Sync + 'static,
{
    fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
        kafka.init_transactions("own")?;
        loop {
            let records = kafka.poll()?;
            if records.is_empty() {
                return Ok(());
            }
            for record in &records {
                (self.0)(&kafka, record)?;
            }
        }
    }
}

fn by(
    handle: impl Fn(&Kafka, &Record) -> Result<(), KafkaError> + Send + Sync + 'static,
) -> Harness {
    semel::harness(By(handle)).records(1..=1).output_topic()
}

fn result_and_offset(kafka: &Kafka, record: &Record) -> Result<(), KafkaError> {
    kafka.begin_transaction()?;
    kafka.send(&Message::result_of(record, ""))?;
    kafka.send_offsets(record)
}

fn holds(harness: Harness) -> Report {
    let report = harness.try_check(&JUDGED).expect("a verdict");
    assert!(report.holds(), "{report}");
    report
}

#[test]
fn calls_in_the_wrong_state_are_refused_and_send_nothing() {
    let illegal = Err(KafkaError::IllegalState);
    holds(
        by(move |kafka, record| {
            assert_eq!(kafka.init_transactions("own"), illegal);
            assert_eq!(kafka.send(&Message::result_of(record, "")), illegal);
            assert_eq!(kafka.send_offsets(record), illegal);
            assert_eq!(kafka.commit_transaction(), illegal);
            assert_eq!(kafka.abort_transaction(), illegal);
            result_and_offset(kafka, record)?;
            assert_eq!(kafka.begin_transaction(), illegal);
            kafka.commit_transaction()
        })
        .crashes(0..=0)
        .lost_requests(0..=0)
        .lost_answers(0..=0)
        .pauses(0..=0),
    );
}

/// A commit that timed out is called again: it tells what became of the first.
#[test]
fn a_commit_that_timed_out_can_be_called_again_and_nothing_else() {
    let report = holds(
        by(|kafka, record| {
            result_and_offset(kafka, record)?;
            while let Err(error) = kafka.commit_transaction() {
                if error != KafkaError::TimedOut {
                    return Err(error);
                }
                let other = kafka.abort_transaction();
                if other != Err(KafkaError::Crashed) {
                    assert_eq!(other, Err(KafkaError::IllegalState));
                }
            }
            Ok(())
        })
        .crashes(0..=1),
    );
    assert!(report.coverage().reached(Situation::RequestLost) > 0);
    assert!(report.coverage().reached(Situation::AnswerLost) > 0);
}

/// A send that timed out fails the transaction; once it is aborted the record is read again.
#[test]
fn a_failed_transaction_is_aborted_and_its_record_read_again() {
    let report = holds(
        by(|kafka, record| {
            let sent = result_and_offset(kafka, record);
            match sent {
                Ok(()) => kafka.commit_transaction(),
                Err(KafkaError::TimedOut) => match kafka.commit_transaction() {
                    // The offsets timed out: they are sent again before the end.
                    Ok(()) => Ok(()),
                    Err(KafkaError::MustAbort) => {
                        kafka.abort_transaction()?;
                        kafka.seek(record);
                        Ok(())
                    }
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            }
        })
        .crashes(0..=1),
    );
    assert!(report.coverage().point("abort-transaction").reached > 0);
}

/// Without the seek the position stays behind the record: the next commit passes over it.
#[test]
fn an_abort_does_not_turn_the_position_back() {
    let report = by(|kafka, record| {
        result_and_offset(kafka, record)?;
        match record.id.0 {
            0 => kafka.abort_transaction(),
            _ => kafka.commit_transaction(),
        }
    })
    .records(2..=2)
    .try_check(&[NoLoss])
    .expect("a verdict");
    let lost = report.violation(NoLoss).expect("a record passed over");
    assert_eq!(lost.schedule, "records=2");
}

#[test]
fn a_service_that_leaves_its_transaction_open_never_comes_to_rest() {
    let error = by(result_and_offset)
        .try_check(&[NoLoss])
        .expect_err("nothing was wrong with Kafka");
    assert!(matches!(error, Error::Service { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("it returned with a transaction open"),
        "{error}"
    );
}
