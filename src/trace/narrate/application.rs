//! The consumer's side, told.

use super::{ConsumerScene, letter, partitions};
use crate::trace::facts::name;
use semel_models::action::ConsumerStep;
use semel_models::cluster::State;
use semel_models::consumer::{Phase, Recovery, dedup_key};
use semel_models::offset::Offset;
use semel_models::order::{Item, Step};
use semel_models::pipeline::{DedupInsert, Effect};
use semel_models::program::{Operation, Scope};

impl ConsumerScene<'_> {
    pub(super) fn step(&self, does: ConsumerStep) -> (&'static str, &'static str, String) {
        const COORDINATOR: &str = "group coordinator";
        match does {
            ConsumerStep::Join { to } => ("consumer", "join", self.join(to)),
            ConsumerStep::InitTransactions => (
                "consumer",
                "init-transactions",
                self.inits_transactions(self.who),
            ),
            ConsumerStep::TakeOver => (COORDINATOR, "assign", self.take_over()),
            ConsumerStep::FetchOffset => ("consumer", "fetch-offset", self.fetch_offset()),
            ConsumerStep::Rejoin => ("consumer", "rejoin", self.rejoin()),
            ConsumerStep::Leave => ("consumer", "leave", self.leave()),
            ConsumerStep::NoticeLoss => ("consumer", "notice-loss", self.notice_loss()),
            ConsumerStep::Relocate => ("consumer", "relocate", self.relocate()),
            ConsumerStep::Poll(count) => ("consumer", "poll", self.poll(count)),
            ConsumerStep::Discover => ("consumer", "discover-partition", self.discover()),
            ConsumerStep::PollOther(_) | ConsumerStep::RelocateOther => {
                unreachable!("told as in the first partition")
            }
            ConsumerStep::PollBoth(both) => ("consumer", "poll", self.poll_both(both)),
            ConsumerStep::PollRetries => ("consumer", "poll-retries", self.poll_retries()),
            ConsumerStep::Operate => ("consumer", "operate", self.operate()),
            ConsumerStep::Work(task) => ("worker", "work", self.work(task)),
            ConsumerStep::Drop(task) => ("consumer", "drop", self.drop_task(task)),
            ConsumerStep::CommitDone => ("consumer", "commit-done", self.commit_done()),
            ConsumerStep::WriteFailed => ("consumer", "write-failed", self.write_failed()),
            ConsumerStep::CommitSaved => ("consumer", "commit-saved", self.commit_saved()),
            ConsumerStep::HandleCommit => (
                COORDINATOR,
                "handle-commit",
                format!(
                    "The commit{} reaches the group coordinator.",
                    self.of_whom()
                ),
            ),
            ConsumerStep::ReceiveCommitAnswer => (
                "consumer",
                "receive-commit-answer",
                format!("The answer to the commit reaches the {}.", self.name()),
            ),
            ConsumerStep::CommitAutomatically => (
                "consumer",
                "commit-automatically",
                self.commit_automatically(),
            ),
            ConsumerStep::CommitArrives => (COORDINATOR, "commit-arrives", self.commit_arrives()),
            ConsumerStep::ResultArrives(place) => {
                ("broker", "result-arrives", self.result_arrives(place))
            }
            ConsumerStep::ResultExpires { appended } => {
                ("consumer", "result-expires", self.result_expires(appended))
            }
        }
    }

    /// Its name in the middle of a sentence.
    pub(super) fn name(&self) -> String {
        match letter(self.cluster, self.who) {
            Some(letter) => format!("consumer {letter}"),
            None => "consumer".into(),
        }
    }

    pub(super) fn relocate(&self) -> String {
        let from = self.before().position().next.0;
        if self.after().phase == Phase::Down {
            return format!(
                "Offset {from} is no longer valid and auto.offset.reset=none: the poll throws and the {}'s process ends.",
                self.name()
            );
        }
        let to = self.after().position().next.0;
        format!(
            "Offset {from} is no longer valid: the {} reads on from offset {to}.",
            self.name()
        )
    }

    pub(super) fn poll(&self, count: u16) -> String {
        let broker = &self.scene.before.broker;
        let isolation = self.cluster.pipeline().isolation();
        if count == 0 {
            return format!(
                "A poll{} returns nothing and passes over what has no record up to offset {}.",
                self.of_whom(),
                broker.readable_end(isolation)
            );
        }
        let handed = if self.cluster.pipeline().consumer.workers > 0 {
            ", handed to the workers"
        } else {
            ""
        };
        format!(
            "A poll{} returns {}{handed}.",
            self.of_whom(),
            self.polled(count).join(" and ")
        )
    }

    /// The records that a poll returns.
    pub(super) fn polled(&self, count: u16) -> Vec<String> {
        let first = self.before().position().next.0;
        let isolation = self.cluster.pipeline().isolation();
        self.scene
            .before
            .broker
            .visible_from(first, isolation)
            .take(usize::from(count))
            .map(|(Offset(offset), entry)| {
                let record = entry.record;
                let again = if self.scene.before.ledger.is_handled(record) {
                    "; its effect already took place"
                } else {
                    ""
                };
                format!("{} (offset {offset}{again})", name(record))
            })
            .collect()
    }

    fn poll_retries(&self) -> String {
        let record = self.after().hand.first().copied().unwrap_or_default();
        format!(
            "A poll of the retry topic{} returns {}.",
            self.of_whom(),
            name(record)
        )
    }

    /// The operation that the consumer stands at.
    pub(super) fn operation(&self) -> &Operation {
        &self.cluster.program().operations[usize::from(self.before().operation)]
    }

    pub(super) fn records_at_hand(&self) -> String {
        let consumer = self.before();
        let names: Vec<String> = match self.operation().scope {
            Scope::Record { .. } => vec![name(consumer.hand[usize::from(consumer.cursor)])],
            Scope::Poll => consumer.hand.iter().map(|record| name(*record)).collect(),
        };
        names.join(" and ")
    }

    pub(super) fn operate(&self) -> String {
        let operation = self.operation();
        if self.before().recovery == Recovery::Commit {
            return self.commit_before_write();
        }
        if let Some(step) = operation.output_step() {
            return self
                .failed_again()
                .unwrap_or_else(|| self.output_call(step));
        }
        if let Some(sentence) = self
            .unsent_commit()
            .or_else(|| self.refused_commit())
            .or_else(|| self.failed_again())
        {
            return sentence;
        }
        if self.was_refused() {
            return self.refused_write(&operation.item, &self.records_at_hand());
        }
        if self.before().looked.is_none() && self.after().looked.is_some() {
            let found = self.after().looked != Some(0);
            return self.looked_up(operation, &self.records_at_hand(), found);
        }
        match &operation.item {
            Item::Step(step) => self.single_step(*step),
            Item::Each(_) | Item::Database(_) | Item::Kafka(_)
                if matches!(operation.scope, Scope::Record { .. })
                    && self.is_skipped()
                    && self.scene.after.sink == self.scene.before.sink =>
            {
                format!(
                    "{}{} is skipped: {} does nothing.",
                    self.whose(),
                    self.records_at_hand(),
                    operation.item
                )
            }
            Item::Each(_) | Item::Database(_) | Item::Kafka(_) => {
                format!(
                    "{}{} of {} is committed to the database: {}.",
                    self.whose(),
                    operation.item,
                    self.records_at_hand(),
                    self.work_done()
                )
            }
        }
    }

    /// Its letter before a step, where there are two consumers.
    pub(super) fn whose(&self) -> String {
        letter(self.cluster, self.who).map_or(String::new(), |letter| format!("{letter}: "))
    }

    pub(super) fn looked_up(&self, operation: &Operation, records: &str, found: bool) -> String {
        let what = if records.contains(" and ") {
            "them"
        } else {
            "it"
        };
        let found = if found {
            format!("finds {what}")
        } else {
            format!("does not find {what}")
        };
        format!(
            "{}{} of {records} begins: its look-up {found} in the dedup store.",
            self.whose(),
            operation.item
        )
    }

    pub(super) fn single_step(&self, step: Step) -> String {
        format!("{}{}", self.whose(), self.plain_step(step))
    }

    fn plain_step(&self, step: Step) -> String {
        let who = self.records_at_hand();
        match step {
            Step::Process if self.is_skipped() => {
                format!("{who} is skipped: its effect does not take place.")
            }
            Step::Process => format!("process: {}.", self.work_done()),
            Step::SkipIfSeen if self.became_skipped() => {
                format!("skip-if-seen: the dedup store knows {who}; it will be skipped.")
            }
            Step::SkipIfSeen => format!("skip-if-seen: the dedup store does not know {who}."),
            Step::Remember if self.is_skipped() => {
                format!("{who} is skipped: it is not inserted.")
            }
            Step::Remember
                if self.became_skipped()
                    && self.cluster.pipeline().sink.dedup_insert == DedupInsert::Plain =>
            {
                format!(
                    "remember: the dedup store has {who} already; a plain insert says nothing of that, and handling goes on."
                )
            }
            Step::Remember if self.became_skipped() => {
                format!("remember: the unique insert of {who} conflicts; it will be skipped.")
            }
            Step::Remember => format!("remember: {who} is in the dedup store."),
            Step::Commit => format!("commit: {}.", self.committed()),
            Step::CommitAsync => {
                let at = self.after().pending.map_or(0, |at| at.next.0);
                format!("commit-async: a commit of offset {at} is on its way.")
            }
            Step::SaveOffset => {
                let at = self.scene.after.sink.saved.map_or(0, |at| at.0);
                format!("save-offset: the sink's database holds offset {at}.")
            }
            Step::StoreOffset => {
                let partition = usize::from(self.scene.before.has_other_in_hand(self.who));
                let mut stored = self.scene.after.stored_offsets(self.who);
                stored[1 - partition] = None;
                let offsets = partitions::offsets(stored);
                format!("store-offset: the background commit may commit {offsets}.")
            }
            Step::Produce | Step::ProduceAsync | Step::Flush => {
                format!("{} of {who}.", step.name())
            }
        }
    }

    pub(super) fn is_skipped(&self) -> bool {
        let consumer = self.before();
        consumer.skipped & (1 << consumer.cursor) != 0
    }

    pub(super) fn became_skipped(&self) -> bool {
        // The record may be done with the step; what counts is that the store knew it before.
        let consumer = self.before();
        let record = consumer.hand[usize::from(consumer.cursor)];
        self.store_knows(record, consumer.offset(consumer.cursor))
    }

    /// Whether the dedup store knew the record that was read at `offset`.
    pub(super) fn store_knows(&self, record: u16, offset: Offset) -> bool {
        let pipeline = self.cluster.pipeline();
        let store = self.scene.before.dedup_store(self.who, pipeline);
        store.knows(dedup_key(record, offset, pipeline))
    }

    /// Every record once, those in hand first.
    fn in_the_order_of_the_hand(&self) -> Vec<u16> {
        let all = 0..self.cluster.pipeline().bounds.records;
        let mut records: Vec<u16> = Vec::new();
        for record in self.before().hand.iter().copied().chain(all) {
            if !records.contains(&record) {
                records.push(record);
            }
        }
        records
    }

    /// What the operation changed in the sink.
    pub(super) fn work_done(&self) -> String {
        let mut work = Vec::new();
        for record in self.in_the_order_of_the_hand() {
            let times = |state: &State| state.ledger.handled[usize::from(record)];
            let how_often = match (times(self.scene.before), times(self.scene.after)) {
                (0, 1) => "",
                (0, 2) => " twice",
                (1, 2) => " a second time",
                _ => continue,
            };
            let what = match self.cluster.pipeline().consumer.only_produces() {
                true => "result",
                false => "effect",
            };
            work.push(format!(
                "the {what} of {} takes place{how_often}",
                name(record)
            ));
        }
        if self.scene.after.sink.seen != self.scene.before.sink.seen {
            work.push("the dedup store has the record".into());
        }
        if self.scene.after.ledger.superseded != self.scene.before.ledger.superseded {
            work.push("the row holds a newer record and stays as it is".into());
        }
        if self.scene.after.sink.saved != self.scene.before.sink.saved {
            let at = self.scene.after.sink.saved.map_or(0, |at| at.0);
            work.push(format!("offset {at} is saved"));
        }
        let with_keys = Effect::External {
            idempotency_key: true,
        };
        if work.is_empty() && self.cluster.pipeline().sink.effect == with_keys {
            work.push("the provider recognises the call by its key and does nothing again".into());
        } else if work.is_empty() {
            work.push("nothing changes".into());
        }
        work.join(" and ")
    }
}
