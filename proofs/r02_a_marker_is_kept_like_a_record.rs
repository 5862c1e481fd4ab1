//! **A committed transaction is kept as far as its records and its marker are: replicas that lead
//! cleanly keep both, and where the marker alone is lost the transaction hangs in the log.**
//!
//! What the coordinator has decided stands, but readers see what the partition's leader has. A marker is
//! appended, replicated and acknowledged like a record, and is written again to every leader until the
//! in-sync replicas have it; once they do, nobody writes it again. So it takes what it takes to lose an
//! acknowledged record (R1) to lose it, and then the records before it are there and never delivered.
//!
//! Proved: every guarantee for an upstream that sends 2 records in one transaction, a consumer that reads
//! what is committed and applies it once, one partition with two replicas, and one crash of a broker or two
//! changes of leader; both twins of an unclean election and of a loss of power for one record.

use crate::support::{Judged, changed, judge, with_faults};
use semel::Guarantee;

const TRANSACTION: &str = r#"
client = "java"
kafka = "3.9"

[producer]
transactional.id = "payments"

[topic]
replication.factor = 2
min.insync.replicas = 1

[consumer]
enable.auto.commit = false
auto.offset.reset = "earliest"
isolation.level = "read_committed"

[application]
source = "transaction"
records-per-transaction = 2
order = "db[process, save-offset]"

[sink]
effect = "add"

[faults]
broker-crash = 1

[bounds]
records = 2
"#;

const UNDER_WAY: &str = "the leader changes while a marker waits for the in-sync replicas";

fn one_record(faults: &str) -> String {
    let one = changed(TRANSACTION, "\nrecords = 2", "\nrecords = 1");
    with_faults(&one, faults)
}

fn one_replica(flushes: &str) -> String {
    let replicas = "replication.factor = 2\nmin.insync.replicas = 1";
    changed(&one_record("power-loss = 1"), replicas, flushes)
}

#[track_caller]
fn holds_all(design: &str) -> Judged {
    let judged = judge(design);
    for guarantee in Guarantee::ALL {
        judged.holds(guarantee);
    }
    judged
}

#[test]
fn the_death_of_the_leader_takes_nothing_from_a_transaction() {
    holds_all(TRANSACTION)
        .reached("broker-crash")
        .reached(UNDER_WAY)
        .explored(10_350, 27_276);
}

#[test]
fn a_leader_that_moves_takes_nothing_under_either_version() {
    let moved = with_faults(TRANSACTION, "leader-change = 2");
    holds_all(&moved).reached(UNDER_WAY).explored(6_372, 16_629);
    let newer = changed(&moved, "kafka = \"3.9\"", "kafka = \"4.1\"");
    holds_all(&newer).reached(UNDER_WAY).explored(3_721, 8_285);
}

#[test]
fn an_unclean_election_loses_the_marker_alone_and_the_transaction_hangs() {
    let clean = one_record("replica-lag = 1\nbroker-crash = 1");
    let unclean = changed(
        &clean,
        "min.insync.replicas = 1",
        "min.insync.replicas = 1\nunclean.leader.election.enable = true",
    );
    let steps = [
        "The producer initialises its transactional id and gets producer epoch 0.",
        "The application sends r0.",
        "The producer adds the partition to its transaction.",
        "The producer puts r0 on the wire.",
        "Broker 1 appends r0 at offset 0; the answer waits for the in-sync replicas.",
        "Broker 2 fetches from broker 1 and gets r0.",
        "Broker 2 falls behind and leaves the in-sync replicas; in sync: broker 1. The high watermark passes r0: broker 1 acknowledges it.",
        "The acknowledgement of r0 reaches the producer.",
        "The producer asks for the commit of r0; the commit is reported, and the application relies on r0.",
        "The coordinator has the commit marker written by broker 1, at offset 1: the end of the transaction of r0.",
        "The process of broker 1, the leader, dies.",
        "The controller elects broker 2, which is not in sync: an unclean election; its log has r0.",
        "Broker 1 starts again with its log.",
        "Broker 1 fetches from broker 2, which learns that it has 1 entry: it cuts off the commit marker.",
        "The controller adds broker 1 to the in-sync replicas.",
    ];
    judge(&unclean)
        .is_broken(
            Guarantee::Progress,
            &steps,
            "r0: confirmed and in the log, but never delivered: a transaction hangs in the log that nobody will end, and who reads what is committed stops there.",
        )
        .violates(Guarantee::NoLoss)
        .holds(Guarantee::NoDuplicates)
        .holds(Guarantee::NoPhantom)
        .explored(2_489, 5_693);
    holds_all(&clean)
        .reached("replica-lag")
        .reached("broker-crash")
        .explored(2_288, 5_209);
}

#[test]
fn a_loss_of_power_takes_the_marker_unless_it_was_flushed() {
    // The marker is the second entry: it takes the record to the disk with it.
    judge(&one_replica("flush.messages = 2"))
        .violates(Guarantee::NoLoss)
        .holds(Guarantee::Progress);
    judge(&one_replica("retention.ms = -1"))
        .violates(Guarantee::NoLoss)
        .violates(Guarantee::Progress)
        .explored(135, 215);
    holds_all(&one_replica("flush.messages = 1")).explored(121, 193);
}

#[test]
fn who_does_not_wait_reads_what_a_dead_leader_has_aborted() {
    let impatient = changed(
        &changed(
            &one_record("broker-crash = 1"),
            "\nrecords = 1",
            "\nrecords = 1\nretries = 0",
        ),
        "read_committed",
        "read_uncommitted",
    );
    judge(&impatient)
        .violates(Guarantee::NoPhantom)
        .holds(Guarantee::NoLoss)
        .explored(684, 1_418);
}

/// librdkafka takes the success of a later message for one of every earlier one that waits to be sent
/// again, and a broker that does not know the producer takes any sequence number. A later marker then
/// commits what is there.
#[test]
fn with_librdkafka_fast_changes_of_leader_commit_a_transaction_without_its_first_record() {
    let fast = with_faults(TRANSACTION, "leader-change = 2");
    let librdkafka = changed(&fast, "client = \"java\"", "client = \"librdkafka\"");
    judge(&librdkafka)
        .violates(Guarantee::NoLoss)
        .holds(Guarantee::InOrder)
        .explored(2_207, 4_720);
    // One change is too few: nothing goes to another leader before the answers of the last one have come.
    holds_all(&with_faults(&librdkafka, "leader-change = 1"));
    // Before 2.5 a broker that does not know the producer takes sequence number 0 only.
    let older = changed(&librdkafka, "kafka = \"3.9\"", "kafka = \"2.4\"");
    holds_all(&older).explored(2_205, 4_723);
}
