//! What the clients and brokers refuse, and what they resolve.

use semel_models::pipeline::{Acks, AutoCommit, OffsetReset};

use super::super::settings::Origin;
use super::*;

fn refused_by_kafka(text: &str) -> String {
    let (code, message) = only(text);
    assert_eq!(code, Code::RefusedByKafka, "{message}");
    message
}

fn why(text: &str) -> String {
    let error = refused(text);
    error.problems()[0].why().unwrap_or("").to_owned()
}

fn value(design: &Design, name: &str) -> (String, Origin) {
    let setting = design
        .settings()
        .iter()
        .find(|setting| setting.name == name)
        .unwrap_or_else(|| panic!("no setting {name}"));
    (setting.value.clone(), setting.origin.clone())
}

#[test]
fn a_property_that_only_bears_on_delivery_with_the_other_client_is_warned_of() {
    let text = librdkafka(
        "enable.idempotence = true",
        "enable.auto.commit = false\nauto.offset.reset = \"earliest\"\nmax.poll.records = 10",
    );
    let design = accepted(&text);
    assert_eq!(warned(&design), [WarningKind::NoEffect]);
    assert_eq!(
        design.warnings()[0].text(),
        "`max.poll.records` has no bearing with librdkafka: only share consumers of librdkafka read it. It bears on delivery with the Java client only."
    );
    assert!(warned(&accepted(&with_consumer("max.poll.records = 1"))).is_empty());
}

#[test]
fn java_drops_idempotence_in_silence_and_semel_says_so() {
    for lines in ["acks = 1", "acks = \"0\"", "retries = 0"] {
        let design = accepted(&with_producer(lines));
        assert!(!design.pipeline().producer.idempotence, "{lines}");
        assert_eq!(warned(&design), [WarningKind::ResolvedByClient], "{lines}");
        assert!(
            design.warnings()[0]
                .text()
                .contains("silently turns idempotence off")
        );
        assert!(
            matches!(value(&design, "enable.idempotence"), (text, Origin::Resolved(_)) if text == "false")
        );
    }
}

#[test]
fn java_refuses_idempotence_that_was_asked_for_with_less_than_acks_all() {
    let text = with_producer("enable.idempotence = true\nacks = \"1\"");
    assert_eq!(
        refused_by_kafka(&text),
        "the Java producer refuses acks = 1 with enable.idempotence = true"
    );
    assert!(why(&text).starts_with("org.apache.kafka.common.config.ConfigException"));
    assert_eq!(
        refused_by_kafka(&with_producer("enable.idempotence = \"TRUE\"\nretries = 0")),
        "the Java producer refuses retries = 0 with enable.idempotence = true"
    );
}

#[test]
fn java_refuses_six_in_flight_even_where_acks_would_drop_idempotence() {
    let flight = "max.in.flight.requests.per.connection = 6";
    refused_by_kafka(&with_producer(flight));
    refused_by_kafka(&with_producer(&format!("{flight}\nacks = 1")));
    let off = accepted(&with_producer(&format!(
        "{flight}\nenable.idempotence = false"
    )));
    assert_eq!(off.pipeline().producer.max_in_flight, 6);
    assert!(off.warnings().is_empty());
}

#[test]
fn java_refuses_a_delivery_timeout_below_linger_and_request_and_raises_its_default() {
    let message = refused_by_kafka(&with_producer("delivery.timeout.ms = 30004"));
    assert!(
        message.ends_with("linger.ms + request.timeout.ms = 30005"),
        "{message}"
    );
    accepted(&with_producer("delivery.timeout.ms = 30005"));
    let raised = accepted(&with_producer("request.timeout.ms = 200000"));
    assert_eq!(warned(&raised), [WarningKind::ResolvedByClient]);
    assert_eq!(value(&raised, "delivery.timeout.ms").0, "200005");
    let capped = accepted(&with_producer("linger.ms = 9223372036854775807"));
    assert_eq!(value(&capped, "delivery.timeout.ms").0, "2147483647");
}

#[test]
fn java_settings_in_force_are_its_defaults() {
    let design = accepted("[application]\norder = \"process\"\n");
    let pipeline = design.pipeline();
    assert_eq!(pipeline.producer.acks, Acks::All);
    assert!(pipeline.producer.idempotence);
    assert_eq!(pipeline.producer.max_in_flight, 5);
    assert_eq!(pipeline.producer.retries, 2);
    assert_eq!(pipeline.consumer.auto_commit, AutoCommit::AtPoll);
    assert_eq!(pipeline.consumer.offset_reset, OffsetReset::Latest);
    assert_eq!(pipeline.bounds.poll, 2);
    assert_eq!(
        value(&design, "acks"),
        (String::from("all"), Origin::KafkaDefault)
    );
}

#[test]
fn librdkafka_settings_in_force_are_its_defaults() {
    let design = accepted("client = \"librdkafka\"\n[application]\norder = \"process\"\n");
    let pipeline = design.pipeline();
    assert_eq!(pipeline.producer.acks, Acks::All);
    assert!(!pipeline.producer.idempotence);
    assert_eq!(pipeline.producer.max_in_flight, 1_000_000);
    assert_eq!(
        pipeline.consumer.auto_commit,
        AutoCommit::Background {
            automatic_store: true
        }
    );
    assert_eq!(pipeline.consumer.offset_reset, OffsetReset::Latest);
    assert_eq!(pipeline.bounds.poll, 1);
    assert_eq!(
        warned(&design),
        [
            WarningKind::UnsafeDefault,
            WarningKind::DefaultFaults,
            WarningKind::UnsafeDefault,
            WarningKind::UnsafeDefault
        ]
    );
}

#[test]
fn librdkafka_lowers_what_was_not_set_for_idempotence() {
    let design = accepted(&librdkafka(
        "enable.idempotence = true",
        "enable.auto.commit = false\nauto.offset.reset = \"earliest\"",
    ));
    assert!(design.pipeline().producer.idempotence);
    assert_eq!(design.pipeline().producer.max_in_flight, 5);
    assert!(design.warnings().is_empty());
}

#[test]
fn librdkafka_refuses_what_was_set_against_idempotence() {
    for line in [
        "acks = 1",
        "request.required.acks = 0",
        "retries = 0",
        "max.in.flight = 6",
        "queue.buffering.backpressure.threshold = 2",
    ] {
        let text = librdkafka(
            &format!("enable.idempotence = true\n{line}"),
            "enable.auto.commit = false",
        );
        let message = refused_by_kafka(&text);
        assert!(message.starts_with("librdkafka refuses "), "{message}");
        assert!(why(&text).contains("RD_KAFKA_RESP_ERR__INVALID_ARG"));
    }
    accepted(&librdkafka(
        "enable.idempotence = true\nacks = \"all\"\nretries = 1\nmax.in.flight = 5",
        "enable.auto.commit = false",
    ));
}

#[test]
fn librdkafka_refuses_a_gapless_guarantee_without_idempotence() {
    let kinds = |idempotence: &str| {
        let text = librdkafka(
            &format!("enable.idempotence = {idempotence}\nenable.gapless.guarantee = true"),
            "enable.auto.commit = false",
        );
        let problems = refused(&text).problems().to_vec();
        problems
            .iter()
            .map(|problem| problem.kind())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("false"), [Code::NotModelled, Code::RefusedByKafka]);
    assert_eq!(kinds("true"), [Code::NotModelled]);
}

#[test]
fn librdkafka_compares_the_message_timeout_with_the_linger() {
    let idempotent = "enable.idempotence = true\n";
    let manual = "enable.auto.commit = false\nauto.offset.reset = \"earliest\"";
    let set = librdkafka(
        &format!("{idempotent}linger.ms = 100\nmessage.timeout.ms = 100"),
        manual,
    );
    refused_by_kafka(&set);
    let lowered = accepted(&librdkafka(
        &format!("{idempotent}message.timeout.ms = 5"),
        manual,
    ));
    assert_eq!(warned(&lowered), [WarningKind::ResolvedByClient]);
    let infinite = librdkafka(&format!("{idempotent}message.timeout.ms = 0"), manual);
    assert_eq!(only(&infinite).0, Code::NotModelled);
}

#[test]
fn each_client_refuses_the_names_of_the_other() {
    let (code, message) = only(&with_producer("message.timeout.ms = 1000"));
    assert_eq!(code, Code::OtherClient);
    assert_eq!(
        message,
        "the Java client has no property `message.timeout.ms`"
    );
    let error = refused(&with_producer("queue.buffering.max.ms = 1"));
    assert_eq!(
        error.problems()[0].instead(),
        Some("The same setting is called `linger.ms` there.")
    );
    let (code, _) = only(&librdkafka(
        "enable.idempotence = true\nbuffer.memory = 1",
        "enable.auto.commit = false",
    ));
    assert_eq!(code, Code::OtherClient);
    let (code, _) = only(&librdkafka(
        "enable.idempotence = true",
        "enable.auto.commit = false\nfetch.max.wait.ms = 1",
    ));
    assert_eq!(code, Code::OtherClient);
}

#[test]
fn the_consumer_protocol_refuses_what_the_coordinator_decides() {
    for line in [
        "session.timeout.ms = 45000",
        "heartbeat.interval.ms = 3000",
        "partition.assignment.strategy = \"range\"",
    ] {
        let consumer = format!("enable.auto.commit = false\ngroup.protocol = \"consumer\"\n{line}");
        let text = librdkafka("enable.idempotence = true", &consumer);
        assert!(refused_by_kafka(&text).contains("group.protocol = consumer"));
        let java = line.replace("range", "org.apache.kafka.clients.consumer.RangeAssignor");
        let text = SOUND.replace(
            "[consumer]",
            &format!("[consumer]\ngroup.protocol = \"CONSUMER\"\n{java}"),
        );
        assert!(refused_by_kafka(&text).contains("group.protocol = consumer"));
    }
    let remote = SOUND.replace(
        "[consumer]",
        "[consumer]\ngroup.remote.assignor = \"uniform\"",
    );
    assert!(refused_by_kafka(&remote).contains("group.protocol = classic"));
}

#[test]
fn sessions_heartbeats_and_polls_must_fit_together() {
    let java = |lines: &str| SOUND.replace("[consumer]", &format!("[consumer]\n{lines}"));
    refused_by_kafka(&java("heartbeat.interval.ms = 45000"));
    refused_by_kafka(&java("session.timeout.ms = 5999"));
    refused_by_kafka(&java("session.timeout.ms = 1800001"));
    accepted(&java("session.timeout.ms = 6000"));
    accepted(
        &(java("session.timeout.ms = 5000") + "[broker]\ngroup.min.session.timeout.ms = 4000\n"),
    );
    let text = librdkafka(
        "enable.idempotence = true",
        "enable.auto.commit = false\nmax.poll.interval.ms = 44999",
    );
    refused_by_kafka(&text);
    accepted(&text.replace("44999", "45000"));
}

#[test]
fn assignors_go_by_each_clients_own_names() {
    let java = SOUND.replace(
        "[consumer]",
        "[consumer]\npartition.assignment.strategy = \"range\"",
    );
    refused_by_kafka(&java);
    let both =
        "enable.auto.commit = false\npartition.assignment.strategy = \"range,cooperative-sticky\"";
    refused_by_kafka(&librdkafka("enable.idempotence = true", both));
    let own = SOUND.replace(
        "[consumer]",
        "[consumer]\npartition.assignment.strategy = [\"com.example.Mine\"]",
    );
    assert_eq!(only(&own).0, Code::NotModelled);
    let known = SOUND.replace("[consumer]", "[consumer]\npartition.assignment.strategy = [\"org.apache.kafka.clients.consumer.StickyAssignor\", \"org.apache.kafka.clients.consumer.RangeAssignor\"]");
    accepted(&known);
}

#[test]
fn a_group_left_out_is_there_and_an_empty_one_is_refused() {
    assert_eq!(
        accepted("[application]\norder = \"process\"")
            .pipeline()
            .consumer
            .auto_commit,
        AutoCommit::AtPoll
    );
    refused_by_kafka(&SOUND.replace("[consumer]", "[consumer]\ngroup.id = \"\""));
    refused_by_kafka(&librdkafka(
        "enable.idempotence = true",
        "enable.auto.commit = false\ngroup.id = \" \"",
    ));
}

#[test]
fn acknowledgements_of_seven_brokers_are_refused_by_the_broker() {
    let text = librdkafka(
        "enable.idempotence = false\nacks = 7",
        "enable.auto.commit = false",
    );
    assert_eq!(refused_by_kafka(&text), "the broker refuses acks = 7");
}

#[test]
fn offset_resets_go_by_each_clients_words() {
    for (word, reset) in [
        ("smallest", OffsetReset::Earliest),
        ("beginning", OffsetReset::Earliest),
        ("end", OffsetReset::Latest),
        ("error", OffsetReset::None),
    ] {
        let consumer = format!("enable.auto.commit = false\nauto.offset.reset = \"{word}\"");
        let design = accepted(&librdkafka("enable.idempotence = true", &consumer));
        assert_eq!(design.pipeline().consumer.offset_reset, reset, "{word}");
        let java = SOUND.replace("earliest", word);
        assert_eq!(only(&java).0, Code::UnknownValue, "{word}");
    }
    let none = accepted(&SOUND.replace("earliest", "none"));
    assert_eq!(none.pipeline().consumer.offset_reset, OffsetReset::None);
}

#[test]
fn librdkafka_without_its_commit_timer_is_not_modelled() {
    let text = librdkafka("enable.idempotence = true", "auto.commit.interval.ms = 0");
    assert_eq!(only(&text).0, Code::NotModelled);
    accepted(&librdkafka(
        "enable.idempotence = true",
        "enable.auto.commit = false\nauto.commit.interval.ms = 0",
    ));
}

#[test]
fn an_application_that_never_hears_of_success_confirms_nothing_on_acknowledgement() {
    for line in ["delivery.report.only.error = true", "dr_msg_cb = false"] {
        let text = librdkafka(
            &format!("enable.idempotence = true\n{line}"),
            "enable.auto.commit = false",
        );
        assert_eq!(only(&text).0, Code::Contradiction, "{line}");
        let text = text.replace("[application]", "[application]\nconfirm-on = \"send\"");
        accepted(&text);
    }
}

#[test]
fn who_waits_for_the_reports_of_results_has_them() {
    let order = |order: &str, line: &str| {
        let text = librdkafka(
            "enable.idempotence = true",
            "enable.auto.commit = false\nauto.offset.reset = \"earliest\"",
        );
        let text = text.replace("process -> commit", order);
        format!("{text}[output.producer]\nenable.idempotence = true\n{line}\n")
    };
    let flush = "each(produce-async) -> flush -> commit";
    let (all, success) = ("dr_msg_cb = false", "delivery.report.only.error = true");
    for (steps, line) in [
        ("produce -> commit", all),
        ("produce -> commit", success),
        (flush, all),
    ] {
        assert_eq!(only(&order(steps, line)).0, Code::Contradiction, "{line}");
    }
    accepted(&order(flush, success));
    accepted(&order("produce-async -> commit", all));
}

#[test]
fn a_minimum_above_the_replicas_is_lowered_and_said() {
    let text = format!("[topic]\nmin.insync.replicas = 2\nreplication.factor = 1\n{SOUND}");
    assert_eq!(warned(&accepted(&text)), [WarningKind::ResolvedByClient]);
}

#[test]
fn a_minimum_above_the_replicas_refuses_every_write_before_3_7() {
    for table in [
        "[topic]\nreplication.factor = 1\n",
        "[topic]\nreplication.factor = 2\n",
        "[broker]\n",
    ] {
        let text = format!("{table}min.insync.replicas = 3\n{SOUND}");
        let (code, told) = only(&format!("kafka = \"3.6\"\n{text}"));
        assert_eq!(code, Code::NotModelled);
        assert!(told.contains("before Kafka 3.7"), "{told}");
        accepted(&format!("kafka = \"3.7\"\n{text}"));
    }
}

#[test]
fn a_broker_that_does_not_start_is_refused() {
    let text = format!("{SOUND}\n[broker]\nreplica.fetch.wait.max.ms = 40000\n");
    let error = refused(&text);
    assert_eq!(codes(&error), [Code::RefusedByKafka, Code::RefusedByKafka]);
    let heartbeat = |interval: u32| {
        let bounds = "group.consumer.max.heartbeat.interval.ms = 60000";
        format!("{SOUND}\n[broker]\n{bounds}\ngroup.consumer.heartbeat.interval.ms = {interval}\n")
    };
    accepted(&heartbeat(44_999));
    refused_by_kafka(&heartbeat(45_000));
}

#[test]
fn the_broker_gives_the_topic_its_flush_interval() {
    let text = format!("{SOUND}\n[broker]\nlog.flush.interval.messages = 1\n");
    assert_eq!(accepted(&text).pipeline().topic.flush_messages, Some(1));
    let text = format!(
        "{SOUND}\n[broker]\nlog.flush.interval.messages = 1\n[topic]\nflush.messages = 9223372036854775807\n"
    );
    assert_eq!(accepted(&text).pipeline().topic.flush_messages, None);
}

#[test]
fn a_group_protocol_that_the_brokers_switched_off_is_refused() {
    let text = |protocols: &str, own: &str| {
        let sound = SOUND.replace(
            "[consumer]",
            &format!("[consumer]\ngroup.protocol = \"{own}\""),
        );
        format!("{sound}\n[broker]\ngroup.coordinator.rebalance.protocols = \"{protocols}\"\n")
    };
    accepted(&text("classic, consumer", "consumer"));
    assert_eq!(
        refused_by_kafka(&text("classic", "consumer")),
        "the broker refuses consumers of group.protocol = consumer"
    );
    refused_by_kafka(&text("consumer", "consumer"));
}

#[test]
fn a_topic_property_that_kafka_defines_nowhere_is_refused() {
    let text = format!("[topic]\nmessage.downconversion.enable = true\n{SOUND}");
    assert_eq!(only(&text).0, Code::UnknownKey);
}

#[test]
fn an_empty_list_of_interceptors_is_the_default_and_another_is_not_modelled() {
    accepted(&with_producer("interceptor.classes = []"));
    assert_eq!(
        only(&with_producer("interceptor.classes = \"com.example.Drop\"")).0,
        Code::NotModelled
    );
}
