//! Collects what is to be said about one design while it is read.

use super::diagnostic::{Code, Problem};
use super::source::{Source, Span};
use super::warning::{Warning, WarningKind};

/// The problems and warnings found so far.
pub(crate) struct Report {
    pub source: Source,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Warning>,
}

impl Report {
    pub fn new(source: &Source) -> Self {
        Report {
            source: source.clone(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Adds a problem; the caller goes on to say why, and what to write.
    pub fn problem(
        &mut self,
        code: Code,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> &mut Problem {
        let problem = Problem::new(&self.source, code, span.into(), message.into());
        self.problems.push(problem);
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    pub fn warn(
        &mut self,
        kind: WarningKind,
        span: impl Into<Option<Span>>,
        text: impl Into<String>,
    ) {
        let warning = Warning::new(&self.source, kind, span.into(), text.into());
        self.warnings.push(warning);
    }

    /// Refuses by name what is understood and not modelled.
    pub fn not_modelled(
        &mut self,
        span: impl Into<Option<Span>>,
        what: impl std::fmt::Display,
    ) -> &mut Problem {
        self.problem(
            Code::NotModelled,
            span,
            format!("{what} is not modelled yet"),
        )
        .label("not modelled yet")
        .because("What bears on delivery and is not in the model is refused, never ignored: a verdict would not be about this design.")
    }
}

/// The candidate nearest to `name`, if it is near enough to be what was meant.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    // Property names are short: comparing with something long finds nothing and costs much.
    if name.len() > 120 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' ', '.'], "-");
    let wanted = plain(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&wanted, &plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// `a, b or c`
pub(crate) fn alternatives<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    joined(names, "or")
}

/// `a, b and c`
pub(crate) fn enumeration<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    joined(names, "and")
}

fn joined<'c>(names: impl IntoIterator<Item = &'c str>, word: &str) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_noise_finds_none() {
        let steps = ["process", "commit", "skip-if-seen"];
        assert_eq!(nearest("proces", steps), Some("process"));
        assert_eq!(nearest("Skip_If_Seen", steps), Some("skip-if-seen"));
        assert_eq!(nearest("teleport", steps), None);
        assert_eq!(nearest(&"p".repeat(100_000), steps), None);
    }

    #[test]
    fn lists_read_as_english() {
        assert_eq!(alternatives(["a"]), "a");
        assert_eq!(alternatives(["a", "b", "c"]), "a, b or c");
        assert_eq!(enumeration([]), "");
    }
}
