//! Designs that are judged: what they resolve to, and the warnings that go with them.

use insta::assert_snapshot;
use semel_models::fault::{Fault, FaultBudget, FaultKey};
use semel_models::guarantee::Guarantee;
use semel_models::order::{Item, Order, Step};
use semel_models::pipeline::{
    Acks, AfterAttempts, Assignment, AutoCommit, Bounds, Client, CommitCovers, ConfirmOn,
    ConsumerSettings, Dedup, DedupInsert, DedupKey, Effect, GroupProtocol, GroupSettings,
    Isolation, KafkaRules, OffsetReset, OnCommitFailure, OnProcessFailure, OnRestart, OnRevoke,
    OnSendFailure, OutputSettings, Pipeline, ProducerSettings, ReplicationSettings, SinkSettings,
    Source, Start, TopicSettings,
};

use super::super::{Expected, Limits, Origin};
use super::*;

const PAYMENTS: &str = r#"
name    = "payments"
client  = "java"
kafka   = "4.1"
require = ["no-loss", "exactly-once-effect"]

[producer]
acks = "all"
enable.idempotence = true

[topic]
min.insync.replicas = 1

[consumer]
enable.auto.commit = false
isolation.level = "read_committed"
auto.offset.reset = "earliest"

[application]
order = "skip-if-seen -> db[process, remember] -> commit"

[sink]
effect = "add"

[faults]
consumer-crash = 1
response-lost = 1

[bounds]
records = 2
"#;

#[test]
fn the_example_of_the_specification_resolves_to_its_pipeline() {
    let design = accepted(PAYMENTS);
    assert_eq!(design.name(), "payments");
    assert_eq!(
        design.required(),
        [Guarantee::NoLoss, Guarantee::ExactlyOnceEffect]
    );
    assert!(design.warnings().is_empty(), "{:?}", design.warnings());
    let budget = |fault| (FaultKey { fault, call: None }, 1);
    assert_eq!(
        *design.pipeline(),
        Pipeline {
            client: Client::Java,
            producer: ProducerSettings {
                acks: Acks::All,
                idempotence: true,
                retries: 2,
                retries_are_capped: true,
                max_in_flight: 5,
                confirm_on: ConfirmOn::Ack,
                on_send_failure: OnSendFailure::GiveUp,
                on_restart: OnRestart::Forget,
                source: Source::Memory,
                id_expires_first: false,
                transactions_time_out: true,
            },
            topic: TopicSettings {
                replication: ReplicationSettings::ONE,
                flush_messages: None,
                flushes_internal_topics: false,
                retention: true,
                compacted: false,
                cleaned: false,
            },
            group: GroupSettings {
                instances: 1,
                assignment: Assignment::Subscribe,
                protocol: GroupProtocol::Eager,
                sticky: false,
                static_membership: false,
                revokes_in_background: false,
                rejoins_in_background: false,
            },
            consumer: ConsumerSettings {
                offset_reset: OffsetReset::Earliest,
                isolation: Isolation::ReadUncommitted,
                auto_commit: AutoCommit::Off,
                order: Order(vec![
                    Item::Step(Step::SkipIfSeen),
                    Item::Database(vec![Item::Step(Step::Process), Item::Step(Step::Remember)]),
                    Item::Step(Step::Commit),
                ]),
                commit_covers: CommitCovers::Next,
                on_commit_failure: OnCommitFailure::RetryLatest,
                seek_on_assign: true,
                workers: 0,
                on_revoke: OnRevoke::Nothing,
                on_lost: OnRevoke::Nothing,
                on_process_failure: OnProcessFailure {
                    attempts: 1,
                    then: AfterAttempts::Stop
                },
                output: OutputSettings::NONE,
            },
            sink: SinkSettings {
                effect: Effect::Add,
                dedup: Dedup::Durable,
                dedup_insert: DedupInsert::Unique,
                dedup_key: DedupKey::Record,
                dedup_window: None,
                fencing: false,
                version_guard: false,
            },
            rules: KafkaRules::CURRENT,
            faults: FaultBudget {
                entries: vec![budget(Fault::ConsumerCrash), budget(Fault::ResponseLost)],
                total: None,
            },
            bounds: Bounds {
                records: 2,
                partitions: 1,
                keys: 1,
                poll: 2,
                retries: 2,
                start: Start::Joined
            },
        }
    );
}

#[test]
fn every_word_that_is_modelled_reaches_the_pipeline() {
    let design = accepted(
        r#"
[producer]
enable.idempotence = false
acks = 0
retries = 1
[consumer]
enable.auto.commit = "false"
auto.offset.reset = "none"
max.poll.records = 1
[topic]
flush.messages = 1
[application]
order = "process -> remember -> save-offset -> commit"
commit-covers = "last"
confirm-on = "send"
seek-on-assign = false
on-send-failure = "resend"
on-restart = "resend-unconfirmed"
on-commit-failure = "ignore"
on-process-failure = { attempts = 1, then = "stop" }
[sink]
effect = "external"
idempotency-key = true
dedup = "separate"
dedup-insert = "unique"
dedup-key = "offset"
dedup-window = "unlimited"
[faults]
consumer-crash = 1
[bounds]
records = 3
keys = 2
retries = 8
start = "cold"
max-states = 1000
max-memory = "1GiB"
"#,
    );
    let pipeline = design.pipeline();
    assert_eq!(pipeline.producer.acks, Acks::None);
    assert_eq!(pipeline.producer.retries, 1);
    assert_eq!(pipeline.producer.confirm_on, ConfirmOn::Send);
    assert_eq!(pipeline.producer.on_send_failure, OnSendFailure::Resend);
    assert_eq!(pipeline.producer.on_restart, OnRestart::ResendUnconfirmed);
    assert_eq!(pipeline.topic.flush_messages, Some(1));
    assert_eq!(pipeline.consumer.offset_reset, OffsetReset::None);
    assert_eq!(pipeline.consumer.commit_covers, CommitCovers::Last);
    assert_eq!(pipeline.consumer.on_commit_failure, OnCommitFailure::Ignore);
    assert!(!pipeline.consumer.seek_on_assign);
    assert_eq!(
        pipeline.sink.effect,
        Effect::External {
            idempotency_key: true
        }
    );
    assert_eq!(pipeline.sink.dedup, Dedup::Separate);
    assert_eq!(pipeline.sink.dedup_key, DedupKey::Offset);
    assert_eq!(
        pipeline.bounds,
        Bounds {
            records: 3,
            partitions: 1,
            keys: 2,
            poll: 1,
            retries: 8,
            start: Start::Cold
        }
    );
    assert_eq!(
        design.limits(),
        Limits {
            states: Some(1000),
            memory: Some(1 << 30)
        }
    );
}

#[test]
fn settings_tell_where_each_value_comes_from() {
    let design = accepted(PAYMENTS);
    let line = |setting: &super::super::Setting| {
        let origin = match &setting.origin {
            Origin::Stated(at) => format!("stated at {}:{}", at.line, at.column),
            Origin::KafkaDefault => String::from("Kafka's default"),
            Origin::Default => String::from("default"),
            Origin::Resolved(why) | Origin::Framework(why) => why.clone(),
        };
        format!(
            "[{}] {} = {} ({origin})",
            setting.table.name(),
            setting.name,
            setting.value
        )
    };
    let lines: Vec<String> = design.settings().iter().map(line).collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn expected_verdicts_stand_in_place_of_required_ones() {
    let design = accepted(&format!(
        "{SOUND}\n[expect]\nno-duplicates = \"violated\"\nno-loss = \"holds\"\n"
    ));
    assert_eq!(
        design.expected(),
        [
            (Guarantee::NoDuplicates, Expected::Violated),
            (Guarantee::NoLoss, Expected::Holds)
        ]
    );
    assert!(design.required().is_empty());
}

#[test]
fn a_poll_is_no_larger_than_what_the_client_returns() {
    let with = |max: &str, bounds: &str| {
        SOUND.replace("[consumer]", &format!("[consumer]\n{max}")) + "[bounds]\n" + bounds
    };
    let poll = |text: &str| accepted(text).pipeline().bounds.poll;
    assert_eq!(poll(&with("max.poll.records = 1", "records = 3")), 1);
    assert_eq!(poll(&with("", "records = 3")), 3);
    assert_eq!(poll(&with("", "records = 3\npoll = 2")), 2);
    assert_eq!(
        only(&with("max.poll.records = 1", "poll = 2")).0,
        Code::Contradiction
    );
    assert_eq!(only(&with("", "poll = 3")).0, Code::Contradiction);
}

#[test]
fn librdkafka_returns_one_record_or_a_batch_that_was_asked_for() {
    let with = |auto: bool, bounds: &str| {
        format!(
            "client = \"librdkafka\"\n[consumer]\nenable.auto.commit = {auto}\nauto.offset.reset = \"earliest\"\n\
             [application]\norder = \"process -> commit\"\n[bounds]\nrecords = 3\n{bounds}\n"
        )
    };
    let poll = |text: &str| accepted(text).pipeline().bounds.poll;
    assert_eq!(poll(&with(false, "")), 1);
    assert_eq!(poll(&with(false, "poll = 2")), 2);
    assert_eq!(only(&with(true, "poll = 2")).0, Code::Contradiction);
}

#[test]
fn warnings_are_what_an_engineer_would_want_to_hear() {
    let librdkafka_defaults = "client = \"librdkafka\"\n[application]\norder = \"process -> commit\"\n[sink]\ndedup = \"durable\"\n";
    let java_defaults = "[application]\norder = \"process -> commit\"\n";
    let nothing_commits = SOUND.replace("process -> commit", "skip-if-seen -> process");
    let dead = SOUND.replace(
        "process -> commit",
        "process -> skip-if-seen -> remember -> commit",
    ) + "[sink]\ndedup = \"memory\"\n";
    let race = "[consumer]\ngroup.protocol = \"consumer\"\nauto.offset.reset = \"earliest\"\n[application]\norder = \"process\"\n[faults]\nconsumer-crash = 1\n";
    let vacuous = format!("require = [\"in-order\"]\n{SOUND}[bounds]\nkeys = 2\n");
    let unused = SOUND.replace(
        "order =",
        "seek-on-assign = false\ncommit-covers = \"last\"\norder =",
    ) + "[producer]\ntransaction.timeout.ms = 1000\n[sink]\ndedup-key = \"offset\"\n";
    let all = [
        librdkafka_defaults,
        java_defaults,
        &nothing_commits,
        &dead,
        race,
        &vacuous,
        &unused,
    ]
    .map(|text| {
        let design = accepted(text);
        let line = |warning: &super::super::Warning| {
            let at = warning.position().map_or(String::new(), |at| {
                format!(" {}:{} {}", at.line, at.column, warning.concerned())
            });
            format!("[{}]{at}\n  {}", warning.kind(), warning.text())
        };
        design
            .warnings()
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    });
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn the_default_reset_is_no_matter_where_the_consumer_seeks_to_a_saved_offset() {
    let saved = SOUND
        .replace("auto.offset.reset = \"earliest\"", "")
        .replace("process -> commit", "db[process, save-offset]");
    assert_eq!(warned(&accepted(&saved)), []);
    let not_sought = saved.replace("[application]", "[application]\nseek-on-assign = false");
    assert_eq!(warned(&accepted(&not_sought)), [WarningKind::UnsafeDefault]);
}

#[test]
fn a_sound_design_needs_no_warning() {
    assert_eq!(warned(&accepted(SOUND)), []);
}

#[test]
fn the_same_file_says_the_same_every_time() {
    let twice = [accepted(PAYMENTS), accepted(PAYMENTS)];
    assert_eq!(twice[0].settings(), twice[1].settings());
    assert_eq!(twice[0].pipeline(), twice[1].pipeline());
}
