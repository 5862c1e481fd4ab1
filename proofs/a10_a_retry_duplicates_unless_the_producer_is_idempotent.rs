//! **A10. A lost acknowledgement and a retry put a record into the log twice, unless the producer
//! is idempotent; and idempotence ends with the producer's process.**
//!
//! The producer cannot tell a lost request from a lost answer, so it sends again. With idempotence
//! the broker recognises the repeat by producer id and sequence number. A new process has a new
//! producer id: what it sends again is new to the broker. So is what the application sends again
//! by itself after a timeout: that is another send, with another sequence number.
//!
//! The consumer of these designs applies every log entry exactly once (effect and offset are one
//! transaction), so that whatever is handled twice lies in the log twice.
//!
//! In librdkafka it can end before. When a message times out in flight, the client closes the
//! connection, drains the partition, bumps the epoch and numbers what is left from 0
//! (`rd_kafka_broker_timeout_scan`, `rd_kafka_idemp_drain_epoch_bump`,
//! `rd_kafka_toppar_pid_change`). A later message that was in flight on that connection goes back to
//! the queue, although it may be in the log, and gets a number of the new epoch: the broker cannot
//! recognise it. One lost request is enough. With a single record there is no later message. The
//! Java client bumps its epoch with something in flight only when it finds an answer missing after
//! the timeout (`Sender.canRetry`), and a second answer must then be lost as well.
//!
//! Proved: `no-duplicates` for the preset `idempotent-producer` (Java; one partition with one
//! replica, one consumer, 2 and 3 records, at most 5 requests in flight, at most 2 of the faults
//! producer crash, consumer crash, lost request and lost answer), and for librdkafka with a single
//! record.

use crate::support::{changed, judge, one_record, preset, story};
use semel::Guarantee;

const RETRY: &str = "a record is sent again after its answer was lost";

fn idempotent() -> &'static str {
    preset("idempotent-producer")
}

fn without_idempotence() -> String {
    changed(
        idempotent(),
        "enable.idempotence = true",
        "enable.idempotence = false",
    )
}

fn librdkafka() -> String {
    changed(idempotent(), "client = \"java\"", "client = \"librdkafka\"")
}

#[test]
fn an_idempotent_producer_puts_no_record_into_the_log_twice() {
    judge(idempotent())
        .holds(Guarantee::NoDuplicates)
        .explored(2_398, 6_145);
}

#[test]
fn nor_with_a_third_record_behind_the_two() {
    let three = changed(idempotent(), "records = 2", "records = 3");
    judge(&three)
        .holds(Guarantee::NoDuplicates)
        .explored(20_746, 53_950);
}

#[test]
fn the_producer_sent_a_record_again_that_was_in_the_log() {
    judge(idempotent())
        .reached(RETRY)
        .reached("producer-crash")
        .reached("request-lost")
        .reached("response-lost");
}

#[test]
fn without_idempotence_the_retry_is_a_second_entry() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The broker's answer for r0 is lost; r0 will be retried.",
        "The producer puts r0 on the wire again (retry 1).",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time and offset 2 is saved.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&without_idempotence()))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .reached(RETRY)
        .explored(222, 436);
}

#[test]
fn without_retries_a_lost_answer_duplicates_nothing() {
    let once = changed(
        &without_idempotence(),
        "enable.idempotence = false",
        "enable.idempotence = false\nretries = 0",
    );
    judge(&once)
        .holds(Guarantee::NoDuplicates)
        .reached("response-lost")
        .explored(582, 1_244);
}

#[test]
fn a_new_process_that_sends_again_puts_the_record_into_the_log_twice() {
    let resending = changed(idempotent(), "\"forget\"", "\"resend-unconfirmed\"");
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The producer's process dies and starts again with a new producer id.",
        "After its restart the application sends r0 again, which it never saw acknowledged.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time and offset 2 is saved.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&one_record(&resending))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(247, 526);
}

#[test]
fn an_application_that_sends_again_after_a_timeout_puts_the_record_into_the_log_twice() {
    let resending = changed(
        idempotent(),
        "[application]",
        "[application]\non-send-failure = \"resend\"",
    );
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 0.",
        "The broker's answer for r0 is lost; r0 will be retried.",
        "delivery.timeout.ms passes for r0; the application sends r0 anew, and the client starts a new producer epoch with new sequence numbers. Whether it is in the log is unknown to the producer.",
        "The producer puts r0 on the wire.",
        "The broker appends r0 at offset 1, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll returns r0 (offset 1; its effect already took place).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place a second time and offset 2 is saved.",
    ];
    let end = "r0: the effect took place twice.";
    judge(&story(&resending, "response-lost"))
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(53, 77);
}

#[test]
fn an_idempotent_librdkafka_producer_puts_a_single_record_into_the_log_once() {
    judge(&one_record(&librdkafka()))
        .holds(Guarantee::NoDuplicates)
        .reached(RETRY)
        .explored(138, 294);
}

#[test]
fn with_librdkafka_a_timeout_lets_a_later_retry_into_the_log_twice() {
    let steps = [
        "The application sends r0.",
        "The producer puts r0 on the wire.",
        "The connection breaks: the produce request of r0 never reaches the broker.",
        "The producer puts r0 on the wire again (retry 1).",
        "The broker appends r0 at offset 0.",
        "The application sends r1.",
        "The producer puts r1 on the wire.",
        "The broker appends r1 at offset 1.",
        "message.timeout.ms passes for r0, and librdkafka closes its connection; r0 is reported failed, and the client starts a new producer epoch with new sequence numbers. Whether it is in the log is unknown to the producer.",
        "The producer puts r1 on the wire again (retry 1).",
        "The broker appends r1 at offset 2, a second entry of the same record.",
        "A poll returns r0 (offset 0).",
        "db[process, save-offset] of r0 is committed to the database: the effect of r0 takes place and offset 1 is saved.",
        "A poll returns r1 (offset 1).",
        "db[process, save-offset] of r1 is committed to the database: the effect of r1 takes place and offset 2 is saved.",
        "A poll returns r1 (offset 2; its effect already took place).",
        "db[process, save-offset] of r1 is committed to the database: the effect of r1 takes place a second time and offset 3 is saved.",
    ];
    let end = "r1: the effect took place twice.";
    judge(&librdkafka())
        .is_broken(Guarantee::NoDuplicates, &steps, end)
        .explored(1_614, 3_895);
}
