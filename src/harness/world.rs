//! One run's world: the broker, the processes of the service, and what happens at each call.

mod consuming;
mod meeting;
mod producing;
mod transactions;

use super::Reset;
use super::broker::Broker;
use super::child::Reporter;
use super::chooser::Chooser;
use super::coverage::Situation;
use super::error::{BoxError, Error, KafkaError};
use super::schedule::Action;
use super::service::{Side, Subject};
use super::story::Entry;
use crate::lab::{Generation, NextOffset, RecordId, StorageError};
use semel_models::pipeline::{Acks, Isolation};
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use transactions::Transactional;

/// What a service does when the partition is assigned to it.
pub(super) type OnAssign = Box<dyn FnMut() -> Option<NextOffset> + Send>;

/// What the choice of how much a poll returns is counted as.
pub(super) const SIZE_OF_POLL: &str = "size of a poll";

/// How many calls a dead process may still make before it is stopped by force.
const CALLS_OF_THE_DEAD: u32 = 100;

/// How the clients are set up, and how far a run may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clients {
    pub(super) reset: Reset,
    pub(super) max_poll_records: u32,
    /// The producer's `acks`.
    pub(super) acks: Acks,
    /// What `enable.idempotence` says. In force it is with `acks=all` only.
    pub(super) idempotence: bool,
    /// How many replicas the output topic has.
    pub(super) replicas: u16,
    /// Whether the effects are what the output topic's reader sees.
    pub(super) output_topic: bool,
    /// That reader's `isolation.level`.
    pub(super) isolation: Isolation,
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

impl Shared {
    /// Which records have had their effect, as a consumer's side has it.
    pub(super) fn effects(&self) -> Result<Vec<RecordId>, BoxError> {
        let world = self.world.lock();
        let world = world.unwrap_or_else(PoisonError::into_inner);
        if world.has_effects_in_topic() {
            return Ok(world.results()?);
        }
        drop(world);
        self.subject.effects(&self.dir)
    }
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
    /// Its producer, once it has a transactional id.
    transactional: Option<Transactional>,
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
    pub(super) clients: Clients,
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

    /// Whether the effects are what the output topic's reader sees.
    pub(super) fn has_effects_in_topic(&self) -> bool {
        self.side == Side::Producer || self.clients.output_topic
    }

    /// What the output topic's reader sees.
    pub(super) fn results(&self) -> Result<Vec<RecordId>, StorageError> {
        self.broker.results(self.clients.isolation)
    }

    /// What it sees of transactions that aborted.
    pub(super) fn aborted(&self) -> Result<Vec<RecordId>, StorageError> {
        self.broker.aborted(self.clients.isolation)
    }

    /// Whether the process has a transaction open.
    pub(super) fn is_in_transaction(&self, who: usize) -> bool {
        let own = self.processes[who].transactional.as_ref();
        own.is_some_and(Transactional::is_open)
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

    /// How many processes stand still while `who` runs.
    pub(super) fn depth_of(&self, who: usize) -> usize {
        self.processes[who].depth
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
                | Action::LeaderLost
                | Action::LeaderLostUnanswered
                | Action::Pause
                | Action::LongPause
                | Action::Poll(_),
            )
            | None => {
                self.tell(met, format!("{text}."));
                Ok(())
            }
        }
    }
}
