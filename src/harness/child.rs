//! Child processes: every start of the service is a process of its own, which dies by SIGKILL.
//!
//! The parent starts the test's own program again for the one test; there the harness finds from the
//! environment that it is to run one life of the service over the given directory, and writes what
//! happens to a file that the parent reads. It kills itself at the point that the schedule names: no
//! destructor runs, no buffer of the process is flushed, no transaction is rolled back in peace.
//!
//! **Left out.** Pauses: the process that stands still and its successor would be two.

use super::broker::Broker;
use super::chooser::Chooser;
use super::error::Error;
use super::life::{self, End};
use super::run::{Setup, service_dir};
use super::schedule::{Action, Item};
use super::story::{Choice, Entry};
use super::world::{Shared, World};
use crate::lab::{Generation, RecordId};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Set in a child process: the directory of the run.
const DIRECTORY: &str = "SEMEL_HARNESS_CHILD";
/// Set in a child process: where in the source the check is that it belongs to.
const CHECK: &str = "SEMEL_HARNESS_CHECK";

const STATE: &str = "state.json";
const ENTRIES: &str = "entries.jsonl";

/// What a child has to know of what happened before it.
#[derive(Debug, Serialize, Deserialize)]
struct Before {
    chooser: Chooser,
    steps: u32,
    starts: u64,
    generation: i32,
    settled: Vec<u64>,
    delivered: Vec<u64>,
    sent: Vec<u64>,
}

/// Where a child writes what happens.
#[derive(Debug)]
pub(super) struct Reporter(File);

impl Reporter {
    pub(super) fn report(&mut self, entry: &Entry) -> Result<(), Error> {
        let mut line = serde_json::to_vec(entry).expect("entries have no maps");
        line.push(b'\n');
        self.0.write_all(&line).map_err(|error| Error::Child {
            what: format!("cannot write down what happens: {error}"),
        })
    }

    /// SIGKILL: nothing of this process runs after it.
    #[cfg(unix)]
    pub(super) fn kill_this_process(&self) {
        let this = rustix::process::getpid();
        // It cannot fail for the process itself, and it does not return.
        let _ = rustix::process::kill_process(this, rustix::process::Signal::KILL);
        loop {
            std::thread::park();
        }
    }

    /// The harness refuses to start child processes here.
    #[cfg(not(unix))]
    pub(super) fn kill_this_process(&self) {
        std::process::abort();
    }
}

/// Starts child processes for one check.
#[derive(Clone, Debug)]
pub(super) struct Launcher {
    /// The test's name.
    pub(super) test: String,
    /// Where in the source the check is.
    pub(super) check: String,
}

fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.world.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: impl ToString) -> Error {
    Error::Child {
        what: what.to_string(),
    }
}

fn ids(set: &std::collections::BTreeSet<RecordId>) -> Vec<u64> {
    set.iter().map(|id| id.0).collect()
}

impl Launcher {
    /// One life of the service, in a process of its own.
    pub(super) fn live(&self, shared: &Shared) -> Result<End, Error> {
        let root = shared
            .dir
            .parent()
            .expect("it is in the directory of the run");
        write_state(root, &lock(shared))?;
        let status = self.start(root)?;
        let entries = read_entries(root)?;
        let mut world = lock(shared);
        let mut ended = None;
        let dies = entries.iter().any(is_a_death);
        let mut generation = world.broker.generation();
        for entry in entries {
            match &entry {
                Entry::Ended(error) => ended = Some(error.clone()),
                Entry::Generation(now) => generation = Generation(*now),
                Entry::Choice(choice) => went_on(&mut world, choice),
                Entry::Polled(ids) => {
                    world.empty = ids.is_empty();
                    world.delivered.extend(ids.iter().copied().map(RecordId));
                }
                Entry::Sent(id) => {
                    world.sent.insert(RecordId(*id));
                }
                Entry::Told { .. } | Entry::Situation(_) => {}
            }
            world.entries.push(entry);
        }
        world.starts += 1;
        world.broker = Broker::open(root, generation, world.clients.replicas)?;
        let is_producer = shared.subject.side() == super::service::Side::Producer;
        match ended {
            Some(None) if world.empty || is_producer => Ok(End::Rested),
            Some(error) => Ok(End::Left(error)),
            None if was_killed(status) && dies => Ok(End::Died),
            None if was_killed(status) => Err(failed(
                "was killed, and no schedule asked for that: did it run out of memory, or kill itself?",
            )),
            None if status.success() && world.is_at_its_end() => {
                world.is_endless = true;
                Ok(End::Died)
            }
            None => Err(failed(format!("ended with {status}"))),
        }
    }

    fn start(&self, root: &Path) -> Result<ExitStatus, Error> {
        let program =
            std::env::current_exe().map_err(|error| failed(format!("cannot be found: {error}")))?;
        let output = Command::new(program)
            .args([self.test.as_str(), "--exact", "--nocapture"])
            .env(DIRECTORY, root)
            .env(CHECK, &self.check)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| failed(format!("cannot be started: {error}")))?;
        if output.status.code().is_some_and(|code| code != 0) {
            let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(failed(format!("ended with {}: {told}", output.status)));
        }
        if output.status.code() == Some(0) && !root.join(ENTRIES).exists() {
            return Err(failed(format!(
                "never came to the check at {}: is '{}' the test's name? .named(..) sets it",
                self.check, self.test
            )));
        }
        Ok(output.status)
    }
}

/// Whether the process was to die at this choice.
fn is_a_death(entry: &Entry) -> bool {
    let Entry::Choice(choice) = entry else {
        return false;
    };
    match choice.chosen {
        Some(Action::Crash | Action::CrashUnsent | Action::CrashAfter) => true,
        Some(
            Action::Pause
            | Action::LongPause
            | Action::RequestLost
            | Action::AnswerLost
            | Action::Retried
            | Action::LeaderLost
            | Action::LeaderLostUnanswered
            | Action::Poll(_),
        )
        | None => false,
    }
}

#[cfg(unix)]
fn was_killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(rustix::process::Signal::KILL.as_raw())
}

#[cfg(not(unix))]
fn was_killed(_: ExitStatus) -> bool {
    false
}

fn went_on(world: &mut World, choice: &Choice) {
    world.steps = choice.step;
    if let Some(action) = choice.chosen {
        world.chooser.went_on(Item {
            step: choice.step,
            action,
            label: Some(choice.label.clone()),
        });
    }
}

fn write_state(root: &Path, world: &World) -> Result<(), Error> {
    let before = Before {
        chooser: world.chooser.clone(),
        steps: world.steps,
        starts: world.starts,
        generation: world.broker.generation().0,
        settled: ids(&world.settled),
        delivered: ids(&world.delivered),
        sent: ids(&world.sent),
    };
    let text = serde_json::to_vec(&before).expect("it has no maps");
    let _ = std::fs::remove_file(root.join(ENTRIES));
    let path = root.join(STATE);
    std::fs::write(&path, text).map_err(|source| Error::Directory { path, source })
}

fn read_entries(root: &Path) -> Result<Vec<Entry>, Error> {
    let path = root.join(ENTRIES);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(source) => return Err(Error::Directory { path, source }),
    };
    let entry = |line| serde_json::from_str(line).map_err(|error| failed(format!("told {error}")));
    text.lines().map(entry).collect()
}

/// The directory of the run whose child this process is.
pub(super) fn directory() -> Option<PathBuf> {
    std::env::var_os(DIRECTORY).map(PathBuf::from)
}

/// Runs one life of the service as a child of the process that wants it, and ends this process.
pub(super) fn live_and_exit(setup: &Setup, check: &str, root: &Path) -> ! {
    let error = match live(setup, check, root) {
        Ok(()) => std::process::exit(0),
        Err(error) => error,
    };
    eprintln!("{error}");
    std::process::exit(1)
}

fn live(setup: &Setup, check: &str, root: &Path) -> Result<(), Error> {
    if std::env::var(CHECK).as_deref() != Ok(check) {
        let what = format!(
            "came to the check at {check} first: a check in child processes needs a test of its own"
        );
        return Err(failed(what));
    }
    let state = root.join(STATE);
    let text = std::fs::read(&state).map_err(|source| Error::Directory {
        path: state,
        source,
    })?;
    let before: Before = serde_json::from_slice(&text).map_err(failed)?;
    let entries = root.join(ENTRIES);
    let file = File::create(&entries).map_err(|source| Error::Directory {
        path: entries,
        source,
    })?;
    let broker = Broker::open(root, Generation(before.generation), setup.clients.replicas)?;
    let set = |ids: Vec<u64>| ids.into_iter().map(RecordId).collect();
    let mut world = World::new(broker, before.chooser, setup.clients, setup.subject.side());
    world.steps = before.steps;
    world.starts = before.starts;
    world.settled = set(before.settled);
    world.delivered = set(before.delivered);
    world.sent = set(before.sent);
    world.report_to(Reporter(file));
    let shared = Arc::new(Shared {
        subject: Arc::clone(&setup.subject),
        dir: service_dir(root),
        world: Mutex::new(world),
    });
    let end = life::live(&shared, 0);
    let mut world = lock(&shared);
    if let Some(failure) = world.failure.take() {
        return Err(failure);
    }
    match end {
        End::Rested => world.record(Entry::Ended(None)),
        End::Left(error) => world.record(Entry::Ended(error)),
        // Only by reaching the end of the calls: a crash does not come here.
        End::Died => {}
    }
    world.failure.take().map_or(Ok(()), Err)
}
