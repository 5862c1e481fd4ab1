//! Results: sending them to the output topic, and what its reader sees.

use super::{Cluster, State};
use crate::action::{ConsumerStep, Place};
use crate::consumer::{Phase, Recovery};
use crate::limbo::{Claim, Late, NOBODY};
use crate::output::journal::Happening;
use crate::output::producer::{OutputProducer, Send};
use crate::output::{self, Output};
use crate::pipeline::Acks;
use crate::program::{OutputStep, Scope};

impl Cluster {
    /// Whether the design writes results, or has transactions at least.
    pub(super) fn has_output(&self) -> bool {
        self.limits.output
    }

    pub(super) fn output<'a>(&self, state: &'a mut State) -> &'a mut Output {
        state.output.get_or_insert_default()
    }

    pub(super) fn output_producer<'a>(&self, state: &'a State, who: u16) -> &'a OutputProducer {
        let output = state.output.as_ref();
        &output.expect("a design that writes results").producers[usize::from(who)]
    }

    pub(super) fn output_producer_mut<'a>(
        &self,
        state: &'a mut State,
        who: u16,
    ) -> &'a mut OutputProducer {
        &mut self.output(state).producers[usize::from(who)]
    }

    /// The call of its output producer that `who`'s application stands at, unless it is about a
    /// record that is skipped.
    pub fn output_call(&self, state: &State, who: u16) -> Option<OutputStep> {
        let consumer = &state.consumers[usize::from(who)];
        // A record that failed for good is written elsewhere, or committed, before it is passed over.
        if consumer.phase != Phase::Handling || consumer.recovery != Recovery::None {
            return None;
        }
        let skipped = consumer.skipped & (1 << consumer.cursor) != 0;
        let step = self.operation(state, who).output_step()?;
        match step {
            OutputStep::Produce | OutputStep::ProduceAsync => (!skipped).then_some(step),
            OutputStep::Flush | OutputStep::Offsets | OutputStep::End => Some(step),
        }
    }

    /// Whether the application waits inside the call that it stands at.
    pub(super) fn waits_for_output(&self, state: &State, who: u16) -> bool {
        let Some(step) = self.output_call(state, who) else {
            return false;
        };
        let producer = self.output_producer(state, who);
        match step {
            // Handling is to fail when the result has been sent.
            OutputStep::ProduceAsync => self.awaits_result(state, who),
            OutputStep::Produce => {
                self.awaits_result(state, who) || self.waits_for_markers(state, who)
            }
            OutputStep::Offsets => {
                self.awaits_result(state, who)
                    || self.waits_for_markers(state, who)
                    || self.lacks_epoch(state, who)
            }
            OutputStep::Flush => {
                !producer.sends.is_empty() || self.has_results_under_way(state, who)
            }
            OutputStep::End => {
                !producer.sends.is_empty()
                    || self.has_results_under_way(state, who)
                    || self.waits_for_markers(state, who)
                    || self.lacks_epoch(state, who)
            }
        }
    }

    /// What the client's own thread does.
    pub(super) fn output_steps(&self, state: &State, who: u16, add: &mut impl FnMut(ConsumerStep)) {
        if !self.has_output() || self.waits_for_markers(state, who) {
            return;
        }
        let producer = self.output_producer(state, who);
        if self.limits.output_sends > 0 {
            let settings = &self.pipeline.consumer.output;
            for place in producer.ready(settings) {
                add(ConsumerStep::ResultArrives(place));
            }
        }
        let waits = || self.output_call(state, who) == Some(OutputStep::Produce);
        if producer.may_expire() && (!producer.sends.is_empty() || waits()) {
            add(ConsumerStep::ResultExpires { appended: false });
            if !self.is_appended(state, who) && self.pipeline.rules.flights_expire {
                add(ConsumerStep::ResultExpires { appended: true });
            }
        }
    }

    /// The application makes a call of its output producer.
    pub(super) fn call_output(&self, state: &mut State, who: u16, step: OutputStep) {
        if self.output_call(state, who).is_none() {
            // The record is skipped.
            state.consumers[usize::from(who)].advance(&self.program);
            return;
        }
        match step {
            OutputStep::Produce if self.output_topic().is_some() => self.send_and_wait(state, who),
            OutputStep::Produce => self.produce(state, who),
            OutputStep::ProduceAsync if self.refuses_sends(state, who) => {
                self.abort_or_end(state, who);
            }
            OutputStep::ProduceAsync => {
                self.send_result(state, who);
                state.consumers[usize::from(who)].advance(&self.program);
            }
            OutputStep::Flush => self.flush(state, who),
            OutputStep::Offsets => self.send_offsets(state, who),
            OutputStep::End => self.end_transaction(state, who),
        }
    }

    /// Whether the client refuses to send, for a result of its transaction was not delivered
    /// (`TransactionManager.maybeFailWithError`; librdkafka: `RD_KAFKA_RESP_ERR__STATE`): the application
    /// aborts.
    pub fn refuses_sends(&self, state: &State, who: u16) -> bool {
        self.has_transactions() && self.output_producer(state, who).failed
    }

    /// Whether a result has been sent that the application waits for.
    pub(super) fn is_sending(&self, state: &State, who: u16) -> bool {
        self.awaits_result(state, who)
            || self.has_output() && {
                let producer = self.output_producer(state, who);
                producer.attempts > 0 || producer.appended
            }
    }

    /// The record that is being handled.
    pub(super) fn record_at_hand(&self, state: &State, who: u16) -> u16 {
        let consumer = &state.consumers[usize::from(who)];
        consumer.hand[usize::from(consumer.cursor)]
    }

    /// A result is appended, and its report arrives.
    fn produce(&self, state: &mut State, who: u16) {
        if !self.admits_result(state, who) {
            return;
        }
        self.append_at_hand(state, who);
        self.output_producer_mut(state, who).forget_awaited();
        state.consumers[usize::from(who)].advance(&self.program);
    }

    /// The result at hand is appended, unless the broker recognises it.
    fn append_at_hand(&self, state: &mut State, who: u16) {
        let record = self.record_at_hand(state, who);
        if !self.output_producer(state, who).appended {
            self.append_result(state, who, record);
        }
    }

    /// The result at hand is sent, and nobody waits for it. Where so many of the record are on their
    /// way that two arrive whatever faults strike, one more tells nothing.
    fn send_result(&self, state: &mut State, who: u16) {
        if self.output_topic().is_some() {
            self.enqueue_result(state, who);
            return;
        }
        let record = self.record_at_hand(state, who);
        let most = self.limits.output_sends / self.limits.records;
        let sends = &mut self.output_producer_mut(state, who).sends;
        let same = sends.iter().filter(|send| send.record == record);
        if same.count() < usize::from(most) {
            sends.push(Send {
                record,
                ..Send::default()
            });
        }
    }

    /// Handling is to fail after the call that it stands at has had its effect; whether it had, and the
    /// application is still there.
    pub(super) fn result_is_sent(&self, state: &mut State, who: u16) -> bool {
        match self.output_call(state, who) {
            Some(OutputStep::Produce) => {
                if !self.admits_result(state, who) {
                    return false;
                }
                self.append_at_hand(state, who);
                self.output_producer_mut(state, who).forget_awaited();
            }
            Some(OutputStep::ProduceAsync) => self.send_result(state, who),
            Some(OutputStep::Flush | OutputStep::Offsets | OutputStep::End) | None => {}
        }
        true
    }

    /// The client's thread gets through all that was sent.
    pub(super) fn deliver_results(&self, state: &mut State, who: u16) {
        while !self.output_producer(state, who).sends.is_empty() {
            self.result_arrives(state, who, 0);
        }
    }

    /// Every report has arrived; the application looks at them.
    fn flush(&self, state: &mut State, who: u16) {
        let producer = self.output_producer_mut(state, who);
        if !std::mem::take(&mut producer.failed) {
            state.consumers[usize::from(who)].advance(&self.program);
            return;
        }
        if self.operation(state, who).transaction_begin().is_some() {
            self.abort_or_end(state, who);
            return;
        }
        let consumer = &state.consumers[usize::from(who)];
        let at = match self.operation(state, who).scope {
            Scope::Record { .. } => Place::Hand(consumer.cursor),
            Scope::Poll => Place::Poll,
        };
        self.fail(state, who, at);
    }

    /// A result of `who`'s producer is appended to the output topic.
    pub(super) fn append_result(&self, state: &mut State, who: u16, record: u16) {
        state.limbo.lose_expired_results(who);
        if self.pipeline.consumer.output.idempotence {
            // An older request of the same producer has an older sequence number, or an older epoch.
            state
                .limbo
                .retain(|late| !matches!(late, Late::Result { by, .. } if *by == who));
        }
        self.take_result(state, who, record);
    }

    /// A result lies in the output topic.
    fn take_result(&self, state: &mut State, who: u16, record: u16) {
        let in_transaction = self.pipeline.consumer.has_transactions();
        let id = in_transaction.then(|| output::id_of(who, &self.pipeline));
        let appended = Happening::Appended { record, id };
        self.output(state).journal.note(appended);
        match id {
            Some(id) if self.limits.reads_early => {
                self.output(state).take_early(id, record);
                self.see_result(state, record);
            }
            Some(_) => self.append_open(state, who, record),
            None => self.see_result(state, record),
        }
    }

    /// The reader of the output topic sees a result.
    pub(super) fn see_result(&self, state: &mut State, record: u16) {
        if self.pipeline.consumer.only_produces() {
            state.ledger.handle(record, self.pipeline.bounds.keys);
            return;
        }
        let times = &mut self.output(state).produced[usize::from(record)];
        *times = (*times + 1).min(2);
        self.settle_output(state);
    }

    /// Of records with two effects, which have had both.
    pub(super) fn settle_output(&self, state: &mut State) {
        let Some(output) = &mut state.output else {
            return;
        };
        if output.produced.is_empty() {
            return;
        }
        let keys = self.pipeline.bounds.keys;
        for record in 0..self.pipeline.bounds.records {
            let both = state.ledger.is_handled(record) && output.has_result(record);
            if !both || output.complete.contains(record) {
                continue;
            }
            output.complete.insert(record);
            let mut later = record + 1..self.pipeline.bounds.records;
            output.disordered |= later.any(|other| {
                other % keys == record % keys
                    && output.complete.contains(other)
                    && state.ledger.is_before(record, other)
            });
        }
    }

    /// A result that nobody waits for reaches the output topic, and its report the client.
    pub(super) fn result_arrives(&self, state: &mut State, who: u16, place: u16) {
        if !self.admits_batch(state, who) {
            return;
        }
        let send = self.output_producer_mut(state, who).take(place);
        if !send.appended {
            self.append_result(state, who, send.record);
        }
    }

    /// A result that is late arrives.
    pub(super) fn late_result_arrives(
        &self,
        state: &mut State,
        record: u16,
        by: u16,
        claim: Claim,
    ) {
        self.take_result(state, by, record);
        match claim {
            Claim::Repeats if by != NOBODY => {}
            Claim::Repeats | Claim::GivenUp => return,
            Claim::Expired(_) => return state.limbo.pass_expired_result(by),
        }
        // Its client sends it again, and the broker will recognise that.
        let producer = self.output_producer_mut(state, by);
        match producer.sends.iter_mut().find(|send| send.record == record) {
            Some(send) => send.appended = true,
            None => producer.appended = true,
        }
    }

    /// The process of `who` ends, and its output producer with it.
    pub(super) fn end_output_producer(&self, state: &mut State, who: u16) {
        if !self.has_output() {
            return;
        }
        self.leave_transaction(state, who);
        self.end_output_client(state, who);
        *self.output_producer_mut(state, who) = OutputProducer::default();
        state.limbo.lose_expired_results(who);
        for late in state.limbo.requests.iter_mut() {
            if let Late::Result { by, claim, .. } = late
                && *by == who
            {
                *claim = Claim::GivenUp;
                // A transactional id is there again after a restart.
                *by = if self.pipeline.consumer.has_transactions() {
                    who
                } else {
                    NOBODY
                };
            }
        }
        state.limbo.requests.sort_unstable();
    }

    /// Whether the output producer hears of what becomes of its requests.
    pub fn hears_of_results(&self) -> bool {
        self.pipeline.consumer.output.acks != Acks::None
    }
}
