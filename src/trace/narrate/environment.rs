//! Faults, told.

use super::output_topic::Struck;
use super::partitions::offsets;
use super::transactions::Hop;
use super::{ConsumerScene, Scene};
use crate::trace::facts::{are_gone, in_a_sentence, name};
use semel_models::action::{ConsumerStrike, Request, Strike, Target};
use semel_models::consumer::{Phase, Recovery};
use semel_models::pipeline::{Acks, AfterAttempts, OnCommitFailure};

impl Scene<'_> {
    pub(super) fn strike(&self, strike: Strike) -> (&'static str, &'static str, String) {
        match strike {
            Strike::ProducerCrash => ("producer", "crash", self.producer_crash()),
            Strike::ProducerCrashAtEnd => ("producer", "crash-at-end", self.crash_at_end()),
            Strike::Consumer { who, how } => self.of(who).strike_consumer(how),
            Strike::Rebalance { to } => ("group coordinator", "rebalance", self.of(to).rebalance()),
            Strike::CoordinatorFailover { written } => {
                ("group coordinator", "failover", self.failover(written))
            }
            Strike::TransactionCoordinatorFailover(under_way) => (
                "transaction coordinator",
                "failover",
                self.transactions_fail_over(under_way),
            ),
            Strike::OutputCoordinatorFailover(unfinished) => (
                "transaction coordinator",
                "failover",
                self.output_transactions_fail_over(unfinished),
            ),
            Strike::RecreateTopic(how) | Strike::RecreateMissingTopic(how) => {
                ("operator", "recreate-topic", self.recreation(how, None))
            }
            Strike::RecreateTopicAt { how, leader } => (
                "operator",
                "recreate-topic",
                self.recreation(how, Some(leader)),
            ),
            Strike::AddPartition { moves } => {
                ("operator", "add-partition", self.add_partition(moves))
            }
            Strike::OffsetsExpiry => (
                "group coordinator",
                "offsets-expiry",
                "The group has had no member for offsets.retention.minutes: its committed offset expires.".into(),
            ),
            Strike::OffsetReset { to } => (
                "operator",
                "offset-reset",
                format!("An operator resets the group's committed offset to {to}."),
            ),
            Strike::DedupExpiry { .. } => (
                "sink",
                "dedup-expiry",
                "The dedup store forgets its oldest entry.".into(),
            ),
            Strike::ProducerPause => ("producer", "pause", self.producer_pause()),
            Strike::ProducerPauseOfRequests => {
                ("producer", "pause", self.producer_pause_of_requests())
            }
            Strike::Abort if self.cluster.pipeline().producer.is_transactional() => {
                ("producer", "abort", self.abort_transaction())
            }
            Strike::Abort => ("database", "abort", self.abort()),
            Strike::TransactionTimeout => (
                "transaction coordinator",
                "time-out-transaction",
                self.time_out_transaction(),
            ),
            Strike::ForgetProducer(session) => (
                "broker",
                "forget-producer-id",
                self.forget_producer(session),
            ),
            Strike::ForgetAt { session, brokers } => (
                "broker",
                "forget-producer-id",
                self.forget_producer_at(session, brokers),
            ),
            Strike::Retention => ("broker", "retention", self.retention()),
            Strike::RetentionAt { brokers } => {
                ("broker", "retention", self.retention_at(brokers))
            }
            Strike::Compaction { .. } => ("broker", "compaction", self.compaction()),
            Strike::CompactionAt { brokers, .. } => {
                ("broker", "compaction", self.compaction_at(brokers))
            }
            Strike::StaleMetadata => ("producer", "stale-metadata", self.stale_metadata()),
            Strike::DeliveryTimeout => ("producer", "expire", self.expire()),
            Strike::InOther(_) => unreachable!("told as in the first partition"),
            Strike::BrokerCrash => (
                "broker",
                "crash",
                format!(
                    "The broker's process dies and starts again{}.",
                    self.wire_lost()
                ),
            ),
            Strike::PowerLoss { .. } => ("broker", "power-loss", self.power_loss()),
            Strike::PowerLossAll { .. } => ("broker", "power-loss-all", self.power_loss_of_all()),
            Strike::DiskLoss => (
                "broker",
                "disk-loss",
                format!(
                    "The broker loses its disk and starts again with an empty log{}.",
                    self.wire_lost()
                ),
            ),
            Strike::ExpireResult { who, request } => {
                let scene = self.of(who);
                let place = match request {
                    Request::Unsent if !scene.is_on_the_wire() => ", not yet sent",
                    Request::Unsent | Request::OnTheWire => ", its request on the wire",
                    Request::Appended => ", in the log, but not answered",
                };
                let sentence = format!(
                    "The delivery timeout of the result of {} passes{place}{}{}.",
                    scene.struck_result(Struck::Delivery),
                    self.newly_seen(),
                    scene.fate_of_result(Struck::Delivery)
                );
                ("consumer", "expire-result", sentence)
            }
            Strike::FailWrite {
                who,
                behind,
                appended,
            } => (
                "consumer",
                "fail-write",
                self.of(who).failed_write_fails(behind, appended),
            ),
            Strike::OutputTransactionTimeout(id) => {
                ("transaction coordinator", "time-out", self.timed_out(id))
            }
            Strike::Replica { who, how } => {
                let (actor, verb, sentence) = self.strike_replica(who, how);
                (actor, verb, sentence + &self.struck_there())
            }
            Strike::OutputReplica { .. } => unreachable!("told as in the first topic"),
            Strike::EveryReplica { .. } => (
                "broker",
                "power-loss-all",
                self.every_replica_loses_power(),
            ),
            Strike::LoseRequest(target) => ("network", "lose-request", self.request_lost(target)),
            Strike::LoseAnswer(target) => ("network", "lose-answer", self.answer_lost(target)),
            Strike::Refuse(target) => ("broker", "refuse", self.refused(target)),
            Strike::Delay(target) => ("network", "delay", self.delayed(target)),
        }
    }

    fn of(&self, who: u16) -> ConsumerScene<'_> {
        ConsumerScene { scene: *self, who }
    }

    pub(super) fn power_loss(&self) -> String {
        let (had, kept) = (self.before.broker.log_end(), self.after.broker.log_end());
        let gone: Vec<String> = self.before.broker.log[usize::from(kept)..]
            .iter()
            .map(in_a_sentence)
            .collect();
        if had == kept {
            format!(
                "The broker loses power and starts again; its whole log was on disk{}.",
                self.wire_lost()
            )
        } else {
            format!(
                "The broker loses power and starts again without what was not flushed: {}{}.",
                are_gone(&gone),
                self.wire_lost()
            )
        }
    }

    pub(super) fn power_loss_of_all(&self) -> String {
        let (had, kept) = (self.before.broker.log_end(), self.after.broker.log_end());
        let mut gone: Vec<String> = self.before.broker.log[usize::from(kept)..usize::from(had)]
            .iter()
            .map(in_a_sentence)
            .collect();
        if self.after.group.committed != self.before.group.committed {
            gone.push(match self.after.group.committed {
                Some(at) => format!("what was committed after offset {}", at.next.0),
                None => "every committed offset".into(),
            });
        }
        if self.after.ledger.dead_lettered != self.before.ledger.dead_lettered {
            gone.push("what the dead-letter topic had".into());
        }
        if gone.is_empty() {
            format!(
                "Every broker loses power and starts again; everything was on disk{}.",
                self.wire_lost()
            )
        } else {
            format!(
                "Every broker loses power and starts again without what was not flushed: {}{}.",
                are_gone(&gone),
                self.wire_lost()
            )
        }
    }

    pub(super) fn wire_lost(&self) -> &'static str {
        if self.before.producer.flights.is_empty() {
            ""
        } else {
            "; the producer's connection breaks"
        }
    }

    /// The record that a produce fault strikes.
    pub(super) fn struck(&self) -> String {
        let producer = &self.before.producer;
        producer
            .first_unhandled()
            .and_then(|index| producer.flights.get(index))
            .map_or(String::new(), |flight| name(flight.batch.record))
    }

    pub(super) fn lost_with_it(&self) -> String {
        let producer = &self.before.producer;
        let first = producer.first_unhandled().unwrap_or_default();
        let others: Vec<String> = producer.flights[first..]
            .iter()
            .skip(1)
            .map(|flight| name(flight.batch.record))
            .collect();
        if others.is_empty() {
            String::new()
        } else {
            format!(
                ", and {} behind it on the connection is lost too",
                others.join(", ")
            )
        }
    }

    pub(super) fn request_lost(&self, target: Target) -> String {
        match target {
            Target::Produce | Target::ProduceToOther => format!(
                "The connection breaks: the produce request of {} never reaches the broker{}.",
                self.struck(),
                self.lost_with_it()
            ),
            Target::Commit(_) => {
                format!("The commit request is lost{}.", self.after_failed_commit())
            }
            Target::BackgroundCommit(_) => "The commit on its way is lost.".into(),
            Target::LeavingCommit(who) => {
                format!(
                    "The commit before leaving is lost{}.",
                    self.of(who).after_leaving()
                )
            }
            Target::FailedWrite(who) => self.of(who).failed_write_lost(),
            Target::Coordinator(call) => self.coordinator_request_lost(call.name()),
            Target::Result(who) => format!(
                "The result of {} is lost on its way{}.",
                self.of(who).struck_result(Struck::Request),
                self.of(who).fate_of_result(Struck::Request)
            ),
            Target::Offsets(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Repeated(_) => {
                format!(
                    "A request ({}){} is lost; the client repeats it.",
                    target.call().name(),
                    self.of_two(Hop::Application)
                )
            }
        }
    }

    pub(super) fn answer_lost(&self, target: Target) -> String {
        match target {
            Target::Produce | Target::ProduceToOther => {
                let batch = self
                    .before
                    .producer
                    .first_answered()
                    .map(|index| self.before.producer.flights[index].batch);
                let record = batch.map_or(0, |batch| batch.record);
                format!(
                    "The broker's answer for {} is lost{}.",
                    name(record),
                    self.fate(record)
                )
            }
            Target::Commit(who) => {
                let at = match self.cluster.next_commit(self.before, who) {
                    named @ [_, Some(_)] if self.has_retries() => self.offsets_of(named),
                    [_, Some(_) | None] => offsets([self.after.group.committed, None]),
                };
                format!(
                    "The commit of {at} is taken, but its answer is lost{}.",
                    self.after_failed_commit()
                )
            }
            Target::BackgroundCommit(_) => {
                "The commit on its way is taken; its answer is lost.".into()
            }
            Target::LeavingCommit(who) => format!(
                "The commit before leaving is taken; its answer is lost{}.",
                self.of(who).after_leaving()
            ),
            Target::FailedWrite(_) => {
                let again = if self.cluster.pipeline().consumer.output.idempotence {
                    "the client's retry is recognised"
                } else {
                    "it is written again"
                };
                format!(
                    "The {} topic has the record; the answer is lost, and {again}.",
                    self.topic_of_failures()
                )
            }
            Target::Coordinator(call) => self.coordinator_answer_lost(call.name()),
            Target::Result(who) if self.of(who).was_result_refused() => format!(
                "The refusal of the result of {} is lost on its way{}.",
                self.of(who).struck_result(Struck::Answer),
                self.of(who).fate_of_result(Struck::Answer)
            ),
            Target::Result(who) => format!(
                "The output topic has the result of {}{}; the answer is lost{}.",
                self.of(who).struck_result(Struck::Answer),
                self.newly_seen(),
                self.of(who).fate_of_result(Struck::Answer)
            ),
            Target::Offsets(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Repeated(_) => {
                format!(
                    "An answer ({}){} is lost; the client repeats the request.",
                    target.call().name(),
                    self.of_two(Hop::Application)
                )
            }
        }
    }

    pub(super) fn refused(&self, target: Target) -> String {
        match target {
            Target::Produce | Target::ProduceToOther => format!(
                "The broker refuses the produce request of {} with a retriable error.",
                self.struck()
            ),
            Target::Commit(_) => format!(
                "The commit is refused with a retriable error{}.",
                self.after_failed_commit()
            ),
            Target::BackgroundCommit(_) => "The commit on its way is refused.".into(),
            Target::LeavingCommit(who) => format!(
                "The commit before leaving is refused with a retriable error{}.",
                self.of(who).after_leaving()
            ),
            Target::FailedWrite(who) => self.of(who).failed_write_lost(),
            Target::Coordinator(call) => self.coordinator_request_refused(call.name()),
            Target::Result(who) => format!(
                "The result of {} is refused with a retriable error{}.",
                self.of(who).struck_result(Struck::Request),
                self.of(who).fate_of_result(Struck::Request)
            ),
            Target::Offsets(_)
            | Target::EndTransaction(_)
            | Target::Start(_)
            | Target::Add(..)
            | Target::Repeated(_) => {
                format!(
                    "A request ({}){} is refused with a retriable error; the client repeats it.",
                    target.call().name(),
                    self.of_two(Hop::Application)
                )
            }
        }
    }

    /// Whether no transaction of this consumer is open, so that a request to end one is that of the last.
    fn has_ended_its_transaction(&self, who: u16) -> bool {
        let output = self.before.output.as_deref();
        output.is_some_and(|output| !output.producers[usize::from(who)].open)
    }

    pub(super) fn delayed(&self, target: Target) -> String {
        match target {
            Target::Produce | Target::ProduceToOther => format!(
                "The produce request of {} is held up; the producer gives its connection up{}.",
                self.struck(),
                self.lost_with_it()
            ),
            Target::Commit(_) => format!(
                "The commit request is held up and times out{}.",
                self.after_failed_commit()
            ),
            Target::BackgroundCommit(_) => "The commit on its way is held up.".into(),
            Target::LeavingCommit(who) => format!(
                "The commit before leaving is held up{}.",
                self.of(who).after_leaving()
            ),
            Target::FailedWrite(_) => format!(
                "The write to the {} topic is held up.",
                self.topic_of_failures()
            ),
            Target::Coordinator(call) => self.coordinator_request_delayed(call.name()),
            Target::Result(who) => format!(
                "The result of {} is held up{}.",
                self.of(who).struck_result(Struck::Request),
                self.of(who).fate_of_result(Struck::Request)
            ),
            Target::EndTransaction(who) if self.has_ended_its_transaction(who) => {
                format!(
                    "The request that ended the transaction (EndTxn){} was held up, and answered when the client repeated it: the first one is still on its way.",
                    self.of_two(Hop::Application)
                )
            }
            Target::EndTransaction(_) => {
                format!(
                    "The request that ends the transaction (EndTxn){} is held up; the client repeats it.",
                    self.of_two(Hop::Application)
                )
            }
            Target::Start(_) | Target::Add(..) => {
                format!(
                    "A request ({}){} was held up, and answered when the client repeated it: the first one is still on its way.",
                    target.call().name(),
                    self.of_two(Hop::Application)
                )
            }
            Target::Offsets(_) | Target::Repeated(_) => {
                format!(
                    "A request ({}){} is held up; the client repeats it.",
                    target.call().name(),
                    self.of_two(Hop::Application)
                )
            }
        }
    }

    /// Where records go that failed for good.
    pub(super) fn topic_of_failures(&self) -> &'static str {
        match self.cluster.pipeline().consumer.on_process_failure.then {
            AfterAttempts::RetryTopic => "retry",
            AfterAttempts::DeadLetter(_)
            | AfterAttempts::Stop
            | AfterAttempts::Close
            | AfterAttempts::Skip
            | AfterAttempts::Block => "dead-letter",
        }
    }

    pub(super) fn after_failed_commit(&self) -> &'static str {
        match self.cluster.pipeline().consumer.on_commit_failure {
            OnCommitFailure::RetryLatest => "; the application will commit again",
            OnCommitFailure::RetrySaved => {
                "; the application keeps the offset for later and goes on"
            }
            OnCommitFailure::Ignore => "; the application goes on",
        }
    }
}

impl ConsumerScene<'_> {
    fn strike_consumer(&self, how: ConsumerStrike) -> (&'static str, &'static str, String) {
        match how {
            ConsumerStrike::Crash => ("consumer", "crash", self.crash()),
            ConsumerStrike::Pause => ("consumer", "pause", self.pause()),
            ConsumerStrike::Slow => ("consumer", "slow", self.slow()),
            ConsumerStrike::SlowToTheEnd => ("consumer", "slow", self.slow_to_the_end()),
            ConsumerStrike::GracefulRestart => {
                ("consumer", "graceful-restart", self.graceful_restart())
            }
            ConsumerStrike::Fail { failure, at } => {
                let (actor, sentence) = self.fail(failure, at);
                (actor, "fail", sentence)
            }
        }
    }

    fn failed_write_lost(&self) -> String {
        match self.cluster.pipeline().consumer.output.acks {
            Acks::None => format!(
                "The record never reaches the {} topic, and with acks=0 nobody hears of it.",
                self.topic_of_failures()
            ),
            Acks::Leader | Acks::All => format!(
                "The write to the {} topic is lost; it is repeated.",
                self.topic_of_failures()
            ),
        }
    }

    /// Where it stands in the order, for a sentence.
    pub(super) fn where_it_stands(&self) -> String {
        if self.before().phase != Phase::Handling {
            return "between two polls".into();
        }
        if self.before().recovery != Recovery::None {
            return "before what failed is written".into();
        }
        format!(
            "before {} of {}",
            self.operation().item,
            self.records_at_hand()
        )
    }
}
