//! Hard situations: a verdict says of each whether it was reached.

use super::budget::Budget;
use super::{Cluster, State, output_witness, upstream_witness};
use crate::action::{Action, ConsumerStep, ConsumerStrike, LogStep, PartitionStep, Place, Strike};
use crate::consumer::{Phase, dedup_key};
use crate::fault::{Call, Fault, FaultKey};
use crate::limits::{self, Limits};
use crate::offset::Offset;
use crate::order::Step;
use crate::pipeline::{Acks, AfterAttempts, Pipeline, PreparedTransaction};
use crate::producer::transactions::{Stage, Transactions};
use crate::program::{Operation, OutputStep, Program};
use std::fmt;

/// A situation that a verdict should have met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A fault of the budget was spent.
    Fault {
        /// The entry of the design's budget.
        key: FaultKey,
        /// Its place among the entries that the design can meet; `None`: it cannot.
        entry: Option<u16>,
    },
    /// The consumer's process ended before this operation, with an earlier one done.
    DeathBetween {
        /// The operation that was not reached.
        before: usize,
        /// What had been done.
        done: String,
        /// What had not.
        missing: String,
    },
    /// A produce request was sent again after a fault took its answer away.
    RetryAfterLostAnswer,
    /// The dedup store recognised a record.
    Recognised,
    /// A late request arrived.
    LateArrival,
    /// A consumer that was put out of the group wrote to the sink.
    ZombieWrite,
    /// A commit of a consumer that was put out of the group was refused.
    StaleCommit,
    /// The partition went to the other consumer.
    HandedOver,
    /// A process with records in its workers' hands died.
    DeathWithTasks,
    /// A record was given up after its last attempt, and passed over or written elsewhere.
    GivenUp {
        /// What is then done with it.
        then: AfterAttempts,
    },
    /// A row committed below the id that a relay had reached.
    RowBelowCursor,
    /// A relay died between its publish and its mark, in either order.
    RelayDiesBetween,
    /// The application died between its two writes.
    WriterDiesBetween,
    /// A producer id was forgotten while a request of it was late.
    ForgottenWhileLate,
    /// A consumer that was put out of the group sent a result.
    ZombieResult,
    /// A process died with a transaction open.
    DeathInTransaction,
    /// A transaction that a dead producer left open was fenced by its next start.
    FencedByRestart,
    /// A record was written to a partition that the consumer did not know yet.
    WrittenUnknown,
    /// Both partitions of the topic get records.
    BothPartitions,
    /// A start committed a transaction that the database said was prepared.
    PreparedResumed,
    /// A transaction was to be ended again, whose end was asked for and not answered.
    EndRepeated,
    /// A leader died or was deposed while the marker that it had written waited for the in-sync
    /// replicas.
    MarkerUnderWay,
    /// A broker was struck, or lost the lead, while a result was on its way to it.
    ResultUnderWay,
    /// The delivery timeout of a result passed because a fault took its answer.
    ResultExpired,
    /// The transaction coordinator moved, and had not noted a marker that it had written.
    MarkerUnnoted,
}

impl fmt::Display for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Witness::Fault { key, .. } => write!(f, "{key}"),
            Witness::DeathBetween { done, missing, .. } => {
                write!(f, "the consumer dies between {done} and {missing}")
            }
            Witness::RetryAfterLostAnswer => {
                f.write_str("a record is sent again after its answer was lost")
            }
            Witness::Recognised => f.write_str("the dedup store recognises a record"),
            Witness::LateArrival => f.write_str("a late request arrives"),
            Witness::ZombieWrite => {
                f.write_str("a consumer that was put out of the group writes to the sink")
            }
            Witness::StaleCommit => {
                f.write_str("a commit of a consumer that was put out of the group arrives")
            }
            Witness::HandedOver => f.write_str("the partition goes to the other consumer"),
            Witness::DeathWithTasks => {
                f.write_str("the consumer dies while its workers have records")
            }
            Witness::GivenUp { then } => {
                f.write_str("a record fails at its last attempt and ")?;
                f.write_str(match then {
                    AfterAttempts::DeadLetter(_) => "goes to the dead-letter topic",
                    AfterAttempts::RetryTopic => "goes to the retry topic",
                    AfterAttempts::Skip
                    | AfterAttempts::Stop
                    | AfterAttempts::Close
                    | AfterAttempts::Block => "is passed over",
                })
            }
            Witness::RowBelowCursor => f.write_str("a row commits below the relay's cursor"),
            Witness::RelayDiesBetween => f.write_str("the relay dies between publish and mark"),
            Witness::WriterDiesBetween => {
                f.write_str("the application dies between its two writes")
            }
            Witness::ForgottenWhileLate => {
                f.write_str("a producer id is forgotten while a request is late")
            }
            Witness::ZombieResult => {
                f.write_str("a consumer that was put out of the group sends a result")
            }
            Witness::DeathInTransaction => f.write_str("the consumer dies with a transaction open"),
            Witness::FencedByRestart => {
                f.write_str("a transaction that a dead producer left open is fenced")
            }
            Witness::BothPartitions => f.write_str("both partitions get a record"),
            Witness::WrittenUnknown => {
                f.write_str("a record is in the new partition before the consumer knows of it")
            }
            Witness::PreparedResumed => {
                f.write_str("a start commits a transaction that the database says is prepared")
            }
            Witness::EndRepeated => f.write_str("the end of a transaction is asked for again"),
            Witness::MarkerUnnoted => {
                f.write_str("a marker is written again by the next transaction coordinator")
            }
            Witness::MarkerUnderWay => {
                f.write_str("the leader changes while a marker waits for the in-sync replicas")
            }
            Witness::ResultUnderWay => {
                f.write_str("the output topic loses its leader while a result is on its way")
            }
            Witness::ResultExpired => {
                f.write_str("a result fails, for a fault took its answer until its time was over")
            }
        }
    }
}

/// Whether the fault can end the consumer's process.
fn may_end_consumer(pipeline: &Pipeline, fault: Fault) -> bool {
    fault == Fault::ConsumerCrash
        || limits::ends_consumer(fault) && pipeline.consumer.on_process_failure.ends_process()
}

/// The situations of a design.
pub(super) fn of(
    pipeline: &Pipeline,
    program: &Program,
    budget: &Budget,
    limits: &Limits,
) -> Vec<Witness> {
    let mut witnesses: Vec<Witness> = pipeline
        .faults
        .entries
        .iter()
        .map(|(key, _)| {
            let entry = budget.entries().iter().position(|(other, _)| other == key);
            Witness::Fault {
                key: *key,
                entry: entry.map(|entry| entry as u16),
            }
        })
        .collect();
    let spendable = |of: &dyn Fn(FaultKey) -> bool| {
        pipeline.faults.total() > 0 && budget.entries().iter().any(|(key, _)| of(*key))
    };
    if spendable(&|key| may_end_consumer(pipeline, key.fault)) {
        for (before, pair) in program.operations.windows(2).enumerate() {
            witnesses.push(Witness::DeathBetween {
                before: before + 1,
                done: pair[0].to_string(),
                missing: pair[1].to_string(),
            });
        }
    }
    let settings = &pipeline.producer;
    let network = |fault| spendable(&move |key: FaultKey| key.fault == fault);
    let of_call = |own: Call| {
        let lost = |key: &FaultKey| key.fault == Fault::ResponseLost;
        spendable(&move |key| lost(&key) && key.call.is_none_or(|call| call == own))
    };
    let repeats = settings.acks != Acks::None && settings.retries > 0 && of_call(Call::Produce);
    if repeats || output_witness::repeats(pipeline) && of_call(Call::OutputProduce) {
        witnesses.push(Witness::RetryAfterLostAnswer);
    }
    let order = &pipeline.consumer.order;
    if (order.contains(Step::Remember) || order.contains(Step::SkipIfSeen))
        && pipeline.faults.total() > 0
    {
        witnesses.push(Witness::Recognised);
    }
    if network(Fault::RequestDelayed) {
        witnesses.push(Witness::LateArrival);
    }
    let then = pipeline.consumer.on_process_failure.then;
    let gives_up = match then {
        AfterAttempts::Skip | AfterAttempts::DeadLetter(_) | AfterAttempts::RetryTopic => true,
        AfterAttempts::Stop | AfterAttempts::Close | AfterAttempts::Block => false,
    };
    if gives_up && pipeline.faults.total() > 0 {
        witnesses.push(Witness::GivenUp { then });
    }
    if network(Fault::AddPartition) {
        witnesses.push(Witness::WrittenUnknown);
    }
    if pipeline.bounds.partitions > 1 {
        witnesses.push(Witness::BothPartitions);
    }
    witnesses.extend(of_group(pipeline, &spendable));
    witnesses.extend(upstream_witness::of(pipeline, &network));
    witnesses.extend(output_witness::of(pipeline, limits, &network));
    witnesses
}

/// Whether the budget has an entry that can be spent and is as asked for.
type Spendable<'a> = dyn Fn(&dyn Fn(FaultKey) -> bool) -> bool + 'a;

/// The situations of groups and workers.
fn of_group(pipeline: &Pipeline, spendable: &Spendable<'_>) -> Vec<Witness> {
    let mut witnesses = Vec::new();
    let order = &pipeline.consumer.order;
    let any = |faults: &'static [Fault]| spendable(&|key| faults.contains(&key.fault));
    if any(&[Fault::ConsumerPause, Fault::SlowProcessing]) {
        if order.contains(Step::Process) {
            witnesses.push(Witness::ZombieWrite);
        }
        if order.contains(Step::Produce) {
            witnesses.push(Witness::ZombieResult);
        }
        if order.contains(Step::Commit) {
            witnesses.push(Witness::StaleCommit);
        }
    }
    let moves = limits::MOVES_PARTITION;
    if pipeline.subscribes() && pipeline.group.instances > 1 && any(moves) {
        witnesses.push(Witness::HandedOver);
    }
    let dies = spendable(&|key| may_end_consumer(pipeline, key.fault));
    if dies && pipeline.consumer.has_transactions() {
        witnesses.push(Witness::DeathInTransaction);
    }
    if dies && pipeline.consumer.output.prepared_transaction == PreparedTransaction::Resume {
        witnesses.push(Witness::PreparedResumed);
    }
    if pipeline.consumer.workers > 0 && spendable(&|key| may_end_consumer(pipeline, key.fault)) {
        witnesses.push(Witness::DeathWithTasks);
    }
    witnesses
}

/// The situations that taking `action` in `state` reaches, as bits.
pub(super) fn reached_by(cluster: &Cluster, state: &State, action: &Action) -> u64 {
    // The faults come first: each is reached by its own entry alone.
    let (faults, others) = cluster
        .witnesses
        .split_at(cluster.pipeline.faults.entries.len());
    let mut bits = 0;
    if let Action::Fault { entry, .. } = action {
        let own = |witness: &Witness| matches!(witness, Witness::Fault { entry: Some(own), .. } if own == entry);
        bits |= faults.iter().position(own).map_or(0, |index| 1 << index);
    }
    for (index, witness) in others.iter().enumerate() {
        if is_reached(cluster, witness, state, action) {
            bits |= 1 << (faults.len() + index);
        }
    }
    bits
}

fn is_reached(cluster: &Cluster, witness: &Witness, state: &State, action: &Action) -> bool {
    match (witness, action) {
        (Witness::DeathBetween { before, .. }, Action::Fault { strike, .. }) => {
            ends_consumer(cluster, state, *strike).is_some_and(|who| {
                let consumer = &state.consumers[usize::from(who)];
                let in_hand =
                    consumer.phase == Phase::Handling && usize::from(consumer.operation) == *before;
                let mut tasks = consumer.crew.tasks.iter();
                in_hand || tasks.any(|task| !task.done && usize::from(task.operation) == *before)
            })
        }
        (Witness::DeathWithTasks, Action::Fault { strike, .. }) => {
            ends_consumer(cluster, state, *strike)
                .is_some_and(|who| !state.consumers[usize::from(who)].crew.tasks.is_empty())
        }
        (Witness::DeathInTransaction, Action::Fault { strike, .. }) => {
            ends_consumer(cluster, state, *strike)
                .is_some_and(|who| cluster.output_producer(state, who).open)
        }
        (Witness::RetryAfterLostAnswer, Action::Transmit) => state
            .producer
            .queue
            .first()
            .is_some_and(|batch| batch.doubtful),
        (Witness::RetryAfterLostAnswer, Action::OtherPartition(PartitionStep::Transmit)) => {
            let queue = state.other.as_deref().map(|other| &other.queue);
            let first = queue.and_then(|queue| queue.first());
            first.is_some_and(|batch| batch.doubtful)
        }
        (
            Witness::RetryAfterLostAnswer | Witness::GivenUp { .. } | Witness::ResultUnderWay,
            Action::OutputTopic { .. }
            | Action::Fault {
                strike: Strike::Replica { .. } | Strike::OutputReplica { .. },
                ..
            },
        ) => output_witness::is_reached_in_topic(cluster, witness, state, *action),
        (
            Witness::LateArrival,
            Action::LateArrives(_)
            | Action::OutputTopic {
                does: LogStep::LateArrives(_),
                ..
            },
        ) => true,
        (
            Witness::GivenUp { .. },
            Action::Fault {
                strike:
                    Strike::Consumer {
                        who,
                        how: ConsumerStrike::Fail { at, .. },
                    },
                ..
            },
        ) => is_last_attempt(cluster, state, *who, *at),
        (Witness::FencedByRestart, Action::InitProducerId) => {
            transactions(state).is_some_and(|own| own.id.can_time_out())
        }
        (
            Witness::PreparedResumed,
            Action::Consumer {
                who,
                does: ConsumerStep::Join { .. } | ConsumerStep::TakeOver,
            },
        ) => {
            cluster.is_prepared(state, cluster.id_of(*who))
                && !cluster.is_in_use(state, cluster.id_of(*who))
        }
        (Witness::EndRepeated, Action::EndTransaction) => {
            transactions(state).is_some_and(|own| own.stage == Stage::Committing)
        }
        (Witness::WrittenUnknown, Action::OtherPartition(PartitionStep::HandleProduce)) => {
            let reader = state.reader(0);
            state.consumers[0].reads() && reader.is_some_and(|reader| reader.position.is_none())
        }
        (Witness::BothPartitions, Action::OtherPartition(PartitionStep::HandleProduce)) => {
            state.broker.log_end() > 0
        }
        (Witness::BothPartitions, Action::HandleProduce) => {
            let other = state.other.as_deref();
            other.is_some_and(|other| other.broker.log_end() > 0)
        }
        (Witness::RowBelowCursor, Action::CommitUpstream(row)) => state.database.is_passed(*row),
        (
            Witness::RelayDiesBetween
            | Witness::WriterDiesBetween
            | Witness::ForgottenWhileLate
            | Witness::MarkerUnderWay
            | Witness::MarkerUnnoted,
            Action::Fault { strike, .. },
        ) => upstream_witness::is_reached(cluster, witness, state, *strike),
        (
            Witness::HandedOver,
            Action::Fault {
                strike: Strike::Rebalance { to },
                ..
            },
        ) => state.group.owner != Some(*to),
        (witness, Action::Consumer { who, does }) => {
            is_reached_by_consumer(cluster, witness, state, *who, *does)
        }
        _ => false,
    }
}

fn transactions(state: &State) -> Option<&Transactions> {
    state.transactions.as_deref()
}

fn is_reached_by_consumer(
    cluster: &Cluster,
    witness: &Witness,
    state: &State,
    who: u16,
    does: ConsumerStep,
) -> bool {
    let zombie = || cluster.is_zombie(state, who);
    match (witness, does) {
        (Witness::GivenUp { .. }, ConsumerStep::Operate) => cluster
            .poisoned_place(state, who)
            .is_some_and(|place| is_last_attempt(cluster, state, who, Place::Hand(place))),
        (Witness::GivenUp { .. }, ConsumerStep::Work(index)) => {
            let task = state.consumers[usize::from(who)].crew.tasks[usize::from(index)];
            cluster.is_poison(state, &task)
                && is_last_attempt(cluster, state, who, Place::Task(index))
        }
        (Witness::Recognised, ConsumerStep::Operate) => recognises(cluster, state, who),
        (Witness::Recognised, ConsumerStep::Work(index)) => {
            let task = state.consumers[usize::from(who)].crew.tasks[usize::from(index)];
            let operation = cluster.program.operations.get(usize::from(task.operation));
            let key = dedup_key(task.record, Offset(task.offset), &cluster.pipeline);
            operation.is_some_and(asks_store)
                && state.dedup_store(who, &cluster.pipeline).knows(key)
        }
        (Witness::ZombieWrite, ConsumerStep::Operate) => {
            zombie() && cluster.operation(state, who).contains(Step::Process)
        }
        (Witness::ZombieWrite, ConsumerStep::Work(index)) => {
            let task = state.consumers[usize::from(who)].crew.tasks[usize::from(index)];
            zombie() || task.orphaned
        }
        (Witness::StaleCommit, ConsumerStep::Operate | ConsumerStep::CommitDone) => {
            let call = cluster.output_call(state, who);
            let commits = cluster.due_commit(state, who).is_some();
            zombie() && (commits || call == Some(OutputStep::Offsets))
        }
        (Witness::ZombieResult, ConsumerStep::Operate) => {
            zombie() && cluster.output_call(state, who) == Some(OutputStep::Produce)
        }
        (_, ConsumerStep::ResultExpires { .. } | ConsumerStep::ResultArrives(_)) => {
            output_witness::is_reached_by_client(cluster, witness, state, who, does)
        }
        (Witness::RetryAfterLostAnswer, ConsumerStep::Operate) => {
            output_witness::is_reached_by_client(cluster, witness, state, who, does)
        }
        (Witness::HandedOver, ConsumerStep::TakeOver) => true,
        (Witness::HandedOver, ConsumerStep::Join { to }) => state.group.owner != Some(to),
        (Witness::HandedOver, ConsumerStep::Leave) => {
            let target = state.group.rebalance.map(|rebalance| rebalance.to);
            target.is_some_and(|to| state.group.owner != Some(to))
        }
        _ => false,
    }
}

/// The consumer whose process ends in this fault.
fn ends_consumer(cluster: &Cluster, state: &State, strike: Strike) -> Option<u16> {
    match strike {
        Strike::Consumer {
            who,
            how: ConsumerStrike::Crash,
        } => Some(who),
        Strike::Consumer {
            who,
            how: ConsumerStrike::Fail { at, .. },
        } => {
            let settings = cluster.pipeline.consumer.on_process_failure;
            (settings.ends_process() && is_last_attempt(cluster, state, who, at)).then_some(who)
        }
        _ => None,
    }
}

/// Whether the attempt at what is in this place is the last.
pub(super) fn is_last_attempt(cluster: &Cluster, state: &State, who: u16, at: Place) -> bool {
    let settings = cluster.pipeline.consumer.on_process_failure;
    let consumer = &state.consumers[usize::from(who)];
    let failed = match at {
        Place::Task(index) => consumer.crew.tasks[usize::from(index)].attempts,
        Place::Hand(_) | Place::Poll => consumer.attempts,
    };
    failed + 1 >= settings.attempts
}

fn asks_store(operation: &Operation) -> bool {
    operation.contains(Step::SkipIfSeen) || operation.contains(Step::Remember)
}

/// Whether the operation at hand finds a record in the dedup store.
fn recognises(cluster: &Cluster, state: &State, who: u16) -> bool {
    let operation = cluster.operation(state, who);
    if !asks_store(operation) {
        return false;
    }
    let store = state.dedup_store(who, &cluster.pipeline);
    let consumer = &state.consumers[usize::from(who)];
    let mut places = consumer.places(operation.scope);
    places.any(|place| {
        let record = consumer.hand[usize::from(place)];
        store.knows(dedup_key(record, consumer.offset(place), &cluster.pipeline))
    })
}
