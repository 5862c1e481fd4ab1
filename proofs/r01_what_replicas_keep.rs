//! **What a record is kept by, once it is acknowledged: settings and releases, one apart, on both
//! sides of a loss. With it A9 is complete: which failure of a broker loses what under which `acks`.**
//!
//! With `acks=0` a connection that breaks is enough, with `acks=1` the leader's death. With
//! `acks=all` a record is on every in-sync replica: it takes a replica that loses what it had and
//! leads all the same. Of how many replicas `acks=all` speaks is what `min.insync.replicas` says; who
//! may lead, `unclean.leader.election.enable` and the eligible leader replicas; what a follower cuts
//! off, the release.
//!
//! Proved: `no-loss` for each pair of the catalogue's designs below, which differ in one setting; one
//! partition with two or three replicas, one consumer that applies what is in the log exactly once, and
//! the records and faults of each design. The pairs are whole pipelines in `models/catalogue`.

use crate::support::{Judged, changed, faults, judge, with_faults};
use semel::Guarantee;
use semel::catalogue::ENTRIES;

/// The two designs of a catalogue entry.
fn pair(id: &str) -> (&'static str, &'static str) {
    let entry = ENTRIES.iter().find(|entry| entry.id == id);
    let entry = entry.expect("an entry of the catalogue");
    (entry.broken, entry.fixed)
}

/// Claims that the broken design loses a record in a shortest run of so many steps, which spends
/// these faults.
#[track_caller]
fn loses(design: &str, steps: usize, spent: &[&str]) -> Judged {
    let judged = judge(design);
    let run = judged.run_against(Guarantee::NoLoss);
    assert_eq!(run.steps().len(), steps);
    assert_eq!(faults(run), spent);
    judged
}

#[test]
fn acks_1_loses_to_the_death_of_the_leader_what_acks_all_keeps() {
    let (broken, fixed) = pair("P02");
    loses(broken, 9, &["broker-crash"]).explored(457, 798);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("broker-crash")
        .explored(446, 777);
}

#[test]
fn acks_0_loses_to_the_death_of_the_leader_too() {
    let (broken, _) = pair("P02");
    let unasked = changed(broken, "acks = \"1\"", "acks = \"0\"");
    judge(&unasked).violates(Guarantee::NoLoss);
}

#[test]
fn a_leader_that_moves_in_peace_loses_with_acks_0_and_1_and_not_with_all() {
    let (broken, fixed) = pair("P02");
    let moved = |design: &str| with_faults(design, "leader-change = 1");
    judge(&moved(broken)).violates(Guarantee::NoLoss);
    judge(&moved(&changed(broken, "acks = \"1\"", "acks = \"0\""))).violates(Guarantee::NoLoss);
    judge(&moved(fixed))
        .holds(Guarantee::NoLoss)
        .reached("leader-change");
}

#[test]
fn acks_all_loses_to_a_minimum_of_one_what_a_minimum_of_two_keeps() {
    let (broken, fixed) = pair("P03");
    loses(broken, 13, &["replica-lag", "replica-lag", "power-loss"]).explored(5_510, 17_152);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("replica-lag")
        .reached("power-loss")
        .explored(13_312, 41_016);
}

#[test]
fn an_unclean_election_loses_what_waiting_keeps() {
    let (broken, fixed) = pair("B01");
    loses(broken, 10, &["replica-lag", "broker-crash"]).explored(997, 2_193);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("replica-lag")
        .reached("broker-crash")
        .explored(749, 1_721);
}

#[test]
fn truncation_to_the_high_watermark_loses_what_truncation_by_epoch_keeps() {
    let (broken, fixed) = pair("B02");
    loses(broken, 12, &["leader-change"; 3]).explored(4_480, 10_291);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("leader-change")
        .explored(4_531, 10_327);
}

#[test]
fn a_leader_that_names_no_end_loses_what_one_that_names_the_epoch_before_keeps() {
    let (broken, fixed) = pair("B04");
    loses(broken, 24, &["leader-change"; 3]).explored(42_404, 105_782);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("leader-change")
        .explored(17_029, 40_746);
}

#[test]
fn the_last_replica_standing_loses_what_an_eligible_one_keeps() {
    let (broken, fixed) = pair("B06");
    loses(broken, 16, &["replica-lag", "power-loss"]).explored(64_393, 162_429);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("replica-lag")
        .reached("power-loss")
        .explored(61_197, 156_533);
}

#[test]
fn a_shared_power_loss_loses_what_a_flush_keeps() {
    let (broken, fixed) = pair("B07");
    loses(broken, 12, &["power-loss-all"]).explored(570, 1_265);
    judge(fixed)
        .holds(Guarantee::NoLoss)
        .reached("power-loss-all")
        .explored(332, 693);
}
