//! What the runs reached: each crash point and each hard situation, and how often.

use super::schedule::Action;
use super::story::{Entry, choices};
use super::world::SIZE_OF_POLL;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A situation in which services are known to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Situation {
    /// The process died after the effect of a record and before its offset was committed.
    CrashAfterEffect,
    /// The process died after an offset was committed and before an effect below it.
    CrashAfterCommit,
    /// A record was delivered again.
    Redelivered,
    /// A record was delivered again whose effect had taken place.
    RedeliveredAfterEffect,
    /// A commit was refused: the partition belonged to another member.
    CommitRefused,
    /// A request was lost, and a timeout reported.
    RequestLost,
    /// A request acted, and its answer was lost.
    AnswerLost,
    /// Another instance ran while one stood still.
    OwnerBeside,
    /// The other instance ended in an error while the first one stood still.
    OwnerFailed,
    /// A message was sent a second time.
    SentAgain,
    /// The coordinator ended a transaction whose producer had not asked for that.
    TransactionEnded,
    /// A producer was told that its epoch is over.
    ProducerFenced,
    /// The broker that led the output topic died.
    LeaderLost,
}

impl Situation {
    /// Every situation, in the order in which they are listed.
    pub const ALL: [Situation; 13] = [
        Situation::CrashAfterEffect,
        Situation::CrashAfterCommit,
        Situation::Redelivered,
        Situation::RedeliveredAfterEffect,
        Situation::CommitRefused,
        Situation::RequestLost,
        Situation::AnswerLost,
        Situation::OwnerBeside,
        Situation::OwnerFailed,
        Situation::SentAgain,
        Situation::TransactionEnded,
        Situation::ProducerFenced,
        Situation::LeaderLost,
    ];
}

impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Situation::CrashAfterEffect => "a crash after an effect, before its commit",
            Situation::CrashAfterCommit => "a crash after a commit, before an effect below it",
            Situation::Redelivered => "a record was delivered again",
            Situation::RedeliveredAfterEffect => "a record was delivered again after its effect",
            Situation::CommitRefused => "a commit was refused",
            Situation::RequestLost => "a request was lost",
            Situation::AnswerLost => "an answer was lost",
            Situation::OwnerBeside => "another instance ran while one stood still",
            Situation::OwnerFailed => "another instance failed while one stood still",
            Situation::LeaderLost => "the leader of the output topic died",
            Situation::SentAgain => "a message was sent a second time",
            Situation::TransactionEnded => "a transaction was ended from outside",
            Situation::ProducerFenced => "a producer was fenced",
        })
    }
}

/// How the labels of named points begin.
const POINT: &str = "point ";

/// How often a crash point was reached, and what happened there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PointCoverage {
    /// How often the service came there.
    pub reached: u64,
    /// How often it died before the call acted.
    pub crashed_before: u64,
    /// How often it died after the call had acted.
    pub crashed_after: u64,
    /// How often it was struck by another fault.
    pub other_faults: u64,
}

/// What the runs reached.
///
/// Its [`Display`](fmt::Display) is a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    points: BTreeMap<String, PointCoverage>,
    situations: BTreeMap<Situation, u64>,
}

impl Coverage {
    /// The crash point `name`: `poll`, `commit`, `commit-async`, `send`, or the name of a point.
    pub fn point(&self, name: &str) -> PointCoverage {
        let named = self.points.get(&format!("{POINT}\"{name}\""));
        named
            .or_else(|| self.points.get(name))
            .copied()
            .unwrap_or_default()
    }

    /// In how many runs, or how often in them, `situation` was reached.
    pub fn reached(&self, situation: Situation) -> u64 {
        self.situations.get(&situation).copied().unwrap_or(0)
    }

    /// The crash points at which the service never died.
    pub fn never_crashed_at(&self) -> impl Iterator<Item = &str> {
        let never = |(_, point): &(&String, &PointCoverage)| {
            point.crashed_before + point.crashed_after == 0
        };
        self.points
            .iter()
            .filter(never)
            .map(|(name, _)| name.as_str())
    }

    pub(super) fn add(&mut self, entries: &[Entry]) {
        for choice in choices(entries) {
            // How much a poll returns is a second choice at the same call.
            if choice.counted_as == SIZE_OF_POLL {
                continue;
            }
            let point = self.points.entry(choice.counted_as.clone()).or_default();
            point.reached += 1;
            match choice.chosen {
                None | Some(Action::Poll(_)) => {}
                Some(Action::Crash | Action::CrashUnsent) => point.crashed_before += 1,
                Some(Action::CrashAfter) => point.crashed_after += 1,
                Some(
                    Action::RequestLost
                    | Action::AnswerLost
                    | Action::Retried
                    | Action::LeaderLost
                    | Action::LeaderLostUnanswered
                    | Action::Pause
                    | Action::LongPause,
                ) => {
                    point.other_faults += 1;
                }
            }
        }
        for entry in entries {
            if let Entry::Situation(situation) = entry {
                *self.situations.entry(*situation).or_default() += 1;
            }
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.points.keys().map(|name| name.len());
        let width = names.max().unwrap_or(0).max("crash point".len());
        writeln!(
            f,
            "{:width$}  {:>8}  {:>14}  {:>13}  {:>12}",
            "crash point", "reached", "crashed before", "crashed after", "other faults"
        )?;
        for (name, point) in &self.points {
            let PointCoverage {
                reached,
                crashed_before,
                crashed_after,
                other_faults,
            } = point;
            writeln!(
                f,
                "{name:width$}  {reached:>8}  {crashed_before:>14}  {crashed_after:>13}  {other_faults:>12}"
            )?;
        }
        let reached = Situation::ALL.map(|situation| (situation, self.reached(situation)));
        for (situation, times) in reached.iter().filter(|(_, times)| *times > 0) {
            writeln!(f, "{times:>8} x {situation}")?;
        }
        for name in self.never_crashed_at() {
            writeln!(f, "warning: no run died at {name}")?;
        }
        if !self.points.keys().any(|name| name.starts_with(POINT)) {
            writeln!(
                f,
                "warning: the service names no point(..): what it does between two calls was taken as one \
                 step, which nothing interrupts"
            )?;
        }
        if self.reached(Situation::OwnerFailed) > 0 {
            writeln!(
                f,
                "warning: another instance failed while one stood still. Where that one holds a lock of \
                 the database, its point belongs in point_in_transaction(..)"
            )?;
        }
        Ok(())
    }
}
