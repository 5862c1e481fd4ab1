//! Statements that mean nothing, or cannot both hold, without another part of the design.

use insta::assert_snapshot;

use super::*;

fn all_told(designs: &[String]) -> String {
    let told_of = |text: &String| {
        let error = refused(text);
        assert!(
            error
                .problems()
                .iter()
                .all(|problem| problem.kind() != Code::NotModelled),
            "{}",
            told(&error)
        );
        told(&error)
    };
    designs.iter().map(told_of).collect::<Vec<_>>().join("\n\n")
}

#[test]
fn a_key_of_one_source_is_refused_with_another() {
    let designs = [
        "outbox-order = \"publish -> mark\"",
        "outbox-cursor = \"status\"\nsource = \"dual-write\"",
        "dual-write-order = \"database -> kafka\"\nsource = \"outbox\"",
        "records-per-transaction = 2",
        "confirm-on = \"database-commit\"",
        "source = \"outbox\"\non-restart = \"resend-unconfirmed\"",
    ]
    .map(with_application);
    assert_snapshot!(all_told(&designs));
}

#[test]
fn workers_and_what_a_commit_covers_must_fit_together() {
    let designs = [
        "commit-covers = \"contiguous\"",
        "commit-covers = \"highest\"",
        "workers = 2",
        "workers = 2\ncommit-covers = \"next\"",
        "workers = 3\ncommit-covers = \"last\"",
        "on-revoke = \"drop-buffered\"",
    ]
    .map(with_application);
    assert_snapshot!(all_told(&designs));
}

#[test]
fn orders_with_workers_are_refused_with_the_nearest() {
    let designs = [
        "commit -> process",
        "process -> commit -> remember",
        "each(process) -> commit",
    ]
    .map(|order| {
        with_order(order).replace(
            "[application]",
            "[application]\nworkers = 2\ncommit-covers = \"contiguous\"",
        )
    });
    assert_snapshot!(all_told(&designs));
}

#[test]
fn who_assigns_itself_has_no_rebalance() {
    let assigned = |lines: &str| with_application(&format!("assignment = \"assign\"\n{lines}"));
    let designs = [
        assigned("on-revoke = \"commit\""),
        assigned("on-lost = \"commit\""),
        assigned("") + "[sink]\nfencing = true\n",
    ];
    assert_snapshot!(all_told(&designs));
    accepted(&assigned("on-revoke = \"nothing\""));
}

#[test]
fn dead_letters_have_an_order_that_can_be_kept() {
    let letters =
        "on-process-failure = { then = \"dead-letter\" }\ndead-letter-order = \"commit -> write\"";
    let designs = [
        with_application("dead-letter-order = \"write -> commit\""),
        with_application(&format!("workers = 1\n{letters}")),
    ];
    assert_snapshot!(all_told(&designs));
}

#[test]
fn a_sinks_safeguards_need_what_they_guard() {
    let sink = |lines: &str| format!("{SOUND}[sink]\n{lines}\n");
    let designs = [
        sink("version-guard = true"),
        sink("fencing = true\neffect = \"external\""),
        sink("dedup-window = 1"),
    ];
    assert_snapshot!(all_told(&designs));
}

#[test]
fn a_relay_waits_for_delivery_reports_that_nothing_may_take_away() {
    let text = librdkafka(
        "enable.idempotence = true\ndr_msg_cb = false",
        "enable.auto.commit = false",
    );
    let text = text.replace("[application]", "[application]\nsource = \"outbox\"");
    assert_snapshot!(all_told(&[text]));
}
