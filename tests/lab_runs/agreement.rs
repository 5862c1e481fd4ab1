//! Every design that verdicts are known of: what the model says of it is so on the disk.

use crate::play::{Each, Size, broken, cases, find};
use crate::support::{derived_designs, preset_designs};
use semel::catalogue::{self, ENTRIES};
use semel::replay::{OnFiles, on_files, replay};
use semel::{CheckOptions, Design, Guarantee, Verdict, check};

fn designs() -> Vec<Design> {
    let broken = ENTRIES.iter().map(catalogue::broken);
    let fixed = ENTRIES.iter().map(catalogue::fixed);
    let published = broken.chain(fixed).map(|design| design.expect("a design"));
    let mut designs = preset_designs();
    designs.extend(published);
    designs.extend(derived_designs());
    designs
}

#[test]
fn each_shortest_counterexample_comes_to_the_same_ledger_on_the_disk_after_each_step() {
    let mut replayed = 0;
    for design in designs() {
        let verdicts = check(&design, &CheckOptions::default()).expect("it is small");
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
    for design in designs() {
        let verdicts = check(&design, &CheckOptions::default()).expect("it is small");
        let holds = |guarantee: &Guarantee| matches!(verdicts.of(*guarantee), Verdict::Holds);
        let held: Vec<Guarantee> = Guarantee::ALL.into_iter().filter(holds).collect();
        let size = Size {
            records: verdicts.bound().records,
            faults: verdicts.bound().total,
            each: Each::AsStated,
        };
        if let Some((run, guarantee)) = find(&design, &held, size, cases(5)) {
            broken(&design, &run, guarantee);
        }
    }
}
