//! PostgreSQL runs the transactions of two processes at a time, as the order language says of them.

use std::sync::mpsc;
use std::thread;

use semel::lab::sink::SqlSink;
use semel_models::pipeline::{DedupInsert, Pipeline};
use semel_models::store::Store;

use crate::bench::{self, Bench};
use crate::client::Client;
use crate::databases::{self, Kind};

const KEY: u16 = 3;

fn pipeline(dedup_insert: DedupInsert) -> Pipeline {
    let mut pipeline = bench::pipeline();
    pipeline.sink.dedup_insert = dedup_insert;
    pipeline
}

/// Whether the key was known.
fn insert(sink: &mut SqlSink, pipeline: &Pipeline) -> bool {
    let inserted = sink.insert(KEY, None, pipeline, &bench::limits(pipeline));
    inserted.expect("it can be inserted")
}

#[test]
fn a_look_up_does_not_protect_against_a_transaction_at_the_same_time() {
    if databases::postgres().is_none() {
        return;
    }
    let pipeline = pipeline(DedupInsert::Plain);
    let bench = Bench::on(Kind::Postgres, &pipeline);
    let [mut one, mut other] = [(); 2].map(|()| bench.connect());
    for sink in [&mut one, &mut other] {
        sink.begin().expect("it begins");
        assert!(!sink.knows(KEY).expect("it can be looked up"));
        assert!(!insert(sink, &pipeline));
    }
    one.commit(()).expect("it commits");
    other.commit(()).expect("it commits");
    assert_eq!(bench.tables().seen, [KEY, KEY]);
}

#[test]
fn a_look_up_sees_what_was_committed_since_its_transaction_began() {
    if databases::postgres().is_none() {
        return;
    }
    let pipeline = pipeline(DedupInsert::Unique);
    let bench = Bench::on(Kind::Postgres, &pipeline);
    let [mut one, mut other] = [(); 2].map(|()| bench.connect());
    one.begin().expect("it begins");
    assert!(!one.knows(KEY).expect("it can be looked up"));
    insert(&mut other, &pipeline);
    assert!(one.knows(KEY).expect("it can be looked up"));
}

#[test]
fn a_unique_insert_waits_for_the_other_transaction_and_goes_by_how_it_ends() {
    if databases::postgres().is_none() {
        return;
    }
    for (end, known) in [("COMMIT", true), ("ROLLBACK", false)] {
        let pipeline = pipeline(DedupInsert::Unique);
        let bench = Bench::on(Kind::Postgres, &pipeline);
        let mut sink = bench.connect();
        let (mut other, mut observer) = (bench.client(), bench.client());
        let begun = other.run(&format!("BEGIN; INSERT INTO seen (key) VALUES ({KEY})"));
        begun.expect("nobody has it");
        let (ended, end_seen) = mpsc::channel();
        let ends = thread::spawn(move || {
            while !somebody_waits(&mut observer) {
                thread::yield_now();
            }
            ended.send(()).expect("it is received");
            other.run(end).expect("it ends");
        });
        sink.begin().expect("it begins");
        assert_eq!(insert(&mut sink, &pipeline), known, "after {end}");
        end_seen.try_recv().expect("it waited");
        ends.join().expect("it ended");
        sink.commit(()).expect("the conflict did not abort it");
        assert_eq!(bench.tables().seen, [KEY]);
    }
}

fn somebody_waits(observer: &mut Client) -> bool {
    let waiting = "SELECT count(*) FROM pg_locks waits JOIN pg_locks holds USING (transactionid)
         WHERE NOT waits.granted AND holds.granted
         AND holds.pid IN (SELECT l.pid FROM pg_locks l WHERE l.relation = 'seen'::regclass)";
    observer.rows(waiting)[0][0] > Some(0)
}
