//! The checker agrees with verdicts that were derived by hand before it judged anything
//! (`proofs/derivations.md`).

mod support;

use semel::verdict::Outcome;
use semel::{CheckOptions, Design, check};
use support::{derived_designs, preset_designs};

/// Says where a verdict differs from what the design expects.
fn disagreements(design: &Design) -> Vec<String> {
    let verdicts = check(design, &CheckOptions::default()).expect("within the model's limits");
    let differing = verdicts
        .judgements()
        .iter()
        .filter(|judgement| judgement.outcome() != Outcome::AsAsked);
    differing
        .map(|judgement| {
            let (guarantee, verdict) = (judgement.guarantee(), judgement.verdict().name());
            format!("{}: {guarantee} is {verdict}", design.file())
        })
        .collect()
}

fn assert_agreement(designs: &[Design]) {
    let all: Vec<String> = designs.iter().flat_map(disagreements).collect();
    assert!(all.is_empty(), "not as derived:\n{}", all.join("\n"));
}

#[test]
fn presets_are_judged_as_derived_by_hand() {
    assert_agreement(&preset_designs());
}

#[test]
fn further_designs_are_judged_as_derived_by_hand() {
    let designs = derived_designs();
    assert!(
        designs.len() >= 70,
        "the designs are there: {}",
        designs.len()
    );
    assert_agreement(&designs);
}

#[test]
fn every_further_design_says_what_it_expects() {
    for design in derived_designs() {
        assert!(
            design.expected().len() >= 4,
            "{} expects too little",
            design.file()
        );
    }
}
