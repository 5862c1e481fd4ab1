//! What a check found.

use super::coverage::Coverage;
use semel_models::guarantee::Guarantee;
use std::fmt;
use std::ops::RangeInclusive;

/// A run that breaks a guarantee.
///
/// Its [`Display`](fmt::Display) tells the run as a numbered sequence, what is wrong at its end, what
/// mends it, and the line that runs it again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// The guarantee.
    pub guarantee: Guarantee,
    /// The schedule: the number of records, and what went wrong at which call.
    pub schedule: String,
    /// How many faults it has.
    pub faults: u32,
    /// The run, a line a call.
    pub story: String,
    /// What is wrong at its end, a sentence each.
    pub wrong: Vec<String>,
    /// How to mend it.
    pub advice: &'static str,
    /// The line that runs it again.
    pub rerun: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} is violated — the smallest run found:",
            self.guarantee
        )?;
        writeln!(f, "{}", self.story)?;
        for wrong in &self.wrong {
            writeln!(f, "   => {wrong}.")?;
        }
        writeln!(f, "{}", wrapped(&format!("To mend it: {}", self.advice)))?;
        write!(f, "To run it again:\n  {}", self.rerun)
    }
}

/// The text in lines of up to 96 characters, the later ones indented.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.len() + word.len() < 96 {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        } else {
            lines.push(format!(" {word}"));
        }
    }
    lines.join("\n ")
}

/// How much of what can happen was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Extent {
    /// Every schedule within the bound.
    All,
    /// Every schedule of these numbers of records, each with up to that many faults; others at
    /// random.
    Part(Vec<(RangeInclusive<u32>, u32)>),
    /// One schedule, which the environment or the caller named.
    One,
}

/// What a check found.
///
/// Its [`Display`](fmt::Display) gives a line a guarantee, how much was tried, each violation, and
/// the coverage.
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) judged: Vec<Guarantee>,
    pub(super) violations: Vec<Violation>,
    pub(super) extent: Extent,
    pub(super) runs: u64,
    pub(super) random_runs: u64,
    pub(super) records: RangeInclusive<u32>,
    pub(super) most_faults: u32,
    pub(super) coverage: Coverage,
}

impl Report {
    /// Whether nothing is violated.
    pub fn holds(&self) -> bool {
        self.violations.is_empty()
    }

    /// The smallest run found that violates `guarantee`.
    pub fn violation(&self, guarantee: Guarantee) -> Option<&Violation> {
        let mut of = self.violations.iter();
        of.find(|violation| violation.guarantee == guarantee)
    }

    /// The violations, of each guarantee the smallest one found.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Which crash points and hard situations were reached, and how often.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// How often the service was run.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// How much of what can happen was tried.
    pub fn extent(&self) -> &Extent {
        &self.extent
    }

    fn extent_told(&self) -> String {
        let (runs, random) = (self.runs, self.random_runs);
        let most = self.most_faults;
        match &self.extent {
            Extent::One => "One schedule.".into(),
            Extent::All => format!(
                "All {runs} schedules of up to {} with {}.",
                count(most, "fault"),
                records(&self.records)
            ),
            Extent::Part(_) if random == 0 => format!("The {runs} smallest schedules were tried."),
            Extent::Part(parts) => {
                let part = |(range, faults): &(RangeInclusive<u32>, u32)| {
                    format!("up to {} with {}", count(*faults, "fault"), records(range))
                };
                let parts: Vec<String> = parts.iter().map(part).collect();
                let whole = match parts.is_empty() {
                    true => String::new(),
                    false => format!("; all of those of {}", parts.join(", of ")),
                };
                format!(
                    "{runs} schedules of up to {} with {}{whole}; {random} of them drawn at random.",
                    count(most, "fault"),
                    records(&self.records)
                )
            }
        }
    }
}

fn count(number: u32, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

fn records(range: &RangeInclusive<u32>) -> String {
    match range.start() == range.end() {
        true => count(*range.end(), "record"),
        false => format!("{} to {} records", range.start(), range.end()),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for guarantee in &self.judged {
            let found = match self.violation(*guarantee) {
                Some(violation) => format!("violated by '{}'", violation.schedule),
                None => "no schedule that was tried violates it".into(),
            };
            writeln!(f, "{:20} {found}", guarantee.name())?;
        }
        writeln!(f, "{}", self.extent_told())?;
        for (index, violation) in self.violations.iter().enumerate() {
            let mut before = self.violations[..index].iter();
            match before.find(|told| told.schedule == violation.schedule) {
                Some(told) => writeln!(
                    f,
                    "\n{} is violated by the same run as {}.",
                    violation.guarantee, told.guarantee
                )?,
                None => writeln!(f, "\n{violation}")?,
            }
        }
        write!(f, "\n{}", self.coverage)
    }
}
