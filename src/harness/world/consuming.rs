//! What polls and commits do, once it is decided what happens to them.

use super::{Met, OnAssign, SIZE_OF_POLL, World};
use crate::harness::coverage::Situation;
use crate::harness::error::KafkaError;
use crate::harness::kafka::Record;
use crate::harness::schedule::Action;
use crate::harness::story::Entry;
use crate::lab::{NextOffset, Offset};

impl World {
    /// A poll joins the group where the process is no member. Returns what the service does then.
    pub(in crate::harness) fn join(&mut self, who: usize) -> Result<Option<OnAssign>, KafkaError> {
        if self.is_member(who) {
            return Ok(None);
        }
        self.wait_for_stable_offsets(who)?;
        let generation = self.broker.join();
        self.record(Entry::Generation(generation.0));
        let position = self.broker.start(self.clients.reset);
        let process = &mut self.processes[who];
        process.generation = Some(generation);
        process.position = Some(position);
        let from = position.0;
        let depth = self.depth();
        let committed = match self.broker.committed() {
            Some(_) => "the committed offset",
            None => "no offset is committed",
        };
        self.note(
            depth,
            format!("It joins the group and reads from offset {from} ({committed})."),
        );
        Ok(self.processes[who].on_assign.take())
    }

    /// The poll itself; `seek`: where the service wants to read on.
    pub(in crate::harness) fn poll(
        &mut self,
        who: usize,
        met: &Met,
        seek: Option<NextOffset>,
    ) -> Result<Vec<Record>, KafkaError> {
        self.commit_arrives(who)?;
        let from = seek.or(self.processes[who].position).unwrap_or_default();
        if seek.is_some() {
            self.note(self.depth(), format!("It seeks to offset {}.", from.0));
        }
        let (from, available) = match self.broker.available(from) {
            Some(available) => (from, available),
            None => {
                let from = self.broker.reset(self.clients.reset);
                (from, self.broker.available(from).unwrap_or(0))
            }
        };
        let most = available.min(u64::from(self.clients.max_poll_records)) as u32;
        let size = self.size_of_poll(who, met, most)?;
        let fetched = self.broker.fetch(from, size as usize);
        let records = self.stored(who, fetched)?;
        self.processes[who].position = Some(NextOffset(from.0 + records.len() as u64));
        self.tell_poll(met, &records);
        self.empty = records.is_empty();
        let ids = records.iter().map(|record| record.id.0).collect();
        self.record(Entry::Polled(ids));
        Ok(records)
    }

    fn size_of_poll(&mut self, who: usize, met: &Met, most: u32) -> Result<u32, KafkaError> {
        if most < 2 {
            return Ok(most);
        }
        let sizes = (1..most).map(Action::Poll).collect();
        if met.step != self.steps {
            // It stood still, and another instance has called since.
            self.steps += 1;
        }
        let label = format!("poll of up to {most}");
        let chosen = self
            .choose(who, label.clone(), SIZE_OF_POLL.into(), sizes)?
            .chosen;
        Ok(match chosen {
            Some(Action::Poll(size)) => size,
            Some(_) | None => most,
        })
    }

    fn tell_poll(&mut self, met: &Met, records: &[Record]) {
        let mut told = Vec::new();
        for record in records {
            let again = !self.delivered.insert(record.id);
            let settled = self.settled.contains(&record.id);
            if again {
                self.reach(Situation::Redelivered);
            }
            if settled {
                self.reach(Situation::RedeliveredAfterEffect);
            }
            let Offset(offset) = record.offset;
            let already = if settled {
                "; its effect already took place"
            } else {
                ""
            };
            told.push(format!("r{} (offset {offset}{already})", record.id.0));
        }
        let text = match told.is_empty() {
            true => "A poll returns nothing.".to_owned(),
            false => format!("A poll returns {}.", told.join(", ")),
        };
        self.tell(met, text);
    }

    /// What is on its way reaches the coordinators: a commit, and the end of a transaction.
    pub(in crate::harness) fn commit_arrives(&mut self, who: usize) -> Result<(), KafkaError> {
        if let Some((generation, next)) = self.processes[who].unsent.take() {
            let taken = self.broker.commit(generation, next);
            self.stored(who, taken)?;
        }
        self.end_arrives(who)
    }

    /// A commit that the service waits for.
    pub(in crate::harness) fn commit(
        &mut self,
        who: usize,
        met: &Met,
        next: Option<NextOffset>,
    ) -> Result<(), KafkaError> {
        self.commit_arrives(who)?;
        let (Some(next), Some(generation)) = (next, self.processes[who].generation) else {
            self.tell(met, "Commit: there is nothing to commit.".into());
            return Ok(());
        };
        if met.chosen == Some(Action::RequestLost) {
            self.reach(Situation::RequestLost);
            self.tell(
                met,
                "Commit: the request is lost, and a timeout is reported.".into(),
            );
            return Err(KafkaError::TimedOut);
        }
        let taken = self.broker.commit(generation, next);
        if !self.stored(who, taken)? {
            self.reach(Situation::CommitRefused);
            let text = "Commit: refused, for the partition belongs to another member.";
            self.tell(met, text.into());
            return Err(KafkaError::CommitFailed);
        }
        let text = format!("Commit: the group's committed offset is {}", next.0);
        self.answer(who, met, text)
    }

    /// A commit that nobody waits for.
    pub(in crate::harness) fn commit_async(
        &mut self,
        who: usize,
        met: &Met,
        next: Option<NextOffset>,
    ) {
        let process = &mut self.processes[who];
        let text = match (next, process.generation) {
            (Some(next), Some(_)) if met.chosen == Some(Action::RequestLost) => {
                format!("A commit of offset {} is lost on its way.", next.0)
            }
            (Some(next), Some(generation)) => {
                process.unsent = Some((generation, next));
                format!("A commit of offset {} is on its way.", next.0)
            }
            _ => "Commit: there is nothing to commit.".into(),
        };
        self.tell(met, text);
    }
}
