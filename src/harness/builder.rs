//! What the user says before a check, and the check.

use super::child::{self, Launcher};
use super::error::Error;
use super::explore::Exploration;
use super::report::Report;
use super::rerun;
use super::run::{Payload, Setup};
use super::schedule::{Budget, Schedule};
use super::service::{Consuming, Producer, Producing, Service, Subject};
use super::world::Clients;
use crate::lab::RecordId;
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::{Acks, Isolation};
use semel_models::replication::MAX_REPLICAS;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::RangeInclusive;
use std::panic::Location;
use std::path::PathBuf;
use std::sync::Arc;

/// `auto.offset.reset`: where a group without a committed offset begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reset {
    /// At the first record that the topic still has.
    #[default]
    Earliest,
    /// At the end: what was sent before is never read.
    Latest,
}

/// How many calls a run may make, and how many more for each record, before it is said to have no end.
const CALLS: u32 = 1_000;
const CALLS_A_RECORD: u32 = 100;

/// A check of one service that is still being described.
///
/// Without more than a service it tries 1 to 3 records, up to 2 crashes, and up to one each of a
/// lost request, a lost answer and a pause; no leader is lost, unless you say so.
#[must_use = "a harness does nothing before check(..)"]
pub struct Harness {
    subject: Arc<dyn Subject>,
    records: RangeInclusive<u32>,
    crashes: RangeInclusive<u32>,
    lost_requests: RangeInclusive<u32>,
    lost_answers: RangeInclusive<u32>,
    lost_leaders: RangeInclusive<u32>,
    pauses: Option<RangeInclusive<u32>>,
    faults: Option<u32>,
    calls: Option<u32>,
    keys: u32,
    payload: Payload,
    clients: Clients,
    runs: u64,
    directory: Option<PathBuf>,
    is_unordered: bool,
    in_child_process: bool,
    name: Option<String>,
}

/// A check of your consumer.
///
/// ```no_run
/// # use semel::harness::{BoxError, Kafka, RecordId, Service};
/// # use std::path::Path;
/// # struct Payments;
/// # impl Service for Payments {
/// #     fn run(&self, _: &Path, _: Kafka) -> Result<(), BoxError> { Ok(()) }
/// #     fn effects(&self, _: &Path) -> Result<Vec<RecordId>, BoxError> { Ok(vec![]) }
/// # }
/// use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
///
/// semel::harness(Payments)
///     .records(1..=20)
///     .crashes(0..=3)
///     .check(&[NoLoss, ExactlyOnceEffect]);
/// ```
pub fn harness(service: impl Service) -> Harness {
    Harness::of(Arc::new(Consuming(service)))
}

/// A check of your producer: the effects are what the topic holds in the end.
pub fn harness_producer(producer: impl Producer) -> Harness {
    Harness::of(Arc::new(Producing(producer)))
}

impl fmt::Debug for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Harness").finish_non_exhaustive()
    }
}

impl Harness {
    pub(super) fn of(subject: Arc<dyn Subject>) -> Harness {
        Harness {
            subject,
            records: 1..=3,
            crashes: 0..=2,
            lost_requests: 0..=1,
            lost_answers: 0..=1,
            lost_leaders: 0..=0,
            pauses: None,
            faults: None,
            calls: None,
            keys: 1,
            payload: Arc::new(|_| Vec::new()),
            clients: Clients {
                reset: Reset::Earliest,
                max_poll_records: 500,
                acks: Acks::All,
                idempotence: true,
                replicas: 1,
                output_topic: false,
                isolation: Isolation::ReadCommitted,
                most_calls: CALLS,
            },
            runs: 2_000,
            directory: None,
            is_unordered: false,
            in_child_process: false,
            name: None,
        }
    }

    /// How many records there are, from the fewest to the most.
    pub fn records(mut self, records: RangeInclusive<u32>) -> Harness {
        self.records = records;
        self
    }

    /// How many times the process dies in a run; runs with fewer are not judged.
    pub fn crashes(mut self, crashes: RangeInclusive<u32>) -> Harness {
        self.crashes = crashes;
        self
    }

    /// How many requests, of commits and sends, are lost in a run.
    pub fn lost_requests(mut self, requests: RangeInclusive<u32>) -> Harness {
        self.lost_requests = requests;
        self
    }

    /// How many answers, to commits and sends, are lost in a run.
    pub fn lost_answers(mut self, answers: RangeInclusive<u32>) -> Harness {
        self.lost_answers = answers;
        self
    }

    /// How many times in a run the broker dies that leads the topic which the service sends to, so that the
    /// next of its [replicas](Harness::replicas) leads: with what is being sent, before a follower has it, or
    /// before it answers. None without this.
    ///
    /// ```
    /// use semel::Guarantee::NoLoss;
    /// use semel::harness::{Acks, BoxError, Kafka, Message, Producer};
    /// use std::path::Path;
    ///
    /// /// Sends one message.
    /// struct Once;
    ///
    /// impl Producer for Once {
    ///     fn prepare(&self, _: &Path, _: &[Message]) -> Result<(), BoxError> {
    ///         Ok(())
    ///     }
    ///
    ///     fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
    ///         Ok(kafka.send(&Message::bare(0))?)
    ///     }
    /// }
    ///
    /// let check = |acks| {
    ///     let harness = semel::harness::harness_producer(Once).records(1..=1).crashes(0..=0);
    ///     let harness = harness.lost_requests(0..=0).pauses(0..=0);
    ///     harness.replicas(3).lost_leaders(0..=1).acks(acks).try_check(&[NoLoss])
    /// };
    /// assert!(check(Acks::All)?.violation(NoLoss).is_none());
    /// let lost = check(Acks::Leader)?;
    /// let lost = lost.violation(NoLoss).expect("the leader alone acknowledged it");
    /// assert_eq!(lost.schedule, "records=1 leader-lost@1");
    /// # Ok::<(), semel::harness::Error>(())
    /// ```
    pub fn lost_leaders(mut self, leaders: RangeInclusive<u32>) -> Harness {
        self.lost_leaders = leaders;
        self
    }

    /// How many times the process stands still, longer than its session, in a run: another instance
    /// of the service takes over, on the same storage, and runs until nothing more comes; then the
    /// first one goes on where it stood.
    pub fn pauses(mut self, pauses: RangeInclusive<u32>) -> Harness {
        self.pauses = Some(pauses);
        self
    }

    /// How many faults of all kinds a run may have. Without it as many as crashes, and at least 2.
    pub fn faults(mut self, faults: u32) -> Harness {
        self.faults = Some(faults);
        self
    }

    /// How many keys the records have in turn (1).
    pub fn keys(mut self, keys: u32) -> Harness {
        self.keys = keys;
        self
    }

    /// What the payload of a record is (nothing).
    pub fn payload(
        mut self,
        payload: impl Fn(RecordId) -> Vec<u8> + Send + Sync + 'static,
    ) -> Harness {
        self.payload = Arc::new(payload);
        self
    }

    /// `max.poll.records` (500).
    pub fn max_poll_records(mut self, records: u32) -> Harness {
        self.clients.max_poll_records = records;
        self
    }

    /// `auto.offset.reset`, where a group without a committed offset begins ([`Reset::Earliest`]).
    pub fn auto_offset_reset(mut self, reset: Reset) -> Harness {
        self.clients.reset = reset;
        self
    }

    /// How many replicas the topic has that the service sends to (1): each is a log of its own, on real
    /// files, and all of them are in sync when one of them dies.
    pub fn replicas(mut self, replicas: u16) -> Harness {
        self.clients.replicas = replicas;
        self
    }

    /// The producer's `acks` ([`Acks::All`]). With less it has no idempotence, and no transactions. With
    /// `acks=0` a send that is lost is no error.
    pub fn acks(mut self, acks: Acks) -> Harness {
        self.clients.acks = acks;
        self
    }

    /// The producer has `enable.idempotence=false`: a send that the client repeats may be appended
    /// twice. It has no transactions.
    pub fn without_idempotence(mut self) -> Harness {
        self.clients.idempotence = false;
        self
    }

    /// The effects are the results that the service sends to the output topic, each with the identity of
    /// the record that it is the result of, as a reader with `isolation.level=read_committed` sees them.
    ///
    /// ```
    /// use semel::Guarantee::{ExactlyOnceEffect, NoLoss};
    /// use semel::harness::{BoxError, Kafka, Message, Service};
    /// use std::path::Path;
    ///
    /// /// Answers each record in a Kafka transaction.
    /// struct Answers;
    ///
    /// impl Service for Answers {
    ///     fn run(&self, _: &Path, kafka: Kafka) -> Result<(), BoxError> {
    ///         kafka.init_transactions("answers")?;
    ///         loop {
    ///             let records = kafka.poll()?;
    ///             let Some(last) = records.last() else {
    ///                 return Ok(());
    ///             };
    ///             kafka.begin_transaction()?;
    ///             for record in &records {
    ///                 kafka.send(&Message::result_of(record, "an answer"))?;
    ///             }
    ///             kafka.send_offsets(last)?;
    ///             kafka.commit_transaction()?;
    ///         }
    ///     }
    /// }
    ///
    /// semel::harness(Answers)
    ///     .records(1..=2)
    ///     .output_topic()
    ///     .check(&[NoLoss, ExactlyOnceEffect]);
    /// ```
    pub fn output_topic(mut self) -> Harness {
        self.clients.output_topic = true;
        self
    }

    /// The reader of the output topic has `isolation.level=read_uncommitted`, Kafka's default: it takes
    /// results of transactions that are open, and keeps those of transactions that abort.
    pub fn read_uncommitted(mut self) -> Harness {
        self.clients.isolation = Isolation::ReadUncommitted;
        self
    }

    /// How many runs are made at most (2,000). Three quarters of them take the smallest schedules;
    /// if these are not all, the rest is drawn at random from a fixed seed.
    pub fn runs(mut self, runs: u64) -> Harness {
        self.runs = runs;
        self
    }

    /// How many calls to Kafka a run may make before it is said to have no end (1,000, and 100 more
    /// for each record).
    pub fn calls(mut self, calls: u32) -> Harness {
        self.calls = Some(calls);
        self
    }

    /// Where the directories of the runs are made. Without it that is in `TMPDIR`; where that is not
    /// set, in memory (`/dev/shm`) if the system has it, or else where temporary files are.
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Harness {
        self.directory = Some(directory.into());
        self
    }

    /// The service reports its effects in no particular order: what needs one is refused.
    pub fn unordered_effects(mut self) -> Harness {
        self.is_unordered = true;
        self
    }

    /// Each start of the service is a process of its own, which dies by SIGKILL: no destructor runs
    /// and nothing is flushed. The harness starts the test's program again for this one test, so it
    /// has to be the test's only check. It takes some milliseconds a start, and knows no pauses.
    pub fn in_child_process(mut self) -> Harness {
        self.in_child_process = true;
        self
    }

    /// The name of the test, as `cargo test` takes it. Without it it is taken from the thread, which
    /// libtest names after the test.
    pub fn named(mut self, test: impl Into<String>) -> Harness {
        self.name = Some(test.into());
        self
    }

    /// Checks the guarantees, and always that each run comes to an end.
    ///
    /// # Panics
    ///
    /// With the smallest run found that violates one of them; and where there can be no verdict.
    #[track_caller]
    pub fn check(self, guarantees: &[Guarantee]) -> Report {
        let check = Location::caller().to_string();
        match self.explore(guarantees, &check, true) {
            Ok(report) if report.holds() => report,
            Ok(report) => panic!("{report}"),
            Err(error) => panic!("no verdict: {error}"),
        }
    }

    /// The same without a panic. After a violation it goes on to look for one of each guarantee.
    #[track_caller]
    pub fn try_check(self, guarantees: &[Guarantee]) -> Result<Report, Error> {
        let check = Location::caller().to_string();
        self.explore(guarantees, &check, false)
    }

    fn explore(
        self,
        guarantees: &[Guarantee],
        check: &str,
        stop_at_first: bool,
    ) -> Result<Report, Error> {
        let guarantees = self.judged(guarantees)?;
        let test = self.name.clone().or_else(rerun::name_of_test);
        let setup = self.setup(test.as_deref(), check)?;
        if let Some(root) = child::directory().filter(|_| setup.launcher.is_some()) {
            child::live_and_exit(&setup, check, &root);
        }
        let exploration = Exploration {
            setup: &setup,
            guarantees: &guarantees,
            records: self.records.clone(),
            most_runs: self.runs,
            stop_at_first,
            test: test.as_deref(),
        };
        match rerun::asked_for(test.as_deref()) {
            None => exploration.explore(),
            Some(text) => {
                let schedule = Schedule::parse(&text).map_err(|problem| Error::Schedule {
                    schedule: text,
                    problem,
                })?;
                exploration.only(&schedule)
            }
        }
    }

    /// What is judged: what was asked for, in the order of all, and that runs end.
    fn judged(&self, asked: &[Guarantee]) -> Result<Vec<Guarantee>, Error> {
        if self.is_unordered && asked.contains(&Guarantee::InOrder) {
            return Err(Error::CannotJudge {
                guarantee: Guarantee::InOrder,
                reason: "the service reports its effects in no particular order",
            });
        }
        let is_judged =
            |guarantee: &Guarantee| asked.contains(guarantee) || *guarantee == Guarantee::Progress;
        Ok(Guarantee::ALL.into_iter().filter(is_judged).collect())
    }

    fn setup(&self, test: Option<&str>, check: &str) -> Result<Setup, Error> {
        let refused = |text: &str| Err(Error::Settings(text.into()));
        if self.records.is_empty() || *self.records.start() == 0 {
            return refused("records(..): at least one, as in 1..=3");
        }
        if self.keys == 0 || self.clients.max_poll_records == 0 || self.runs == 0 {
            return refused("keys(..), max_poll_records(..) and runs(..): at least 1");
        }
        if !(1..=MAX_REPLICAS as u16).contains(&self.clients.replicas) {
            return refused("replicas(..): from 1 to 3");
        }
        if *self.lost_leaders.end() > 0 && self.clients.replicas == 1 {
            return refused("lost_leaders(..): another replica is to lead, as with replicas(3)");
        }
        let pauses = self.pauses.clone().unwrap_or(0..=1);
        if self.in_child_process && (cfg!(not(unix)) || self.pauses.is_some()) {
            return refused("in_child_process() needs SIGKILL, and knows no pauses(..)");
        }
        let launcher = match (self.in_child_process, test) {
            (false, _) => None,
            (true, Some(test)) => Some(Launcher {
                test: test.to_owned(),
                check: check.to_owned(),
            }),
            (true, None) => {
                return refused("in_child_process(): which test is it? .named(..) says so");
            }
        };
        let by_records = CALLS_A_RECORD.saturating_mul(*self.records.end());
        let usual_calls = CALLS.saturating_add(by_records);
        let mut budget = Budget {
            crashes: self.crashes.clone(),
            lost_requests: self.lost_requests.clone(),
            lost_answers: self.lost_answers.clone(),
            lost_leaders: self.lost_leaders.clone(),
            pauses: if launcher.is_some() { 0..=0 } else { pauses },
            total: u32::MAX,
        };
        let usual = (*self.crashes.end()).max(2).max(budget.least());
        budget.total = self.faults.unwrap_or(usual);
        if let Some(problem) = budget.problem() {
            return refused(&problem);
        }
        Ok(Setup {
            subject: Arc::clone(&self.subject),
            clients: Clients {
                most_calls: self.calls.unwrap_or(usual_calls),
                ..self.clients
            },
            budget,
            keys: self.keys,
            payload: Arc::clone(&self.payload),
            directory: self.directory.clone(),
            launcher,
        })
    }
}
