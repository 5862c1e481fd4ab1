//! From a path through the model to a trace.

use super::anomaly::anomalies;
use super::facts::{changes, name};
use super::narrate::{ends_process, narrate};
use super::tidy::tidy;
use super::{Bound, DesignSource, FORMAT, Step, Trace, VERSION};
use semel_models::action::Action;
use semel_models::cluster::{Cluster, State};
use semel_models::guarantee::Guarantee;
use semel_models::limits::MAX_INSTANCES;
use semel_models::pipeline::Effect;
use stateright::Model;

/// A run to be told.
pub(crate) struct Run {
    /// The first state.
    pub start: State,
    /// The steps and the states that they lead to.
    pub steps: Vec<(Action, State)>,
    /// For a run without end: how many steps stand before its loop.
    pub loops_from: Option<usize>,
    /// Whether it is a shortest one.
    pub is_shortest: bool,
}

impl Run {
    /// The run of the same design with these steps.
    pub fn with(&self, steps: Vec<(Action, State)>) -> Run {
        Run {
            start: self.start.clone(),
            steps,
            ..*self
        }
    }

    /// The same run, of which it is not known whether it is a shortest one.
    pub fn perhaps_longer(self) -> Run {
        Run {
            is_shortest: false,
            ..self
        }
    }
}

/// The most steps that are brought into the order of telling, which takes time that grows with their
/// square: only runs that were drawn at random are longer.
const MOST_TIDIED: usize = 150;

/// Tells `run`, which violates `guarantee`.
pub(crate) fn tell(
    cluster: &Cluster,
    design: DesignSource,
    bound: Bound,
    guarantee: Guarantee,
    run: &Run,
) -> Trace {
    let steps = cluster.in_lasting_numbers(&run.start, &run.steps);
    let cluster = &cluster.for_telling();
    let run = in_full(cluster, run, &steps);
    let run = match run.steps.len() <= MOST_TIDIED {
        true => tidy(cluster, &run),
        false => run,
    };
    let mut before = &run.start;
    let mut last = before;
    let mut steps = Vec::with_capacity(run.steps.len());
    let mut running = running(before);
    for (action, after) in &run.steps {
        steps.push(tell_step(cluster, before, *action, after, &mut running));
        last = before;
        before = after;
    }
    Trace {
        format: FORMAT.into(),
        version: VERSION,
        design,
        bound,
        guarantee: guarantee.name().into(),
        steps,
        loops_from: run.loops_from,
        violation: violation(cluster, guarantee, last, before, run.loops_from),
        perhaps_longer: !run.is_shortest,
        anomalies: anomalies(cluster, &run),
    }
}

/// Which of the consumers' processes run, though one may be out of the group.
pub(crate) type Running = [bool; MAX_INSTANCES];

/// The processes that run at the start of a run.
pub(crate) fn running(start: &State) -> Running {
    std::array::from_fn(|who| start.consumers[who].is_running())
}

/// Tells the step from `before` to `after`, and follows which processes run.
pub(crate) fn tell_step(
    cluster: &Cluster,
    before: &State,
    action: Action,
    after: &State,
    running: &mut Running,
) -> Step {
    let told = narrate(cluster, before, action, after, *running);
    for (who, running) in running.iter_mut().enumerate() {
        let died = *running
            && !after.consumers[who].is_running()
            && before.consumers[who].is_running()
            && ends_process(cluster, before, action, who as u16);
        *running = after.consumers[who].is_running() || *running && !died;
    }
    Step {
        actor: told.actor,
        action: told.action.into(),
        parameters: told.parameters,
        fault: fault(cluster, action),
        sentence: told.sentence,
        change: changes(before, after, cluster.pipeline()),
    }
}

/// The run as these steps, with the states that `cluster` gives it.
fn in_full(cluster: &Cluster, run: &Run, told: &[Action]) -> Run {
    let mut steps: Vec<(Action, State)> = Vec::with_capacity(run.steps.len());
    for (action, (_, reduced)) in told.iter().zip(&run.steps) {
        let state = steps.last().map_or(&run.start, |(_, state)| state);
        let next = cluster.next_state(state, *action);
        steps.push((*action, next.unwrap_or_else(|| reduced.clone())));
    }
    run.with(steps)
}

fn fault(cluster: &Cluster, action: Action) -> Option<String> {
    match action {
        Action::Fault { entry, .. } => Some(cluster.fault_key(entry).to_string()),
        Action::CommitUpstream(_)
        | Action::Mark(_)
        | Action::Send(_)
        | Action::SendToOther(_)
        | Action::Transmit
        | Action::HandleProduce
        | Action::ReceiveAnswer
        | Action::Expire
        | Action::FailTooLate
        | Action::LearnLeader
        | Action::Replica { .. }
        | Action::InitProducerId
        | Action::AddPartitions
        | Action::CommitTransaction
        | Action::EndTransaction
        | Action::WriteMarker
        | Action::TimeOutTransaction
        | Action::LearnPartition
        | Action::OtherPartition(_)
        | Action::Consumer { .. }
        | Action::LateArrives(_)
        | Action::OutputTransaction { .. }
        | Action::OutputTopic { .. }
        | Action::ReadResult => None,
    }
}

/// What is wrong in the last state, after the last step.
pub(crate) fn violation(
    cluster: &Cluster,
    guarantee: Guarantee,
    before: &State,
    end: &State,
    loops_from: Option<usize>,
) -> String {
    let ledger = &end.ledger;
    let records = 0..cluster.pipeline().bounds.records;
    let those = |chosen: &dyn Fn(u16) -> bool| -> String {
        let names: Vec<String> = records
            .clone()
            .filter(|record| chosen(*record))
            .map(name)
            .collect();
        names.join(" and ")
    };
    let overwrites = cluster.pipeline().sink.effect == Effect::Upsert;
    let times = |record: u16| end.times(record);
    let lost = those(&|record| ledger.is_confirmed(record) && !end.is_settled(record));
    let twice = those(&|record| times(record) > 1);
    let aborted_result = |record: u16| cluster.has_aborted_result(end, record);
    let phantom =
        those(&|record| ledger.is_aborted(record) && times(record) > 0 || aborted_result(record));
    let of_upstream = those(&|record| ledger.is_aborted(record) && times(record) > 0);
    let is_transactional = cluster.pipeline().producer.is_transactional();
    match guarantee {
        Guarantee::NoLoss => {
            format!(
                "{lost}: confirmed to the application, without an effect, and never delivered any more."
            )
        }
        Guarantee::NoDuplicates => format!("{twice}: the effect took place twice."),
        Guarantee::ExactlyOnceEffect if !lost.is_empty() => {
            format!("{lost}: confirmed, but the effect is not in the sink.")
        }
        Guarantee::ExactlyOnceEffect if !twice.is_empty() && !overwrites => {
            format!("{twice}: the effect is in the sink twice.")
        }
        Guarantee::ExactlyOnceEffect if !phantom.is_empty() => {
            let what = match is_transactional {
                _ if of_upstream.is_empty() => "every result of it was aborted",
                true => "its transaction was aborted",
                false => "rolled back upstream",
            };
            format!("{phantom}: {what}, and its effect is in the sink.")
        }
        Guarantee::ExactlyOnceEffect => {
            "The sink holds an older record's value where a newer confirmed one should stand."
                .into()
        }
        Guarantee::InOrder => {
            let first = |record: u16| !before.ledger.is_handled(record) && times(record) > 0;
            // One step may handle several records, in the order in which they are in hand.
            let place = |record: u16| {
                let mut hands = before.consumers.iter().map(|consumer| consumer.hand.iter());
                hands.find_map(|mut hand| hand.position(|other| *other == record))
            };
            let keys = cluster.pipeline().bounds.keys;
            let passes = |other: u16, late: u16| {
                late < other
                    && late % keys == other % keys
                    && before.ledger.is_before(late, other)
                    && first(late)
                    && (before.ledger.is_handled(other)
                        || first(other) && place(other) < place(late))
            };
            let late = those(&|record| records.clone().any(|other| passes(other, record)));
            let passed_by = those(&|record| records.clone().any(|late| passes(record, late)));
            if late.is_empty() {
                return "A record has had both of its effects for the first time after a later one of its key."
                    .into();
            }
            format!(
                "{late}: its first effect came after that of {passed_by}, which was sent later with the same key."
            )
        }
        Guarantee::NoPhantom => {
            let what = match is_transactional {
                _ if of_upstream.is_empty() => "results were all aborted",
                true => "transaction was aborted",
                false => "database transaction upstream was rolled back",
            };
            format!("{phantom}: its effect took place, and its {what}.")
        }
        Guarantee::Progress if loops_from.is_some() => {
            "The run never ends: every way on leads back into the loop.".into()
        }
        Guarantee::Progress => {
            let isolation = cluster.pipeline().isolation();
            let other = end.other.as_deref().map(|other| &other.broker);
            let logs = || [Some(&end.broker), other].into_iter().flatten();
            let holds = |record| logs().any(|log| log.holds_from(record, 0, isolation));
            let in_log = |record: u16| ledger.is_confirmed(record) && holds(record);
            let undone = those(&|record| in_log(record) && !ledger.is_settled(record));
            let result_waits =
                |record: u16| ledger.is_confirmed(record) && cluster.output_holds(end, record);
            let results = those(&result_waits);
            if !results.is_empty() {
                return format!(
                    "The result of {results} lies in the output topic, and its reader never comes to it: a transaction before it, or its own, has no marker, and nobody ends it."
                );
            }
            let stuck = match undone.is_empty() {
                true => those(&in_log),
                false => undone,
            };
            let nobody_reads = end.consumers.iter().all(|consumer| !consumer.reads());
            let why = if nobody_reads && cluster.offsets_are_unstable(end) {
                "an offset of a transaction that has ended is pending and stays so, and the offset fetch of whoever gets the partition is answered UNSTABLE_OFFSET_COMMIT for ever"
            } else if nobody_reads {
                "the consumer fails at every start, for it has no valid offset and auto.offset.reset=none"
            } else if end.broker.last_stable_offset() < end.broker.log_end() {
                "a transaction hangs in the log that nobody will end, and who reads what is committed stops there"
            } else if !end.poisoned.is_empty() {
                "a record that cannot be handled is tried for ever"
            } else {
                "nothing can happen any more"
            };
            format!("{stuck}: confirmed and in the log, but never delivered: {why}.")
        }
    }
}
