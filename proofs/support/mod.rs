//! What the theorems share: a design judged by semel's engine, counted again by Stateright's
//! depth-first search, and compared with what the theorem says.

#![allow(dead_code, reason = "each theorem uses its own part")]

use semel::presets;
use semel::{CheckOptions, Design, Guarantee, Trace, Verdict, Verdicts, check};
use semel_models::cluster::Cluster;
use stateright::{Checker, Model};

/// The text of a preset.
pub fn preset(name: &str) -> &'static str {
    presets::named(name).expect("a preset of this name").text
}

/// `design` with one thing changed: `from`, which must stand in it exactly once, becomes `to`.
#[track_caller]
pub fn changed(design: &str, from: &str, to: &str) -> String {
    assert_eq!(design.matches(from).count(), 1, "`{from}` in\n{design}");
    design.replacen(from, to, 1)
}

/// `design` with a single record: enough to break most guarantees, and told without what a second
/// record does meanwhile.
#[track_caller]
pub fn one_record(design: &str) -> String {
    changed(design, "records = 2", "records = 1")
}

/// `design` with a single record, and `fault` as the only one that may strike, once: what a run to
/// a violation needs and nothing else, so that its shortest telling has no step beside the point.
#[track_caller]
pub fn story(design: &str, fault: &str) -> String {
    one_record(&with_faults(design, &format!("{fault} = 1")))
}

/// `design` with this budget of faults.
#[track_caller]
pub fn with_faults(design: &str, faults: &str) -> String {
    let start = design.find("[faults]").expect("faults");
    let end = design.find("[bounds]").expect("bounds");
    let (before, after) = (&design[..start], &design[end..]);
    format!("{before}[faults]\n{faults}\n\n{after}")
}

/// What takes the partition away from a consumer: at most 2 of these in one run.
pub const GROUP_FAULTS: &str = "consumer-crash = 1
consumer-pause = 1
slow-processing = 1
rebalance = 1
total = 2";

/// The situations that a verdict about two instances should have met.
pub const GROUP_SITUATIONS: [&str; 6] = [
    "consumer-crash",
    "consumer-pause",
    "slow-processing",
    "rebalance",
    "a consumer that was put out of the group writes to the sink",
    "the partition goes to the other consumer",
];

/// `design` with two consumers in its group.
#[track_caller]
pub fn two_instances(design: &str) -> String {
    changed(design, "[application]", "[application]\ninstances = 2")
}

/// `design` with two consumers in its group, and what takes the partition away from one of them as
/// the only faults.
#[track_caller]
pub fn contended(design: &str) -> String {
    two_instances(&with_faults(design, GROUP_FAULTS))
}

/// `design` under the consumer protocol (KIP-848), with Java clients and brokers of `version`.
#[track_caller]
pub fn consumer_protocol(design: &str, version: &str) -> String {
    let design = changed(
        design,
        "client = \"java\"",
        &format!("client = \"java\"\nclient-version = \"{version}\"\nkafka = \"{version}\""),
    );
    changed(
        &design,
        "[consumer]",
        "[consumer]\n\"group.protocol\" = \"consumer\"",
    )
}

/// A design with the verdicts on it.
pub struct Judged {
    verdicts: Verdicts,
    cluster: Cluster,
}

/// Judges a design, completely.
#[track_caller]
pub fn judge(design: &str) -> Judged {
    let design = Design::parse("theorem.toml", design.as_bytes()).expect("a design");
    let cluster = Cluster::new(design.pipeline().clone()).expect("a bound that the model holds");
    let verdicts = check(&design, &CheckOptions::default()).expect("a design that can be judged");
    assert_eq!(verdicts.stop(), None, "explored completely");
    Judged { verdicts, cluster }
}

impl Judged {
    /// Everything that was found out.
    pub fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Whether no run within the bound violates `guarantee`.
    pub fn keeps(&self, guarantee: Guarantee) -> bool {
        self.verdicts.of(guarantee) == &Verdict::Holds
    }

    /// A shortest run that violates `guarantee`.
    #[track_caller]
    pub fn run_against(&self, guarantee: Guarantee) -> &Trace {
        self.verdicts
            .of(guarantee)
            .trace()
            .unwrap_or_else(|| panic!("{guarantee} holds"))
    }

    /// Claims that no run within the bound violates `guarantee`.
    #[track_caller]
    pub fn holds(&self, guarantee: Guarantee) -> &Self {
        if let Some(trace) = self.verdicts.of(guarantee).trace() {
            panic!("{guarantee} is violated:\n{}", listed(trace));
        }
        assert!(self.keeps(guarantee), "{guarantee} is undecided");
        self
    }

    /// Claims that some run within the bound violates `guarantee`.
    #[track_caller]
    pub fn violates(&self, guarantee: Guarantee) -> &Self {
        self.run_against(guarantee);
        self
    }

    /// Claims that this is the shortest run that violates `guarantee`, step by step, and how it
    /// ends.
    #[track_caller]
    pub fn is_broken(&self, guarantee: Guarantee, steps: &[&str], end: &str) -> &Self {
        let trace = self.run_against(guarantee);
        assert!(
            told(trace) == steps && trace.violation() == end,
            "{guarantee} is violated by another run:\n{}",
            listed(trace)
        );
        self
    }

    /// Claims that some run within the bound reached this hard situation: without it a verdict
    /// could be true for want of trying.
    #[track_caller]
    pub fn reached(&self, situation: &str) -> &Self {
        let witnesses = self.verdicts.witnesses();
        let reached = |name: &str| witnesses.iter().find(|one| one.name == name);
        match reached(situation) {
            Some(witness) => assert!(witness.reached, "never reached: {situation}"),
            None => panic!("no such situation: {situation}\namong {witnesses:#?}"),
        }
        self
    }

    /// Claims that some run within the bound reached each of these hard situations.
    #[track_caller]
    pub fn reached_all(&self, situations: &[&str]) -> &Self {
        for situation in situations {
            self.reached(situation);
        }
        self
    }

    /// Claims how many states and transitions there are, by semel's engine and by Stateright's
    /// depth-first search, and that both find the same guarantees violated.
    #[track_caller]
    pub fn explored(&self, unique_states: u64, transitions: u64) -> &Self {
        let found = (self.verdicts.unique_states(), self.verdicts.transitions());
        assert_eq!(found, (unique_states, transitions), "semel's engine");
        self.agrees_with_stateright();
        self
    }

    /// Claims that Stateright's depth-first search finds as many states and transitions, and the
    /// same guarantees violated.
    #[track_caller]
    pub fn agrees_with_stateright(&self) {
        let other = self.cluster.clone().checker().spawn_dfs().join();
        // Stateright counts the initial states as generated too.
        let inits = self.cluster.init_states().len();
        let found = (
            other.unique_state_count() as u64,
            (other.state_count() - inits) as u64,
        );
        let expected = (self.verdicts.unique_states(), self.verdicts.transitions());
        assert_eq!(found, expected, "Stateright");
        for guarantee in Guarantee::ALL {
            let discovered = other.discovery(guarantee.name()).is_some();
            assert_eq!(discovered, !self.keeps(guarantee), "{guarantee}");
        }
    }
}

/// The sentence of each step.
pub fn told(trace: &Trace) -> Vec<&str> {
    trace.steps().iter().map(|step| step.sentence()).collect()
}

/// The faults that a run spends, in its order.
pub fn faults(trace: &Trace) -> Vec<&str> {
    trace
        .steps()
        .iter()
        .filter_map(|step| step.fault())
        .collect()
}

fn listed(trace: &Trace) -> String {
    let mut steps: Vec<String> = told(trace)
        .iter()
        .map(|step| format!("    {step:?},"))
        .collect();
    steps.push(format!("    {:?}", trace.violation()));
    steps.join("\n")
}
