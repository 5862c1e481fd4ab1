//! Every published failure is found from its design alone, and its prevention prevents it.

use semel::catalogue::{ENTRIES, broken, changes, explain, fixed, named};
use semel::design::Expected;
use semel::{CheckOptions, Guarantee, Verdict};
use std::path::Path;

/// A prevention changes no more lines than this.
const MOST_CHANGED_LINES: usize = 5;

#[test]
fn every_broken_design_fails_as_published_and_its_fixed_one_holds() {
    for entry in ENTRIES {
        let explained = explain(entry, &CheckOptions::default()).expect("both designs are sound");
        assert!(explained.is_as_published(), "{}", entry.id);
        for guarantee in entry.violates {
            let run = explained.broken.of(*guarantee).trace();
            assert!(run.is_some(), "{} violates {guarantee}", entry.id);
            let holds = explained.fixed.of(*guarantee) == &Verdict::Holds;
            assert_eq!(holds, entry.loses.is_none(), "{}", entry.id);
        }
        assert_eq!(explained.after() == &Verdict::Holds, entry.loses.is_none());
        let story = explained.story().map(|trace| trace.guarantee());
        assert_eq!(story, entry.violates.first().map(|own| own.name()));
    }
}

#[test]
fn what_cannot_be_mended_wholly_loses_fewer_records() {
    let partly: Vec<&str> = ENTRIES
        .iter()
        .filter(|entry| entry.loses.is_some())
        .map(|entry| entry.id)
        .collect();
    assert_eq!(partly, ["C12"]);
    let entry = named("C12").expect("an entry");
    let explained = explain(entry, &CheckOptions::default()).expect("both designs are sound");
    let lost = (explained.broken.most_lost(), explained.fixed.most_lost());
    assert_eq!(entry.loses, Some(lost));
    assert!(lost.1 < lost.0, "{lost:?}");
}

#[test]
fn no_design_of_the_catalogue_is_undecided_or_idle() {
    for entry in ENTRIES {
        let explained = explain(entry, &CheckOptions::default()).expect("both designs are sound");
        for verdicts in [&explained.broken, &explained.fixed] {
            assert_eq!(verdicts.stop(), None, "{}", verdicts.file());
            let faults = verdicts.bound().faults.keys();
            for fault in faults {
                let witnesses = verdicts.witnesses().iter();
                let mut reached = witnesses.filter(|witness| witness.reached);
                let is_reached = reached.any(|witness| witness.name == *fault);
                assert!(is_reached, "{} never meets {fault}", verdicts.file());
            }
        }
    }
}

#[test]
fn a_design_expects_what_its_row_says() {
    for entry in ENTRIES {
        let expectations = |verdict| -> Vec<(Guarantee, Expected)> {
            let each = entry.violates.iter();
            each.map(|guarantee| (*guarantee, verdict)).collect()
        };
        let broken = broken(entry).expect("a design");
        assert_eq!(
            broken.expected(),
            expectations(Expected::Violated),
            "{}",
            entry.id
        );
        let fixed = fixed(entry).expect("a design");
        let after = match entry.loses {
            Some(_) => Expected::Violated,
            None => Expected::Holds,
        };
        assert_eq!(fixed.expected(), expectations(after), "{}", entry.id);
    }
}

#[test]
fn a_prevention_changes_a_few_lines_and_neither_faults_nor_bounds() {
    for entry in ENTRIES {
        let changes = changes(entry);
        let added = changes.iter().any(|change| change.is_added);
        assert!(added && changes.len() <= MOST_CHANGED_LINES, "{}", entry.id);
        for change in changes {
            let changeable = match change.table {
                "" => ["kafka = ", "client-version = "]
                    .iter()
                    .any(|key| change.line.starts_with(key)),
                "[faults]" | "[bounds]" => false,
                _ => true,
            };
            assert!(changeable, "{}: {}", entry.id, change.line);
        }
    }
}

#[test]
fn every_file_of_the_catalogue_has_its_row_and_ids_are_different() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/catalogue");
    let mut files = 0;
    for file in std::fs::read_dir(folder).expect("the folder is there") {
        let name = file.expect("it can be listed").file_name();
        let name = name.to_string_lossy();
        let slug = name.split(".broken.toml").next().expect("a part");
        let slug = slug.split(".fixed.toml").next().expect("a part");
        assert!(named(slug).is_some(), "{name} stands in no row");
        files += 1;
    }
    assert_eq!(files, 2 * ENTRIES.len());
    for entry in ENTRIES {
        let same = ENTRIES.iter().filter(|other| other.id == entry.id);
        assert_eq!(same.count(), 1, "{}", entry.id);
    }
}

#[test]
fn what_jepsen_has_a_name_for_is_called_by_it() {
    for (id, names) in [
        // What is confirmed at once and never arrives, nobody reads.
        ("P01", &["unseen"][..]),
        ("P04", &["duplicate"]),
        ("P05", &["nonmonotonic-send"]),
        ("C11", &["unseen"]),
        // What is read and repeated, or passed over after it was read, is the application's doing.
        ("C01", &[]),
        ("C02", &[]),
        ("P13b", &[]),
    ] {
        let entry = named(id).expect("an entry");
        let explained = explain(entry, &CheckOptions::default()).expect("it is small");
        let story = explained.story().expect("it is violated");
        let called: Vec<&str> = story.anomalies().iter().map(|own| own.name()).collect();
        assert_eq!(called, names, "{id}");
    }
}
