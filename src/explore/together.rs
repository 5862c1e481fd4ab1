//! An exploration that several processes share, level by level.
//!
//! Each process owns some shards, side by side. It expands the states of a level that it stores, and
//! at the end of the level every process sends each other one the successors that belong there. They
//! are taken up in the order of the senders, which is the order in which one process would have
//! generated them: every state gets the name that it has in an exploration by one process.

mod rest;

use std::collections::HashMap;

use semel_models::subject::Subject;

use super::exploration::{Exploration, Findings, Outcome};
use super::frontier::Frontier;
use super::hash::Spread;
use super::id::{SHARDS, StateId};
use super::livelock::Livelock;
use super::options::{Limit, Options};
use super::outbox::{Outbox, Records};
use super::peers::{Lost, Peers, shards_of};
use super::search::{Progress, Search};
use super::tally::Tally;
use super::wire::{Reading, put};

/// Explores what `subject` can reach, together with `peers`.
pub(super) fn explore<'a, S: Subject>(
    subject: &'a S,
    options: &Options,
    spread: Spread,
    peers: &mut dyn Peers,
    watch: &mut dyn FnMut(&Progress),
) -> Result<Exploration<'a, S>, Lost> {
    let mut together = Together {
        search: Search::new(subject, options, spread),
        peers,
        levels: Vec::new(),
        sum: Sum::default(),
    };
    let outcome = together.run(watch)?;
    let tally = together.tally()?;
    let livelock = match outcome {
        Outcome::Complete => together.livelock()?,
        Outcome::Stopped | Outcome::Limit(_) => Livelock::Unexplored,
    };
    let wanted = tally.violations.iter().flatten().map(|found| found.id);
    let entry = match livelock {
        Livelock::From(id) => Some(id),
        Livelock::None | Livelock::Unexplored | Livelock::Limit(_) => None,
    };
    let states = together.with_ancestors(wanted.chain(entry).collect())?;
    let Together { search, sum, .. } = together;
    let findings = Findings {
        outcome,
        unique_states: sum.unique_states,
        init_states: sum.init_states,
        depth: search.depth,
        bytes: search.bytes(),
        tally,
        // What lies deeper is known to each of its own states only.
        level_off: Vec::new(),
    };
    let shared = Shared { states, livelock };
    Ok(Exploration::new(subject, search.store, findings).with_shared(shared))
}

/// What every process knows after an exploration together.
#[derive(Debug)]
pub(super) struct Shared {
    /// The states that are to be told, and those on the way to them.
    states: HashMap<StateId, Told>,
    pub(super) livelock: Livelock,
}

/// A state that another process may have stored.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) words: Box<[u32]>,
    pub(super) parent: Option<StateId>,
}

impl Shared {
    pub(super) fn told(&self, id: StateId) -> &Told {
        self.states
            .get(&id)
            .expect("a violating state or one on the way to it")
    }
}

struct Together<'p, 'a, 'o, S> {
    search: Search<'a, 'o, S>,
    peers: &'p mut dyn Peers,
    /// This process's part of each level.
    levels: Vec<Frontier>,
    sum: Sum,
}

/// What all processes have, each its part.
#[derive(Debug, Default)]
struct Sum {
    unique_states: u64,
    init_states: u64,
    transitions: u64,
    expanded: u64,
    bytes: u64,
    /// The states of the next level.
    level: u64,
    violated: u32,
}

impl<S: Subject> Together<'_, '_, '_, S> {
    fn run(&mut self, watch: &mut dyn FnMut(&Progress)) -> Result<Outcome, Lost> {
        let mut posts = Posts::new();
        if self.peers.number() == 0 {
            self.search.post_init_states();
            posts.take(&mut self.search.parts[0].outbox);
        }
        let mut level = Frontier::all([0; SHARDS]);
        if let Some(limit) = self.deliver(posts, Ok(()), &level)? {
            return Ok(Outcome::Limit(limit));
        }
        loop {
            level = level.next(self.search.store.lens());
            self.levels.push(level.clone());
            let mut posts = Posts::new();
            let ended = self.expand(&level, &mut posts);
            let limit = self.deliver(posts, ended, &level)?;
            watch(&self.progress());
            if let Some(limit) = limit {
                return Ok(Outcome::Limit(limit));
            }
            if self.sum.level == 0 {
                return Ok(Outcome::Complete);
            }
            if self.search.options.is_answered(self.sum.violated) {
                return Ok(Outcome::Stopped);
            }
            self.search.depth += 1;
        }
    }

    /// Expands this process's part of a level.
    fn expand(&mut self, level: &Frontier, posts: &mut Posts) -> Result<(), Limit> {
        let search = &mut self.search;
        let mut done = 0;
        while done < level.len() {
            search.options.interrupted()?;
            let block = done..level.len().min(done + search.block_size()?);
            done = block.end;
            let parts = search.expand(level, block);
            for part in &mut search.parts[..parts] {
                posts.take(&mut part.outbox);
                part.clear();
            }
            search.hold_candidates(posts.words());
            if search.bytes() > search.options.max_bytes {
                return Err(Limit::Memory);
            }
        }
        Ok(())
    }

    /// Sends the candidates, takes up those that are sent here, and sums up what all processes have
    /// then. Where one of them has met a limit, all end with it.
    fn deliver(
        &mut self,
        posts: Posts,
        ended: Result<(), Limit>,
        level: &Frontier,
    ) -> Result<Option<Limit>, Lost> {
        let sent = posts.words();
        let received = self
            .peers
            .exchange(posts.addressed(ended, self.peers.count()))?;
        let (mut limit, lanes) = self.read(&received)?;
        if limit.is_none() {
            limit = self.absorb(sent, &lanes).err();
        }
        drop(lanes);
        let told = self.peers.broadcast(self.summary(limit, level))?;
        self.sum = Sum::default();
        let mut agreed = None;
        for words in &told {
            let mut reading = Reading::new(words);
            agreed = agreed.or(limit_of(reading.word()?));
            self.sum.add(&mut reading)?;
        }
        if agreed.is_none() && self.sum.unique_states > self.search.options.max_states {
            agreed = Some(Limit::States);
        }
        Ok(agreed)
    }

    fn own_shards(&self) -> std::ops::Range<usize> {
        shards_of(self.peers.number(), self.peers.count())
    }

    /// Reads what was received: a limit that a process has met, and for each shard the candidates,
    /// in the order of the senders.
    fn read<'r>(&self, received: &'r [Vec<u32>]) -> Result<(Option<Limit>, Lanes<'r>), Lost> {
        let mut limit = None;
        let mut lanes: Lanes<'r> = (0..SHARDS).map(|_| Vec::new()).collect();
        for words in received {
            let mut reading = Reading::new(words);
            limit = limit.or(limit_of(reading.word()?));
            for shard in self.own_shards() {
                let len = reading.word()? as usize;
                let records = reading.take(len)?;
                let records = Records::read(records, self.search.subject.words())
                    .ok_or_else(|| Lost("a process sends what is no state".into()))?;
                lanes[shard].push(records);
            }
        }
        Ok((limit, lanes))
    }

    fn absorb(&mut self, sent: u64, lanes: &Lanes<'_>) -> Result<(), Limit> {
        let search = &mut self.search;
        let records = lanes.iter().flatten();
        let received: u64 = records.map(|records| records.words().len() as u64).sum();
        search.hold_candidates(sent + received);
        let of = |shard: usize| lanes[shard].iter().copied();
        let more = search.store.bytes_with(of) - search.store.bytes();
        if search.bytes() + more > search.options.max_bytes {
            return Err(Limit::Memory);
        }
        let jobs = search.options.jobs.get();
        search.store.absorb(of, jobs).map_err(|_| Limit::States)
    }

    /// What this process has: see [`Sum::add`].
    fn summary(&self, limit: Option<Limit>, level: &Frontier) -> Vec<u32> {
        let search = &self.search;
        let mut words = vec![code_of(limit), search.tally.violated()];
        for number in [
            search.store.len(),
            search.init_states,
            search.tally.transitions,
            search.tally.expanded,
            search.bytes(),
            level.next(search.store.lens()).len(),
        ] {
            put(&mut words, number);
        }
        words
    }

    /// What all processes have seen: their parts in canonical order.
    fn tally(&mut self) -> Result<Tally, Lost> {
        let told = self.peers.broadcast(self.search.tally.to_words())?;
        let mut sum = Tally::default();
        for words in told {
            sum.add(&Tally::from_words(&words)?);
        }
        Ok(sum)
    }

    /// These states, and those from which they were first found, and so on: known to all processes.
    fn with_ancestors(&mut self, mut wanted: Vec<StateId>) -> Result<HashMap<StateId, Told>, Lost> {
        let mut states = HashMap::new();
        while !wanted.is_empty() {
            let (own, store) = (self.own_shards(), &self.search.store);
            let mut words = Vec::new();
            for id in wanted.iter().filter(|id| own.contains(&id.shard())) {
                let state = store.words(*id);
                words.extend([
                    StateId::to_word(Some(*id)),
                    StateId::to_word(store.parent(*id)),
                    state.len() as u32,
                ]);
                words.extend_from_slice(state);
            }
            wanted.clear();
            for words in self.peers.broadcast(words)? {
                let mut reading = Reading::new(&words);
                while !reading.is_at_end() {
                    let id = StateId::from_word(reading.word()?);
                    let parent = StateId::from_word(reading.word()?);
                    let len = reading.word()? as usize;
                    let words = reading.take(len)?.into();
                    let id = id.ok_or_else(|| Lost("a process tells of no state".into()))?;
                    states.insert(id, Told { words, parent });
                    wanted.extend(parent);
                }
            }
            wanted.retain(|id| !states.contains_key(id));
            wanted.sort_unstable();
            wanted.dedup();
        }
        Ok(states)
    }

    fn progress(&self) -> Progress {
        Progress {
            depth: self.search.depth,
            unique_states: self.sum.unique_states,
            transitions: self.sum.transitions,
            queue: self.sum.unique_states - self.sum.expanded,
            bytes: self.sum.bytes,
        }
    }
}

impl Sum {
    fn add(&mut self, reading: &mut Reading<'_>) -> Result<(), Lost> {
        self.violated |= reading.word()?;
        for sum in [
            &mut self.unique_states,
            &mut self.init_states,
            &mut self.transitions,
            &mut self.expanded,
            &mut self.bytes,
            &mut self.level,
        ] {
            *sum += reading.number()?;
        }
        Ok(())
    }
}

/// For each shard the candidates that were sent, in the order of the senders.
type Lanes<'r> = Vec<Vec<Records<'r>>>;

/// Candidates that are to be sent: the words of their records, for each shard.
struct Posts {
    lanes: Vec<Vec<u32>>,
}

impl Posts {
    fn new() -> Self {
        Self {
            lanes: vec![Vec::new(); SHARDS],
        }
    }

    /// Adds what is in an outbox, and empties it.
    fn take(&mut self, outbox: &mut Outbox) {
        for (shard, lane) in self.lanes.iter_mut().enumerate() {
            lane.extend_from_slice(outbox.lane(shard).records().words());
        }
        outbox.clear();
    }

    /// The words of all candidates.
    fn words(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.len() as u64).sum()
    }

    /// One message for each of `count` processes: a limit that was met, and for each of its shards
    /// the number of words and the words.
    fn addressed(self, ended: Result<(), Limit>, count: usize) -> Vec<Vec<u32>> {
        let code = code_of(ended.err());
        let mut lanes = self.lanes.into_iter();
        let messages = (0..count).map(|number| {
            let mut words = vec![code];
            for lane in lanes.by_ref().take(shards_of(number, count).len()) {
                words.push(lane.len() as u32);
                words.extend(lane);
            }
            words
        });
        messages.collect()
    }
}

/// The limits by their codes in messages, from 1 on; 0 stands for none.
const LIMITS: [Limit; 4] = [
    Limit::States,
    Limit::Memory,
    Limit::Deadline,
    Limit::Cancelled,
];

fn code_of(limit: Option<Limit>) -> u32 {
    let place = LIMITS.iter().position(|known| Some(*known) == limit);
    place.map_or(0, |place| place as u32 + 1)
}

fn limit_of(code: u32) -> Option<Limit> {
    LIMITS.get((code as usize).checked_sub(1)?).copied()
}
