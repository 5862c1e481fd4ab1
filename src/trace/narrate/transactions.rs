//! The producer's transactions, told.

use super::Scene;
use crate::trace::facts::{self, broker_name, name};
use semel_models::action::UnderWay;
use semel_models::broker::Standing;
use semel_models::limbo::Late;
use semel_models::producer::Sending;
use semel_models::producer::transactions::{Stage, Transactions};
use semel_models::replication::Replication;
use semel_models::set::Set;
use semel_models::transaction_coordinator::{Outcome, Phase, TransactionVersion};

/// Whose transaction it is, where two producers have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hop {
    /// The upstream's.
    Upstream,
    /// That of an output producer.
    Application,
}

impl Scene<'_> {
    /// Whether records and results are both sent in transactions.
    fn has_two_hops(&self) -> bool {
        let pipeline = self.cluster.pipeline();
        pipeline.producer.is_transactional() && pipeline.consumer.has_transactions()
    }

    /// Whose, where it could be either's.
    pub(super) fn of_two(&self, hop: Hop) -> &'static str {
        match hop {
            _ if !self.has_two_hops() => "",
            Hop::Upstream => " of the producer",
            Hop::Application => " of the consumer",
        }
    }

    fn transactions(&self) -> Option<(&Transactions, &Transactions)> {
        self.before
            .transactions
            .as_deref()
            .zip(self.after.transactions.as_deref())
    }

    /// What became of the producer in this step, beyond what its client asked for.
    pub(super) fn ended(&self) -> String {
        let Some((before, after)) = self.transactions() else {
            return String::new();
        };
        let restarts = after.stage == Stage::Starting && before.stage != Stage::Starting;
        match restarts {
            true => format!(
                " It cannot go on: its process ends and starts again{}.",
                self.forgotten()
            ),
            false => String::new(),
        }
    }

    /// The records that the producer forgets in a restart.
    pub(super) fn forgotten(&self) -> String {
        match self.became(Sending::Forgotten) {
            forgotten if forgotten.is_empty() => String::new(),
            forgotten => format!("; it forgets {forgotten}"),
        }
    }

    pub(super) fn init_producer_id(&self) -> String {
        let Some((before, after)) = self.transactions() else {
            return String::new();
        };
        let epoch = after.id.epoch;
        match (before.id.phase, after.id.phase) {
            (Phase::Ongoing, Phase::Prepared(_)) => format!(
                "The producer asks for its producer id; the coordinator finds a transaction open, fences it with producer epoch {epoch} and aborts it{}. The producer has to ask again.",
                self.aborted()
            ),
            _ if after.stage == Stage::Ready && before.stage == Stage::Raising => {
                format!("The coordinator raises the producer's epoch to {epoch}.")
            }
            _ if after.stage == Stage::Ready => {
                format!(
                    "The producer initialises its transactional id and gets producer epoch {epoch}{}.",
                    self.aborted()
                )
            }
            _ => format!(
                "The coordinator refuses the producer's epoch (PRODUCER_FENCED).{}",
                self.ended()
            ),
        }
    }

    pub(super) fn add_partitions(&self) -> String {
        match self.ended() {
            ended if ended.is_empty() => {
                "The producer adds the partition to its transaction.".into()
            }
            ended => format!(
                "The producer adds the partition to its transaction; the coordinator refuses its epoch (PRODUCER_FENCED).{ended}"
            ),
        }
    }

    pub(super) fn commit_transaction(&self) -> String {
        let sent = match self.transactions() {
            Some((before, _)) => names(&before.current),
            None => String::new(),
        };
        let who = match self.has_two_hops() {
            true => "The application upstream",
            false => "The application",
        };
        format!(
            "{who} calls commitTransaction() for {sent}, which waits until nothing is outstanding."
        )
    }

    pub(super) fn end_transaction(&self) -> String {
        let Some((before, after)) = self.transactions() else {
            return String::new();
        };
        let commits = before.stage != Stage::Aborting;
        let verb = if commits { "commit" } else { "abort" };
        let whose = match commits {
            true => format!(" of {}", names(&before.current)),
            false => String::new(),
        };
        let ended = self.ended();
        if !ended.is_empty() {
            return format!(
                "The producer asks for the {verb}{whose}; the coordinator refuses it ({}).{ended}",
                match before.id.phase {
                    Phase::Complete(_) | Phase::Empty if !self.is_fenced() => "INVALID_TXN_STATE",
                    _ => "PRODUCER_FENCED",
                }
            );
        }
        let decided = before.id.phase != after.id.phase;
        let again = match decided {
            true => "",
            false if before.ends_by_itself(self.cluster.pipeline()) => {
                return "The producer aborts; nothing was added to the transaction, so there is nothing to ask for.".into();
            }
            false => ", which the coordinator takes for a repeat",
        };
        match commits {
            true => format!(
                "The producer asks for the commit{whose}{again}; the commit is reported, and the application relies on {}.",
                names(&before.current)
            ),
            false => format!(
                "The producer asks for the abort{again}; the abort is reported{}.",
                self.done_again()
            ),
        }
    }

    /// Whether the coordinator has another epoch than the client.
    fn is_fenced(&self) -> bool {
        let epoch = Transactions::epoch(&self.before.producer, self.cluster.pipeline());
        let id = |transactions: &Transactions| transactions.id.epoch;
        let current = self.before.transactions.as_deref().map(id);
        current.is_some_and(|current| current > epoch + 1)
            || self.cluster.pipeline().rules.transactions.version == TransactionVersion::One
                && current != Some(epoch)
    }

    fn done_again(&self) -> String {
        let unsent = self.became(Sending::Unsent);
        match unsent.is_empty() {
            true => String::new(),
            false => format!(", and the application will send {unsent} again"),
        }
    }

    pub(super) fn write_marker(&self) -> String {
        let Some((before, _)) = self.transactions() else {
            return String::new();
        };
        let Some(marker) = before.id.markers().next() else {
            return String::new();
        };
        let which = facts::marker(marker.outcome);
        match (self.appended_by_leader(), self.appended()) {
            (Some((leader, offset)), _) => format!(
                "The coordinator has the {which} written by {}, at offset {offset}{}.",
                broker_name(leader),
                match self.is_marker_answered() {
                    true => self.decided(),
                    false => "; it waits for the in-sync replicas".into(),
                }
            ),
            (None, Some(offset)) => format!(
                "The coordinator has the {which} written, at offset {offset}{}.",
                self.decided()
            ),
            (None, None) => format!("The broker refuses the {which}: it knows a newer epoch."),
        }
    }

    /// The leader of several replicas that has appended something, and where.
    fn appended_by_leader(&self) -> Option<(u16, u16)> {
        let (before, after) = (
            self.before.replication.as_deref()?,
            self.after.replication.as_deref()?,
        );
        let leader = before.controller.leader?;
        let end = |replication: &Replication| replication.replica(leader).broker.log_end();
        (end(after) > end(before)).then(|| (leader, end(before)))
    }

    /// Whether the coordinator heard in this step that a marker is written.
    fn is_marker_answered(&self) -> bool {
        let is_open = |own: &Transactions| own.id.markers().next().is_some();
        self.transactions()
            .is_some_and(|(before, after)| is_open(before) && !is_open(after))
    }

    /// What became of a marker that waited for the in-sync replicas.
    pub(super) fn marker_answered(&self) -> String {
        let waited = |(before, after): &(&Transactions, &Transactions)| {
            before.replicating.is_some() && after.replicating.is_none()
        };
        let Some((before, _)) = self.transactions().filter(waited) else {
            return String::new();
        };
        let outcome = before.id.markers().next().map(|marker| marker.outcome);
        let which = facts::marker(outcome.unwrap_or_default());
        match self.is_marker_answered() {
            true => format!(" The high watermark passes the {which}{}.", self.decided()),
            false => format!(" The coordinator will have the {which} written once more."),
        }
    }

    /// The records whose transaction a marker ends in the log.
    fn decided(&self) -> String {
        let log_end = self
            .before
            .broker
            .log_end()
            .min(self.after.broker.log_end());
        let ended = (0..log_end).filter(|offset| {
            self.before.broker.standing(*offset) == Standing::Open
                && self.after.broker.standing(*offset) != Standing::Open
        });
        let log = &self.before.broker.log;
        let records: Vec<String> = ended
            .map(|offset| name(log[usize::from(offset)].record))
            .collect();
        match records.is_empty() {
            true => String::new(),
            false => format!(": the end of the transaction of {}", records.join(" and ")),
        }
    }

    pub(super) fn time_out_transaction(&self) -> String {
        format!(
            "transaction.timeout.ms passes: the coordinator aborts the transaction{}{}{}.",
            self.of_two(Hop::Upstream),
            self.fenced(),
            self.aborted()
        )
    }

    fn fenced(&self) -> String {
        let Some((before, after)) = self.transactions() else {
            return String::new();
        };
        match after.id.epoch > before.id.epoch {
            true => format!(
                " and fences its producer with producer epoch {}",
                after.id.epoch
            ),
            false => ", and its producer keeps its epoch".into(),
        }
    }

    /// The records that count as aborted from this step on.
    fn aborted(&self) -> String {
        let newly: Set = self
            .after
            .ledger
            .aborted
            .iter()
            .filter(|record| !self.before.ledger.is_aborted(*record))
            .collect();
        match newly.is_empty() {
            true => String::new(),
            false => format!("; {} is aborted", names(&newly)),
        }
    }

    pub(super) fn abort_transaction(&self) -> String {
        let sent = match self.transactions() {
            Some((before, _)) => names(&before.current),
            None => String::new(),
        };
        let who = match self.has_two_hops() {
            true => "The application upstream",
            false => "The application",
        };
        format!("{who} aborts its transaction, in which it has sent {sent}.")
    }

    pub(super) fn crash_at_end(&self) -> String {
        let sent = match self.transactions() {
            Some((before, _)) => names(&before.current),
            None => String::new(),
        };
        format!(
            "The transaction coordinator ends the transaction of {sent}, and the producer's process dies before it hears of that; it starts again{}.",
            self.aborted()
        )
    }

    /// The transaction coordinator moves, and with what was under way.
    pub(super) fn transactions_fail_over(&self, under_way: UnderWay) -> String {
        let fate = match under_way {
            UnderWay::Lost => String::new(),
            UnderWay::Written => format!(
                " What the producer asked the old one for was written there; its client asks again{}.",
                self.aborted()
            ),
            UnderWay::Marker => {
                " The old one had a marker written and has not noted it: it is to be written again."
                    .into()
            }
        };
        format!(
            "The transaction coordinator moves to another broker, which reads the transaction log.{fate}"
        )
    }

    pub(super) fn coordinator_request_lost(&self, call: &str) -> String {
        format!(
            "The connection to the transaction coordinator breaks: a request ({call}){} is lost, and the client repeats it.",
            self.of_two(Hop::Upstream)
        )
    }

    pub(super) fn coordinator_answer_lost(&self, call: &str) -> String {
        format!(
            "The transaction coordinator acts on a request ({call}){}, and its answer is lost; the client will repeat it{}.",
            self.of_two(Hop::Upstream),
            self.aborted()
        )
    }

    pub(super) fn coordinator_request_refused(&self, call: &str) -> String {
        format!(
            "The transaction coordinator refuses a request ({call}){} with a retriable error; the client repeats it.",
            self.of_two(Hop::Upstream)
        )
    }

    pub(super) fn coordinator_request_delayed(&self, call: &str) -> String {
        format!(
            "A request to the transaction coordinator ({call}){} is held up; the client gives its connection up and will repeat it over another one.",
            self.of_two(Hop::Upstream)
        )
    }

    /// A late request reaches the coordinator.
    pub(super) fn late_call_arrives(&self, late: Late) -> (&'static str, &'static str, String) {
        let Some((before, after)) = self.transactions() else {
            return (
                "transaction coordinator",
                "late-call-arrives",
                String::new(),
            );
        };
        let (action, what) = match late {
            Late::InitProducerId { .. } => ("late-init-producer-id-arrives", "InitProducerId"),
            Late::AddPartitions { .. } => ("late-add-partitions-arrives", "AddPartitionsToTxn"),
            Late::EndTransaction {
                outcome: Outcome::Commit,
                ..
            } => ("late-commit-of-transaction-arrives", "EndTxn (commit)"),
            Late::EndTransaction {
                outcome: Outcome::Abort,
                ..
            } => ("late-abort-of-transaction-arrives", "EndTxn (abort)"),
            Late::Produce { .. }
            | Late::Commit { .. }
            | Late::Output { .. }
            | Late::Result { .. }
            | Late::Call { .. } => ("", ""),
        };
        let open = names(&before.undecided);
        let then = match (before.id.phase, after.id.phase) {
            (before, after) if before == after => match self.raises_epoch() {
                true => ", which raises the producer's epoch".to_string(),
                false => ", which changes nothing".to_string(),
            },
            (Phase::Ongoing, Phase::Prepared(Outcome::Commit)) => {
                format!(", which commits the open transaction of {open}")
            }
            (Phase::Ongoing, Phase::Prepared(Outcome::Abort)) => {
                format!(", which aborts the open transaction of {open}")
            }
            (_, Phase::Ongoing) => ", which begins a transaction".to_string(),
            (_, Phase::Empty) => ", which raises the producer's epoch".to_string(),
            (_, Phase::Unknown | Phase::Prepared(_) | Phase::Complete(_)) => {
                ", which ends an empty transaction".to_string()
            }
        };
        let whose = self.of_two(Hop::Upstream);
        let sentence = format!("The late {what}{whose} reaches the transaction coordinator{then}.");
        ("transaction coordinator", action, sentence)
    }

    fn raises_epoch(&self) -> bool {
        self.transactions()
            .is_some_and(|(before, after)| after.id.epoch > before.id.epoch)
    }

    /// The records that have come to stand so in this step.
    fn became(&self, sending: Sending) -> String {
        let newly = |record: &u16| {
            let index = usize::from(*record);
            self.after.producer.sending[index] == sending
                && self.before.producer.sending[index] != sending
        };
        let records: Set = (0..self.cluster.pipeline().bounds.records)
            .filter(newly)
            .collect();
        match records.is_empty() {
            true => String::new(),
            false => names(&records),
        }
    }
}

fn names(records: &Set) -> String {
    let records: Vec<String> = records.iter().map(name).collect();
    match records.is_empty() {
        true => "nothing".into(),
        false => records.join(" and "),
    }
}
