//! What is printed, and the line that runs a schedule again.

use super::script::Script;
use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
use std::process::{Command, Output};

fn at_least_once() -> semel::harness::Harness {
    semel::harness(Script("process -> commit"))
}

#[test]
fn a_crash_is_told_from_start_to_end() {
    let report = at_least_once()
        .named("reports::a_crash_is_told_from_start_to_end")
        .try_check(&[ExactlyOnceEffect])
        .expect("a verdict");
    let twice = report.violation(ExactlyOnceEffect).expect("it is violated");
    insta::assert_snapshot!(twice, @r#"
    exactly-once-effect is violated — the smallest run found:
            The service starts.
            It joins the group and reads from offset 0 (no offset is committed).
        1   A poll returns r0 (offset 0).
        2   Point "before process" of r0.
        3 ! The process dies before point "processed" of r0. [crash@3]
            The service starts again.
            It joins the group and reads from offset 0 (no offset is committed).
        4   A poll returns r0 (offset 0; its effect already took place).
        5   Point "before process" of r0.
        6   Point "processed" of r0.
        7   Commit: the group's committed offset is 1.
        8   A poll returns nothing.
       => r0: the effect took place twice.
    To mend it: Remember the record's identity under a unique key in the same transaction as its
      effect, and skip a record whose identity is there. An effect outside of your database (a mail,
      a payment provider) needs an idempotency key that its provider checks.
    To run it again:
      SEMEL_SCHEDULE='reports::a_crash_is_told_from_start_to_end records=1 crash@3' cargo test --test harness reports::a_crash_is_told_from_start_to_end -- --exact --nocapture
    "#);
}

#[test]
fn a_zombie_is_told_with_the_one_that_took_over() {
    let harness = semel::harness(Script("skip-if-seen -> process -> remember -> commit"));
    let harness = harness.records(1..=1).crashes(0..=0);
    let report = harness.try_check(&[ExactlyOnceEffect]).expect("a verdict");
    let twice = report.violation(ExactlyOnceEffect).expect("it is violated");
    insta::assert_snapshot!(twice.story, @r#"
         The service starts.
         It joins the group and reads from offset 0 (no offset is committed).
     1   A poll returns r0 (offset 0).
     2 ! The process stands still before point "before process" of r0, beyond its session; another instance takes over. [pause@2]
           Another instance of the service starts.
           It joins the group and reads from offset 0 (no offset is committed).
     3     A poll returns r0 (offset 0).
     4     Point "before process" of r0.
     5     Point "processed" of r0.
     6     Commit: the group's committed offset is 1.
     7     A poll returns nothing.
         The process that stood still goes on.
         Point "before process" of r0.
     8   Point "processed" of r0.
     9   Commit: refused, for the partition belongs to another member.
         The service ends in an error: the commit was refused: the partition belongs to another member of the group.
         The service starts again.
         It joins the group and reads from offset 1 (the committed offset).
    10   A poll returns nothing.
    "#);
}

#[test]
fn a_report_says_how_much_was_tried_and_what_was_reached() {
    let harness = semel::harness(Script("db[process, remember] -> commit")).records(1..=1);
    insta::assert_snapshot!(harness.check(&[NoLoss, ExactlyOnceEffect]), @r#"
    no-loss              no schedule that was tried violates it
    exactly-once-effect  no schedule that was tried violates it
    progress             no schedule that was tried violates it
    All 71 schedules of up to 2 faults with 1 record.

    crash point         reached  crashed before  crashed after  other faults
    commit                  130              18              8            36
    point "processed"       147              17              0            14
    poll                    282              31              0             6
          39 x a crash after an effect, before its commit
          76 x a record was delivered again
          76 x a record was delivered again after its effect
          26 x a commit was refused
          15 x a request was lost
           8 x an answer was lost
          33 x another instance ran while one stood still
    "#);
}

/// Runs the test `name` of this program, with `schedule` in the environment.
fn again(name: &str, schedule: &str) -> Output {
    Command::new(std::env::current_exe().expect("this test"))
        .args([name, "--exact", "--nocapture"])
        .env("SEMEL_SCHEDULE", schedule)
        .env(AGAIN, "1")
        .output()
        .expect("it can be started")
}

/// Set where the test below is run for another one.
const AGAIN: &str = "SEMEL_TEST_OF_THE_HARNESS";
const CHECKED: &str = "reports::a_check_that_is_run_again";

#[test]
fn a_check_that_is_run_again() {
    if std::env::var_os(AGAIN).is_some() {
        println!(
            "\n{}",
            at_least_once()
                .records(1..=2)
                .check(&[NoLoss, ExactlyOnceEffect])
        );
    }
}

fn told(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).expect("text")
}

#[test]
fn the_line_in_a_failure_runs_exactly_its_schedule() {
    let first = again(CHECKED, "");
    assert!(!first.status.success());
    let first = told(&first);
    let line = first
        .lines()
        .find(|line| line.contains("SEMEL_SCHEDULE="))
        .expect("a line");
    assert_eq!(
        line.trim(),
        format!(
            "SEMEL_SCHEDULE='{CHECKED} records=1 crash@3' \
             cargo test --test harness {CHECKED} -- --exact --nocapture"
        )
    );
    let schedule = line.split('\'').nth(1).expect("a schedule in quotes");
    let second = again(CHECKED, schedule);
    assert!(!second.status.success());
    let second = told(&second);
    assert!(second.contains("One schedule."), "{second}");
    assert!(
        second.contains("The process dies before point \"processed\" of r0. [crash@3]"),
        "{second}"
    );
    // Another one, which breaks nothing.
    let harmless = again(CHECKED, &format!("{CHECKED} records=1 crash@1"));
    assert!(harmless.status.success(), "{}", told(&harmless));
    assert!(told(&harmless).contains("The process dies before poll. [crash@1]"));
}

#[test]
fn a_schedule_of_another_test_is_none_of_its_business() {
    let output = told(&again(CHECKED, "another_test records=1 crash@1"));
    assert!(!output.contains("One schedule."), "{output}");
}

#[test]
fn a_schedule_that_does_not_fit_is_refused_with_the_calls_that_there_are() {
    let refused = |schedule: &str| told(&again(CHECKED, &format!("{CHECKED} {schedule}")));
    let told = refused("records=1 crash@9");
    assert!(told.contains("'crash@9' does not fit"), "{told}");
    assert!(told.contains("    5   A poll returns nothing."), "{told}");
    let told = refused("records=1 crash-after@1");
    assert!(told.contains("'crash-after@1' does not fit"), "{told}");
    let told = refused("records=1 crsh@1");
    assert!(told.contains("'crsh@1': known are crash, "), "{told}");
}
