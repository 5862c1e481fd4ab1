//! A second partition, from the start or added while the pipeline runs: with what it goes together.

use super::*;
use semel_models::fault::Fault;

fn with(root: &str, producer: &str, consumer: &str, application: &str, rest: &str) -> String {
    format!(
        "{root}\n[producer]\n{producer}\n[consumer]\nauto.offset.reset = \"earliest\"\n{consumer}\n\
         [application]\n{application}\n{rest}\nadd-partition = 1\n"
    )
}

const ORDER: &str = "order = \"process -> commit\"";
const MANUAL: &str = "enable.auto.commit = false";
const FAULTS: &str = "[faults]";

#[test]
fn a_consumer_that_commits_and_waits_goes_with_it() {
    for client in ["java", "librdkafka"] {
        let root = format!("client = \"{client}\"");
        accepted(&with(
            &root,
            "enable.idempotence = false",
            MANUAL,
            ORDER,
            FAULTS,
        ));
    }
    accepted(&with("", "", MANUAL, ORDER, FAULTS));
}

#[test]
fn what_does_not_go_with_it_is_refused_by_name() {
    let application = |line: &str| with("", "", MANUAL, &format!("{ORDER}\n{line}"), FAULTS);
    let order = |order: &str| with("", "", MANUAL, &format!("order = \"{order}\""), FAULTS);
    let sink = |line: &str| with("", "", MANUAL, ORDER, &format!("[sink]\n{line}\n{FAULTS}"));
    let fault = |name: &str| with("", "", MANUAL, ORDER, &format!("{FAULTS}\n{name} = 1"));
    let librdkafka = "client = \"librdkafka\"";
    let cooperative = "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.CooperativeStickyAssignor\"";
    for (text, what) in [
        (
            with("", "", &format!("{MANUAL}\n{cooperative}"), ORDER, FAULTS),
            "a cooperative consumer",
        ),
        (
            with(
                librdkafka,
                "enable.idempotence = true",
                MANUAL,
                ORDER,
                FAULTS,
            ),
            "an idempotent producer of librdkafka",
        ),
        (
            with(
                "kafka = \"2.4\"",
                "enable.idempotence = true",
                MANUAL,
                ORDER,
                FAULTS,
            ),
            "an idempotent Java producer before 2.5",
        ),
        (application("workers = 1"), "`workers`"),
        (application("instances = 2"), "instances = 2"),
        (
            application("assignment = \"assign\""),
            "assignment = \"assign\"",
        ),
        (
            application("on-revoke = \"commit\""),
            "on-revoke = \"commit\"",
        ),
        (
            application("on-process-failure = { attempts = 1, then = \"retry-topic\" }"),
            "then = \"retry-topic\"",
        ),
        (
            application("on-commit-failure = \"ignore\""),
            "on-commit-failure = \"ignore\"",
        ),
        (order("process -> commit-async"), "`commit-async`"),
        (order("produce -> commit"), "`produce` or `kafka[...]`"),
        (order("kafka[process, commit]"), "`produce` or `kafka[...]`"),
        (order("db[process, save-offset]"), "`save-offset`"),
        (
            sink("effect = \"upsert\"\nversion-guard = true"),
            "version-guard = true",
        ),
        (fault("broker-crash"), "the fault broker-crash"),
        (fault("topic-recreate"), "the fault topic-recreate"),
    ] {
        let error = told(&refused(&text));
        let message = format!("the fault add-partition together with {what} is not modelled yet");
        assert!(error.contains(&message), "{what}: {error}");
    }
}

#[test]
fn one_partition_is_added_at_most() {
    let text =
        with("", "", MANUAL, ORDER, FAULTS).replace("add-partition = 1", "add-partition = 2");
    assert!(told(&refused(&text)).contains("only one partition is added"));
}

/// With two partitions from the start.
fn two(root: &str, consumer: &str, application: &str, rest: &str) -> String {
    format!(
        "{root}\n[consumer]\nauto.offset.reset = \"earliest\"\n{consumer}\n\
         [application]\n{application}\n{rest}\n[bounds]\npartitions = 2\nkeys = 2\n"
    )
}

#[test]
fn two_partitions_go_with_every_way_to_commit_of_one_consumer() {
    let java = [
        ("enable.auto.commit = true", "order = \"process\""),
        (
            MANUAL,
            "order = \"process -> commit\"\ncommit-covers = \"position\"",
        ),
        (MANUAL, "order = \"each(process) -> commit\""),
    ];
    for (consumer, application) in java {
        let design = accepted(&two("", consumer, application, ""));
        assert_eq!(design.pipeline().bounds.partitions, 2);
    }
    let stores = "order = \"process -> store-offset\"";
    let by_hand = "enable.auto.offset.store = false";
    let librdkafka = "client = \"librdkafka\"\n[producer]\nenable.idempotence = false";
    accepted(&two(librdkafka, by_hand, stores, ""));
    accepted(&two(librdkafka, "", "order = \"process\"", ""));
}

/// Without `[faults]` each process, network and group fault is among them.
#[test]
fn two_partitions_go_with_every_default_fault() {
    let design = accepted(&two("", MANUAL, ORDER, ""));
    let faults = &design.pipeline().faults;
    for fault in [Fault::ProducerPause, Fault::RequestDelayed] {
        assert!(faults.contains(fault), "{fault}");
    }
}

#[test]
fn two_consumers_share_two_partitions_in_an_eager_group() {
    let with = |consumer: &str, line: &str| {
        let application = format!("{ORDER}\ninstances = 2\n{line}");
        two("", &format!("{MANUAL}\n{consumer}"), &application, "")
    };
    accepted(&with("", ""));
    let sticky =
        "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.StickyAssignor\"";
    for (text, what) in [
        (
            with("group.protocol = \"consumer\"", ""),
            "a protocol in which a member keeps one partition while another moves",
        ),
        (with(sticky, ""), "a sticky assignor"),
        (with("group.instance.id = \"a\"", ""), "group.instance.id"),
    ] {
        let error = told(&refused(&text));
        let message =
            format!("partitions = 2 together with instances = 2 and {what} is not modelled yet");
        assert!(error.contains(&message), "{what}: {error}");
    }
}

#[test]
fn what_does_not_go_with_two_partitions_is_refused_by_name() {
    let fault = |name: &str| two("", MANUAL, ORDER, &format!("[faults]\n{name} = 1"));
    let order = |order: &str| two("", MANUAL, &format!("order = \"{order}\""), "");
    for (text, what) in [
        (fault("add-partition"), "the fault add-partition"),
        (fault("broker-crash"), "the fault broker-crash"),
        (fault("compaction"), "the fault compaction"),
        (order("process -> commit-async"), "`commit-async`"),
        (order("produce -> commit"), "`produce` or `kafka[...]`"),
        (
            two("", MANUAL, &format!("{ORDER}\nworkers = 1"), ""),
            "`workers`",
        ),
        (
            two("", MANUAL, &format!("{ORDER}\nassignment = \"assign\""), ""),
            "assignment = \"assign\"",
        ),
    ] {
        let error = told(&refused(&text));
        let message = format!("partitions = 2 together with {what}");
        assert!(error.contains(&message), "{what}: {error}");
    }
}

#[test]
fn three_partitions_are_refused_with_the_reason() {
    let text = two("", MANUAL, ORDER, "").replace("partitions = 2", "partitions = 3");
    let error = told(&refused(&text));
    assert!(error.contains("`partitions`"), "{error}");
    assert!(error.contains("three or more are not modelled"), "{error}");
}
