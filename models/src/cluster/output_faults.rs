//! Faults that strike the output producers and their transactions.

use super::faults::{strike_everywhere, strike_in_time};
use super::{Cluster, State};
use crate::action::{Place, Request, Strike, Target};
use crate::consumer::Phase;
use crate::fault::Call;
use crate::limbo::{Claim, Late, NOBODY};
use crate::output;
use crate::pipeline::Client;
use crate::program::OutputStep;
use crate::transaction_coordinator::TransactionVersion;

impl Cluster {
    /// Adds the faults that can strike what `who`'s output producer does.
    pub(super) fn output_faults(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        if !self.has_output() {
            return;
        }
        let sends = !self.output_producer(state, who).sends.is_empty();
        let call = self.output_call(state, who);
        let waits = self.waits_for_markers(state, who);
        if self.output_topic().is_some() {
            self.output_request_faults(state, who, add);
        } else if (sends || call == Some(OutputStep::Produce)) && !waits {
            self.result_faults(state, who, add);
        }
        if self.limits.transactional_ids == 0 {
            return;
        }
        let first = self.pipeline.rules.transactions.version == TransactionVersion::One;
        self.late_calls(state, who, add);
        let mut repeat = |call| strike_in_time(Target::Repeated(call), add);
        match state.consumers[usize::from(who)].phase {
            Phase::Down => repeat(Call::InitProducerId),
            Phase::Outside | Phase::Idle | Phase::Polling | Phase::Handling | Phase::Leaving => {}
        }
        match call {
            Some(OutputStep::Produce | OutputStep::ProduceAsync) if first => {
                repeat(Call::AddPartitions);
            }
            Some(OutputStep::Offsets) => {
                if first {
                    repeat(Call::AddOffsets);
                }
                strike_everywhere(Target::Offsets(who), add);
            }
            Some(OutputStep::End) => strike_everywhere(Target::EndTransaction(who), add),
            Some(OutputStep::Produce | OutputStep::ProduceAsync | OutputStep::Flush) | None => {}
        }
        self.late_aborts(state, who, add);
    }

    /// Adds the faults that strike transactions from outside.
    pub(super) fn output_transaction_faults(&self, state: &State, add: &mut impl FnMut(Strike)) {
        if self.limits.transactional_ids == 0 {
            return;
        }
        let Some(output) = &state.output else {
            return;
        };
        for (id, transaction) in output.transactions.iter().enumerate() {
            if self.times_out(transaction) && self.is_in_use(state, id as u16) {
                add(Strike::OutputTransactionTimeout(id as u16));
            }
        }
    }

    fn result_faults(&self, state: &State, who: u16, add: &mut impl FnMut(Strike)) {
        let target = Target::Result(who);
        add(Strike::LoseRequest(target));
        add(Strike::Refuse(target));
        add(Strike::Delay(target));
        let mut expire = |request| add(Strike::ExpireResult { who, request });
        expire(Request::Unsent);
        if self.hears_of_results() {
            if self.pipeline.rules.flights_expire && !self.is_appended(state, who) {
                expire(Request::Appended);
                if self.expired_results_stay() {
                    expire(Request::OnTheWire);
                }
            }
            add(Strike::LoseAnswer(target));
        }
    }

    /// Whether the result that a fault strikes, or whose timeout passes, lies in the log already, and its
    /// client does not know.
    pub fn is_appended(&self, state: &State, who: u16) -> bool {
        let producer = self.output_producer(state, who);
        match producer.sends.first() {
            Some(send) => send.appended,
            None => producer.appended,
        }
    }

    /// The record of the result that a fault strikes.
    pub fn struck_result(&self, state: &State, who: u16) -> u16 {
        if let Some(client) = self.output_client(state, who) {
            let producer = &client.producer;
            let flights = producer.flights.iter().map(|flight| flight.batch.record);
            let waiting = producer.queue.iter().map(|batch| batch.record);
            return flights.chain(waiting).next().unwrap_or_default();
        }
        match self.output_producer(state, who).sends.first() {
            Some(send) => send.record,
            None => {
                let consumer = &state.consumers[usize::from(who)];
                let at_hand = consumer.hand.get(usize::from(consumer.cursor));
                at_hand.copied().unwrap_or_default()
            }
        }
    }

    /// The request of a result is lost, or refused: it is sent again, unless nobody hears of it or
    /// no retry is left.
    ///
    /// A plain Java producer hands the batches of a broken connection back one by one, each to the
    /// front of the queue, so that the newest is sent first; librdkafka keeps their order.
    pub(super) fn lose_result(&self, state: &mut State, who: u16) {
        if !self.hears_of_results() {
            self.forget_struck(state, who);
            return;
        }
        if self.pipeline.client == Client::Java {
            let settings = &self.pipeline.consumer.output;
            self.output_producer_mut(state, who)
                .may_be_overtaken(settings);
        }
        let retries = self.pipeline.consumer.output.retries;
        let producer = self.output_producer_mut(state, who);
        let attempts = match producer.sends.first_mut() {
            Some(send) => &mut send.attempts,
            None => &mut producer.attempts,
        };
        if *attempts < retries {
            *attempts += 1;
        } else if self.doubts_are_fatal() && self.pipeline.consumer.output.retries_are_capped {
            // Its time is over in a retry: the setting is beyond the bound.
            self.crash(state, who);
        } else {
            self.result_failed(state, who);
        }
    }

    /// The connection with the request of a result breaks: those behind it are lost, too.
    pub(super) fn lose_result_request(&self, state: &mut State, who: u16) {
        self.lose_results_connection(state, who);
        self.lose_result(state, who);
    }

    /// The process of `who` stood still until the timeouts of its results have passed.
    pub(super) fn doubt_results(&self, state: &mut State, who: u16) {
        if let Some(client) = self.output_client_mut(state, who) {
            client.producer.pause();
        } else {
            self.lose_results_connection(state, who);
        }
    }

    /// Nothing that `who`'s output producer has sent is answered on this connection.
    fn lose_results_connection(&self, state: &mut State, who: u16) {
        if self.limits.results_expire {
            let settings = &self.pipeline.consumer.output;
            let waits = self.output_call(state, who) == Some(OutputStep::Produce);
            let producer = self.output_producer_mut(state, who);
            producer.lose_connection(settings, waits);
        }
    }

    /// The request of a result is refused: those behind it may overtake it.
    /// librdkafka does not count that attempt ([`crate::producer`]).
    pub(super) fn refuse_result(&self, state: &mut State, who: u16) {
        let settings = &self.pipeline.consumer.output;
        self.output_producer_mut(state, who)
            .may_be_overtaken(settings);
        if self.pipeline.client == Client::Java || !self.hears_of_results() {
            self.lose_result(state, who);
        }
    }

    /// The result is appended, and its answer is lost.
    pub(super) fn lose_result_answer(&self, state: &mut State, who: u16) {
        if !self.is_on_the_wire(state, who) {
            return;
        }
        if !self.is_appended(state, who) {
            let record = self.struck_result(state, who);
            self.append_result(state, who, record);
            let recognised = self.pipeline.consumer.output.idempotence;
            let producer = self.output_producer_mut(state, who);
            match producer.sends.first_mut() {
                Some(send) => send.appended = recognised,
                None => producer.appended = recognised,
            }
        }
        if self.limits.results_expire {
            self.output_producer_mut(state, who).lose_answer();
        }
        self.lose_result(state, who);
    }

    /// The request of a result is held up, and given up by its client. Within a transaction that the
    /// leader asks for it can arrive before its repetition, which is then recognised, or is refused for
    /// ever.
    pub(super) fn delay_result(&self, state: &mut State, who: u16) {
        if !self.is_on_the_wire(state, who) {
            return;
        }
        if self.limits.results && !self.is_appended(state, who) {
            let record = self.struck_result(state, who);
            self.add_late_result(state, who, record);
        }
        self.lose_result_request(state, who);
    }

    fn add_late_result(&self, state: &mut State, by: u16, record: u16) {
        let idempotent = self.pipeline.consumer.output.idempotence;
        let (by, claim) = match idempotent {
            true => (by, Claim::Repeats),
            false => (NOBODY, Claim::GivenUp),
        };
        let late = Late::Result { record, by, claim };
        // Two requests with one sequence number are one to the broker.
        if !idempotent || !state.limbo.requests.contains(&late) {
            state.limbo.add(late);
        }
    }

    /// Whether a result that times out may be appended later: its request stays on the connection
    /// (`Sender.getExpiredInflightBatches`, KIP-91). librdkafka's request times out with its message, and that
    /// breaks the connection (`rd_kafka_broker_timeout_scan`, `socket.max.fails`). Where leaders ask for the
    /// transaction none is taken once that has been aborted.
    fn expired_results_stay(&self) -> bool {
        self.pipeline.client == Client::Java && self.limits.results
    }

    /// The delivery timeout of a result passes.
    pub(super) fn expire_result(&self, state: &mut State, who: u16, request: Request) {
        let is_sent = request != Request::Unsent;
        if is_sent && !self.is_on_the_wire(state, who) {
            return;
        }
        let record = self.struck_result(state, who);
        let is_repeated = self.attempts_at_struck(state, who) > 0;
        match request {
            Request::Unsent => {}
            Request::Appended => self.append_result(state, who, record),
            Request::OnTheWire => {
                let claim = Claim::Expired(state.limbo.expired_results(who));
                let by = who;
                state.limbo.add(Late::Result { record, by, claim });
            }
        }
        if is_sent && is_repeated && self.doubts_are_fatal() {
            self.crash(state, who);
        } else {
            self.result_failed(state, who);
        }
    }

    /// How often the result that a fault strikes was sent in vain.
    fn attempts_at_struck(&self, state: &State, who: u16) -> u16 {
        let producer = self.output_producer(state, who);
        match producer.sends.first() {
            Some(send) => send.attempts,
            None => producer.attempts,
        }
    }

    /// The delivery timeout of the oldest result passes, because a fault took an answer of its;
    /// `appended`: its repetition has been appended by then, and its answer comes too late. A transactional
    /// producer of a Java client before 2.5 can do nothing more: it cannot say which of its sequence numbers
    /// the leader has seen (`Sender.runOnce` of 2.4, for unresolved sequences).
    pub(super) fn result_expires(&self, state: &mut State, who: u16, appended: bool) {
        if appended {
            if !self.is_on_the_wire(state, who) {
                return;
            }
            let record = self.struck_result(state, who);
            self.append_result(state, who, record);
        }
        if self.doubts_are_fatal() {
            self.crash(state, who);
        } else {
            self.result_failed(state, who);
        }
    }

    /// Whether a result that was sent again and is given up in doubt ends its transactional producer (before
    /// KIP-360; `ProducerBatch.inRetry`).
    pub fn doubts_are_fatal(&self) -> bool {
        self.has_transactions()
            && self.pipeline.client == Client::Java
            && self.pipeline.rules.transactions.version == TransactionVersion::One
            && !self.pipeline.rules.transactions.epoch_can_be_expected
    }

    /// Whether the request of the result that a fault strikes has been sent: within a transaction its
    /// partition was added before.
    fn is_on_the_wire(&self, state: &mut State, who: u16) -> bool {
        match self.output_producer(state, who).sends.is_empty() {
            true => self.admits_result(state, who),
            false => self.admits_batch(state, who),
        }
    }

    /// With acks=0: the result counts as sent.
    fn forget_struck(&self, state: &mut State, who: u16) {
        let producer = self.output_producer_mut(state, who);
        if producer.sends.is_empty() {
            state.consumers[usize::from(who)].advance(&self.program);
        } else {
            producer.take(0);
        }
    }

    /// A result is reported failed.
    fn result_failed(&self, state: &mut State, who: u16) {
        let record = self.struck_result(state, who);
        for late in state.limbo.requests.iter_mut() {
            if let Late::Result {
                record: own,
                by,
                claim: claim @ Claim::Repeats,
            } = late
                && (*by, *own) == (who, record)
            {
                *claim = Claim::GivenUp;
            }
        }
        state.limbo.requests.sort_unstable();
        if self.limits.transactional_ids > 0 && self.pipeline.rules.java_bumps_epoch {
            // The client goes on with the next epoch (KIP-360).
            self.forget_fenced_calls(state, output::id_of(who, &self.pipeline));
        }
        let looks = self.looks_at_reports();
        let producer = self.output_producer_mut(state, who);
        if !producer.sends.is_empty() {
            producer.take(0);
            producer.failed = looks;
            if self.has_transactions() {
                // What has not been sent never is (`RecordAccumulator.abortUndrainedBatches`).
                self.output_producer_mut(state, who).sends.truncate(0);
            }
            return;
        }
        producer.forget_awaited();
        if self.failures_are_fatal() {
            self.crash(state, who);
        } else if self.limits.transactional_ids > 0 {
            self.output_producer_mut(state, who).failed = true;
            self.abort_or_end(state, who);
        } else {
            let cursor = state.consumers[usize::from(who)].cursor;
            self.fail(state, who, Place::Hand(cursor));
        }
    }

    /// Whether the application ever looks at the reports of results that it does not wait for.
    pub(super) fn looks_at_reports(&self) -> bool {
        let looks = |step| matches!(step, Some(OutputStep::Flush | OutputStep::End));
        let mut operations = self.program.operations.iter();
        operations.any(|operation| looks(operation.output_step()))
    }
}
