//! Verdicts as JUnit XML: a suite per design, a case per guarantee.
//!
//! A build server reads it as the exit code reads: only what the design asks for can fail. What
//! else is violated passes, with its run as output.

use super::Report;
use super::text::plain_trace;
use super::words::{asked_in_words, bound_in_words, completeness, verdict_in_words, warnings};
use crate::verdict::{Judgement, Outcome, Verdicts};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};
use std::io::{self, Write};

/// The name of the whole report.
const NAME: &str = "semel";

/// Verdicts as one JUnit document, when all designs are judged.
#[derive(Default)]
pub(super) struct Junit {
    suites: Vec<TestSuite>,
}

impl Report for Junit {
    fn add(&mut self, _: &mut dyn Write, verdicts: Verdicts) -> io::Result<()> {
        self.suites.push(suite(&verdicts)?);
        Ok(())
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut report = quick_junit::Report::new(NAME);
        report.add_test_suites(std::mem::take(&mut self.suites));
        report.serialize(&mut *out).map_err(io::Error::other)?;
        writeln!(out)
    }
}

fn suite(verdicts: &Verdicts) -> io::Result<TestSuite> {
    let mut suite = TestSuite::new(verdicts.name());
    suite.set_time(verdicts.elapsed());
    suite.add_property(("file", verdicts.file()));
    suite.add_property(("bound", bound_in_words(verdicts.bound()).as_str()));
    for judgement in verdicts.judgements() {
        suite.add_test_case(case(verdicts, judgement)?);
    }
    let warnings = warnings(verdicts);
    if !warnings.is_empty() {
        suite.set_system_err(warnings.join("\n"));
    }
    Ok(suite)
}

fn case(verdicts: &Verdicts, judgement: &Judgement) -> io::Result<TestCase> {
    let told = verdict_in_words(verdicts.bound(), judgement);
    let asked = match asked_in_words(judgement) {
        "" => String::new(),
        asked => format!(" ({asked})"),
    };
    let message = format!("{}: {told}{asked}", judgement.guarantee());
    let run = match judgement.verdict().trace() {
        Some(trace) => plain_trace(trace)?,
        None => String::new(),
    };
    let counts = verdicts.counts(judgement);
    let mut status = match (judgement.outcome(), counts) {
        (Outcome::AsAsked, _) => TestCaseStatus::success(),
        (Outcome::NotAsAsked, _) => TestCaseStatus::non_success(NonSuccessKind::Failure),
        (Outcome::Undecided, true) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (Outcome::Undecided, false) => TestCaseStatus::skipped(),
    };
    let is_success = matches!(status, TestCaseStatus::Success { .. });
    status.set_message(message.as_str());
    status.set_type(judgement.verdict().name());
    status.set_description(match judgement.outcome() {
        Outcome::Undecided => format!("{message}. {}.", completeness(verdicts.stop())),
        Outcome::AsAsked | Outcome::NotAsAsked => format!("{message}\n\n{run}"),
    });
    let mut case = TestCase::new(judgement.guarantee().name(), status);
    case.set_classname(verdicts.name());
    if is_success {
        case.set_system_out(format!("{message}\n\n{run}").trim_end());
    }
    Ok(case)
}
