//! What comes late to one of several replicas, or leaves it with time, told.

use super::Scene;
use super::replicas::replication;
use crate::trace::facts::{broker_name, brokers, name};
use semel_models::pipeline::Isolation;
use semel_models::replication::Members;

impl Scene<'_> {
    /// A producer id expires at some brokers.
    pub(super) fn forget_producer_at(&self, session: u16, who: Members) -> String {
        let verb = match who.len() {
            1 => "forgets",
            _ => "forget",
        };
        let whose = self.producer_id(session);
        format!(
            "producer.id.expiration.ms passes without a record of it: {} {verb} {whose}.",
            brokers(who)
        )
    }

    /// The oldest record leaves the logs of some brokers.
    pub(super) fn retention_at(&self, who: Members) -> String {
        let first = who.iter().next().unwrap_or_default();
        let log = self.log_before(first);
        let start = self.log_after(first).log_start();
        let gone = (log.log_start()..start).rev();
        let gone = gone.map(|offset| &log.log[usize::from(offset)]);
        let gone = gone
            .filter(|entry| entry.is_record())
            .map(|entry| name(entry.record));
        let gone: String = gone.take(1).collect();
        let (logs, begin) = match who.len() {
            1 => ("log", "begins"),
            _ => ("logs", "begin"),
        };
        format!(
            "Retention removes {gone} from the {logs} of {}, which {begin} at offset {start} now.",
            brokers(who)
        )
    }

    /// The log cleaners of some brokers remove records.
    pub(super) fn compaction_at(&self, who: Members) -> String {
        let mut told: Vec<(String, Members)> = Vec::new();
        for broker in who.iter() {
            let gone = self.cleaned(self.log_before(broker), self.log_after(broker));
            match told.iter_mut().find(|(own, _)| *own == gone) {
                Some((_, brokers)) => brokers.extend([broker]),
                None => told.push((gone, Members::default().with(broker))),
            }
        }
        let told: Vec<String> = told
            .into_iter()
            .map(|(gone, who)| match who.len() {
                1 => format!("log cleaner of {} removes {gone}", brokers(who)),
                _ => format!("log cleaners of {} remove {gone}", brokers(who)),
            })
            .collect();
        format!("The {}.", told.join(", and the "))
    }

    /// A produce request arrives late at a broker.
    pub(super) fn late_arrives_at(&self, who: u16, record: u16) -> String {
        let before = self.log_before(who);
        let does = if self.log_after(who).log_end() > before.log_end() {
            let again = match before.holds_from(record, 0, Isolation::ReadUncommitted) {
                true => ", a second entry of the same record",
                false => "",
            };
            let deposed = match replication(self.before).is_deposed(who) {
                true => " has not heard that it no longer leads, and",
                false => "",
            };
            let end = before.log_end();
            format!("which{deposed} appends it at offset {end}{again}")
        } else if replication(self.before).leads(who) {
            "which does not append it".into()
        } else {
            "which does not lead and refuses it (NOT_LEADER_OR_FOLLOWER)".into()
        };
        format!(
            "The late produce request of {} reaches {}, {does}.{}",
            name(record),
            broker_name(who),
            self.confirmed_by_replicas()
        )
    }
}
