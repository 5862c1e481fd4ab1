//! A transaction coordinator of output producers that moves, told.

use super::{ConsumerScene, Scene, lettered};
use semel_models::action::{Target, Unfinished};
use semel_models::consumer::Phase;
use semel_models::transaction_coordinator::{Outcome, Part, Phase as TransactionPhase};

/// What tells this move from others.
pub(super) fn parameters(unfinished: Unfinished, mut put: impl FnMut(&str, String)) {
    let of_whom = |of: Option<u16>| of.map_or("all".into(), |who| lettered(who).to_string());
    let what = match unfinished {
        Unfinished::Question { of } => {
            put("of", of_whom(of));
            "question"
        }
        Unfinished::Epoch { of } => {
            put("of", of_whom(of));
            "epoch"
        }
        Unfinished::Marker { id, part } => {
            put("id", id.to_string());
            match part {
                Part::Offsets => put("part", "offsets".into()),
                Part::Input | Part::Output => put("part", "output".into()),
            }
            "marker"
        }
    };
    put("unfinished", what.into());
}

impl Scene<'_> {
    /// The coordinator moves, and what it leaves undone.
    pub(super) fn output_transactions_fail_over(&self, unfinished: Unfinished) -> String {
        let left = match unfinished {
            Unfinished::Question { of } => self.left_unanswered(of),
            Unfinished::Epoch { of } => self.epoch_forgotten(of),
            Unfinished::Marker { id, part } => self.marker_unnoted(id, part),
        };
        format!(
            "The transaction coordinator moves to another broker, which reads the transaction log. {left}"
        )
    }

    fn those(&self, of: Option<u16>) -> impl Iterator<Item = u16> {
        let instances = self.cluster.pipeline().group.instances;
        (0..instances).filter(move |who| of.is_none_or(|of| of == *who))
    }

    fn left_unanswered(&self, of: Option<u16>) -> String {
        let producers = |who: u16| {
            let of = |state: &semel_models::cluster::State| {
                let output = state.output.as_deref();
                let log = output.and_then(|output| output.log.as_deref());
                let client = log.map(|log| log.clients[usize::from(who)].clone());
                (
                    output.map(|output| output.producers[usize::from(who)].clone()),
                    client,
                )
            };
            of(self.before) != of(self.after)
        };
        let told = self.those(of).filter(|who| producers(*who));
        let told = told.map(|who| self.refused(Target::Result(who)));
        let told: Vec<String> = told.collect();
        format!(
            "The leader of the output topic had asked the old one. {}",
            told.join(" ")
        )
    }

    fn epoch_forgotten(&self, of: Option<u16>) -> String {
        let down = |who: &u16| {
            let phase =
                |state: &semel_models::cluster::State| state.consumers[usize::from(*who)].phase;
            phase(self.before) != Phase::Down && phase(self.after) == Phase::Down
        };
        let ended = self.those(of).filter(down).map(|who| {
            let scene = ConsumerScene { scene: *self, who };
            format!(
                "{} had been given another epoch and has not heard of it; it asks again with the epoch before, which is not in the log, and is fenced (PRODUCER_FENCED): the process ends.",
                scene.the()
            )
        });
        let ended: Vec<String> = ended.collect();
        ended.join(" ")
    }

    fn marker_unnoted(&self, id: u16, part: Part) -> String {
        let whose = self.transaction_of(id);
        let outcome = match self.transaction_before(id).phase {
            TransactionPhase::Prepared(Outcome::Abort) => "abort",
            TransactionPhase::Prepared(Outcome::Commit)
            | TransactionPhase::Unknown
            | TransactionPhase::Empty
            | TransactionPhase::Ongoing
            | TransactionPhase::Complete(_) => "commit",
        };
        let at = self.after.group.committed.map_or(0, |at| at.next.0);
        let done = match part {
            Part::Offsets if outcome == "abort" => {
                " reach the group's offsets: none is pending in it any more".into()
            }
            Part::Offsets => {
                format!(" reach the group's offsets: the committed offset is {at}")
            }
            Part::Input | Part::Output => {
                format!(" written to the output topic{}", self.newly_seen())
            }
        };
        format!(
            "The old one had the {outcome} marker of {whose}{done}. It has not noted that, so the marker is to be written again."
        )
    }
}
