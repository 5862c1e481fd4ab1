//! A reduction: of steps that commute with everything else, one order is explored.
//!
//! Once no fault can strike any more, most of what is left to happen is independent: what the
//! producer's client does by itself does not touch the consumers, and what the only reader does with
//! what it has in hand does not touch the producer. Where the enabled steps of one of them commute
//! with whatever the others may do before, exploring them alone is exploring a persistent set
//! (Godefroid): every run can be reordered, and prolonged, into one that is explored.
//!
//! That is enough for the verdicts. A run ends where the reordered one ends; what a guarantee
//! condemns before the end stays condemned whatever comes later, once records come from memory (a
//! record that is published before its transaction commits is a phantom for a while only, so designs
//! with an upstream database are left alone). The other guarantees are judged at the end. No set is
//! explored for ever while others wait: a client's sends and retries are counted, an order ends, and
//! a commit is due once for each position.
//!
//! Followers' fetches come first, too, once no fault is left (`may_come_first`).
//!
//! **Where results have a log** whose leader stays one, two processes that write to it may go on side by side
//! for long: one that was put out of the group, and the new owner. What one of them does commutes with all that
//! the other may do before as long as it is about its own client and its own transaction; how its records lie
//! in the log, what it commits and what ends its transaction from outside do not (`of_a_waiting_client`,
//! `of_a_waiting_transaction`).
//!
//! It is not enough for the shortest run: to violate something before the end may take fewer steps
//! than the reordered run has. So such runs are told from a search without this reduction. A run to the
//! end, where no step is left, is another matter: it takes a step of each of these sets itself, which stays
//! enabled until then, so that the reordered one has as many steps (`Cluster::shows_shortest`). Not so
//! where a step that comes first is taken once more than it need be: a follower's fetch, or a commit.

use super::{Cluster, State};
use crate::action::{Action, ConsumerStep, LogStep, ReplicaStep, TransactionStep};
use crate::consumer::{Consumer, Phase};
use crate::guarantee::Guarantee;
use crate::pipeline::Isolation;
use crate::program::OutputStep;
use crate::replication::Replication;
use crate::transaction_coordinator::Part;
use stateright::Model;

impl Cluster {
    /// Whether the shortest of the runs that violate `guarantee`, with steps that commute in one order, are
    /// the shortest there are.
    pub fn shows_shortest(&self, guarantee: Guarantee) -> bool {
        let takes_each_once = self.has_output() && !self.pipeline.is_replicated();
        !self.leaves_out_orders() || guarantee.is_judged_at_the_end() && takes_each_once
    }

    /// Keeps, of the enabled steps of a state in which no fault can strike any more, a persistent
    /// set; all of them, if none smaller is known.
    pub(super) fn keep_persistent(&self, state: &State, actions: &mut Vec<Action>) {
        if actions.len() < 2 || !self.budget.is_spent(state) {
            return;
        }
        if let Some(fetch) = actions
            .iter()
            .copied()
            .find(|action| self.may_come_first(state, action))
            && self.keep(state, actions, |action| *action == fetch)
        {
            return;
        }
        let comes_first = self
            .of_a_waiting_client(state, actions)
            .or_else(|| self.of_a_waiting_transaction(state, actions));
        if let Some(step) = comes_first {
            actions.retain(|action| *action == step);
            return;
        }
        if self.replicas_rest(state) && self.keep_upstream(state, actions) {
            return;
        }
        let is_alone = self.pipeline.subscribes() || self.limits.instances == 1;
        // What the markers of transactions let go on is no step of the reader.
        let by_itself = is_alone && state.output.is_none() && self.replicas_rest(state);
        if by_itself
            && self.is_calm(state)
            && !self.keep(state, actions, is_commit)
            && let Some(reader) = self.reader(state)
        {
            self.keep(state, actions, |action| is_of_consumer(action, reader));
        }
    }

    /// Keeps steps of the upstream's client, if they may come before everything else; whether it did.
    fn keep_upstream(&self, state: &State, actions: &mut Vec<Action>) -> bool {
        let producer = &state.producer;
        if producer.is_undisturbed(&self.pipeline) {
            // The client's steps commute with one another, too, and with what the broker handles.
            if let Some(first) = actions.iter().copied().find(is_of_client)
                && self.keep(state, actions, |action| *action == first)
            {
                return true;
            }
        }
        let answered = producer
            .flights
            .iter()
            .all(|flight| flight.answer.is_sent());
        answered && self.keep(state, actions, is_of_client)
    }

    /// Whether the step is a fetch of a follower that may come before everything else. With no fault
    /// left a leader stays one. What its follower fetches now it need not fetch later: the high
    /// watermark moves earlier, which lets more happen and takes nothing away, where it waits for
    /// the minimum of in-sync replicas.
    fn may_come_first(&self, state: &State, action: &Action) -> bool {
        let Action::Replica {
            who,
            does: ReplicaStep::Fetch,
        } = *action
        else {
            return false;
        };
        let heard = |replication: &Replication| !replication.is_behind(who);
        self.pipeline.rules.high_watermark_waits && state.replication.as_deref().is_some_and(heard)
    }

    /// A step of a process with an output producer that may come before everything else: it can do nothing else,
    /// whatever the others do before, and nobody else sees a difference. Either its client hears what it was
    /// told already; or its application, a member of the group, sends a result, and nobody else has to do with
    /// its transaction. (A member stays one until it leaves, or a fault puts it out.)
    fn of_a_waiting_client(&self, state: &State, actions: &[Action]) -> Option<Action> {
        if !self.nothing_is_cut_off(state) {
            return None;
        }
        let handles = |who: &u16| state.consumers[usize::from(*who)].phase == Phase::Handling;
        self.everyone().filter(handles).find_map(|who| {
            let own = || {
                actions
                    .iter()
                    .filter(|own| is_of_process(own, who))
                    .copied()
            };
            let step = own().find(|step| {
                hears(step, who) || sends(step, who) && self.sends_undisturbed(state, who)
            })?;
            let mut others = own().filter(|other| *other != step);
            let is_alone = others.all(|other| self.next_state(state, other).is_none());
            let after = self.next_state(state, step).filter(|_| is_alone)?;
            let changes_transaction = sends(&step, who);
            self.is_seen_by_nobody_else(state, after, who, changes_transaction)
                .then_some(step)
        })
    }

    /// Whether `who` sends a result, and its transaction is its own affair meanwhile: it will not be timed out, and
    /// nobody waits for its offsets.
    fn sends_undisturbed(&self, state: &State, who: u16) -> bool {
        if !self.has_transactions() || self.output_call(state, who) != Some(OutputStep::Produce) {
            return false;
        }
        let id = self.id_of(who);
        let mut pending = state.output.iter().flat_map(|output| output.pending.iter());
        let is_open = self.transaction_of(state, who).can_time_out();
        self.is_member(state, who)
            && is_open == self.output_producer(state, who).open
            && !self.has_requests_on_their_way(state, who)
            && pending.all(|offsets| offsets.id != id)
    }

    /// The marker in the output topic of a transaction that its client waits for, where it may come before
    /// everything else: its client has ended it. A reader of what is committed is given the results in the order
    /// of the log, whenever markers come between them; and nothing of the same producer is on its way, to the
    /// leader or to the coordinator, that a marker could come before.
    fn of_a_waiting_transaction(&self, state: &State, actions: &[Action]) -> Option<Action> {
        let consumer = &self.pipeline.consumer;
        let in_order = consumer.only_produces()
            && consumer.output.isolation == Isolation::ReadCommitted
            && self.nothing_is_cut_off(state);
        if !in_order {
            return None;
        }
        let waits = |who: &u16| {
            let is_open = self.output_producer(state, *who).open;
            !is_open
                && self.waits_for_markers(state, *who)
                && !self.has_requests_on_their_way(state, *who)
        };
        self.everyone().filter(waits).find_map(|who| {
            let marker = Action::OutputTransaction {
                id: self.id_of(who),
                does: TransactionStep::WriteMarker(Part::Output),
            };
            let is_written =
                |action: &&Action| **action == marker && self.next_state(state, **action).is_some();
            actions.iter().find(is_written).copied()
        })
    }

    /// Whether something that `who`'s output producer has sent may still be handled.
    fn has_requests_on_their_way(&self, state: &State, who: u16) -> bool {
        let on_the_wire = self
            .output_client(state, who)
            .is_some_and(|client| client.producer.first_unhandled().is_some());
        let id = Some(self.id_of(who));
        let is_late = state
            .limbo
            .requests
            .iter()
            .any(|late| late.output_id() == id);
        on_the_wire || is_late || self.log(state).is_some_and(|log| log.awaits(who))
    }

    /// Whether a step changed only what the process of `who` knows, and perhaps its transaction.
    fn is_seen_by_nobody_else(
        &self,
        before: &State,
        mut after: State,
        who: u16,
        changes_transaction: bool,
    ) -> bool {
        let index = usize::from(who);
        let (old, new) = (&before.consumers[index], &after.consumers[index]);
        let seen = |consumer: &Consumer| (consumer.phase, consumer.generation, consumer.owed);
        if seen(old) != seen(new) {
            return false;
        }
        after.consumers[index] = old.clone();
        if let (Some(old), Some(new)) = (&before.output, &mut after.output) {
            if changes_transaction {
                let id = usize::from(self.id_of(who));
                new.transactions[id] = old.transactions[id];
                new.producers[index] = old.producers[index].clone();
            }
            if let (Some(old), Some(new)) = (&old.log, &mut new.log) {
                new.clients[index] = old.clients[index].clone();
            }
        }
        after == *before
    }

    /// Keeps the steps that belong to a set, if there are any that change something.
    fn keep(
        &self,
        state: &State,
        actions: &mut Vec<Action>,
        belongs: impl Fn(&Action) -> bool,
    ) -> bool {
        let mut members = actions.iter().filter(|action| belongs(action));
        let found = members.any(|action| self.next_state(state, *action).is_some());
        if found {
            actions.retain(belongs);
        }
        found
    }

    /// The consumer that has records in hand, if nobody writes to the sink beside it: no worker, and
    /// no other consumer, which may go on with records that were taken from it in the background.
    fn reader(&self, state: &State) -> Option<u16> {
        let phase = |who: u16| state.consumers[usize::from(who)].phase;
        let is_alone = |who: &u16| {
            self.everyone()
                .all(|other| other == *who || phase(other) == Phase::Idle)
        };
        let handles = |who: &u16| phase(*who) == Phase::Handling && self.owns(state, *who);
        let by_itself = self.pipeline.consumer.workers == 0;
        self.everyone()
            .find(|who| by_itself && handles(who) && is_alone(who))
    }
}

/// A step of the producer's application and client (the call of commitTransaction() among them, which
/// tells only what a delivery that fails leads to). It touches them and the ledger of what was sent
/// and confirmed; with no request that the broker has yet to handle, nothing else touches them.
fn is_of_client(action: &Action) -> bool {
    matches!(
        action,
        Action::Send(_)
            | Action::SendToOther(_)
            | Action::Transmit
            | Action::ReceiveAnswer
            | Action::Replica {
                does: ReplicaStep::Answer,
                ..
            }
            | Action::Expire
            | Action::FailTooLate
            | Action::CommitTransaction
    )
}

/// A commit beside the order, where nobody will ever begin to read anew: nothing depends on what is
/// committed, nor on when. (Of two readers without a group each may undo what the other commits, for
/// ever: they are not left to that.)
fn is_commit(action: &Action) -> bool {
    matches!(
        action,
        Action::Consumer {
            does: ConsumerStep::CommitArrives
                | ConsumerStep::CommitAutomatically
                | ConsumerStep::CommitSaved,
            ..
        }
    )
}

/// A step of `who`'s application or client, or one of the leader that its client waits for.
fn is_of_process(action: &Action, who: u16) -> bool {
    match action {
        Action::Consumer { who: own, .. } => *own == who,
        Action::OutputTopic {
            does: LogStep::LateArrives(_),
            ..
        } => false,
        Action::OutputTopic { client, .. } => *client == who,
        _ => false,
    }
}

/// `who`'s client hears something.
fn hears(action: &Action, who: u16) -> bool {
    let Action::OutputTopic { client, does } = action else {
        return false;
    };
    let is_told = matches!(
        does,
        LogStep::LearnLeader
            | LogStep::Replica {
                does: ReplicaStep::Answer,
                ..
            }
    );
    *client == who && is_told
}

/// `who`'s application goes on.
fn sends(action: &Action, who: u16) -> bool {
    let goes_on = Action::Consumer {
        who,
        does: ConsumerStep::Operate,
    };
    *action == goes_on
}

fn is_of_consumer(action: &Action, consumer: u16) -> bool {
    matches!(action, Action::Consumer { who, .. } if *who == consumer)
}
