//! The clients of output producers where faults can strike the output topic: sending, hearing of it, and
//! what a process that starts does first.

use super::{Cluster, State};
use crate::action::{Action, Failure, Place};
use crate::consumer::Phase;
use crate::fault::Fault;
use crate::output::client::Client;
use crate::output::journal::Happening;
use crate::pipeline::Client as Library;
use crate::producer::transactions::Transactions;
use crate::producer::{Batch, Sending};
use crate::program::OutputStep;
use crate::transaction_coordinator::{
    CoordinatorAnswer, Part, Phase as TransactionPhase, Transaction, TransactionVersion,
};

impl Cluster {
    /// Whether `who`'s application waits for a result that it has sent.
    pub(super) fn awaits_result(&self, state: &State, who: u16) -> bool {
        self.output_client(state, who)
            .is_some_and(|client| client.awaits)
    }

    /// Whether `who` has sent results of which it has not heard.
    pub(super) fn has_results_under_way(&self, state: &State, who: u16) -> bool {
        let acks = self.pipeline.consumer.output.acks;
        let client = self.output_client(state, who);
        client.is_some_and(|client| client.is_sending(acks))
    }

    /// The client puts a result on the wire. In a transaction of version 1 it has the partition added
    /// before; in one of version 2 the leader does.
    pub(super) fn transmit_result(&self, state: &mut State, who: u16) {
        if self.has_transactions() {
            let first = self.pipeline.rules.transactions.version == TransactionVersion::One;
            let adds = first && !self.is_registered(state, who);
            if adds && !self.add_part(state, who, Part::Output) {
                self.fail_queued(state, who);
                return;
            }
            self.output_producer_mut(state, who).open = true;
            self.register(state, who);
        }
        self.in_output(state, who, |topic, state| {
            topic.step(state, Action::Transmit);
        });
    }

    /// After a result that failed a producer of version 1 asks for another epoch as soon as the transaction
    /// is aborted (KIP-360).
    pub(super) fn raise_epoch(&self, state: &mut State, who: u16) {
        let raises = self.output_client(state, who).is_some_and(|own| own.raises);
        let waits =
            !raises || self.output_producer(state, who).open || self.waits_for_markers(state, who);
        if waits {
            return;
        }
        let (id, rules) = (self.id_of(who), self.pipeline.rules.transactions);
        let epoch = self.output_producer(state, who).epoch;
        let initialize = |own: &mut Transaction| own.initialize(Some(epoch), &rules);
        if self.coordinate(state, id, initialize) == CoordinatorAnswer::Done {
            let epoch = self.transaction(state, id).epoch;
            self.output_producer_mut(state, who).epoch = epoch;
        }
        if let Some(client) = self.output_client_mut(state, who) {
            client.raises = false;
        }
        self.take_output_epoch(state, who);
    }

    /// The client goes on in the epoch that the coordinator gave it, if that is another one.
    pub(super) fn take_output_epoch(&self, state: &mut State, who: u16) {
        let epoch = self.output_producer(state, who).epoch;
        let pipeline = &self.pipeline;
        if let Some(client) = self.output_client_mut(state, who)
            && Transactions::epoch(&client.producer, pipeline) != epoch
        {
            client.producer.take_epoch(epoch, pipeline);
        }
    }

    /// The result at hand is sent, and the application waits for its report. What it does in the client before it
    /// is on the wire matters where its time may be over there.
    pub(super) fn send_and_wait(&self, state: &mut State, who: u16) {
        self.enqueue_result(state, who);
        if let Some(client) = self.output_client_mut(state, who) {
            client.awaits = true;
        }
        let transmits = self.in_output(state, who, |topic, state| {
            topic.transmits_to(state).is_some()
        });
        let waits = self.waits_for_markers(state, who) || self.may_time_out_unsent(state);
        if transmits == Some(true) && !waits {
            self.transmit_result(state, who);
        }
    }

    /// Whether the delivery timeout of a result may pass before it is on the wire.
    fn may_time_out_unsent(&self, state: &State) -> bool {
        let takes_time = |fault| matches!(fault, Fault::ConsumerPause | Fault::DeliveryTimeout);
        let (left, in_all) = (&state.left, state.left_in_all);
        self.budget.has_any_left(left, in_all, takes_time)
    }

    /// The result at hand is handed to the client.
    pub(super) fn enqueue_result(&self, state: &mut State, who: u16) {
        let record = self.record_at_hand(state, who);
        self.in_output(state, who, |topic, state| {
            let (producer, ledger) = (&mut state.producer, &mut state.ledger);
            producer.send(record, &topic.pipeline, ledger);
        });
    }

    /// Handling is to fail once the result at hand has been reported.
    pub(super) fn fail_after_result(&self, state: &mut State, who: u16) {
        self.send_and_wait(state, who);
        if let Some(client) = self.output_client_mut(state, who) {
            client.fails = true;
        }
    }

    /// Whether handling that fails after the result at hand was sent fails once that has been reported.
    pub(super) fn fails_later(&self, state: &State, who: u16, failure: Failure) -> bool {
        let waits = self.output_call(state, who) == Some(OutputStep::Produce);
        self.output_topic().is_some() && (waits || failure == Failure::Sent)
    }

    /// What a transactional client has not sent when a result fails it never sends
    /// (`RecordAccumulator.abortUndrainedBatches`); librdkafka does not repeat what was sent, either
    /// (`rd_kafka_txn_may_send_msg`).
    fn drop_unsent(&self, state: &mut State, who: u16) {
        let repeats = self.pipeline.client == Library::Java || self.limits.raises_within;
        if let Some(client) = self.output_client_mut(state, who) {
            let producer = &mut client.producer;
            for place in (0..producer.queue.len()).rev() {
                let Batch { record, stamp, .. } = producer.queue[place];
                if stamp.is_none() || !repeats {
                    producer.queue.remove(place);
                    producer.sending[usize::from(record)] = Sending::Forgotten;
                }
            }
        }
    }

    /// What waits in the client cannot be delivered any more.
    pub(super) fn fail_queued(&self, state: &mut State, who: u16) {
        if let Some(client) = self.output_client_mut(state, who) {
            let producer = &mut client.producer;
            for batch in producer.queue.iter() {
                producer.sending[usize::from(batch.record)] = Sending::Failed;
            }
            producer.queue.truncate(0);
        }
        self.output_producer_mut(state, who).open = true;
    }

    /// The application hears what became of its results.
    pub(super) fn hear_reports(&self, state: &mut State, who: u16) {
        let handles = state.consumers[usize::from(who)].phase == Phase::Handling;
        let at_hand = handles.then(|| self.record_at_hand(state, who));
        let looks = self.looks_at_reports();
        let Some(client) = self.output_client_mut(state, who) else {
            return;
        };
        let awaited = at_hand.filter(|_| client.awaits);
        let mut report = None;
        let mut failed = false;
        for (record, sending) in (0..).zip(client.producer.sending.iter_mut()) {
            match sending {
                Sending::Acknowledged | Sending::Failed if awaited == Some(record) => {
                    report = Some(*sending == Sending::Acknowledged);
                }
                Sending::Failed => failed = true,
                Sending::Acknowledged => {}
                Sending::Unsent | Sending::Pending | Sending::Forgotten | Sending::Aborted => {
                    continue;
                }
            }
            *sending = Sending::Forgotten;
        }
        if failed && self.fails_for_good(state, who) {
            self.crash(state, who);
            return;
        }
        if failed {
            self.output_producer_mut(state, who).failed |= looks;
            self.will_raise(state, who);
            if self.has_transactions() {
                self.drop_unsent(state, who);
            }
        }
        if let Some(delivered) = report {
            self.hear_of_awaited(state, who, delivered);
        }
        if self.has_transactions()
            && let Some(client) = self.output_client_mut(state, who)
        {
            client.producer.take_doubts();
        }
    }

    /// The report of the result that is waited for.
    pub(super) fn hear_of_awaited(&self, state: &mut State, who: u16, delivered: bool) {
        let mut fails = false;
        if let Some(client) = self.output_client_mut(state, who) {
            client.awaits = false;
            fails = std::mem::take(&mut client.fails);
        }
        let cursor = state.consumers[usize::from(who)].cursor;
        if delivered && !fails {
            state.consumers[usize::from(who)].advance(&self.program);
        } else if delivered || !self.has_transactions() {
            self.fail(state, who, Place::Hand(cursor));
        } else if self.failures_are_fatal() || self.fails_for_good(state, who) {
            self.crash(state, who);
        } else {
            self.will_raise(state, who);
            self.output_producer_mut(state, who).failed = true;
            self.abort_or_end(state, who);
        }
    }

    /// Whether a librdkafka producer whose result failed can do nothing any more: it goes on in a higher
    /// epoch only, and the coordinator raises none that is in force (before KIP-360).
    pub fn failures_are_fatal(&self) -> bool {
        let rules = &self.pipeline.rules.transactions;
        self.has_transactions()
            && self.pipeline.client == Library::Librdkafka
            && rules.version == TransactionVersion::One
            && !rules.epoch_can_be_expected
    }

    /// A delivery failed: under version 1 the client raises its epoch. Java's does so while it is in its
    /// transaction (`TransactionManager.canBumpEpoch`, `isCompleting`); in the commit, which waits for what has
    /// been sent, only behind a number that it cannot resolve (`maybeResolveSequences`).
    pub(super) fn will_raise(&self, state: &mut State, who: u16) {
        let rules = &self.pipeline.rules.transactions;
        let is_first = self.has_transactions() && rules.version == TransactionVersion::One;
        let raises = match self.pipeline.client {
            Library::Librdkafka => true,
            Library::Java => {
                let goes_on = !self.waits_in_commit(state, who);
                rules.epoch_can_be_expected && (goes_on || self.is_unresolved(state, who))
            }
        };
        if let Some(client) = self.output_client_mut(state, who) {
            client.raises |= is_first && raises;
        }
    }

    /// Whether `who`'s application has called commitTransaction(), as far as it is known: it stands there.
    pub(super) fn waits_in_commit(&self, state: &State, who: u16) -> bool {
        self.output_call(state, who) == Some(OutputStep::End)
    }

    /// Whether `who`'s client has a sequence number that it cannot resolve any more: that of a result which timed
    /// out in a retry.
    fn is_unresolved(&self, state: &State, who: u16) -> bool {
        let client = self.output_client(state, who);
        client.is_some_and(|client| client.producer.java.unresolved > 0)
    }

    /// Whether `who`'s client can do nothing any more: no epoch can be raised, and a number is unresolved.
    fn fails_for_good(&self, state: &State, who: u16) -> bool {
        self.doubts_are_fatal() && self.is_unresolved(state, who)
    }

    /// The process of `who` ends, and its client with it: what the broker has not handled is gone.
    pub(super) fn end_output_client(&self, state: &mut State, who: u16) {
        let Some(topic) = self.output_topic() else {
            return;
        };
        let of_process = self.pipeline.consumer.output.idempotence && !self.has_transactions();
        let Some(log) = self.log_mut(state) else {
            return;
        };
        log.clients[usize::from(who)] = Client::fresh(who, &topic.pipeline);
        if of_process {
            let behind = log.end_session(who);
            let renewed = Happening::Renewed { who, behind };
            self.output(state).journal.note(renewed);
        }
    }

    /// The application aborts: what waits in its client is dropped, and what the broker has not handled
    /// never is. (The client waits for that. Whether it is handled before makes no difference to what is
    /// committed, and each of it may be handled before the abort.) Its sequence numbers have a gap then.
    pub(super) fn drop_results(&self, state: &mut State, who: u16) {
        if self.has_results_under_way(state, who) {
            self.will_raise(state, who);
            if self.doubts_are_fatal() {
                self.count_results(state, who);
            }
        }
        if let Some(client) = self.output_client_mut(state, who) {
            client.drop_results();
        }
    }

    /// Where no epoch is raised, the next number is the one behind those that the partition has, or may have of
    /// what stays on the connection: what waits there has been handled when the abort is over.
    fn count_results(&self, state: &mut State, who: u16) {
        let Some(log) = self.log_mut(state) else {
            return;
        };
        let client = &log.clients[usize::from(who)];
        let epoch = client.producer.java.epoch;
        let stays = client.producer.flights.iter().filter(|own| own.expired);
        let stays = stays.filter_map(|own| own.wire);
        let stays = stays.filter(|own| own.epoch == epoch);
        let next = stays.map(|own| own.sequence + 1).max();
        let next = next.max(log.next_number(who, epoch)).unwrap_or(0);
        log.clients[usize::from(who)].producer.java.next = next;
    }

    /// Whether `who`'s client is unlike that of a process that has just started.
    pub(super) fn has_used_client(&self, state: &State, who: u16) -> bool {
        let Some(log) = self.log(state) else {
            return false;
        };
        let client = &log.clients[usize::from(who)];
        let epoch = Transactions::epoch(&client.producer, &self.pipeline);
        let raised = || !self.has_transactions() && log.knows_epoch_before(who, epoch);
        client.is_used() || raised()
    }

    /// Whether the transactional id of a process that starts can be initialised at once: every marker of
    /// its last transaction is written.
    pub(super) fn may_initialize(&self, state: &State, who: u16) -> bool {
        let starts = !state.consumers[usize::from(who)].is_running();
        self.output_topic().is_none() || !self.has_transactions() || !starts || {
            match self.transaction_of(state, who).phase {
                TransactionPhase::Ongoing | TransactionPhase::Prepared(_) => false,
                TransactionPhase::Unknown
                | TransactionPhase::Empty
                | TransactionPhase::Complete(_) => true,
            }
        }
    }

    /// Whether a process that starts finds a transaction open that its predecessor left.
    pub(super) fn fences_what_is_open(&self, state: &State, who: u16) -> bool {
        self.transaction_of(state, who).can_time_out()
    }

    /// InitProducerId finds a transaction open: it is to be aborted first.
    pub(super) fn fence_what_is_open(&self, state: &mut State, who: u16) {
        let (id, rules) = (self.id_of(who), self.pipeline.rules.transactions);
        self.coordinate(state, id, |own| own.initialize(None, &rules));
    }

    /// A transaction that has ended, and in which nobody goes on, leaves nothing, unless the request that
    /// aborted it may have been sent twice.
    pub(super) fn forget_ended_transactions(&self, state: &mut State) {
        for who in self.everyone() {
            if self.may_abort_late(state, who) {
                continue;
            }
            let open = self.output_producer(state, who).open;
            let transaction = self.transaction(state, self.id_of(who));
            if let TransactionPhase::Complete(_) = transaction.phase
                && !open
            {
                transaction.phase = TransactionPhase::Empty;
            }
        }
    }
}
