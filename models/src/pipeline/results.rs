//! Which results have a client and a log of their own (`cluster/output_topic.rs`), and how they look as a
//! pipeline.
//!
//! Where brokers cannot be struck a result is a call with an outcome, and the output topic is what its reader
//! sees of it. That is enough where each request of a result is handled before its client goes on without
//! it, and where nobody can tell how it came to its outcome. How it may not be so stands at the cases below;
//! that these are all of them, as far as random designs show it, is tried with the reduction switched off
//! (`whole_results` of [`crate::cluster::Reductions`]).

use super::{
    Acks, AutoCommit, Client, ConfirmOn, Isolation, OffsetReset, OnAbort, OnRestart, OnSendFailure,
    Pipeline, PreparedTransaction, ProducerSettings, Source, TopicSettings, TransactionalId,
};
use crate::fault::{Call, Fault, FaultKey};
use crate::order::{Item, Step};
use crate::transaction_coordinator::TransactionVersion;

impl Pipeline {
    /// Whether anything can tell the replicas apart: a fault that strikes brokers, or the topic is created again,
    /// which deletes what waits for them, and may have another leader. Otherwise they are in sync for ever, and
    /// what waits for them is only answered, and read, a little later. Where results are written, the brokers
    /// of one topic are those of the other, however many there are.
    pub fn tells_replicas_apart(&self) -> bool {
        let are_struck =
            self.faults.strikes_brokers() || self.faults.contains(Fault::TopicRecreate);
        self.logs_results() || self.is_replicated() && are_struck
    }

    /// Whether results have a client and a log of their own.
    pub fn logs_results(&self) -> bool {
        let strikes = self.faults.strikes_brokers() || self.results_come_behind();
        self.consumer.produces() && strikes
    }

    /// Whether a result may reach its log when its client has gone on without it, or not at all.
    pub fn results_come_behind(&self) -> bool {
        self.consumer.produces()
            && self.faults.total() > 0
            && (self.results_come_behind_their_marker()
                || self.numbers_are_skipped()
                || self.application_goes_on_before_its_result()
                || self.refusals_are_lost()
                || self.ends_come_between()
                || self.late_results_are_aborted()
                || self.late_results_have_an_order()
                || self.late_results_are_seen()
                || self.failures_raise_no_epoch()
                || self.timeouts_break_connections()
                // What is on the wire goes down with its process.
                || self.consumer.output.acks == Acks::None
                || self.aborted_results_are_missed())
    }

    /// The client repeats a request, or has it in flight, when its delivery timeout passes, and the transaction is
    /// aborted: under transaction version 1 a leader that does not ask for the transaction takes the request
    /// behind the marker, and the next transaction commits it (KIP-890). Java only: from KIP-360 on it goes on
    /// in the next epoch.
    fn results_come_behind_their_marker(&self) -> bool {
        self.consumer.has_transactions()
            && self.results_time_out()
            && self.client == Client::Java
            && self.rules.transactions.epoch_can_be_expected
            && !self.rules.transactions.leaders_ask()
    }

    /// Of several requests in flight the first is refused or lost, and the leader, which knows nothing of the
    /// producer yet, takes the second for its first (KIP-360), but under transaction version 2 (KAFKA-18202): a
    /// refusal comes before the leader asks for the transaction. A leader that refuses the second, too, has
    /// librdkafka fail the transaction.
    fn numbers_are_skipped(&self) -> bool {
        let first_is_zero =
            self.consumer.has_transactions() && self.rules.transactions.first_numbers_only();
        let output = &self.consumer.output;
        let fails = self.consumer.has_transactions() && self.client == Client::Librdkafka;
        output.idempotence
            && !first_is_zero
            && output.max_in_flight > 1
            && (self.rules.unknown_producer_starts_anywhere || fails)
            && self.consumer.order.contains(Step::ProduceAsync)
            && self.meets_a_result(|fault| fault != Fault::RequestDelayed)
    }

    /// The application goes on after a failed result, whose request is not refused for what came since: there
    /// is no idempotence, or a Java client before 2.5 has another producer id by then.
    fn application_goes_on_before_its_result(&self) -> bool {
        let changes_id = self.client == Client::Java && !self.rules.java_bumps_epoch;
        let idempotent = self.consumer.output.idempotence;
        !self.consumer.has_transactions()
            && (!idempotent && self.results_expire()
                || changes_id && (self.results_expire() || self.results_may_be_late()))
            && self.consumer.on_process_failure.goes_on()
    }

    /// Under version 1 an EndTxn that is late ends the next transaction of its epoch, whose client does not know:
    /// its next result comes behind the marker, or is refused.
    pub fn ends_come_between(&self) -> bool {
        let mut faults = self.faults.entries.iter();
        self.consumer.has_transactions()
            && self.rules.transactions.version == TransactionVersion::One
            && faults.any(|(key, _)| key.is_for(Fault::RequestDelayed, Call::EndTxn))
    }

    /// A refusal is lost on its way: the result is in doubt and not in the log. A request that is lost leaves
    /// the same, and costs less.
    fn refusals_are_lost(&self) -> bool {
        let lost = self.spent_on_results(Fault::RequestLost);
        let in_two_faults = lost.saturating_add(2) <= self.faults.total();
        let asks_in_vain = self.consumer.has_transactions()
            && self.rules.transactions.leaders_ask()
            && self.meets(Fault::CoordinatorFailover);
        let is_refused = self.spent_on_results(Fault::RequestRefused) > 0 || asks_in_vain;
        in_two_faults && is_refused && self.spent_on_results(Fault::ResponseLost) > 0
    }

    /// The number of a result that failed is skipped, or used again.
    fn failures_raise_no_epoch(&self) -> bool {
        self.keeps_epochs_of_results() && (self.results_time_out() || self.results_may_be_late())
    }

    /// Whether a Java client of version 1 goes on in its epoch behind a result that failed: where none can be
    /// raised, or while commitTransaction() waits for it.
    pub fn keeps_epochs_of_results(&self) -> bool {
        let in_the_commit = self.consumer.order.waits_in_the_commit();
        self.consumer.has_transactions()
            && self.client == Client::Java
            && self.rules.transactions.version == TransactionVersion::One
            && self.rules.flights_expire
            && (in_the_commit || !self.rules.transactions.epoch_can_be_expected)
    }

    /// Several results of one idempotent client are late, or have expired on its connection: the number of each
    /// decides which are taken when.
    fn late_results_have_an_order(&self) -> bool {
        let delayed = self.spent_on_results(Fault::RequestDelayed);
        let expired = self.spent_on_results(Fault::DeliveryTimeout);
        let several = delayed.saturating_add(expired).min(self.faults.total()) > 1;
        self.consumer.output.idempotence && delayed > 0 && several
    }

    /// A late result comes when its client has given it up, and its application has not aborted: whoever reads
    /// what is not committed sees it.
    fn late_results_are_seen(&self) -> bool {
        self.consumer.has_transactions()
            && self.consumer.output.isolation == Isolation::ReadUncommitted
            && self.consumer.order.contains(Step::ProduceAsync)
            && self.results_may_be_late()
    }

    /// A late result comes before the marker that aborts its transaction, and is gone with it, or behind that: a
    /// leader that does not ask takes it. It matters where the record may be handled no more.
    fn late_results_are_aborted(&self) -> bool {
        self.consumer.has_transactions()
            && !self.rules.transactions.leaders_ask()
            && self.results_may_be_late()
            && self.may_pass_over_results()
    }

    /// librdkafka closes the connection of a request that times out, and what was in flight behind it is sent
    /// again and may be appended twice: an idempotent producer goes on in another epoch by then.
    fn timeouts_break_connections(&self) -> bool {
        self.client == Client::Librdkafka
            && !self.consumer.has_transactions()
            && self.consumer.order.contains(Step::ProduceAsync)
            && (self.results_time_out() || self.results_may_be_late())
    }

    /// Whoever reads what is not committed has a result that is appended when its delivery timeout passes, and
    /// has none whose transaction is timed out, or whose coordinator moves, before its leader has it. It
    /// matters where the record may be handled no more.
    fn aborted_results_are_missed(&self) -> bool {
        let mut faults = self.faults.entries.iter();
        self.consumer.has_transactions()
            && self.consumer.output.isolation == Isolation::ReadUncommitted
            && self.may_pass_over_results()
            && faults.any(|(key, _)| self.strikes_before_the_append(key.fault))
    }

    fn meets(&self, fault: Fault) -> bool {
        self.faults.contains(fault)
    }

    /// Whether a fault of requests and answers that `is_meant` can strike a result.
    fn meets_a_result(&self, is_meant: impl Fn(Fault) -> bool) -> bool {
        let mut faults = self.faults.entries.iter();
        faults.any(|(key, _)| strikes_request(key) && is_meant(key.fault))
    }

    /// How often the fault may strike results.
    fn spent_on_results(&self, fault: Fault) -> u16 {
        let own = |(key, _): &&(FaultKey, u16)| key.is_for(fault, Call::OutputProduce);
        let counts = self.faults.entries.iter().filter(own);
        counts.map(|(_, count)| *count).fold(0, u16::saturating_add)
    }

    /// Whether a request with a result may be late.
    fn results_may_be_late(&self) -> bool {
        self.spent_on_results(Fault::RequestDelayed) > 0
    }

    /// Whether the delivery timeout of a result may pass, for its answer was taken or by itself.
    fn results_time_out(&self) -> bool {
        self.results_expire() || self.meets(Fault::DeliveryTimeout)
    }

    /// Whether a fault can keep a client from the answer to a result until its time is over.
    fn results_expire(&self) -> bool {
        let mut faults = self.faults.entries.iter();
        self.consumer.output.acks != Acks::None && faults.any(|(key, _)| takes_answer(key))
    }

    /// Whether the model has a log of these results: that they may come behind, and what faults of brokers do
    /// to them.
    pub fn can_log_results(&self) -> bool {
        let mut faults = self.faults.entries.iter();
        let keeps_its_id = self.client == Client::Librdkafka
            || self.consumer.has_transactions()
            || self.rules.java_bumps_epoch;
        let can_be_logged = match self.faults.strikes_brokers() {
            true => self.results_are_followed(),
            false => self.producers_last() && keeps_its_id,
        };
        can_be_logged && faults.all(|(key, _)| is_followed(key.fault))
    }

    /// Whether the model has a log of results whose brokers are struck.
    pub fn results_are_followed(&self) -> bool {
        let raises = match self.client {
            Client::Librdkafka => true,
            Client::Java if self.consumer.has_transactions() => {
                self.rules.transactions.epoch_can_be_expected
            }
            Client::Java => self.rules.java_bumps_epoch,
        };
        self.producers_last() && self.rules.stale_fetches_refused && raises
    }

    /// Whether each consumer has the same output producer in each of its lives, as far as brokers know.
    fn producers_last(&self) -> bool {
        let output = &self.consumer.output;
        let stable = output.transactional_id == TransactionalId::Stable;
        (!self.consumer.has_transactions() || stable)
            && output.prepared_transaction == PreparedTransaction::Abort
    }

    /// Whether a record whose transaction is aborted may be handled no more: then it matters whether its result
    /// was appended before.
    fn may_pass_over_results(&self) -> bool {
        let consumer = &self.consumer;
        let commits = Item::Step(Step::Commit);
        let transactions = consumer.order.transactions();
        let commits_inside = transactions.iter().any(|own| own.contains(&commits));
        consumer.output.on_abort == OnAbort::Continue
            || consumer.on_process_failure.goes_on()
            || consumer.auto_commit != AutoCommit::Off
            || consumer.offset_reset != OffsetReset::Earliest
            || !commits_inside
    }

    /// Whether the fault decides whether a result of an open transaction is appended, or lets the transaction
    /// time out between the call that adds the partition and the append: under version 2 they are one.
    fn strikes_before_the_append(&self, fault: Fault) -> bool {
        let decides = [Fault::DeliveryTimeout, Fault::CoordinatorFailover];
        let delays = [
            Fault::TransactionTimeout,
            Fault::ConsumerPause,
            Fault::SlowProcessing,
        ];
        let apart = self.rules.transactions.version == TransactionVersion::One;
        decides.contains(&fault) || apart && delays.contains(&fault)
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

/// Whether the model knows what the fault does beside results with a log of their own: the topics are replicas
/// then, however many they have, and handling that fails for ever has no bound. What comes late or with time
/// to one of two topics is not told apart there.
pub fn is_followed(fault: Fault) -> bool {
    let apart = [
        Fault::Poison,
        Fault::ProducerIdExpiry,
        Fault::Retention,
        Fault::Compaction,
        Fault::TopicRecreate,
    ];
    !apart.contains(&fault)
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
