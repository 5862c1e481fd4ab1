//! One run of a design, step by step, on real files and in a real database.
//!
//! **What is real.** What lies on a disk: the log of each replica of the topic and of the output topic, or of
//! each of two partitions, the group's committed offsets, the transaction coordinator's log, the sink
//! with its dedup store and what it says of prepared transactions. Every step that touches one of them is
//! done there: a produce request is appended, a poll reads, an operation of the order runs as SQL by the code
//! that the model runs (`models/src/application.rs`), a start asks for the commit of what the database says
//! is prepared, a crash of a process drops its connection in the middle of what it was doing, a broker that
//! crashes or loses power recovers from its files, torn at any byte.
//!
//! **What is not.** The clients, the network, the group's membership and the controller: they are the
//! model's step functions, which hold nothing that outlives a process; what coordinators answer is
//! theirs, too, and what they keep is read from the disk. Time: a step comes when it is asked for.
//!
//! **What a run shows.** After each step the disk must hold what the model's state says, and each
//! answer must be the model's: anything else ends the run as a [`Deviation`]. So a run violates a
//! guarantee here exactly when it does in the model, its [ledger](Run::ledger) is the model's, and the
//! [judge](super::judge) counts the same from the rows alone.
//!
//! ```
//! use semel::lab::{Run, Sync};
//!
//! let design = semel::Design::parse("semel.toml", b"
//!     [consumer]
//!     enable.auto.commit = false
//!     [application]
//!     order = 'process -> commit'
//!     [bounds]
//!     records = 1
//! ")?;
//! let dir = tempfile::tempdir()?;
//! let mut run = Run::start(dir.path(), design.pipeline().clone(), Sync::Simulated)?;
//! while let Some(step) = run.next_steps().first() {
//!     run.take(*step)?;
//! }
//! assert_eq!(run.ledger().handled[..], [1]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod disk_steps;
mod error;
mod interrupted;
mod output_steps;
mod partition_steps;
mod poll_steps;
mod prepared_steps;
mod remnant;
mod replica_steps;
mod sink_steps;
mod told;
mod transaction_steps;

pub use error::{Deviation, LabError};
pub use remnant::Remnant;

use super::coverage::Coverage;
use super::disk::Sync;
use super::judge::{Judgement, Sends};
use super::rig::Rig;
use super::sink::{Database, Synchronous};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::guarantee::Guarantee;
use semel_models::ledger::Ledger;
use semel_models::pipeline::Pipeline;
use semel_models::set::Set;
use semel_models::subject::Subject;
use stateright::Model;
use std::collections::BTreeSet;
use std::path::Path;

/// How large segments are: a few records each, so that runs roll over.
const SEGMENT_BYTES: u64 = 300;

/// A run under way.
#[derive(Debug)]
pub struct Run {
    cluster: Cluster,
    state: State,
    rig: Rig,
    taken: Vec<Action>,
    coverage: Coverage,
    /// Records without a send order. The ledger forgets them once it has no more use for them.
    unordered: BTreeSet<(u16, u16)>,
}

impl Run {
    /// Begins a run of `pipeline` in an empty directory, with the sink in SQLite.
    ///
    /// # Errors
    /// When the directory cannot be written, and when the design has more kinds of faults than a run can keep
    /// apart.
    pub fn start(directory: &Path, pipeline: Pipeline, sync: Sync) -> Result<Run, LabError> {
        Run::start_over(
            sqlite(directory, &pipeline, sync),
            directory,
            pipeline,
            sync,
        )
    }

    /// Begins a run of `pipeline` with its files in an empty directory and the sink in PostgreSQL, in
    /// a schema of the run's own that is dropped with it ([`Database::postgres`]).
    ///
    /// # Errors
    /// Those of [`Run::start`], and when PostgreSQL cannot be reached or does not let this user in,
    /// or lets them create no schema.
    #[cfg(feature = "postgres")]
    pub fn start_on_postgres(
        directory: &Path,
        pipeline: Pipeline,
        sync: Sync,
        url: &str,
    ) -> Result<Run, LabError> {
        let database = Database::postgres(url, &pipeline.sink)?;
        Run::start_over(database, directory, pipeline, sync)
    }

    fn start_over(
        database: Database,
        directory: &Path,
        pipeline: Pipeline,
        sync: Sync,
    ) -> Result<Run, LabError> {
        let rig = Rig::open(directory, &pipeline, sync, SEGMENT_BYTES, database)?;
        let cluster = Cluster::for_running(pipeline)?;
        let state = cluster.init_states().remove(0);
        Ok(Run {
            coverage: Coverage::of(&cluster),
            cluster,
            state,
            rig,
            taken: Vec::new(),
            unordered: BTreeSet::new(),
        })
    }

    /// The model that the run follows.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What happened to each record so far.
    pub fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// The model's state.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The steps so far.
    pub fn taken(&self) -> &[Action] {
        &self.taken
    }

    /// Which faults and hard situations the run has met.
    pub fn coverage(&self) -> &Coverage {
        &self.coverage
    }

    /// The steps that can come next, faults apart; none when the run is at rest.
    pub fn next_steps(&self) -> Vec<Action> {
        let mut steps = self.cluster.steps(&self.state);
        steps.retain(|step| self.changes(*step));
        steps
    }

    /// The faults that can strike next and are paid for.
    pub fn next_faults(&self) -> Vec<Action> {
        self.cluster.strikes(&self.state)
    }

    fn changes(&self, step: Action) -> bool {
        self.cluster.next_state(&self.state, step).is_some()
    }

    /// Takes a step; whether it changed anything.
    ///
    /// # Errors
    /// When the disk fails, and when it does not do what the model says.
    pub fn take(&mut self, action: Action) -> Result<bool, LabError> {
        let Some(after) = self.cluster.next_state(&self.state, action) else {
            return Ok(false);
        };
        self.coverage.note(&self.cluster, &self.state, action);
        self.taken.push(action);
        self.perform(action, &after)?;
        if let Action::CommitUpstream(record) = action {
            let beside = (0..record).filter(|earlier| !after.ledger.is_before(*earlier, record));
            self.unordered
                .extend(beside.map(|earlier| (earlier, record)));
        }
        self.state = after;
        Ok(true)
    }

    /// Whether nothing but a fault can come next.
    pub fn is_at_rest(&self) -> bool {
        self.cluster.is_quiescent(&self.state)
    }

    /// Which guarantees are violated; those about the end of a run only once it is at rest.
    pub fn violated(&self) -> Vec<Guarantee> {
        let seen = self.cluster.observe(&self.state, self.is_at_rest());
        let is_violated = |guarantee: &Guarantee| seen.violated & guarantee.bit() != 0;
        Guarantee::ALL.into_iter().filter(is_violated).collect()
    }

    /// What the rows of the database say of a run that has come to rest, by a count that shares
    /// nothing with the ledger.
    ///
    /// # Errors
    /// When the database fails, and when the two counts differ.
    pub fn judge(&mut self) -> Result<Judgement, LabError> {
        self.compare_sink()?;
        let ledger = &self.state.ledger;
        let those = |set: &Set| set.iter().collect();
        let sends = Sends {
            keys: self.cluster.pipeline().bounds.keys,
            sent: those(&ledger.sent),
            confirmed: those(&ledger.confirmed),
            failed: those(&ledger.failed),
            aborted: those(&ledger.aborted),
            dead_lettered: those(&ledger.dead_lettered),
            unordered: self.unordered.clone(),
        };
        self.compare_seen_results(&self.state)?;
        let consumer = &self.cluster.pipeline().consumer;
        let judgement = match consumer.only_produces() {
            true => {
                let seen = self.rig.results().seen(consumer.output.isolation)?;
                super::judge::judge_results(&seen, &sends)
            }
            false => super::judge::judge(self.rig.database(), &sends)?,
        };
        self.compare_judgement(&judgement)?;
        Ok(judgement)
    }
}

/// The SQLite database of a run.
fn sqlite(directory: &Path, pipeline: &Pipeline, sync: Sync) -> Database {
    let synchronous = match sync {
        Sync::Real => Synchronous::Full,
        Sync::Simulated => Synchronous::Off,
    };
    Database::sqlite(directory, &pipeline.sink, synchronous)
}
