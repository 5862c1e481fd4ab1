//! The judge: from what was sent and what took effect to what is wrong.
//!
//! It sees one run's end and nothing else: no schedule, no file, no broker.

use super::world::Clients;
use crate::lab::RecordId;
use semel_models::guarantee::Guarantee;
use semel_models::pipeline::Acks;
use std::collections::BTreeMap;

/// What is known at the end of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    /// What was sent and confirmed, in send order, each with its key.
    pub(super) sent: Vec<(RecordId, Vec<u8>)>,
    /// The effects, in the order in which they took place.
    pub(super) effects: Vec<RecordId>,
    /// Those of them that are results of transactions that aborted.
    pub(super) aborted: Vec<RecordId>,
    /// Why the run did not come to rest, if it did not.
    pub(super) stuck: Option<String>,
}

impl Evidence {
    fn count(&self, id: RecordId) -> usize {
        self.effects.iter().filter(|effect| **effect == id).count()
    }

    /// What is wrong with the run under `guarantee`, a sentence each; nothing if it keeps it. What
    /// is judged at the end is judged in runs that have one.
    pub(super) fn violations(&self, guarantee: Guarantee) -> Vec<String> {
        let ended = self.stuck.is_none();
        match guarantee {
            Guarantee::NoLoss if ended => self.lost(),
            Guarantee::NoDuplicates => self.repeated(),
            Guarantee::ExactlyOnceEffect if ended => {
                [self.lost(), self.repeated(), self.phantoms()].concat()
            }
            Guarantee::NoLoss | Guarantee::ExactlyOnceEffect => Vec::new(),
            Guarantee::InOrder => self.disordered(),
            Guarantee::NoPhantom if ended => self.phantoms(),
            Guarantee::NoPhantom => self.unsent(),
            Guarantee::Progress => self.stuck.clone().into_iter().collect(),
        }
    }

    fn lost(&self) -> Vec<String> {
        let lost = self.sent.iter().filter(|(id, _)| self.count(*id) == 0);
        lost.map(|(id, _)| {
            format!(
                "r{}: it has no effect, and nobody will deliver it again",
                id.0
            )
        })
        .collect()
    }

    fn repeated(&self) -> Vec<String> {
        let told = |(id, _): &(RecordId, Vec<u8>)| match self.count(*id) {
            0 | 1 => None,
            2 => Some(format!("r{}: the effect took place twice", id.0)),
            times => Some(format!("r{}: the effect took place {times} times", id.0)),
        };
        self.sent.iter().filter_map(told).collect()
    }

    /// Until the end another result may still be committed.
    fn phantoms(&self) -> Vec<String> {
        let all_aborted = |id: RecordId| {
            let aborted = self.aborted.iter().filter(|aborted| **aborted == id);
            aborted.count() == self.count(id) && self.count(id) > 0
        };
        let aborted = self.sent.iter().filter(|(id, _)| all_aborted(*id));
        let told = aborted.map(|(id, _)| format!("r{}: its only result was aborted", id.0));
        self.unsent().into_iter().chain(told).collect()
    }

    fn unsent(&self) -> Vec<String> {
        let is_sent = |id: RecordId| self.sent.iter().any(|(sent, _)| *sent == id);
        let mut unsent: Vec<RecordId> = self.effects.clone();
        unsent.retain(|id| !is_sent(*id));
        unsent.sort_unstable();
        unsent.dedup();
        let told = |id: RecordId| format!("r{}: it has an effect and was never sent", id.0);
        unsent.into_iter().map(told).collect()
    }

    fn disordered(&self) -> Vec<String> {
        let mut first: BTreeMap<RecordId, usize> = BTreeMap::new();
        for (at, id) in self.effects.iter().enumerate() {
            first.entry(*id).or_insert(at);
        }
        let mut told = Vec::new();
        for (index, (later, key)) in self.sent.iter().enumerate() {
            let earlier = self.sent[..index].iter().rev();
            let overtaken = earlier.filter(|(_, other)| other == key).find(|(id, _)| {
                match (first.get(id), first.get(later)) {
                    (Some(first), Some(later)) => first > later,
                    (Some(_) | None, _) => false,
                }
            });
            if let Some((id, _)) = overtaken {
                let (id, later) = (id.0, later.0);
                told.push(format!(
                    "r{later}: its effect came before that of r{id}, which was sent earlier"
                ));
            }
        }
        told
    }
}

/// What the effects are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What the service reports of its own storage.
    Stored,
    /// What a producer sends from its storage.
    Relay,
    /// Results in the output topic.
    Results,
}

/// How to mend what violates `guarantee`, with these clients.
pub(super) fn advice(
    guarantee: Guarantee,
    evidence: &Evidence,
    kind: Kind,
    clients: &Clients,
) -> &'static str {
    let lost = !evidence.lost().is_empty() && evidence.stuck.is_none();
    let sends = kind == Kind::Relay;
    let all = clients.acks == Acks::All;
    match guarantee {
        Guarantee::NoLoss | Guarantee::ExactlyOnceEffect
            if lost && kind != Kind::Stored && !all =>
        {
            "Let the producer wait for the in-sync replicas: acks=all (here: no .acks(..)). With less, what \
             was acknowledged may be gone with its leader, or was never there."
        }
        Guarantee::NoDuplicates | Guarantee::ExactlyOnceEffect
            if kind != Kind::Stored && !(all && clients.idempotence) =>
        {
            "Let the producer be idempotent: enable.idempotence=true with acks=all (here: no \
             .without_idempotence() and no .acks(..)). A send that its client repeats is appended once then."
        }
        Guarantee::Progress => {
            "Let the service end when a poll returns nothing, and let a start go on from whatever an \
             earlier one left in the storage. If it only needs more calls, .calls(..) allows them."
        }
        Guarantee::NoDuplicates | Guarantee::ExactlyOnceEffect | Guarantee::NoPhantom
            if !lost && !evidence.aborted.is_empty() =>
        {
            "Let whoever reads the results have isolation.level=read_committed (here: no \
             .read_uncommitted()): it is given none of a transaction that aborts."
        }
        Guarantee::NoPhantom => {
            "Report an effect only once the transaction that holds it committed."
        }
        Guarantee::InOrder => {
            "Handle the records of one key one after the other, in the order of their offsets."
        }
        Guarantee::NoLoss | Guarantee::NoDuplicates | Guarantee::ExactlyOnceEffect
            if kind == Kind::Results =>
        {
            "Send the results of a record and its offset in one transaction: begin_transaction(), \
             send(..), send_offsets(..), commit_transaction(); and commit no offset outside of it."
        }
        Guarantee::NoLoss | Guarantee::ExactlyOnceEffect if lost && sends => {
            "Mark a row as sent only after its send was acknowledged."
        }
        Guarantee::NoLoss | Guarantee::ExactlyOnceEffect if lost => {
            "Commit an offset only after the effects of all records before it are durable."
        }
        Guarantee::NoLoss | Guarantee::NoDuplicates | Guarantee::ExactlyOnceEffect if sends => {
            "Two steps in two systems cannot be made one: the topic may hold a row twice. Let its \
             consumers remember each record's identity in the transaction of the effect."
        }
        Guarantee::NoLoss | Guarantee::NoDuplicates | Guarantee::ExactlyOnceEffect => {
            "Remember the record's identity under a unique key in the same transaction as its effect, \
             and skip a record whose identity is there. An effect outside of your database (a mail, a \
             payment provider) needs an idempotency key that its provider checks."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(effects: &[u64]) -> Evidence {
        Evidence {
            sent: (0..3).map(|id| (RecordId(id), b"k".to_vec())).collect(),
            effects: effects.iter().copied().map(RecordId).collect(),
            aborted: Vec::new(),
            stuck: None,
        }
    }

    fn violated(evidence: &Evidence) -> Vec<Guarantee> {
        let is_violated = |guarantee: &Guarantee| !evidence.violations(*guarantee).is_empty();
        Guarantee::ALL.into_iter().filter(is_violated).collect()
    }

    #[test]
    fn each_record_once_and_in_order_violates_nothing() {
        assert_eq!(violated(&evidence(&[0, 1, 2])), []);
    }

    #[test]
    fn a_missing_effect_is_a_loss_and_none_of_the_rest() {
        use Guarantee::{ExactlyOnceEffect, NoLoss};
        assert_eq!(violated(&evidence(&[0, 2])), [NoLoss, ExactlyOnceEffect]);
    }

    #[test]
    fn a_repeat_is_a_duplicate_and_no_disorder() {
        use Guarantee::{ExactlyOnceEffect, NoDuplicates};
        let repeated = evidence(&[0, 1, 2, 0]);
        assert_eq!(violated(&repeated), [NoDuplicates, ExactlyOnceEffect]);
        let told = repeated.violations(NoDuplicates);
        assert_eq!(told, ["r0: the effect took place twice"]);
    }

    #[test]
    fn first_effects_against_the_send_order_of_a_key_are_disorder() {
        assert_eq!(violated(&evidence(&[1, 0, 2])), [Guarantee::InOrder]);
        let mut of_two_keys = evidence(&[1, 0, 2]);
        of_two_keys.sent[1].1 = b"other".to_vec();
        assert_eq!(violated(&of_two_keys), []);
    }

    #[test]
    fn an_effect_of_nothing_sent_is_a_phantom() {
        use Guarantee::{ExactlyOnceEffect, NoPhantom};
        let phantom = evidence(&[0, 1, 2, 9]);
        assert_eq!(violated(&phantom), [ExactlyOnceEffect, NoPhantom]);
    }

    #[test]
    fn a_run_without_end_is_not_judged_by_its_end() {
        let mut stuck = evidence(&[0]);
        stuck.stuck = Some("it polls for ever".into());
        assert_eq!(violated(&stuck), [Guarantee::Progress]);
    }
}
