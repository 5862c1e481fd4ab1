//! Which results have a client and a log of their own (`cluster/output_topic.rs`), and how they look as a
//! pipeline.
//!
//! Where brokers cannot be struck a result is a call with an outcome, and the output topic is what its reader
//! sees of it. That is enough where each request of a result is handled before its client goes on without
//! it. It is not where one can come behind that:
//!
//! - The client repeats a request, its delivery timeout passes meanwhile, and the transaction is aborted:
//!   under transaction version 1 a leader that does not ask for the transaction takes the request behind the
//!   marker, and the next transaction commits it (KIP-890). Java only: from KIP-360 on it goes on in the next
//!   epoch; before, it ends.
//! - Of several requests in flight the first is refused or lost, and the leader, which knows nothing of the
//!   producer yet, takes the second for its first (KIP-360). Where it asks for a transaction it
//!   remembers the first number that it asked with (KIP-890).
//! - The application goes on after a failed result, whose request is not refused for what came since: there
//!   is no idempotence, or a Java client before 2.5 has another producer id by then.
//! - Without acknowledgements what is on the wire goes down with its process.
//! - A result is appended, its delivery timeout passes, and whoever reads what is not committed has it.

use super::{
    Acks, Client, ConfirmOn, Isolation, OnRestart, OnSendFailure, Pipeline, ProducerSettings,
    Source, TopicSettings,
};
use crate::fault::{Call, Fault, FaultKey};
use crate::order::Step;

impl Pipeline {
    /// Whether anything can tell the replicas apart: a fault that strikes brokers. Otherwise they are
    /// in sync for ever, and what waits for them is only answered, and read, a little later. Where
    /// results are written, the brokers of one topic are those of the other, however many there are.
    pub fn tells_replicas_apart(&self) -> bool {
        self.logs_results() || self.is_replicated() && self.faults.strikes_brokers()
    }

    /// Whether results have a client and a log of their own.
    pub fn logs_results(&self) -> bool {
        let strikes = self.faults.strikes_brokers() || self.results_come_behind();
        self.consumer.produces() && strikes
    }

    /// Whether a result may reach its log when its client has gone on without it, or not at all.
    pub fn results_come_behind(&self) -> bool {
        let output = &self.consumer.output;
        if !self.consumer.produces() || self.faults.total() == 0 {
            return false;
        }
        let meets =
            |of: &dyn Fn(&FaultKey) -> bool| self.faults.entries.iter().any(|(key, _)| of(key));
        let expires = output.acks != Acks::None && meets(&takes_answer);
        let transactional = self.consumer.has_transactions();
        let is_asked = self.rules.transactions.leaders_ask();
        let behind_the_marker = transactional
            && expires
            && self.client == Client::Java
            && self.rules.java_bumps_epoch
            && !is_asked;
        let skips_numbers = output.idempotence
            && !(transactional && is_asked)
            && output.max_in_flight > 1
            && self.rules.unknown_producer_starts_anywhere
            && self.consumer.order.contains(Step::ProduceAsync)
            && meets(&|key| strikes_request(key) && key.fault != Fault::RequestDelayed);
        let changes_id = self.client == Client::Java && !self.rules.java_bumps_epoch;
        let is_late = meets(&|key| strikes_request(key) && key.fault == Fault::RequestDelayed);
        let goes_on = !transactional
            && (!output.idempotence && expires || changes_id && (expires || is_late))
            && self.consumer.on_process_failure.goes_on();
        let unanswered = output.acks == Acks::None;
        let uncommitted = transactional
            && output.isolation == Isolation::ReadUncommitted
            && meets(&|key| key.fault == Fault::DeliveryTimeout);
        behind_the_marker || skips_numbers || goes_on || unanswered || uncommitted
    }

    /// Whether a client that skipped a sequence number goes on in its transaction, in another epoch.
    pub fn raises_within_transactions(&self) -> bool {
        self.client == Client::Librdkafka && !self.rules.skipped_number_fails_transaction
    }

    /// The output topic as a pipeline of its own: its records are results, and its producer is a
    /// consumer's output producer.
    pub fn of_results(&self) -> Pipeline {
        let output = &self.consumer.output;
        let source = match self.consumer.has_transactions() {
            true => Source::Transaction {
                records_per_transaction: 1,
            },
            false => Source::Memory,
        };
        Pipeline {
            producer: ProducerSettings {
                acks: output.acks,
                idempotence: output.idempotence,
                retries: output.retries,
                retries_are_capped: output.retries_are_capped,
                max_in_flight: output.max_in_flight,
                confirm_on: ConfirmOn::Ack,
                on_send_failure: OnSendFailure::GiveUp,
                on_restart: OnRestart::Forget,
                source,
                id_expires_first: false,
                transactions_time_out: output.transactions_time_out,
            },
            topic: TopicSettings {
                replication: output.replication,
                flush_messages: output.flush_messages,
                flushes_internal_topics: self.topic.flushes_internal_topics,
                retention: false,
                compacted: false,
                cleaned: false,
            },
            ..self.clone()
        }
    }
}

fn strikes_request(key: &FaultKey) -> bool {
    key.fault.strikes_calls() && key.call.is_none_or(|call| call == Call::OutputProduce)
}

/// Whether the fault can keep a client from the answer to a result until its time is over. That a request is
/// late is modelled by itself ([`crate::limbo`]).
fn takes_answer(key: &FaultKey) -> bool {
    let is_lost = strikes_request(key)
        && ![Fault::RequestRefused, Fault::RequestDelayed].contains(&key.fault);
    is_lost || key.fault == Fault::ConsumerPause
}
