//! The words that the formats share.

use crate::design::{Derived, Expected};
use crate::mend::Mend;
use crate::trace::{Bound, Trace};
use crate::verdict::{Judgement, Outcome, Stop, Verdict, Verdicts, WitnessReport};
use semel_models::guarantee::Guarantee;

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and its noun.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = match noun.strip_suffix('y') {
        _ if number == 1 => noun.to_string(),
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        Some(_) | None => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number))
}

/// A setting as a design would state it.
pub(crate) fn derived_in_words(derived: &Derived) -> String {
    let table = derived.table.name();
    format!("[{table}] {} = {}", derived.key, derived.value)
}

/// The bound as a sentence that every `holds` needs.
pub(crate) fn bound_in_words(bound: &Bound) -> String {
    format!(
        "{}, {}, {}, up to {} a poll, {}; {}",
        counted(bound.records.into(), "record"),
        counted(bound.partitions.into(), "partition"),
        counted(bound.keys.into(), "key"),
        bound.poll,
        counted(bound.retries.into(), "retry"),
        faults_in_words(bound)
    )
}

fn faults_in_words(bound: &Bound) -> String {
    if bound.faults.is_empty() || bound.total == 0 {
        return "no faults".into();
    }
    let faults = bound.faults.iter().map(|(name, budget)| {
        if *budget == 1 {
            name.clone()
        } else {
            format!("{name} {budget}")
        }
    });
    format!(
        "up to {} out of: {}",
        counted(bound.total.into(), "fault"),
        faults.collect::<Vec<_>>().join(", ")
    )
}

/// The bound in so few words that it can stand behind each `holds`.
pub(crate) fn short_bound(bound: &Bound) -> String {
    format!(
        "for {}, {}, {}",
        counted(bound.records.into(), "record"),
        counted(bound.partitions.into(), "partition"),
        counted(bound.total.into(), "fault"),
    )
}

/// A verdict with its bound, or with the extent of the run that breaks the guarantee.
pub(crate) fn verdict_in_words(bound: &Bound, judgement: &Judgement) -> String {
    match judgement.verdict() {
        Verdict::Holds => format!("holds {}", short_bound(bound)),
        Verdict::Violated(trace) => format!(
            "violated in {} with {}{}",
            counted(trace.steps().len() as u64, "step"),
            counted(faults_spent(trace), "fault"),
            fewer_faults(trace, judgement.fewest_faults())
        ),
        Verdict::Undecided => "undecided".into(),
    }
}

/// That fewer faults than those of the shortest run are enough, if so.
fn fewer_faults(trace: &Trace, fewest: Option<u16>) -> String {
    match fewest.map(u64::from) {
        Some(0) if faults_spent(trace) > 0 => " (none is needed)".into(),
        Some(1) if faults_spent(trace) > 1 => " (1 is enough)".into(),
        Some(fewest) if fewest < faults_spent(trace) => format!(" ({fewest} are enough)"),
        Some(_) | None => String::new(),
    }
}

/// What else is violated with a change that mends something: what was violated before, or what is
/// violated by the change alone.
pub(crate) fn price_in_words(verdicts: &Verdicts, mend: &Mend) -> String {
    let was = |guarantee: &Guarantee| verdicts.of(*guarantee).trace().is_some();
    let (still, newly): (Vec<Guarantee>, Vec<Guarantee>) =
        mend.price().iter().partition(|g| was(g));
    let names = |all: &[Guarantee]| -> Vec<String> {
        all.iter().map(|guarantee| guarantee.to_string()).collect()
    };
    let told = [("still violated", still), ("but then violated", newly)];
    let told = told.iter().filter(|(_, all)| !all.is_empty());
    let told: Vec<String> = told
        .map(|(what, all)| format!("{what}: {}", names(all).join(", ")))
        .collect();
    match told.is_empty() {
        true => String::new(),
        false => told.join("; "),
    }
}

/// The runs that violate something, those first that the design asks about.
pub(crate) fn runs(verdicts: &Verdicts) -> Vec<(Guarantee, &Trace)> {
    let (first, then): (Vec<&Judgement>, Vec<&Judgement>) = verdicts
        .judgements()
        .iter()
        .partition(|judgement| judgement.expected().is_some());
    let all = first.into_iter().chain(then);
    all.filter_map(|judgement| Some((judgement.guarantee(), judgement.verdict().trace()?)))
        .collect()
}

/// How many faults a run spends.
pub(crate) fn faults_spent(trace: &Trace) -> u64 {
    let spending = trace.steps().iter().filter(|step| step.fault().is_some());
    spending.count() as u64
}

/// What the design asks of a guarantee; nothing where it does not.
pub(crate) fn asked_in_words(judgement: &Judgement) -> &'static str {
    match (judgement.expected(), judgement.outcome()) {
        (None, _) => "",
        (Some(Expected::Holds), _) => "required",
        (Some(Expected::Violated), Outcome::AsAsked) => "as expected",
        (Some(Expected::Violated), Outcome::NotAsAsked | Outcome::Undecided) => {
            "expected: violated"
        }
    }
}

/// How much was explored, without the time that it took.
pub(crate) fn extent_in_words(verdicts: &Verdicts) -> String {
    format!(
        "{}, {}, depth {}",
        counted(verdicts.unique_states(), "state"),
        counted(verdicts.transitions(), "transition"),
        verdicts.depth(),
    )
}

/// Whether everything was explored.
pub(crate) fn completeness(stop: Option<Stop>) -> &'static str {
    match stop {
        None => "Explored in full",
        Some(Stop::States) => "Stopped at --max-states",
        Some(Stop::Memory) => "Stopped at --max-memory",
        Some(Stop::Time) => "Stopped at --timeout",
        Some(Stop::Interrupt) => "Interrupted",
    }
}

/// Which of all runs this one is.
pub(crate) fn run_in_words(trace: &Trace) -> &'static str {
    if trace.is_shortest() {
        "the shortest run"
    } else {
        "a run, perhaps not the shortest"
    }
}

/// What Jepsen calls what the run shows; nothing where it has no name for it.
pub(crate) fn anomalies_in_words(trace: &Trace) -> String {
    let names = trace.anomalies().iter().map(|own| own.name());
    names.collect::<Vec<_>>().join(", ")
}

/// Everything about a design and its verdicts that should make an engineer look twice.
pub(crate) fn warnings(verdicts: &Verdicts) -> Vec<String> {
    let mut warnings: Vec<String> = verdicts
        .warnings()
        .iter()
        .map(|warning| warning.to_string())
        .collect();
    if let Some(stop) = verdicts.stop() {
        warnings.push(format!("not explored in full: {}", stop.reason()));
    }
    let longer: Vec<&str> = verdicts
        .judgements()
        .iter()
        .filter_map(|judgement| judgement.verdict().trace())
        .filter(|trace| !trace.is_shortest())
        .map(Trace::guarantee)
        .collect();
    if !longer.is_empty() {
        warnings.push(format!(
            "a limit ended the search for shorter runs against {}",
            longer.join(", ")
        ));
    }
    let unreached = unreached(verdicts);
    if !unreached.is_empty() {
        warnings.push(format!(
            "never reached within the bound, so what holds says nothing about it: {}",
            unreached.join("; ")
        ));
    }
    let without_effect = without_effect(verdicts).join("; ");
    if !without_effect.is_empty() {
        warnings.push(format!("{WITHOUT_EFFECT}: {without_effect}"));
    }
    warnings
}

/// What is said of faults that do nothing to a design.
pub(crate) const WITHOUT_EFFECT: &str = "changes nothing, wherever it strikes within the bound";

/// The hard situations that no run reached, where that may make a `holds` empty.
pub(crate) fn unreached(verdicts: &Verdicts) -> Vec<&str> {
    names(verdicts, |witness| {
        !witness.reached && !witness.without_effect
    })
}

/// The faults that make no difference to the design, beside a `holds`.
pub(crate) fn without_effect(verdicts: &Verdicts) -> Vec<&str> {
    names(verdicts, |witness| witness.without_effect)
}

fn names(verdicts: &Verdicts, which: impl Fn(&WitnessReport) -> bool) -> Vec<&str> {
    let mut judgements = verdicts.judgements().iter();
    if !judgements.any(|judgement| judgement.verdict() == &Verdict::Holds) {
        return Vec::new();
    }
    let witnesses = verdicts.witnesses().iter();
    let told = witnesses.filter(|witness| which(witness));
    told.map(|witness| witness.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(1_234), "1,234");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }

    #[test]
    fn nouns_agree_with_their_number() {
        assert_eq!(counted(1, "fault"), "1 fault");
        assert_eq!(counted(0, "fault"), "0 faults");
        assert_eq!(counted(1, "retry"), "1 retry");
        assert_eq!(counted(2, "retry"), "2 retries");
        assert_eq!(counted(2, "key"), "2 keys");
    }
}
