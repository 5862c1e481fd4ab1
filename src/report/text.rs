//! Verdicts as text for people.

use super::{counted, grouped};
use crate::design::Expected;
use crate::mend::Mends;
use crate::trace::{Bound, Trace};
use crate::verdict::{Judgement, Outcome, Stop, Verdict, Verdicts};
use anstyle::{AnsiColor, Style};
use std::io::{self, Write};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();
const OPEN: Style = AnsiColor::Yellow.on_default();

/// How much to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Verdicts, shortest runs, warnings.
    Normal,
    /// Also what each step changed, every witness, and the size of a state.
    Verbose,
}

/// Writes the verdicts on one design.
pub(crate) fn write(out: &mut dyn Write, verdicts: &Verdicts, detail: Detail) -> io::Result<()> {
    writeln!(
        out,
        "{BOLD}{}{BOLD:#}  {DIM}{}{DIM:#}",
        verdicts.name(),
        verdicts.file()
    )?;
    writeln!(out, "  {}", bound_in_words(verdicts.bound()))?;
    writeln!(out)?;
    for judgement in verdicts.judgements() {
        write_judgement(out, verdicts.bound(), judgement)?;
    }
    writeln!(out)?;
    write_exploration(out, verdicts, detail)?;
    write_witnesses(out, verdicts, detail)?;
    if !verdicts.asks() {
        writeln!(
            out,
            "  Nothing is required: add require = [\"no-loss\", ...] to make a verdict count."
        )?;
    }
    for warning in super::warnings(verdicts) {
        writeln!(out, "  {OPEN}warning:{OPEN:#} {warning}")?;
    }
    let wanted = |judgement: &&Judgement| judgement.expected() == Some(Expected::Holds);
    let (first, then): (Vec<&Judgement>, Vec<&Judgement>) =
        verdicts.judgements().iter().partition(wanted);
    for judgement in first.into_iter().chain(then) {
        if let Some(trace) = judgement.verdict().trace() {
            writeln!(out)?;
            write_trace(out, trace, detail)?;
            write_mends(out, verdicts, judgement)?;
        }
    }
    Ok(())
}

/// The bound as a sentence that every `holds` needs.
fn bound_in_words(bound: &Bound) -> String {
    let faults: Vec<String> = bound
        .faults
        .iter()
        .map(|(name, budget)| {
            if *budget == 1 {
                name.clone()
            } else {
                format!("{name} {budget}")
            }
        })
        .collect();
    let faults = if faults.is_empty() || bound.total == 0 {
        "no faults".to_string()
    } else {
        format!(
            "up to {} out of: {}",
            counted(bound.total.into(), "fault"),
            faults.join(", ")
        )
    };
    format!(
        "{}, {}, {}, up to {} a poll, {}; {faults}",
        counted(bound.records.into(), "record"),
        counted(bound.partitions.into(), "partition"),
        counted(bound.keys.into(), "key"),
        bound.poll,
        counted(bound.retries.into(), "retry").replace("retrys", "retries"),
    )
}

fn short_bound(bound: &Bound) -> String {
    format!(
        "for {}, {}, {}",
        counted(bound.records.into(), "record"),
        counted(bound.partitions.into(), "partition"),
        counted(bound.total.into(), "fault"),
    )
}

fn write_judgement(out: &mut dyn Write, bound: &Bound, judgement: &Judgement) -> io::Result<()> {
    let (style, verdict) = match judgement.verdict() {
        Verdict::Holds => (GOOD, format!("holds {}", short_bound(bound))),
        Verdict::Violated(trace) => {
            let faults = trace
                .steps()
                .iter()
                .filter(|step| step.fault().is_some())
                .count();
            let told = format!(
                "violated in {} with {}",
                counted(trace.steps().len() as u64, "step"),
                counted(faults as u64, "fault")
            );
            (BAD, told)
        }
        Verdict::Undecided => (OPEN, "undecided".to_string()),
    };
    let asked = match (judgement.expected(), judgement.outcome()) {
        (None, _) => String::new(),
        (Some(Expected::Holds), Outcome::AsAsked) => "  (required)".into(),
        (Some(Expected::Holds), _) => format!("  {BAD}(required){BAD:#}"),
        (Some(Expected::Violated), Outcome::AsAsked) => "  (as expected)".into(),
        (Some(Expected::Violated), _) => format!("  {BAD}(expected: violated){BAD:#}"),
    };
    let name = judgement.guarantee().name();
    writeln!(out, "  {name:<20} {style}{verdict}{style:#}{asked}")
}

fn write_exploration(out: &mut dyn Write, verdicts: &Verdicts, detail: Detail) -> io::Result<()> {
    let extent = format!(
        "{}, {}, depth {}, {:.2} s",
        counted(verdicts.unique_states(), "state"),
        counted(verdicts.transitions(), "transition"),
        verdicts.depth(),
        verdicts.elapsed().as_secs_f64()
    );
    let stopped = match verdicts.stop() {
        None => "  Explored in full: ".to_string(),
        Some(Stop::States) => format!("  {OPEN}Stopped at --max-states:{OPEN:#} "),
        Some(Stop::Memory) => format!("  {OPEN}Stopped at --max-memory:{OPEN:#} "),
        Some(Stop::Time) => format!("  {OPEN}Stopped at --timeout:{OPEN:#} "),
        Some(Stop::Interrupt) => format!("  {OPEN}Interrupted:{OPEN:#} "),
    };
    writeln!(out, "{stopped}{extent}.")?;
    let advice = match verdicts.stop() {
        None => "",
        Some(Stop::Interrupt) => {
            "Lower [bounds] records or the total of [faults] to make it quicker."
        }
        Some(Stop::States | Stop::Memory | Stop::Time) => {
            "Lower [bounds] records or the total of [faults], or raise the limit."
        }
    };
    if !advice.is_empty() {
        writeln!(
            out,
            "  What is undecided may still be violated by a longer run. {advice}"
        )?;
    }
    if detail == Detail::Verbose {
        writeln!(
            out,
            "  A packed state takes {} bytes; the exploration held {} bytes.",
            verdicts.state_bytes(),
            grouped(verdicts.memory_bytes())
        )?;
    }
    Ok(())
}

fn write_witnesses(out: &mut dyn Write, verdicts: &Verdicts, detail: Detail) -> io::Result<()> {
    let reached = verdicts
        .witnesses()
        .iter()
        .filter(|witness| witness.reached);
    if detail == Detail::Verbose {
        writeln!(out, "  Hard situations:")?;
        for witness in verdicts.witnesses() {
            let reached = if witness.reached {
                "reached"
            } else {
                "never reached"
            };
            writeln!(out, "    {:<64} {reached}", witness.name)?;
        }
    } else if !verdicts.witnesses().is_empty() {
        let names: Vec<&str> = reached.map(|witness| witness.name.as_str()).collect();
        writeln!(out, "  Reached: {}.", names.join("; "))?;
    }
    if verdicts.final_states_with_failed() > 0 {
        writeln!(
            out,
            "  A record was reported failed to the application in {} of {}; such a record is in doubt, not lost.",
            grouped(verdicts.final_states_with_failed()),
            counted(verdicts.final_states(), "final state")
        )?;
    }
    Ok(())
}

fn write_trace(out: &mut dyn Write, trace: &Trace, detail: Detail) -> io::Result<()> {
    writeln!(
        out,
        "{BAD}{} is violated{BAD:#} — the shortest run:",
        trace.guarantee()
    )?;
    for (index, step) in trace.steps().iter().enumerate() {
        if trace.loops_from() == Some(index) {
            writeln!(
                out,
                "      {OPEN}from here on the run repeats for ever:{OPEN:#}"
            )?;
        }
        let number = index + 1;
        match step.fault() {
            Some(fault) => {
                writeln!(
                    out,
                    "  {number:>3} {BAD}!{BAD:#} {} {DIM}[{fault}]{DIM:#}",
                    step.sentence()
                )?;
            }
            None => writeln!(out, "  {number:>3}   {}", step.sentence())?,
        }
        if detail == Detail::Verbose {
            for change in step.change() {
                writeln!(
                    out,
                    "          {DIM}{}: {} (was: {}){DIM:#}",
                    change.fact, change.after, change.before
                )?;
            }
        }
    }
    writeln!(out, "   {BOLD}=>{BOLD:#}   {}", trace.violation())
}

fn write_mends(out: &mut dyn Write, verdicts: &Verdicts, judgement: &Judgement) -> io::Result<()> {
    let mends = match verdicts.mends() {
        Mends::NotTried => return Ok(()),
        Mends::TooLarge => {
            return writeln!(out, "  Changes were not tried: that takes a smaller bound.");
        }
        Mends::Stopped => {
            return writeln!(out, "  A limit was reached before all changes were tried.");
        }
        Mends::Tried(mends) => mends,
    };
    let own = mends
        .iter()
        .find(|(guarantee, _)| *guarantee == judgement.guarantee());
    let mends = own.map_or(&[][..], |(_, mends)| mends);
    if mends.is_empty() {
        return writeln!(
            out,
            "  None of the single changes that were tried makes it hold within this bound."
        );
    }
    writeln!(
        out,
        "  With one of these changes it holds within this bound:"
    )?;
    for mend in mends {
        let price: Vec<&str> = mend
            .price()
            .iter()
            .map(|guarantee| guarantee.name())
            .collect();
        let price = if price.is_empty() {
            String::new()
        } else {
            format!("  (but then {OPEN}violated:{OPEN:#} {})", price.join(", "))
        };
        writeln!(out, "    - {}{price}", mend.change())?;
    }
    Ok(())
}
