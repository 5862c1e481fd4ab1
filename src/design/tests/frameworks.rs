//! What frameworks stand for, and what they leave to say.

use super::super::{Origin, WarningKind};
use super::{accepted, only, warned};

/// The design without and with a framework come to the same.
fn alike(with: &str, without: &str) {
    assert_eq!(
        accepted(with).pipeline(),
        accepted(without).pipeline(),
        "{with}"
    );
}

fn spring(consumer: &str, application: &str) -> String {
    format!(
        "[consumer]\nauto.offset.reset = \"earliest\"\n{consumer}\n[application]\nframework = \"spring-kafka\"\n{application}\n"
    )
}

fn by_hand(application: &str) -> String {
    format!(
        "[consumer]\nauto.offset.reset = \"earliest\"\nenable.auto.commit = false\n[application]\n{application}\n"
    )
}

const TEN: &str = "on-process-failure = { attempts = 10, then = \"skip\" }";

#[test]
fn each_ack_mode_is_an_order_and_ten_attempts() {
    for (mode, order) in [
        ("", "each(process) -> commit"),
        ("ack-mode = \"BATCH\"", "each(process) -> commit"),
        ("ack-mode = \"RECORD\"", "process -> commit"),
        ("ack-mode = \"MANUAL\"", "each(process) -> commit"),
        ("ack-mode = \"MANUAL_IMMEDIATE\"", "process -> commit"),
    ] {
        let written = format!("order = \"{order}\"\n{TEN}");
        alike(&spring("", mode), &by_hand(&written));
    }
}

#[test]
fn what_the_listener_does_is_put_where_the_container_calls_it() {
    for (mode, listener, order) in [
        (
            "BATCH",
            "db[process, remember]",
            "each(db[process, remember]) -> commit",
        ),
        (
            "RECORD",
            "skip-if-seen -> process -> remember",
            "skip-if-seen -> process -> remember -> commit",
        ),
        (
            "MANUAL",
            "db[process, remember] -> commit",
            "each(db[process, remember]) -> commit",
        ),
        (
            "MANUAL",
            "process -> commit-async",
            "each(process) -> commit-async",
        ),
        ("MANUAL_IMMEDIATE", "commit -> process", "commit -> process"),
        ("MANUAL_IMMEDIATE", "process", "process"),
        ("BATCH", "produce", "each(produce) -> commit"),
    ] {
        let effect = match listener {
            "produce" => "[sink]\neffect = \"topic\"",
            _ => "",
        };
        let stated = format!("ack-mode = \"{mode}\"\norder = \"{listener}\"\n{effect}");
        let written = format!("order = \"{order}\"\n{TEN}\n{effect}");
        alike(&spring("", &stated), &by_hand(&written));
    }
}

#[test]
fn what_is_stated_goes_before_what_the_framework_would_do() {
    let letters = "on-process-failure = { attempts = 3, then = \"dead-letter\" }";
    alike(
        &spring("", letters),
        &by_hand(&format!("order = \"each(process) -> commit\"\n{letters}")),
    );
    alike(
        &spring("", "on-process-failure = { then = \"dead-letter\" }"),
        &by_hand(
            "order = \"each(process) -> commit\"\non-process-failure = { attempts = 10, then = \"dead-letter\" }",
        ),
    );
    alike(
        &spring("enable.auto.commit = true", "ack-mode = \"RECORD\""),
        &format!(
            "[consumer]\nauto.offset.reset = \"earliest\"\nenable.auto.commit = true\n[application]\norder = \"process\"\n{TEN}"
        ),
    );
}

#[test]
fn a_container_with_transactions_commits_in_them() {
    let output = "[output.producer]\ntransactional.id = \"orders-0\"";
    for (listener, order) in [
        ("process", "kafka[process, commit]"),
        ("produce", "kafka[produce, commit]"),
    ] {
        let effect = match listener {
            "produce" => "[sink]\neffect = \"topic\"",
            _ => "",
        };
        alike(
            &spring("", &format!("order = \"{listener}\"\n{effect}\n{output}")),
            &by_hand(&format!("order = \"{order}\"\n{TEN}\n{effect}\n{output}")),
        );
    }
    let own = "order = \"kafka[produce]\"\n[sink]\neffect = \"topic\"";
    alike(
        &spring("", &format!("{own}\n{output}")),
        &by_hand(&format!(
            "order = \"each(kafka[produce]) -> commit\"\n{TEN}\n[sink]\neffect = \"topic\"\n{output}"
        )),
    );
}

#[test]
fn streams_flushes_and_commits_or_sends_offsets_to_the_transaction() {
    let assignor = "partition.assignment.strategy = \"org.apache.kafka.clients.consumer.CooperativeStickyAssignor\"";
    let topic = "[sink]\neffect = \"topic\"";
    let by_hand = |consumer: &str, application: &str, output: &str| {
        format!(
            "[consumer]\nauto.offset.reset = \"earliest\"\nenable.auto.commit = false\n{assignor}\n{consumer}\n[application]\n{application}\n{topic}\n{output}"
        )
    };
    alike(
        "[application]\nframework = \"kafka-streams\"",
        &by_hand("", "order = \"each(produce-async) -> flush -> commit\"", ""),
    );
    let transactional = "[output.producer]\nenable.idempotence = true\ntransactional.id = \"any\"";
    let exactly_once = "order = \"kafka[each(produce-async), flush, commit]\"\ntransactional-id = ";
    let read_committed = "isolation.level = \"read_committed\"";
    for id in ["per-start", "stable"] {
        let stated = match id {
            "stable" => "transactional-id = \"stable\"",
            _ => "",
        };
        alike(
            &format!(
                "[application]\nframework = \"kafka-streams\"\nprocessing.guarantee = \"exactly_once_v2\"\n{stated}"
            ),
            &by_hand(
                read_committed,
                &format!("{exactly_once}\"{id}\""),
                transactional,
            ),
        );
    }
}

#[test]
fn each_setting_of_a_framework_has_its_reason_and_is_told_apart() {
    let design = accepted(&spring("", ""));
    let keys: Vec<&str> = design
        .derived()
        .iter()
        .map(|own| own.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "enable.auto.commit",
            "order",
            "on-process-failure.attempts",
            "on-process-failure.then",
            "on-revoke"
        ]
    );
    assert!(design.derived().iter().all(|own| !own.why.is_empty()));
    let order = design
        .settings()
        .iter()
        .find(|setting| setting.name == "order");
    assert!(matches!(
        order.map(|own| &own.origin),
        Some(Origin::Framework(_))
    ));
}

#[test]
fn that_a_listener_acknowledges_at_last_is_assumed_aloud() {
    let assumes = |lines: &str| {
        let design = accepted(&spring("", lines));
        warned(&design).contains(&WarningKind::Assumed)
    };
    assert!(assumes("ack-mode = \"MANUAL\""));
    assert!(assumes("ack-mode = \"MANUAL_IMMEDIATE\""));
    assert!(!assumes(
        "ack-mode = \"MANUAL\"\norder = \"process -> commit\""
    ));
    assert!(!assumes("ack-mode = \"RECORD\""));
}

#[test]
fn what_a_framework_leaves_no_room_for_is_refused() {
    for (text, told) in [
        (
            spring("", "order = \"process -> commit\""),
            "does not commit",
        ),
        (spring("", "order = \"each(process)\""), "each(...)"),
        (spring("", "workers = 2"), "`workers` stands beside"),
        (
            spring("", "commit-covers = \"last\""),
            "`commit-covers` stands beside",
        ),
        (spring("", "ack-mode = \"TIME\""), "not modelled yet"),
        (spring("", "ack-mode = \"COUNT\""), "not modelled yet"),
        (spring("", "ack-mode = \"COUNT_TIME\""), "not modelled yet"),
        (
            spring("", "ack-mode = \"MANUAL\"\norder = \"commit -> process\""),
            "acknowledges before its work",
        ),
        (
            spring(
                "",
                "ack-mode = \"MANUAL\"\norder = \"commit -> process -> commit\"",
            ),
            "acknowledges before its work",
        ),
        (
            spring("enable.auto.commit = true", "ack-mode = \"MANUAL\""),
            "Spring refuses",
        ),
        (
            spring("", "processing.guarantee = \"at_least_once\""),
            "`processing.guarantee` needs",
        ),
        (
            spring(
                "",
                "ack-mode = \"MANUAL\"\n[output.producer]\ntransactional.id = \"o\"",
            ),
            "transactional container",
        ),
        (
            spring(
                "",
                "on-process-failure = { then = \"dead-letter\" }\ndead-letter-order = \"commit -> write\"",
            ),
            "writes before",
        ),
        (
            format!("client = \"librdkafka\"\n{}", spring("", "")),
            "needs client = \"java\"",
        ),
        (
            spring(
                "enable.auto.commit = true",
                "[output.producer]\ntransactional.id = \"o\"",
            ),
            "with a transactional container",
        ),
        (
            String::from("[application]\nframework = \"spring\"\nack-mode = \"BATCH\""),
            "`framework` has no value \"spring\"",
        ),
        (
            String::from("[application]\norder = \"process\"\nack-mode = \"BATCH\""),
            "`ack-mode` needs",
        ),
        (
            String::from("[application]\nframework = \"kafka-streams\"\nack-mode = \"BATCH\""),
            "`ack-mode` needs",
        ),
        (
            String::from(
                "[application]\nframework = \"kafka-streams\"\norder = \"produce -> commit\"",
            ),
            "order of a topology",
        ),
        (
            String::from(
                "[consumer]\nenable.auto.commit = true\n[application]\nframework = \"kafka-streams\"",
            ),
            "stands beside",
        ),
        (
            String::from(
                "[consumer]\nisolation.level = \"read_committed\"\n[application]\nframework = \"kafka-streams\"\nprocessing.guarantee = \"exactly_once_v2\"",
            ),
            "stands beside",
        ),
    ] {
        let (_, message) = only(&text);
        assert!(message.contains(told), "{text}\n{message}");
    }
}
