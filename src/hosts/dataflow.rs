//! The dataflow: words that go to the process that they are addressed to, round by round.

use super::connect::connect;
use super::patience::{PAUSE, Patience};
use super::{Hosts, HostsError};
use crate::explore::{Lost, Peers};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use timely::WorkerConfig;
use timely::communication::WorkerGuards;
use timely::communication::allocator::ProcessBuilder;
use timely::communication::allocator::zero_copy::initialize::initialize_networking_from_sockets;
use timely::communication::{AllocatorBuilder, Hooks};
use timely::dataflow::InputHandle;
use timely::dataflow::operators::{Exchange, Input, Inspect};
use timely::worker::Worker;

/// Words that travel as one. Each process ends its round with a piece without words, for everyone.
#[derive(Clone, Serialize, Deserialize)]
struct Piece {
    to: u64,
    from: usize,
    round: u64,
    words: Vec<u32>,
}

/// What has come of a round.
struct Arrived {
    words: Round,
    /// Who has not ended it.
    open: Vec<usize>,
}

/// The most words of a piece.
const PIECE_WORDS: usize = 1 << 14;
/// How long others may take for their part of a level before that is told.
const QUIET: Duration = Duration::from_secs(30);
/// How long after the command's time a process may still answer: each ends by its own clock.
const GRACE: Duration = Duration::from_secs(10);
/// How long the dataflow sleeps when nothing comes.
const NAP: Duration = Duration::from_millis(100);

/// The words for each process, or from each.
type Round = Vec<Vec<u32>>;

/// This process's end of the dataflow.
pub(crate) struct Dataflow {
    number: usize,
    addresses: Vec<String>,
    outgoing: Option<Sender<Round>>,
    incoming: Receiver<Round>,
    gone: Gone,
    awaited: Awaited,
    patience: Patience,
    guards: Option<WorkerGuards<()>>,
}

/// The process whose connection broke first.
type Gone = Arc<Mutex<Option<usize>>>;

/// Whose words of this round are not all there; nobody's, between two rounds.
type Awaited = Arc<Mutex<Vec<usize>>>;

impl Dataflow {
    /// Waits for the other processes and connects to them; all must have `common` in common.
    pub(crate) fn start(
        hosts: &Hosts,
        number: usize,
        common: &str,
        patience: Patience,
    ) -> Result<Dataflow, HostsError> {
        let streams = connect(hosts, number, common, &patience)?;
        // Others may have been started later: their time is over no later than if it began here.
        let patience = Patience {
            since: Instant::now(),
            ..patience
        };
        let gone = Gone::default();
        let awaited = Awaited::default();
        note_broken_connections(Arc::clone(&gone));
        let hooks = Hooks::default();
        let own = ProcessBuilder::new_typed_vector(1, hooks.refill.clone(), hooks.spill.clone());
        let (builders, connections) =
            initialize_networking_from_sockets(own, streams, number, 1, hooks)
                .map_err(|error| HostsError::Setup(error.to_string()))?;
        let builders = builders.into_iter().map(AllocatorBuilder::Tcp).collect();
        let (outgoing, to_send) = channel();
        let (received, incoming) = channel();
        let ends = Mutex::new(Some((to_send, received, Arc::clone(&awaited))));
        let count = hosts.count();
        let guards = timely::execute::execute_from(
            builders,
            Box::new(connections),
            WorkerConfig::default(),
            move |worker| {
                let ends = ends.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some((to_send, received, awaited)) = ends {
                    serve(worker, number, count, &to_send, &received, &awaited);
                }
            },
        );
        Ok(Dataflow {
            number,
            addresses: hosts.addresses.clone(),
            outgoing: Some(outgoing),
            incoming,
            gone,
            awaited,
            patience,
            guards: Some(guards.map_err(HostsError::Setup)?),
        })
    }

    /// Ends when all processes have come this far.
    pub(crate) fn finish(mut self) {
        self.outgoing = None;
        if let Some(guards) = self.guards.take() {
            // All is known by now: a connection that breaks changes nothing, and says nothing.
            panic::set_hook(Box::new(|_| {}));
            _ = panic::catch_unwind(AssertUnwindSafe(|| guards.join()));
        }
    }

    /// Which process is gone, in words.
    fn lost(&self) -> Lost {
        let gone = *self.gone.lock().unwrap_or_else(PoisonError::into_inner);
        Lost(match gone {
            Some(number) => format!(
                "the connection to {} is lost: no verdict without it. Start all processes again",
                self.named(number)
            ),
            None => "a process is lost: no verdict without it. Start all processes again".into(),
        })
    }

    /// What the others send in this round.
    fn receive(&self) -> Result<Round, Lost> {
        let mut wait = self.patience.wait(QUIET);
        let mut interrupted = None;
        loop {
            match self.incoming.recv_timeout(PAUSE) {
                Ok(round) => return Ok(round),
                Err(RecvTimeoutError::Disconnected) => return Err(self.lost()),
                Err(RecvTimeoutError::Timeout) => {}
            }
            wait.say(|| format!("waits for {} to end its part of a level", self.silent()));
            if self.patience.is_over(GRACE) {
                return Err(Lost(format!(
                    "{} did not end its part before --timeout: no verdict without it",
                    self.silent()
                )));
            }
            // The others hear of an interrupt in this round: one that hears nothing is not waited for.
            if (self.patience.interrupted)() {
                let since = *interrupted.get_or_insert_with(Instant::now);
                if since.elapsed() >= GRACE {
                    return Err(Lost(format!(
                        "interrupted while waiting for {}",
                        self.silent()
                    )));
                }
            }
        }
    }

    /// Who has not sent all that it sends in this round, in words.
    fn silent(&self) -> String {
        let awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let named: Vec<String> = awaited.iter().map(|number| self.named(*number)).collect();
        match named.is_empty() {
            true => "another process".into(),
            false => named.join(" and "),
        }
    }

    fn named(&self, number: usize) -> String {
        format!("process {number} at {}", self.addresses[number])
    }
}

impl Peers for Dataflow {
    fn number(&self) -> usize {
        self.number
    }

    fn count(&self) -> usize {
        self.addresses.len()
    }

    fn exchange(&mut self, outgoing: Round) -> Result<Round, Lost> {
        let sent = self.outgoing.as_ref().map(|to| to.send(outgoing));
        match sent {
            Some(Ok(())) => self.receive(),
            Some(Err(_)) | None => Err(self.lost()),
        }
    }
}

impl Drop for Dataflow {
    /// After a loss: the threads of the dataflow would wait for the lost process for ever, or have
    /// panicked already. They end with this process.
    fn drop(&mut self) {
        std::mem::forget(self.guards.take());
    }
}

/// Takes the words of each round to where they belong, until there is no further round.
fn serve(
    worker: &mut Worker,
    number: usize,
    count: usize,
    to_send: &Receiver<Round>,
    received: &Sender<Round>,
    awaited: &Awaited,
) {
    let mut input = InputHandle::new();
    // Others may have begun the next round before this process has seen the end of one.
    let arrived: Rc<RefCell<HashMap<u64, Arrived>>> = Rc::default();
    let nothing = move || Arrived {
        words: vec![Vec::new(); count],
        open: (0..count).collect(),
    };
    let arriving = Rc::clone(&arrived);
    worker.dataflow::<u64, _, _>(|scope| {
        scope
            .input_from(&mut input)
            .container::<Vec<Piece>>()
            .exchange(|piece: &Piece| piece.to)
            .inspect(move |piece| {
                let mut rounds = arriving.borrow_mut();
                let arrived = rounds.entry(piece.round).or_insert_with(nothing);
                arrived.words[piece.from].extend_from_slice(&piece.words);
                if piece.words.is_empty() {
                    arrived.open.retain(|other| *other != piece.from);
                }
            });
    });
    for (round, outgoing) in (0..).zip(to_send) {
        for (to, words) in (0..).zip(outgoing) {
            let end: &[u32] = &[];
            for words in words.chunks(PIECE_WORDS).chain([end]) {
                input.send(Piece {
                    to,
                    from: number,
                    round,
                    words: words.to_vec(),
                });
            }
        }
        input.advance_to(round + 1);
        input.flush();
        // Pieces of one process arrive in the order in which it sent them: its end is its last one.
        // The frontier would tell the same, but later, and without a name.
        let whole = loop {
            let mut rounds = arrived.borrow_mut();
            let open = &rounds.entry(round).or_insert_with(nothing).open;
            awaited
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone_from(open);
            if open.is_empty() {
                break rounds.remove(&round).unwrap_or_else(nothing);
            }
            drop(rounds);
            worker.step_or_park(Some(NAP));
        };
        if received.send(whole.words).is_err() {
            return;
        }
    }
}

/// Threads of the dataflow panic when a connection breaks. That is told as a loss, by whoever waits
/// for words; here only the first such connection is noted.
fn note_broken_connections(gone: Gone) {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let current = thread::current();
        let Some(name) = current.name().and_then(|name| name.strip_prefix("timely:")) else {
            return others(panic);
        };
        let number = name
            .strip_prefix("recv-")
            .or_else(|| name.strip_prefix("send-"));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            let mut gone = gone.lock().unwrap_or_else(PoisonError::into_inner);
            gone.get_or_insert(number);
        }
    }));
}
