//! Published failures, each rediscovered from its design alone.
//!
//! ```
//! use semel::catalogue::{explain, named};
//! use semel::CheckOptions;
//!
//! let entry = named("C01").expect("an entry");
//! let explained = explain(entry, &CheckOptions::default())?;
//! assert!(explained.is_as_published());
//! # Ok::<(), semel::check::FileError>(())
//! ```

use crate::check::{CheckOptions, FileError, check_watched};
use crate::design::{Design, DesignError};
use crate::explore::Progress;
use crate::trace::Trace;
use crate::verdict::{Outcome, Verdict, Verdicts};
pub use semel_models::catalogue::{ENTRIES, Entry, Symptom};

/// An entry and what the checks of its two designs found.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The entry.
    pub entry: &'static Entry,
    /// The verdicts on the broken design.
    pub broken: Verdicts,
    /// The verdicts on the fixed design.
    pub fixed: Verdicts,
}

impl Explained {
    /// Whether the broken design violates what it should, and the fixed one holds it (or loses less).
    pub fn is_as_published(&self) -> bool {
        self.outcome() == Outcome::AsAsked
    }

    /// How what was found relates to what was published.
    pub fn outcome(&self) -> Outcome {
        let outcome = self.broken.outcome().max(self.fixed.outcome());
        let lost = (self.broken.most_lost(), self.fixed.most_lost());
        match self.entry.loses {
            Some(_) if self.broken.stop().is_some() || self.fixed.stop().is_some() => {
                outcome.max(Outcome::Undecided)
            }
            Some(published) if published != lost => Outcome::NotAsAsked,
            Some(_) | None => outcome,
        }
    }

    /// The shortest run that tells the published story.
    pub fn story(&self) -> Option<&Trace> {
        let told = self.entry.violates.first()?;
        self.broken.of(*told).trace()
    }

    /// The worst verdict of the fixed design on what the broken one violates.
    pub fn after(&self) -> &Verdict {
        let verdicts = || self.entry.violates.iter().map(|own| self.fixed.of(*own));
        let broken = verdicts().find(|verdict| verdict.trace().is_some());
        let open = verdicts().find(|verdict| **verdict == Verdict::Undecided);
        broken.or(open).unwrap_or(&Verdict::Holds)
    }
}

/// The entry with this id, whatever its case, or with this name of a design file.
pub fn named(id: &str) -> Option<&'static Entry> {
    ENTRIES
        .iter()
        .find(|entry| entry.id.eq_ignore_ascii_case(id) || entry.slug.eq_ignore_ascii_case(id))
}

/// Reads the broken design of `entry`.
pub fn broken(entry: &Entry) -> Result<Design, DesignError> {
    let file = format!("{}.broken.toml", entry.slug);
    Design::parse(&file, entry.broken.as_bytes())
}

/// Reads the fixed design of `entry`.
pub fn fixed(entry: &Entry) -> Result<Design, DesignError> {
    let file = format!("{}.fixed.toml", entry.slug);
    Design::parse(&file, entry.fixed.as_bytes())
}

/// Checks both designs of `entry`.
pub fn explain(entry: &'static Entry, options: &CheckOptions) -> Result<Explained, FileError> {
    explain_watched(entry, |_| options.clone(), &mut |_| {})
}

/// Checks both designs of `entry` and shows `watch` how far it has come. `options` says with what
/// limits a design is checked.
pub(crate) fn explain_watched(
    entry: &'static Entry,
    options: impl Fn(&Design) -> CheckOptions,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Explained, FileError> {
    let mut judge = |design: Design| check_watched(&design, &options(&design), &mut *watch);
    Ok(Explained {
        entry,
        broken: judge(broken(entry)?)?,
        fixed: judge(fixed(entry)?)?,
    })
}

/// What to say when there is no entry with this id.
pub(crate) fn unknown(id: &str) -> String {
    let upper = id.to_uppercase();
    let nearest = crate::nearest(&upper, ENTRIES.iter().map(|entry| entry.id));
    let hint = nearest.map_or(String::new(), |known| format!(" did you mean '{known}'?"));
    format!("there is no catalogue entry '{id}';{hint} 'semel list catalogue' lists them")
}

/// A line in which the designs of an entry differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedLine<'a> {
    /// The table that it stands in, such as `[producer]`.
    pub table: &'a str,
    /// Whether the fixed design has it, and not the broken one.
    pub is_added: bool,
    /// The line.
    pub line: &'a str,
}

/// What the fixed design changes, apart from comments and from what is expected of it.
pub fn changes(entry: &Entry) -> Vec<ChangedLine<'static>> {
    let (broken, fixed) = (statements(entry.broken), statements(entry.fixed));
    // The longest common subsequence of two texts of a few lines each.
    let mut common = vec![vec![0; fixed.len() + 1]; broken.len() + 1];
    for (i, own) in broken.iter().enumerate().rev() {
        for (j, other) in fixed.iter().enumerate().rev() {
            common[i][j] = if own == other {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let line = |(table, line), is_added| ChangedLine {
        table,
        is_added,
        line,
    };
    let (mut i, mut j) = (0, 0);
    let mut changes = Vec::new();
    while i < broken.len() || j < fixed.len() {
        if i < broken.len() && j < fixed.len() && broken[i] == fixed[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < broken.len() && (j == fixed.len() || common[i + 1][j] >= common[i][j + 1]) {
            changes.push(line(broken[i], false));
            i += 1;
        } else {
            changes.push(line(fixed[j], true));
            j += 1;
        }
    }
    changes
}

/// The statements of a design with their tables: no comment, no header, no expectation.
fn statements(text: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut table = "";
    let mut statements = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            table = line;
        } else if !line.is_empty() && !line.starts_with('#') && table != "[expect]" {
            statements.push((table, line));
        }
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_told_with_its_table() {
        let entry = named("p01").expect("an entry");
        let line = |is_added, line| ChangedLine {
            table: "[producer]",
            is_added,
            line,
        };
        assert_eq!(
            changes(entry),
            [line(false, "acks = \"0\""), line(true, "acks = \"all\"")]
        );
    }

    #[test]
    fn ids_are_found_in_any_case_and_typing_errors_get_a_hint() {
        assert_eq!(named("c04").map(|entry| entry.id), Some("C04"));
        assert_eq!(
            named("C01-commit-before-process").map(|entry| entry.id),
            Some("C01")
        );
        assert!(named("C99").is_none());
        assert!(
            unknown("P0").contains("did you mean 'P01'?"),
            "{}",
            unknown("P0")
        );
    }
}
