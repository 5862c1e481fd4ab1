//! Every design that verdicts are known of: what the model says of it is so on the disk.

use crate::play::{Each, Size, broken, cases, find};
use crate::support::{derived_designs, preset_designs};
use semel::catalogue::{self, ENTRIES};
use semel::replay::{OnFiles, on_files, replay};
use semel::{CheckOptions, Design, Guarantee, Verdict, Verdicts, check};
use std::sync::LazyLock;

/// How many states of a design are looked at, for this to end in a minute or so.
const MOST_STATES: u64 = 10_000;

fn designs() -> Vec<Design> {
    let broken = ENTRIES.iter().map(catalogue::broken);
    let fixed = ENTRIES.iter().map(catalogue::fixed);
    let published = broken.chain(fixed).map(|design| design.expect("a design"));
    let mut designs = preset_designs();
    designs.extend(published);
    designs.extend(derived_designs());
    designs
}

/// The designs, each with what is known of it within so many states.
static JUDGED: LazyLock<Vec<(Design, Verdicts)>> = LazyLock::new(|| {
    let mut options = CheckOptions::default();
    options.max_states = Some(MOST_STATES);
    let judge = |design| {
        let verdicts = check(&design, &options).expect("it is small");
        (design, verdicts)
    };
    designs().into_iter().map(judge).collect()
});

#[test]
fn each_shortest_counterexample_comes_to_the_same_ledger_on_the_disk_after_each_step() {
    let mut replayed = 0;
    for (design, verdicts) in JUDGED.iter() {
        for guarantee in Guarantee::ALL {
            let Verdict::Violated(trace) = verdicts.of(guarantee) else {
                continue;
            };
            let run = replay(trace).expect("it can be replayed");
            let directory = tempfile::tempdir().expect("a directory");
            let files = on_files(&run, directory.path()).expect("the disk does its work");
            assert_eq!(files, OnFiles::Agrees, "{}: {guarantee}", design.name());
            replayed += 1;
        }
    }
    println!("{replayed} runs replayed on files");
    assert!(replayed > 200, "{replayed}");
}

#[test]
fn no_run_within_the_bound_breaks_what_holds() {
    for (design, verdicts) in JUDGED.iter() {
        let holds = |guarantee: &Guarantee| matches!(verdicts.of(*guarantee), Verdict::Holds);
        let held: Vec<Guarantee> = Guarantee::ALL.into_iter().filter(holds).collect();
        let size = Size {
            records: verdicts.bound().records,
            faults: verdicts.bound().total,
            each: Each::AsStated,
        };
        if let Some((run, guarantee)) = find(design, &held, size, cases(3)) {
            broken(design, &run, guarantee);
        }
    }
}
