//! From start to start, until nothing more comes.
//!
//! A supervisor starts the service again whenever it ends before it is done. A process that stands
//! still is followed by another instance, which runs until nothing more comes; then the first one
//! goes on where it stood. So of two instances one is always at rest while the other runs: a race
//! in which both take steps in turn is not there. What it would show, a look-up of one instance
//! before a write of the other, is there with the roles of the two exchanged. The time is one:
//! nothing is done in parallel, and a lock that the first process holds in a database is held all
//! the while.

use super::coverage::Situation;
use super::error::Error;
use super::kafka::Kafka;
use super::service::Side;
use super::story::tell;
use super::world::{Shared, World};
use super::{child, error};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, MutexGuard, PoisonError};

/// How often in a row the service may end without being done, and without a fault.
const VAIN_STARTS: u32 = 3;

/// The payload of the panic that stops a service which goes on after its death.
pub(super) struct RunsAway;

/// How one life of the service ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It died, or there is no going on.
    Died,
    /// It returned, with nothing left to do.
    Rested,
    /// It returned before it was done, or in this error.
    Left(Option<String>),
}

fn lock(shared: &Shared) -> MutexGuard<'_, World> {
    shared.world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts the service until nothing more comes. Returns why it does not get there, if so.
pub(super) fn to_rest(
    shared: &Arc<Shared>,
    depth: usize,
    launcher: Option<&child::Launcher>,
) -> Option<String> {
    let mut vain = 0;
    for start in 0.. {
        let faults = begin(shared, depth, start);
        let end = match launcher {
            None => live(shared, depth),
            Some(launcher) => match launcher.live(shared) {
                Ok(end) => end,
                Err(error) => {
                    lock(shared).failure.get_or_insert(error);
                    End::Died
                }
            },
        };
        let mut world = lock(shared);
        if world.failure.is_some() {
            return None;
        }
        if world.is_endless {
            return Some(format!(
                "after {} calls the service still goes on",
                world.steps
            ));
        }
        let reason = match end {
            End::Rested => return None,
            End::Died => {
                vain = 0;
                drop(world);
                look_around(shared);
                continue;
            }
            End::Left(Some(error)) => format!("the service ends in an error: {error}"),
            End::Left(None) => "the service returns before a poll returned nothing".to_owned(),
        };
        world.note(
            depth,
            format!("{}{}.", reason[..1].to_uppercase(), &reason[1..]),
        );
        if world.chooser.so_far.faults() > faults {
            vain = 0;
            continue;
        }
        if depth > 0 {
            // The one that stands still may be in its way.
            world.reach(Situation::OwnerFailed);
            return None;
        }
        vain += 1;
        if vain == VAIN_STARTS {
            return Some(format!("start after start, {reason}"));
        }
    }
    unreachable!("a run has an end")
}

/// The service starts; how many faults there were until then.
fn begin(shared: &Shared, depth: usize, start: u32) -> u32 {
    let mut world = lock(shared);
    let text = match (depth, start) {
        (0, 0) => "The service starts.",
        (_, 0) => "Another instance of the service starts.",
        (_, _) => "The service starts again.",
    };
    world.note(depth, text);
    let is_fresh = world.steps == 0;
    let faults = world.chooser.so_far.faults();
    drop(world);
    if !is_fresh && shared.subject.side() == Side::Consumer {
        // Where they cannot be read, the service itself will tell.
        let effects = shared.effects().unwrap_or_default();
        lock(shared).settled = effects.into_iter().collect();
    }
    faults
}

/// What the crash left: effects that are not committed, and commits without an effect.
fn look_around(shared: &Shared) {
    if shared.subject.side() == Side::Producer {
        return;
    }
    let Ok(effects) = shared.effects() else {
        return;
    };
    let mut world = lock(shared);
    let committed = world.broker.committed().map_or(0, |next| next.0);
    let records = u64::from(world.chooser.so_far.records);
    // The topic holds each record once, in the order of their numbers.
    let has_effect = |id: u64| effects.iter().any(|effect| effect.0 == id);
    if (committed..records).any(has_effect) {
        world.reach(Situation::CrashAfterEffect);
    }
    if (0..committed.min(records)).any(|id| !has_effect(id)) {
        world.reach(Situation::CrashAfterCommit);
    }
}

/// One life of the service, in this process.
pub(super) fn live(shared: &Arc<Shared>, depth: usize) -> End {
    let who = lock(shared).start(depth);
    let kafka = Kafka {
        shared: Arc::clone(shared),
        who,
    };
    let handle = kafka.clone();
    let run = AssertUnwindSafe(|| shared.subject.run(&shared.dir, handle));
    let result = catch_unwind(run);
    let result = match result {
        // The world is locked within a call only: that is an error of semel, and of no service.
        Err(payload) if shared.world.is_poisoned() => resume_unwind(payload),
        result => result,
    };
    let mut world = kafka.lock();
    let swallowed = match &result {
        Ok(Ok(())) => Some("it returned Ok(())"),
        Err(payload) if payload.is::<RunsAway>() => Some("it went on calling Kafka"),
        Ok(Err(_)) | Err(_) => None,
    };
    if world.is_dead(who) {
        if let Some(what) = swallowed.filter(|_| world.failure.is_none() && !world.is_endless) {
            let story = tell(&world.entries);
            let what = what.to_owned();
            world.failure = Some(Error::Swallowed { story, what });
        }
        return End::Died;
    }
    if world.commit_arrives(who).is_err() {
        return End::Died;
    }
    world.end(who);
    match result {
        Ok(Ok(())) if world.is_in_transaction(who) => {
            End::Left(Some("it returned with a transaction open".into()))
        }
        Ok(Ok(())) if world.empty || shared.subject.side() == Side::Producer => End::Rested,
        Ok(Ok(())) => End::Left(None),
        Ok(Err(error)) => {
            let message = error.to_string();
            if error::is_of_the_disk(&*error) {
                world.failure.get_or_insert(Error::Disk { message });
                return End::Died;
            }
            End::Left(Some(message))
        }
        Err(payload) => End::Left(Some(format!("it panicked: {}", message(&*payload)))),
    }
}

fn message(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message")
}

/// The process that calls stands still; another instance of the service runs until nothing more
/// comes. On a thread of its own, for the caller may be in the middle of an async runtime.
pub(super) fn stand_still(shared: &Arc<Shared>) {
    let mut world = lock(shared);
    world.reach(Situation::OwnerBeside);
    let depth = world.depth() + 1;
    drop(world);
    let shared = Arc::clone(shared);
    let name = std::thread::current().name().map(str::to_owned);
    let mut thread = std::thread::Builder::new();
    if let Some(name) = name {
        thread = thread.name(name);
    }
    let other = thread.spawn({
        let shared = Arc::clone(&shared);
        move || to_rest(&shared, depth, None)
    });
    if let Err(source) = other.map(|thread| thread.join().expect("panics are caught in it")) {
        let failure = error::Error::Settings(format!("no thread can be started: {source}"));
        lock(&shared).failure.get_or_insert(failure);
    }
}
