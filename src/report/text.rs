//! Verdicts as text for people.

use super::Report;
use super::words::{
    anomalies_in_words, asked_in_words, bound_in_words, completeness, counted, derived_in_words,
    extent_in_words, grouped, price_in_words, run_in_words, verdict_in_words, warnings,
};
use crate::design::Expected;
use crate::mend::Mends;
use crate::trace::{Bound, Trace};
use crate::verdict::{Judgement, Outcome, Stop, Verdict, Verdicts};
use anstyle::{AnsiColor, Style};
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

pub(super) const BOLD: Style = Style::new().bold();
pub(super) const DIM: Style = Style::new().dimmed();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const OPEN: Style = AnsiColor::Yellow.on_default();

/// How much to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Verdicts, shortest runs, warnings.
    Normal,
    /// Also what each step changed, every witness, and the size of a state.
    Verbose,
}

impl Detail {
    /// What `-v` asks for.
    pub(crate) fn of(verbose: bool) -> Detail {
        match verbose {
            true => Detail::Verbose,
            false => Detail::Normal,
        }
    }
}

/// Verdicts as text, each design as soon as it is judged.
pub(super) struct Text {
    pub(super) detail: Detail,
    pub(super) is_first: bool,
}

impl Report for Text {
    fn add(&mut self, out: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            writeln!(out)?;
        }
        write(out, &verdicts, self.detail)
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// A run without colours.
pub(super) fn plain_trace(trace: &Trace) -> io::Result<String> {
    let mut styled = Vec::new();
    write_trace(&mut styled, trace, Detail::Normal)?;
    Ok(anstream::adapter::strip_str(&String::from_utf8_lossy(&styled)).to_string())
}

/// What `semel check` prints, without colours.
impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        write(&mut text, self, Detail::Normal).map_err(|_| fmt::Error)?;
        let text = String::from_utf8_lossy(&text);
        write!(f, "{}", anstream::adapter::strip_str(&text))
    }
}

/// Writes which design this is about.
pub(super) fn write_title(out: &mut dyn Write, name: &str, file: &str) -> io::Result<()> {
    writeln!(out, "{BOLD}{name}{BOLD:#}  {DIM}{file}{DIM:#}")
}

/// Writes the verdicts on one design.
fn write(out: &mut dyn Write, verdicts: &Verdicts, detail: Detail) -> io::Result<()> {
    write_title(out, verdicts.name(), verdicts.file())?;
    writeln!(out, "  {}", bound_in_words(verdicts.bound()))?;
    write_derived(out, verdicts)?;
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
    for warning in warnings(verdicts) {
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

/// What was written from files, and what the framework stands for, each with its place or reason.
fn write_derived(out: &mut dyn Write, verdicts: &Verdicts) -> io::Result<()> {
    if !verdicts.imported().is_empty() {
        writeln!(out)?;
        writeln!(out, "  What bears on delivery in the files:")?;
    }
    for stated in verdicts.imported() {
        let stated_in = &stated.why;
        writeln!(
            out,
            "    {}  {DIM}({stated_in}){DIM:#}",
            derived_in_words(stated)
        )?;
    }
    if !verdicts.derived().is_empty() {
        writeln!(out)?;
        writeln!(out, "  The framework stands for:")?;
    }
    for derived in verdicts.derived() {
        writeln!(out, "    {}", derived_in_words(derived))?;
        writeln!(out, "      {DIM}{}{DIM:#}", derived.why)?;
    }
    Ok(())
}

fn write_judgement(out: &mut dyn Write, bound: &Bound, judgement: &Judgement) -> io::Result<()> {
    let verdict = verdict_in_words(bound, judgement);
    let style = style_of(judgement.verdict());
    let asked = match (asked_in_words(judgement), judgement.outcome()) {
        ("", _) => String::new(),
        (asked, Outcome::AsAsked) => format!("  ({asked})"),
        (asked, Outcome::Undecided | Outcome::NotAsAsked) => format!("  {BAD}({asked}){BAD:#}"),
    };
    let name = judgement.guarantee().name();
    writeln!(out, "  {name:<20} {style}{verdict}{style:#}{asked}")
}

/// The colour of a verdict.
pub(super) fn style_of(verdict: &Verdict) -> Style {
    match verdict {
        Verdict::Holds => GOOD,
        Verdict::Violated(_) => BAD,
        Verdict::Undecided => OPEN,
    }
}

/// What takes less time is not told.
const WORTH_TELLING: Duration = Duration::from_secs(1);

fn write_exploration(out: &mut dyn Write, verdicts: &Verdicts, detail: Detail) -> io::Result<()> {
    let (open, complete) = match verdicts.stop() {
        None => (Style::new(), completeness(None)),
        stop @ Some(_) => (OPEN, completeness(stop)),
    };
    let decided_after = verdicts.decided_after();
    write!(
        out,
        "  {open}{complete}:{open:#} {}, {:.2} s",
        extent_in_words(verdicts),
        decided_after.as_secs_f64()
    )?;
    let to_shortest = verdicts.elapsed().saturating_sub(decided_after);
    if to_shortest >= WORTH_TELLING {
        write!(
            out,
            "; {:.2} s more to find the shortest runs",
            to_shortest.as_secs_f64()
        )?;
    }
    writeln!(out, ".")?;
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
            "  A packed state takes up to {} bytes; the exploration held {} bytes.",
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
            let reached = match (witness.reached, witness.without_effect) {
                (true, _) => "reached",
                (false, true) => "changes nothing",
                (false, false) => "never reached",
            };
            writeln!(out, "    {:<64} {reached}", witness.name)?;
        }
    } else {
        let names: Vec<&str> = reached.map(|witness| witness.name.as_str()).collect();
        if !names.is_empty() {
            writeln!(out, "  Reached: {}.", names.join("; "))?;
        }
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

/// Writes one run, step by step, and what it ends in.
pub(super) fn write_trace(out: &mut dyn Write, trace: &Trace, detail: Detail) -> io::Result<()> {
    writeln!(
        out,
        "{BAD}{} is violated{BAD:#} — {}:",
        trace.guarantee(),
        run_in_words(trace)
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
    writeln!(out, "   {BOLD}=>{BOLD:#}   {}", trace.violation())?;
    match anomalies_in_words(trace) {
        names if names.is_empty() => Ok(()),
        names => writeln!(out, "        {DIM}Jepsen's names: {names}{DIM:#}"),
    }
}

fn write_mends(out: &mut dyn Write, verdicts: &Verdicts, judgement: &Judgement) -> io::Result<()> {
    let mends = match verdicts.mends() {
        Mends::NotTried => return Ok(()),
        Mends::TooLarge => {
            return writeln!(
                out,
                "  Changes were not tried on so many states: lower [bounds] records or the total of [faults] to have that done."
            );
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
            "  None of the single changes that were tried makes it hold within this bound: 'semel suggest' tries several at once."
        );
    }
    writeln!(
        out,
        "  With one of these changes it holds within this bound:"
    )?;
    for mend in mends {
        let price = match price_in_words(verdicts, mend) {
            price if price.is_empty() => price,
            price => format!("  {OPEN}({price}){OPEN:#}"),
        };
        writeln!(out, "    - {}{price}", mend.change())?;
    }
    Ok(())
}
