//! A topic's one partition on disk: the log of each of its replicas.

use super::disk::{Action, StorageError};
use super::log::{Log, LogSettings, Remains};
use super::words::Offset;
use semel_models::rules::TruncationRule;
use std::path::{Path, PathBuf};

/// How many replicas of a topic have logs of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replicas {
    /// No fault can strike them: they are one log to the model, and only the first is written.
    AsOne,
    /// So many.
    Apart(u16),
}

/// The logs of a topic's replicas.
#[derive(Debug)]
pub(crate) struct Topic {
    partition: PathBuf,
    settings: LogSettings,
    replicas: Replicas,
    /// By broker. Each is closed while its broker stops and starts again.
    logs: Vec<Option<Log>>,
}

const OPEN: &str = "it is open between two steps";

impl Topic {
    /// Opens what is at `partition`, or begins there.
    pub(crate) fn open(
        partition: &Path,
        settings: LogSettings,
        replicas: Replicas,
    ) -> Result<Topic, StorageError> {
        let mut topic = Topic {
            partition: partition.to_owned(),
            settings,
            replicas,
            logs: Vec::new(),
        };
        let count = match replicas {
            Replicas::AsOne => 1,
            Replicas::Apart(count) => count,
        };
        for who in 0..count {
            topic.logs.push(None);
            topic.start(who, &Remains::default())?;
        }
        Ok(topic)
    }

    /// The log of the replica of this broker.
    pub(crate) fn log(&self, who: u16) -> &Log {
        self.logs[usize::from(who)].as_ref().expect(OPEN)
    }

    pub(crate) fn log_mut(&mut self, who: u16) -> &mut Log {
        self.logs[usize::from(who)].as_mut().expect(OPEN)
    }

    /// The log of a leader, and that of a follower to write to.
    fn two_logs(&mut self, leader: u16, follower: u16) -> (&Log, &mut Log) {
        let places = [usize::from(leader), usize::from(follower)];
        let both = self.logs.get_disjoint_mut(places);
        let [leader, follower] = both.expect("two different replicas");
        (leader.as_ref().expect(OPEN), follower.as_mut().expect(OPEN))
    }

    /// A follower cuts its log to what it has in common with the leader's, where it may not be in line with
    /// it, and appends the rest.
    pub(crate) fn fetch(
        &mut self,
        leader: u16,
        who: u16,
        cuts: Option<(TruncationRule, Offset)>,
    ) -> Result<(), StorageError> {
        let (leader, follower) = self.two_logs(leader, who);
        let end = follower.log_end();
        if let Some((rule, high_watermark)) = cuts {
            follower.align(leader, rule, high_watermark)?;
            // It asks for the high watermark before it fetches anew.
            if follower.log_end() < end && rule.asks_for_high_watermark() {
                return Ok(());
            }
        }
        follower.truncate_to(leader.log_end())?;
        if follower.log_end() < leader.log_start() {
            follower.start_anew_at(leader.log_start())?;
        }
        for batch in leader.batches_from(follower.log_end())? {
            follower.replicate(&batch)?;
        }
        follower.delete_before(leader.log_start())?;
        Ok(())
    }

    /// A broker stops in this way, and starts again.
    pub(crate) fn restart(
        &mut self,
        who: u16,
        stop: impl FnOnce(Log) -> Result<Remains, StorageError>,
    ) -> Result<(), StorageError> {
        let log = self.logs[usize::from(who)].take();
        let remains = stop(log.expect(OPEN))?;
        self.start(who, &remains)
    }

    /// The topic is deleted, and created again under its name. A broker that is down deletes what it has of
    /// the old one when it is back: nobody touches its disk before.
    pub(crate) fn recreate(&mut self) -> Result<(), StorageError> {
        for who in 0..self.logs.len() as u16 {
            let log = self.logs[usize::from(who)].take();
            log.expect(OPEN).lose_disk()?;
            self.start(who, &Remains::default())?;
        }
        Ok(())
    }

    fn start(&mut self, who: u16, remains: &Remains) -> Result<(), StorageError> {
        let directory = match self.replicas {
            Replicas::AsOne => self.partition.clone(),
            Replicas::Apart(_) => {
                let mut name = self.partition.clone().into_os_string();
                name.push(format!("@broker-{}", who + 1));
                name.into()
            }
        };
        create(&directory)?;
        let (log, _) = Log::open(&directory, self.settings.clone(), remains)?;
        self.logs[usize::from(who)] = Some(log);
        Ok(())
    }
}

fn create(directory: &Path) -> Result<(), StorageError> {
    std::fs::create_dir_all(directory).map_err(StorageError::at(Action::Create, directory))
}
