//! Random schedules of random designs on real files and in a real database: the disk does what the
//! model says, and the rows say what the ledger says.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use semel::Design;
use semel::lab::{Blow, Coverage, LabError, Run, Schedule, Sync};
use semel_models::pipeline::Pipeline;
use std::cell::{Cell, RefCell};
use std::path::Path;

#[cfg(feature = "postgres")]
use crate::databases;
use crate::databases::{Kind, over_each_database};
use crate::designs::{
    Brokers, Chain, Text, any_chain, any_partitions, any_results, any_struck_chain,
};
use crate::trials::{runner, too_large, try_designs_with};

/// Steps after which a run that does not come to rest is left.
const MOST_STEPS: usize = 4_000;

over_each_database!(runs_of_twenty_records_do_on_the_disk_what_they_do_in_the_model);

fn runs_of_twenty_records_do_on_the_disk_what_they_do_in_the_model(kind: Kind) {
    let coverage = RefCell::new(Met::default());
    try_designs_with(kind.cases(250), schedule(6, 300), |design, schedule| {
        let pipeline = larger(design, 20, 6);
        let met = played(kind, pipeline, &schedule)?;
        coverage.borrow_mut().add(&met);
        Ok(())
    });
    coverage.borrow().show();
}

#[test]
fn runs_of_two_hundred_records_and_thirty_faults_do_so_too() {
    let coverage = RefCell::new(Met::default());
    try_designs_with(15, schedule(30, 1_500), |design, schedule| {
        let met = played(Kind::Sqlite, larger(design, 200, 30), &schedule)?;
        coverage.borrow_mut().add(&met);
        Ok(())
    });
    coverage.borrow().show();
}

#[test]
fn each_replica_has_on_its_disk_what_it_has_in_the_model() {
    let coverage = RefCell::new(Met::default());
    let drawn = (replicas(), schedule(8, 200));
    try_designs_with(150, drawn, |design, (replicas, schedule)| {
        let refused = || TestCaseError::reject("refused");
        let design = replicas.of(design).ok_or_else(refused)?;
        let met = played(Kind::Sqlite, larger(&design, 12, 8), &schedule)?;
        coverage.borrow_mut().add(&met);
        Ok(())
    });
    coverage.borrow().show();
}

/// A topic with several replicas, and what strikes them.
#[derive(Clone, Debug)]
struct Replicas {
    topic: String,
    faults: Vec<&'static str>,
}

fn replicas() -> impl Strategy<Value = Replicas> {
    const FAULTS: &[&str] = &[
        "leader-change",
        "power-loss",
        "broker-crash",
        "replica-lag",
        "disk-loss",
        "power-loss-all",
        "response-lost.produce",
        "producer-crash",
        "consumer-crash",
        "request-delayed.produce",
        "producer-id-expiry",
        "retention",
        "compaction",
        "topic-recreate",
    ];
    let topic = (2..=3u16, 1..=2u16, any::<bool>(), any::<bool>());
    let faults = subsequence(FAULTS, 2..=6);
    (topic, faults).prop_map(|((replicas, least, unclean, flushes), faults)| {
        let mut topic = format!(
            "replication.factor = {replicas}\nmin.insync.replicas = {least}\n\
             unclean.leader.election.enable = {unclean}\n"
        );
        if flushes {
            topic += "flush.messages = 2\n";
        }
        if faults.contains(&"compaction") {
            topic += match faults.contains(&"retention") {
                true => "cleanup.policy = \"compact,delete\"\n",
                false => "cleanup.policy = \"compact\"\n",
            };
        }
        Replicas { topic, faults }
    })
}

impl Replicas {
    /// The design with these in place of its own topic and faults, unless it is refused.
    fn of(&self, design: &Design) -> Option<Design> {
        let text = replace_table(design.text(), "topic", &self.topic);
        let faults: Vec<String> = self
            .faults
            .iter()
            .map(|name| format!("{name} = 1\n"))
            .collect();
        let text = replace_table(&text, "faults", &faults.concat());
        Design::parse("replicas.toml", text.as_bytes()).ok()
    }
}

#[test]
fn transactions_are_on_the_disk_what_they_are_in_the_model() {
    try_texts(transactions());
}

#[test]
fn two_transactional_hops_are_on_the_disk_what_they_are_in_the_model() {
    let met = try_texts(any_chain(Chain::Any));
    assert!(met.times("abort") > 20);
    assert!(met.times("transaction-timeout") > 20);
}

#[test]
fn so_are_two_hops_whose_brokers_are_struck() {
    try_texts(any_struck_chain(Brokers::MayLoseThem));
}

#[test]
fn a_transaction_that_a_database_says_is_prepared_is_the_one_that_a_start_commits() {
    let met = try_texts(prepared());
    assert!(met.times("a start commits a transaction that the database says is prepared") > 20);
}

#[test]
fn the_next_transaction_coordinator_finds_on_the_disk_what_the_last_one_left() {
    let met = try_texts(moving());
    assert!(met.times("coordinator-failover") > 50);
    assert!(met.times("a marker is written again by the next transaction coordinator") > 5);
}

#[test]
fn each_of_two_partitions_has_on_its_disk_what_it_has_in_the_model() {
    let two = any_partitions().prop_map(|pair| pair.two);
    try_texts(two);
}

#[test]
fn a_partition_that_is_added_has_on_its_disk_what_it_has_in_the_model() {
    let added = any_partitions().prop_map(|pair| {
        let Text(text) = pair.one;
        Text(text.replace("[faults]\n", "[faults]\nadd-partition = 1\n"))
    });
    let met = try_texts(added);
    assert!(met.times("add-partition") > 50);
}

/// Plays runs of random designs, of which at most half are refused.
fn try_texts(texts: impl Strategy<Value = Text>) -> Met {
    let coverage = RefCell::new(Met::default());
    let (read, refused) = (Cell::new(0), Cell::new(0));
    let drawn = (texts, schedule(8, 200));
    let tried = runner(150).run(&drawn, |(text, schedule)| {
        let Some(design) = read_design(&text) else {
            refused.set(refused.get() + 1);
            return Err(TestCaseError::reject("refused"));
        };
        read.set(read.get() + 1);
        let met = played(Kind::Sqlite, larger(&design, 12, 8), &schedule)?;
        coverage.borrow_mut().add(&met);
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    coverage.borrow().show();
    assert!(refused.get() <= read.get(), "{} are refused", refused.get());
    coverage.into_inner()
}

/// Where the brokers of the output topic can be struck, it has what the model says on each of their disks.
#[test]
fn results_are_on_each_disk_what_they_are_in_the_model() {
    try_texts(struck_results());
}

/// Designs that write results, with one consumer or two, and brokers that are struck in two ways; the first
/// topic may have replicas, too.
fn struck_results() -> impl Strategy<Value = Text> {
    const BROKERS: &[&str] = &[
        "leader-change",
        "power-loss",
        "broker-crash",
        "replica-lag",
        "disk-loss",
    ];
    let results = prop_oneof![
        1 => any_results(Brokers::KeepTheirLogs),
        2 => any_results(Brokers::MayLoseThem),
    ];
    let brokers = (1..=3u16, any::<bool>(), any::<bool>());
    (results, brokers, select(BROKERS)).prop_map(|(Text(text), brokers, fault)| {
        let (replicas, two, flushes) = brokers;
        let more = |text: String, table: &str, line: &str| {
            text.replacen(&format!("[{table}]\n"), &format!("[{table}]\n{line}\n"), 1)
        };
        let mut text = text + &format!("[topic]\nreplication.factor = {replicas}\n");
        if two {
            text = more(text, "application", "instances = 2");
        }
        if flushes {
            text = more(text, "output.topic", "flush.messages = 2");
        }
        if !text.contains(&format!("\n{fault} = ")) {
            text = more(text, "faults", &format!("{fault} = 1"));
        }
        Text(text)
    })
}

fn read_design(Text(text): &Text) -> Option<Design> {
    Design::parse("drawn.toml", text.as_bytes()).ok()
}

/// Designs whose database says which transaction is prepared.
fn prepared() -> impl Strategy<Value = Text> {
    const ORDERS: &[(&str, &str)] = &[
        ("kafka[produce, db[save-offset]]", "topic"),
        ("kafka[each(produce), save-offset]", "topic"),
        ("kafka[produce, db[process, save-offset]]", "add"),
        ("kafka[produce, commit, db[process]]", "add"),
        (
            "kafka[produce, db[skip-if-seen, process, remember, save-offset]]",
            "upsert",
        ),
    ];
    const FAULTS: &[&str] = &[
        "rebalance",
        "consumer-pause",
        "transaction-timeout",
        "response-lost.end-txn",
        "request-lost",
        "process-failure",
        "sink-answer-lost",
        "sink-unavailable",
    ];
    let choices = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let faults = subsequence(FAULTS, 0..=3);
    (select(ORDERS), choices, faults).prop_map(|((order, effect), choices, faults)| {
        let (first, endless, partition, two) = choices;
        let mut text = String::from("client = 'java'\nkafka = '4.1'\n");
        text += "[producer]\nacks = 'all'\nenable.idempotence = true\n";
        text += "[consumer]\nenable.auto.commit = false\nauto.offset.reset = 'earliest'\n";
        text += &format!("[application]\norder = '{order}'\nprepared-transaction = 'resume'\n");
        if partition {
            text += "transactional-id = 'per-partition'\n";
        }
        if two {
            text += "instances = 2\n";
        }
        text += &format!("[sink]\neffect = '{effect}'\n");
        text += "[output.producer]\ntransactional.id = 'results'\n";
        if endless {
            text += "transaction.timeout.ms = 2147483647\n";
        }
        text += "[output.consumer]\nisolation.level = 'read_committed'\n[broker]\n";
        if endless {
            text += "transaction.max.timeout.ms = 2147483647\n";
        }
        if first {
            text += "transaction.version = 1\n";
        }
        text += "[faults]\nconsumer-crash = 1\n";
        for fault in faults {
            text += &format!("{fault} = 1\n");
        }
        Text(text + "[bounds]\nrecords = 2\n")
    })
}

/// Designs with transactions upstream whose coordinator moves.
fn moving() -> impl Strategy<Value = Text> {
    const VERSIONS: &[&str] = &["3.5", "3.9", "4.1"];
    const FAULTS: &[&str] = &[
        "producer-crash",
        "abort",
        "transaction-timeout",
        "response-lost",
        "request-lost",
        "request-refused",
        "request-delayed.produce",
        "request-delayed.end-txn",
        "delivery-timeout",
        "consumer-crash",
    ];
    const STRUCK: &[&str] = &[
        "leader-change",
        "broker-crash",
        "power-loss",
        "abort",
        "producer-crash",
    ];
    let sides = (select(VERSIONS), any::<bool>(), any::<bool>(), 1..=2u16);
    let faults = (subsequence(FAULTS, 0..=3), subsequence(STRUCK, 0..=2));
    (sides, faults).prop_map(|((version, replicated, committed, records), faults)| {
        let level = match committed {
            true => "read_committed",
            false => "read_uncommitted",
        };
        let (topic, faults) = match replicated {
            true => (
                "[topic]\nreplication.factor = 3\nmin.insync.replicas = 2\n",
                faults.1,
            ),
            false => ("", faults.0),
        };
        let faults: Vec<String> = faults
            .iter()
            .map(|fault| format!("{fault} = 1\n"))
            .collect();
        Text(format!(
            "client = 'java'\nkafka = '{version}'\n{topic}\
             [producer]\nacks = 'all'\nenable.idempotence = true\ntransactional.id = 'upstream'\n\
             [consumer]\nenable.auto.commit = false\nauto.offset.reset = 'earliest'\n\
             isolation.level = '{level}'\n[application]\norder = 'process -> commit'\n\
             source = 'transaction'\nrecords-per-transaction = {records}\n[sink]\neffect = 'add'\n\
             [faults]\ncoordinator-failover = 1\n{}[bounds]\nrecords = 2\n",
            faults.concat()
        ))
    })
}

/// Designs with transactions upstream, or with results or transactions of output producers.
fn transactions() -> impl Strategy<Value = Text> {
    const ORDERS: &[&str] = &[
        "kafka[produce, commit]",
        "produce -> commit",
        "produce-async -> flush -> commit",
        "kafka[each(produce), commit]",
        "kafka[each(produce-async), commit]",
        "process -> kafka[produce, commit]",
        "kafka[db[process, remember], produce, commit]",
        "kafka[process, commit]",
        "process -> commit",
        "process -> commit",
        "process -> commit",
    ];
    const IDS: &[&str] = &["stable", "per-start", "per-partition"];
    const FAULTS: &[&str] = &[
        "consumer-crash",
        "producer-crash",
        "rebalance",
        "consumer-pause",
        "transaction-timeout",
        "response-lost",
        "request-lost",
        "request-refused",
        "process-failure",
        "delivery-timeout",
        "request-delayed.produce",
        "request-delayed.end-txn",
        "request-delayed.output-produce",
        "abort",
        "sink-unavailable",
    ];
    let sides = (any::<bool>(), any::<bool>(), any::<bool>());
    let choices = (select(ORDERS), select(IDS), any::<bool>(), any::<bool>());
    let faults = subsequence(FAULTS, 1..=4);
    (sides, choices, faults).prop_map(|(sides, choices, faults)| {
        let (librdkafka, before_4, committed) = sides;
        let (order, id, instances, seeks) = choices;
        let upstream = order == "process -> commit";
        let level = match committed {
            true => "read_committed",
            false => "read_uncommitted",
        };
        let mut text = String::from(match (librdkafka, before_4) {
            (true, _) => "client = 'librdkafka'\n",
            (false, true) => "client = 'java'\nkafka = '3.9'\n",
            (false, false) => "client = 'java'\n",
        });
        text += "[producer]\nacks = 'all'\nenable.idempotence = true\n";
        if upstream {
            text += "transactional.id = 'upstream'\n";
        }
        text += "[consumer]\nenable.auto.commit = false\nauto.offset.reset = 'earliest'\n";
        text += &format!("isolation.level = '{level}'\n[application]\norder = '{order}'\n");
        if upstream {
            text += "source = 'transaction'\nrecords-per-transaction = 2\n";
        }
        if instances {
            text += "instances = 2\n";
        }
        let in_transactions = order.contains("kafka[");
        if in_transactions {
            text += &format!("transactional-id = '{id}'\n");
            text += match seeks {
                true => "on-abort = 'seek'\n",
                false => "on-abort = 'continue'\n",
            };
        }
        text += match order.contains("process") {
            true => "[sink]\neffect = 'add'\n",
            false => "[sink]\neffect = 'topic'\n",
        };
        if !upstream {
            text += "[output.producer]\nacks = 'all'\nenable.idempotence = true\n";
            if in_transactions {
                text += "transactional.id = 'results'\n";
            }
            if order.contains("produce") {
                text += &format!("[output.consumer]\nisolation.level = '{level}'\n");
            }
        }
        text += "[faults]\n";
        for fault in faults {
            text += &format!("{fault} = 1\n");
        }
        Text(text + "total = 3\n[bounds]\nrecords = 2\n")
    })
}

/// The design's text with `lines` in place of what the table `name` has.
fn replace_table(text: &str, name: &str, lines: &str) -> String {
    let head = format!("[{name}]\n");
    let (before, rest) = text.split_once(&head).unwrap_or((text, ""));
    let after = rest.find("\n[").map_or("", |end| &rest[end..]);
    let after = match rest.starts_with('[') {
        true => rest,
        false => after,
    };
    format!("{before}{head}{lines}{after}")
}

/// At most this many faults, in the first steps of a run.
fn schedule(faults: usize, steps: u32) -> impl Strategy<Value = Schedule> {
    let blow = (0..steps, any::<u32>()).prop_map(|(after, pick)| Blow { after, pick });
    let mixes = prop_oneof![1 => Just(0), 4 => any::<u64>()];
    (vec(blow, 0..=faults), mixes).prop_map(|(faults, mix)| Schedule { faults, mix })
}

/// The design with more records and more of each of its faults.
fn larger(design: &Design, records: u16, faults: u16) -> Pipeline {
    let mut pipeline = design.pipeline().clone();
    pipeline.bounds.records = records;
    pipeline.bounds.poll = pipeline.bounds.poll.max(5);
    pipeline.faults.total = Some(faults);
    for (_, own) in &mut pipeline.faults.entries {
        *own = faults;
    }
    pipeline
}

fn played(kind: Kind, pipeline: Pipeline, schedule: &Schedule) -> Result<Coverage, TestCaseError> {
    let directory = tempfile::tempdir().expect("a directory");
    let failed = |error: LabError| TestCaseError::fail(error.to_string());
    if pipeline.logs_results() && !pipeline.can_log_results() {
        // With more faults than it was read with.
        return Err(TestCaseError::reject("not modelled"));
    }
    let run = start(kind, directory.path(), pipeline);
    let mut run = match run {
        Err(LabError::TooLarge(_)) => return Err(too_large()),
        started => started.map_err(failed)?,
    };
    if schedule.play(&mut run, MOST_STEPS).map_err(failed)? {
        run.judge().map_err(failed)?;
    }
    Ok(run.coverage().clone())
}

fn start(kind: Kind, directory: &Path, pipeline: Pipeline) -> Result<Run, LabError> {
    match kind {
        Kind::Sqlite => Run::start(directory, pipeline, Sync::Simulated),
        #[cfg(feature = "postgres")]
        Kind::Postgres => {
            let url = databases::postgres().expect("it is skipped otherwise");
            Run::start_on_postgres(directory, pipeline, Sync::Simulated, &url)
        }
    }
}

/// How often each fault and situation was met, over all designs.
#[derive(Default)]
struct Met(std::collections::BTreeMap<String, u64>);

impl Met {
    fn add(&mut self, coverage: &Coverage) {
        for (name, times) in coverage.met() {
            // Faults of one call and the operations of an order are as many as there are designs.
            let kind = name.split(['.', '[']).next().unwrap_or(name);
            *self.0.entry(kind.to_string()).or_default() += times;
        }
    }

    /// How often what is called so was met.
    fn times(&self, name: &str) -> u64 {
        let own = self.0.iter().filter(|(own, _)| own.contains(name));
        own.map(|(_, times)| times).sum()
    }

    fn show(&self) {
        for (name, times) in &self.0 {
            println!("{times:>9}  {name}");
        }
    }
}
