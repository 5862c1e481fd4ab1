//! Two-phase commit: what is said of its settings, and what a start can resume.

use super::*;
use semel_models::pipeline::PreparedTransaction;

const RESUME: &str = "prepared-transaction = \"resume\"";
const ORDER: &str = "kafka[produce, db[save-offset]]";
const ENDLESS: &str = "transaction.timeout.ms = 2147483647";
const MOST: &str = "[broker]\ntransaction.max.timeout.ms = 2147483647";
const FLAG: &str = "transaction.two.phase.commit.enable = true";

/// A design that writes results in this order, with these lines of `[application]` and
/// `[output.producer]`.
fn design(kafka: &str, order: &str, application: &str, producer: &str, broker: &str) -> String {
    format!(
        "kafka = \"{kafka}\"\n[consumer]\nenable.auto.commit = false\nauto.offset.reset = \"earliest\"\n\
         [application]\norder = \"{order}\"\n{application}\n[sink]\neffect = \"topic\"\n\
         [output.producer]\ntransactional.id = \"results\"\n{producer}\n{broker}\n\
         [faults]\nconsumer-crash = 1\n"
    )
}

fn times_out(kafka: &str, producer: &str, broker: &str) -> bool {
    let design = accepted(&design(kafka, ORDER, RESUME, producer, broker));
    design.pipeline().consumer.output.transactions_time_out
}

#[test]
fn a_start_aborts_unless_it_is_said_to_resume() {
    let of = |application: &str| {
        let design = accepted(&design("4.1", ORDER, application, "", ""));
        design.pipeline().consumer.output.prepared_transaction
    };
    assert_eq!(of(""), PreparedTransaction::Abort);
    assert_eq!(of(RESUME), PreparedTransaction::Resume);
}

#[test]
fn one_timeout_never_passes_at_brokers_from_4_1() {
    assert!(!times_out("4.1", ENDLESS, MOST));
    assert!(times_out("4.0", ENDLESS, MOST), "24 days and 20 hours");
    let shorter = "transaction.timeout.ms = 2147483646";
    assert!(times_out("4.1", shorter, MOST));
    assert!(times_out("4.1", "", MOST));
}

#[test]
fn the_coordinator_takes_that_timeout_only_if_its_own_limit_lets_it() {
    let (code, message) = only(&design("4.1", ORDER, RESUME, ENDLESS, ""));
    assert_eq!(code, Code::RefusedByKafka);
    assert_eq!(
        message,
        "the coordinator refuses transaction.timeout.ms = 2147483647"
    );
}

#[test]
fn the_setting_of_released_clients_changes_nothing_and_that_is_said() {
    assert!(times_out("4.3", FLAG, MOST));
    let design = accepted(&design("4.3", ORDER, RESUME, FLAG, MOST));
    assert!(warned(&design).contains(&WarningKind::NoEffect));
}

#[test]
fn the_java_producer_refuses_a_timeout_beside_it() {
    let both = format!("{FLAG}\ntransaction.timeout.ms = 60000");
    let (code, message) = only(&design("4.1", ORDER, RESUME, &both, ""));
    assert_eq!(code, Code::RefusedByKafka);
    assert!(
        message.contains("transaction.two.phase.commit.enable"),
        "{message}"
    );
}

#[test]
fn before_4_1_there_is_no_such_setting() {
    let (code, message) = only(&design("4.0", ORDER, RESUME, FLAG, ""));
    assert_eq!(code, Code::UnknownKey);
    assert!(
        message.ends_with("does not exist in Kafka 4.0"),
        "{message}"
    );
}

#[test]
fn what_a_start_commits_must_hold_everything_when_the_database_commits() {
    for order in [
        "kafka[db[save-offset], produce]",
        "kafka[produce, commit]",
        "kafka[db[process], produce, save-offset]",
    ] {
        let text = design("4.1", order, RESUME, "", "").replace("\"topic\"", "\"add\"");
        let text = match order.contains("process") {
            true => text,
            false => text.replace("\"add\"", "\"topic\""),
        };
        let (code, message) = only(&text);
        assert_eq!(code, Code::Contradiction, "{order}");
        assert!(message.contains("as the last of kafka[...]"), "{message}");
    }
    accepted(&design(
        "4.1",
        "kafka[each(produce), save-offset]",
        RESUME,
        "",
        "",
    ));
}

#[test]
fn without_a_transaction_there_is_nothing_to_resume() {
    let (code, message) = only(&with_application(RESUME));
    assert_eq!(code, Code::Contradiction);
    assert_eq!(
        message,
        "`prepared-transaction` needs kafka[...] in the order"
    );
}

#[test]
fn what_a_start_could_not_find_is_refused_by_name() {
    let per_start = format!("{RESUME}\ntransactional-id = \"per-start\"");
    let endless = "transactional-id = \"per-start\"";
    let several = format!("{RESUME}\ninstances = 2");
    let offsets = "kafka[produce, commit, db[save-offset]]";
    for (text, part) in [
        (design("4.1", ORDER, &per_start, "", ""), "per-start"),
        (design("4.1", ORDER, endless, ENDLESS, MOST), "per-start"),
        (
            design(
                "4.1",
                "kafka[produce-async, db[save-offset]]",
                RESUME,
                "",
                "",
            ),
            "produce-async",
        ),
        (design("4.1", offsets, &several, "", ""), "two instances"),
        (
            design(
                "4.1",
                "kafka[produce, commit]",
                "instances = 2",
                ENDLESS,
                MOST,
            ),
            "two instances",
        ),
    ] {
        let (code, message) = only(&text);
        assert_eq!(code, Code::NotModelled, "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn one_epoch_for_many_transactions_is_warned_of() {
    let old = accepted(&design("3.9", ORDER, RESUME, "", ""));
    assert!(warned(&old).contains(&WarningKind::Hazard));
    let new = accepted(&design("4.1", ORDER, RESUME, "", ""));
    assert!(!warned(&new).contains(&WarningKind::Hazard));
}
