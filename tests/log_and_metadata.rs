//! Designs of compaction, of a coordinator that moves, of metadata out of date and of topics that are
//! created again: how large they are, what they reach, and what a broken variant does.

mod support;

use semel::catalogue::{broken, fixed, named};
use semel::lab::{Blow, Run, Schedule, Sync};
use semel::replay::{OnFiles, on_files, replay};
use semel::{CheckOptions, Design, Guarantee, Verdict, Verdicts, check};
use semel_models::cluster::Cluster;
use std::collections::BTreeMap;
use support::{derived_designs, preset_designs};

fn checked(design: &Design) -> Verdicts {
    check(design, &CheckOptions::default()).expect("within the model's limits")
}

fn derived(name: &str) -> Design {
    let mut designs = derived_designs().into_iter();
    designs
        .find(|design| design.name() == name)
        .expect("a derived design")
}

fn reaches(verdicts: &Verdicts, fault: &str) -> bool {
    let mut witnesses = verdicts.witnesses().iter();
    witnesses.any(|witness| witness.reached && witness.name == fault)
}

#[test]
fn each_design_has_exactly_so_many_states_and_transitions() {
    for (name, states, transitions) in [
        ("compacted-upsert", 1_427, 3_574),
        ("compacted-add", 227, 506),
        ("compacted-commit-first", 1_097, 2_838),
        ("compacted-active-segment", 45, 83),
        ("compacted-workers", 16_105, 46_902),
        ("replication-compaction-leader-change", 3_048, 7_214),
        ("replication-compaction-disk-loss", 21_008, 54_893),
        ("failover-loses-async-commit", 46, 71),
        ("async-commit-before-rebalance", 40, 67),
        ("failover-commit-on-revoke", 42, 71),
        ("failover-commit-first", 126, 246),
        ("transaction-failover", 756, 1_322),
        ("transaction-failover-4.1", 699, 1_312),
        ("transaction-failover-crash", 1_776, 3_013),
        ("transaction-failover-leader-change", 7_863, 18_791),
        ("transaction-failover-late-end-3.5", 1_037, 2_147),
        ("transaction-failover-late-produce-3.5", 1_290, 2_333),
        ("transaction-failover-loses-async-commit", 163, 285),
        ("output-failover", 287, 705),
        ("output-failover-3.5", 235, 598),
        ("output-failover-offset-behind", 50, 96),
        ("output-failover-loses-async-commit", 46, 71),
        ("output-failover-forgets-epoch", 146, 255),
        ("output-failover-keeps-epoch", 128, 228),
        ("output-failover-refused", 482, 1_166),
        ("output-failover-not-asked", 351, 855),
        ("results-failover-leader-change", 1_133, 2_510),
        ("results-failover-commit-first", 5_596, 15_344),
        ("transaction-stale-metadata", 91, 108),
        ("transaction-stale-metadata-resent", 218, 339),
        ("transaction-stale-metadata-read-uncommitted", 164, 264),
        ("stale-metadata-librdkafka-1-8", 100, 154),
        ("stale-metadata-librdkafka-2-15", 109, 164),
        ("recreated-topic", 392, 667),
        ("recreated-topic-crash", 2_848, 5_857),
        ("replication-recreated-lag", 1_760, 4_318),
        ("replication-recreated-leader-change", 5_337, 12_518),
    ] {
        let verdicts = checked(&derived(name));
        let found = (verdicts.unique_states(), verdicts.transitions());
        assert_eq!(found, (states, transitions), "{name}");
    }
}

#[test]
fn the_cleaner_takes_nothing_from_the_active_segment() {
    assert!(!reaches(
        &checked(&derived("compacted-active-segment")),
        "compaction"
    ));
    assert!(reaches(
        &checked(&derived("compacted-upsert")),
        "compaction"
    ));
}

#[test]
fn replicas_are_cleaned_apart_in_runs_that_hold() {
    for name in [
        "replication-compaction-leader-change",
        "replication-compaction-disk-loss",
    ] {
        assert!(reaches(&checked(&derived(name)), "compaction"), "{name}");
    }
}

#[test]
fn a_topic_that_is_not_compacted_counts_every_record() {
    let text = "
        [consumer]
        enable.auto.commit = false
        auto.offset.reset = 'earliest'
        [application]
        order = 'commit -> each(process)'
        [topic]
        cleanup.policy = 'compact'
        [sink]
        effect = 'upsert'
        [faults]
        consumer-crash = 1
        [bounds]
        records = 2
        [expect]
        no-loss = 'violated'";
    let of = |text: &str| {
        let design = Design::parse("counted.toml", text.as_bytes()).expect("a design");
        checked(&design)
    };
    let compacted = of(text);
    let kept = of(&text.replace("'compact'", "'delete'"));
    assert_eq!(compacted.most_lost(), 1, "the newest record");
    assert_eq!(kept.most_lost(), 2, "both, handed over in one poll");
}

#[test]
fn only_the_named_version_loses_its_sequence_numbers() {
    let entry = named("P15").expect("an entry");
    let verdicts = checked(&broken(entry).expect("a design"));
    assert_eq!(
        (verdicts.unique_states(), verdicts.transitions()),
        (82, 133)
    );
    let Verdict::Violated(run) = verdicts.of(Guarantee::NoLoss) else {
        panic!("r1 is lost");
    };
    assert_eq!(run.steps().len(), 12);
    let verdicts = checked(&fixed(entry).expect("a design"));
    assert_eq!(
        (verdicts.unique_states(), verdicts.transitions()),
        (85, 136)
    );
    assert_eq!(verdicts.of(Guarantee::NoLoss), &Verdict::Holds);
    assert!(reaches(&verdicts, "stale-metadata"));
}

#[test]
fn a_client_without_topic_ids_reads_nothing_of_the_new_topic() {
    let entry = named("C21").expect("an entry");
    let verdicts = checked(&broken(entry).expect("a design"));
    let found = (verdicts.unique_states(), verdicts.transitions());
    assert_eq!(found, (437, 867));
    let Verdict::Violated(run) = verdicts.of(Guarantee::Progress) else {
        panic!("r0 is never read");
    };
    assert_eq!(run.steps().len(), 6);
    let verdicts = checked(&fixed(entry).expect("a design"));
    let found = (verdicts.unique_states(), verdicts.transitions());
    assert_eq!(found, (459, 909));
    assert_eq!(verdicts.of(Guarantee::Progress), &Verdict::Holds);
    assert!(reaches(&verdicts, "topic-recreate"));
}

#[test]
fn a_design_that_meets_none_of_this_has_no_room_for_it() {
    for design in preset_designs() {
        let cluster = Cluster::new(design.pipeline().clone()).expect("within the limits");
        let limits = cluster.limits();
        assert!(!limits.gaps && !limits.recreates, "{}", design.name());
    }
    let compacted = derived("compacted-add");
    let cluster = Cluster::new(compacted.pipeline().clone()).expect("within the limits");
    assert!(cluster.limits().gaps);
}

#[test]
fn each_of_them_goes_on_real_files_as_in_the_model() {
    for (name, guarantee) in [
        ("compacted-add", Guarantee::ExactlyOnceEffect),
        ("recreated-topic", Guarantee::ExactlyOnceEffect),
        ("failover-loses-async-commit", Guarantee::NoDuplicates),
    ] {
        let verdicts = checked(&derived(name));
        let run = verdicts.of(guarantee).trace();
        let run = replay(run.expect("it is violated")).expect("it can be replayed");
        let directory = tempfile::tempdir().expect("a directory");
        let files = on_files(&run, directory.path()).expect("no failure");
        assert_eq!(files, OnFiles::Agrees, "{name}");
    }
}

/// The derived designs whose upstream sends in transactions, and whose coordinator stays.
fn transactional() -> Vec<(Design, Design)> {
    that_may_move(|design| design.name().starts_with("transaction-"))
}

/// The derived designs whose results are written in transactions, and whose coordinator stays. Those of
/// which one broker more is struck are larger.
fn with_results() -> Vec<(Design, Design)> {
    that_may_move(|design| {
        let writes = design.pipeline().consumer.has_transactions();
        writes && design.name().starts_with("output-")
    })
}

/// The same without a coordinator that moves, and with it.
fn that_may_move(are_meant: impl Fn(&Design) -> bool) -> Vec<(Design, Design)> {
    let fault = "[faults]\ncoordinator-failover = 1";
    let designs = derived_designs().into_iter();
    // An answer that is out of order may come from who leads no more, when the result before it has been
    // acknowledged by who leads: a leader that changes and a coordinator that moves do more than each.
    let apart = |name: &str| name.contains("failover") || name.contains("first-number");
    let designs = designs.filter(|design| are_meant(design) && !apart(design.name()));
    designs
        .map(|design| {
            let path = format!("tests/derived/{}.toml", design.name());
            let text = std::fs::read_to_string(&path).expect("it is there");
            let text = text.replace("[faults]", fault);
            let moved = Design::parse(&path, text.as_bytes()).expect("it goes with the fault");
            (design, moved)
        })
        .collect()
}

#[test]
fn a_transaction_coordinator_that_moves_changes_no_verdict() {
    let (upstream, results) = (transactional(), with_results());
    let many = (upstream.len(), results.len());
    assert!(many.0 > 25 && many.1 > 25, "{many:?}");
    for (stays, moves) in [upstream, results].concat() {
        let (stays, moves) = (checked(&stays), checked(&moves));
        for guarantee in Guarantee::ALL {
            let both = (stays.of(guarantee).name(), moves.of(guarantee).name());
            assert_eq!(both.0, both.1, "{guarantee} of {}", stays.name());
        }
    }
}

#[test]
fn a_marker_is_written_again_in_a_run_that_holds() {
    let again = "a marker is written again by the next transaction coordinator";
    for name in [
        "transaction-failover",
        "output-failover",
        "results-failover-leader-change",
    ] {
        assert!(reaches(&checked(&derived(name)), again), "{name}");
    }
}

#[test]
fn a_coordinator_that_moves_is_reached_in_every_transaction_of_results() {
    for (_, moves) in with_results() {
        let verdicts = checked(&moves);
        assert!(
            reaches(&verdicts, "coordinator-failover"),
            "{}",
            moves.name()
        );
    }
}

#[test]
fn on_real_files_the_next_coordinator_goes_on_with_what_the_last_one_left() {
    let designs = transactional().into_iter().map(|(_, moves)| moves);
    let met = met_on_files(designs.collect());
    let again = "a marker is written again by the next transaction coordinator";
    assert!(met["coordinator-failover"] > 50, "{met:?}");
    assert!(met[again] > 5, "{met:?}");
}

#[test]
fn on_real_files_the_next_coordinator_of_results_reads_what_is_pending_and_what_is_prepared() {
    let designs = with_results().into_iter().map(|(_, moves)| moves);
    let mut designs: Vec<Design> = designs.collect();
    // Its offsets may be pending while a commit that nobody waits for is under way.
    let text = std::fs::read_to_string("tests/derived/output-failover.toml").expect("a design");
    let both = text.replace("commit]\"", "commit] -> commit-async\"");
    assert_ne!(text, both);
    designs.push(Design::parse("both.toml", both.as_bytes()).expect("a design"));
    for struck in [
        "results-failover-leader-change",
        "results-failover-commit-first",
    ] {
        designs.push(derived(struck));
    }
    let met = met_on_files(designs);
    let again = "a marker is written again by the next transaction coordinator";
    assert!(met["coordinator-failover"] > 100, "{met:?}");
    assert!(met[again] > 20, "{met:?}");
}

/// What runs of these designs meet on files, which hold after each step what the model says.
fn met_on_files(designs: Vec<Design>) -> BTreeMap<String, u64> {
    let mut met = BTreeMap::new();
    for moves in designs {
        for mix in 1..=6 {
            let blow = |after| Blow {
                after,
                pick: after * 31 + mix as u32,
            };
            let faults = vec![blow(4 + 2 * mix as u32), blow(10 + mix as u32)];
            let directory = tempfile::tempdir().expect("a directory");
            let pipeline = moves.pipeline().clone();
            let run = Run::start(directory.path(), pipeline, Sync::Simulated);
            let mut run = run.expect("it starts");
            let rests = Schedule { faults, mix }.play(&mut run, 1_000);
            let judged = rests.and_then(|rests| match rests {
                true => run.judge().map(|_| ()),
                false => Ok(()),
            });
            judged.unwrap_or_else(|error| panic!("{}, mix {mix}: {error}", moves.name()));
            for (name, times) in run.coverage().met() {
                *met.entry(name.to_string()).or_insert(0) += times;
            }
        }
    }
    met
}
