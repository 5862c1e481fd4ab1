//! The pipeline as actors of Stateright's own `ActorModel`: a second, independent host of the same
//! step functions, for designs with one consumer.
//!
//! [`crate::cluster::Cluster`] composes the actors in one model whose steps it chooses itself:
//! calls are one step with an outcome, and a fault strikes in the step in which it is noticed.
//! Here each actor owns its state, and everything else travels: requests, answers, notices of
//! broken connections and faults are messages in Stateright's network, which keeps the order
//! between two actors and no other. The nemesis is an actor that holds the budgets.
//!
//! # Why both reach the same ends
//!
//! A run ends where nothing but faults can happen. What is left then, the ledger above all, must
//! be the same set of [`End`]s in both hosts: they take different steps, but a run of one is a run
//! of the other that ends in the same way.
//!
//! - *A call that is split* acts at one moment, when its server handles it; its single-threaded
//!   caller does nothing meanwhile that the server could notice. Move the request and the answer
//!   there, and it is Cluster's one step. Only the caller reads the answer, so its arrival can move.
//! - *A fault that is under way* strikes when something meets it. Move its choice there. One that
//!   meets nothing is a run with a smaller budget, which Cluster has, too.
//! - *A notice of a lost connection* comes some time after the loss. What the client sends in
//!   between is lost with the rest: let the loss happen when it is noticed.
//! - *A request whose sender is gone* may still arrive, before anything else that its sender, or
//!   who comes after it, sends: that is one handled just before the sender went.
//! - *What an actor does not know* here, Cluster reads from the other's state: the Java client
//!   commits the same position again and again, where Cluster asks the coordinator whether that
//!   would be news. A state in which only such repetitions go on is an end.
//! - The other way round, the steps of a Cluster run can follow one another here with every message
//!   delivered at once.
//!
//! The ledger is in two parts: what the upstream application writes, and what the sink does. Only
//! whether effects came in order takes both, so the sink keeps their order.
//!
//! # What is covered
//!
//! [`covers`] says it of a design: one consumer without workers, whose records come from memory, an
//! outbox or a dual write; crashes of the producer and the consumer, an abort, failures of handling
//! and of the sink, delivery timeouts, and what the network does to produce requests and offset
//! commits. Calls that are simply repeated are not struck: that changes nothing.
//!
//! Left out: pauses, rebalances and restarts in order; restarts of the broker, retention and expiry;
//! poison; dead letters, retry topics and closing after a failure; fencing at the sink, which asks
//! for generations.
//!
//! ```
//! use semel_models::actors::{self, message::Role};
//! use stateright::Model;
//!
//! # fn of(pipeline: semel_models::pipeline::Pipeline) -> Result<(), Box<dyn std::error::Error>> {
//! let model = actors::model(pipeline, ())?;
//! let start = &model.init_states()[0];
//! assert_eq!(start.actor_states.len(), Role::ALL.len());
//! assert!(actors::end(&model, start).is_none(), "there are records to be sent");
//! # Ok(())
//! # }
//! ```
//!
//! # Fingerprints
//!
//! Stateright tells states apart by a hash in which an actor's timers and choices come without
//! their owner and without their number: `{a}, {}` and `{}, {a}` are the same to it. So each timer
//! and each choice names its owner ([`message::Timer`], [`message::Choice`]): then the one sequence
//! of hashes that is left can be cut in one way only.

mod broker;
mod consumer;
mod coordinator;
pub mod message;
mod nemesis;
mod node;
mod producer;
mod sink;

pub use node::{Node, NodeState};

use crate::cluster::Reductions;
use crate::fault::Fault;
use crate::ledger::Ledger;
use crate::limits::{Limits, Room, TooLarge};
use crate::offset::NextOffset;
use crate::order::Step;
use crate::pipeline::{AfterAttempts, AutoCommit, Dedup, Pipeline};
use crate::program::{Program, Within};
use crate::sink::Sink;
use message::{Event, Role, Timer};
use stateright::actor::{ActorModel, ActorModelState, Network};
use std::sync::Arc;

/// What every actor of a model knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pipeline: Pipeline,
    program: Program,
    limits: Limits,
}

/// The faults that the nemesis can spend.
const FAULTS: [Fault; 12] = [
    Fault::ProducerCrash,
    Fault::Abort,
    Fault::DeliveryTimeout,
    Fault::ConsumerCrash,
    Fault::ProcessFailure,
    Fault::ProcessFailureLate,
    Fault::SinkUnavailable,
    Fault::SinkAnswerLost,
    Fault::RequestLost,
    Fault::ResponseLost,
    Fault::RequestRefused,
    Fault::RequestDelayed,
];

/// Whether the nemesis can spend `fault`.
pub fn spends(fault: Fault) -> bool {
    FAULTS.contains(&fault)
}

/// Whether this host models everything that `pipeline` can meet.
pub fn covers(pipeline: &Pipeline) -> bool {
    let consumer = &pipeline.consumer;
    let faults = &pipeline.faults;
    let fails = [
        Fault::ProcessFailure,
        Fault::ProcessFailureLate,
        Fault::SinkUnavailable,
        Fault::SinkAnswerLost,
    ];
    let goes_on = match consumer.on_process_failure.then {
        AfterAttempts::Stop | AfterAttempts::Skip | AfterAttempts::Block => true,
        AfterAttempts::Close | AfterAttempts::DeadLetter(_) | AfterAttempts::RetryTopic => false,
    };
    pipeline.group.instances == 1
        && pipeline.bounds.partitions == 1
        && !pipeline.tells_replicas_apart()
        && consumer.workers == 0
        && !pipeline.producer.is_transactional()
        && !pipeline.sink.fencing
        && faults.entries.iter().all(|(key, _)| spends(key.fault))
        && (goes_on || !fails.into_iter().any(|fault| faults.contains(fault)))
        && !consumer.needs_an_offset_to_retry()
        && covers_order(pipeline)
}

/// Whether each operation of the order is one call of the sink, one commit, or within the process.
fn covers_order(pipeline: &Pipeline) -> bool {
    let program = Program::compile(&pipeline.consumer.order, 0);
    program.operations.iter().all(|operation| {
        operation.within == Within::Nothing
            && operation.steps().all(|step| match step {
                Step::Process | Step::SaveOffset => true,
                Step::SkipIfSeen | Step::Remember => {
                    !operation.transaction || pipeline.sink.dedup != Dedup::Memory
                }
                Step::Commit | Step::CommitAsync | Step::StoreOffset => !operation.transaction,
                Step::Produce | Step::ProduceAsync | Step::Flush => false,
            })
    })
}

/// The actors of `pipeline`, which this host must cover ([`covers`]); `config` is the caller's.
///
/// # Panics
/// When the pipeline is not covered.
pub fn model<C>(pipeline: Pipeline, config: C) -> Result<ActorModel<Node, C>, TooLarge> {
    assert!(covers(&pipeline), "not covered: {pipeline:?}");
    let limits = Limits::of(
        &pipeline,
        &pipeline.faults.entries,
        Reductions::ALL,
        Room::Packed,
    )?;
    let program = Program::compile(&pipeline.consumer.order, 0);
    let setting = Arc::new(Setting {
        pipeline,
        program,
        limits,
    });
    let actors = Role::ALL.map(|role| Node {
        role,
        setting: Arc::clone(&setting),
    });
    Ok(ActorModel::new(config, ())
        .init_network(Network::new_ordered([]))
        .actors(actors))
}

/// How a run can end: what is left where nothing but faults can happen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct End {
    /// What happened to each record; which upstream transactions overlapped is left out, for it is
    /// forgotten when it decides nothing any more.
    pub ledger: Ledger,
    /// The records in the log.
    pub log: Vec<u16>,
    /// The committed offset.
    pub committed: Option<NextOffset>,
    /// Where the consumer reads on, unless its process starts in vain.
    pub position: Option<NextOffset>,
    /// The sink.
    pub sink: Sink,
}

/// How a run ends in `state`; `None` where something other than a fault can still happen.
pub fn end<C>(model: &ActorModel<Node, C>, state: &ActorModelState<Node>) -> Option<End> {
    let [
        NodeState::Producer(producer),
        NodeState::Broker(broker),
        NodeState::Coordinator(coordinator),
        NodeState::Consumer(consumer),
        NodeState::Sink(sink),
        NodeState::Nemesis(_),
    ] = [0, 1, 2, 3, 4, 5].map(|index: usize| &*state.actor_states[index])
    else {
        unreachable!("the actors stand in the order of their roles");
    };
    let setting = &model.actors[0].setting;
    let committed = coordinator.group.committed;
    // What comes again and again, and changes nothing any more.
    let is_idle = |timer: &Timer| match timer.event {
        Event::Join if consumer.in_vain => {
            let there = broker.locate(setting, committed, sink.sink.saved);
            there.is_none()
        }
        Event::CommitAutomatically => {
            setting.pipeline.consumer.auto_commit == AutoCommit::AtPoll
                && committed.map(|position| position.next) == consumer.position()
        }
        _ => false,
    };
    let mut timers = state.timers_set.iter().flat_map(|timers| timers.iter());
    let idle = timers.all(is_idle);
    let choices = &state.random_choices[Role::Consumer as usize];
    let quiet = state.network.len() == 0 && choices.map.is_empty();
    (quiet && idle).then(|| End {
        ledger: Ledger {
            overlaps: Default::default(),
            ..whole_ledger(producer, sink, setting.pipeline.bounds.keys)
        },
        log: broker.broker.log.iter().map(|entry| entry.record).collect(),
        committed: committed.map(|position| position.next),
        position: consumer.position(),
        sink: sink.sink.clone(),
    })
}

/// The ledger from its two parts. Whether effects came in order takes both: the order in which the
/// sink saw them, and which records upstream have no order.
fn whole_ledger(producer: &producer::State, sink: &sink::State, keys: u16) -> Ledger {
    let mut ledger = producer.ledger.clone();
    for record in &sink.firsts {
        ledger.handle(*record, keys);
    }
    Ledger {
        handled: sink.ledger.handled.clone(),
        superseded: sink.ledger.superseded.clone(),
        ..ledger
    }
}
