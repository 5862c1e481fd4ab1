//! Offsets without a record that a poll returns.

mod common;

use common::pipeline;
use semel_models::broker::{Broker, Entry};
use semel_models::consumer::{Consumer, Phase};
use semel_models::list::List;
use semel_models::offset::{NextOffset, in_hand};
use semel_models::pipeline::{CommitCovers, Pipeline};
use semel_models::program::{Program, Scope};

/// A log in which the offsets of `None` have no record.
fn log(records: &[Option<u16>]) -> Broker {
    let mut broker = Broker::default();
    for record in records {
        broker.log.push(Entry {
            record: record.unwrap_or_default(),
            removed: record.is_none(),
            ..Entry::default()
        });
    }
    broker
}

fn program(pipeline: &Pipeline) -> Program {
    Program::compile(&pipeline.consumer.order, pipeline.consumer.workers)
}

fn offsets(consumer: &Consumer) -> Vec<u16> {
    let places = 0..consumer.hand.len() as u16;
    places.map(|place| consumer.offset(place).0).collect()
}

#[test]
fn a_place_in_the_hand_has_the_offset_that_its_record_has() {
    assert_eq!(
        in_hand(3, 0, 2).0,
        5,
        "without gaps they follow one another"
    );
    // Records at 4, 6, 7 and 9.
    let passed = 0b010_0101;
    let of = |place| in_hand(3, passed, place).0;
    assert_eq!([of(0), of(1), of(2), of(3)], [4, 6, 7, 9]);
}

#[test]
fn a_poll_spans_gaps_and_ends_after_its_last_record() {
    let pipeline = pipeline(&[]);
    let broker = log(&[None, Some(0), None, None, Some(1), None]);
    let mut consumer = Consumer::joined();
    consumer.poll(2, &pipeline, &broker);
    assert_eq!(&consumer.hand[..], &[0, 1]);
    assert_eq!(offsets(&consumer), [1, 4]);
    assert_eq!(consumer.position().next, NextOffset(5));
    let program = program(&pipeline);
    assert_eq!(consumer.first_undone(&program), 0, "nothing is done");
    let once = Scope::Record { first: 0, last: 1 };
    assert_eq!(consumer.covered(once, &pipeline).next, NextOffset(2));
    // The first record is done, and so is what lies before it.
    while consumer.cursor == 0 {
        consumer.advance(&program);
    }
    assert_eq!(consumer.first_undone(&program), 2);
    let called_back = consumer.covered_by_callback(&program, &pipeline);
    assert_eq!(called_back.expect("one is done").next, NextOffset(2));
    while consumer.phase == Phase::Handling {
        consumer.advance(&program);
    }
    assert_eq!(consumer.position().next, NextOffset(5));
    assert_eq!(consumer.passed, 0, "the next hand has gaps of its own");
}

#[test]
fn a_poll_that_returns_nothing_passes_over_what_has_no_record() {
    let pipeline = pipeline(&[]);
    let broker = log(&[Some(0), None, None]);
    let mut consumer = Consumer::joined();
    consumer.first = 1;
    consumer.poll(0, &pipeline, &broker);
    assert_eq!(consumer.position().next, NextOffset(3));
    assert_eq!(consumer.phase, Phase::Polling);
    assert_eq!(consumer.hand, List::default());
}

#[test]
fn what_is_done_from_the_beginning_on_passes_over_gaps() {
    let mut pipeline = pipeline(&[]);
    pipeline.consumer.workers = 2;
    pipeline.consumer.commit_covers = CommitCovers::Contiguous;
    let broker = log(&[None, Some(0), None, Some(1)]);
    let mut consumer = Consumer::joined();
    consumer.poll(2, &pipeline, &broker);
    let at: Vec<u16> = consumer.crew.tasks.iter().map(|task| task.offset).collect();
    assert_eq!(at, [1, 3]);
    assert_eq!(consumer.position().next, NextOffset(4));
    consumer.crew.tasks[1].done = true;
    consumer.crew.settle();
    assert_eq!(consumer.crew.done, 0, "the first is in a worker's hands");
    assert_eq!(consumer.crew.highest(), 4);
    consumer.crew.tasks[0].done = true;
    consumer.crew.settle();
    assert_eq!(consumer.crew.done, 4);
    assert!(consumer.crew.tasks.is_empty());
}
