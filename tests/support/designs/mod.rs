//! Random designs, as texts in semel's language: the design reader is in the loop.
//!
//! What a table says follows from a few independent draws. A draw that would contradict another is
//! left out of the text, so that most texts are accepted; a text that is refused all the same is
//! discarded by who asked for it, and counted.

mod chain;
mod faults;
mod order;
mod partitions;
mod replicas;
mod results;
mod tables;
mod transactions;

use std::fmt;

use proptest::prelude::*;
use proptest::sample::select;

pub use chain::{Chain, any_chain, any_struck_chain};
pub use faults::Extra;
use order::OrderDraw;
pub use partitions::any_partitions;
pub use replicas::{any_cleaned, any_recreated, any_replicas};
pub use results::{any_results, any_unstruck_results};
pub use transactions::{Brokers, any_transactions};

/// The text of a design. A failing test prints it as it stands: it is a file for `semel check`.
#[derive(Clone)]
pub struct Text(pub String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a design\n---\n{}---", self.0)
    }
}

/// The clients' side of a design.
#[derive(Clone, Debug)]
struct Clients {
    librdkafka: bool,
    version: &'static str,
    producer: [&'static str; 4],
    topic: &'static str,
    automatic: &'static str,
    stores: bool,
    reset: &'static str,
    protocol: usize,
    member: bool,
}

/// The application's side of a design.
#[derive(Clone, Debug)]
struct Application {
    order: OrderDraw,
    workers: usize,
    covers: usize,
    revoke: &'static str,
    lost: &'static str,
    failure: &'static str,
    on_commit_failure: &'static str,
    on_send_failure: &'static str,
    on_restart: bool,
    source: &'static str,
    instances: bool,
    assigns: bool,
    seeks: bool,
}

/// The sink's side of a design.
#[derive(Clone, Debug)]
struct Sink {
    effect: &'static str,
    dedup: &'static str,
    insert: &'static str,
    key: &'static str,
    window: &'static str,
    fencing: bool,
    guard: bool,
}

/// The bound of a design, apart from its faults.
#[derive(Clone, Debug)]
struct Bounds {
    records: usize,
    two_keys: bool,
    poll: &'static str,
    retries: &'static str,
    cold: bool,
}

/// All draws of a design.
#[derive(Clone, Debug)]
struct Draw {
    clients: Clients,
    application: Application,
    sink: Sink,
    faults: String,
    bounds: Bounds,
}

/// A design of at most two records and three faults, from the whole language that is modelled.
pub fn any_design() -> impl Strategy<Value = Text> {
    (clients(), application(), sink(), faults::table(), bounds()).prop_map(
        |(clients, application, sink, faults, bounds)| {
            let draw = Draw {
                clients,
                application,
                sink,
                faults,
                bounds,
            };
            Text(draw.text())
        },
    )
}

/// True once in `times`; it shrinks to false.
fn seldom(times: u32) -> impl Strategy<Value = bool> {
    prop_oneof![times - 1 => Just(false), 1 => Just(true)]
}

/// One of these lines; it shrinks to the first.
fn one(of: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    select(of)
}

fn clients() -> impl Strategy<Value = Clients> {
    let versions = one(&[
        "", "", "", "", "", "", "4.0", "3.9", "3.1.0", "2.8", "2.4", "1.1",
    ]);
    (
        (any::<bool>(), versions),
        [
            one(tables::ACKS),
            one(tables::RETRIES),
            one(tables::IN_FLIGHT),
            one(tables::TIMEOUTS),
        ],
        one(tables::TOPICS),
        one(&["false", "false", "false", "true", ""]),
        any::<bool>(),
        one(&["earliest", "earliest", "latest", "none"]),
        (0..5usize, seldom(5)),
    )
        .prop_map(
            |((librdkafka, version), producer, topic, automatic, stores, reset, group)| Clients {
                librdkafka,
                version,
                producer,
                topic,
                automatic,
                stores,
                reset,
                protocol: group.0,
                member: group.1,
            },
        )
}

fn application() -> impl Strategy<Value = Application> {
    (
        order::draws(),
        (select(&[0, 0, 0, 1, 2][..]), 0..3usize),
        (one(tables::LISTENERS), one(tables::LISTENERS)),
        one(tables::FAILURES),
        one(&["", "", "retry-saved", "ignore"]),
        one(&["", "", "resend", "ignore"]),
        seldom(3),
        one(tables::SOURCES),
        (seldom(3), seldom(8), seldom(6)),
    )
        .prop_map(
            |(order, crew, listener, failure, commit, send, restart, source, group)| Application {
                order,
                workers: crew.0,
                covers: crew.1,
                revoke: listener.0,
                lost: listener.1,
                failure,
                on_commit_failure: commit,
                on_send_failure: send,
                on_restart: restart,
                source,
                instances: group.0,
                assigns: group.1,
                seeks: !group.2,
            },
        )
}

fn sink() -> impl Strategy<Value = Sink> {
    (
        one(tables::EFFECTS),
        one(&["", "", "separate", "memory"]),
        one(&["", "", "plain"]),
        one(&["", "", "offset"]),
        one(&["", "", "1", "2"]),
        seldom(4),
        seldom(3),
    )
        .prop_map(
            |(effect, dedup, insert, key, window, fencing, guard)| Sink {
                effect,
                dedup,
                insert,
                key,
                window,
                fencing,
                guard,
            },
        )
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (
        1..=2usize,
        seldom(3),
        one(&["", "", "1"]),
        one(&["1", "0", "2", ""]),
        seldom(4),
    )
        .prop_map(|(records, two_keys, poll, retries, cold)| Bounds {
            records,
            two_keys,
            poll,
            retries,
            cold,
        })
}
