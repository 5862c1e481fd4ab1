//! The consumer's side, told.

use super::{Scene, reset_policy};
use crate::trace::facts::name;
use semel_models::cluster::State;
use semel_models::consumer::Phase;
use semel_models::order::{Item, Step};
use semel_models::pipeline::Effect;
use semel_models::program::{Operation, Scope};

impl Scene<'_> {
    pub(super) fn join(&self) -> String {
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

    pub(super) fn relocate(&self) -> String {
        let from = self.before.consumer.position().next.0;
        if self.after.consumer.phase == Phase::Down {
            return format!(
                "Offset {from} is no longer valid and auto.offset.reset=none: the poll throws and the consumer's process ends."
            );
        }
        let to = self.after.consumer.position().next.0;
        format!("Offset {from} is no longer valid: the consumer reads on from offset {to}.")
    }

    pub(super) fn poll(&self, count: u8) -> String {
        let first = self.before.consumer.position().next.0;
        let records: Vec<String> = (first..first + count)
            .map(|offset| {
                let record = self.before.broker.log[usize::from(offset)].record;
                let again = if self.before.ledger.is_handled(record) {
                    "; its effect already took place"
                } else {
                    ""
                };
                format!("{} (offset {offset}{again})", name(record))
            })
            .collect();
        format!("A poll returns {}.", records.join(" and "))
    }

    /// The operation that the consumer stands at.
    pub(super) fn operation(&self) -> &Operation {
        &self.cluster.program().operations[usize::from(self.before.consumer.operation)]
    }

    pub(super) fn records_at_hand(&self) -> String {
        let consumer = &self.before.consumer;
        let names: Vec<String> = match self.operation().scope {
            Scope::Record { .. } => vec![name(consumer.hand[usize::from(consumer.cursor)])],
            Scope::Poll => consumer.hand.iter().map(|record| name(*record)).collect(),
        };
        names.join(" and ")
    }

    pub(super) fn operate(&self) -> String {
        let operation = self.operation();
        match &operation.item {
            Item::Step(step) => self.single_step(*step),
            Item::Each(_) | Item::Database(_) | Item::Kafka(_) => {
                format!(
                    "{} of {} is committed to the database: {}.",
                    operation.item,
                    self.records_at_hand(),
                    self.work_done()
                )
            }
        }
    }

    pub(super) fn single_step(&self, step: Step) -> String {
        let who = self.records_at_hand();
        let committed = |state: &State| state.group.committed.map_or(0, |at| at.next.0);
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

    pub(super) fn is_skipped(&self) -> bool {
        let consumer = &self.before.consumer;
        consumer.skipped & (1 << consumer.cursor) != 0
    }

    pub(super) fn became_skipped(&self) -> bool {
        // The record may be done with the step; what counts is that the store knew it before.
        let consumer = &self.before.consumer;
        let key = consumer.dedup_key(consumer.cursor, self.cluster.pipeline());
        self.before.dedup_store(self.cluster.pipeline()) & key != 0
    }

    /// What the operation changed in the sink.
    pub(super) fn work_done(&self) -> String {
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
        if self.after.sink.seen != self.before.sink.seen {
            work.push("the dedup store has the record".into());
        }
        if self.after.sink.saved != self.before.sink.saved {
            let at = self.after.sink.saved.map_or(0, |at| at.0);
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

    pub(super) fn commit_automatically(&self) -> String {
        let at = self.after.consumer.pending.map_or(0, |at| at.next.0);
        format!("enable.auto.commit: the client sends a commit of offset {at} on its own.")
    }

    pub(super) fn commit_arrives(&self) -> String {
        let at = self.before.consumer.pending.map_or(0, |at| at.next.0);
        format!("The commit of offset {at} reaches the group coordinator.")
    }
}
