//! One run: a fresh directory, the service under a schedule until nothing more comes, the evidence.

use super::broker::Broker;
use super::child::Launcher;
use super::chooser::Chooser;
use super::error::{Error, probe};
use super::judge::{Evidence, Kind};
use super::kafka::Message;
use super::life;
use super::schedule::{Budget, Schedule};
use super::service::{Side, Subject};
use super::story::{Entry, tell};
use super::world::{Clients, Shared, World};
use crate::lab::{Generation, RecordId};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the payload of a record is made.
pub(super) type Payload = Arc<dyn Fn(RecordId) -> Vec<u8> + Send + Sync>;

/// A directory in memory, where the system has one. A process that dies loses nothing of what it
/// wrote there, and a database that syncs does not wait for a disk.
const IN_MEMORY: &str = "/dev/shm";

/// What all runs have in common.
pub(super) struct Setup {
    pub(super) subject: Arc<dyn Subject>,
    pub(super) clients: Clients,
    pub(super) budget: Budget,
    pub(super) keys: u32,
    pub(super) payload: Payload,
    pub(super) directory: Option<PathBuf>,
    pub(super) launcher: Option<Launcher>,
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").finish_non_exhaustive()
    }
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) schedule: Schedule,
    pub(super) entries: Vec<Entry>,
    pub(super) evidence: Evidence,
}

impl Setup {
    /// What the effects are.
    pub(super) fn kind_of_effects(&self) -> Kind {
        match (self.subject.side(), self.clients.output_topic) {
            (Side::Producer, _) => Kind::Relay,
            (Side::Consumer, true) => Kind::Results,
            (Side::Consumer, false) => Kind::Stored,
        }
    }

    fn messages(&self, records: u32) -> Vec<Message> {
        let message = |id: u32| Message {
            id: RecordId(u64::from(id)),
            key: format!("k{}", id % self.keys).into_bytes(),
            payload: (self.payload)(RecordId(u64::from(id))),
        };
        (0..records).map(message).collect()
    }

    fn fresh_directory(&self) -> Result<tempfile::TempDir, Error> {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix("semel-harness-");
        let path = match &self.directory {
            Some(path) => path.clone(),
            None if std::env::var_os("TMPDIR").is_some() => std::env::temp_dir(),
            None => match builder.tempdir_in(IN_MEMORY) {
                Ok(made) => return Ok(made),
                Err(_) => std::env::temp_dir(),
            },
        };
        let made = builder.tempdir_in(&path);
        made.map_err(|source| Error::Directory { path, source })
    }

    /// Runs the service.
    pub(super) fn run(&self, chooser: Chooser) -> Result<Run, Error> {
        let root = self.fresh_directory()?;
        let dir = service_dir(root.path());
        std::fs::create_dir(&dir).map_err(|source| Error::Directory {
            path: dir.clone(),
            source,
        })?;
        let messages = self.messages(chooser.so_far.records);
        let mut broker = Broker::open(root.path(), Generation(0), self.clients.replicas)?;
        match self.subject.side() {
            Side::Consumer => messages
                .iter()
                .try_for_each(|message| broker.fill(message))?,
            Side::Producer => self.prepare(&dir, &messages)?,
        }
        let world = World::new(broker, chooser, self.clients, self.subject.side());
        let shared = Arc::new(Shared {
            subject: Arc::clone(&self.subject),
            dir,
            world: Mutex::new(world),
        });
        let stuck = life::to_rest(&shared, 0, self.launcher.as_ref());
        self.evidence(&shared, messages, stuck)
    }

    fn prepare(&self, dir: &Path, messages: &[Message]) -> Result<(), Error> {
        let Err(error) = self.subject.prepare(dir, messages) else {
            return Ok(());
        };
        probe(dir)?;
        Err(Error::Service {
            story: String::new(),
            message: format!("prepare: {error}"),
        })
    }

    fn evidence(
        &self,
        shared: &Shared,
        messages: Vec<Message>,
        stuck: Option<String>,
    ) -> Result<Run, Error> {
        let mut world = lock(shared);
        if let Some(failure) = world.failure.take() {
            return Err(failure);
        }
        world.settle()?;
        let story = || tell(&world.entries);
        if let Some(message) = &stuck {
            probe(&shared.dir)?;
            if world.chooser.so_far.faults() == 0 && !world.is_endless {
                let (story, message) = (story(), message.clone());
                return Err(Error::Service { story, message });
            }
        }
        if let Some(item) = world.chooser.left_over() {
            return Err(world.misfit(&item.clone(), "the end of the run".into()));
        }
        let effects = match world.has_effects_in_topic() {
            true => world.results()?,
            false => match self.subject.effects(&shared.dir) {
                Ok(effects) => effects,
                Err(error) => {
                    probe(&shared.dir)?;
                    let (story, message) = (story(), error.to_string());
                    return Err(Error::Effects { story, message });
                }
            },
        };
        let sent = messages
            .into_iter()
            .map(|message| (message.id, message.key));
        let evidence = Evidence {
            sent: sent.collect(),
            effects,
            aborted: world.aborted()?,
            stuck,
        };
        Ok(Run {
            schedule: world.chooser.so_far.clone(),
            entries: std::mem::take(&mut world.entries),
            evidence,
        })
    }
}

/// Where the service's storage is, in the directory of a run.
pub(super) fn service_dir(root: &Path) -> PathBuf {
    root.join("service")
}

fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.world.lock().unwrap_or_else(PoisonError::into_inner)
}
