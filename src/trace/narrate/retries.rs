//! The offsets of a retry topic, told: by the record that lies there. A state counts them from the
//! oldest entry that anyone can still read, so that their numbers mean nothing to who reads a run.

use super::partitions::{committed, offsets};
use super::{ConsumerScene, Scene};
use crate::trace::facts::name;
use semel_models::cluster::State;
use semel_models::offset::Position;
use semel_models::pipeline::AfterAttempts;

/// An offset of the retry topic, as what a commit is of.
pub(in crate::trace) fn offset_in_retries(state: &State, next: u16) -> String {
    match state.retries.record_at(next) {
        Some(record) => format!("the offset of {} in the retry topic", name(record)),
        None => "the end of the retry topic".into(),
    }
}

impl Scene<'_> {
    /// Whether records that fail go to a retry topic.
    pub(super) fn has_retries(&self) -> bool {
        self.cluster.pipeline().consumer.on_process_failure.then == AfterAttempts::RetryTopic
    }

    /// The offsets of a commit, by partition or by topic.
    pub(super) fn offsets_of(&self, covered: [Option<Position>; 2]) -> String {
        let [first, second] = covered;
        let Some(second) = second.filter(|_| self.has_retries()) else {
            return offsets(covered);
        };
        let there = offset_in_retries(self.before, second.next.0);
        match first {
            Some(_) => format!("{} and {there}", offsets([first, None])),
            None => there,
        }
    }

    /// That these are committed now.
    pub(super) fn are_committed(&self, covered: [Option<Position>; 2]) -> String {
        let [first, second] = covered;
        let Some(second) = second.filter(|_| self.has_retries()) else {
            return committed(covered);
        };
        let there = match self.before.retries.record_at(second.next.0) {
            Some(record) => format!("that of {}", name(record)),
            None => "its end".into(),
        };
        match first {
            Some(_) => format!(
                "{}, and in the retry topic {there}",
                committed([first, None])
            ),
            None => format!("the group's committed offset in the retry topic is {there}"),
        }
    }
}

impl ConsumerScene<'_> {
    /// Where it begins to read the retry topic, if there is anything in it that was not passed.
    pub(super) fn reads_retries_from(&self) -> String {
        let retries = &self.scene.after.retries;
        let held = |state: &State| state.retries.end() > 0;
        if !held(self.scene.before) && !held(self.scene.after) {
            return String::new();
        }
        match retries.record_at(self.after().retry_position.next) {
            Some(record) => format!(", and the retry topic from {} on", name(record)),
            None => ", and the retry topic from its end".into(),
        }
    }
}
