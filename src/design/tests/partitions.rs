//! A partition that is added while the pipeline runs: with what it goes together.

use super::*;

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
            with("", "", "enable.auto.commit = true", ORDER, FAULTS),
            "automatic commit",
        ),
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
            application("commit-covers = \"position\""),
            "commit-covers = \"position\"",
        ),
        (
            application("on-commit-failure = \"ignore\""),
            "on-commit-failure = \"ignore\"",
        ),
        (order("process -> commit-async"), "`commit-async`"),
        (order("db[process, save-offset]"), "`save-offset`"),
        (
            sink("effect = \"upsert\"\nversion-guard = true"),
            "version-guard = true",
        ),
        (fault("broker-crash"), "the fault broker-crash"),
        (fault("request-delayed"), "the fault request-delayed"),
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
