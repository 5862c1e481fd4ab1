//! Each commit policy in runs far beyond what can be explored: what holds within the bound holds
//! there, and what is violated is found to be by chance.

use crate::play::{Each, Size, broken, cases, find, violated};
use semel::{CheckOptions, Design, Guarantee, Verdict, check};

/// A policy: its name, its `[consumer]`, its `[application]` and its `[sink]`.
type Policy = (&'static str, &'static str, &'static str, &'static str);

const BY_HAND: &str = "enable.auto.commit = false";
const AUTOMATIC: &str = "enable.auto.commit = true";
const STORED: &str = "enable.auto.commit = true\nenable.auto.offset.store = false";

const POLICIES: &[Policy] = &[
    (
        "commit-first",
        BY_HAND,
        "order = 'commit -> process'",
        "effect = 'add'",
    ),
    (
        "process-first",
        BY_HAND,
        "order = 'process -> commit'",
        "effect = 'add'",
    ),
    (
        "process-first-upsert",
        BY_HAND,
        "order = 'process -> commit'",
        "effect = 'upsert'",
    ),
    (
        "process-first-external",
        BY_HAND,
        "order = 'process -> commit'",
        "effect = 'external'",
    ),
    (
        "process-first-idempotency-key",
        BY_HAND,
        "order = 'process -> commit'",
        "effect = 'external'\nidempotency-key = true",
    ),
    (
        "commit-async",
        BY_HAND,
        "order = 'process -> commit-async'",
        "effect = 'add'",
    ),
    (
        "commit-per-poll",
        BY_HAND,
        "order = 'each(process) -> commit'",
        "effect = 'add'",
    ),
    (
        "commit-position",
        BY_HAND,
        "order = 'process -> commit'\ncommit-covers = 'position'",
        "effect = 'add'",
    ),
    (
        "commit-last",
        BY_HAND,
        "order = 'process -> commit'\ncommit-covers = 'last'",
        "effect = 'add'",
    ),
    (
        "retry-saved",
        BY_HAND,
        "order = 'process -> commit'\non-commit-failure = 'retry-saved'",
        "effect = 'add'",
    ),
    (
        "automatic-java",
        AUTOMATIC,
        "order = 'process'",
        "effect = 'add'",
    ),
    (
        "automatic-librdkafka",
        AUTOMATIC,
        "order = 'process'",
        "effect = 'add'",
    ),
    (
        "stored-librdkafka",
        STORED,
        "order = 'process -> store-offset'",
        "effect = 'add'",
    ),
    (
        "look-up-then-process",
        BY_HAND,
        "order = 'skip-if-seen -> process -> remember -> commit'",
        "effect = 'add'",
    ),
    (
        "dedup-in-one-transaction",
        BY_HAND,
        "order = 'db[process, remember] -> commit'",
        "effect = 'add'",
    ),
    (
        "dedup-in-memory",
        BY_HAND,
        "order = 'skip-if-seen -> process -> remember -> commit'",
        "effect = 'add'\ndedup = 'memory'",
    ),
    (
        "saved-offset",
        BY_HAND,
        "order = 'db[process, save-offset]'",
        "effect = 'add'",
    ),
    (
        "saved-offset-per-poll",
        BY_HAND,
        "order = 'db[each(process), save-offset]'",
        "effect = 'add'",
    ),
    (
        "workers-contiguous",
        BY_HAND,
        "order = 'process -> commit'\nworkers = 2\ncommit-covers = 'contiguous'",
        "effect = 'add'",
    ),
    (
        "workers-highest",
        BY_HAND,
        "order = 'process -> commit'\nworkers = 2\ncommit-covers = 'highest'",
        "effect = 'add'",
    ),
    (
        "produce-then-commit",
        BY_HAND,
        "order = 'produce -> commit'",
        "effect = 'topic'\n[output.producer]\nacks = 'all'\nenable.idempotence = true",
    ),
    (
        "results-in-transactions",
        BY_HAND,
        "order = 'kafka[produce, commit]'",
        "effect = 'topic'\n[output.producer]\ntransactional.id = 'results'\n\
         [output.consumer]\nisolation.level = 'read_committed'\n\
         [faults]\nconsumer-crash = 1\nrebalance = 1\nresponse-lost.end-txn = 1\ntransaction-timeout = 1\n\
         total = 2",
    ),
    (
        "results-of-a-poll-in-transactions",
        BY_HAND,
        "order = 'kafka[each(produce), commit]'\ninstances = 2\ntransactional-id = 'per-start'",
        "effect = 'topic'\n[output.producer]\ntransactional.id = 'results'\n\
         [output.consumer]\nisolation.level = 'read_committed'\n\
         [faults]\nconsumer-crash = 1\nrebalance = 1\nresponse-lost.end-txn = 1\ntransaction-timeout = 1\n\
         total = 2",
    ),
    (
        "results-read-uncommitted",
        BY_HAND,
        "order = 'kafka[produce, commit]'",
        "effect = 'topic'\n[output.producer]\ntransactional.id = 'results'\n\
         [output.consumer]\nisolation.level = 'read_uncommitted'",
    ),
    (
        "three-replicas",
        BY_HAND,
        "order = 'db[process, remember] -> commit'",
        "effect = 'add'\n[topic]\nreplication.factor = 3\nmin.insync.replicas = 2\n\
         [faults]\nbroker-crash = 1\nleader-change = 1\nreplica-lag = 1\n\
         consumer-crash = 1\ntotal = 2",
    ),
    (
        "two-replicas-that-lose-power",
        BY_HAND,
        "order = 'db[process, remember] -> commit'",
        "effect = 'add'\n[topic]\nreplication.factor = 2\nmin.insync.replicas = 1\n\
         [faults]\npower-loss = 1\nleader-change = 1\nreplica-lag = 1\ntotal = 2",
    ),
    (
        "two-partitions",
        BY_HAND,
        "order = 'db[process, remember] -> commit'\ninstances = 2",
        "effect = 'add'\n[faults]\nconsumer-crash = 1\nrebalance = 1\nresponse-lost = 1\ntotal = 2\n\
         [bounds]\nrecords = 2\nkeys = 2\npartitions = 2",
    ),
    (
        "two-partitions-automatic",
        AUTOMATIC,
        "order = 'process'",
        "effect = 'add'\n[faults]\nconsumer-crash = 1\nproducer-crash = 1\ntotal = 2\n\
         [bounds]\nrecords = 2\nkeys = 2\npartitions = 2",
    ),
    (
        "a-partition-is-added",
        BY_HAND,
        "order = 'db[process, remember] -> commit'",
        "effect = 'add'\n[faults]\nadd-partition = 1\nconsumer-crash = 1\ntotal = 2",
    ),
    (
        "prepared-transactions",
        BY_HAND,
        "order = 'kafka[produce, db[save-offset]]'\nprepared-transaction = 'resume'",
        "effect = 'topic'\n[output.producer]\ntransactional.id = 'results'\n\
         transaction.timeout.ms = 2147483647\n\
         [output.consumer]\nisolation.level = 'read_committed'\n\
         [broker]\ntransaction.max.timeout.ms = 2147483647\n\
         [faults]\nconsumer-crash = 1\nrebalance = 1\ntotal = 2",
    ),
    (
        "prepared-transactions-that-time-out",
        BY_HAND,
        "order = 'kafka[produce, db[save-offset]]'\nprepared-transaction = 'resume'",
        "effect = 'topic'\n[output.producer]\ntransactional.id = 'results'\n\
         [output.consumer]\nisolation.level = 'read_committed'\n\
         [faults]\nconsumer-crash = 1\ntransaction-timeout = 1\ntotal = 2",
    ),
    (
        "results-on-two-replicas",
        BY_HAND,
        "order = 'kafka[produce, commit]'",
        "effect = 'topic'\n[output.producer]\ntransactional.id = 'results'\n\
         [output.topic]\nreplication.factor = 2\nmin.insync.replicas = 1\n\
         [output.consumer]\nisolation.level = 'read_committed'\n\
         [faults]\nbroker-crash = 1\nleader-change = 1\nreplica-lag = 1\nconsumer-crash = 1\ntotal = 2\n\
         [bounds]\nrecords = 1",
    ),
    (
        "results-on-replicas-that-lose-power",
        BY_HAND,
        "order = 'produce -> commit'",
        "effect = 'topic'\n[output.producer]\nacks = 'all'\nenable.idempotence = true\n\
         [output.topic]\nreplication.factor = 2\nmin.insync.replicas = 1\n\
         [faults]\npower-loss = 1\nleader-change = 1\nreplica-lag = 1\ntotal = 2\n\
         [bounds]\nrecords = 1",
    ),
];

fn design((name, consumer, application, sink): &Policy) -> Design {
    let client = match name.ends_with("librdkafka") {
        true => "librdkafka",
        false => "java",
    };
    let text = format!(
        "name = '{name}'\nclient = '{client}'\n\
         [producer]\nacks = 'all'\nenable.idempotence = true\n\
         [consumer]\n{consumer}\nauto.offset.reset = 'earliest'\n\
         [application]\n{application}\n[sink]\n{sink}\n"
    );
    Design::parse(name, text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

#[test]
fn a_policy_that_holds_within_the_bound_holds_in_runs_of_hundreds_of_records() {
    let size = Size {
        records: 200,
        faults: 24,
        each: Each::AsDrawn,
    };
    for policy in POLICIES {
        let design = design(policy);
        let held = guarantees(&design, |verdict| matches!(verdict, Verdict::Holds));
        if let Some((run, guarantee)) = find(&design, &held, size, cases(4)) {
            broken(&design, &run, guarantee);
        }
    }
}

#[test]
fn of_most_policies_that_are_violated_a_violation_is_found_by_chance() {
    let size = Size {
        records: 3,
        faults: 3,
        each: Each::AsDrawn,
    };
    let (mut found, mut broken) = (0, 0);
    for policy in POLICIES {
        let design = design(policy);
        let expected = guarantees(&design, |verdict| verdict.trace().is_some());
        let seen = violated(&design, size, cases(50));
        let by_chance = expected.iter().filter(|one| seen.contains(one)).count();
        println!("{}: {by_chance} of {}", design.name(), expected.len());
        broken += usize::from(!expected.is_empty());
        found += usize::from(by_chance > 0);
    }
    println!("of {found} of {broken} policies a violation was found");
    assert!(found * 4 >= broken * 3, "{found} of {broken}");
}

fn guarantees(design: &Design, chosen: impl Fn(&Verdict) -> bool) -> Vec<Guarantee> {
    let verdicts = check(design, &CheckOptions::default()).expect("it is small");
    let all = Guarantee::ALL.into_iter();
    all.filter(|guarantee| chosen(verdicts.of(*guarantee)))
        .collect()
}
