//! All actors of a pipeline composed into one [`stateright::Model`].
//!
//! A state is the product of the actors' states, the ledger, and the faults that are left. A step is one
//! [`Action`]; `steps` says which are enabled and what each does, `faults` the same for the
//! environment, `upstream` both for the producer's side, `judge` which guarantees a state violates
//! and `witness` which hard situations a step reaches.

mod budget;
mod calm;
mod committing;
mod coordinators;
mod covered;
mod execution;
mod failed_writes;
mod failover;
mod faults;
mod group;
mod handling;
mod joining;
mod journals;
mod judge;
mod late_calls;
mod markers;
mod output;
mod output_clients;
mod output_coordinators;
mod output_epochs;
mod output_faults;
mod output_ids;
mod output_log;
mod output_strikes;
mod output_topic;
mod output_transactions;
mod output_witness;
mod partitions;
mod persistent;
mod prepared;
mod recreation;
mod reduce;
mod replicas;
mod requests;
mod retries;
mod sharing;
mod steps;
mod symmetry;
mod transactions;
mod upstream;
mod upstream_witness;
mod witness;

pub use execution::{Execution, Ran};
pub use judge::{FINAL, FINAL_WITH_FAILED, final_losing};
pub use reduce::Reductions;
pub use witness::Witness;

use crate::action::Action;
use crate::broker::Broker;
use crate::codec::{Codec, Counter, Reader, Writer};
use crate::consumer::Consumer;
use crate::dedup::DedupStore;
use crate::fault::Fault;
use crate::group_coordinator::GroupCoordinator;
use crate::guarantee::Guarantee;
use crate::ledger::Ledger;
use crate::limbo::Limbo;
use crate::limits::{Limits, MAX_BUDGETS, MAX_INSTANCES, Room, TooLarge};
use crate::outbox::Database;
use crate::output::Output;
use crate::partitions::OtherPartition;
use crate::pipeline::{Dedup, Pipeline, Start};
use crate::producer::Producer;
use crate::producer::transactions::Transactions;
use crate::program::Program;
use crate::replication::Replication;
use crate::retries::Retries;
use crate::set::Set;
use crate::sink::Sink;
use crate::subject::{Observation, Subject};
use crate::transaction_coordinator::Part;
use budget::Budget;
use stateright::{Model, Property};
use std::sync::Arc;

/// A state of the whole pipeline.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    // What changes most often comes first: comparing two states then ends early.
    /// The consumers of the group.
    pub consumers: [Consumer; MAX_INSTANCES],
    /// The faults that are left, per entry of the budget that can be spent.
    pub left: [u16; MAX_BUDGETS],
    /// How many faults are left in all.
    pub left_in_all: u16,
    /// The group coordinator.
    pub group: GroupCoordinator,
    /// What happened to each record.
    pub ledger: Ledger,
    /// The sink.
    pub sink: Sink,
    /// The upstream producer.
    pub producer: Producer,
    /// The broker; with several replicas, what clients can read.
    pub broker: Broker,
    /// The replicas, where there are several.
    pub replication: Option<Box<Replication>>,
    /// The retry topic, from the oldest entry on that anyone can still read.
    pub retries: Retries,
    /// Requests that are late.
    pub limbo: Limbo,
    /// The upstream application's database.
    pub database: Database,
    /// Records whose handling always fails.
    pub poisoned: Set,
    /// The output topic and its producers, where the design writes results.
    pub output: Option<Box<Output>>,
    /// The producer's transactions, where it has any.
    pub transactions: Option<Box<Transactions>>,
    /// The second partition, if there is one.
    pub other: Option<Box<OtherPartition>>,
}

impl Clone for State {
    /// As derived, but that no consumer is moved once it is copied.
    #[inline]
    fn clone(&self) -> State {
        let [first, second] = &self.consumers;
        State {
            consumers: [first.clone(), second.clone()],
            left: self.left,
            left_in_all: self.left_in_all,
            group: self.group.clone(),
            ledger: self.ledger.clone(),
            sink: self.sink.clone(),
            producer: self.producer.clone(),
            broker: self.broker.clone(),
            replication: self.replication.clone(),
            retries: self.retries.clone(),
            limbo: self.limbo.clone(),
            database: self.database.clone(),
            poisoned: self.poisoned.clone(),
            output: self.output.clone(),
            transactions: self.transactions.clone(),
            other: self.other.clone(),
        }
    }
}

impl State {
    /// The dedup store that consumer `who` uses, wherever it lives.
    pub fn dedup_store(&self, who: u16, pipeline: &Pipeline) -> &DedupStore {
        match pipeline.sink.dedup {
            Dedup::Durable | Dedup::Separate => &self.sink.seen,
            Dedup::Memory => &self.consumers[usize::from(who)].memory,
        }
    }
}

/// A pipeline as a model.
#[derive(Clone, Debug)]
pub struct Cluster {
    pipeline: Pipeline,
    program: Program,
    limits: Limits,
    budget: Budget,
    witnesses: Vec<Witness>,
    reductions: Reductions,
    /// Whether it is for single runs: states tell what the last step did, and the epochs of output
    /// producers keep their numbers.
    for_running: bool,
    /// Whether each replica has a log of its own in the model.
    has_replicas: bool,
    /// What its partition is to a transaction.
    part: Part,
    /// The output topic as a model of its own, where faults can strike it.
    output_topic: Option<Arc<Cluster>>,
    words: usize,
}

impl Cluster {
    /// The model of `pipeline`, with every reduction.
    pub fn new(pipeline: Pipeline) -> Result<Cluster, TooLarge> {
        Cluster::with_reductions(pipeline, Reductions::ALL)
    }

    /// The model of `pipeline` with these reductions only.
    pub fn with_reductions(
        pipeline: Pipeline,
        reductions: Reductions,
    ) -> Result<Cluster, TooLarge> {
        let mut cluster = Cluster::build(pipeline, reductions, Room::Packed)?;
        let mut counter = Counter::default();
        cluster.code(&mut State::default(), &mut counter);
        cluster.words = counter.bits.div_ceil(u32::BITS) as usize;
        Ok(cluster)
    }

    /// The model of `pipeline` for single runs, however long: the one [`Cluster::for_telling`]
    /// gives, but that its states cannot be packed and that generations and the epochs of output producers
    /// keep their numbers.
    pub fn for_running(pipeline: Pipeline) -> Result<Cluster, TooLarge> {
        let reductions = Reductions {
            where_to_begin: false,
            passed_results: false,
            generations: false,
            commuting_steps: false,
            symmetric_replicas: false,
            ..Reductions::ALL
        };
        Ok(Cluster {
            for_running: true,
            ..Cluster::build(pipeline, reductions, Room::Unpacked)?
        })
    }

    fn build(pipeline: Pipeline, reductions: Reductions, room: Room) -> Result<Cluster, TooLarge> {
        let reductions = Reductions {
            whole_calls: reductions.whole_calls && reduce::calls_are_whole(&pipeline),
            ..reductions
        };
        let budget = Budget::of(&pipeline, reductions.spent_faults);
        let limits = Limits::of(&pipeline, budget.entries(), reductions, room)?;
        let program = Program::compile(&pipeline.consumer.order, pipeline.consumer.workers);
        let witnesses = witness::of(&pipeline, &program, &budget, &limits);
        // Beside a second partition no fault strikes replicas, and theirs is the one log of each.
        let several = pipeline.is_replicated() && !limits.second_partition;
        let has_replicas = limits.logs_results
            || pipeline.tells_replicas_apart()
            || several && !reductions.healthy_replicas;
        let mut cluster = Cluster {
            pipeline,
            program,
            limits,
            budget,
            witnesses,
            reductions,
            for_running: false,
            has_replicas,
            part: Part::Input,
            output_topic: None,
            words: 0,
        };
        cluster.output_topic = cluster.output_topic_of(room)?;
        Ok(cluster)
    }

    /// The same model, whose states keep what a reader of a run wants to know although no later
    /// step depends on it: where reading would begin, and which number a broker has. It has the same
    /// runs, and all of them.
    pub fn for_telling(&self) -> Cluster {
        let mut telling = self.in_every_order().with_lasting_numbers();
        telling.reductions.where_to_begin = false;
        telling.reductions.passed_results = false;
        telling
    }

    /// Whether runs may be longer than they need be, because orders of commuting steps are left out.
    pub fn leaves_out_orders(&self) -> bool {
        self.reductions.commuting_steps
            && !self.limits.database
            && !self.limits.transactions
            && !self.limits.second_partition
    }

    /// The same model with every order of steps: its shortest runs are the shortest there are.
    pub fn in_every_order(&self) -> Cluster {
        let mut whole = self.clone();
        whole.reductions.commuting_steps = false;
        whole
    }

    /// The pipeline.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// What its states can hold.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The order as it is run.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The situations whose bits [`Subject::reached_by`] returns, in the order of the bits.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// The budget's entry behind [`Action::Fault`].
    pub fn fault_key(&self, entry: u16) -> crate::fault::FaultKey {
        self.budget.entries()[usize::from(entry)].0
    }

    /// The entries of the budget that can be spent, in the order of [`State::left`].
    pub fn fault_keys(&self) -> impl Iterator<Item = crate::fault::FaultKey> + '_ {
        self.budget.entries().iter().map(|entry| entry.0)
    }

    /// The enabled steps that are not faults. One that would change nothing may be among them.
    pub fn steps(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        self.free_actions(state, &mut actions);
        actions
    }

    /// The faults that can strike. One that would change nothing may be among them.
    pub fn strikes(&self, state: &State) -> Vec<Action> {
        let mut actions = Vec::new();
        self.fault_actions(state, &mut actions);
        actions
    }

    /// Whether any step other than a fault is enabled and changes something.
    pub fn is_quiescent(&self, state: &State) -> bool {
        let mut steps = self.steps(state).into_iter();
        steps.all(|action| self.next_state(state, action).is_none())
    }

    /// Commits are kept in mind as long as a loss of power may take them.
    fn remember_commits(&self, state: &mut State) {
        if self.limits.history > 0
            && self
                .budget
                .has_left(&state.left, state.left_in_all, Fault::PowerLossAll)
        {
            state.group.remember();
        } else {
            state.group.history.truncate(0);
        }
    }

    fn code(&self, state: &mut State, codec: &mut impl Codec) {
        let (limits, pipeline) = (&self.limits, &self.pipeline);
        state.database.code(codec, limits);
        state.producer.code(codec, limits, pipeline);
        if self.has_replicas {
            let replication = state.replication.get_or_insert_default();
            replication.code(codec, limits, pipeline);
            state.broker = replication.view();
        } else {
            state.broker.code(codec, limits, pipeline);
        }
        state.limbo.code(codec, limits, pipeline);
        state.group.code(codec, limits);
        for who in self.everyone() {
            let consumer = &mut state.consumers[usize::from(who)];
            consumer.code(codec, limits, pipeline, &state.broker);
            if !self.reductions.whole_calls {
                consumer.code_call(codec, limits);
            }
        }
        state.sink.code(codec, limits, pipeline);
        state.ledger.code(codec, limits);
        state.retries.code(codec, limits);
        if limits.poisons {
            state.poisoned.code(codec, limits.records);
        }
        if self.has_output() {
            let output = state.output.get_or_insert_default();
            output.code(codec, limits, pipeline);
            if let Some(topic) = self.output_topic() {
                let log = output.log.get_or_insert_default();
                log.code(codec, &topic.limits, &topic.pipeline);
            }
        }
        if limits.transactions {
            let transactions = state.transactions.get_or_insert_default();
            transactions.code(codec, limits);
        }
        if limits.second_partition {
            let mut there = state.other.is_some() || !limits.adds_partition;
            codec.flag_if(limits.adds_partition, &mut there);
            let mut other = state.other.take().unwrap_or_default();
            if codec.places(usize::from(there), 1) == 1 {
                other.code(codec, limits, pipeline);
            }
            state.other = there.then_some(other);
        }
        self.budget.code(state, codec);
    }
}

impl Model for Cluster {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let bounds = &self.pipeline.bounds;
        let mut state = State {
            ledger: Ledger::of(bounds.records),
            sink: Sink::of(&self.pipeline),
            producer: Producer::of(bounds.records),
            output: self
                .has_output()
                .then(|| Box::new(Output::of(&self.pipeline))),
            transactions: self.limits.transactions.then(Box::default),
            other: (bounds.partitions > 1).then(|| Box::new(OtherPartition::of(&self.pipeline))),
            ..State::default()
        };
        if let Some(output) = &mut state.output {
            output.log = self.empty_output_log();
        }
        if self.has_replicas {
            let replicas = Replication::of(&self.pipeline.topic.replication);
            state.replication = Some(Box::new(replicas));
        }
        if self.for_running {
            state.keep_journals();
        }
        self.budget.fill(&mut state);
        if self.pipeline.bounds.start == Start::Joined {
            state.group.owner = self.pipeline.subscribes().then_some(0);
            for who in self.everyone() {
                let reads = who == 0 || !self.pipeline.subscribes();
                let reads = reads || state.has_second(who);
                state.consumers[usize::from(who)] = if reads {
                    Consumer::joined()
                } else {
                    Consumer::idle()
                };
            }
        }
        self.settle_output_topic(&mut state);
        self.settle_replicas(&mut state);
        self.reduce(&mut state);
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.free_actions(state, actions);
        if self.leaves_out_orders() {
            self.keep_persistent(state, actions);
        }
        self.fault_actions(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        if let Action::Fault { entry, strike } = action
            && strike.only_takes_time()
            && self.is_harmless(entry)
        {
            return None;
        }
        // Made where it is returned: it is too large to be moved about.
        let mut next = Some(state.clone());
        let after = next.as_mut()?;
        after.begin_journals();
        self.go_on_after_epoch(after, action);
        let strike = match action {
            Action::Fault { entry, strike } => {
                self.strike(after, strike);
                Some(entry)
            }
            _ => {
                self.step(after, action);
                None
            }
        };
        self.settle_output_topic(after);
        self.settle_output(after);
        self.settle_members(after);
        self.settle_partitions(after);
        self.route_sends(after, state.producer.created);
        self.settle_replicas(after);
        self.remember_commits(after);
        self.reduce(after);
        let changed = *after != *state;
        let counts = match strike {
            None => changed,
            Some(entry) => changed || !self.is_harmless(entry),
        };
        match strike {
            Some(entry) if counts => {
                self.budget.pay(after, entry);
                self.settle_replicas(after);
                self.remember_commits(after);
                self.reduce(after);
            }
            Some(_) | None => {}
        }
        if !counts {
            next = None;
        }
        next
    }

    fn properties(&self) -> Vec<Property<Self>> {
        macro_rules! always {
            ($($guarantee:ident),*) => {
                vec![$(Property::always(
                    Guarantee::$guarantee.name(),
                    |model: &Cluster, state: &State| {
                        let quiescent = model.is_quiescent(state);
                        model.observe(state, quiescent).violated & Guarantee::$guarantee.bit() == 0
                    },
                )),*]
            };
        }
        always!(
            NoLoss,
            NoDuplicates,
            ExactlyOnceEffect,
            InOrder,
            NoPhantom,
            Progress
        )
    }
}

impl Subject for Cluster {
    fn words(&self) -> usize {
        self.words
    }

    fn pack(&self, state: &mut State, words: &mut [u32]) {
        let mut writer = Writer::new(words);
        self.code(state, &mut writer);
        writer.finish();
    }

    fn unpack(&self, words: &[u32]) -> State {
        let mut state = State::default();
        self.code(&mut state, &mut Reader::new(words));
        state
    }

    fn is_fault(&self, action: &Action) -> bool {
        matches!(action, Action::Fault { .. })
    }

    fn observe(&self, state: &State, quiescent: bool) -> Observation {
        judge::observe(self, state, quiescent)
    }

    fn reached_by(&self, state: &State, action: &Action) -> u64 {
        witness::reached_by(self, state, action)
    }
}
