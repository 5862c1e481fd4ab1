//! Between whom a step is drawn, and how.

use crate::report::lifelines::{
    BROKER, CONSUMER, CONTROLLER, COORDINATOR, OUTPUT, PRODUCER, TRANSACTION_COORDINATOR, ends,
};
use crate::report::story::{Moment, Story};
use crate::trace::{broker_name, lettered};
use semel_models::action::{Action, ConsumerStrike, ReplicaStep, ReplicaStrike, Strike, Target};
use semel_models::cluster::State;
use semel_models::fault::Call;
use semel_models::pipeline::Pipeline;

/// How a step is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Its actor does it alone.
    Own,
    /// A message that arrives.
    Message,
    /// A message, or an answer, that does not arrive.
    Lost,
    /// A request that arrives later, or never.
    Late,
    /// An answer that says no.
    Refused,
    /// The death of its actor's process.
    Dies,
    /// Something else that befalls its actor.
    Fault,
}

/// A step between two lifelines, which may be the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrow {
    pub(super) from: String,
    pub(super) to: String,
    pub(super) shape: Shape,
}

/// How the step in this place is drawn.
pub(super) fn of(story: &Story, place: usize) -> Arrow {
    let moment = &story.moments[place];
    let before = story.before(place);
    let struck = match moment.action {
        Action::Fault { strike, .. } => strike,
        action => {
            let (from, to) = replicated(action, before, story.pipeline)
                .unwrap_or_else(|| undisturbed(moment, before));
            let shape = match from == to {
                true => Shape::Own,
                false => Shape::Message,
            };
            return Arrow { from, to, shape };
        }
    };
    let (target, shape, is_answer) = match struck {
        Strike::LoseRequest(target) => (target, Shape::Lost, false),
        Strike::LoseAnswer(target) => (target, Shape::Lost, true),
        Strike::Refuse(target) => (target, Shape::Refused, true),
        Strike::Delay(target) => (target, Shape::Late, false),
        _ => {
            let actor = partner(moment.step.actor(), moment.action, before, moment.after);
            return Arrow {
                from: actor.clone(),
                to: actor,
                shape: match kills(struck) {
                    true => Shape::Dies,
                    false => Shape::Fault,
                },
            };
        }
    };
    let client = client(target, story.pipeline);
    let server = partner(server(target), moment.action, before, moment.after);
    let (from, to) = match is_answer {
        true => (server, client),
        false => (client, server),
    };
    Arrow { from, to, shape }
}

/// Between whom a step goes.
fn undisturbed(moment: &Moment, before: &State) -> (String, String) {
    let (from, to) = ends(moment.step);
    let meant = |actor: &str| partner(actor, moment.action, before, moment.after);
    match moment.step.parameters().get("broker") {
        Some(number) if from == BROKER => (format!("{BROKER} {number}"), meant(&to)),
        Some(_) | None => (meant(&from), meant(&to)),
    }
}

/// Between whom a step goes that is about replicas.
fn replicated(action: Action, before: &State, pipeline: &Pipeline) -> Option<(String, String)> {
    let replication = before.replication.as_deref()?;
    let Action::Replica { who, does } = action else {
        return None;
    };
    match does {
        ReplicaStep::Fetch => {
            let leader = replication.fetches_from(who, &pipeline.rules)?;
            Some((broker_name(leader), broker_name(who)))
        }
        ReplicaStep::Propose => {
            let leader = replication.controller.leader?;
            Some((broker_name(leader), CONTROLLER.into()))
        }
        ReplicaStep::Hear => Some((CONTROLLER.into(), broker_name(who))),
        ReplicaStep::Restart { .. }
        | ReplicaStep::Elected
        | ReplicaStep::Join
        | ReplicaStep::HandleProduce
        | ReplicaStep::Answer
        | ReplicaStep::TimeOut => None,
    }
}

/// Whether a process, or the machine that it runs on, goes down at once.
fn kills(strike: Strike) -> bool {
    match strike {
        Strike::ProducerCrash
        | Strike::ProducerCrashAtEnd
        | Strike::BrokerCrash
        | Strike::PowerLoss { .. }
        | Strike::PowerLossAll { .. }
        | Strike::EveryReplica { .. }
        | Strike::DiskLoss => true,
        Strike::Consumer { how, .. } => how == ConsumerStrike::Crash,
        Strike::Replica { how, .. } => match how {
            ReplicaStrike::Crash | ReplicaStrike::PowerLoss | ReplicaStrike::DiskLoss => true,
            ReplicaStrike::Lag | ReplicaStrike::Lead => false,
        },
        _ => false,
    }
}

/// Where the partition has replicas with logs of their own, the broker that is meant by "the broker".
fn partner(actor: &str, action: Action, before: &State, after: &State) -> String {
    let Some(replication) = before.replication.as_deref().filter(|_| actor == BROKER) else {
        return actor.to_string();
    };
    let to = match action {
        Action::Transmit => after.producer.flights.last(),
        _ => before
            .producer
            .flights
            .first()
            .filter(|_| matches!(action, Action::Fault { .. })),
    };
    let who = to.map(|flight| flight.to).or(replication.controller.leader);
    who.map_or(actor.to_string(), broker_name)
}

/// Who calls.
fn client(target: Target, pipeline: &Pipeline) -> String {
    let several = pipeline.group.instances > 1;
    let consumer = |who| match several {
        true => format!("{CONSUMER} {}", lettered(who)),
        false => CONSUMER.to_string(),
    };
    match target {
        Target::Produce | Target::ProduceToOther | Target::Coordinator(_) => PRODUCER.into(),
        Target::Commit(who)
        | Target::BackgroundCommit(who)
        | Target::LeavingCommit(who)
        | Target::FailedWrite(who)
        | Target::Result(who)
        | Target::Offsets(who)
        | Target::EndTransaction(who)
        | Target::Start(who)
        | Target::Add(who, _) => consumer(who),
        Target::Repeated(call) => match call {
            Call::Produce => PRODUCER.into(),
            // Those of an upstream that sends in transactions are steps of their own.
            Call::InitProducerId if !pipeline.consumer.has_transactions() => PRODUCER.into(),
            Call::OutputProduce
            | Call::Fetch
            | Call::Join
            | Call::Heartbeat
            | Call::OffsetFetch
            | Call::OffsetCommit
            | Call::InitProducerId
            | Call::AddPartitions
            | Call::AddOffsets
            | Call::TxnOffsetCommit
            | Call::EndTxn => consumer(0),
        },
    }
}

/// Who is called.
fn server(target: Target) -> &'static str {
    match target.call() {
        Call::Produce | Call::Fetch => BROKER,
        Call::OutputProduce => OUTPUT,
        Call::Join
        | Call::Heartbeat
        | Call::OffsetFetch
        | Call::OffsetCommit
        | Call::TxnOffsetCommit => COORDINATOR,
        Call::InitProducerId | Call::AddPartitions | Call::AddOffsets | Call::EndTxn => {
            TRANSACTION_COORDINATOR
        }
    }
}
