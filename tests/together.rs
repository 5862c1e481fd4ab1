//! Several processes that explore together find what one finds. Here each is a thread, and messages
//! go through channels; `tests/hosts.rs` runs real processes.

use std::fmt::Debug;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use semel::catalogue;
use semel::explore::{
    Exploration, Limit, Livelock, Lost, Options, Outcome, Peers, explore, explore_together,
};
use semel_models::cluster::Cluster;
use semel_models::reference::{Order, Parameters, Reference};
use semel_models::subject::Subject;

/// A process that is a thread.
struct Thread {
    number: usize,
    to: Vec<Sender<Vec<u32>>>,
    from: Vec<Receiver<Vec<u32>>>,
}

impl Peers for Thread {
    fn number(&self) -> usize {
        self.number
    }

    fn count(&self) -> usize {
        self.to.len()
    }

    fn exchange(&mut self, outgoing: Vec<Vec<u32>>) -> Result<Vec<Vec<u32>>, Lost> {
        for (to, words) in self.to.iter().zip(outgoing) {
            to.send(words).map_err(|_| Lost("gone".into()))?;
        }
        let received = self.from.iter().map(Receiver::recv);
        received
            .collect::<Result<_, _>>()
            .map_err(|_| Lost("gone".into()))
    }
}

fn threads(count: usize) -> Vec<Thread> {
    let mut all: Vec<_> = (0..count)
        .map(|number| Thread {
            number,
            to: Vec::new(),
            from: Vec::new(),
        })
        .collect();
    for sender in 0..count {
        for receiver in 0..count {
            let (to, from) = channel();
            all[sender].to.push(to);
            all[receiver].from.push(from);
        }
    }
    all
}

/// What `tell` says of an exploration by `count` processes, at each of them.
fn together<S, T>(
    subject: &S,
    options: &Options,
    count: usize,
    tell: impl Fn(&Exploration<'_, S>) -> T + Sync,
) -> Vec<Result<T, Lost>>
where
    S: Subject,
    T: Send,
{
    thread::scope(|scope| {
        let run = |mut peers: Thread| {
            let tell = &tell;
            scope.spawn(move || {
                let found = explore_together(subject, options, &mut peers, &mut |_| {})?;
                Ok(tell(&found))
            })
        };
        let running: Vec<_> = threads(count).into_iter().map(run).collect();
        running
            .into_iter()
            .map(|thread| thread.join().expect("no process panics"))
            .collect()
    })
}

/// All that is found: counts, and each run that is told, step by step.
fn told<S: Subject>(found: &Exploration<'_, S>) -> String
where
    S::State: Debug,
    S::Action: Debug,
{
    let livelock = found.livelock(&Options::default());
    let lasso = match livelock {
        Livelock::From(entry) => Some((found.lasso(entry), found.depth_of(entry))),
        Livelock::None | Livelock::Unexplored | Livelock::Limit(_) => None,
    };
    let runs: Vec<_> = (0..32)
        .filter_map(|bit| found.violation(bit))
        .map(|id| (id, found.path_to(id)))
        .collect();
    let lightest: Vec<_> = (0..32).map(|bit| found.lightest(bit)).collect();
    format!(
        "{:?}\n{livelock:?}\n{lasso:?}\n{runs:?}\n{lightest:?}",
        (
            (found.outcome(), found.depth(), found.init_states()),
            (found.unique_states(), found.transitions()),
            (found.expanded_states(), found.quiescent_states()),
            (found.reached(), found.violated(), found.counted()),
        )
    )
}

fn assert_same<S: Subject>(subject: &S, options: &Options, counts: &[usize])
where
    S::State: Debug,
    S::Action: Debug,
{
    let alone = told(&explore(subject, options, &mut |_| {}));
    for &count in counts {
        for found in together(subject, options, count, told) {
            assert_eq!(found.expect("none is lost"), alone, "{count} processes");
        }
    }
}

#[test]
fn the_reference_protocol_has_the_same_states_and_runs_on_any_number_of_processes() {
    for order in [Order::ProcessFirst, Order::CommitFirst] {
        let bounds = Parameters {
            order,
            ..Parameters::SMALL
        };
        let protocol = Reference::new(bounds).expect("small enough");
        let threads = NonZeroUsize::new(2).expect("two");
        assert_same(&protocol, &Options::default().jobs(threads), &[1, 2, 3, 4]);
    }
}

#[test]
fn the_catalogue_has_the_same_states_and_runs_on_any_number_of_processes() {
    for entry in catalogue::ENTRIES {
        for design in [catalogue::broken(entry), catalogue::fixed(entry)] {
            let design = design.expect("a design");
            let cluster = Cluster::new(design.pipeline().clone()).expect("small enough");
            assert_same(&cluster, &Options::default(), &[3]);
        }
    }
}

#[test]
fn a_violation_ends_all_processes_in_the_same_level() {
    let protocol = Reference::new(Parameters::SMALL).expect("small enough");
    let options = Options::default().stop_when_violated(semel_models::reference::NO_DUP);
    assert_same(&protocol, &options, &[1, 2, 3, 4]);
}

#[test]
fn a_limit_that_one_process_meets_ends_all() {
    let protocol = Reference::new(Parameters::SMALL).expect("small enough");
    for (options, limit) in [
        (Options::default().max_states(5_000), Limit::States),
        (Options::default().max_bytes(500_000), Limit::Memory),
        (
            Options::default().deadline(std::time::Instant::now()),
            Limit::Deadline,
        ),
    ] {
        for found in together(&protocol, &options, 2, |found| found.outcome()) {
            assert_eq!(found, Ok(Outcome::Limit(limit)));
        }
    }
}

#[test]
fn a_process_that_is_gone_ends_the_others_without_a_finding() {
    let protocol = Reference::new(Parameters::SMALL).expect("small enough");
    let mut all = threads(2);
    drop(all.pop());
    let mut left = all.pop().expect("the first");
    let found = explore_together(&protocol, &Options::default(), &mut left, &mut |_| {});
    assert_eq!(found.err(), Some(Lost("gone".into())));
}
