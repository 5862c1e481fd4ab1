//! Verdicts as Markdown: a table of verdicts and the shortest runs, fit for a pull request.

use super::Report;
use super::words::{
    anomalies_in_words, asked_in_words, bound_in_words, completeness, derived_in_words,
    extent_in_words, price_in_words, run_in_words, verdict_in_words, warnings,
};
use crate::mend::{Mend, Mends};
use crate::trace::Trace;
use crate::verdict::{Judgement, Outcome, Verdict, Verdicts};
use std::io::{self, Write};

/// Verdicts as Markdown, each design as soon as it is judged.
pub(super) struct Markdown {
    pub(super) is_first: bool,
}

impl Report for Markdown {
    fn add(&mut self, out: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        if !std::mem::take(&mut self.is_first) {
            writeln!(out)?;
        }
        write(out, &verdicts)
    }

    fn finish(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

fn write(out: &mut dyn Write, verdicts: &Verdicts) -> io::Result<()> {
    writeln!(out, "### {}", escaped(verdicts.name()))?;
    writeln!(out)?;
    writeln!(
        out,
        "{}: {}",
        escaped(verdicts.file()),
        bound_in_words(verdicts.bound())
    )?;
    write_derived(out, verdicts)?;
    writeln!(out)?;
    writeln!(out, "| guarantee | verdict | asked | Jepsen's names |")?;
    writeln!(out, "| --- | --- | --- | --- |")?;
    for judgement in verdicts.judgements() {
        write_row(out, verdicts, judgement)?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "{}: {}.",
        completeness(verdicts.stop()),
        extent_in_words(verdicts)
    )?;
    for warning in warnings(verdicts) {
        writeln!(out)?;
        writeln!(out, "> **Warning:** {}", escaped(&warning))?;
    }
    for judgement in verdicts.judgements() {
        if let Some(trace) = judgement.verdict().trace() {
            writeln!(out)?;
            write_folded(out, trace)?;
            write_mends(out, verdicts, judgement)?;
            writeln!(out)?;
            writeln!(out, "</details>")?;
        }
    }
    Ok(())
}

/// What was written from files, and what the framework stands for.
fn write_derived(out: &mut dyn Write, verdicts: &Verdicts) -> io::Result<()> {
    let rows = || verdicts.imported().iter().chain(verdicts.derived());
    if rows().next().is_none() {
        return Ok(());
    }
    writeln!(out)?;
    for row in rows() {
        let (setting, why) = (derived_in_words(row), &row.why);
        writeln!(out, "- `{setting}`: {}", escaped(why))?;
    }
    Ok(())
}

fn write_row(out: &mut dyn Write, verdicts: &Verdicts, judgement: &Judgement) -> io::Result<()> {
    let mark = match (judgement.verdict(), judgement.outcome()) {
        (Verdict::Undecided, _) => "❔",
        (_, Outcome::NotAsAsked) => "❌",
        (Verdict::Holds, Outcome::AsAsked | Outcome::Undecided) => "✅",
        (Verdict::Violated(_), Outcome::AsAsked | Outcome::Undecided) => "⚠️",
    };
    let told = verdict_in_words(verdicts.bound(), judgement);
    let asked = asked_in_words(judgement);
    let names = judgement.verdict().trace().map(anomalies_in_words);
    writeln!(
        out,
        "| `{}` | {mark} {told} | {asked} | {} |",
        judgement.guarantee(),
        names.unwrap_or_default()
    )
}

/// Writes a run that opens at a click; the caller closes it.
fn write_folded(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    let guarantee = trace.guarantee();
    writeln!(
        out,
        "<details><summary><code>{guarantee}</code> is violated: {}</summary>",
        run_in_words(trace)
    )?;
    writeln!(out)?;
    write_run(out, trace)
}

/// Writes a run as a numbered list, and what it ends in.
pub(super) fn write_run(out: &mut dyn Write, trace: &Trace) -> io::Result<()> {
    for (index, step) in trace.steps().iter().enumerate() {
        let number = index + 1;
        let sentence = escaped(step.sentence());
        let from_here = if trace.loops_from() == Some(index) {
            "*From here on the run repeats for ever:* "
        } else {
            ""
        };
        match step.fault() {
            Some(fault) => writeln!(out, "{number}. {from_here}**{sentence}** (`{fault}`)")?,
            None => writeln!(out, "{number}. {from_here}{sentence}")?,
        }
    }
    writeln!(out)?;
    writeln!(out, "**⇒** {}", escaped(trace.violation()))
}

fn write_mends(out: &mut dyn Write, verdicts: &Verdicts, judgement: &Judgement) -> io::Result<()> {
    let mends = match verdicts.mends() {
        Mends::Tried(mends) => mends,
        Mends::NotTried | Mends::TooLarge | Mends::Stopped => return Ok(()),
    };
    let own = mends
        .iter()
        .find(|(guarantee, _)| *guarantee == judgement.guarantee());
    let mends: &[Mend] = own.map_or(&[], |(_, mends)| mends);
    writeln!(out)?;
    if mends.is_empty() {
        return writeln!(
            out,
            "None of the single changes that were tried makes it hold within this bound: `semel suggest` tries several at once."
        );
    }
    writeln!(out, "With one of these changes it holds within this bound:")?;
    writeln!(out)?;
    for mend in mends {
        let price = match price_in_words(verdicts, mend) {
            price if price.is_empty() => price,
            price => format!(" ({price})"),
        };
        writeln!(out, "- `{}`{price}", mend.change())?;
    }
    Ok(())
}

/// Text in which nothing is markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\n' | '\r' => escaped.push(' '),
            _ => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_become_markup() {
        assert_eq!(
            escaped("a|b <img> `c` *d*\ne"),
            "a\\|b &lt;img&gt; \\`c\\` \\*d\\* e"
        );
    }
}
