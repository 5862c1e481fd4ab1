//! Each step in a plain sentence.

use super::facts::name;
use semel_models::action::{Action, Strike, Target};
use semel_models::cluster::{Cluster, State};
use semel_models::consumer::Phase;
use semel_models::limbo::Late;
use semel_models::order::{Item, Step};
use semel_models::pipeline::{Acks, Effect, OffsetReset, OnCommitFailure};
use semel_models::producer::{Answer, Sending};
use semel_models::program::Scope;
use std::collections::BTreeMap;

/// A step, told.
pub(super) struct Told {
    pub actor: &'static str,
    pub action: &'static str,
    pub parameters: BTreeMap<String, String>,
    pub sentence: String,
}

/// Tells the step from `before` to `after`.
pub(super) fn narrate(cluster: &Cluster, before: &State, action: Action, after: &State) -> Told {
    let scene = Scene {
        cluster,
        before,
        after,
    };
    let (actor, verb, sentence) = match action {
        Action::Send(record) => ("application", "send", scene.send(record)),
        Action::Transmit => ("producer", "transmit", scene.transmit()),
        Action::HandleProduce => ("broker", "handle-produce", scene.handle_produce()),
        Action::ReceiveAnswer => ("producer", "receive-answer", scene.receive_answer()),
        Action::Expire => ("producer", "expire", scene.expire()),
        Action::Join => ("consumer", "join", scene.join()),
        Action::Relocate => ("consumer", "relocate", scene.relocate()),
        Action::Poll(count) => ("consumer", "poll", scene.poll(count)),
        Action::Operate => ("consumer", "operate", scene.operate()),
        Action::CommitAutomatically => (
            "consumer",
            "commit-automatically",
            scene.commit_automatically(),
        ),
        Action::CommitArrives => (
            "group coordinator",
            "commit-arrives",
            scene.commit_arrives(),
        ),
        Action::LateArrives(slot) => scene.late_arrives(slot),
        Action::Fault { strike, .. } => scene.strike(strike),
    };
    Told {
        actor,
        action: verb,
        parameters: parameters(before, action),
        sentence,
    }
}

fn parameters(before: &State, action: Action) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    let mut put = |key: &str, value: String| {
        parameters.insert(key.to_string(), value);
    };
    match action {
        Action::Send(record) => put("record", name(record)),
        Action::Transmit => {
            if let Some(batch) = before.producer.queue.first() {
                put("record", name(batch.record));
            }
        }
        Action::Poll(count) => put("count", count.to_string()),
        Action::LateArrives(slot) => put("slot", slot.to_string()),
        Action::Operate => put("operation", before.consumer.operation.to_string()),
        Action::Fault { strike, .. } => {
            if let Strike::PowerLoss { kept } = strike {
                put("kept", kept.to_string());
            }
            if let Some(call) = strike.call() {
                put("call", call.name().to_string());
            }
        }
        Action::HandleProduce
        | Action::ReceiveAnswer
        | Action::Expire
        | Action::Join
        | Action::Relocate
        | Action::CommitAutomatically
        | Action::CommitArrives => {}
    }
    parameters
}

struct Scene<'a> {
    cluster: &'a Cluster,
    before: &'a State,
    after: &'a State,
}

impl Scene<'_> {
    fn send(&self, record: u8) -> String {
        let who = name(record);
        if self.before.ledger.sent & (1 << record) != 0 {
            format!(
                "After its restart the application sends {who} again, which it never saw acknowledged."
            )
        } else if self.after.producer.sending[usize::from(record)] == Sending::Failed {
            format!("The application sends {who}; the client is in a fatal state and refuses it.")
        } else if self.after.ledger.is_confirmed(record) {
            format!("The application sends {who} and confirms it as soon as send() returns.")
        } else {
            format!("The application sends {who}.")
        }
    }

    fn transmit(&self) -> String {
        let Some(batch) = self.before.producer.queue.first() else {
            return String::new();
        };
        let who = name(batch.record);
        let again = match batch.attempts {
            0 => String::new(),
            attempt => format!(" again (retry {attempt})"),
        };
        let at_once = if self.cluster.pipeline().producer.acks == Acks::None {
            "; with acks=0 it counts as delivered at once"
        } else {
            ""
        };
        format!("The producer puts {who} on the wire{again}{at_once}.")
    }

    fn handle_produce(&self) -> String {
        let Some(index) = self.before.producer.first_unhandled() else {
            return String::new();
        };
        let flight = self.before.producer.flights[index];
        let who = name(flight.batch.record);
        if let Some(entry) = self.appended() {
            return format!(
                "The broker appends {who} at offset {entry}{}.",
                self.copies(flight.batch.record)
            );
        }
        let sequence = flight.wire.map_or(0, |stamp| stamp.sequence);
        match self
            .after
            .producer
            .flights
            .get(index)
            .map(|flight| flight.answer)
        {
            Some(Answer::OutOfOrder) => format!(
                "The broker refuses {who}: sequence number {sequence} is out of order (OUT_OF_ORDER_SEQUENCE_NUMBER)."
            ),
            Some(Answer::StaleEpoch) => {
                format!(
                    "The broker refuses {who}: its producer epoch is fenced (INVALID_PRODUCER_EPOCH)."
                )
            }
            _ => format!(
                "The broker recognises {who} by its sequence number {sequence} as a repeat and answers success without appending it."
            ),
        }
    }

    /// The offset of what this step appended.
    fn appended(&self) -> Option<u8> {
        let (before, after) = (self.before.broker.log_end(), self.after.broker.log_end());
        (after > before).then_some(before)
    }

    fn copies(&self, record: u8) -> &'static str {
        if self.before.broker.holds_from(record, 0) {
            ", a second entry of the same record"
        } else {
            ""
        }
    }

    fn receive_answer(&self) -> String {
        let Some(flight) = self.before.producer.flights.first() else {
            return String::new();
        };
        let who = name(flight.batch.record);
        if flight.expired {
            return format!("An answer for {who} arrives, which the producer had given up.");
        }
        let fate = self.fate(flight.batch.record);
        match flight.answer {
            Answer::None | Answer::Success => {
                let implied = self.implied(flight.batch.record);
                format!("The acknowledgement of {who} reaches the producer{implied}.")
            }
            Answer::Refused => {
                format!("The producer learns that {who} was refused with a retriable error{fate}.")
            }
            Answer::OutOfOrder => format!("The producer learns that {who} was out of order{fate}."),
            Answer::StaleEpoch => format!("The producer learns that its epoch was fenced{fate}."),
        }
    }

    /// Records that were acknowledged along with `record`.
    fn implied(&self, record: u8) -> String {
        let newly = |other: &u8| {
            let index = usize::from(*other);
            *other != record
                && self.before.producer.sending[index] == Sending::Pending
                && self.after.producer.sending[index] == Sending::Acknowledged
        };
        let implied: Vec<String> = (0..self.cluster.pipeline().bounds.records)
            .filter(newly)
            .map(name)
            .collect();
        if implied.is_empty() {
            String::new()
        } else {
            format!(
                "; librdkafka takes it as an acknowledgement of {} too, which was sent before",
                implied.join(", ")
            )
        }
    }

    /// What becomes of a send that came to nothing.
    fn fate(&self, record: u8) -> String {
        let fatal = self.after.producer.librdkafka.fatal && !self.before.producer.librdkafka.fatal;
        let epoch = |state: &State| state.producer.java.epoch + state.producer.librdkafka.epoch;
        let bumped = epoch(self.after) > epoch(self.before);
        let base = match self.after.producer.sending[usize::from(record)] {
            Sending::Failed => "; it is reported failed",
            Sending::Pending if self.after.producer.created > self.before.producer.created => {
                "; the application sends it anew"
            }
            Sending::Pending => "; it will be retried",
            Sending::Unsent | Sending::Acknowledged | Sending::Forgotten => "",
        };
        let bump = if bumped {
            ", and the client starts a new producer epoch with new sequence numbers"
        } else {
            ""
        };
        let end = if fatal {
            "; the client is in a fatal state from now on"
        } else {
            ""
        };
        format!("{base}{bump}{end}")
    }

    fn expire(&self) -> String {
        let Some(batch) = self.before.producer.next_to_expire() else {
            return String::new();
        };
        let who = name(batch.record);
        let fate = self.fate(batch.record);
        format!(
            "delivery.timeout.ms passes for {who}{fate}. Whether it is in the log is unknown to the producer."
        )
    }

    fn join(&self) -> String {
        let at = self.after.consumer.position().next.0;
        let pipeline = self.cluster.pipeline();
        let saved = self
            .before
            .sink
            .saved
            .filter(|_| pipeline.consumer.seek_on_assign);
        let committed = self.before.group.committed;
        let policy = reset_policy(pipeline.consumer.offset_reset);
        let why = match (saved, committed) {
            (Some(saved), _) if saved.0 == at => {
                "the offset saved in the sink's database".to_string()
            }
            (None, Some(committed)) if committed.next.0 == at => "the committed offset".to_string(),
            (None, None) => format!("no offset is committed, auto.offset.reset={policy}"),
            _ => format!("the stored offset is no longer valid, auto.offset.reset={policy}"),
        };
        format!("The consumer starts, joins the group and reads from offset {at} ({why}).")
    }

    fn relocate(&self) -> String {
        let from = self.before.consumer.position().next.0;
        if self.after.consumer.phase == Phase::Down {
            return format!(
                "Offset {from} is no longer valid and auto.offset.reset=none: the poll throws and the consumer's process ends."
            );
        }
        let to = self.after.consumer.position().next.0;
        format!("Offset {from} is no longer valid: the consumer reads on from offset {to}.")
    }

    fn poll(&self, count: u8) -> String {
        let first = self.before.consumer.position().next.0;
        let records: Vec<String> = (first..first + count)
            .map(|offset| {
                let record = self.before.broker.log[usize::from(offset)].record;
                let again = if self.before.ledger.is_handled(record) {
                    ", which already had its effect"
                } else {
                    ""
                };
                format!("{} (offset {offset}{again})", name(record))
            })
            .collect();
        format!("A poll returns {}.", records.join(" and "))
    }

    fn records_at_hand(&self) -> String {
        let consumer = &self.before.consumer;
        let operation = &self.cluster.program().operations[usize::from(consumer.operation)];
        let names: Vec<String> = match operation.scope {
            Scope::Record { .. } => vec![name(consumer.hand[usize::from(consumer.cursor)])],
            Scope::Poll => consumer.hand.iter().map(|record| name(*record)).collect(),
        };
        names.join(" and ")
    }

    fn operate(&self) -> String {
        let operation =
            &self.cluster.program().operations[usize::from(self.before.consumer.operation)];
        match &operation.item {
            Item::Step(step) => self.single_step(*step),
            Item::Each(_) | Item::Database(_) | Item::Kafka(_) => {
                format!(
                    "{} runs for {} and commits: {}.",
                    operation.item,
                    self.records_at_hand(),
                    self.work_done()
                )
            }
        }
    }

    fn single_step(&self, step: Step) -> String {
        let who = self.records_at_hand();
        let committed = |state: &State| state.group.committed.map_or(0, |at| at.next.0);
        match step {
            Step::Process if self.is_skipped() => {
                format!("{who} is skipped: its effect does not take place again.")
            }
            Step::Process => format!("process: {}.", self.work_done()),
            Step::SkipIfSeen if self.became_skipped() => {
                format!("skip-if-seen: the dedup store knows {who}; it will be skipped.")
            }
            Step::SkipIfSeen => format!("skip-if-seen: the dedup store does not know {who}."),
            Step::Remember if self.is_skipped() => {
                format!("{who} is skipped: nothing to remember.")
            }
            Step::Remember if self.became_skipped() => {
                format!("remember: the unique insert of {who} conflicts; it will be skipped.")
            }
            Step::Remember => format!("remember: {who} is in the dedup store."),
            Step::Commit => format!(
                "commit: the group's committed offset is {}.",
                committed(self.after)
            ),
            Step::CommitAsync => {
                let at = self.after.consumer.pending.map_or(0, |at| at.next.0);
                format!("commit-async: a commit of offset {at} is on its way.")
            }
            Step::SaveOffset => {
                let at = self.after.sink.saved.map_or(0, |at| at.0);
                format!("save-offset: the sink's database holds offset {at}.")
            }
            Step::StoreOffset => {
                let at = self.after.consumer.stored.map_or(0, |at| at.next.0);
                format!("store-offset: the background commit may commit offset {at}.")
            }
            Step::Produce | Step::ProduceAsync | Step::Flush => {
                format!("{} of {who}.", step.name())
            }
        }
    }

    fn is_skipped(&self) -> bool {
        let consumer = &self.before.consumer;
        consumer.skipped & (1 << consumer.cursor) != 0
    }

    fn became_skipped(&self) -> bool {
        // The record may be done with the step; what counts is that the store knew it before.
        let consumer = &self.before.consumer;
        let key = consumer.dedup_key(consumer.cursor, self.cluster.pipeline());
        (self.before.sink.seen | consumer.remembered) & key != 0
    }

    /// What the operation changed in the sink.
    fn work_done(&self) -> String {
        let mut work = Vec::new();
        for record in 0..self.cluster.pipeline().bounds.records {
            let times = |state: &State| state.ledger.handled[usize::from(record)];
            if times(self.after) > times(self.before) {
                let again = if times(self.before) > 0 {
                    " a second time"
                } else {
                    ""
                };
                work.push(format!("the effect of {} takes place{again}", name(record)));
            }
        }
        if work.is_empty() {
            if let Effect::External {
                idempotency_key: true,
            } = self.cluster.pipeline().sink.effect
            {
                work.push(
                    "the provider recognises the call by its key, nothing happens again".into(),
                );
            } else {
                work.push("no effect takes place again".into());
            }
        }
        if self.after.sink.seen != self.before.sink.seen {
            work.push("it is remembered in the same transaction".into());
        }
        if self.after.sink.saved != self.before.sink.saved {
            let at = self.after.sink.saved.map_or(0, |at| at.0);
            work.push(format!("offset {at} is saved with it"));
        }
        work.join(", ")
    }

    fn commit_automatically(&self) -> String {
        let at = self.after.consumer.pending.map_or(0, |at| at.next.0);
        format!("enable.auto.commit: the client sends a commit of offset {at} on its own.")
    }

    fn commit_arrives(&self) -> String {
        let at = self.before.consumer.pending.map_or(0, |at| at.next.0);
        format!("The commit of offset {at} reaches the group coordinator.")
    }

    fn late_arrives(&self, slot: u8) -> (&'static str, &'static str, String) {
        match self.before.limbo.requests[usize::from(slot)] {
            Late::Produce { record, .. } => {
                let who = name(record);
                let sentence = match self.appended() {
                    Some(offset) => format!(
                        "The late produce request of {who} reaches the broker, which appends it at offset {offset}{}.",
                        self.copies(record)
                    ),
                    None => format!(
                        "The late produce request of {who} reaches the broker, which does not append it again."
                    ),
                };
                ("broker", "late-produce-arrives", sentence)
            }
            Late::Commit { position, .. } => {
                let at = position.next.0;
                let sentence = if self.after.group.committed == Some(position) {
                    format!(
                        "The late commit of offset {at} reaches the group coordinator and is taken."
                    )
                } else {
                    format!(
                        "The late commit of offset {at} reaches the group coordinator, which refuses its generation."
                    )
                };
                ("group coordinator", "late-commit-arrives", sentence)
            }
        }
    }

    fn strike(&self, strike: Strike) -> (&'static str, &'static str, String) {
        match strike {
            Strike::ProducerCrash => ("producer", "crash", self.producer_crash()),
            Strike::ConsumerCrash => (
                "consumer",
                "crash",
                self.consumer_death("The consumer's process dies"),
            ),
            Strike::FailBefore => (
                "consumer",
                "fail",
                self.consumer_death("Handling fails before its effect and the process ends"),
            ),
            Strike::FailAfter => (
                "consumer",
                "fail",
                self.consumer_death("Handling fails late and the process ends"),
            ),
            Strike::SinkUnavailable => (
                "sink",
                "unavailable",
                self.consumer_death("The sink does not answer and did nothing; the process ends"),
            ),
            Strike::SinkAnswerLost => (
                "sink",
                "answer-lost",
                self.consumer_death(
                    "The sink did its work but its answer is lost; the process ends",
                ),
            ),
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

    fn producer_crash(&self) -> String {
        let lost: Vec<String> = (0..self.cluster.pipeline().bounds.records)
            .filter(|record| {
                self.after.producer.sending[usize::from(*record)] == Sending::Forgotten
                    && self.before.producer.sending[usize::from(*record)] == Sending::Pending
            })
            .map(name)
            .collect();
        let forgotten = if lost.is_empty() {
            String::new()
        } else {
            format!("; it forgets {}", lost.join(" and "))
        };
        format!("The producer's process dies and starts again with a new producer id{forgotten}.")
    }

    fn consumer_death(&self, what: &str) -> String {
        let consumer = &self.before.consumer;
        if consumer.phase != Phase::Handling {
            return format!("{what} between two polls.");
        }
        let operations = &self.cluster.program().operations;
        let index = usize::from(consumer.operation);
        let who = self.records_at_hand();
        let effect = if self.after.ledger.handled == self.before.ledger.handled {
            String::new()
        } else {
            format!(": {}", self.work_done())
        };
        let next = &operations[index].item;
        match index.checked_sub(1) {
            Some(done) => format!(
                "{what} after {} and before {next} of {who}{effect}.",
                operations[done].item
            ),
            None => format!("{what} before {next} of {who}{effect}."),
        }
    }

    fn power_loss(&self) -> String {
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

    fn wire_lost(&self) -> &'static str {
        if self.before.producer.flights.is_empty() {
            ""
        } else {
            "; the producer's connection breaks"
        }
    }

    /// The record that a produce fault strikes.
    fn struck(&self) -> String {
        let producer = &self.before.producer;
        producer
            .first_unhandled()
            .and_then(|index| producer.flights.get(index))
            .map_or(String::new(), |flight| name(flight.batch.record))
    }

    fn lost_with_it(&self) -> String {
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

    fn request_lost(&self, target: Target) -> String {
        match target {
            Target::Produce => format!(
                "The connection breaks: the produce request of {} never reaches the broker{}.",
                self.struck(),
                self.lost_with_it()
            ),
            Target::Commit => format!("The commit request is lost{}.", self.after_failed_commit()),
            Target::BackgroundCommit => "The commit on its way is lost.".into(),
            Target::Fetch
            | Target::Heartbeat
            | Target::Join
            | Target::OffsetFetch
            | Target::InitProducerId => {
                format!(
                    "A request ({}) is lost; the client repeats it.",
                    target.call().name()
                )
            }
        }
    }

    fn answer_lost(&self, target: Target) -> String {
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
            Target::Fetch
            | Target::Heartbeat
            | Target::Join
            | Target::OffsetFetch
            | Target::InitProducerId => {
                format!(
                    "An answer ({}) is lost; the client repeats the request.",
                    target.call().name()
                )
            }
        }
    }

    fn refused(&self, target: Target) -> String {
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
            Target::Fetch
            | Target::Heartbeat
            | Target::Join
            | Target::OffsetFetch
            | Target::InitProducerId => {
                format!(
                    "A request ({}) is refused with a retriable error; the client repeats it.",
                    target.call().name()
                )
            }
        }
    }

    fn delayed(&self, target: Target) -> String {
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
            Target::Fetch
            | Target::Heartbeat
            | Target::Join
            | Target::OffsetFetch
            | Target::InitProducerId => {
                format!(
                    "A request ({}) is held up; the client repeats it.",
                    target.call().name()
                )
            }
        }
    }

    fn after_failed_commit(&self) -> &'static str {
        match self.cluster.pipeline().consumer.on_commit_failure {
            OnCommitFailure::RetryLatest => "; the application will commit again",
            OnCommitFailure::Ignore => "; the application goes on",
        }
    }
}

/// The policy as Kafka writes it.
pub(super) fn reset_policy(reset: OffsetReset) -> &'static str {
    match reset {
        OffsetReset::Earliest => "earliest",
        OffsetReset::Latest => "latest",
        OffsetReset::None => "none",
    }
}
