//! Designs written from the files that a service has, as a shell sees it.

#[path = "support/shell.rs"]
mod shell;

use serde_json::Value;
use shell::{code, err, out, semel};
use std::process::Output;

/// What Spring's own starter leads to: a group, a reset, a deserializer, and a listener beside it.
const STOCK: &str = r#"spring:
  application:
    name: orders
  kafka:
    bootstrap-servers: ${KAFKA_SERVERS:localhost:9092}
    consumer:
      group-id: orders
      auto-offset-reset: earliest
      value-deserializer: org.springframework.kafka.support.serializer.JsonDeserializer
      properties:
        spring.json.trusted.packages: "*"
server:
  port: 8080
"#;

/// A folder with these files.
struct Service(tempfile::TempDir);

impl Service {
    fn with(files: &[(&str, &str)]) -> Service {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("it can be written");
        }
        Service(folder)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        semel(self.0.path(), arguments)
    }

    /// The verdicts, as JSON.
    fn judged(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[&["check", "--format", "json"], arguments].concat());
        assert!([0, 1].contains(&code(&output)), "{}", err(&output));
        let document: Value = serde_json::from_str(out(&output)).expect("JSON");
        document["designs"][0].clone()
    }

    /// What is complained of, and that it is a usage error.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(code(&output), 2, "{}{}", out(&output), err(&output));
        err(&output).to_owned()
    }

    /// The file's text with a line exchanged.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.0.path().join(file);
        let text = std::fs::read_to_string(&path).expect("it is there");
        assert!(text.contains(from), "{from} in\n{text}");
        std::fs::write(path, text.replace(from, to)).expect("it can be written");
    }
}

/// The setting's value among those of the files and of the framework.
fn setting<'v>(design: &'v Value, table: &str, key: &str) -> Option<&'v str> {
    let lists = [&design["framework"], &design["imported"]];
    let mut rows = lists.into_iter().filter_map(Value::as_array).flatten();
    rows.find(|row| row["table"] == table && row["key"] == key)
        .and_then(|row| row["value"].as_str())
}

fn verdict<'v>(design: &'v Value, guarantee: &str) -> &'v str {
    let mut all = design["guarantees"].as_array().expect("guarantees").iter();
    let own = all
        .find(|own| own["name"] == guarantee)
        .expect("it is judged");
    own["verdict"].as_str().expect("a verdict")
}

#[test]
fn a_stock_spring_service_loses_what_fails_ten_times_and_a_dead_letter_mends_it() {
    let service = Service::with(&[("application.yml", STOCK)]);
    let told = service.run(&[
        "check",
        "--spring",
        "application.yml",
        "--require",
        "no-loss",
    ]);
    assert_eq!(code(&told), 1, "{}", err(&told));
    let text = out(&told);
    for sentence in [
        "[consumer] auto.offset.reset = \"earliest\"  (application.yml:8)",
        "[application] order = \"each(process) -> commit\"",
        "ten attempts in all",
        "no-loss              violated in 22 steps with 1 fault  (required)",
        "r0 is skipped: its effect does not take place.",
        "- [application] on-process-failure = { attempts = 10, then = \"dead-letter\" }, in Spring a DefaultErrorHandler with a DeadLetterPublishingRecoverer",
    ] {
        assert!(text.contains(sentence), "{sentence}\n{text}");
    }
    let order = text.find("each(process) -> commit").expect("the order");
    assert!(order < text.find("no-loss").expect("the verdict"), "{text}");
    let tries = text.matches("cannot be handled").count() + text.matches("fails again").count();
    assert_eq!(tries, 10, "{text}");

    let written = service.run(&["init", "--from", "application.yml", "--require", "no-loss"]);
    assert_eq!(code(&written), 0, "{}", err(&written));
    assert_eq!(code(&service.run(&["check"])), 1);
    service.edit("semel.toml", "# on-process-failure", "on-process-failure");
    let mended = service.run(&["check"]);
    assert_eq!(code(&mended), 0, "{}", out(&mended));
}

#[test]
fn the_design_that_is_written_is_judged_as_the_files_are() {
    let properties = "enable.auto.commit=false\nauto.offset.reset=earliest\n";
    let service = Service::with(&[
        ("application.yml", STOCK),
        ("consumer.properties", properties),
        ("producer.properties", "acks: all\nretries 3\n"),
        ("topic.properties", "min.insync.replicas=1\n"),
    ]);
    let of_kafka = &[
        "--consumer",
        "consumer.properties",
        "--producer",
        "producer.properties",
        "--topic",
        "topic.properties",
        "--order",
        "db[process, remember] -> commit",
    ];
    for files in [&["--spring", "application.yml"][..], of_kafka] {
        let direct = service.judged(files);
        let written = service.run(&[&["init", "--force"], files].concat());
        assert_eq!(code(&written), 0, "{}", err(&written));
        let design = service.judged(&["semel.toml"]);
        for field in ["bound", "unique_states", "transitions", "guarantees"] {
            let without_text = |value: &Value| {
                let mut value = value[field].clone();
                forget_design(&mut value);
                value
            };
            assert_eq!(without_text(&direct), without_text(&design), "{field}");
        }
    }
}

/// A trace carries the text and the name of its design.
fn forget_design(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("design");
            members.values_mut().for_each(forget_design);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_design),
        _ => {}
    }
}

#[test]
fn properties_files_and_an_order_are_a_design() {
    let consumer = "# what the service has\nbootstrap.servers=a:9092,\\\n  b:9092\ngroup.id = orders\nenable.auto.commit : false\nauto.offset.reset earliest\nmax.poll.records=100\nmax.poll.records=500\n";
    let producer = "acks=all\nenable.idempotence=true\n";
    let service = Service::with(&[
        ("consumer.properties", consumer),
        ("producer.properties", producer),
    ]);
    let files = [
        "--producer",
        "producer.properties",
        "--consumer",
        "consumer.properties",
    ];
    let design = service.judged(&files);
    assert_eq!(
        setting(&design, "consumer", "max.poll.records"),
        Some("500")
    );
    assert_eq!(
        setting(&design, "consumer", "enable.auto.commit"),
        Some("false")
    );
    assert_eq!(verdict(&design, "no-loss"), "holds");
    assert_eq!(verdict(&design, "no-duplicates"), "violated");
    let with = |order| service.judged(&[&files[..], &["--order", order]].concat());
    assert_eq!(verdict(&with("commit -> process"), "no-loss"), "violated");
    assert_eq!(
        verdict(&with("db[process, remember] -> commit"), "no-duplicates"),
        "holds"
    );
}

#[test]
fn what_is_wrong_is_shown_in_the_file_that_says_it() {
    let service = Service::with(&[
        (
            "consumer.properties",
            "# one\nenable.auto.comit=false\nmax.poll.records=\\\n  many\n",
        ),
        ("producer.properties", "acks=${ACKS}\n"),
        ("other.properties", "isolation.level=serializable\n"),
        ("topic.properties", "retention.ms=\\uzzzz\n"),
    ]);
    let told = service.refused(&["check", "--consumer", "consumer.properties"]);
    for sentence in [
        "consumer.properties:2:1",
        "Did you mean `enable.auto.commit`?",
        "consumer.properties:3:1",
    ] {
        assert!(told.contains(sentence), "{sentence}\n{told}");
    }
    let told = service.refused(&["check", "--producer", "producer.properties"]);
    assert!(
        told.contains("producer.properties:1:1") && told.contains("Write the value in its place"),
        "{told}"
    );
    let told = service.refused(&["init", "--consumer", "other.properties"]);
    assert!(told.contains("other.properties:1:1"), "{told}");
    let told = service.refused(&["check", "--topic", "topic.properties"]);
    assert!(told.contains("topic.properties:1"), "{told}");
    let missing = service.run(&["check", "--consumer", "absent.properties"]);
    assert_eq!(code(&missing), 5);
    assert!(
        err(&missing).contains("absent.properties"),
        "{}",
        err(&missing)
    );
}

#[test]
fn spring_binds_names_in_any_spelling_and_the_last_one_counts() {
    let yml = r#"spring.kafka:
  consumer:
    autoOffsetReset: earliest
    MAX_POLL_RECORDS: 50
    isolation-level: READ_COMMITTED
    fetch-max-wait: 2s
    heartbeat_interval: PT3S
    properties:
      "[session.timeout.ms]": 20000
      max.poll.interval.ms: 60000
  properties:
    session.timeout.ms: 1
    linger.ms: 5
  listener:
    ack-mode: manual-immediate
---
spring:
  config:
    activate:
      on-profile: prod
  kafka:
    consumer:
      max-poll-records: 10
"#;
    let service = Service::with(&[("application.yml", yml)]);
    let files = ["--spring", "application.yml"];
    let design = service.judged(&files);
    for (table, key, value) in [
        ("consumer", "auto.offset.reset", "\"earliest\""),
        ("consumer", "max.poll.records", "50"),
        ("consumer", "isolation.level", "\"read_committed\""),
        ("application", "ack-mode", "\"MANUAL_IMMEDIATE\""),
        ("application", "order", "\"process -> commit\""),
    ] {
        assert_eq!(setting(&design, table, key), Some(value), "{key}");
    }
    let prod = service.judged(&[&files[..], &["--profile", "prod"]].concat());
    assert_eq!(setting(&prod, "consumer", "max.poll.records"), Some("10"));
    let written = service.run(&[&["init", "-"], &files[..]].concat());
    for line in [
        "session.timeout.ms = 20000",
        "fetch.max.wait.ms = 2000",
        "heartbeat.interval.ms = 3000",
        "linger.ms = 5",
    ] {
        assert!(out(&written).contains(line), "{line}\n{}", out(&written));
    }
}

#[test]
fn a_later_file_and_a_file_of_properties_say_the_same() {
    let properties = "spring.kafka.consumer.auto-offset-reset=earliest\nspring.kafka.listener.ack-mode=record\n#---\nspring.config.activate.on-profile=prod\nspring.kafka.listener.ack-mode=batch\n";
    let service = Service::with(&[
        ("application.properties", properties),
        (
            "application-eu.yml",
            "spring.kafka.listener.ack-mode: manual\n",
        ),
        ("batch.yml", "spring.kafka.listener:\n  type: batch\n"),
        ("single.yml", "spring.kafka.listener:\n  TYPE: single\n"),
    ]);
    let mode = |arguments: &[&str]| {
        let design = service.judged(arguments);
        setting(&design, "application", "ack-mode").map(str::to_owned)
    };
    let first = ["--spring", "application.properties"];
    assert_eq!(mode(&first).as_deref(), Some("\"RECORD\""));
    // What is refused and not in force is no matter.
    let over = ["--spring", "batch.yml", "--spring", "single.yml"];
    assert_eq!(code(&service.run(&[&["check"], &over[..]].concat())), 0);
    assert!(
        service
            .refused(&["check", "--spring", "batch.yml"])
            .contains("not modelled yet")
    );
    assert_eq!(
        mode(&[&first[..], &["--profile", "prod"]].concat()).as_deref(),
        Some("\"BATCH\"")
    );
    assert_eq!(
        mode(&[&first[..], &["--spring", "application-eu.yml"]].concat()).as_deref(),
        Some("\"MANUAL\"")
    );
}

#[test]
fn what_spring_is_told_wrongly_is_refused_in_its_line() {
    let with = |lines: &str| format!("spring:\n  kafka:\n{lines}");
    for (lines, told) in [
        (
            "    consumer:\n      auto-ofset-reset: earliest\n",
            "Did you mean `spring.kafka.consumer.auto-offset-reset`?",
        ),
        (
            "    consumer:\n      auto-offset-reset: earlist\n",
            "`auto.offset.reset` has no value",
        ),
        (
            "    consumer:\n      enable-auto-commit: perhaps\n",
            "Write true or false.",
        ),
        ("    consumer:\n      fetch-max-wait: soon\n", "a duration"),
        ("    listener:\n      ack-mode: MANAUL\n", "has no value"),
        ("    listener:\n      ack-mode: time\n", "not modelled yet"),
        ("    listener:\n      type: batch\n", "not modelled yet"),
        (
            "    listener:\n      async-acks: true\n",
            "not modelled yet",
        ),
        (
            "    consumer:\n      max-poll-records: ${POLL}\n",
            "no default",
        ),
        (
            "    consumer:\n      properties:\n        enable.auto.comit: false\n",
            "Did you mean `enable.auto.commit`?",
        ),
    ] {
        let service = Service::with(&[("application.yml", &with(lines))]);
        let complaint = service.refused(&["check", "--spring", "application.yml"]);
        let line = 2 + lines.lines().count();
        let place = format!("application.yml:{line}:");
        assert!(
            complaint.contains(told) && complaint.contains(&place),
            "{lines}\n{complaint}"
        );
    }
    let service = Service::with(&[
        ("a.yml", "server:\n  port: 1\n"),
        ("b.yml", "spring:\n\tkafka: 1\n"),
        (
            "c.yml",
            "spring.kafka.consumer.group-id: a\nspring.cloud.stream.bindings.in.group: b\n",
        ),
        (
            "d.yml",
            "spring.kafka.consumer.group-id: a\n---\nspring.config.activate.on-profile: (a & b) | c\n",
        ),
    ]);
    for (file, told) in [
        ("a.yml", "has no spring.kafka"),
        ("b.yml", "not YAML"),
        ("c.yml", "spring.cloud.stream"),
        ("d.yml", "condition"),
    ] {
        let complaint = service.refused(&["check", "--spring", file]);
        assert!(
            complaint.contains(told) && complaint.contains(&format!("{file}:")),
            "{complaint}"
        );
    }
}

#[test]
fn groups_of_profiles_are_taken_with_the_profile_that_names_them() {
    let text = "spring:\n  profiles:\n    group:\n      production: [proddb, prod-mq]\n  kafka:\n    consumer:\n      group-id: orders\n      auto-offset-reset: earliest\n---\nspring:\n  config:\n    activate:\n      on-profile: prod-mq\n  kafka:\n    listener:\n      ack-mode: record\n";
    let service = Service::with(&[("application.yml", text)]);
    let arguments = ["--spring", "application.yml"];
    let alone = service.judged(&arguments);
    assert_eq!(setting(&alone, "application", "ack-mode"), None);
    let production = service.judged(&[&arguments[..], &["--profile", "production"]].concat());
    assert_eq!(
        setting(&production, "application", "ack-mode"),
        Some("\"RECORD\"")
    );
}

#[test]
fn what_boot_decides_by_rules_of_its_own_is_refused() {
    let twice = "spring.kafka.consumer.auto-offset-reset=latest\nspring.kafka.consumer.autoOffsetReset=earliest\n";
    let cloud = "spring.config.activate.on-cloud-platform=kubernetes\nspring.kafka.consumer.auto-offset-reset=latest\n";
    for (text, told) in [
        (twice, "in another spelling"),
        (cloud, "on-cloud-platform is not read yet"),
    ] {
        let service = Service::with(&[("application.properties", text)]);
        let said = service.refused(&["check", "--spring", "application.properties"]);
        assert!(said.contains(told), "{said}");
    }
}

#[test]
fn what_init_proposes_for_a_listener_can_be_uncommented() {
    for more in [
        "",
        "  kafka.listener.ack-mode: MANUAL\n",
        "  kafka.listener.ack-mode: manual_immediate\n",
        "  kafka.producer.transaction-id-prefix: tx-\n",
    ] {
        let text = format!("spring:\n  kafka.consumer.auto-offset-reset: earliest\n{more}");
        let service = Service::with(&[("application.yml", &text)]);
        let output = service.run(&["init", "--from", "application.yml", "d.toml"]);
        assert_eq!(code(&output), 0, "{}", err(&output));
        let path = service.0.path().join("d.toml");
        let written = std::fs::read_to_string(&path).expect("it is there");
        let proposed = written
            .replace("# order = ", "order = ")
            .replace("# on-process-failure = ", "on-process-failure = ");
        assert_ne!(proposed, written, "something is proposed");
        std::fs::write(&path, proposed).expect("it can be written");
        let judged = service.judged(&["d.toml"]);
        assert!(judged["guarantees"].is_array());
        let warnings = judged["warnings"].to_string();
        assert!(
            !warnings.contains("Nothing commits an offset"),
            "{warnings}"
        );
    }
}

#[test]
fn what_is_taken_for_granted_is_said() {
    let yml = "spring.kafka:\n  consumer:\n    auto-offset-reset: ${RESET:earliest}\n  listener:\n    concurrency: 3\n";
    let service = Service::with(&[("application.yml", yml)]);
    let design = service.judged(&["--spring", "application.yml", "--profile", "prod"]);
    let warnings = design["warnings"].to_string();
    for told in [
        "application.yml:3",
        "${RESET:earliest}",
        "two consumers of the group",
        "its producer has Kafka's defaults",
        "profile \\\"prod\\\"",
    ] {
        assert!(warnings.contains(told), "{told}\n{warnings}");
    }
    assert_eq!(setting(&design, "application", "instances"), Some("2"));
}

#[test]
fn transactions_and_streams_are_told_from_the_configuration() {
    let transactions = "spring.kafka:\n  consumer:\n    auto-offset-reset: earliest\n    isolation-level: read-committed\n  producer:\n    transaction-id-prefix: orders-\n";
    let streams = "spring.kafka:\n  streams:\n    application-id: totals\n    properties:\n      processing.guarantee: exactly_once_v2\n      commit.interval.ms: 100\n      producer.linger.ms: 3\n";
    let service = Service::with(&[("t.yml", transactions), ("s.yml", streams)]);
    let design = service.judged(&[
        "--spring", "t.yml", "--order", "produce", "--effect", "topic",
    ]);
    assert_eq!(
        setting(&design, "application", "order"),
        Some("\"kafka[produce, commit]\"")
    );
    let text = service.run(&[
        "check", "--spring", "t.yml", "--order", "produce", "--effect", "topic",
    ]);
    let mend = "[output.consumer] isolation.level = \"read_committed\"";
    assert!(out(&text).contains(mend), "{}", out(&text));
    let design = service.judged(&["--spring", "s.yml"]);
    assert_eq!(
        setting(&design, "application", "order"),
        Some("\"kafka[each(produce-async), flush, commit]\"")
    );
    assert!(
        design["warnings"].to_string().contains("not covered"),
        "{design}"
    );
}

#[test]
fn options_without_files_and_files_without_a_name_are_told() {
    let service = Service::with(&[
        ("kafka.properties", "group.id=a\n"),
        ("a.yml", "spring.kafka.consumer.group-id: a\n"),
        ("consumer.properties", "acks=all\n"),
    ]);
    for arguments in [
        &["check", "--order", "process"][..],
        &["check", "--client", "librdkafka"],
        &["check", "--profile", "prod"],
        &[
            "check",
            "--consumer",
            "kafka.properties",
            "--profile",
            "prod",
        ],
        &["init", "-", "--effect", "add"],
    ] {
        assert!(
            service.refused(arguments).contains("goes with"),
            "{arguments:?}"
        );
    }
    let told = service.refused(&["init", "-", "--from", "kafka.properties"]);
    assert!(
        told.contains("--producer, --consumer, --topic or --spring"),
        "{told}"
    );
    let told = service.refused(&["init", "-", "--from", "consumer.properties"]);
    assert!(told.contains("consumer.properties:1:1"), "{told}");
    let rule = [
        "check",
        "--spring",
        "a.yml",
        "--effect",
        "external",
        "--order",
        "db[process]",
    ];
    let told = service.refused(&rule);
    assert!(
        told.contains("--order:1:") && !told.contains("nearest order"),
        "{told}"
    );
    let github = service.run(&[
        "check",
        "--format",
        "github",
        "--consumer",
        "kafka.properties",
        "--order",
        "commit -> process",
        "--require",
        "no-loss",
    ]);
    assert!(
        out(&github).contains("::error file=kafka.properties,title="),
        "{}",
        out(&github)
    );
    let told = service.refused(&[
        "check",
        "--shard",
        "1/2",
        "--consumer",
        "consumer.properties",
    ]);
    assert!(told.contains("semel init"), "{told}");
}

#[test]
fn secrets_and_settings_of_serializers_stay_out() {
    let properties = "sasl.jaas.config=module required password=\"hunter2\";\nschema.registry.url=http://r\nenable.auto.commit=false\n";
    let service = Service::with(&[("consumer.properties", properties)]);
    let written = service.run(&["init", "-", "--consumer", "consumer.properties"]);
    assert_eq!(code(&written), 0, "{}", err(&written));
    let text = out(&written);
    assert!(
        !text.contains("hunter2") && !text.contains("http://r"),
        "{text}"
    );
    assert!(
        text.contains("sasl.jaas.config and schema.registry.url"),
        "{text}"
    );
}
