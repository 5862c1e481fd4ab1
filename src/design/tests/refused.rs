//! Each class of diagnostic, as it is read.

use insta::assert_snapshot;

use super::super::source::MAX_FILE_BYTES;
use super::*;

#[test]
fn an_unknown_key_table_or_property_names_the_nearest() {
    let error = refused(
        r#"
requires = ["no-loss"]
acks = "all"
[producers]
[producer]
enable.idempotense = true
fantasy = 1
[consumer]
acks = "all"
order = "process"
[application]
order = "process -> commit"
commit-cover = "next"
effect = "add"
enable.auto.commit = false
[sink]
[bounds]
record = 2
[output.reader]
"#,
    );
    assert_snapshot!(told(&error));
}

#[test]
fn an_order_that_cannot_be_read_is_marked_at_its_place() {
    let told_of = |order: &str| told(&refused(&with_order(order)));
    let all = [
        "proces -> comit",
        "process commit",
        "process -> ",
        "-> process",
        "process => commit",
        "db(process, remember) -> commit",
        "db[process -> remember]",
        "each(process, commit)",
        "each()",
        "db[process",
        "process)",
        "group(process)",
        "db -> commit",
        "",
    ];
    assert_snapshot!(all.map(told_of).join("\n\n"));
}

#[test]
fn an_order_that_cannot_be_built_comes_with_the_nearest_that_can() {
    let told_of = |order: &str| told(&refused(&with_order(order)));
    let all = [
        "db[process, commit]",
        "skip-if-seen -> each(process) -> commit",
        "each(process) -> each(remember)",
        "each(each(process))",
        "db[process, db[remember]]",
        "process -> process -> commit",
        "commit",
        "process -> store-offset",
    ];
    assert_snapshot!(all.map(told_of).join("\n\n"));
}

#[test]
fn an_external_effect_or_a_separate_store_does_not_stand_in_a_transaction() {
    let external =
        with_order("db[process, remember] -> commit") + "[sink]\neffect = \"external\"\n";
    let separate = with_order("db[process, remember] -> commit") + "[sink]\ndedup = \"separate\"\n";
    let all = [external, separate].map(|text| told(&refused(&text)));
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn numbers_out_of_range_name_their_limits() {
    let error = refused(
        r#"
[producer]
max.in.flight.requests.per.connection = 0
acks = 2
retries = -1
[application]
order = "process -> commit"
instances = 3
[faults]
consumer-crash = -1
response-lost.produce = 9
total = 9
[bounds]
records = 0
keys = 7
retries = 9
max-memory = "lots"
"#,
    );
    assert_snapshot!(told(&error));
}

#[test]
fn a_number_wider_than_toml_allows_is_told_its_range() {
    let error = refused(
        r#"
[producer]
retries = 99999999999999999999
[application]
order = "process -> commit"
[topic]
flush.messages = 9223372036854775808
[faults]
consumer-crash = 99999999999999999999
producer-crash = -99999999999999999999
response-lost = { produce = 0xffffffffffffffffffff }
[bounds]
records = 9_223_372_036_854_775_808
max-states = 99999999999999999999
"#,
    );
    assert_snapshot!(told(&error));
}

#[test]
fn what_is_not_toml_says_how_to_write_it() {
    let all = [
        "[application",
        "[application]\norder = \"process",
        "kafka = [\"4.1\"",
        "order process",
        "order = ",
        "client = java",
        "order: process",
        "name = \"a\"\nname = \"b\"",
    ];
    assert_snapshot!(all.map(|text| told(&refused(text))).join("\n\n"));
}

#[test]
fn a_key_that_holds_others_is_shown_as_it_is_written() {
    let told_of = |line: &str| told(&refused(&with_application(line)));
    let all = [
        "on-process-failure = \"skip\"",
        "on-process-failure = \"ignore\"",
        "on-process-failure = 3",
        "on-process-failure = { tries = 2 }",
        "on-process-failure = { attempts = 2, than = \"skip\" }",
    ];
    assert_snapshot!(all.map(told_of).join("\n\n"));
}

#[test]
fn wrong_types_name_the_right_one() {
    let error = refused(
        r#"
name = 5
kafka = 4.1
require = "no-loss"
[producer]
retries = "many"
enable.idempotence = 3
linger.ms = 0.5
acks = ["all"]
[topic]
flush = {}
[application]
order = ["process", "commit"]
workers = "two"
confirm-on = true
seek-on-assign = "no"
[faults]
consumer-crash = "once"
[bounds]
max-memory = 1.5
"#,
    );
    assert_snapshot!(told(&error));
}

#[test]
fn what_is_understood_and_not_modelled_is_refused_by_name() {
    let error = refused(
        r#"
kafka = "0.9"
[producer]
transactional.id = "payments"
[topic]
replication.factor = 5
partitions = 2
cleanup.policy = "compact"
flush.ms = 1000
[consumer]
auto.offset.reset = "by_duration:P1D"
partition.assignment.strategy = ["com.example.Mine"]
[broker]
offsets.topic.replication.factor = 1
transaction.state.log.replication.factor = 1
transaction.state.log.min.isr = 1
transaction.version = 1
[output.producer]
acks = "all"
[output.topic]
[output.consumer]
[application]
order = "kafka[process, produce, commit]"
source = "transaction"
records-per-transaction = 2
on-process-failure = { attempts = 3, then = "skip" }
on-abort = "continue"
transactional-id = "per-start"
group-metadata = false
framework = "spring-kafka"
ack-mode = "TIME"
[faults]
coordinator-failover = 1
add-partition = 1
[bounds]
partitions = 2
"#,
    );
    assert_snapshot!(told(&error));
}

#[test]
fn names_that_toml_cannot_hold_together_are_to_be_quoted() {
    let before = "[consumer]\ngroup.protocol = \"consumer\"\ngroup.protocol.type = \"consumer\"\n";
    let after = "[consumer]\ngroup.protocol.type = \"consumer\"\ngroup.protocol = \"consumer\"\n";
    let fault = "[faults]\nresponse-lost = 1\nresponse-lost.produce = 1\n";
    let all = [before, after, fault].map(|text| told(&refused(text)));
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn quoting_one_of_two_clashing_names_is_enough() {
    let text = "client = \"librdkafka\"\n[producer]\nenable.idempotence = true\n[consumer]\n\
                group.protocol = \"classic\"\n\"group.protocol.type\" = \"consumer\"\n\
                auto.offset.reset = \"earliest\"\n[application]\norder = \"process\"\n";
    accepted(text);
}

#[test]
fn require_and_expect_exclude_each_other() {
    let both = format!("require = [\"no-loss\"]\n{SOUND}\n[expect]\nno-loss = \"holds\"\n");
    let twice = format!("require = [\"no-loss\", \"no-loss\", \"no-los\"]\n{SOUND}");
    let verdict = format!("{SOUND}\n[expect]\nno-loss = \"perhaps\"\nspeed = \"holds\"\n");
    let all = [both, twice, verdict].map(|text| told(&refused(&text)));
    assert_snapshot!(all.join("\n\n"));
}

#[test]
fn the_same_property_under_two_spellings_is_stated_twice() {
    let spelled = "[producer]\nacks = \"all\"\n\"linger.ms\" = 1\nlinger.ms = 2\n";
    let (code, message) = only(&format!("{spelled}{SOUND}"));
    assert_eq!(code, Code::Repeated);
    assert_eq!(message, "`linger.ms` is stated twice in [producer]");
    let alias = librdkafka(
        "enable.idempotence = true\nretries = 1\nmessage.send.max.retries = 2",
        "enable.auto.commit = false",
    );
    assert_eq!(
        only(&alias),
        (
            Code::Repeated,
            String::from("`retries` and `message.send.max.retries` are two names of one property")
        )
    );
}

#[test]
fn a_file_that_is_not_toml_text_is_told_from_one_that_states_nothing() {
    let large = vec![b'#'; 5 * 1024 * 1024];
    let files: [&[u8]; 6] = [
        b"",
        b"\xef\xbb\xbf# only a comment\n\n",
        b"name = \"\xff\"",
        &large,
        b"order = ",
        b"[application]\norder = \"process\"\norder = \"commit\"\n",
    ];
    let told_of = |bytes| told(&Design::parse("design.toml", bytes).unwrap_err());
    assert_snapshot!(files.map(told_of).join("\n\n"));
}

#[test]
fn a_file_of_the_largest_size_is_still_read() {
    let mut text = String::from(SOUND);
    text.push('#');
    text.extend(std::iter::repeat_n('x', MAX_FILE_BYTES - text.len()));
    assert_eq!(text.len(), MAX_FILE_BYTES);
    accepted(&text);
    text.push('x');
    assert_eq!(codes(&refused(&text)), [Code::TooLarge]);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_design() {
    accepted(&format!("\u{feff}{SOUND}"));
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let arrays = format!("require = {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let inline = format!("a = {}1{}", "{b=".repeat(50_000), "}".repeat(50_000));
    let dotted = format!("[producer]\n{}a = 1", "a.".repeat(100_000));
    let header = format!("[{}a]", "a.".repeat(100_000));
    let shallow_enough_for_toml = format!("[producer]\n{}a = 1", "a.".repeat(40));
    for text in [arrays, inline, dotted, header, shallow_enough_for_toml] {
        let error = refused(&text);
        assert!(
            codes(&error).contains(&Code::TooDeep),
            "{:.300}",
            told(&error)
        );
    }
    let groups = with_order(&format!(
        "{}process{}",
        "each(".repeat(300),
        ")".repeat(300)
    ));
    assert_eq!(codes(&refused(&groups)), [Code::TooDeep]);
}

#[test]
fn a_table_and_an_order_have_limits() {
    let mut keys = String::from("[producer]\n");
    for index in 0..80_000 {
        keys.push_str(&format!("k{index} = 1\n"));
    }
    let error = refused(&(keys + SOUND));
    assert!(error.to_string().contains("1001 problems"), "{error}");
    let order = with_order(&"x ".repeat(100_000));
    assert_eq!(codes(&refused(&order)), [Code::TooLarge]);
}

#[test]
fn eligible_leader_replicas_are_on_since_4_1() {
    let text = |kafka: &str, version: u8| {
        format!(
            "kafka = \"{kafka}\"\n{SOUND}\n[broker]\neligible.leader.replicas.version = {version}\n"
        )
    };
    accepted(&text("4.0", 0));
    accepted(&text("4.1", 1));
    accepted(&text("4.0", 1));
    accepted(&text("4.1", 0));
    assert_eq!(only(&text("3.9", 1)).0, Code::UnknownKey);
}

#[test]
fn replicas_of_a_topic_that_is_created_again_are_not_modelled_with_old_brokers_and_clients() {
    let topic = "[topic]\nreplication.factor = 2\n[application]";
    let text = SOUND.replace("[application]", topic);
    let with = |versions: &str, text: &str| format!("{versions}\n{text}");
    let (old, old_client) = ("kafka = \"3.6\"", "client-version = \"2.8\"");
    // Where no broker can be down none has anything of the old topic when it comes back.
    accepted(&with(
        old,
        &text.replace("consumer-crash", "topic-recreate"),
    ));
    let text = text.replace("consumer-crash", "broker-crash = 1\ntopic-recreate");
    accepted(&text);
    let (code, message) = only(&with(old, &text));
    assert_eq!(code, Code::NotModelled);
    assert!(message.contains("kafka"), "{message}");
    let (code, message) = only(&with(&format!("kafka = \"3.9\"\n{old_client}"), &text));
    assert_eq!(code, Code::NotModelled);
    assert!(message.contains("several replicas"), "{message}");
}

#[test]
fn replicas_that_are_cleaned_beyond_the_high_watermark_are_not_modelled() {
    let topic = "[topic]\nreplication.factor = 2\ncleanup.policy = \"compact\"\n[application]";
    let text = SOUND.replace("[application]", topic);
    let old = |text: &str| format!("kafka = \"3.0\"\n{text}");
    accepted(&old(&text.replace("consumer-crash", "compaction")));
    let text = text.replace("consumer-crash", "broker-crash = 1\ncompaction");
    accepted(&text);
    let (code, message) = only(&old(&text));
    assert_eq!(code, Code::NotModelled);
    assert!(message.contains("kafka"), "{message}");
}

#[test]
fn a_dead_letter_in_a_transaction_is_not_modelled() {
    let text = SOUND.replace(
        "[application]",
        "[application]\non-process-failure = { then = \"dead-letter\" }\ndead-letter-order = \"kafka[write, commit]\"",
    );
    assert_eq!(only(&text).0, Code::NotModelled);
}

#[test]
fn a_property_does_not_exist_before_its_version() {
    let text = |version: &str| {
        format!("client-version = \"{version}\"\n[producer]\nconfig.providers = \"\"\n{SOUND}")
    };
    accepted(&text("4.2"));
    let refusal = "`config.providers` does not exist in Kafka 4.1";
    assert_eq!(
        only(&text("4.1")),
        (Code::UnknownKey, String::from(refusal))
    );
}

#[test]
fn many_problems_are_cut_with_their_number() {
    let mut text = String::from("[producer]\n");
    for index in 0..80 {
        text.push_str(&format!("unheard{index} = 1\n"));
    }
    let error = refused(&(text + SOUND));
    assert_eq!(error.problems().len(), 50);
    assert_eq!(
        error.to_string(),
        "design.toml: the design has 80 problems; the first 50 are told"
    );
}

#[test]
fn a_diagnostic_shows_the_line_and_marks_the_text() {
    let error = refused(&with_order("db[process, commit]"));
    let mut shown = String::new();
    miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
        .with_width(100)
        .render_report(&mut shown, &error)
        .unwrap();
    assert_snapshot!(shown);
}

#[test]
fn a_file_that_is_not_there_is_unreadable() {
    let directory = tempfile::tempdir().unwrap();
    let error = Design::read(directory.path().join("nowhere.toml")).unwrap_err();
    assert!(error.is_unreadable());
    let path = directory.path().join("orders.toml");
    std::fs::write(&path, SOUND).unwrap();
    assert_eq!(Design::read(&path).unwrap().name(), "orders");
}
