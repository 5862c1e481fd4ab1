//! Work shared among threads.

use std::sync::{Mutex, PoisonError};
use std::thread;

/// Does `work` on every item, on up to `jobs` threads, this one included. Which thread takes which
/// item is left to chance, so `work` must not depend on it.
pub(super) fn for_each<T, I>(jobs: usize, items: I, work: impl Fn(T) + Sync)
where
    I: Iterator<Item = T> + Send,
{
    if jobs <= 1 {
        return items.for_each(work);
    }
    let queue = Mutex::new(items);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let drain = || {
        while let Some(item) = next() {
            work(item);
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs {
            // Where no further thread can be had, those that run do all the work.
            if thread::Builder::new().spawn_scoped(scope, drain).is_err() {
                break;
            }
        }
        drain();
    });
}
