//! What Kafka refuses of results and their transactions, and what is said of orders around them.

use super::*;

/// A design that writes results in this order, with these parts.
fn results(head: &str, order: &str, producer: &str, rest: &str) -> String {
    format!(
        "{head}\n[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"{order}\"\n[output.producer]\ntransactional.id = \"results\"\n\
         {producer}\n[faults]\nconsumer-crash = 1\n{rest}\n"
    )
}

const TOPIC: &str = "[sink]\neffect = \"topic\"\n";
const ORDER: &str = "kafka[produce, commit]";

fn texts(design: &Design) -> Vec<&str> {
    let warnings = design.warnings().iter();
    warnings.map(super::super::Warning::text).collect()
}

#[test]
fn a_transactional_producer_does_not_send_between_its_transactions() {
    for order in [
        "produce -> kafka[commit]",
        "kafka[commit] -> produce",
        "produce-async -> kafka[commit]",
        "each(produce-async -> kafka[commit])",
    ] {
        let (code, message) = only(&results("", order, "", TOPIC));
        assert_eq!(code, Code::RefusedByKafka, "{order}");
        assert!(
            message.ends_with("stands outside of kafka[...]"),
            "{message}"
        );
    }
    let beside = results("", "produce -> kafka[process, commit]", "", "");
    assert_eq!(only(&beside).0, Code::RefusedByKafka);
    accepted(&results("", "process -> kafka[produce, commit]", "", ""));
}

#[test]
fn a_topic_refuses_no_older_generation() {
    let fenced = results("", ORDER, "", "[sink]\neffect = \"topic\"\nfencing = true");
    let (code, message) = only(&fenced);
    assert_eq!(code, Code::Contradiction);
    assert_eq!(message, "`fencing` needs a sink that knows generations");
}

#[test]
fn no_cluster_before_4_0_has_a_transaction_version() {
    let stated = |kafka: &str, version: u8| {
        let rest = format!("{TOPIC}[broker]\ntransaction.version = {version}");
        results(&format!("kafka = \"{kafka}\""), ORDER, "", &rest)
    };
    for (kafka, version) in [("3.9", 2), ("3.9", 1), ("2.5", 2)] {
        assert_eq!(only(&stated(kafka, version)).0, Code::RefusedByKafka);
    }
    accepted(&stated("3.9", 0));
    for version in 0..=2 {
        accepted(&stated("4.0", version));
    }
    // Nor where nobody sends in transactions.
    let without = format!("kafka = \"3.9\"\n{SOUND}[broker]\ntransaction.version = 2\n");
    assert_eq!(only(&without).0, Code::RefusedByKafka);
}

#[test]
fn the_coordinator_limits_the_timeout_of_whoever_writes_results() {
    let too_long = "transaction.timeout.ms = 1000000";
    for head in ["client = \"java\"", "client = \"librdkafka\""] {
        let (code, message) = only(&results(head, ORDER, too_long, TOPIC));
        assert_eq!(code, Code::RefusedByKafka);
        assert!(message.contains("1000000"), "{message}");
        let lowered = format!("{TOPIC}[broker]\ntransaction.max.timeout.ms = 30000");
        let (code, message) = only(&results(head, ORDER, "", &lowered));
        assert_eq!(code, Code::RefusedByKafka);
        assert!(message.contains("60000"), "{message}");
    }
    let raised = format!("{TOPIC}[broker]\ntransaction.max.timeout.ms = 1000000");
    accepted(&results("", ORDER, too_long, &raised));
}

#[test]
fn a_commit_inside_a_transaction_is_not_repeated() {
    let on_failure = |order: &str| {
        let text = results("", order, "", TOPIC);
        let stated = "[application]\non-commit-failure = \"ignore\"";
        let design = accepted(&text.replace("[application]", stated));
        warned(&design).contains(&WarningKind::NoEffect)
    };
    assert!(on_failure(ORDER));
    assert!(on_failure("each(kafka[produce, commit])"));
    assert!(!on_failure("kafka[produce] -> commit"));
}

#[test]
fn no_advice_is_refused_itself() {
    let six = "max.in.flight.requests.per.connection = 6";
    for (head, stated) in [
        ("client = \"java\"", six),
        ("client = \"librdkafka\"", six),
        ("client = \"librdkafka\"", "acks = 1"),
    ] {
        let error = refused(&results(head, ORDER, stated, TOPIC));
        assert!(!told(&error).contains("enable.idempotence = false"));
    }
}

#[test]
fn nothing_follows_from_an_order_that_cannot_be_read() {
    let reader = format!("{TOPIC}[output.consumer]\nisolation.level = \"read_committed\"");
    for order in [
        "kafka[produce, comit]",
        "kafka[produce, kafka[commit]]",
        "kafka[produce, commit-async]",
        "kafka[produce, commit] -> kafka[produce, commit]",
        "db[kafka[produce, commit]]",
        "each(produce) -> each(kafka[commit])",
    ] {
        let error = refused(&results("", order, "", &reader));
        assert_eq!(error.problems().len(), 1, "{order}: {}", told(&error));
    }
}

#[test]
fn a_table_without_use_is_called_so() {
    let text = SOUND.to_owned() + "[output.consumer]\nisolation.level = \"read_committed\"\n";
    let expected = "[output.consumer] has no use here".to_owned();
    assert_eq!(only(&text), (Code::Contradiction, expected));
}

#[test]
fn transactions_came_with_0_11() {
    let text = results("kafka = \"0.10\"", ORDER, "", TOPIC);
    let (code, message) = only(&text);
    assert_eq!(code, Code::UnknownKey);
    assert!(message.contains("`transactional.id` does not exist in Kafka 0.10"));
    let (code, message) = only(&text.replace("transactional.id = \"results\"", ""));
    assert_eq!(code, Code::RefusedByKafka);
    assert_eq!(message, "Kafka 0.10 has no transactions");
}

#[test]
fn a_result_behind_its_identity_may_be_skipped() {
    let skipped = |order: &str, id: bool| {
        let text = results("", order, "", "");
        let text = match id {
            true => text,
            false => text.replace("transactional.id = \"results\"", ""),
        };
        let design = accepted(&text);
        texts(&design)
            .iter()
            .any(|text| text.starts_with("`remember` stands before the result"))
    };
    assert!(skipped(
        "kafka[db[process, remember], produce, commit]",
        true
    ));
    assert!(skipped("db[process, remember] -> produce -> commit", false));
    assert!(!skipped(
        "kafka[produce, db[process, remember], commit]",
        true
    ));
}

#[test]
fn a_record_that_never_gets_old_enough_is_never_cleaned() {
    let cleaned = |topic: &str, broker: &str| {
        let text =
            format!("{SOUND}[topic]\ncleanup.policy = \"compact\"\n{topic}\n[broker]\n{broker}\n");
        accepted(&text).pipeline().topic.cleaned
    };
    let (never, one) = ("9223372036854775807", "60000");
    let own = |lag: &str| format!("min.compaction.lag.ms = {lag}");
    let inherited = |lag: &str| format!("log.cleaner.min.compaction.lag.ms = {lag}");
    assert!(cleaned("", ""));
    assert!(cleaned(&own(one), ""));
    assert!(!cleaned(&own(never), ""));
    assert!(!cleaned("", &inherited(never)));
    assert!(cleaned(&own(one), &inherited(never)));
}
