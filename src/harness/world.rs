//! One run's world: the broker, the processes of the service, and what happens at each call.

use super::Reset;
use super::broker::Broker;
use super::child::Reporter;
use super::chooser::Chooser;
use super::coverage::Situation;
use super::error::{Error, KafkaError};
use super::kafka::{Call, Message, Record};
use super::schedule::Action;
use super::service::{Side, Subject};
use super::story::{Choice, Entry, tell};
use crate::lab::{Generation, NextOffset, Offset, Produced, RecordId, StorageError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// What a service does when the partition is assigned to it.
pub(super) type OnAssign = Box<dyn FnMut() -> Option<NextOffset> + Send>;

/// What the choice of how much a poll returns is counted as.
pub(super) const SIZE_OF_POLL: &str = "size of a poll";

/// How many calls a dead process may still make before it is stopped by force.
const CALLS_OF_THE_DEAD: u32 = 100;

/// How the clients are set up, and how far a run may go.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Clients {
    pub(super) reset: Reset,
    pub(super) max_poll_records: u32,
    pub(super) idempotence: bool,
    /// How many calls a run may make.
    pub(super) most_calls: u32,
}

/// What the threads of a run share.
pub(super) struct Shared {
    pub(super) subject: Arc<dyn Subject>,
    /// The service's directory.
    pub(super) dir: PathBuf,
    pub(super) world: Mutex<World>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

/// One process of the service.
#[derive(Default)]
struct Process {
    /// How many processes stand still while it runs.
    depth: usize,
    /// Its generation as a member of the group; `None`: it never joined.
    generation: Option<Generation>,
    position: Option<NextOffset>,
    /// The commit on its way, and the generation that it was sent in.
    unsent: Option<(Generation, NextOffset)>,
    /// Its producer id.
    producer: u64,
    /// The number of its next batch.
    sequence: i32,
    on_assign: Option<OnAssign>,
    dead: bool,
    /// Calls that it made when it was dead.
    haunts: u32,
}

/// A call that was met.
#[derive(Debug)]
pub(super) struct Met {
    step: u32,
    label: String,
    pub(super) chosen: Option<Action>,
    /// Whether the process stood still before it; then its line has been told.
    woken: bool,
}

impl Met {
    pub(super) fn woken(self) -> Met {
        Met {
            chosen: None,
            woken: true,
            ..self
        }
    }
}

/// The broker, the processes, and the story so far.
pub(super) struct World {
    pub(super) broker: Broker,
    pub(super) chooser: Chooser,
    clients: Clients,
    side: Side,
    processes: Vec<Process>,
    pub(super) steps: u32,
    pub(super) entries: Vec<Entry>,
    /// Whether the latest poll found nothing more.
    pub(super) empty: bool,
    pub(super) is_endless: bool,
    /// Which records had their effect when the service last started.
    pub(super) settled: BTreeSet<RecordId>,
    /// Which records were delivered so far, and which messages sent.
    pub(super) delivered: BTreeSet<RecordId>,
    pub(super) sent: BTreeSet<RecordId>,
    /// How many processes were started so far.
    pub(super) starts: u64,
    pub(super) failure: Option<Error>,
    /// In a child process: where its parent reads on.
    reporter: Option<Reporter>,
}

impl World {
    pub(super) fn new(broker: Broker, chooser: Chooser, clients: Clients, side: Side) -> World {
        World {
            broker,
            chooser,
            clients,
            side,
            processes: Vec::new(),
            steps: 0,
            entries: Vec::new(),
            empty: false,
            is_endless: false,
            settled: BTreeSet::new(),
            delivered: BTreeSet::new(),
            sent: BTreeSet::new(),
            starts: 0,
            failure: None,
            reporter: None,
        }
    }

    /// This process is a child that runs one life of the service.
    pub(super) fn report_to(&mut self, reporter: Reporter) {
        self.reporter = Some(reporter);
    }

    /// A process of the service starts.
    pub(super) fn start(&mut self, depth: usize) -> usize {
        self.empty = false;
        self.starts += 1;
        self.processes.push(Process {
            depth,
            producer: self.starts,
            ..Process::default()
        });
        self.processes.len() - 1
    }

    /// Whether no call is left to it.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.steps == self.clients.most_calls
    }

    pub(super) fn is_dead(&self, who: usize) -> bool {
        self.processes[who].dead
    }

    /// Whether a dead process goes on and on.
    pub(super) fn is_running_away(&self, who: usize) -> bool {
        self.processes[who].haunts > CALLS_OF_THE_DEAD
    }

    pub(super) fn position(&self, who: usize) -> Option<NextOffset> {
        self.processes[who].position
    }

    pub(super) fn set_on_assign(&mut self, who: usize, on_assign: OnAssign) {
        self.processes[who].on_assign = Some(on_assign);
    }

    fn is_member(&self, who: usize) -> bool {
        self.processes[who].generation == Some(self.broker.generation())
    }

    pub(super) fn record(&mut self, entry: Entry) {
        if let Some(reporter) = &mut self.reporter
            && let Err(error) = reporter.report(&entry)
        {
            self.failure.get_or_insert(error);
        }
        self.entries.push(entry);
    }

    /// Tells a sentence without a number.
    pub(super) fn note(&mut self, depth: usize, text: impl Into<String>) {
        self.record(Entry::Told {
            step: None,
            depth,
            text: text.into(),
            fault: None,
        });
    }

    pub(super) fn reach(&mut self, situation: Situation) {
        self.record(Entry::Situation(situation));
    }

    /// The process is over.
    pub(super) fn end(&mut self, who: usize) {
        self.processes[who].dead = true;
    }

    /// How many processes stand still while the newest one runs.
    pub(super) fn depth(&self) -> usize {
        let alive = self.processes.iter().rev().find(|process| !process.dead);
        alive.map_or(0, |process| process.depth)
    }

    fn tell(&mut self, met: &Met, text: String) {
        let fault = met.chosen.filter(|action| action.fault().is_some());
        let fault = fault.map(|action| format!("{}@{}", action.word(), met.step));
        let depth = self.depth();
        self.record(Entry::Told {
            step: (!met.woken).then_some(met.step),
            depth,
            text,
            fault,
        });
    }

    /// There can be no verdict: the run ends as if by a crash.
    fn fail(&mut self, who: usize, error: Error) -> KafkaError {
        self.failure.get_or_insert(error);
        self.processes[who].dead = true;
        KafkaError::Crashed
    }

    fn die(&mut self, who: usize) -> KafkaError {
        self.processes[who].dead = true;
        if let Some(reporter) = &self.reporter {
            reporter.kill_this_process();
        }
        KafkaError::Crashed
    }

    fn stored<T>(&mut self, who: usize, result: Result<T, StorageError>) -> Result<T, KafkaError> {
        result.map_err(|error| self.fail(who, Error::Storage(error)))
    }

    /// A process makes a call: what happens to it is decided, and a crash before it happens.
    pub(super) fn meet(&mut self, who: usize, call: Call<'_>) -> Result<Met, KafkaError> {
        if self.processes[who].dead || self.failure.is_some() {
            self.processes[who].dead = true;
            self.processes[who].haunts += 1;
            return Err(KafkaError::Crashed);
        }
        if self.is_at_its_end() {
            self.is_endless = true;
            self.processes[who].dead = true;
            return Err(KafkaError::Crashed);
        }
        self.steps += 1;
        let options = self.options(who, call);
        let met = self.choose(who, call.full_label(), call.label(), options)?;
        match met.chosen {
            Some(Action::Crash) => {
                self.commit_arrives(who)?;
                self.tell(&met, format!("The process dies before {}.", met.label));
                Err(self.die(who))
            }
            Some(Action::CrashUnsent) => {
                let text = format!(
                    "The process dies before {}; the commit that was on its way is lost.",
                    met.label
                );
                self.tell(&met, text);
                Err(self.die(who))
            }
            Some(Action::Pause) => {
                self.pause(who, &met)?;
                Ok(met)
            }
            Some(
                Action::CrashAfter
                | Action::RequestLost
                | Action::AnswerLost
                | Action::Retried
                | Action::Poll(_),
            )
            | None => Ok(met),
        }
    }

    fn pause(&mut self, who: usize, met: &Met) -> Result<(), KafkaError> {
        self.commit_arrives(who)?;
        if self.side == Side::Consumer && self.is_member(who) {
            self.broker.expel();
            self.record(Entry::Generation(self.broker.generation().0));
        }
        let text = format!(
            "The process stands still before {}, beyond its session; another instance takes over.",
            met.label
        );
        self.tell(met, text);
        Ok(())
    }

    /// Which faults may strike the call.
    fn options(&self, who: usize, call: Call<'_>) -> Vec<Action> {
        let process = &self.processes[who];
        let mut options = vec![Action::Crash];
        if process.unsent.is_some() {
            options.push(Action::CrashUnsent);
        }
        let (may_lose, may_pause) = match call {
            Call::Poll => (&[][..], true),
            Call::Point { in_transaction, .. } => (&[][..], !in_transaction),
            Call::CommitAsync(None) | Call::Commit(None) => (&[][..], true),
            Call::CommitAsync(Some(_)) => (&[Action::RequestLost][..], true),
            Call::Commit(Some(_)) => (
                &[Action::CrashAfter, Action::RequestLost, Action::AnswerLost][..],
                true,
            ),
            Call::Send(_) => (
                &[
                    Action::CrashAfter,
                    Action::RequestLost,
                    Action::AnswerLost,
                    Action::Retried,
                ][..],
                true,
            ),
        };
        if matches!(call, Call::Send(_)) || self.is_member(who) {
            options.extend(may_lose);
        }
        if may_pause && (self.side == Side::Producer || self.is_member(who)) {
            options.push(Action::Pause);
        }
        options
    }

    fn choose(
        &mut self,
        who: usize,
        label: String,
        counted_as: String,
        options: Vec<Action>,
    ) -> Result<Met, KafkaError> {
        let step = self.steps;
        let options = self.chooser.affordable(options);
        let chosen = match self.chooser.choose(step, &label, &options) {
            Ok(chosen) => chosen,
            Err(mismatch) => {
                let error = self.misfit(&mismatch.item, label);
                return Err(self.fail(who, error));
            }
        };
        self.record(Entry::Choice(Choice {
            step,
            label: label.clone(),
            counted_as,
            options,
            chosen,
        }));
        Ok(Met {
            step,
            label,
            chosen,
            woken: false,
        })
    }

    /// A schedule asks for something that this run does not offer.
    pub(super) fn misfit(&self, item: &super::schedule::Item, met: String) -> Error {
        let schedule = self.chooser.so_far.with(item.clone()).to_string();
        match &item.label {
            Some(expected) => Error::Nondeterministic {
                schedule,
                step: item.step,
                expected: expected.clone(),
                met: format!("{met} (call {})", self.steps),
            },
            None => Error::Schedule {
                schedule,
                problem: format!(
                    "'{item}' does not fit: the budget does not allow it, or nothing like that can \
                     happen at that call. The run until then, with its calls numbered:\n{}",
                    tell(&self.entries)
                ),
            },
        }
    }

    /// The process is past a point.
    pub(super) fn pass(&mut self, met: &Met) {
        let label = &met.label;
        let text = format!("{}{}.", label[..1].to_uppercase(), &label[1..]);
        self.tell(met, text);
    }

    /// A process that stood still goes on.
    pub(super) fn wake(&mut self) {
        self.empty = false;
        let depth = self.depth();
        self.note(depth, "The process that stood still goes on.");
    }

    /// A poll joins the group where the process is no member. Returns what the service does then.
    pub(super) fn join(&mut self, who: usize) -> Option<OnAssign> {
        if self.is_member(who) {
            return None;
        }
        let generation = self.broker.join();
        self.record(Entry::Generation(generation.0));
        let position = self.broker.start(self.clients.reset);
        let process = &mut self.processes[who];
        process.generation = Some(generation);
        process.position = Some(position);
        let from = position.0;
        let depth = self.depth();
        let committed = match self.broker.committed() {
            Some(_) => "the committed offset",
            None => "no offset is committed",
        };
        self.note(
            depth,
            format!("It joins the group and reads from offset {from} ({committed})."),
        );
        self.processes[who].on_assign.take()
    }

    /// The poll itself; `seek`: where the service wants to read on.
    pub(super) fn poll(
        &mut self,
        who: usize,
        met: &Met,
        seek: Option<NextOffset>,
    ) -> Result<Vec<Record>, KafkaError> {
        self.commit_arrives(who)?;
        let from = seek.or(self.processes[who].position).unwrap_or_default();
        if seek.is_some() {
            self.note(self.depth(), format!("It seeks to offset {}.", from.0));
        }
        let (from, available) = match self.broker.available(from) {
            Some(available) => (from, available),
            None => {
                let from = self.broker.reset(self.clients.reset);
                (from, self.broker.available(from).unwrap_or(0))
            }
        };
        let most = available.min(u64::from(self.clients.max_poll_records)) as u32;
        let size = self.size_of_poll(who, met, most)?;
        let fetched = self.broker.fetch(from, size as usize);
        let records = self.stored(who, fetched)?;
        self.processes[who].position = Some(NextOffset(from.0 + records.len() as u64));
        self.tell_poll(met, &records);
        self.empty = records.is_empty();
        let ids = records.iter().map(|record| record.id.0).collect();
        self.record(Entry::Polled(ids));
        Ok(records)
    }

    fn size_of_poll(&mut self, who: usize, met: &Met, most: u32) -> Result<u32, KafkaError> {
        if most < 2 {
            return Ok(most);
        }
        let sizes = (1..most).map(Action::Poll).collect();
        let label = format!("poll of up to {most}");
        let chosen = self
            .choose(who, label.clone(), SIZE_OF_POLL.into(), sizes)?
            .chosen;
        debug_assert_eq!(met.step, self.steps, "nothing else was called");
        Ok(match chosen {
            Some(Action::Poll(size)) => size,
            Some(_) | None => most,
        })
    }

    fn tell_poll(&mut self, met: &Met, records: &[Record]) {
        let mut told = Vec::new();
        for record in records {
            let again = !self.delivered.insert(record.id);
            let settled = self.settled.contains(&record.id);
            if again {
                self.reach(Situation::Redelivered);
            }
            if settled {
                self.reach(Situation::RedeliveredAfterEffect);
            }
            let Offset(offset) = record.offset;
            let already = if settled {
                "; its effect already took place"
            } else {
                ""
            };
            told.push(format!("r{} (offset {offset}{already})", record.id.0));
        }
        let text = match told.is_empty() {
            true => "A poll returns nothing.".to_owned(),
            false => format!("A poll returns {}.", told.join(", ")),
        };
        self.tell(met, text);
    }

    /// The commit on its way reaches the coordinator.
    pub(super) fn commit_arrives(&mut self, who: usize) -> Result<(), KafkaError> {
        if let Some((generation, next)) = self.processes[who].unsent.take() {
            let taken = self.broker.commit(generation, next);
            self.stored(who, taken)?;
        }
        Ok(())
    }

    /// A commit that the service waits for.
    pub(super) fn commit(
        &mut self,
        who: usize,
        met: &Met,
        next: Option<NextOffset>,
    ) -> Result<(), KafkaError> {
        self.commit_arrives(who)?;
        let (Some(next), Some(generation)) = (next, self.processes[who].generation) else {
            self.tell(met, "Commit: there is nothing to commit.".into());
            return Ok(());
        };
        if met.chosen == Some(Action::RequestLost) {
            self.reach(Situation::RequestLost);
            self.tell(
                met,
                "Commit: the request is lost, and a timeout is reported.".into(),
            );
            return Err(KafkaError::TimedOut);
        }
        let taken = self.broker.commit(generation, next);
        if !self.stored(who, taken)? {
            self.reach(Situation::CommitRefused);
            let text = "Commit: refused, for the partition belongs to another member.";
            self.tell(met, text.into());
            return Err(KafkaError::CommitFailed);
        }
        let text = format!("Commit: the group's committed offset is {}", next.0);
        self.answer(who, met, text)
    }

    /// What was done is answered, unless a fault prevents it.
    fn answer(&mut self, who: usize, met: &Met, text: String) -> Result<(), KafkaError> {
        match met.chosen {
            Some(Action::AnswerLost) => {
                self.reach(Situation::AnswerLost);
                self.tell(
                    met,
                    format!("{text}; the answer is lost, and a timeout is reported."),
                );
                Err(KafkaError::TimedOut)
            }
            Some(Action::CrashAfter) => {
                self.tell(
                    met,
                    format!("{text}; the process dies before it learns of that."),
                );
                Err(self.die(who))
            }
            Some(
                Action::Crash
                | Action::CrashUnsent
                | Action::RequestLost
                | Action::Retried
                | Action::Pause
                | Action::Poll(_),
            )
            | None => {
                self.tell(met, format!("{text}."));
                Ok(())
            }
        }
    }

    /// A commit that nobody waits for.
    pub(super) fn commit_async(&mut self, who: usize, met: &Met, next: Option<NextOffset>) {
        let process = &mut self.processes[who];
        let text = match (next, process.generation) {
            (Some(next), Some(_)) if met.chosen == Some(Action::RequestLost) => {
                format!("A commit of offset {} is lost on its way.", next.0)
            }
            (Some(next), Some(generation)) => {
                process.unsent = Some((generation, next));
                format!("A commit of offset {} is on its way.", next.0)
            }
            _ => "Commit: there is nothing to commit.".into(),
        };
        self.tell(met, text);
    }

    /// The producer sends and waits.
    pub(super) fn send(
        &mut self,
        who: usize,
        met: &Met,
        message: &Message,
    ) -> Result<(), KafkaError> {
        let id = message.id;
        if met.chosen == Some(Action::RequestLost) {
            self.reach(Situation::RequestLost);
            self.tell(
                met,
                format!("Send of r{}: lost, and a timeout is reported.", id.0),
            );
            return Err(KafkaError::TimedOut);
        }
        if !self.sent.insert(id) {
            self.reach(Situation::SentAgain);
        }
        self.record(Entry::Sent(id.0));
        let process = &mut self.processes[who];
        let stamp = (process.producer, process.sequence);
        let stamp = self.clients.idempotence.then_some(stamp);
        process.sequence += 1;
        let first = self.broker.send(message, stamp);
        self.stored(who, first)?;
        let mut text = format!("Send of r{}: the broker appends it", id.0);
        if met.chosen == Some(Action::Retried) {
            self.reach(Situation::AnswerLost);
            let second = self.broker.send(message, stamp);
            text += "; the answer is lost, the client sends it again, and the broker ";
            text += match self.stored(who, second)? {
                Produced::Duplicate(_) => "recognises it",
                Produced::Appended(_) => "appends it again",
                Produced::OutOfOrder | Produced::StaleEpoch | Produced::UnknownProducerId => {
                    unreachable!("a repeat of the latest batch")
                }
            };
        }
        self.answer(who, met, text)
    }
}
