//! Designs written from pipelines, and read again.

use insta::assert_snapshot;
use proptest::prelude::*;

use super::super::write;
use super::*;
use crate::presets::PRESETS;

/// What is read again from the design as written.
fn again(design: &Design) -> Design {
    let text = write(design.pipeline(), &design.versions());
    match parse(&text) {
        Ok(again) => again,
        Err(error) => panic!("{}\n{text}", told(&error)),
    }
}

#[test]
fn every_preset_is_read_as_it_is_written() {
    for preset in PRESETS {
        let design = accepted(preset.text);
        assert_eq!(
            again(&design).pipeline(),
            design.pipeline(),
            "{}",
            preset.name
        );
        let whole = accepted(&design.to_toml());
        assert_eq!(whole.pipeline(), design.pipeline(), "{}", preset.name);
        assert_eq!(whole.name(), design.name());
        assert_eq!(whole.required(), design.required());
        assert_eq!(whole.expected(), design.expected());
        assert_eq!(whole.limits(), design.limits());
    }
}

#[test]
fn a_written_design_reads_like_one_by_hand() {
    let design = accepted(
        r#"
name = "a \"quoted\" name"
require = ["no-loss", "progress"]
[producer]
enable.idempotence = false
[topic]
retention.ms = -1
[consumer]
group.protocol = "consumer"
group.instance.id = "one"
auto.offset.reset = "earliest"
enable.auto.commit = false
[application]
order = "db[process, remember] -> commit"
workers = 2
commit-covers = "contiguous"
instances = 2
source = "outbox"
outbox-cursor = "highest-id"
on-process-failure = { attempts = 3, then = "dead-letter" }
on-revoke = "commit"
on-lost = "nothing"
[output.producer]
acks = 0
enable.idempotence = false
[sink]
dedup-window = 1
[faults]
"response-lost.produce" = 1
rebalance = 1
"response-lost.fetch" = 1
total = 2
[bounds]
start = "cold"
max-states = 1000
"#,
    );
    assert_snapshot!(design.to_toml());
    let whole = accepted(&design.to_toml());
    assert_eq!(whole.pipeline(), design.pipeline());
    assert_eq!(whole.limits(), design.limits());
}

#[test]
fn a_budget_without_a_fault_is_not_read_as_the_default_one() {
    for line in ["consumer-crash = 0", "consumer-crash = 0\ntotal = 3"] {
        let design = accepted(&SOUND.replace("consumer-crash = 1", line));
        assert_eq!(again(&design).pipeline(), design.pipeline());
    }
}

/// One of these lines, or none.
fn line(lines: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    prop_oneof![Just(""), prop::sample::select(lines)]
}

fn producer() -> impl Strategy<Value = String> {
    let acks = prop::sample::select(vec![
        "acks = \"all\"\nenable.idempotence = true",
        "acks = \"all\"\nenable.idempotence = false",
        "acks = 1\nenable.idempotence = false",
        "acks = 0\nenable.idempotence = false",
    ]);
    let retries = line(&["retries = 1", "retries = 7"]);
    let flight = line(&[
        "max.in.flight.requests.per.connection = 1",
        "max.in.flight.requests.per.connection = 3",
    ]);
    let timeout = line(&["delivery.timeout.ms = 2000000000"]);
    (acks, retries, flight, timeout).prop_map(|(acks, retries, flight, timeout)| {
        format!("[producer]\n{acks}\n{retries}\n{flight}\n{timeout}\n")
    })
}

const JAVA_GROUPS: &[&str] = &[
    "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.StickyAssignor\"",
    "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.CooperativeStickyAssignor\"",
    "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.RoundRobinAssignor\"",
    "group.protocol = \"consumer\"",
    "group.protocol = \"consumer\"\ngroup.remote.assignor = \"range\"",
    "group.instance.id = \"one\"",
];

const LIBRDKAFKA_GROUPS: &[&str] = &[
    "partition.assignment.strategy = \"cooperative-sticky\"",
    "group.protocol = \"consumer\"",
    "group.instance.id = \"one\"",
    "rebalance_cb = true",
];

fn consumer(groups: &'static [&'static str]) -> impl Strategy<Value = String> {
    let auto = line(&["enable.auto.commit = false", "enable.auto.commit = true"]);
    let reset = line(&[
        "auto.offset.reset = \"earliest\"",
        "auto.offset.reset = \"latest\"",
    ]);
    (auto, reset, line(groups))
        .prop_map(|(auto, reset, group)| format!("[consumer]\n{auto}\n{reset}\n{group}\n"))
}

const ORDERS: &[&str] = &[
    "process",
    "process -> commit",
    "process -> commit-async",
    "db[process, remember] -> commit",
    "skip-if-seen -> process -> remember -> commit",
    "db[process, save-offset]",
    "db[process, remember, save-offset] -> commit",
];

const WORKERS: &[&str] = &[
    "workers = 1",
    "workers = 2\ncommit-covers = \"contiguous\"",
    "workers = 4\ncommit-covers = \"highest\"",
    "workers = 1\non-revoke = \"drop-buffered\"",
    "commit-covers = \"last\"",
    "commit-covers = \"position\"",
    "on-revoke = \"commit\"",
    "on-revoke = \"commit\"\non-lost = \"nothing\"",
    "assignment = \"assign\"",
];

const SOURCES: &[&str] = &[
    "source = \"outbox\"",
    "source = \"outbox\"\noutbox-order = \"mark -> publish\"",
    "source = \"outbox\"\noutbox-cursor = \"highest-id\"\nconfirm-on = \"ack\"",
    "source = \"dual-write\"",
    "source = \"dual-write\"\ndual-write-order = \"kafka -> database\"",
    "confirm-on = \"send\"",
    "on-restart = \"resend-unconfirmed\"",
];

const FAILURES: &[&str] = &[
    "on-process-failure = { attempts = 3, then = \"skip\" }",
    "on-process-failure = { then = \"close\" }",
    "on-process-failure = { then = \"dead-letter\" }",
    "on-process-failure = { attempts = 2, then = \"retry-topic\" }",
    "on-process-failure = { then = \"block\" }",
];

fn application() -> impl Strategy<Value = String> {
    let one_each = (
        line(WORKERS),
        line(SOURCES),
        line(FAILURES),
        line(&[
            "on-commit-failure = \"retry-saved\"",
            "on-commit-failure = \"ignore\"",
        ]),
        line(&[
            "on-send-failure = \"resend\"",
            "on-send-failure = \"ignore\"",
        ]),
        line(&["instances = 2"]),
        line(&["seek-on-assign = false"]),
    );
    (prop::sample::select(ORDERS), one_each).prop_map(|(order, lines)| {
        let (workers, source, failure, commit, send, instances, seek) = lines;
        let lines = [workers, source, failure, commit, send, instances, seek].join("\n");
        format!("[application]\norder = \"{order}\"\n{lines}\n")
    })
}

fn rest() -> impl Strategy<Value = String> {
    let topic = line(&[
        "[topic]\nretention.ms = -1",
        "[topic]\nflush.messages = 1",
        "[topic]\nflush.messages = 3\nretention.ms = -1",
        "[topic]\ncleanup.policy = \"compact\"",
        "[topic]\ncleanup.policy = [\"compact\", \"delete\"]\n[broker]\nlog.cleaner.enable = false",
    ]);
    let sink = line(&[
        "effect = \"upsert\"\nversion-guard = true",
        "effect = \"external\"\nidempotency-key = true",
        "dedup = \"separate\"",
        "dedup = \"memory\"\ndedup-key = \"offset\"",
        "dedup-insert = \"plain\"",
        "fencing = true",
        "dedup-window = 2",
    ]);
    let faults = line(&[
        "[faults]\nconsumer-crash = 2\npoison = 1\nretention = 1",
        "[faults]\n\"response-lost.produce\" = 1\nrebalance = 2\n\"response-lost.fetch\" = 1\ntotal = 2",
        "[faults]\nproducer-id-expiry = 1\noffset-reset = 1\nabort = 1",
        "[faults]\ntotal = 1",
    ]);
    let bounds = line(&[
        "[bounds]\nrecords = 3\nkeys = 2\nretries = 5",
        "[bounds]\nrecords = 1\nstart = \"cold\"",
    ]);
    (topic, sink, faults, bounds).prop_map(|(topic, sink, faults, bounds)| {
        format!("{topic}\n[sink]\n{sink}\n{faults}\n{bounds}\n")
    })
}

const RESULTS: &[&str] = &[
    "kafka[produce, commit]",
    "each(kafka[produce, commit])",
    "kafka[each(produce-async), commit]",
    "kafka[db[process, remember], produce, commit]",
    "kafka[produce] -> commit",
    "kafka[produce, db[save-offset]]",
    "produce -> commit",
    "each(produce-async) -> flush -> commit",
    "process -> produce -> commit",
];

/// A design that writes results, with what brokers have of transactions.
fn any_results() -> impl Strategy<Value = String> {
    let clients = line(&[
        "client = \"librdkafka\"",
        "client = \"librdkafka\"\nkafka = \"3.9\"",
        "kafka = \"2.4\"",
        "kafka = \"3.5\"",
        "kafka = \"3.9\"",
        "kafka = \"4.1\"",
        "kafka = \"4.1\"\nclient-version = \"3.9\"",
    ]);
    let input = line(&[
        "isolation.level = \"read_committed\"",
        "isolation.level = \"read_uncommitted\"",
    ]);
    let own = line(&[
        "on-abort = \"continue\"",
        "transactional-id = \"per-start\"",
        "transactional-id = \"per-partition\"",
        "group-metadata = false",
        "prepared-transaction = \"resume\"",
        "on-revoke = \"nothing\"",
        "instances = 2",
    ]);
    let broker = line(&[
        "[broker]\ntransaction.version = 0",
        "[broker]\ntransaction.version = 1",
        "[broker]\ntransaction.version = 2",
        "[broker]\ntransaction.partition.verification.enable = false",
        "[broker]\ntransaction.version = 1\ntransaction.partition.verification.enable = false",
        "[broker]\ntransaction.max.timeout.ms = 100000\nlog.flush.interval.messages = 1",
        "[broker]\ntransaction.max.timeout.ms = 2147483647",
    ]);
    let producer = line(&[
        "acks = \"1\"\nenable.idempotence = false",
        "retries = 1",
        "transaction.timeout.ms = 2147483647",
    ]);
    let reader = line(&["[output.consumer]\nisolation.level = \"read_committed\""]);
    let order = prop::sample::select(RESULTS);
    let all = (order, clients, input, own, broker, producer, reader);
    all.prop_map(|(order, clients, input, own, broker, producer, reader)| {
        let id = match order.contains("kafka[") {
            true => "transactional.id = \"results\"",
            false => "",
        };
        let effect = match order.contains("process") {
            true => "add",
            false => "topic",
        };
        format!(
            "{clients}\n[consumer]\nenable.auto.commit = false\n{input}\n[application]\norder = \"{order}\"\n{own}\n{broker}\n[sink]\neffect = \"{effect}\"\n[output.producer]\n{id}\n{producer}\n{reader}\n"
        )
    })
}

fn any_design() -> impl Strategy<Value = String> {
    let versions = vec!["0.11", "2.4", "2.8", "3.1.0", "3.9", "4.0", "4.1", "4.3"];
    let java = (
        prop::sample::select(versions),
        producer(),
        consumer(JAVA_GROUPS),
    )
        .prop_map(|(kafka, producer, consumer)| {
            format!("kafka = \"{kafka}\"\n{producer}{consumer}")
        });
    let librdkafka = (producer(), consumer(LIBRDKAFKA_GROUPS))
        .prop_map(|(producer, consumer)| format!("client = \"librdkafka\"\n{producer}{consumer}"));
    (prop_oneof![java, librdkafka], application(), rest())
        .prop_map(|(clients, application, rest)| format!("{clients}{application}{rest}"))
}

/// What is written resolves to the same pipeline, and is written alike the second time.
fn is_read_as_it_is_written(text: &str) -> Result<(), TestCaseError> {
    let Ok(design) = parse(text) else {
        // About a quarter: settings that contradict each other, or that the version lacks.
        return Err(TestCaseError::reject("refused"));
    };
    let again = again(&design);
    prop_assert_eq!(again.pipeline(), design.pipeline());
    let text = write(design.pipeline(), &design.versions());
    prop_assert_eq!(write(again.pipeline(), &again.versions()), text);
    Ok(())
}

proptest! {
    #[test]
    fn a_design_is_read_as_it_is_written(text in any_design()) {
        is_read_as_it_is_written(&text)?;
    }

    #[test]
    fn a_design_with_results_is_read_as_it_is_written(text in any_results()) {
        is_read_as_it_is_written(&text)?;
    }
}
