//! What a check found out.

use crate::design::{Derived, Expected, Warning};
use crate::mend::Mends;
use crate::trace::{Bound, Trace};
use semel_models::guarantee::Guarantee;
use std::time::Duration;

/// The verdict on one guarantee.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// No run within the bound violates it.
    Holds,
    /// This run violates it, and no shorter one does.
    Violated(Box<Trace>),
    /// A limit was reached before it was decided.
    Undecided,
}

impl Verdict {
    /// The verdict's name in every output.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Holds => "holds",
            Verdict::Violated(_) => "violated",
            Verdict::Undecided => "undecided",
        }
    }

    /// The run that violates the guarantee.
    pub fn trace(&self) -> Option<&Trace> {
        match self {
            Verdict::Violated(trace) => Some(trace),
            Verdict::Holds | Verdict::Undecided => None,
        }
    }
}

/// A guarantee, its verdict, and what the design asks of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub(crate) guarantee: Guarantee,
    pub(crate) verdict: Verdict,
    pub(crate) required: bool,
    pub(crate) expected: Option<Expected>,
    pub(crate) asked_in_line: Option<usize>,
    pub(crate) fewest_faults: Option<u16>,
}

impl Judgement {
    /// The guarantee.
    pub fn guarantee(&self) -> Guarantee {
        self.guarantee
    }

    /// The verdict on it.
    pub fn verdict(&self) -> &Verdict {
        &self.verdict
    }

    /// The line of the design that asks for it, from 1 on.
    pub fn asked_in_line(&self) -> Option<usize> {
        self.asked_in_line
    }

    /// Whether the design names it in `require`.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// What the design expects of it: what `[expect]` says, `holds` for what is required.
    pub fn expected(&self) -> Option<Expected> {
        self.expected
    }

    /// How many faults are enough to violate it, perhaps in more steps than the shortest run has;
    /// where everything was explored and a run that ends violates it.
    pub fn fewest_faults(&self) -> Option<u16> {
        self.fewest_faults
    }

    /// Whether the verdict is what the design asks for.
    pub fn outcome(&self) -> Outcome {
        match (&self.verdict, self.expected) {
            (Verdict::Undecided, _) => Outcome::Undecided,
            (_, None) => Outcome::AsAsked,
            (Verdict::Holds, Some(Expected::Holds))
            | (Verdict::Violated(_), Some(Expected::Violated)) => Outcome::AsAsked,
            (Verdict::Holds, Some(Expected::Violated))
            | (Verdict::Violated(_), Some(Expected::Holds)) => Outcome::NotAsAsked,
        }
    }
}

/// How a verdict relates to what the design asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It is what was asked for, or nothing was.
    AsAsked,
    /// It was not decided.
    Undecided,
    /// It is not what was asked for.
    NotAsAsked,
}

/// A hard situation and whether it was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessReport {
    /// What the situation is.
    pub name: String,
    /// Whether some run within the bound reached it.
    pub reached: bool,
    /// Whether it is a fault that could strike within the bound, and changed nothing wherever it could.
    pub without_effect: bool,
}

/// Why an exploration ended before everything was explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// As many states were stored as `--max-states` allows.
    States,
    /// More states would need more memory than `--max-memory` allows.
    Memory,
    /// The time that `--timeout` allows has passed.
    Time,
    /// The user interrupted it.
    Interrupt,
}

impl Stop {
    /// The reason, in words.
    pub fn reason(self) -> &'static str {
        match self {
            Stop::States => "stopped at --max-states",
            Stop::Memory => "stopped at --max-memory",
            Stop::Time => "stopped at --timeout",
            Stop::Interrupt => "interrupted",
        }
    }
}

/// Everything that a check of one design found out.
#[derive(Clone, Debug)]
pub struct Verdicts {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) bound: Bound,
    pub(crate) unique_states: u64,
    pub(crate) transitions: u64,
    pub(crate) depth: u32,
    pub(crate) decided_after: Duration,
    pub(crate) elapsed: Duration,
    pub(crate) state_bytes: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) judgements: Vec<Judgement>,
    pub(crate) witnesses: Vec<WitnessReport>,
    pub(crate) final_states: u64,
    pub(crate) final_states_with_failed: u64,
    pub(crate) most_lost: u16,
    pub(crate) stop: Option<Stop>,
    pub(crate) imported: Vec<Derived>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) mends: Mends,
}

impl Verdicts {
    /// The design's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that the design was read from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The bound that every verdict stands under.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// How many different states were found.
    pub fn unique_states(&self) -> u64 {
        self.unique_states
    }

    /// How many steps lead from one state to another, repeats included.
    pub fn transitions(&self) -> u64 {
        self.transitions
    }

    /// The most steps that a shortest way to a state takes.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// How long it took until every verdict was certain.
    pub fn decided_after(&self) -> Duration {
        self.decided_after
    }

    /// How long the check took, until the shortest runs were found, too.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The most bytes that a packed state can take.
    pub fn state_bytes(&self) -> usize {
        self.state_bytes
    }

    /// The memory that the exploration held, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    /// The guarantees with their verdicts, in the order of [`Guarantee::ALL`].
    pub fn judgements(&self) -> &[Judgement] {
        &self.judgements
    }

    /// The judgement on `guarantee`.
    pub fn judgement(&self, guarantee: Guarantee) -> &Judgement {
        &self.judgements[guarantee as usize]
    }

    /// The verdict on `guarantee`.
    pub fn of(&self, guarantee: Guarantee) -> &Verdict {
        &self.judgements[guarantee as usize].verdict
    }

    /// The hard situations, and whether each was reached.
    pub fn witnesses(&self) -> &[WitnessReport] {
        &self.witnesses
    }

    /// In how many states a run can end.
    pub fn final_states(&self) -> u64 {
        self.final_states
    }

    /// In how many of them a record was reported failed.
    pub fn final_states_with_failed(&self) -> u64 {
        self.final_states_with_failed
    }

    /// The most records that one run loses, among the runs that were explored.
    pub fn most_lost(&self) -> u16 {
        self.most_lost
    }

    /// Why the exploration is not complete; `None`: it is.
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// What the files say that the design was written from, each with its place.
    pub fn imported(&self) -> &[Derived] {
        &self.imported
    }

    /// What the design's framework does, as the keys that would say the same.
    pub fn derived(&self) -> &[Derived] {
        &self.derived
    }

    /// What an engineer should know about the design.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The changes to the design that would mend what is violated.
    pub fn mends(&self) -> &Mends {
        &self.mends
    }

    /// Whether the design asks for anything, with `require` or `[expect]`.
    pub fn asks(&self) -> bool {
        self.judgements
            .iter()
            .any(|judgement| judgement.expected.is_some())
    }

    /// Whether the outcome of a judgement is among those that decide the whole: the design asks for
    /// it, or for nothing at all.
    pub(crate) fn counts(&self, judgement: &Judgement) -> bool {
        !self.asks() || judgement.expected.is_some()
    }

    /// The worst outcome over what the design asks for; if it asks for nothing, over everything.
    pub fn outcome(&self) -> Outcome {
        self.judgements
            .iter()
            .filter(|judgement| self.counts(judgement))
            .map(Judgement::outcome)
            .max()
            .unwrap_or(Outcome::AsAsked)
    }
}
