//! Late calls of output producers about their transactions, told.

use super::Scene;
use semel_models::limbo::TransactionCall;
use semel_models::output::{Output, PendingOffset};
use semel_models::transaction_coordinator::{Outcome, Part, Phase};

impl Scene<'_> {
    /// A late call of an output producer reaches its coordinator.
    pub(super) fn late_transaction_call(
        &self,
        id: u16,
        call: TransactionCall,
    ) -> (&'static str, &'static str, String) {
        const COORDINATOR: &str = "transaction coordinator";
        match call {
            TransactionCall::Start => (
                COORDINATOR,
                "late-init-producer-id-arrives",
                self.late_start(id),
            ),
            TransactionCall::Add(Part::Offsets) => (
                COORDINATOR,
                "late-add-offsets-arrives",
                self.late_add(id, "AddOffsetsToTxn"),
            ),
            TransactionCall::Add(Part::Input | Part::Output) => (
                COORDINATOR,
                "late-add-partitions-arrives",
                self.late_add(id, "AddPartitionsToTxn"),
            ),
            TransactionCall::Offsets { position, .. } => (
                "group coordinator",
                "late-offsets-arrive",
                self.late_offsets(id, position.next.0),
            ),
            TransactionCall::End(outcome) => {
                (COORDINATOR, "late-end-arrives", self.late_end(id, outcome))
            }
        }
    }

    fn late_start(&self, id: u16) -> String {
        let does = match self.transaction_before(id).phase {
            Phase::Prepared(_) => {
                "refuses it, for the end of a transaction is being written".into()
            }
            Phase::Ongoing => format!(
                "takes it for another start: {} is aborted{}{}, and its producer is fenced",
                self.transaction_of(id),
                self.aborted_results(id),
                self.newly_seen()
            ),
            Phase::Unknown | Phase::Empty | Phase::Complete(_) => {
                "takes it for another start, and raises the epoch: who has the one before is fenced"
                    .into()
            }
        };
        format!(
            "The late InitProducerId of a process that had started reaches the coordinator, which {does}."
        )
    }

    fn late_add(&self, id: u16, call: &str) -> String {
        let (before, after) = (&self.before.output, &self.after.output);
        let transaction = |output: &Option<Box<Output>>| {
            let own = output
                .as_deref()
                .map(|own| own.transactions.get(usize::from(id)).copied());
            own.flatten().unwrap_or_default()
        };
        let (before, after) = (transaction(before), transaction(after));
        let does = match (before.phase, after.phase) {
            (Phase::Ongoing, Phase::Ongoing) if before.added != after.added => {
                "which adds to the transaction that is open"
            }
            (Phase::Ongoing, _) => "which has that in the transaction already",
            (_, Phase::Ongoing) => "which begins a transaction with it, and nobody knows of that",
            _ => "which refuses it",
        };
        format!("The late {call} reaches the coordinator, {does}.")
    }

    pub(super) fn late_offsets(&self, id: u16, at: u16) -> String {
        let is_taken = |own: &PendingOffset| (own.id, own.position.next.0) == (id, at);
        let output = self.after.output.as_ref();
        let taken = output.is_some_and(|output| output.pending.iter().any(is_taken));
        let transaction = self.transaction_before(id);
        let then = match transaction.phase {
            _ if !taken => "refuses it",
            Phase::Ongoing if transaction.added.contains(Part::Offsets) => {
                "takes it as one of the transaction that is open now"
            }
            Phase::Prepared(_) if transaction.added.contains(Part::Offsets) => {
                "takes it as one of the transaction that is about to end"
            }
            _ => {
                "takes it, although no transaction has these offsets in it: it stays pending until another one of the same id ends that has"
            }
        };
        format!(
            "The late TxnOffsetCommit of offset {at} reaches the group coordinator, which {then}."
        )
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
        let gone = match outcome {
            Outcome::Commit => String::new(),
            Outcome::Abort => self.aborted_results(id),
        };
        match phase(&self.before.output) != phase(&self.after.output) {
            true => format!(
                "The late EndTxn reaches the coordinator, which {what} {}{gone}{}: it was meant for the transaction before, and both have one epoch.",
                self.transaction_of(id),
                self.newly_seen()
            ),
            false => "The late EndTxn reaches the coordinator and changes nothing.".into(),
        }
    }
}
