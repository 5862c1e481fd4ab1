//! Results, and the transactions of output producers, told.

use super::{ConsumerScene, Scene, letter};
use crate::trace::facts::name;
use semel_models::action::TransactionStep;
use semel_models::cluster::State;
use semel_models::consumer::Phase;
use semel_models::output::Output;
use semel_models::output::producer::OutputProducer;
use semel_models::pipeline::{OnAbort, TransactionalId};
use semel_models::program::OutputStep;
use semel_models::transaction_coordinator::{Outcome, Part};

impl Scene<'_> {
    /// How often the reader of the output topic has seen the record's result.
    fn seen(&self, state: &State, record: u16) -> u16 {
        if self.cluster.pipeline().consumer.only_produces() {
            return state.ledger.handled[usize::from(record)];
        }
        let output = state.output.as_ref();
        let times = output.and_then(|output| output.produced.get(usize::from(record)));
        times.copied().unwrap_or(0)
    }

    /// What the reader of the output topic sees for the first time, or again.
    pub(super) fn newly_seen(&self) -> String {
        let mut told = Vec::new();
        for record in 0..self.cluster.pipeline().bounds.records {
            let times = (
                self.seen(self.before, record),
                self.seen(self.after, record),
            );
            let how_often = match times {
                (0, 1) => "",
                (0, 2) => " twice",
                (1, 2) => " a second time",
                _ => continue,
            };
            told.push(format!("the result of {}{how_often}", name(record)));
        }
        match told.is_empty() {
            true => String::new(),
            false => format!("; its reader sees {}", told.join(" and ")),
        }
    }

    /// Whose transaction it is.
    fn transaction_of(&self, id: u16) -> String {
        let pipeline = self.cluster.pipeline();
        let used = semel_models::output::ids(pipeline);
        if id >= used {
            return "the transaction that a process left behind".into();
        }
        match pipeline.consumer.output.transactional_id {
            TransactionalId::PerPartition => "the transaction of the partition's id".into(),
            TransactionalId::Stable | TransactionalId::PerStart => match letter(self.cluster, id) {
                Some(letter) => format!("the transaction of consumer {letter}"),
                None => "the consumer's transaction".into(),
            },
        }
    }

    pub(super) fn transaction(
        &self,
        id: u16,
        does: TransactionStep,
    ) -> (&'static str, &'static str, String) {
        const COORDINATOR: &str = "transaction coordinator";
        let whose = self.transaction_of(id);
        match does {
            TransactionStep::TimeOut => (COORDINATOR, "time-out", self.timed_out(id)),
            TransactionStep::WriteMarker(part) => {
                let sentence = match part {
                    Part::Offsets => {
                        let at = self.after.group.committed.map_or(0, |at| at.next.0);
                        format!(
                            "The commit marker of {whose} reaches the group's offsets: the committed offset is {at}."
                        )
                    }
                    Part::Input | Part::Output => format!(
                        "The commit marker of {whose} is written to the output topic{}.",
                        self.newly_seen()
                    ),
                };
                (COORDINATOR, "write-marker", sentence)
            }
        }
    }

    /// A transaction times out, for free or as a fault.
    pub(super) fn timed_out(&self, id: u16) -> String {
        format!(
            "transaction.timeout.ms passes for {}: the coordinator aborts it{}.",
            self.transaction_of(id),
            self.newly_seen()
        )
    }

    pub(super) fn late_result(&self, record: u16) -> String {
        format!(
            "The late result of {} reaches the output topic{}.",
            name(record),
            self.newly_seen()
        )
    }

    pub(super) fn late_offsets(&self, at: u16) -> String {
        let taken = match (&self.before.output, &self.after.output) {
            (Some(before), Some(after)) => before.pending != after.pending,
            _ => false,
        };
        match taken {
            true => format!(
                "The late TxnOffsetCommit of offset {at} reaches the group coordinator, which takes it as one of the transaction that is open now."
            ),
            false => format!(
                "The late TxnOffsetCommit of offset {at} reaches the group coordinator, which refuses it."
            ),
        }
    }

    pub(super) fn late_end(&self, id: u16, outcome: Outcome) -> String {
        let what = match outcome {
            Outcome::Commit => "commits",
            Outcome::Abort => "aborts",
        };
        let phase = |output: &Option<Box<Output>>| {
            let transactions = output.as_ref().map(|output| &output.transactions);
            transactions.and_then(|own| own.get(usize::from(id)).map(|own| own.phase))
        };
        match phase(&self.before.output) != phase(&self.after.output) {
            true => format!(
                "The late EndTxn reaches the coordinator, which {what} {}, although that has the same epoch by chance only{}.",
                self.transaction_of(id),
                self.newly_seen()
            ),
            false => "The late EndTxn reaches the coordinator and changes nothing.".into(),
        }
    }
}

impl ConsumerScene<'_> {
    fn producer_before(&self) -> OutputProducer {
        let output = self.scene.before.output.as_ref();
        output.map_or_else(OutputProducer::default, |output| {
            output.producers[usize::from(self.who)].clone()
        })
    }

    fn producer_after(&self) -> OutputProducer {
        let output = self.scene.after.output.as_ref();
        output.map_or_else(OutputProducer::default, |output| {
            output.producers[usize::from(self.who)].clone()
        })
    }

    /// What the application does after it has aborted its transaction.
    pub(super) fn then_after_abort(&self) -> String {
        if self.after().phase == Phase::Down {
            return "the process ends".into();
        }
        match self.cluster.pipeline().consumer.output.on_abort {
            OnAbort::Seek => format!(
                "the consumer seeks back to offset {}",
                self.after().position().next.0
            ),
            OnAbort::Continue => "the application goes on without rewinding".into(),
        }
    }

    /// A call of the output producer.
    pub(super) fn output_call(&self, step: OutputStep) -> String {
        format!("{}{}", self.whose(), self.plain_call(step))
    }

    fn plain_call(&self, step: OutputStep) -> String {
        const TIMED_OUT: &str =
            "its transaction was ended by someone else, and its epoch is an old one";
        let who = self.records_at_hand();
        let (before, after) = (self.producer_before(), self.producer_after());
        let died = self.after().phase == Phase::Down;
        let aborted = self.after().phase != Phase::Handling
            && self.after().hand.is_empty()
            && step != OutputStep::End;
        match step {
            OutputStep::Produce | OutputStep::ProduceAsync if self.is_skipped() => {
                format!("{who} is skipped: no result is sent.")
            }
            OutputStep::Produce if died => {
                format!(
                    "produce: the broker refuses the result of {who}, for {TIMED_OUT}; the process ends."
                )
            }
            OutputStep::Produce if before.appended => {
                format!("produce: the result of {who} is sent again, and the broker recognises it.")
            }
            OutputStep::Produce if after.open => {
                format!(
                    "produce: the result of {who} lies in the output topic, its transaction open{}.",
                    self.newly_seen()
                )
            }
            OutputStep::Produce if self.scene.is_transactional() => format!(
                "produce: the broker refuses the result of {who}, for {TIMED_OUT}: the application aborts, and {}.",
                self.then_after_abort()
            ),
            OutputStep::Produce => {
                format!(
                    "produce: the result of {who} is written{}.",
                    self.newly_seen()
                )
            }
            OutputStep::ProduceAsync => {
                format!(
                    "produce-async: the result of {who} is sent, and nobody waits for its report."
                )
            }
            OutputStep::Flush if before.failed => {
                format!(
                    "flush: a result was not delivered, and {}.",
                    self.after_failed_flush()
                )
            }
            OutputStep::Flush => "flush: every result that was sent is reported.".into(),
            OutputStep::Offsets if died => {
                format!(
                    "commit: the coordinator refuses the offsets, for {TIMED_OUT}; the process ends."
                )
            }
            OutputStep::Offsets if aborted => format!(
                "commit: the group coordinator refuses the offsets, for the {} is no longer a member: the transaction is aborted, and it joins again.",
                self.name()
            ),
            OutputStep::Offsets => {
                let pending = self.scene.after.output.as_ref();
                let last = pending.and_then(|output| output.pending.last().copied());
                let at = last.map_or(0, |last| last.position.next.0);
                format!("commit: offset {at} is sent to the transaction, pending.")
            }
            OutputStep::End if before.failed => format!(
                "The transaction cannot be committed, for a result was not delivered: it is aborted, and {}.",
                self.then_after_abort()
            ),
            OutputStep::End if died => {
                format!("The transaction cannot be committed, for {TIMED_OUT}; the process ends.")
            }
            OutputStep::End if before.open => {
                "commitTransaction: the coordinator writes down that the transaction commits."
                    .into()
            }
            OutputStep::End => "The transaction ends with nothing in it.".into(),
        }
    }

    fn after_failed_flush(&self) -> &'static str {
        match self.after().phase {
            Phase::Down => "the process ends",
            Phase::Outside | Phase::Idle | Phase::Polling | Phase::Leaving => {
                "the application lets go of what it has in hand"
            }
            Phase::Handling => "the application goes on as after a failure of handling",
        }
    }

    pub(super) fn result_arrives(&self, place: u16) -> String {
        let sends = self.producer_before().sends;
        let record = sends.get(usize::from(place)).map_or(0, |send| send.record);
        if self.producer_after().failed && !self.producer_before().failed {
            return format!(
                "{}The broker refuses the result of {}, for the producer's epoch is an old one.",
                self.whose(),
                name(record)
            );
        }
        format!(
            "{}The result of {} reaches the output topic{}.",
            self.whose(),
            name(record),
            self.newly_seen()
        )
    }

    /// The record whose result a fault strikes.
    pub(super) fn struck_result(&self) -> String {
        name(self.cluster.struck_result(self.scene.before, self.who))
    }

    /// What becomes of a result after a fault.
    pub(super) fn fate_of_result(&self) -> String {
        let (before, after) = (self.producer_before(), self.producer_after());
        let goes_on = after.attempts > before.attempts
            || after.sends.first().map(|send| send.attempts)
                > before.sends.first().map(|send| send.attempts);
        if goes_on {
            return "; the client will send it again".into();
        }
        if after.sends.len() < before.sends.len() {
            return match after.failed {
                true => "; it is reported failed".into(),
                false => "; nobody hears of it".into(),
            };
        }
        match self.scene.is_transactional() {
            true => format!(
                "; it is reported failed: the transaction is aborted, and {}",
                self.then_after_abort()
            ),
            false if self.after().phase == Phase::Down => {
                "; it is reported failed, and the process ends".into()
            }
            false if after.attempts < before.attempts => "; it is reported failed".into(),
            false => "; the application goes on".into(),
        }
    }
}

impl Scene<'_> {
    pub(super) fn is_transactional(&self) -> bool {
        self.cluster.pipeline().consumer.has_transactions()
    }
}
