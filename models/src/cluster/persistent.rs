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
//! It is not enough for the shortest run: to violate something before the end may take fewer steps
//! than the reordered run has. So runs are told from a search without this reduction.

use super::{Cluster, State};
use crate::action::{Action, ConsumerStep, ReplicaStep};
use crate::consumer::Phase;
use crate::replication::Replication;
use stateright::Model;

impl Cluster {
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
        if !self.replicas_rest(state) {
            return;
        }
        let producer = &state.producer;
        if producer.is_undisturbed(&self.pipeline) {
            // The client's steps commute with one another, too, and with what the broker handles.
            if let Some(first) = actions.iter().copied().find(is_of_client)
                && self.keep(state, actions, |action| *action == first)
            {
                return;
            }
        }
        let answered = producer
            .flights
            .iter()
            .all(|flight| flight.answer.is_sent());
        if answered && self.keep(state, actions, is_of_client) {
            return;
        }
        let is_alone = self.pipeline.subscribes() || self.limits.instances == 1;
        // What the markers of transactions let go on is no step of the reader.
        let by_itself = is_alone && state.output.is_none();
        if by_itself
            && self.is_calm(state)
            && !self.keep(state, actions, is_commit)
            && let Some(reader) = self.reader(state)
        {
            self.keep(state, actions, |action| is_of_consumer(action, reader));
        }
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

fn is_of_consumer(action: &Action, consumer: u16) -> bool {
    matches!(action, Action::Consumer { who, .. } if *who == consumer)
}
