//! A run picked by numbers, so that it can be drawn, shrunk and repeated.

use super::run::{LabError, Run};
use semel_models::action::Action;

/// Which faults strike and when, and in which order everything else happens.
///
/// Every number is good, and means the same whenever the same design is run with it. Fewer faults
/// and smaller numbers give plainer runs: 0 takes the first step of those that can come next.
///
/// ```
/// use semel::lab::{Blow, Run, Schedule, Sync};
///
/// let design = semel::Design::parse("semel.toml", b"
///     [consumer]
///     enable.auto.commit = false
///     auto.offset.reset = 'earliest'
///     [application]
///     order = 'process -> commit'
///     [faults]
///     consumer-crash = 1
///     [bounds]
///     records = 1
/// ")?;
/// let dir = tempfile::tempdir()?;
/// let mut run = Run::start(dir.path(), design.pipeline().clone(), Sync::Simulated)?;
/// let schedule = Schedule { faults: vec![Blow { after: 6, pick: 0 }], mix: 0 };
/// assert!(schedule.play(&mut run, 1_000)?);
/// assert_eq!(run.violated(), [semel::Guarantee::NoDuplicates, semel::Guarantee::ExactlyOnceEffect]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The faults, each at the first step from its time on at which it can strike.
    pub faults: Vec<Blow>,
    /// How the steps are mixed.
    pub mix: u64,
}

/// One fault of a schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blow {
    /// After how many steps it strikes at the earliest.
    pub after: u32,
    /// Which of the faults that can strike then, and where.
    pub pick: u32,
}

impl Schedule {
    /// Plays the run up to its end; whether it came to rest within `most` steps.
    ///
    /// # Errors
    /// Those of [`Run::take`].
    pub fn play(&self, run: &mut Run, most: usize) -> Result<bool, LabError> {
        let mut blows = self.faults.clone();
        blows.sort_by_key(|blow| std::cmp::Reverse(blow.after));
        let mut picks = Picks::of(self.mix);
        while run.taken().len() < most {
            let now = run.taken().len();
            let due = blows.last().filter(|blow| blow.after as usize <= now);
            if let Some(blow) = due.copied()
                && strike(run, blow.pick)?
            {
                blows.pop();
                continue;
            }
            if step(run, &mut picks)? {
                continue;
            }
            // At rest: what is still to come comes now, or never.
            match blows.pop() {
                Some(blow) => strike(run, blow.pick)?,
                None => return Ok(true),
            };
        }
        Ok(false)
    }
}

/// Lets a fault strike; whether one could.
fn strike(run: &mut Run, pick: u32) -> Result<bool, LabError> {
    let faults = run.next_faults();
    let mut kinds: Vec<u16> = faults.iter().filter_map(entry).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let mut pick = pick as usize;
    while !kinds.is_empty() {
        let kind = kinds.remove(pick % kinds.len());
        let own = faults.iter().filter(|fault| entry(fault) == Some(kind));
        let own: Vec<Action> = own.copied().collect();
        let first = pick / 31 % own.len();
        for strike in own[first..].iter().chain(&own[..first]) {
            if run.take(*strike)? {
                return Ok(true);
            }
        }
        // None would change anything; another kind, any.
        pick = pick.wrapping_mul(31).wrapping_add(7);
    }
    Ok(false)
}

fn entry(fault: &Action) -> Option<u16> {
    match fault {
        Action::Fault { entry, .. } => Some(*entry),
        _ => None,
    }
}

/// Takes one of the steps that can come next; whether there was one.
fn step(run: &mut Run, picks: &mut Picks) -> Result<bool, LabError> {
    let mut steps = run.cluster().steps(run.state());
    while !steps.is_empty() {
        let step = steps.remove(picks.below(steps.len()));
        if run.take(step)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which steps are taken: a sequence of numbers that look drawn (splitmix64).
///
/// Runs differ in how eagerly they go on with what comes first, which is the application's and its
/// producer's side: some fill the connection before anything is handled, some take every step as
/// often as any other.
struct Picks {
    state: u64,
    /// How many of eight steps are the first of those that can come next.
    eager: u64,
}

impl Picks {
    fn of(mix: u64) -> Picks {
        let eager = match mix {
            0 => 8,
            _ => [0, 4, 6, 7][(mix % 4) as usize],
        };
        Picks { state: mix, eager }
    }

    fn below(&mut self, end: usize) -> usize {
        match self.next() % 8 < self.eager {
            true => 0,
            false => (self.next() % end as u64) as usize,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
