//! **A14. Exactly-once has a price, in calls and durable writes.**
//!
//! Counted per record on the path without faults, for every preset (see `semel::cost`). By hand:
//!
//! | step | calls | durable writes |
//! | --- | --- | --- |
//! | produce | 1 | 1, the record |
//! | fetch | 1 | |
//! | `process` | 1 | 1, the effect |
//! | `commit` | 1 | 1, the offset |
//! | `skip-if-seen` | 1; in memory 0 | |
//! | `remember` | 1; in memory 0 | 1; in memory 0 |
//! | `db[a, b]` | one for each statement, and its COMMIT | 1 in all |
//! | `produce` | 1 | 1, the result |
//! | `kafka[a, b]` | those of `a` and `b`; the end; for the output topic and for the offsets one that adds them and one marker each | those of `a` and `b`; the end, twice; what adds them, and the markers |
//!
//! At-most-once and at-least-once cost the same: 4 calls and 3 writes; which of them is lost and
//! which is repeated is a matter of order alone. Exactly-once costs calls and a transaction, but
//! not writes: a mark in the effect's transaction is written with it, and a saved offset replaces
//! the one in Kafka. What is done once per poll is shared by its records.

use crate::support::{changed, judge, preset, two_instances};
use semel::presets::PRESETS;
use semel::{Cost, Design, Guarantee, Polls, cost};

fn of(design: &str, polls: Polls) -> Cost {
    let design = Design::parse("theorem.toml", design.as_bytes()).expect("a design");
    cost(&design, polls).expect("a bound that the model holds")
}

fn alone(design: &str) -> String {
    of(design, Polls::One).to_string()
}

fn shared(design: &str) -> String {
    of(design, Polls::Full).to_string()
}

/// The presets whose price is worked out below. Each sends as many records as it handles.
const PRICES: [(&str, &str, &str); 11] = [
    (
        "at-most-once",
        "4 calls, 3 durable writes, 0 transactions",
        "3.5 calls, 3 durable writes, 0 transactions",
    ),
    (
        "at-least-once",
        "4 calls, 3 durable writes, 0 transactions",
        "3.5 calls, 3 durable writes, 0 transactions",
    ),
    (
        "commit-per-poll",
        "4 calls, 3 durable writes, 0 transactions",
        "3 calls, 2.5 durable writes, 0 transactions",
    ),
    // Look-up, effect, mark, COMMIT.
    (
        "dedup-in-transaction",
        "7 calls, 3 durable writes, 1 transaction",
        "6.5 calls, 3 durable writes, 1 transaction",
    ),
    // Look-up, effect and mark, each on its own.
    (
        "dedup-look-up-only",
        "6 calls, 4 durable writes, 0 transactions",
        "5.5 calls, 4 durable writes, 0 transactions",
    ),
    (
        "dedup-in-memory",
        "4 calls, 3 durable writes, 0 transactions",
        "3.5 calls, 3 durable writes, 0 transactions",
    ),
    // Effect, offset, COMMIT; none to Kafka.
    (
        "offsets-in-database",
        "5 calls, 2 durable writes, 1 transaction",
        "4.5 calls, 2 durable writes, 1 transaction",
    ),
    (
        "fire-and-forget",
        "5 calls, 2 durable writes, 1 transaction",
        "4.5 calls, 2 durable writes, 1 transaction",
    ),
    (
        "retrying-producer",
        "5 calls, 2 durable writes, 1 transaction",
        "4.5 calls, 2 durable writes, 1 transaction",
    ),
    (
        "idempotent-producer",
        "5 calls, 2 durable writes, 1 transaction",
        "4.5 calls, 2 durable writes, 1 transaction",
    ),
    // Mark, effect, COMMIT, and the offset to Kafka.
    (
        "payment-platform",
        "6 calls, 3 durable writes, 1 transaction",
        "5.5 calls, 3 durable writes, 1 transaction",
    ),
];

#[test]
fn each_preset_costs_what_was_worked_out_by_hand() {
    for (name, by_one, by_poll) in PRICES {
        assert_eq!(
            (alone(preset(name)), shared(preset(name))),
            (by_one.into(), by_poll.into()),
            "{name}"
        );
    }
}

/// The README's table has a row for each of them.
#[test]
fn the_table_of_the_readme_is_current() {
    let readme = include_str!("../README.md");
    for (name, ..) in PRICES {
        let cost = of(preset(name), Polls::One);
        let [calls, writes, transactions] =
            [cost.calls, cost.durable_writes, cost.transactions].map(|total| total / cost.records);
        let row = format!("| `{name}` | {calls} | {writes} | {transactions} |");
        assert!(readme.contains(&row), "{row}");
    }
}

/// Presets without a row above may come; what they cost is finite and more than nothing.
#[test]
fn every_preset_has_a_price() {
    for preset in PRESETS {
        let (one, full) = (of(preset.text, Polls::One), of(preset.text, Polls::Full));
        assert!(full.calls <= one.calls, "{}", preset.name);
        assert!(full.durable_writes <= one.durable_writes, "{}", preset.name);
        assert!(full.calls >= 2 * full.records, "{}", preset.name);
        assert_eq!(full.records, one.records, "{}", preset.name);
    }
}

#[test]
fn exactly_once_costs_calls_and_a_transaction_more_than_at_least_once_and_no_write() {
    let cheap = of(preset("at-least-once"), Polls::One);
    for name in [
        "dedup-in-transaction",
        "offsets-in-database",
        "payment-platform",
    ] {
        let dear = of(preset(name), Polls::One);
        assert!(dear.calls > cheap.calls, "{name}");
        assert!(dear.transactions > cheap.transactions, "{name}");
        assert!(dear.durable_writes <= cheap.durable_writes, "{name}");
        judge(preset(name)).holds(Guarantee::ExactlyOnceEffect);
    }
    judge(preset("at-least-once")).violates(Guarantee::ExactlyOnceEffect);
}

/// A mark beside the transaction costs a write more, and is no guard.
#[test]
fn the_guard_that_fails_is_not_even_the_cheaper_one() {
    let fails = of(preset("dedup-look-up-only"), Polls::One);
    let holds = of(preset("payment-platform"), Polls::One);
    assert_eq!(fails.calls, holds.calls);
    assert!(fails.durable_writes > holds.durable_writes);
    judge(preset("dedup-look-up-only")).violates(Guarantee::ExactlyOnceEffect);
}

#[test]
fn a_second_consumer_costs_nothing_more() {
    for (name, by_one, _) in PRICES {
        assert_eq!(alone(&two_instances(preset(name))), by_one, "{name}");
    }
}

#[test]
fn one_transaction_for_a_whole_poll_is_shared_by_its_records() {
    let order = |order: &str| {
        changed(
            preset("offsets-in-database"),
            "db[process, save-offset]",
            order,
        )
    };
    // Of two records: two produce requests, a fetch, two effects, the offset, COMMIT.
    assert_eq!(
        shared(&order("db[each(process), save-offset]")),
        "3.5 calls, 1.5 durable writes, 0.5 transactions"
    );
}

#[test]
fn an_outbox_costs_a_transaction_a_read_and_a_mark() {
    let outbox = changed(
        preset("at-least-once"),
        "on-restart = \"forget\"",
        "source = \"outbox\"\non-restart = \"forget\"",
    );
    // The row and its message and COMMIT; the relay's read; the mark.
    assert_eq!(alone(&outbox), "9 calls, 5 durable writes, 1 transaction");
}

#[test]
fn commits_that_nobody_waits_for_cost_what_the_others_do_and_automatic_ones_nothing_per_record() {
    let at_least_once = preset("at-least-once");
    let unwaited = changed(
        at_least_once,
        "process -> commit\"",
        "process -> commit-async\"",
    );
    assert_eq!(alone(&unwaited), alone(at_least_once));
    let order = changed(at_least_once, "process -> commit\"", "process\"");
    let automatic = changed(
        &order,
        "enable.auto.commit = false",
        "enable.auto.commit = true",
    );
    assert_eq!(
        alone(&automatic),
        "3 calls, 2 durable writes, 0 transactions"
    );
}

#[test]
fn from_topic_to_topic_a_kafka_transaction_costs_more_than_twice_as_much() {
    let plain = preset("consume-transform-produce");
    assert_eq!(alone(plain), "4 calls, 3 durable writes, 0 transactions");
    assert_eq!(shared(plain), "3.5 calls, 3 durable writes, 0 transactions");
    // The result and the offset, each added before; the end; two markers. The coordinator notes the
    // end before the first marker and after the last.
    let transactional = preset("exactly-once-topic-to-topic");
    assert_eq!(
        alone(transactional),
        "9 calls, 9 durable writes, 1 transaction"
    );
    assert_eq!(
        shared(transactional),
        "8.5 calls, 9 durable writes, 1 transaction"
    );
    // Per poll everything but the results is shared.
    let per_poll = changed(
        transactional,
        "kafka[produce, commit]",
        "kafka[each(produce), commit]",
    );
    assert_eq!(
        shared(&per_poll),
        "5.5 calls, 5.5 durable writes, 0.5 transactions"
    );
}
