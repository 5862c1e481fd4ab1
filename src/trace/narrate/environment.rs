//! Faults, told.

use super::Scene;
use crate::trace::facts::name;
use semel_models::action::{Strike, Target};
use semel_models::consumer::Phase;
use semel_models::order::Step;
use semel_models::pipeline::{Dedup, OnCommitFailure};

impl Scene<'_> {
    pub(super) fn strike(&self, strike: Strike) -> (&'static str, &'static str, String) {
        match strike {
            Strike::ProducerCrash => ("producer", "crash", self.producer_crash()),
            Strike::ProducerPause => ("producer", "pause", self.producer_pause()),
            Strike::ProducerPauseOfRequests => {
                ("producer", "pause", self.producer_pause_of_requests())
            }
            Strike::Abort => ("database", "abort", self.abort()),
            Strike::ForgetProducer(session) => (
                "broker",
                "forget-producer-id",
                self.forget_producer(session),
            ),
            Strike::Retention => ("broker", "retention", self.retention()),
            Strike::ConsumerCrash => ("consumer", "crash", self.consumer_crash()),
            Strike::FailBefore => ("consumer", "fail", self.failed_before()),
            Strike::FailAfter => ("consumer", "fail", self.failed_after()),
            Strike::SinkUnavailable => ("sink", "unavailable", self.sink_unavailable()),
            Strike::SinkAnswerLost => ("sink", "answer-lost", self.sink_answer_lost()),
            Strike::DeliveryTimeout => ("producer", "expire", self.expire()),
            Strike::BrokerCrash => (
                "broker",
                "crash",
                format!(
                    "The broker's process dies and starts again{}.",
                    self.wire_lost()
                ),
            ),
            Strike::PowerLoss { .. } => ("broker", "power-loss", self.power_loss()),
            Strike::DiskLoss => (
                "broker",
                "disk-loss",
                format!(
                    "The broker loses its disk and starts again with an empty log{}.",
                    self.wire_lost()
                ),
            ),
            Strike::LoseRequest(target) => ("network", "lose-request", self.request_lost(target)),
            Strike::LoseAnswer(target) => ("network", "lose-answer", self.answer_lost(target)),
            Strike::Refuse(target) => ("broker", "refuse", self.refused(target)),
            Strike::Delay(target) => ("network", "delay", self.delayed(target)),
        }
    }

    pub(super) fn consumer_crash(&self) -> String {
        let consumer = &self.before.consumer;
        if consumer.phase != Phase::Handling {
            return "The consumer's process dies between two polls, with nothing in hand.".into();
        }
        let who = self.records_at_hand();
        let next = &self.operation().item;
        let before = usize::from(consumer.operation).checked_sub(1);
        match before.map(|index| &self.cluster.program().operations[index].item) {
            Some(done) => {
                format!("The consumer's process dies after {done} and before {next} of {who}.")
            }
            None => format!("The consumer's process dies before {next} of {who}."),
        }
    }

    fn failed_before(&self) -> String {
        let who = self.records_at_hand();
        format!("Handling {who} fails before its effect, and the process ends.")
    }

    fn failed_after(&self) -> String {
        let who = self.records_at_hand();
        if self.operation().transaction {
            let transaction = &self.operation().item;
            format!(
                "Handling {who} fails after its effect: {transaction} is rolled back, and the process ends."
            )
        } else {
            let work = self.work_done();
            format!("Handling {who} fails after its effect ({work}), and the process ends.")
        }
    }

    fn sink_unavailable(&self) -> String {
        let (step, who) = (&self.operation().item, self.records_at_hand());
        let whose = self.store_called();
        format!(
            "The {whose} does not answer to {step} of {who} and does nothing; the process ends."
        )
    }

    fn sink_answer_lost(&self) -> String {
        let (step, who) = (&self.operation().item, self.records_at_hand());
        let (work, whose) = (self.work_done(), self.store_called());
        format!(
            "The {whose} does what {step} of {who} asks ({work}), but its answer is lost; the process ends."
        )
    }

    /// The store that the operation at hand calls.
    fn store_called(&self) -> &'static str {
        let only_looks = |step| matches!(step, Step::SkipIfSeen | Step::Remember);
        let separate = self.cluster.pipeline().sink.dedup == Dedup::Separate;
        if separate && self.operation().steps().all(only_looks) {
            "dedup store"
        } else {
            "sink"
        }
    }

    pub(super) fn power_loss(&self) -> String {
        let (had, kept) = (self.before.broker.log_end(), self.after.broker.log_end());
        let gone: Vec<String> = self.before.broker.log[usize::from(kept)..]
            .iter()
            .map(|entry| name(entry.record))
            .collect();
        if had == kept {
            format!(
                "The broker loses power and starts again; its whole log was on disk{}.",
                self.wire_lost()
            )
        } else {
            format!(
                "The broker loses power and starts again without what was not flushed: {} is gone{}.",
                gone.join(", "),
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
            Target::Produce => format!(
                "The connection breaks: the produce request of {} never reaches the broker{}.",
                self.struck(),
                self.lost_with_it()
            ),
            Target::Commit => format!("The commit request is lost{}.", self.after_failed_commit()),
            Target::BackgroundCommit => "The commit on its way is lost.".into(),
            Target::Repeated(_) => {
                format!(
                    "A request ({}) is lost; the client repeats it.",
                    target.call().name()
                )
            }
        }
    }

    pub(super) fn answer_lost(&self, target: Target) -> String {
        match target {
            Target::Produce => {
                let batch = self
                    .before
                    .producer
                    .flights
                    .first()
                    .map(|flight| flight.batch);
                let record = batch.map_or(0, |batch| batch.record);
                format!(
                    "The broker's answer for {} is lost{}.",
                    name(record),
                    self.fate(record)
                )
            }
            Target::Commit => {
                let at = self.after.group.committed.map_or(0, |at| at.next.0);
                format!(
                    "The commit of offset {at} is taken, but its answer is lost{}.",
                    self.after_failed_commit()
                )
            }
            Target::BackgroundCommit => {
                "The commit on its way is taken; its answer is lost.".into()
            }
            Target::Repeated(_) => {
                format!(
                    "An answer ({}) is lost; the client repeats the request.",
                    target.call().name()
                )
            }
        }
    }

    pub(super) fn refused(&self, target: Target) -> String {
        match target {
            Target::Produce => format!(
                "The broker refuses the produce request of {} with a retriable error.",
                self.struck()
            ),
            Target::Commit => format!(
                "The commit is refused with a retriable error{}.",
                self.after_failed_commit()
            ),
            Target::BackgroundCommit => "The commit on its way is refused.".into(),
            Target::Repeated(_) => {
                format!(
                    "A request ({}) is refused with a retriable error; the client repeats it.",
                    target.call().name()
                )
            }
        }
    }

    pub(super) fn delayed(&self, target: Target) -> String {
        match target {
            Target::Produce => format!(
                "The produce request of {} is held up; the producer gives its connection up{}.",
                self.struck(),
                self.lost_with_it()
            ),
            Target::Commit => format!(
                "The commit request is held up and times out{}.",
                self.after_failed_commit()
            ),
            Target::BackgroundCommit => "The commit on its way is held up.".into(),
            Target::Repeated(_) => {
                format!(
                    "A request ({}) is held up; the client repeats it.",
                    target.call().name()
                )
            }
        }
    }

    pub(super) fn after_failed_commit(&self) -> &'static str {
        match self.cluster.pipeline().consumer.on_commit_failure {
            OnCommitFailure::RetryLatest => "; the application will commit again",
            OnCommitFailure::Ignore | OnCommitFailure::RetrySaved => "; the application goes on",
        }
    }
}
