//! The sentences of an outbox, a dual write, and what time does, over all of their small runs.

use std::collections::{BTreeSet, HashSet};

use insta::assert_snapshot;
use semel_models::action::{Action, Strike};
use semel_models::cluster::Cluster;
use semel_models::fault::{Fault, FaultBudget, FaultKey};
use semel_models::pipeline::{
    ConfirmOn, DualWriteOrder, OutboxCursor, OutboxOrder, Pipeline, Source,
};
use stateright::Model;

use super::narrate;
use crate::Design;

/// A small pipeline with these faults, two in all.
fn pipeline(source: Source, faults: &[Fault]) -> Pipeline {
    let text = b"client = \"java\"\n[application]\norder = \"process -> commit\"\n";
    let design = Design::parse("told.toml", text).expect("a design");
    let mut pipeline = design.pipeline().clone();
    pipeline.producer.source = source;
    if source != Source::Memory {
        pipeline.producer.confirm_on = ConfirmOn::DatabaseCommit;
    }
    let entry = |fault: &Fault| {
        let key = FaultKey {
            fault: *fault,
            call: None,
        };
        (key, 1)
    };
    pipeline.faults = FaultBudget {
        entries: faults.iter().map(entry).collect(),
        total: Some(2),
    };
    pipeline
}

fn is_told_here(action: Action) -> bool {
    match action {
        Action::CommitUpstream(_) | Action::Mark(_) | Action::Send(_) => true,
        Action::Fault { strike, .. } => matches!(
            strike,
            Strike::ProducerCrash
                | Strike::ProducerPause
                | Strike::ProducerPauseOfRequests
                | Strike::Abort
                | Strike::ForgetProducer(_)
                | Strike::Retention
        ),
        _ => false,
    }
}

/// Every sentence of these steps, of all runs.
fn sentences(pipeline: Pipeline) -> String {
    let cluster = Cluster::new(pipeline).expect("small");
    let mut told = BTreeSet::new();
    let mut seen: HashSet<_> = cluster.init_states().into_iter().collect();
    let mut open: Vec<_> = seen.iter().cloned().collect();
    while let Some(state) = open.pop() {
        let mut actions = Vec::new();
        cluster.actions(&state, &mut actions);
        for action in actions {
            let Some(next) = cluster.next_state(&state, action) else {
                continue;
            };
            if is_told_here(action) {
                told.insert(narrate(&cluster, &state, action, &next, [false; 2]).sentence);
            }
            if seen.insert(next.clone()) {
                open.push(next);
            }
        }
    }
    told.into_iter().collect::<Vec<_>>().join("\n")
}

#[test]
fn an_outbox_is_told() {
    let source = Source::Outbox {
        order: OutboxOrder::PublishMark,
        cursor: OutboxCursor::HighestId,
    };
    assert_snapshot!(sentences(pipeline(source, &[Fault::ProducerCrash])), @r"
    The relay dies after it published r0 and before it marked it and starts again with a new producer id.
    The relay dies after it published r1 and before it marked it and starts again with a new producer id.
    The relay dies and starts again with a new producer id.
    The relay dies and starts again with a new producer id; r0 was still on the wire and is gone.
    The relay dies and starts again with a new producer id; r1 was still on the wire and is gone.
    The relay finds row r0 unmarked and publishes it again.
    The relay finds row r1 unmarked and publishes it again.
    The relay marks row r0 as published.
    The relay marks row r1 as published.
    The relay publishes r0.
    The relay publishes r1.
    The transaction that inserted row r0 commits; r0 is confirmed.
    The transaction that inserted row r0 commits; r0 is confirmed. The relay is past its id and will never read it.
    The transaction that inserted row r1 commits; r1 is confirmed.
    ");
}

#[test]
fn a_relay_that_marks_first_is_told() {
    let source = Source::Outbox {
        order: OutboxOrder::MarkPublish,
        cursor: OutboxCursor::Status,
    };
    assert_snapshot!(sentences(pipeline(source, &[Fault::ProducerCrash])), @r"
    The relay dies after it marked r0 and before it published it and starts again with a new producer id; it forgets r0.
    The relay dies after it marked r1 and before it published it and starts again with a new producer id; it forgets r1.
    The relay dies and starts again with a new producer id.
    The relay dies and starts again with a new producer id; it forgets r0.
    The relay dies and starts again with a new producer id; it forgets r0; r0 was still on the wire and is gone.
    The relay dies and starts again with a new producer id; it forgets r1.
    The relay dies and starts again with a new producer id; it forgets r1; r1 was still on the wire and is gone.
    The relay marks row r0 before it publishes it.
    The relay marks row r1 before it publishes it.
    The relay publishes r0.
    The relay publishes r1.
    The transaction that inserted row r0 commits; r0 is confirmed.
    The transaction that inserted row r1 commits; r1 is confirmed.
    ");
}

#[test]
fn dual_writes_are_told() {
    let faults = [Fault::ProducerCrash, Fault::Abort];
    let first = Source::DualWrite(DualWriteOrder::DatabaseFirst);
    assert_snapshot!(sentences(pipeline(first, &faults)), @r"
    The application commits its database transaction of r0; r0 is confirmed.
    The application commits its database transaction of r1; r1 is confirmed.
    The application sends r0.
    The application sends r1.
    The application's database transaction of r0 rolls back: r0 is aborted.
    The application's database transaction of r1 rolls back: r1 is aborted.
    The producer's process dies and starts again with a new producer id.
    The producer's process dies and starts again with a new producer id; it forgets r0 and r1.
    The producer's process dies and starts again with a new producer id; it forgets r0 and r1; r0 and r1 was still on the wire and is gone.
    The producer's process dies and starts again with a new producer id; it forgets r0 and r1; r0 was still on the wire and is gone.
    The producer's process dies and starts again with a new producer id; it forgets r0 and r1; r1 was still on the wire and is gone.
    The producer's process dies and starts again with a new producer id; it forgets r0.
    The producer's process dies and starts again with a new producer id; it forgets r0; r0 was still on the wire and is gone.
    The producer's process dies and starts again with a new producer id; it forgets r1.
    The producer's process dies and starts again with a new producer id; it forgets r1; r1 was still on the wire and is gone.
    ");
    let last = Source::DualWrite(DualWriteOrder::KafkaFirst);
    assert_snapshot!(sentences(pipeline(last, &faults)), @r"
    The application commits its database transaction of r0; r0 is confirmed.
    The application commits its database transaction of r1; r1 is confirmed.
    The application sends r0.
    The application sends r1.
    The application's database transaction of r0 rolls back: r0 is aborted.
    The application's database transaction of r1 rolls back: r1 is aborted.
    The producer's process dies and starts again with a new producer id.
    The producer's process dies and starts again with a new producer id; the database rolls r0 back.
    The producer's process dies and starts again with a new producer id; the database rolls r0 back; r0 was still on the wire and is gone.
    The producer's process dies and starts again with a new producer id; the database rolls r1 back.
    The producer's process dies and starts again with a new producer id; the database rolls r1 back; r1 was still on the wire and is gone.
    ");
}

#[test]
fn what_time_does_is_told() {
    let mut pipeline = pipeline(
        Source::Memory,
        &[
            Fault::ProducerPause,
            Fault::ProducerIdExpiry,
            Fault::Retention,
        ],
    );
    pipeline.rules.producer_state_outlives_records = false;
    assert_snapshot!(sentences(pipeline), @r"
    Retention removes r0 (offset 0) from the log, and the broker forgets the producer id whose last record it was.
    Retention removes r0 (offset 0) from the log.
    Retention removes r1 (offset 0) from the log, and the broker forgets the producer id whose last record it was.
    The application sends r0.
    The application sends r1.
    The producer's process stands still until its requests have timed out: it closes the connection and never reads the broker's answer for r0 and r1.
    The producer's process stands still until its requests have timed out: it closes the connection and never reads the broker's answer for r0.
    The producer's process stands still until its requests have timed out: it closes the connection and never reads the broker's answer for r1.
    The producer's process stands still until the delivery timeouts of its sends have passed, and goes on.
    producer.id.expiration.ms passes without a record of it: the broker forgets the producer's id.
    ");
}
