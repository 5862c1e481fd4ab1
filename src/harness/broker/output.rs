//! The topic that the service sends to: the log of each replica, on real files.
//!
//! **Modelled.** All replicas are in sync between two calls. What is sent the leader appends; its followers
//! fetch it, and then it is acknowledged to who waits for them. A leader that dies comes back as a follower
//! of the next one, cuts off what that one has not, as leader epochs tell (KIP-101, KIP-279), and fetches
//! the rest: so it is in sync again before the next call. The next leader knows of producers and of their
//! transactions what its own log says.
//!
//! **Left out.** Replicas that lag behind, in-sync sets that shrink, and unclean elections: with `acks=all`
//! and another replica in sync nothing is lost that was acknowledged, whatever the service does. A design
//! says what those settings are worth. Faults of the brokers that have the input topic and the offsets: what
//! they do to a process is that a call is answered late, or not at all.

use crate::lab::{LeaderEpoch, Log, LogSettings, Replicas, StorageError, Topic};
use semel_models::rules::KafkaRules;
use std::path::Path;

/// The logs, and who leads.
#[derive(Debug)]
pub(super) struct OutputTopic {
    topic: Topic,
    replicas: u16,
    leader: u16,
}

impl OutputTopic {
    /// Opens what is at `partition`, or begins there. Between two calls all logs are alike: whoever leads
    /// then leads on.
    pub(super) fn open(partition: &Path, replicas: u16) -> Result<OutputTopic, StorageError> {
        let settings = LogSettings::default();
        let apart = match replicas {
            1 => Replicas::AsOne,
            more => Replicas::Apart(more),
        };
        let topic = Topic::open(partition, settings, apart)?;
        Ok(OutputTopic {
            topic,
            replicas,
            leader: 0,
        })
    }

    /// The leader's log.
    pub(super) fn log(&self) -> &Log {
        self.topic.log(self.leader)
    }

    /// The leader's log, to append to.
    pub(super) fn log_mut(&mut self) -> &mut Log {
        self.topic.log_mut(self.leader)
    }

    /// The followers fetch what the leader has.
    pub(super) fn replicate(&mut self) -> Result<(), StorageError> {
        for who in self.followers() {
            self.topic.fetch(self.leader, who, None)?;
        }
        Ok(())
    }

    /// The leader dies with what its followers have not, the next replica leads, and the old one comes back
    /// as its follower.
    pub(super) fn lose_leader(&mut self) -> Result<(), StorageError> {
        let old = self.leader;
        self.leader = (old + 1) % self.replicas;
        let epoch = LeaderEpoch(self.topic.log(old).leader_epoch().0 + 1);
        let high_watermark = self.log().log_end();
        self.topic.restart(old, |log| Ok(log.kill()))?;
        for who in 0..self.replicas {
            self.topic.log_mut(who).begin_epoch(epoch);
        }
        let rule = KafkaRules::CURRENT.truncation;
        for who in self.followers() {
            self.topic
                .fetch(self.leader, who, Some((rule, high_watermark)))?;
        }
        Ok(())
    }

    fn followers(&self) -> impl Iterator<Item = u16> + use<> {
        let leader = self.leader;
        (0..self.replicas).filter(move |who| *who != leader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::{Fetched, NextOffset, Offset, Produced, ProducerId, Record, Sequence, Stamp};

    fn stamp(sequence: i32) -> Option<Stamp> {
        Some(Stamp {
            producer: ProducerId(1),
            sequence: Sequence(sequence),
            ..Stamp::default()
        })
    }

    fn records(log: &Log) -> Vec<Record> {
        let fetched = log.fetch(NextOffset(0), 9).expect("it can be read");
        let Fetched::Batches(batches) = fetched else {
            panic!("in range");
        };
        batches
            .into_iter()
            .filter_map(|batch| batch.record)
            .collect()
    }

    #[test]
    fn what_only_a_dead_leader_had_is_cut_off_its_log_and_the_rest_is_everywhere() {
        let dir = tempfile::tempdir().expect("a directory");
        let partition = dir.path().join("output");
        let mut topic = OutputTopic::open(&partition, 3).expect("it opens");
        let send = |topic: &mut OutputTopic, id: u64, sequence| {
            let appended = topic.log_mut().append(stamp(sequence), &Record::bare(id));
            appended.expect("it can be written")
        };
        send(&mut topic, 7, 0);
        topic.replicate().expect("it can be written");
        send(&mut topic, 8, 1);
        topic.lose_leader().expect("it can be written");
        assert_eq!(records(topic.log()), [Record::bare(7)]);
        assert_eq!(topic.topic.log(0).log_end(), Offset(1), "it was cut");
        // The next leader knows the producer by its own log.
        assert_eq!(send(&mut topic, 7, 0), Produced::Duplicate(Offset(0)));
        assert_eq!(send(&mut topic, 9, 1), Produced::Appended(Offset(1)));
        topic.replicate().expect("it can be written");
        drop(topic);
        let topic = OutputTopic::open(&partition, 3).expect("it opens again");
        for who in 0..3 {
            let expected = [Record::bare(7), Record::bare(9)];
            assert_eq!(records(topic.topic.log(who)), expected);
        }
    }
}
