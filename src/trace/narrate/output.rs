//! Results, and the transactions of output producers, told.

use super::output_topic::Struck;
use super::{ConsumerScene, Scene, letter};
use crate::trace::facts::name;
use semel_models::action::{Action, ConsumerStep, Strike, TransactionStep};
use semel_models::cluster::State;
use semel_models::consumer;
use semel_models::output::producer::OutputProducer;
use semel_models::pipeline::{Acks, OnAbort, TransactionalId};
use semel_models::program::OutputStep;
use semel_models::transaction_coordinator::{Outcome, Part, Phase, Transaction};

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
    pub(super) fn transaction_of(&self, id: u16) -> String {
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
            TransactionStep::RaiseEpoch => (COORDINATOR, "init-producer-id", self.raised(id)),
            TransactionStep::WriteMarker(part) => {
                let aborts = self.transaction_before(id).phase == Phase::Prepared(Outcome::Abort);
                let sentence = match part {
                    Part::Offsets if aborts => format!(
                        "The abort marker of {whose} reaches the group's offsets: none is pending in it any more."
                    ),
                    Part::Offsets => {
                        let at = self.after.group.committed.map_or(0, |at| at.next.0);
                        format!(
                            "The commit marker of {whose} reaches the group's offsets: the committed offset is {at}."
                        )
                    }
                    Part::Output if let Some(told) = self.output_marker(id, &whose) => told,
                    Part::Input | Part::Output => format!(
                        "The commit marker of {whose} is written to the output topic{}.",
                        self.newly_seen()
                    ),
                };
                (COORDINATOR, "write-marker", sentence)
            }
        }
    }

    /// A client asks for another epoch, in a transaction that it does not give up.
    fn raised(&self, id: u16) -> String {
        let whose = self.transaction_of(id);
        let after = self.after.output.as_ref();
        let phase = after.and_then(|output| output.transactions.get(usize::from(id)));
        match phase.map(|own| own.phase) {
            Some(Phase::Prepared(Outcome::Abort)) => format!(
                "Nothing is in flight any more, and a sequence number was skipped: librdkafka asks for another epoch (InitProducerId). The coordinator aborts {whose}, which the client does not give up."
            ),
            _ => format!(
                "InitProducerId is answered: the client goes on in {whose} with another epoch, and takes its partition for a part of it. The coordinator has no transaction open."
            ),
        }
    }

    /// A transaction times out, for free or as a fault.
    pub(super) fn timed_out(&self, id: u16) -> String {
        let prepared = match self.cluster.is_prepared(self.before, id) {
            true => ", which the database says is prepared",
            false => "",
        };
        format!(
            "transaction.timeout.ms passes for {}{prepared}: the coordinator aborts it{}{}.",
            self.transaction_of(id),
            self.aborted_results(id),
            self.newly_seen()
        )
    }

    /// The results that go with the abort of a transaction.
    pub(super) fn aborted_results(&self, id: u16) -> String {
        let Some(output) = &self.before.output else {
            return String::new();
        };
        let open = output.unseen.iter();
        let open = open.filter(|own| own.id == id && !own.committed);
        let mut gone: Vec<String> = open.map(|own| name(own.record)).collect();
        gone.dedup();
        let early = output.read_early.iter().filter(|own| own.id == id);
        let taken: Vec<String> = early.map(|own| name(own.record)).collect();
        match (gone.is_empty(), taken.is_empty()) {
            (true, true) => String::new(),
            (false, _) => format!("; the result of {} is gone", gone.join(" and ")),
            (true, false) => format!(
                "; the result of {}, which the topic's reader took, is aborted",
                taken.join(" and ")
            ),
        }
    }

    /// What the start of a producer under an id ends before: the last transaction of the id, whose
    /// markers are not written yet, or that was left open.
    pub(super) fn ended_at_a_start(&self, action: Action) -> String {
        let starts = matches!(
            action,
            Action::Consumer {
                does: ConsumerStep::Join { .. } | ConsumerStep::TakeOver | ConsumerStep::Leave,
                ..
            } | Action::Fault {
                strike: Strike::Rebalance { .. },
                ..
            }
        );
        let (Some(before), Some(after)) = (&self.before.output, &self.after.output) else {
            return String::new();
        };
        let both = before.transactions.iter().zip(after.transactions.iter());
        let ended = (0..).zip(both).filter_map(|(id, (before, after))| {
            let results = before.added.contains(Part::Output);
            match (before.phase, after.phase) {
                (Phase::Prepared(Outcome::Commit), Phase::Empty) if results => Some(format!(
                    " Before that, the commit marker of {} is written to the output topic{}.",
                    self.transaction_of(id),
                    self.newly_seen()
                )),
                (Phase::Ongoing, Phase::Empty) if self.cluster.is_prepared(self.before, id) => {
                    Some(format!(
                        " Before that, it asks for the commit under the producer id and epoch that the database has: the coordinator commits {}, which was open{}.",
                        self.transaction_of(id),
                        self.newly_seen()
                    ))
                }
                (Phase::Ongoing, Phase::Empty) => Some(format!(
                    " Before that, initTransactions() aborts {}, which was open{}{}.",
                    self.transaction_of(id),
                    self.aborted_results(id),
                    self.newly_seen()
                )),
                _ => None,
            }
        });
        match starts {
            true => ended.collect(),
            false => String::new(),
        }
    }

    pub(super) fn late_result(&self, record: u16) -> String {
        format!(
            "The late result of {} reaches the output topic{}.",
            name(record),
            self.newly_seen()
        )
    }

    pub(super) fn transaction_before(&self, id: u16) -> Transaction {
        let output = self.before.output.as_ref();
        let transaction = output.and_then(|output| output.transactions.get(usize::from(id)));
        transaction.copied().unwrap_or_default()
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
        if self.after().phase == consumer::Phase::Down {
            let in_vain = self.cluster.asks_for_its_offset_in_vain(self.scene.after);
            let seeks = self.cluster.pipeline().consumer.output.on_abort == OnAbort::Seek;
            return match seeks && in_vain {
                true => "the process ends, for its committed offset cannot be fetched as long as one is pending".into(),
                false => "the process ends".into(),
            };
        }
        match self.cluster.pipeline().consumer.output.on_abort {
            OnAbort::Seek if self.after().phase == consumer::Phase::Idle => {
                let waits = match self.cluster.offsets_are_unstable(self.scene.after) {
                    true => ", and waits: one is pending",
                    false => "",
                };
                format!("the consumer asks for the committed offset, to seek to it{waits}")
            }
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
        let timed_out = self.why_it_is_refused();
        let who = self.records_at_hand();
        let (before, after) = (self.producer_before(), self.producer_after());
        let died = self.after().phase == consumer::Phase::Down;
        let aborted = self.after().phase != consumer::Phase::Handling
            && self.after().hand.is_empty()
            && step != OutputStep::End;
        match step {
            OutputStep::Produce | OutputStep::ProduceAsync if self.is_skipped() => {
                format!("{who} is skipped: no result is sent.")
            }
            OutputStep::Produce if died => {
                format!(
                    "produce: the broker refuses the result of {who}, for {timed_out}; the process ends."
                )
            }
            OutputStep::Produce if before.appended => {
                format!("produce: the result of {who} is sent again, and the broker recognises it.")
            }
            OutputStep::Produce if self.cluster.output_topic().is_some() => {
                format!(
                    "produce: the result of {who} is sent, and the application waits for its report."
                )
            }
            OutputStep::Produce if after.open => {
                format!(
                    "produce: the result of {who} lies in the output topic, its transaction open{}.",
                    self.newly_seen()
                )
            }
            OutputStep::Produce if self.scene.is_transactional() => format!(
                "produce: the broker refuses the result of {who}, for {timed_out}: the application aborts, and {}.",
                self.then_after_abort()
            ),
            OutputStep::Produce => {
                format!(
                    "produce: the result of {who} is written{}.",
                    self.newly_seen()
                )
            }
            OutputStep::ProduceAsync if self.cluster.refuses_sends(self.scene.before, self.who) => {
                let then = match died {
                    true => "the process ends".into(),
                    false => format!(
                        "the transaction is aborted, and {}",
                        self.then_after_abort()
                    ),
                };
                format!(
                    "produce-async: the producer does not send the result of {who}, for another one of the transaction was not delivered: {then}."
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
            OutputStep::Offsets if after.offsets_added => {
                "commit: the coordinator has the offsets in the transaction (AddOffsetsToTxn), and they are about to be sent.".into()
            }
            OutputStep::Offsets if aborted && !self.is_ongoing() => {
                let refuses = match before.offsets_added {
                    true => "the group coordinator refuses the offsets",
                    false => "the coordinator does not add the offsets (AddOffsetsToTxn)",
                };
                format!(
                    "commit: {refuses}, for {timed_out}: the application aborts, and {}.",
                    self.then_after_abort()
                )
            }
            OutputStep::Offsets if died && self.is_ongoing() => format!(
                "commit: the group coordinator refuses the offsets, for the {} is no longer a member; the process ends.",
                self.name()
            ),
            OutputStep::Offsets if died => {
                format!(
                    "commit: the coordinator refuses the offsets, for {timed_out}; the process ends."
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
                format!("The transaction cannot be committed, for {timed_out}; the process ends.")
            }
            OutputStep::End if before.open => {
                "commitTransaction: the coordinator writes down that the transaction commits."
                    .into()
            }
            OutputStep::End => "The transaction ends with nothing in it.".into(),
        }
    }

    /// Whether the producer's own transaction was open before the step.
    fn is_ongoing(&self) -> bool {
        let pipeline = self.cluster.pipeline();
        let id = semel_models::output::id_of(self.who, pipeline);
        let transaction = self.scene.transaction_before(id);
        transaction.phase == Phase::Ongoing && !transaction.has_fenced(self.producer_before().epoch)
    }

    /// Why a call about a transaction that has ended already is refused.
    fn why_it_is_refused(&self) -> &'static str {
        let pipeline = self.cluster.pipeline();
        let transaction = self
            .scene
            .transaction_before(semel_models::output::id_of(self.who, pipeline));
        match transaction.has_fenced(self.producer_before().epoch) {
            true if transaction.phase == Phase::Empty => {
                "another start of its id has raised the epoch"
            }
            true => "its transaction was ended by someone else, and its epoch is an old one",
            false if self.is_registered() => {
                "the coordinator has had none open since it raised the epoch (INVALID_TXN_STATE)"
            }
            false => {
                "its transaction was ended by someone else, and there is none that could end so (INVALID_TXN_STATE)"
            }
        }
    }

    /// Whether the client takes the partition for a part of a transaction whose epoch was raised.
    fn is_registered(&self) -> bool {
        if !self.cluster.limits().raises_within {
            return false;
        }
        let client = self.cluster.output_client(self.scene.before, self.who);
        client.is_some_and(|client| client.registered)
    }

    fn after_failed_flush(&self) -> &'static str {
        match self.after().phase {
            consumer::Phase::Down => "the process ends",
            consumer::Phase::Outside
            | consumer::Phase::Idle
            | consumer::Phase::Polling
            | consumer::Phase::Leaving => "the application lets go of what it has in hand",
            consumer::Phase::Handling => "the application goes on as after a failure of handling",
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

    /// The delivery timeout of a result passes because a fault took an answer of its, or because the
    /// process stood still.
    pub(super) fn result_expires(&self, appended: bool) -> String {
        let (whose, result) = (self.whose(), self.struck_result(Struck::Delivery));
        let fate = self.fate_of_result(Struck::Delivery);
        let producer = self.producer_before();
        let attempts = producer.sends.first();
        let again = match attempts.map_or(producer.attempts, |send| send.attempts) {
            0 => "",
            1.. => " is sent again and",
        };
        let seen = self.newly_seen();
        match (
            appended,
            self.cluster.is_appended(self.scene.before, self.who),
        ) {
            (true, _) => format!(
                "{whose}The result of {result}{again} reaches the output topic{seen}, but its delivery timeout passes before the answer arrives{fate}."
            ),
            (false, true) => format!(
                "{whose}The delivery timeout of the result of {result} passes before the client hears that it was appended{fate}."
            ),
            (false, false) => format!(
                "{whose}The delivery timeout of the result of {result} passes before it has reached the output topic{fate}."
            ),
        }
    }

    /// What becomes of a result after a fault.
    pub(super) fn fate_of_result(&self, how: Struck) -> String {
        let (before, after) = (self.producer_before(), self.producer_after());
        if let Some(fate) = self.fate_on_the_wire(how) {
            return fate;
        }
        let is_down = self.after().phase == consumer::Phase::Down;
        let ends = self.cluster.doubts_are_fatal() || self.cluster.failures_are_fatal();
        if is_down && matches!(how, Struck::Delivery) && ends {
            return "; it is reported failed, and before Kafka 2.5 a transactional producer cannot go on behind what is in doubt: the process ends".into();
        }
        let goes_on = after.attempts > before.attempts
            || after.sends.first().map(|send| send.attempts)
                > before.sends.first().map(|send| send.attempts);
        // librdkafka does not count a refusal that sends it to look for the leader.
        let stays = !before.sends.is_empty() && after.sends.len() == before.sends.len();
        if goes_on || stays {
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
            false if self.after().phase == consumer::Phase::Down => {
                "; it is reported failed, and the process ends".into()
            }
            false if self.cluster.pipeline().consumer.output.acks == Acks::None => {
                "; the application goes on".into()
            }
            false => "; it is reported failed".into(),
        }
    }
}

impl Scene<'_> {
    pub(super) fn is_transactional(&self) -> bool {
        self.cluster.pipeline().consumer.has_transactions()
    }
}
