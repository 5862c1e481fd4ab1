//! The leader of the topic that a service sends to dies, and another replica leads.
//!
//! What follows for a producer that waits for each send, one dead leader a run, three replicas:
//!
//! | `acks` | idempotence | violated, and why |
//! | --- | --- | --- |
//! | all | on | nothing: what is sent again is recognised, or was not there |
//! | all | off | duplicates: the followers have it, the leader dies before it answers, the client repeats it |
//! | 1 | off | the same; and loss: the leader answers, and dies before a follower has it |
//! | 0 | off | loss; nothing is sent again |

use semel::Guarantee::{ExactlyOnceEffect, InOrder, NoDuplicates, NoLoss};
use semel::harness::{
    Acks, BoxError, Error, Extent, Harness, Kafka, Message, Producer, RecordId, Service, Situation,
};
use semel::{CheckOptions, Design, Guarantee, Verdict, check};
use std::path::Path;

const JUDGED: [Guarantee; 3] = [NoLoss, NoDuplicates, ExactlyOnceEffect];

/// Sends its messages in turn, and notes each that was acknowledged.
struct Relay;

fn ids(dir: &Path, file: &str) -> Vec<u64> {
    let text = std::fs::read_to_string(dir.join(file)).unwrap_or_default();
    let ids = text.split_whitespace().map(str::parse);
    ids.map(|id| id.expect("a number")).collect()
}

fn note(dir: &Path, file: &str, id: u64) -> std::io::Result<()> {
    let mut ids = ids(dir, file);
    ids.push(id);
    let text: Vec<String> = ids.iter().map(u64::to_string).collect();
    std::fs::write(dir.join(file), text.join(" "))
}

impl Producer for Relay {
    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), BoxError> {
        messages
            .iter()
            .try_for_each(|message| Ok(note(dir, "outbox", message.id.0)?))
    }

    fn run(&self, dir: &Path, kafka: Kafka) -> Result<(), BoxError> {
        for id in ids(dir, "outbox") {
            if !ids(dir, "sent").contains(&id) {
                kafka.send(&Message::bare(id))?;
                note(dir, "sent", id)?;
            }
        }
        Ok(())
    }
}

/// Up to one dead leader, and nothing else.
fn one_dead_leader(harness: Harness) -> Harness {
    harness
        .records(1..=2)
        .crashes(0..=0)
        .lost_requests(0..=0)
        .lost_answers(0..=0)
        .replicas(3)
        .lost_leaders(0..=1)
}

fn relay(acks: Acks, idempotence: bool) -> Harness {
    let harness = one_dead_leader(semel::harness::harness_producer(Relay)).acks(acks);
    let harness = harness.pauses(0..=0);
    match idempotence {
        true => harness,
        false => harness.without_idempotence(),
    }
}

fn violated_in_the_harness(acks: Acks, idempotence: bool) -> Vec<Guarantee> {
    let report = relay(acks, idempotence).try_check(&JUDGED);
    let report = report.expect("a verdict");
    assert_eq!(report.extent(), &Extent::All);
    assert!(report.coverage().reached(Situation::LeaderLost) > 0);
    let mut violated = JUDGED.to_vec();
    violated.retain(|guarantee| report.violation(*guarantee).is_some());
    violated
}

fn violated_in_the_model(acks: &str, idempotence: bool) -> Vec<Guarantee> {
    let design = format!(
        "[producer]\nacks = \"{acks}\"\nenable.idempotence = {idempotence}\n\
         max.in.flight.requests.per.connection = 1\n\
         [topic]\nreplication.factor = 3\n\
         [consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"process -> commit\"\n\
         [faults]\nbroker-crash = 1\n[bounds]\nrecords = 2\n"
    );
    let design = Design::parse("relay.toml", design.as_bytes()).expect("a design");
    let verdicts = check(&design, &CheckOptions::default()).expect("within the limits");
    let mut violated = JUDGED.to_vec();
    violated.retain(|guarantee| verdicts.of(*guarantee) != &Verdict::Holds);
    violated
}

#[test]
fn a_dead_leader_breaks_what_it_breaks_in_the_model() {
    let all = JUDGED.to_vec();
    for (acks, name, idempotence, violated) in [
        (Acks::All, "all", true, vec![]),
        (
            Acks::All,
            "all",
            false,
            vec![NoDuplicates, ExactlyOnceEffect],
        ),
        (Acks::Leader, "1", false, all),
        (Acks::None, "0", false, vec![NoLoss, ExactlyOnceEffect]),
    ] {
        let case = format!("acks={name}, idempotence {idempotence}");
        assert_eq!(
            violated_in_the_harness(acks, idempotence),
            violated,
            "{case}"
        );
        assert_eq!(violated_in_the_model(name, idempotence), violated, "{case}");
    }
}

#[test]
fn less_than_all_acknowledgements_go_without_idempotence() {
    let report = relay(Acks::Leader, true).try_check(&[NoDuplicates]);
    let report = report.expect("a verdict");
    let twice = report
        .violation(NoDuplicates)
        .expect("nothing recognises it");
    assert_eq!(twice.schedule, "records=1 leader-lost-unanswered@1");
}

#[test]
fn what_is_told_says_what_the_next_leader_has() {
    let report = relay(Acks::Leader, false).try_check(&[NoLoss, NoDuplicates]);
    let report = report.expect("a verdict");
    let told = |guarantee: Guarantee| report.violation(guarantee).expect("violated").to_string();
    let lost = told(NoLoss);
    assert!(
        lost.contains(
            "the leader dies before a follower has it, and the next one does not know of it"
        ),
        "{lost}"
    );
    let twice = told(NoDuplicates);
    assert!(twice.contains("it dies before it answers, the client sends it again, and the next leader appends it again"), "{twice}");
}

#[test]
fn with_acks_0_nobody_hears_of_a_lost_request() {
    let harness = semel::harness::harness_producer(Relay)
        .records(1..=1)
        .acks(Acks::None);
    let harness = harness.crashes(0..=0).pauses(0..=0);
    let report = harness.try_check(&[NoLoss]).expect("a verdict");
    let lost = report.violation(NoLoss).expect("it is not sent again");
    assert_eq!(lost.schedule, "records=1 lost-request@1");
    assert!(lost.advice.contains("acks=all"), "{}", lost.advice);
}

#[cfg(unix)]
#[test]
fn the_replicas_are_read_again_by_each_process() {
    let harness = one_dead_leader(semel::harness::harness_producer(Relay)).crashes(0..=1);
    let report = harness.in_child_process().check(&[NoLoss, InOrder]);
    assert_eq!(report.extent(), &Extent::All);
    assert!(report.coverage().reached(Situation::SentAgain) > 0);
}

/// Answers each record in a transaction with its offset.
struct Answers;

impl Service for Answers {
    fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
        kafka.init_transactions("answers")?;
        loop {
            let records = kafka.poll()?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            kafka.begin_transaction()?;
            for record in &records {
                kafka.send(&Message::result_of(record, "an answer"))?;
            }
            kafka.send_offsets(last)?;
            kafka.commit_transaction()?;
        }
    }

    fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> {
        unreachable!("they are in the topic")
    }
}

#[test]
fn a_transaction_goes_on_with_the_next_leader() {
    let harness = one_dead_leader(semel::harness(Answers)).output_topic();
    let harness = harness.pauses(0..=0);
    let report = harness
        .crashes(0..=1)
        .lost_leaders(0..=2)
        .faults(2)
        .check(&[NoLoss, NoDuplicates, ExactlyOnceEffect, InOrder]);
    assert_eq!(report.extent(), &Extent::All);
    let reached = |situation| report.coverage().reached(situation) > 0;
    assert!(reached(Situation::LeaderLost) && reached(Situation::TransactionEnded));
}

fn refused(harness: Harness) -> String {
    match harness.try_check(&[NoLoss]) {
        Err(Error::Settings(said)) => said,
        other => panic!("{other:?}"),
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let relay = || semel::harness::harness_producer(Relay).records(1..=1);
    assert!(refused(relay().lost_leaders(0..=1)).contains("replicas(3)"));
    for replicas in [0, 4] {
        assert!(refused(relay().replicas(replicas)).contains("from 1 to 3"));
    }
    let answers = semel::harness(Answers).output_topic().acks(Acks::Leader);
    assert!(refused(answers.records(1..=1)).contains("needs acks=all"));
    let answers = semel::harness(Answers).output_topic().without_idempotence();
    assert!(refused(answers.records(1..=1)).contains("enable.idempotence=true"));
}
